#include "cli/spec_check.h"

#include "supervisor/config_check.h"

enum { VIOLATIONS_MAX = 20, NESTING_MAX = 16 };

struct checking {
    const struct spec_check *check;
    struct json schema, value;
    struct buffer pointer; /* of the object whose keys are looked at */
    size_t slips;
};

/* --- keys ------------------------------------------------------------------------------------------ */

static const struct catalog_place *place_of(const struct checking *checking, const char *pointer)
{
    return catalog_place_of(checking->check->places, pointer);
}

/* May an object have members that its `properties` do not name, by another part of the schema? */
static bool has_other_members(const struct json *schema, uint32_t at)
{
    static const char *const keywords[] = {"oneOf", "anyOf", "allOf", "$ref", "if", "patternProperties"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (json_get(schema, at, keywords[i]) != JSON_NONE)
            return true;
    }
    return false;
}

/* The property that a key looks like, of those that the object does not have: a slip leaves its own out. */
static const char *nearest_property(struct checking *checking, uint32_t properties, uint32_t object,
                                    const char *name)
{
    const struct json *schema = &checking->schema;
    struct arena *arena = checking->check->arena;
    const char **names = arena_alloc(arena, (json_count(schema, properties) + 1) * sizeof *names);
    size_t count = 0;
    for (uint32_t key = json_first_key(schema, properties); key != JSON_NONE;
         key = json_next_key(schema, properties, key)) {
        struct slice property = json_string(schema, key, arena);
        const char *each = json_cstring(schema, key, arena);
        if (each && json_get_slice(&checking->value, object, property) == JSON_NONE)
            names[count++] = each;
    }
    return string_nearest(name, names, count);
}

/* Keys that the schema does not name are the connector's to judge, unless they look like one that it does. */
static void check_keys(struct checking *checking, uint32_t schema_at, uint32_t object, unsigned nesting)
{
    const struct json *schema = &checking->schema, *value = &checking->value;
    uint32_t properties = json_get(schema, schema_at, "properties");
    if (nesting == NESTING_MAX || !json_is(schema, properties, JSON_OBJECT) ||
        !json_is(value, object, JSON_OBJECT) || has_other_members(schema, schema_at))
        return;
    size_t size = checking->pointer.size;
    for (uint32_t key = json_first_key(value, object); key != JSON_NONE;
         key = json_next_key(value, object, key)) {
        struct slice name = json_string(value, key, checking->check->arena);
        const char *text = json_cstring(value, key, checking->check->arena);
        uint32_t named = json_get_slice(schema, properties, name);
        const char *nearest =
            text && named == JSON_NONE ? nearest_property(checking, properties, object, text) : NULL;
        json_pointer_push(&checking->pointer, name);
        if (nearest) {
            catalog_errors_add(checking->check->errors, place_of(checking, buffer_cstr(&checking->pointer)),
                               true, "%s: unknown key '%s'; did you mean '%s'?", checking->check->what, text,
                               nearest);
            checking->slips++;
        } else if (named != JSON_NONE) {
            check_keys(checking, named, json_value(key), nesting + 1);
        }
        checking->pointer.size = size;
    }
}

/* Is a missing property one that a slip was meant for? Its name stands in quotes in the message. */
static bool is_slip(struct checking *checking, const struct schema_violation *violation)
{
    const struct json *schema = &checking->schema, *value = &checking->value;
    struct arena *arena = checking->check->arena;
    if (checking->slips == 0 || strcmp(violation->keyword, "required") != 0)
        return false;
    /* The schema's object is beside its "required". */
    size_t size = strlen(violation->keyword_location) - strlen("/required");
    uint32_t at = json_pointer(schema, 0, (struct slice){violation->keyword_location, size});
    uint32_t properties = json_get(schema, at, "properties");
    uint32_t object = json_pointer(value, 0, slice_of(violation->instance));
    for (uint32_t key = json_first_key(value, object); key != JSON_NONE;
         key = json_next_key(value, object, key)) {
        const char *text = json_cstring(value, key, arena);
        if (!text || json_get(schema, properties, text) != JSON_NONE)
            continue;
        const char *nearest = nearest_property(checking, properties, object, text);
        if (nearest && strstr(violation->message, arena_printf(arena, "\"%s\"", nearest)))
            return true;
    }
    return false;
}

/* --- violations ------------------------------------------------------------------------------------ */

static void add_violation(struct checking *checking, const struct schema_violation *violation)
{
    const struct spec_check *check = checking->check;
    catalog_errors_add(check->errors, place_of(checking, violation->instance), true, "%s%s%s: %s",
                       check->what, *violation->instance ? " " : "", violation->instance,
                       config_violation(&checking->schema, violation, check->arena));
}

static int check_value(struct checking *checking, const struct schema *schema, struct error *err)
{
    const struct spec_check *check = checking->check;
    struct schema_violation violations[VIOLATIONS_MAX];
    size_t count = 0;
    check_keys(checking, 0, 0, 0);
    if (schema_explain(schema, check->validator, &checking->value, 0, check->arena, violations,
                       VIOLATIONS_MAX, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!is_slip(checking, &violations[i]))
            add_violation(checking, &violations[i]);
    }
    return 0;
}

int spec_check(const struct spec_check *check, struct error *err)
{
    static const char uri[] = "firth://connector/spec";
    struct checking checking = {.check = check};
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, uri, check->schema, err) < 0 ||
        json_parse_copy(check->arena, check->schema.data, check->schema.size, &checking.schema, err) < 0 ||
        json_parse_copy(check->arena, check->value.data, check->value.size, &checking.value, err) < 0)
        return -1;
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, uri, err);
    if (!schema)
        return -1;
    buffer_init(&checking.pointer, BUFFER_UNLIMITED);
    int result = check_value(&checking, schema, err);
    buffer_done(&checking.pointer);
    return result;
}
