/* The first line is a schema (of 2020-12 unless it says otherwise), the rest a document; formats assert.
 * Whatever they are:
 * - compiling and validating end, with an answer or an error;
 * - asking twice gives the same answer, and so does explaining;
 * - every violation names a place that is in the document. */
#include "schema/schema.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VIOLATIONS = 8 };

/* Unlike assert, also in builds without assertions. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check_document(const struct schema *schema, const struct json *doc)
{
    struct error err;
    struct arena arena;
    arena_init(&arena);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    int valid = schema_validate(schema, validator, doc, 0, &err);
    must(schema_validate(schema, validator, doc, 0, &err) == valid);
    struct schema_violation violations[VIOLATIONS];
    size_t count = 0;
    int explained = schema_explain(schema, validator, doc, 0, &arena, violations, VIOLATIONS, &count, &err);
    /* Explaining takes steps of its own: it may hit a limit where validating did not. */
    must(valid < 0 || explained < 0 || (count == 0) == (valid == 1));
    for (size_t i = 0; i < count && explained == 0; i++) {
        must(json_pointer(doc, 0, slice_of(violations[i].instance)) != JSON_NONE);
        must(violations[i].message[0] != '\0');
    }
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *newline = size ? memchr(text, '\n', size) : NULL;
    if (!newline)
        return 0;
    struct error err;
    struct slice source = {text, (size_t)(newline - text)};
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "test:schema", source, &err) < 0)
        return 0;
    mem_auto(schema_free) struct schema *schema =
        schema_compile_with(registry, "test:schema", &(struct schema_options){.assert_formats = true}, &err);
    if (!schema)
        return 0;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    if (json_parse(parser, newline + 1, size - source.size - 1, &doc, &err) == 0)
        check_document(schema, &doc);
    return 0;
}
