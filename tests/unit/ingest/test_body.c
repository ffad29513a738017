/* Bodies of every format: the documents they hold, as the store would keep them, or what is wrong. */
#include "ingest_test.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char SCHEMA[] =
    "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":[\"string\",\"integer\"]},"
    "\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},\"f\":{\"type\":\"number\"},"
    "\"b\":{\"type\":\"boolean\"},\"n\":{\"type\":[\"string\",\"null\"]},\"in\":{\"type\":[\"integer\","
    "\"null\"]}}}";

/* The documents, a line each; or "!" and the status and the answer. */
static void read_body(enum ingest_format format, const char *body, size_t size,
                      const struct ingest_origin *origin, unsigned metadata, struct buffer *out)
{
    struct ingest_test test;
    struct ingest_problem problem;
    ingest_test_init(&test, SCHEMA, "/id");
    test.binding.options.metadata = metadata;
    struct ingest_batch batch = {.arena = &test.arena, .origin = origin};
    char *copy = arena_dup(&test.arena, body, size);
    buffer_clear(out);
    if (ingest_body(test.worker, &test.capture, 0, format, copy, size, &batch, &problem) < 0) {
        buffer_printf(out, "!%u ", problem.status);
        buffer_append(out, problem.answer.data, problem.answer.size);
    }
    size_t bytes = 0;
    for (size_t i = 0; i < batch.count && out->size == 0; i++)
        assert_true(batch.documents[i].valid);
    bool failed = out->size > 0;
    for (size_t i = 0; i < batch.count && !failed; i++) {
        struct slice raw = json_raw(batch.documents[i].doc, batch.documents[i].at);
        buffer_append(out, raw.data, raw.size);
        buffer_byte(out, '\n');
        bytes += raw.size;
    }
    if (!failed)
        assert_int_equal(batch.bytes, bytes);
    ingest_test_done(&test);
}

static void test_documents(void **state)
{
    static const struct {
        enum ingest_format format;
        const char *body, *documents;
    } cases[] = {
        {INGEST_JSON, "{\"id\":1}", "{\"id\":1}\n"},
        {INGEST_JSON, " [ {\"id\":1} , {\"id\":\"a\"} ] ", "{\"id\":1}\n{\"id\":\"a\"}\n"},
        {INGEST_JSON, "[]", ""},
        {INGEST_JSON, "{\n\"id\"\r\n:\r1}", "{ \"id\"  : 1}\n"},
        {INGEST_LINES, "", ""},
        {INGEST_LINES, "\n \t\r\n{\"id\":1}\r\n\n{\"id\":2}", "{\"id\":1}\n{\"id\":2}\n"},
        {INGEST_CSV, "id", ""},
        {INGEST_CSV, "id\n", ""},
        {INGEST_CSV, "id,s,i,f,b,n,in,other\n1,1,2,1.5,true,,,x\n",
         "{\"id\":1,\"s\":\"1\",\"i\":2,\"f\":1.5,\"b\":true,\"n\":null,\"in\":null,\"other\":\"x\"}\n"},
        {INGEST_CSV, "id,n,in,other\na,null,null,null\n",
         "{\"id\":\"a\",\"n\":null,\"in\":null,\"other\":null}\n"},
        {INGEST_CSV, "id,f,other\n01,1e5,-0\n", "{\"id\":\"01\",\"f\":1e5,\"other\":-0}\n"},
        {INGEST_CSV, "id,s,b\na\nb,x\r\n", "{\"id\":\"a\"}\n{\"id\":\"b\",\"s\":\"x\"}\n"},
        {INGEST_CSV, "\"id\",\"s\"\"t\"\n\"a,\n\"\"b\"\"\",\"\"\n",
         "{\"id\":\"a,\\n\\\"b\\\"\",\"s\\\"t\":null}\n"},
        {INGEST_CSV, "\xef\xbb\xbfid\n\n\r\na\n\n", "{\"id\":\"a\"}\n"},
        {INGEST_TSV, "id\ts\na,b\tc d\n", "{\"id\":\"a,b\",\"s\":\"c d\"}\n"},
        {INGEST_FORM, "id=a&s=b%20c+d&=x&&e", "{\"id\":\"a\",\"s\":\"b c d\",\"\":\"x\",\"e\":\"\"}\n"},
        {INGEST_FORM, "id=%E2%82%AC%22%0a", "{\"id\":\"\xe2\x82\xac\\\"\\n\"}\n"},
    };
    struct buffer out;
    (void)state;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_body(cases[i].format, cases[i].body, strlen(cases[i].body), NULL, 0, &out);
        assert_string_equal(buffer_cstr(&out), cases[i].documents);
    }
    buffer_done(&out);
}

