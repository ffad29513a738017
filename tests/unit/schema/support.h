/* Compile and ask, for tests. */
#ifndef TESTS_SCHEMA_SUPPORT_H
#define TESTS_SCHEMA_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema/schema.h"
#include "json/json.h"

#define TEST_URI "test:schema"

/* NULL with *err set if the schema is refused. */
static inline struct schema *compile_text(const char *text, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, TEST_URI, slice_of(text), err) < 0)
        return NULL;
    return schema_compile(registry, TEST_URI, err);
}

static inline struct schema *must_compile(const char *text)
{
    struct error err;
    struct schema *schema = compile_text(text, &err);
    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

/* 1, 0, or -1 with *err. */
static inline int ask(const struct schema *schema, struct slice instance, struct error *err)
{
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    if (json_parse(parser, instance.data, instance.size, &doc, err) < 0)
        fail_msg("%.*s: %s", SLICE_ARGS(instance), err->message);
    return schema_validate(schema, validator, &doc, 0, err);
}

#endif
