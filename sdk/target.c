#include "host.h"

#include <stdarg.h>
#include <stdio.h>

/* What a destination is to write: its fields, and making the endpoint ready for them. */

static unsigned type_of(const struct json *doc, uint32_t at)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = {{"null", FIRTH_MAY_BE_NULL},       {"boolean", FIRTH_MAY_BE_BOOLEAN},
                 {"integer", FIRTH_MAY_BE_INTEGER}, {"number", FIRTH_MAY_BE_NUMBER | FIRTH_MAY_BE_INTEGER},
                 {"string", FIRTH_MAY_BE_TEXT},     {"array", FIRTH_MAY_BE_ARRAY},
                 {"object", FIRTH_MAY_BE_OBJECT}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (json_string_is(doc, at, types[i].name))
            return types[i].type;
    }
    return 0;
}

unsigned sdk_types_of(const struct json *doc, uint32_t at)
{
    unsigned types = json_is(doc, at, JSON_STRING) ? type_of(doc, at) : 0;
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each))
        types |= json_is(doc, each, JSON_STRING) ? type_of(doc, each) : 0;
    return types ? types : FIRTH_MAY_BE_ANYTHING;
}

static const char *text_at(const struct json *doc, uint32_t at, struct arena *arena)
{
    return json_is(doc, at, JSON_STRING) ? json_cstring(doc, at, arena) : NULL;
}

static bool is_key(const struct firth_target *target, const char *pointer)
{
    for (size_t i = 0; target->primary_key[i]; i++) {
        if (strcmp(target->primary_key[i], pointer) == 0)
            return true;
    }
    return false;
}

static bool is_required(const struct json *doc, struct slice name)
{
    uint32_t list = json_get(doc, 0, "required");
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        if (json_is(doc, each, JSON_STRING) && json_text_is(doc, each, name))
            return true;
    }
    return false;
}

struct slice sdk_show_nuls(struct slice name, struct arena *arena)
{
    if (!name.size || !memchr(name.data, 0, name.size))
        return name;
    struct buffer shown;
    buffer_init(&shown, BUFFER_UNLIMITED); /* three times the name */
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i])
            buffer_byte(&shown, name.data[i]);
        else
            buffer_str(&shown, "␀");
    }
    struct slice copy = {arena_dup(arena, shown.data, shown.size), shown.size};
    buffer_done(&shown);
    return copy;
}

void sdk_target_fields(struct firth_target *target, struct arena *arena)
{
    struct json doc;
    struct error ignored;
    if (!target->json_schema.size ||
        json_parse_copy(arena, target->json_schema.data, target->json_schema.size, &doc, &ignored) < 0)
        return;
    uint32_t properties = json_get(&doc, 0, "properties");
    struct firth_field *fields =
        arena_zalloc(arena, ((size_t)json_count(&doc, properties) + 1) * sizeof *fields);
    struct buffer pointer;
    buffer_init(&pointer, BUFFER_UNLIMITED); /* bounded by the schema */
    for (uint32_t key = json_first_key(&doc, properties); key != JSON_NONE;
         key = json_next_key(&doc, properties, key)) {
        struct firth_field *field = &fields[target->field_count++];
        struct slice member = json_string(&doc, key, arena), name = sdk_show_nuls(member, arena);
        uint32_t schema = json_value(key);
        buffer_clear(&pointer);
        json_pointer_push(&pointer, name);
        field->name = arena_strndup(arena, name.data, name.size);
        field->member = (struct firth_slice){member.data, member.size};
        field->pointer = arena_strndup(arena, pointer.data, pointer.size);
        field->types = sdk_types_of(&doc, json_get(&doc, schema, "type"));
        field->format = text_at(&doc, json_get(&doc, schema, "format"), arena);
        field->encoding = text_at(&doc, json_get(&doc, schema, "contentEncoding"), arena);
        field->is_key = is_key(target, field->pointer);
        field->always = is_required(&doc, member);
    }
    buffer_done(&pointer);
    target->fields = fields;
}

void firth_did(struct firth_host *host, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (host->did.size)
        buffer_str(&host->did, "; ");
    buffer_str(&host->did, text);
}

int sdk_apply(struct firth_host *host, const void *config, const struct firth_target *targets, size_t count,
              struct firth_error *err)
{
    const struct firth_destination *class_ = &host->class_->destination;
    buffer_clear(&host->did);
    return class_->apply ? class_->apply(host, config, targets, count, err) : 0;
}
