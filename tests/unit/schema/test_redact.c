/* Redactions case by case. The digests are of a salt of "test-salt" and the bytes that redact.h names, made
 * with another program (Python's hashlib). */
#include "support.h"

#include "schema/redact.h"

#define BLOCK "{\"redact\":{\"strategy\":\"block\"}}"
#define SHA256 "{\"redact\":{\"strategy\":\"sha256\"}}"
#define MEMBERS(a, b) "{\"properties\":{\"a\":" a ",\"b\":" b "}}"
#define UNTOUCHED NULL

static struct schema *compile(const char *text)
{
    static const struct schema_options wanted = {.annotations = redact_annotations};
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    assert_int_equal(schema_registry_add(registry, TEST_URI, slice_of(text), &err), 0);
    struct schema *schema = schema_compile_with(registry, TEST_URI, &wanted, &err);
    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

/* What redactor_apply says; the text or the message is in *out. */
static int apply(const char *schema_text, const char *document, struct buffer *out)
{
    struct error err;
    struct json doc;
    mem_auto(schema_free) struct schema *schema = compile(schema_text);
    mem_auto(redactor_free) struct redactor *redactor = redactor_new(schema, slice_of("test-salt"), &err);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (!redactor)
        fail_msg("%s: %s", schema_text, err.message);
    assert_int_equal(json_parse(parser, document, strlen(document), &doc, &err), 0);
    int result = redactor_apply(redactor, validator, &doc, 0, out, &err);
    if (result < 0) {
        buffer_clear(out);
        buffer_str(out, err.message);
    }
    return result;
}

static const struct {
    const char *schema, *document, *expected; /* UNTOUCHED, or the text */
} cases[] = {
    {"{}", "{\"a\":1}", UNTOUCHED},
    {"{\"reduce\":{\"strategy\":\"merge\"}}", "{\"a\":1}", UNTOUCHED},
    {MEMBERS(BLOCK, "true"), "{\"b\":1}", UNTOUCHED},
    {MEMBERS(BLOCK, "true"), "{\"a\":1, \"b\":1.10}", "{\"b\":1.10}"},
    {MEMBERS("true", BLOCK), "{\"a\":{\"b\":2},\"b\":[1]}", "{\"a\":{\"b\":2}}"},
    {MEMBERS(BLOCK, BLOCK), "{\"a\":1,\"b\":2}", "{}"},
    /* elements */
    {"{\"items\":{\"anyOf\":[{\"const\":2,\"redact\":{\"strategy\":\"block\"}},true]}}", "[1,2,3,[2]]",
     "[1,3,[2]]"},
    /* what is inside of something that goes, goes with it; what follows it is still found */
    {"{\"properties\":{\"a\":{\"redact\":{\"strategy\":\"block\"},\"properties\":{\"x\":" SHA256
     "}},\"b\":" BLOCK "}}",
     "{\"a\":{\"x\":1,\"y\":2},\"b\":3,\"c\":4}", "{\"c\":4}"},
    /* said twice is said once */
    {"{\"properties\":{\"a\":{\"allOf\":[" BLOCK "," BLOCK "]}}}", "{\"a\":1,\"c\":2}", "{\"c\":2}"},
    /* by what the document is */
    {"{\"if\":{\"properties\":{\"kind\":{\"const\":\"s\"}},\"required\":[\"kind\"]},\"then\":{\"properties\":"
     "{\"v\":" BLOCK "}}}",
     "{\"kind\":\"s\",\"v\":1}", "{\"kind\":\"s\"}"},
    {"{\"if\":{\"properties\":{\"kind\":{\"const\":\"s\"}},\"required\":[\"kind\"]},\"then\":{\"properties\":"
     "{\"v\":" BLOCK "}}}",
     "{\"kind\":\"t\",\"v\":1}", UNTOUCHED},
    /* digests */
    {MEMBERS(SHA256, "true"), "{\"a\":\"hash-me\"}",
     "{\"a\":\"sha256:a9ec3b6826ee77d1577b7e9c5ea49255ae1fbb24245b87130569aa2d928b1398\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":\"\\u0068ash-me\"}",
     "{\"a\":\"sha256:a9ec3b6826ee77d1577b7e9c5ea49255ae1fbb24245b87130569aa2d928b1398\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":true}",
     "{\"a\":\"sha256:cdb0066cdc13553b8e3915c2a9b4391eb2723ea9d42ef15d82f5c0c63ce47c76\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":false}",
     "{\"a\":\"sha256:d0baf3067f00d956186d8242f72de62cc258456b160cd0b6016089f27d4227dc\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":null}",
     "{\"a\":\"sha256:087280357dfdc5a3177e17b7424c7dfb1eab2d08ba3bedeb243dc51d5c18dc88\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":7}",
     "{\"a\":\"sha256:1ba01e71982fb9701c19e8aef561ccf05584f73501e6baa89999aa163573b7ec\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":-7}",
     "{\"a\":\"sha256:6af3c02533f8f0b1589642e52f0cbd890a0b270bcad82ab95aaa5bb9524cf6eb\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":7.0}",
     "{\"a\":\"sha256:1ba01e71982fb9701c19e8aef561ccf05584f73501e6baa89999aa163573b7ec\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":1.5}",
     "{\"a\":\"sha256:a1c18231c2f63f3c1367ce2e0538af6dcd7aa8320d736fda34d14d25cbcf87a1\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":{\"a\": [1, 2]}}",
     "{\"a\":\"sha256:7dd167bfabcf8efaf9e491a65700f3b5b9f04cf3550ee5b32533a562127ddce5\"}"},
    {MEMBERS(SHA256, "true"), "{\"a\":123456789012345678901234567890}",
     "{\"a\":\"sha256:abe935b5548ad499416da5173a296fef92407ca535c66b7cbcf67f1a9cb9058c\"}"},
    /* a digest stays as it is */
    {MEMBERS(SHA256, "true"),
     "{\"a\":\"sha256:a9ec3b6826ee77d1577b7e9c5ea49255ae1fbb24245b87130569aa2d928b1398\"}",
     "{\"a\":\"sha256:a9ec3b6826ee77d1577b7e9c5ea49255ae1fbb24245b87130569aa2d928b1398\"}"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        int result = apply(cases[i].schema, cases[i].document, &out);
        if (result != (cases[i].expected != UNTOUCHED) ||
            (cases[i].expected && strcmp(buffer_cstr(&out), cases[i].expected) != 0))
            fail_msg("%s by %s: %d %s, expected %s", cases[i].document, cases[i].schema, result,
                     buffer_cstr(&out), cases[i].expected ? cases[i].expected : "nothing");
        buffer_done(&out);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *document, *message;
    } wrong[] = {
        {BLOCK, "{\"a\":1}", "the schema redacts the document as a whole: nothing of it would be left"},
        {SHA256, "{\"a\":1}", "the schema redacts the document as a whole: nothing of it would be left"},
        {"{\"properties\":{\"a\":{\"allOf\":[" BLOCK "," SHA256 "]}}}", "{\"a\":1}",
         "the schema says of '/a' both \"block\" and \"sha256\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        assert_int_equal(apply(wrong[i].schema, wrong[i].document, &out), -1);
        assert_string_equal(buffer_cstr(&out), wrong[i].message);
        buffer_done(&out);
    }
}

static void test_not_understood(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *message;
    } wrong[] = {
        {"{\"redact\":{\"strategy\":\"blck\"}}",
         "test:schema#: redaction strategy \"blck\" is not known; did you mean \"block\"?"},
        {"{\"redact\":{\"strategy\":\"md5\"}}",
         "test:schema#: redaction strategy \"md5\" is not known; right would be \"block\" or \"sha256\""},
        {"{\"redact\":\"block\"}", "test:schema#: expected \"redact\" to be {\"strategy\": \"block\"} or "
                                   "{\"strategy\": \"sha256\"}"},
        {"{\"redact\":{\"strategy\":\"block\",\"salt\":1}}",
         "test:schema#: expected \"redact\" to be {\"strategy\": \"block\"} or {\"strategy\": \"sha256\"}"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err;
        mem_auto(schema_free) struct schema *schema = compile(wrong[i].schema);
        assert_null(redactor_new(schema, slice_of(""), &err));
        assert_string_equal(err.message, wrong[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_not_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
