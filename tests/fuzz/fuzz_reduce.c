/* The first line is a schema with "reduce" annotations, the second a document, the rest another. Whatever
 * they are:
 * - annotating ends, with the answer that validating has;
 * - every annotation names a value of the document and a note of the schema;
 * - reducing ends, in an outcome of the mode or an error; a result is one line of valid JSON, which nothing
 * was left of in the buffer if there is none. */
#include "schema/annotate.h"
#include "schema/reduce/reduce.h"
#include "json/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert, also in builds without assertions. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check_annotations(const struct schema *schema, const struct json *doc)
{
    struct error err;
    const struct schema_annotation *annotations;
    size_t count, notes;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    int valid = schema_validate(schema, validator, doc, 0, &err);
    int annotated = schema_annotate(schema, validator, doc, 0, &annotations, &count, &err);
    /* Annotating runs every branch: it may hit a limit where validating did not. */
    must(valid < 0 || annotated < 0 || valid == annotated);
    schema_notes(schema, &notes);
    for (size_t i = 0; annotated == 1 && i < count; i++) {
        must(annotations[i].instance < doc->count && annotations[i].note < notes);
        must(i == 0 || annotations[i - 1].instance <= annotations[i].instance);
    }
}

static void check_reduction(struct reducer *reducer, enum reduce_mode mode, const struct json *left,
                            const struct json *right)
{
    struct error err;
    struct buffer out;
    struct json doc;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    buffer_init(&out, 1 << 20);
    int outcome = reducer_reduce(reducer, mode, left, right, &out, &err);
    bool done = outcome == REDUCE_DONE || outcome == REDUCE_DELETED;
    must(mode == REDUCE_FULL ? outcome != REDUCE_SEPARATE : outcome != REDUCE_DELETED);
    must(done ? json_parse(parser, out.data, out.size, &doc, &err) == 0 && !memchr(out.data, '\n', out.size)
              : out.size == 0);
    buffer_done(&out);
}

/* The next line of the input, or the rest. */
static struct slice take_line(struct slice *input)
{
    const char *newline = input->size ? memchr(input->data, '\n', input->size) : NULL;
    size_t size = newline ? (size_t)(newline - input->data) : input->size, taken = size + (newline != NULL);
    struct slice line = {input->data, size};
    *input = (struct slice){input->data + taken, input->size - taken};
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {(const char *)data, size}, source = take_line(&input), first = take_line(&input);
    struct error err;
    struct json left, right;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "test:schema", source, &err) < 0)
        return 0;
    mem_auto(schema_free) struct schema *schema = schema_compile_with(
        registry, "test:schema", &(struct schema_options){.annotations = reduce_annotations}, &err);
    mem_auto(reducer_free) struct reducer *reducer = schema ? reducer_new(schema, &err) : NULL;
    mem_auto(json_parser_free) struct json_parser *x =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    mem_auto(json_parser_free) struct json_parser *y =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (!reducer || json_parse(x, first.data, first.size, &left, &err) < 0 ||
        json_parse(y, input.data, input.size, &right, &err) < 0)
        return 0;
    check_annotations(schema, &right);
    for (int mode = REDUCE_PARTIAL; mode <= REDUCE_FULL; mode++) {
        check_reduction(reducer, (enum reduce_mode)mode, NULL, &right);
        check_reduction(reducer, (enum reduce_mode)mode, &left, &right);
    }
    return 0;
}