static void test_problems(void **state)
{
    static const struct {
        enum ingest_format format;
        const char *body, *told;
    } cases[] = {
        {INGEST_JSON, "{\"id\":1", "the request's body"},
        {INGEST_JSON, "[{\"id\":1},{\"id\":null}]",
         "\"document\":1,\"violations\":[{\"instance\":\"/id\",\"keyword\":\"type\""},
        {INGEST_JSON, "[{\"id\":1},{}]", "\"keyword\":\"required\""},
        {INGEST_JSON, "7", "\"instance\":\"\""},
        {INGEST_LINES, "{\"id\":1}\n\n{\"id\"}", "line 3: "},
        {INGEST_LINES, "{\"id\":1} {\"id\":2}", "line 1: "},
        {INGEST_CSV, "", "row 1: there is no header"},
        {INGEST_CSV, "\xef\xbb\xbf", "row 1: there is no header"},
        {INGEST_CSV, "id,,s\n", "row 1: a column has no name"},
        {INGEST_CSV, "id,s,id\n", "row 1: two columns"},
        {INGEST_CSV, "id\n\"a", "row 2: a quote"},
        {INGEST_CSV, "id\n\"a\"b\n", "row 2: a quote"},
        {INGEST_CSV, "id\na\rb\n", "row 2: it ends in a carriage return alone"},
        {INGEST_CSV, "id,n\ra,1\r", "row 1: it ends in a carriage return alone"},
        {INGEST_CSV, "id\na,b\n", "row 2: there are more cells"},
        {INGEST_CSV, "id,i\n1,1.5\n", "row 2: the column 'i'"},
        {INGEST_CSV, "id,b\n1,yes\n", "row 2: the column 'b'"},
        {INGEST_CSV, "id,i\n1,\n", "row 2: the column 'i'"},
        {INGEST_CSV, "id\n1\n\xff\n", "row 3: it is not UTF-8"},
        {INGEST_CSV, "s\nx\n", "\"keyword\":\"required\""},
        {INGEST_FORM, "id=%", "no form"},
        {INGEST_FORM, "id=%a", "no form"},
        {INGEST_FORM, "id=%ff", "no form"},
    };
    struct buffer out;
    (void)state;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_body(cases[i].format, cases[i].body, strlen(cases[i].body), NULL, 0, &out);
        assert_int_equal(strncmp(buffer_cstr(&out), "!400 {\"error\":", 14), 0);
        if (!strstr(buffer_cstr(&out), cases[i].told))
            fail_msg("%s: %s", cases[i].body, buffer_cstr(&out));
    }
    buffer_done(&out);
}

static void test_metadata(void **state)
{
    static const struct ingest_origin origin = {.id = "d",
                                                .received = "2026-01-02T03:04:05.678Z",
                                                .path = "/p",
                                                .headers = {"{\"A\":\"b\"}", 9},
                                                .query = {"{}", 2}};
    static const struct {
        unsigned members;
        const char *body, *documents;
    } cases[] = {
        {0, "{\"id\":1}", "{\"id\":1}\n"},
        {CATALOG_INGEST_META_ID, "{\"id\":1}", "{\"_meta\":{\"webhookId\":\"d\"},\"id\":1}\n"},
        {CATALOG_INGEST_META_ID, "[{\"id\":1}]", "{\"_meta\":{\"webhookId\":\"d/0\"},\"id\":1}\n"},
        {CATALOG_INGEST_META_PATH | CATALOG_INGEST_META_HEADERS | CATALOG_INGEST_META_QUERY |
             CATALOG_INGEST_META_RECEIVED,
         "{\"id\":1,\"_meta\":{\"x\":2,\"query\":3}}",
         "{\"_meta\":{\"x\":2,\"receivedAt\":\"2026-01-02T03:04:05.678Z\",\"headers\":{\"A\":\"b\"},"
         "\"reqPath\":\"/p\",\"query\":{}},\"id\":1}\n"},
        {CATALOG_INGEST_META_PATH, "{\"id\":1,\"_meta\":7}", "!400"},
        {CATALOG_INGEST_META_PATH, "[1]", "!400"},
    };
    struct buffer out;
    (void)state;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_body(INGEST_JSON, cases[i].body, strlen(cases[i].body), &origin, cases[i].members, &out);
        if (cases[i].documents[0] == '!')
            assert_int_equal(strncmp(buffer_cstr(&out), cases[i].documents, 4), 0);
        else
            assert_string_equal(buffer_cstr(&out), cases[i].documents);
    }
    buffer_done(&out);
}

static void test_content_types(void **state)
{
    static const struct {
        const char *type;
        enum ingest_format format;
    } cases[] = {{NULL, INGEST_JSON},
                 {"application/json", INGEST_JSON},
                 {"Application/JSON;charset=utf-8", INGEST_JSON},
                 {"application/vnd.github+json", INGEST_JSON},
                 {"application/x-ndjson", INGEST_LINES},
                 {"text/csv ; header=present", INGEST_CSV},
                 {"text/tab-separated-values", INGEST_TSV},
                 {"application/x-www-form-urlencoded", INGEST_FORM},
                 {"+json", INGEST_FORMATS},
                 {"", INGEST_FORMATS},
                 {"text/plain", INGEST_FORMATS},
                 {"application/jsonx", INGEST_FORMATS},
                 {"multipart/form-data; boundary=x", INGEST_FORMATS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ingest_format_of(cases[i].type), cases[i].format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents), cmocka_unit_test(test_problems),
                                       cmocka_unit_test(test_metadata), cmocka_unit_test(test_content_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
