/* The first byte is the format, the rest a request's body for a collection with a schema. Whatever it is:
 * - what is taken are documents that are JSON again, lie in one line each, and were found valid;
 * - what is refused is refused as the client's fault, with an answer that is JSON. */
#include "../unit/ingest/ingest_test.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void must_be_json(struct json_parser *parser, struct slice text)
{
    struct json doc;
    struct error err;
    must(json_parse(parser, text.data, text.size, &doc, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ingest_origin origin = {.id = "id",
                                                .received = "2026-01-02T03:04:05.678Z",
                                                .path = "/p",
                                                .headers = {"{}", 2},
                                                .query = {"{}", 2}};
    if (size == 0)
        return 0;
    struct ingest_test test;
    struct ingest_problem problem = {0};
    ingest_test_init(
        &test,
        "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":[\"string\",\"integer\"]},\"n\":{\"type\":"
        "[\"number\",\"null\"]},\"b\":{\"type\":\"boolean\"}},\"required\":[\"id\"]}",
        "/id");
    test.binding.options.metadata = data[0] & 0x80 ? CATALOG_INGEST_META_ID | CATALOG_INGEST_META_PATH : 0;
    struct ingest_batch batch = {.arena = &test.arena, .origin = &origin};
    char *body = arena_dup(&test.arena, data + 1, size - 1);
    enum ingest_format format = (enum ingest_format)((data[0] & 0x7f) % INGEST_FORMATS);
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (ingest_body(test.worker, &test.capture, 0, format, body, size - 1, &batch, &problem) < 0) {
        must(problem.status == 400 || problem.status == 413);
        must_be_json(parser, problem.answer);
        batch.count = 0;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < batch.count; i++) {
        struct slice raw = json_raw(batch.documents[i].doc, batch.documents[i].at);
        must(batch.documents[i].valid && !memchr(raw.data, '\n', raw.size) &&
             !memchr(raw.data, '\r', raw.size));
        must_be_json(parser, raw);
        bytes += raw.size;
    }
    must(batch.count == 0 || bytes == batch.bytes);
    ingest_test_done(&test);
    return 0;
}
