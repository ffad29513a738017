#include "supervisor/config_check.h"

static const char *type_of(struct slice raw)
{
    switch (raw.size ? *raw.data : 0) {
    case '"':
        return "a string";
    case '{':
        return "an object";
    case '[':
        return "an array";
    case 't':
    case 'f':
        return "a boolean";
    case 'n':
        return "null";
    default:
        return "a number";
    }
}

/* Airbyte's specs may say a pattern in words. */
static const char *pattern_in_words(const struct json *schema, const struct schema_violation *violation,
                                    struct arena *arena)
{
    if (strcmp(violation->keyword, "pattern") != 0)
        return NULL;
    size_t size = strlen(violation->keyword_location) - strlen("/pattern");
    uint32_t at = json_pointer(schema, 0, (struct slice){violation->keyword_location, size});
    uint32_t words = json_get(schema, at, "pattern_descriptor");
    return json_is(schema, words, JSON_STRING) ? json_cstring(schema, words, arena) : NULL;
}

const char *config_violation(const struct json *schema, const struct schema_violation *violation,
                             struct arena *arena)
{
    const char *words = pattern_in_words(schema, violation, arena);
    const char *got = strstr(violation->message, ", got ");
    if (words)
        return arena_printf(arena, "expected %s", words);
    if (!got)
        return violation->message;
    bool type = strcmp(violation->keyword, "type") == 0;
    return arena_printf(arena, "%.*s%s%s", (int)(got - violation->message), violation->message,
                        type ? ", got " : "", type ? type_of(violation->value) : "");
}

struct slice config_schema(const struct control_definition *definition, struct arena *arena)
{
    struct json spec;
    struct error unused;
    if (!definition->spec.size ||
        json_parse_copy(arena, definition->spec.data, definition->spec.size, &spec, &unused) < 0)
        return (struct slice){0};
    uint32_t at = json_get(&spec, 0, "connectionSpecification");
    return at == JSON_NONE ? (struct slice){0} : json_raw(&spec, at);
}

const char *config_field(const char *pointer, struct arena *arena)
{
    const char *field = "";
    for (const char *at = pointer; *at == '/';) {
        int size = (int)strcspn(at + 1, "/"), digits = (int)strspn(at + 1, "0123456789");
        field = size && size == digits
                    ? arena_printf(arena, "%s[%.*s]", field, size, at + 1)
                    : arena_printf(arena, "%s%s%.*s", field, *field ? "." : "", size, at + 1);
        at += 1 + size;
    }
    return field;
}

const char *config_place(const struct schema_violation *violation, struct arena *arena)
{
    const char *begin = strchr(violation->message, '"'), *end = begin ? strchr(begin + 1, '"') : NULL;
    if (strcmp(violation->keyword, "required") != 0 || !end)
        return violation->instance;
    return arena_printf(arena, "%s/%.*s", violation->instance, (int)(end - begin - 1), begin + 1);
}

static int explain(const struct schema *schema, struct schema_validator *validator, struct slice text,
                   const struct json *config, struct arena *arena, const char **ret_place, struct error *err)
{
    struct schema_violation violation;
    struct json words;
    struct error unused;
    size_t count = 0;
    if (schema_explain(schema, validator, config, 0, arena, &violation, 1, &count, &unused) < 0 ||
        count == 0 || json_parse_copy(arena, text.data, text.size, &words, &unused) < 0)
        return error_set(err, ERROR_INVALID, "it is not what the connector's spec wants");
    *ret_place = config_place(&violation, arena);
    return error_set(err, ERROR_INVALID, "%s", config_violation(&words, &violation, arena));
}

int config_check(struct slice schema, struct slice config, struct arena *arena, const char **ret_place,
                 struct error *err)
{
    struct json doc;
    struct error unused;
    *ret_place = "";
    if (!schema.size)
        return 0;
    if (json_parse_copy(arena, config.data, config.size, &doc, err) < 0)
        return -1;
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_7);
    if (schema_registry_add(registry, "firth:spec", schema, &unused) < 0)
        return 0; /* a spec that is no schema says nothing of configs */
    mem_auto(schema_free) struct schema *compiled = schema_compile(registry, "firth:spec", &unused);
    if (!compiled)
        return 0;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    return schema_validate(compiled, validator, &doc, 0, &unused) != 0
               ? 0
               : explain(compiled, validator, schema, &doc, arena, ret_place, err);
}

/* Is there one at the value or in it? Then the pointer, which was the value's, is to that. */
static bool find_shown(const struct json *config, uint32_t at, struct arena *arena, struct buffer *pointer)
{
    size_t size = pointer->size;
    unsigned number = 0;
    if (json_is(config, at, JSON_STRING))
        return json_string_is(config, at, CONFIG_SHOWN);
    bool object = json_is(config, at, JSON_OBJECT), array = json_is(config, at, JSON_ARRAY);
    for (uint32_t key = object ? json_first_key(config, at) : JSON_NONE; key != JSON_NONE;
         key = json_next_key(config, at, key)) {
        json_pointer_push(pointer, json_string(config, key, arena));
        if (find_shown(config, json_value(key), arena, pointer))
            return true;
        pointer->size = size;
    }
    for (uint32_t each = array ? json_first(config, at) : JSON_NONE; each != JSON_NONE;
         each = json_next(config, at, each), number++) {
        buffer_printf(pointer, "/%u", number);
        if (find_shown(config, each, arena, pointer))
            return true;
        pointer->size = size;
    }
    return false;
}

int config_check_shown(struct slice config, struct arena *arena, const char **ret_place, struct error *err)
{
    struct json doc;
    struct buffer pointer;
    *ret_place = "";
    if (json_parse_copy(arena, config.data, config.size, &doc, err) < 0)
        return -1;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    bool found = find_shown(&doc, 0, arena, &pointer);
    if (found)
        *ret_place = arena_strdup(arena, buffer_cstr(&pointer));
    buffer_done(&pointer);
    return found ? error_set(err, ERROR_INVALID, "%s", CONFIG_SHOWN_GIVEN) : 0;
}
