/* What Flow's protocols say of a location. */
#include "schema/shape/tree.h"

static void put_types(unsigned types, const char *name, struct json_writer *writer)
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {{SHAPE_ARRAY, "array"},   {SHAPE_BOOLEAN, "boolean"}, {SHAPE_INTEGER, "integer"},
                 {SHAPE_NUMBER, "number"}, {SHAPE_OBJECT, "object"},   {SHAPE_STRING, "string"},
                 {SHAPE_NULL, "null"}};
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool named = (types & names[i].types) == names[i].types;
        if (named && !(names[i].types == SHAPE_INTEGER && (types & SHAPE_FRACTION)))
            json_put_string(writer, names[i].name);
    }
    json_end_array(writer);
}

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text && *text)
        json_member_string(writer, name, text);
}

static void put_number(struct json_writer *writer, const char *has, const char *name,
                       const struct shape_bound *bound)
{
    if (!bound->text)
        return;
    json_member_bool(writer, has, true);
    json_member_raw(writer, name, slice_of(bound->text));
}

static void put_parts(const struct shape *shape, struct json_writer *writer)
{
    if (shape->types & SHAPE_STRING) {
        json_put_key(writer, "string");
        json_begin_object(writer);
        put_text(writer, "contentType", shape->content_type);
        put_text(writer, "format", shape->format);
        put_text(writer, "contentEncoding", shape->content_encoding);
        if (shape->max_length != UINT32_MAX && shape->max_length > 0)
            json_member_u64(writer, "maxLength", shape->max_length);
        put_text(writer, "strMinimum", shape->text_minimum.text);
        put_text(writer, "strMaximum", shape->text_maximum.text);
        json_end_object(writer);
    }
    if ((shape->types & SHAPE_NUMBER) && (shape->minimum.text || shape->maximum.text)) {
        json_put_key(writer, "numeric");
        json_begin_object(writer);
        put_number(writer, "hasMinimum", "minimum", &shape->minimum);
        put_number(writer, "hasMaximum", "maximum", &shape->maximum);
        json_end_object(writer);
    }
    if (shape->types & SHAPE_ARRAY) {
        json_put_key(writer, "array");
        json_begin_object(writer);
        if (shape->min_items > 0)
            json_member_u64(writer, "minItems", shape->min_items);
        if (shape->max_items != UINT32_MAX) {
            json_member_bool(writer, "hasMaxItems", true);
            json_member_u64(writer, "maxItems", shape->max_items);
        }
        if (shape->items)
            put_types(shape->items->types, "itemTypes", writer);
        json_end_object(writer);
    }
}

void shape_write_inference(const struct shape_location *location, struct json_writer *writer)
{
    static const char *const exists[] = {"MUST", "MAY", "IMPLICIT", "CANNOT"};
    static const char *const reduces[SHAPE_REDUCE_MAX] = {
        NULL,
        "REDUCE_MULTIPLE",
        "REDUCE_APPEND",
        "REDUCE_FIRST_WRITE_WINS",
        "REDUCE_LAST_WRITE_WINS",
        "REDUCE_MAXIMIZE",
        "REDUCE_MERGE",
        "REDUCE_MINIMIZE",
        "REDUCE_SET",
        "REDUCE_SUM",
        "REDUCE_JSON_SCHEMA_MERGE",
    };
    static const char *const redacts[] = {NULL, "REDACT_MULTIPLE", "REDACT_BLOCK", "REDACT_SHA256"};
    const struct shape *shape = location->shape;
    json_begin_object(writer);
    put_types(shape->types, "types", writer);
    json_member_string(writer, "exists", exists[location->exists]);
    put_text(writer, "title", shape->title);
    put_text(writer, "description", shape->description);
    if (shape->fallback) {
        json_put_key(writer, "default");
        json_put_value(writer, shape_values_json(shape->fallback), 0);
    }
    if (shape->secret)
        json_member_bool(writer, "secret", true);
    put_parts(shape, writer);
    if (shape->choices) {
        json_put_key(writer, "enum");
        json_put_value(writer, shape_values_json(shape->choices), 0);
    }
    put_text(writer, "reduce", reduces[shape->reduce]);
    put_text(writer, "redact", redacts[shape->redact]);
    json_end_object(writer);
}
