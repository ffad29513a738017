/* Shapes as texts, and documents against them. */
#ifndef TESTS_SCHEMA_SHAPE_SUPPORT_H
#define TESTS_SCHEMA_SHAPE_SUPPORT_H

#include "support.h"

#include "schema/shape/shape.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NO_LIMITS ((struct shape_limits){.locations = SHAPE_LOCATIONS_MAX, .depth = SHAPE_DEPTH_MAX})

static inline char *shape_text(const struct shape *shape)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 64 << 20);
    json_writer_init(&writer, &text);
    shape_write(shape, false, &writer);
    return buffer_steal(&text);
}

static inline struct shape *shape_from(const char *schema)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct error err;
    struct shape *shape = NULL;
    if (schema_registry_add(registry, TEST_URI, slice_of(schema), &err) == 0)
        shape = shape_of_schema(registry, TEST_URI, &err);
    if (!shape)
        fail_msg("%s: %s", schema, err.message);
    return shape;
}

static inline bool widen_text(struct shape *shape, struct shape_limits limits, const char *text)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    struct error err;
    if (json_parse(parser, text, strlen(text), &doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return shape_widen(shape, limits, &doc, 0);
}

static inline void assert_shape(const struct shape *shape, const char *expected)
{
    auto_free char *text = shape_text(shape);
    size_t same = 0, back;
    while (text[same] && text[same] == expected[same])
        same++;
    back = same < 60 ? same : 60; /* the texts may be long: show where they part */
    if (text[same] != expected[same])
        fail_msg("…%.120s\n is not …%.120s\n from %.200s", text + same - back, expected + same - back, text);
}

/* By the shape's own schema, through the validator. */
static inline bool shape_accepts(const struct shape *shape, const char *document)
{
    auto_free char *text = shape_text(shape);
    mem_auto(schema_free) struct schema *schema = must_compile(text);
    struct error err;
    int valid = ask(schema, slice_of(document), &err);
    if (valid < 0)
        fail_msg("%s: %s", text, err.message);
    return valid == 1;
}

#endif
