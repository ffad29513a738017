/* Any bytes as a document. Whatever they are:
 * - every SIMD variant agrees with the plain parser on yes or no, on each node, and on the message;
 * - each value's raw bytes are a document of their own, equal to the value;
 * - what the writer writes of it is equal to it; strings survive unescaping and escaping;
 * - every node's pointer leads back to it; numbers keep their order and hash;
 * - with duplicates refused, a document is accepted exactly if none was dropped. */
#include "json/number.h"
#include "json/parser.h"
#include "json/writer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 64, NODES_WALKED = 300 };

/* Unlike assert, also in builds without assertions. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

static const struct json_limits limits = {.size_max = 1 << 24, .depth_max = DEPTH, .nodes_max = 0};

static int parse_as(struct json_parser *parser, struct json_variant variant, const char *source, size_t size,
                    struct json *doc, struct error *err)
{
    json_parser_use(parser, variant);
    int result = json_parse(parser, source, size, doc, err);
    must(!variant.parse || parser->refused == (result < 0));
    return result;
}

static void check_variants(struct json_parser *parser, const struct json *plain, int expected,
                           const char *source, size_t size, const struct error *plain_err)
{
    struct json_variant variants[4];
    size_t count = json_variants(variants);
    for (size_t i = 0; i + 1 < count; i++) {
        struct json doc;
        struct error err;
        must(parse_as(parser, variants[i], source, size, &doc, &err) == expected);
        if (expected < 0) {
            must(strcmp(err.message, plain_err->message) == 0);
            continue;
        }
        must(doc.count == plain->count && doc.duplicates == plain->duplicates);
        must(memcmp(doc.nodes, plain->nodes, doc.count * sizeof *doc.nodes) == 0);
    }
}

static void check_refusing(const struct json *plain, const char *source, size_t size)
{
    struct json_parser *parser = json_parser_new(limits, JSON_DUPLICATES_REFUSE);
    struct json_variant variants[4];
    size_t count = json_variants(variants);
    for (size_t i = 0; i < count; i++) {
        struct json doc;
        struct error err;
        must((parse_as(parser, variants[i], source, size, &doc, &err) == 0) == (plain->duplicates == 0));
    }
    json_parser_free(parser);
}

static void check_string(const struct json *doc, uint32_t at, struct arena *arena)
{
    struct slice text = json_string(doc, at, arena);
    must(utf8_valid(text.data, text.size));
    must(json_text_is(doc, at, text));
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_escape(&out, text);
    struct json back;
    struct error err;
    must(json_parse_copy(arena, out.data, out.size, &back, &err) == 0);
    must(json_text_is(&back, 0, text));
    if (json_is(doc, at, JSON_KEY))
        must(json_hash_of_key(doc, at) == json_key_hash(text.data, text.size));
    else
        must(json_equal(&back, 0, doc, at));
    buffer_done(&out);
}

static void check_number(const struct json *doc, uint32_t at)
{
    struct slice text = json_raw(doc, at);
    int64_t i;
    uint64_t u;
    double d;
    must(number_compare(text, text) == 0);
    if (number_to_i64(text, &i) || number_to_u64(text, &u))
        must(number_is_integer(text));
    if (json_is(doc, at, JSON_INTEGER))
        must(number_is_integer(text));
    must(number_is_multiple(text, SLICE_LITERAL("1")) == number_is_integer(text));
    number_to_double(text, &d);
    number_hash(text, 1);
}

static void check_node(const struct json *doc, uint32_t at, struct arena *arena)
{
    struct json again;
    struct error err;
    struct slice raw = json_raw(doc, at);
    if (json_is(doc, at, JSON_KEY) || json_is(doc, at, JSON_STRING))
        check_string(doc, at, arena);
    if (json_is_number(doc, at))
        check_number(doc, at);
    if (!json_is(doc, at, JSON_KEY)) {
        struct json_parser *parser = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
        must(json_parse(parser, raw.data, raw.size, &again, &err) == 0);
        must(json_equal(&again, 0, doc, at) && json_equal(doc, at, &again, 0));
        json_parser_free(parser);
    }
    struct buffer pointer;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    json_pointer_of(doc, at, &pointer);
    uint32_t back = json_pointer(doc, 0, (struct slice){pointer.data, pointer.size});
    must(back == (json_is(doc, at, JSON_KEY) ? at + 1 : at));
    buffer_done(&pointer);
}

static void check_writer(const struct json *doc)
{
    for (int indent = 0; indent < 3; indent += 2) {
        struct buffer out;
        buffer_init(&out, BUFFER_UNLIMITED);
        struct json_writer writer;
        json_writer_init(&writer, &out);
        writer.indent = (uint8_t)indent;
        json_put_value(&writer, doc, 0);
        struct json_parser *parser = json_parser_new(limits, JSON_DUPLICATES_REFUSE);
        struct json back;
        struct error err;
        must(json_parse(parser, out.data, out.size, &back, &err) == 0);
        must(back.count == doc->count && json_equal(&back, 0, doc, 0));
        json_parser_free(parser);
        buffer_done(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A block of exactly this size, so that the sanitizer sees what is read beyond. */
    char *source = size ? mem_dup(data, size) : NULL;
    struct json_parser *plain = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    struct json_parser *fast = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    struct error err;
    int result = parse_as(plain, (struct json_variant){.name = "plain"}, source, size, &doc, &err);
    check_variants(fast, &doc, result, source, size, &err);
    if (result == 0) {
        struct arena arena;
        arena_init(&arena);
        check_refusing(&doc, source, size);
        check_writer(&doc);
        uint32_t step = 1 + doc.count / NODES_WALKED;
        for (uint32_t at = 0; at < doc.count; at += step)
            check_node(&doc, at, &arena);
        arena_done(&arena);
    }
    json_parser_free(plain);
    json_parser_free(fast);
    free(source);
    /* The same bytes as text: whatever they are, they become a valid string. */
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_escape(&out, (struct slice){(const char *)data, size});
    struct arena arena;
    arena_init(&arena);
    must(json_parse_copy(&arena, out.data, out.size, &doc, &err) == 0);
    if (size && utf8_valid((const char *)data, size))
        must(json_text_is(&doc, 0, (struct slice){(const char *)data, size}));
    arena_done(&arena);
    buffer_done(&out);
    return 0;
}
