/* firth discover: a connector's spec as fields to fill in. */
#include "cli/cmd_discover.h"

enum { REFERENCES_MAX = 16 };

static bool is_null_type(const struct json *spec, uint32_t at)
{
    return json_string_is(spec, json_get(spec, at, "type"), "null") ||
           json_is(spec, json_get(spec, at, "const"), JSON_NULL);
}

/* Follow one step of what only stands for another schema: a reference, allOf of one, a choice between one and
 * null. JSON_NONE: it stands for itself. */
static uint32_t step(const struct json *spec, uint32_t at)
{
    static const char *const choices[] = {"oneOf", "anyOf"};
    uint32_t reference = json_get(spec, at, "$ref"), all = json_get(spec, at, "allOf");
    if (json_is(spec, reference, JSON_STRING)) {
        struct slice text = json_inner(spec, reference);
        if (text.size == 0 || text.data[0] != '#')
            return JSON_NONE;
        return json_pointer(spec, 0, (struct slice){text.data + 1, text.size - 1});
    }
    if (json_count(spec, all) == 1 && json_get(spec, at, "properties") == JSON_NONE)
        return json_first(spec, all);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        uint32_t choice = json_get(spec, at, choices[i]), only = JSON_NONE;
        size_t others = 0;
        for (uint32_t each = json_first(spec, choice); each != JSON_NONE;
             each = json_next(spec, choice, each)) {
            if (!is_null_type(spec, each)) {
                only = each;
                others++;
            }
        }
        if (others == 1)
            return only;
    }
    return JSON_NONE;
}

uint32_t spec_get(const struct json *spec, const struct spec_field *field, const char *member)
{
    uint32_t found = json_get(spec, field->outer, member);
    return found != JSON_NONE ? found : json_get(spec, field->inner, member);
}

void spec_field_at(const struct json *spec, uint32_t at, struct spec_field *ret_field)
{
    struct spec_field field = {.outer = at, .inner = at};
    for (size_t i = 0; i < REFERENCES_MAX; i++) {
        uint32_t next = step(spec, field.inner);
        if (next == JSON_NONE)
            break;
        field.inner = next;
    }
    field.secret = json_is(spec, spec_get(spec, &field, "airbyte_secret"), JSON_TRUE) ||
                   json_is(spec, spec_get(spec, &field, "secret"), JSON_TRUE) ||
                   json_is(spec, spec_get(spec, &field, "writeOnly"), JSON_TRUE) ||
                   json_string_is(spec, spec_get(spec, &field, "format"), "password");
    *ret_field = field;
}

const char *spec_type(const struct json *spec, const struct spec_field *field)
{
    static const char *const types[] = {"string", "integer", "number", "boolean", "array", "object"};
    uint32_t type = spec_get(spec, field, "type");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (json_is(spec, type, JSON_STRING) && json_string_is(spec, type, types[i]))
            return types[i];
        for (uint32_t each = json_first(spec, type); each != JSON_NONE; each = json_next(spec, type, each)) {
            if (json_string_is(spec, each, types[i]))
                return types[i];
        }
    }
    if (json_get(spec, field->inner, "properties") != JSON_NONE)
        return "object";
    return json_get(spec, field->inner, "items") != JSON_NONE ? "array" : "";
}

struct ordered {
    struct spec_field field;
    double order;
    size_t position;
};

static int by_order(const void *a, const void *b)
{
    const struct ordered *left = a, *right = b;
    if (left->field.required != right->field.required)
        return left->field.required ? -1 : 1;
    if (left->order < right->order || left->order > right->order)
        return left->order < right->order ? -1 : 1;
    return left->position < right->position ? -1 : left->position > right->position;
}

static bool is_required(const struct json *spec, uint32_t object, uint32_t key, struct arena *arena)
{
    uint32_t required = json_get(spec, object, "required");
    struct slice name = json_string(spec, key, arena);
    for (uint32_t each = json_first(spec, required); each != JSON_NONE;
         each = json_next(spec, required, each)) {
        if (json_is(spec, each, JSON_STRING) && json_text_is(spec, each, name))
            return true;
    }
    return false;
}

struct spec_field *spec_fields(const struct json *spec, uint32_t object, struct arena *arena,
                               size_t *ret_count)
{
    uint32_t properties = json_get(spec, object, "properties");
    struct ordered *all = arena_zalloc(arena, (json_count(spec, properties) + 1) * sizeof *all);
    size_t count = 0;
    for (uint32_t key = json_first_key(spec, properties); key != JSON_NONE;
         key = json_next_key(spec, properties, key)) {
        struct ordered *each = &all[count];
        *each = (struct ordered){.order = 1e300, .position = count};
        spec_field_at(spec, json_value(key), &each->field);
        each->field.name = json_cstring(spec, key, arena);
        each->field.required = is_required(spec, object, key, arena);
        json_to_double(spec, spec_get(spec, &each->field, "order"), &each->order);
        const char *title = json_cstring(spec, spec_get(spec, &each->field, "title"), arena);
        each->field.title = title && *title ? title : each->field.name;
        if (!json_is(spec, spec_get(spec, &each->field, "airbyte_hidden"), JSON_TRUE) || each->field.required)
            count++;
    }
    qsort(all, count, sizeof *all, by_order);
    struct spec_field *fields = arena_zalloc(arena, (count + 1) * sizeof *fields);
    for (size_t i = 0; i < count; i++)
        fields[i] = all[i].field;
    *ret_count = count;
    return fields;
}

const char *spec_kind_text(const struct json *spec, const struct spec_field *field, struct arena *arena)
{
    const char *type = spec_type(spec, field), *text = arena_strdup(arena, *type ? type : "any value");
    static const struct {
        const char *member, *words;
    } bounds[] = {{"minimum", "at least"},
                  {"exclusiveMinimum", "more than"},
                  {"maximum", "at most"},
                  {"exclusiveMaximum", "less than"},
                  {"minLength", "characters from"},
                  {"maxLength", "characters up to"},
                  {"pattern", "like"}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        uint32_t bound = spec_get(spec, field, bounds[i].member);
        if (bound == JSON_NONE || !(json_is_number(spec, bound) || json_is(spec, bound, JSON_STRING)))
            continue;
        struct slice value =
            json_is(spec, bound, JSON_STRING) ? json_string(spec, bound, arena) : json_raw(spec, bound);
        if (strcmp(bounds[i].member, "pattern") == 0 && value.size > 60)
            continue;
        text = arena_printf(arena, "%s, %s %.*s", text, bounds[i].words, SLICE_ARGS(value));
    }
    return text;
}
