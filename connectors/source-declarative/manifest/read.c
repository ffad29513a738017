#include "manifest.h"
#include "type_text.h"

#include "base/buffer.h"

#include <stdlib.h>

static const struct json *doc_of(struct component component)
{
    return &component.manifest->doc;
}

static struct component at(struct component component, uint32_t node)
{
    if (node != JSON_NONE && json_is(doc_of(component), node, JSON_NULL))
        node = JSON_NONE;
    return (struct component){component.manifest, node};
}

struct component manifest_root(const struct manifest *manifest)
{
    return (struct component){manifest, 0};
}

struct component component_get(struct component component, const char *field)
{
    return at(component, json_get(doc_of(component), component.at, field));
}

const struct component_type *component_type(struct component component)
{
    const struct json *doc = doc_of(component);
    uint32_t word = json_get(doc, component.at, "type");
    if (!json_is(doc, word, JSON_STRING))
        return NULL;
    return component_type_find(json_string(doc, word, component.manifest->arena));
}

bool component_is(struct component component, const char *type_name)
{
    const struct json *doc = doc_of(component);
    uint32_t word = json_get(doc, component.at, "type");
    return json_is(doc, word, JSON_STRING) && json_string_is(doc, word, type_name);
}

size_t component_count(struct component list)
{
    if (component_is_none(list))
        return 0;
    return json_is(doc_of(list), list.at, JSON_ARRAY) ? json_count(doc_of(list), list.at) : 1;
}

struct component component_at(struct component list, size_t index)
{
    if (!json_is(doc_of(list), list.at, JSON_ARRAY))
        return index == 0 ? list : at(list, JSON_NONE);
    return at(list, json_at(doc_of(list), list.at, (uint32_t)index));
}

/* --- values --------------------------------------------------------------------------------------------- */

static const struct component_field *field_of(struct component component, const char *field)
{
    const struct component_type *type = component_type(component);
    return type ? component_field_find(type, slice_of(field)) : NULL;
}

/* The table's default as text; NULL: none. */
static const char *preset(struct component component, const char *field)
{
    const struct component_field *row = field_of(component, field);
    return row ? row->preset : NULL;
}

struct slice component_string(struct component component)
{
    const struct json *doc = doc_of(component);
    if (component_is_none(component))
        return (struct slice){NULL, 0};
    if (json_is(doc, component.at, JSON_STRING))
        return json_string(doc, component.at, component.manifest->arena);
    return json_raw(doc, component.at);
}

struct slice component_text(struct component component, const char *field)
{
    struct component value = component_get(component, field);
    if (!component_is_none(value))
        return component_string(value);
    const char *text = preset(component, field);
    if (!text)
        return (struct slice){NULL, 0};
    struct slice whole = slice_of(text);
    if (*text != '"')
        return whole;
    char *plain = arena_zalloc(component.manifest->arena, whole.size);
    return (struct slice){plain, json_unescape(text + 1, whole.size - 2, plain)};
}

bool component_bool(struct component component, const char *field)
{
    struct component value = component_get(component, field);
    if (component_is_none(value)) {
        const char *text = preset(component, field);
        return text && strcmp(text, "true") == 0;
    }
    return json_is(doc_of(value), value.at, JSON_TRUE);
}

bool component_integer(struct component component, const char *field, int64_t *ret_value)
{
    struct component value = component_get(component, field);
    if (!component_is_none(value))
        return json_to_i64(doc_of(value), value.at, ret_value);
    const char *text = preset(component, field);
    return text && string_to_i64(text, ret_value);
}

bool component_number(struct component component, const char *field, double *ret_value)
{
    struct component value = component_get(component, field);
    if (!component_is_none(value))
        return json_to_double(doc_of(value), value.at, ret_value);
    const char *text = preset(component, field);
    char *end;
    if (!text)
        return false;
    *ret_value = strtod(text, &end);
    return end != text;
}

int component_enum(struct component component, const char *field)
{
    const struct component_field *row = field_of(component, field);
    struct slice text = component_text(component, field);
    struct alternative alternative;
    if (!row || !text.data)
        return -1;
    int position = 0;
    for (struct slice rest = slice_of(row->type); alternative_next(&rest, &alternative);) {
        if (alternative.kind != ALTERNATIVE_WORD)
            continue;
        if (slice_equal(alternative.text, text))
            return position;
        position++;
    }
    return -1;
}

struct component component_parameters(struct component component)
{
    return component_get(component, "$parameters");
}

/* --- places -----------------------------------------------------------------------------------------------
 */

/* "streams[0].retriever": the way a person writes it. */
static void path_of(const struct json *doc, uint32_t target, struct arena *arena, struct buffer *out)
{
    uint32_t node = 0;
    while (node != target) {
        if (json_is(doc, node, JSON_ARRAY)) {
            uint32_t index = 0, element = json_first(doc, node);
            while (json_after(doc, element) <= target) {
                element = json_next(doc, node, element);
                index++;
            }
            buffer_printf(out, "[%u]", index);
            node = element;
            continue;
        }
        uint32_t key = json_first_key(doc, node);
        while (json_after(doc, json_value(key)) <= target)
            key = json_next_key(doc, node, key);
        struct slice name = json_string(doc, key, arena);
        buffer_printf(out, "%s%.*s", out->size ? "." : "", (int)utf8_cut(name.data, name.size, 100),
                      name.data);
        if (key == target)
            return;
        node = json_value(key);
    }
}

int(component_error)(struct error *err, struct component component)
{
    const struct manifest *manifest = component.manifest;
    if (component_is_none(component))
        return error_wrap(err, "%s", manifest->file);
    struct buffer path;
    buffer_init(&path, 4096);
    path_of(&manifest->doc, component.at, manifest->arena, &path);
    struct yaml_position place = manifest->positions[component.at];
    if (path.size)
        error_wrap(err, "%s (%s:%u:%u)", buffer_cstr(&path), manifest->file, place.line, place.column);
    else
        error_wrap(err, "%s:%u:%u", manifest->file, place.line, place.column);
    buffer_done(&path);
    return -1;
}
