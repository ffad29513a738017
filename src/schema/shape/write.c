/* A shape as a JSON Schema. */
#include "schema/shape/tree.h"

const char *const shape_reduce_names[SHAPE_REDUCE_MAX] = {
    [SHAPE_REDUCE_APPEND] = "append",
    [SHAPE_REDUCE_FIRST_WRITE_WINS] = "firstWriteWins",
    [SHAPE_REDUCE_LAST_WRITE_WINS] = "lastWriteWins",
    [SHAPE_REDUCE_MAXIMIZE] = "maximize",
    [SHAPE_REDUCE_MERGE] = "merge",
    [SHAPE_REDUCE_MINIMIZE] = "minimize",
    [SHAPE_REDUCE_SET] = "set",
    [SHAPE_REDUCE_SUM] = "sum",
    [SHAPE_REDUCE_JSON_SCHEMA_MERGE] = "jsonSchemaMerge",
};

static void member_text(struct json_writer *writer, const char *keyword, const char *text)
{
    if (text)
        json_member_string(writer, keyword, text);
}

static void member_values(struct json_writer *writer, const char *keyword, const struct shape_values *values)
{
    if (!values)
        return;
    json_put_key(writer, keyword);
    json_put_value(writer, shape_values_json(values), 0);
}

static void member_bound(struct json_writer *writer, const char *keyword, const struct shape_bound *bound)
{
    if (bound->text)
        json_member_raw(writer, keyword, slice_of(bound->text));
}

static void member_strategy(struct json_writer *writer, const char *keyword, const char *strategy)
{
    if (!strategy)
        return;
    json_put_key(writer, keyword);
    json_begin_object(writer);
    json_member_string(writer, "strategy", strategy);
    json_end_object(writer);
}

static void member_shape(struct json_writer *writer, const char *keyword, const struct shape *shape)
{
    if (!shape)
        return;
    json_put_key(writer, keyword);
    shape_write(shape, false, writer);
}

static void write_types(const struct shape *shape, struct json_writer *writer)
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {{SHAPE_NULL, "null"},       {SHAPE_BOOLEAN, "boolean"}, {SHAPE_NUMBER, "number"},
                 {SHAPE_INTEGER, "integer"}, {SHAPE_STRING, "string"},   {SHAPE_ARRAY, "array"},
                 {SHAPE_OBJECT, "object"}};
    if (shape->types == SHAPE_ANY)
        return;
    unsigned left = shape->types & SHAPE_FRACTION ? shape->types | SHAPE_NUMBER : shape->types;
    bool several = __builtin_popcount(left) > 1 && left != SHAPE_NUMBER;
    json_put_key(writer, "type");
    if (several)
        json_begin_array(writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((left & names[i].types) != names[i].types)
            continue;
        left &= ~names[i].types;
        json_put_string(writer, names[i].name);
    }
    if (several)
        json_end_array(writer);
}

static void write_strings(const struct shape *shape, struct json_writer *writer)
{
    member_text(writer, "format", shape->format);
    member_text(writer, "contentEncoding", shape->content_encoding);
    member_text(writer, "contentMediaType", shape->content_type);
    if (shape->min_length > 0)
        json_member_u64(writer, "minLength", shape->min_length);
    if (shape->max_length != UINT32_MAX)
        json_member_u64(writer, "maxLength", shape->max_length);
    member_bound(writer, "x-str-minimum", &shape->text_minimum);
    member_bound(writer, "x-str-maximum", &shape->text_maximum);
}

static void write_arrays(const struct shape *shape, struct json_writer *writer)
{
    if (shape->min_items > 0)
        json_member_u64(writer, "minItems", shape->min_items);
    if (shape->max_items != UINT32_MAX)
        json_member_u64(writer, "maxItems", shape->max_items);
    if (shape->tuple_count > 0) {
        json_put_key(writer, "prefixItems");
        json_begin_array(writer);
        for (uint32_t i = 0; i < shape->tuple_count; i++)
            shape_write(shape->tuple[i], false, writer);
        json_end_array(writer);
    }
    member_shape(writer, "items", shape->items);
}

static void write_objects(const struct shape *shape, struct json_writer *writer)
{
    if (shape->required_count > 0) {
        json_put_key(writer, "required");
        json_begin_array(writer);
        for (uint32_t i = 0; i < shape->property_count; i++) {
            const struct shape_property *property = &shape->properties[i];
            if (property->required)
                json_put_slice(writer, (struct slice){property->name, property->size});
        }
        json_end_array(writer);
    }
    if (shape->property_count > 0) {
        json_put_key(writer, "properties");
        json_begin_object(writer);
        for (uint32_t i = 0; i < shape->property_count; i++) {
            const struct shape_property *property = &shape->properties[i];
            json_put_key_slice(writer, (struct slice){property->name, property->size});
            shape_write(property->shape, false, writer);
        }
        json_end_object(writer);
    }
    if (shape->pattern_count > 0) {
        json_put_key(writer, "patternProperties");
        json_begin_object(writer);
        for (uint32_t i = 0; i < shape->pattern_count; i++)
            member_shape(writer, shape->patterns[i].source, shape->patterns[i].shape);
        json_end_object(writer);
    }
    member_shape(writer, "additionalProperties", shape->additional);
}

void shape_write(const struct shape *shape, bool of_its_own, struct json_writer *writer)
{
    static const char *const redact_names[] = {NULL, NULL, "block", "sha256"};
    if (shape->types == 0 || (!of_its_own && shape_is_any(shape))) {
        json_put_bool(writer, shape->types != 0);
        return;
    }
    json_begin_object(writer);
    if (of_its_own)
        json_member_string(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    member_text(writer, "title", shape->title);
    member_text(writer, "description", shape->description);
    write_types(shape, writer);
    member_values(writer, "enum", shape->choices);
    member_values(writer, "default", shape->fallback);
    write_strings(shape, writer);
    member_bound(writer, "minimum", &shape->minimum);
    member_bound(writer, "maximum", &shape->maximum);
    write_arrays(shape, writer);
    write_objects(shape, writer);
    if (shape->secret)
        json_member_bool(writer, "secret", true);
    member_strategy(writer, "reduce", shape_reduce_names[shape->reduce]);
    member_strategy(writer, "redact", redact_names[shape->redact]);
    if (shape->complexity > 0)
        json_member_u64(writer, "x-complexity-limit", shape->complexity);
    json_end_object(writer);
}
