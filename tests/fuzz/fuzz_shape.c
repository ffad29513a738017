/* The first line is a schema, each other line a document. Whatever they are:
 * - reading the shape of the schema ends, and what it is written as is a schema with the same text;
 * - what the schema accepts its shape accepts, before and after it was widened;
 * - a document that widened the shape fits it, and changes nothing a second time. */
#include "schema/shape/shape.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DOCUMENTS_MAX = 32, KEYS_MAX = 64 };

/* Unlike assert, also in builds without assertions. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

struct documents {
    struct json_parser *parsers[DOCUMENTS_MAX];
    struct json items[DOCUMENTS_MAX];
    size_t count;
};

static void read_documents(struct documents *documents, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end && documents->count < DOCUMENTS_MAX) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
        struct error err;
        if (json_parse(parser, text, length, &documents->items[documents->count], &err) == 0)
            documents->parsers[documents->count++] = parser;
        else
            json_parser_free(parser);
        text += length + 1;
    }
}

static char *text_of(const struct shape *shape)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    shape_write(shape, false, &writer);
    return buffer_steal(&text);
}

static struct shape *shape_of_text(const char *text, struct schema **ret_schema)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct error err;
    *ret_schema = NULL;
    if (schema_registry_add(registry, "test:schema", slice_of(text), &err) < 0)
        return NULL;
    struct shape *shape = shape_of_schema(registry, "test:schema", &err);
    *ret_schema = shape ? schema_compile(registry, "test:schema", &err) : NULL;
    return shape;
}

/* 1, 0, or -1: that is not known. */
static int fits(const struct schema *schema, const struct json *doc)
{
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct error err;
    return schema ? schema_validate(schema, validator, doc, 0, &err) : -1;
}

static void check_locations(const struct shape *shape)
{
    struct arena arena;
    size_t count;
    arena_init(&arena);
    const struct shape_location *locations = shape_locations(shape, &arena, &count);
    must(count > 0);
    for (size_t i = 0; i < count && i < KEYS_MAX; i++) {
        const char *problem = shape_key_problem(shape, locations[i].pointer, &arena);
        must(!problem || *problem);
        if (!locations[i].is_pattern)
            must((shape_locate(shape, locations[i].pointer, &arena).exists == SHAPE_CANNOT) ==
                     (locations[i].exists == SHAPE_CANNOT) ||
                 shape->vague);
    }
    arena_done(&arena);
}

static void check(struct shape *shape, const struct schema *schema, const struct documents *documents)
{
    static const struct shape_limits limits = {.locations = 8, .depth = 3};
    struct schema *before, *after;
    auto_free char *text = text_of(shape);
    mem_auto(shape_free) struct shape *again = shape_of_text(text, &before);
    must(again != NULL);
    bool accepted[DOCUMENTS_MAX];
    for (size_t i = 0; i < documents->count; i++) {
        accepted[i] = fits(schema, &documents->items[i]) == 1;
        must(!accepted[i] || fits(before, &documents->items[i]) != 0);
    }
    for (size_t i = 0; i < documents->count; i++)
        shape_widen(shape, limits, &documents->items[i], 0);
    auto_free char *widened = text_of(shape);
    mem_auto(shape_free) struct shape *read = shape_of_text(widened, &after);
    must(read != NULL);
    for (size_t i = 0; i < documents->count; i++) {
        must(fits(after, &documents->items[i]) != 0);
        must(!shape_widen(shape, limits, &documents->items[i], 0));
    }
    shape_union(again, read);
    shape_intersect(read, again);
    schema_free(before);
    schema_free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *newline = size ? memchr(text, '\n', size) : NULL;
    size_t first = newline ? (size_t)(newline - text) : size;
    struct schema *schema;
    struct documents documents = {.count = 0};
    auto_free char *source = mem_strndup(text, first);
    mem_auto(shape_free) struct shape *shape = shape_of_text(source, &schema);
    if (newline)
        read_documents(&documents, newline + 1, size - first - 1);
    if (shape && schema) {
        check_locations(shape);
        check(shape, schema, &documents);
    }
    schema_free(schema);
    for (size_t i = 0; i < documents.count; i++)
        json_parser_free(documents.parsers[i]);
    return 0;
}
