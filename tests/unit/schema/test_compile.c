/* Schemas that are refused, and why; documents, references, lifetimes. */
#include "schema/regex.h"
#include "support.h"

#include <pthread.h>

struct refused {
    const char *schema;
    enum error_code code;
    const char *message; /* what the message has in it */
};

static const struct refused refused[] = {
    {"{\"type\":\"strng\"}", ERROR_INVALID, "test:schema#/type: expected one of \"array\""},
    {"{\"type\":\"strng\"}", ERROR_INVALID, "did you mean \"string\"?"},
    {"{\"properties\":{\"a\":{\"type\":5}}}", ERROR_INVALID,
     "#/properties/a/type: expected array or string, got integer 5"},
    {"{\"$defs\":{\"unused\":{\"minLength\":-1}}}", ERROR_INVALID,
     "#/$defs/unused/minLength: expected a number of at least 0"},
    {"{\"$schema\":5}", ERROR_INVALID, "$schema is 5"},
    {"{\"$schema\":\"http://example.com/x\"}", ERROR_INVALID, "is not known"},
    {"{\"$ref\":\"#/$defs/x\"}", ERROR_NOT_FOUND,
     "#/$ref: cannot resolve \"#/$defs/x\": test:schema has nothing at"},
    {"{\"$ref\":\"other\"}", ERROR_NOT_FOUND, "cannot resolve \"other\": there is no schema at"},
    /* how an anchor is called says nothing of the rest */
    {"{\"$anchor\":\"a b\",\"type\":\"text\"}", ERROR_INVALID, "/type: expected one of"},
    {"{\"$anchor\":\"\"}", ERROR_INVALID, "/$anchor: expected a string that matches"},
    {"{\"$anchor\":7}", ERROR_INVALID, "/$anchor: expected string"},
    {"{\"$ref\":\"#x\"}", ERROR_NOT_FOUND, "has no anchor \"x\""},
    {"{\"$ref\":\"#/type\",\"type\":\"object\"}", ERROR_INVALID,
     "expected a schema (an object, true or false), got \"object\""},
    {"{\"$ref\":\"#\"}", ERROR_INVALID, "refers to itself"},
    {"{\"allOf\":[{\"anyOf\":[{\"not\":{\"$ref\":\"#\"}}]}]}", ERROR_INVALID, "refers to itself"},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"if\":{\"$ref\":\"#/$defs/"
     "a\"}}}}",
     ERROR_INVALID, "refers to itself"},
    {"{\"pattern\":\"(a\"}", ERROR_INVALID,
     "#/pattern: \"(a\" is not a regular expression of ECMA-262: missing"},
    {"{\"pattern\":\"(?<=a+)b\"}", ERROR_INVALID,
     "#/pattern: \"(?<=a+)b\" is a regular expression that Firth cannot run: lookbehind"},
    {"{\"pattern\":\"\\\\ud800\"}", ERROR_INVALID, "Firth cannot run: a lone surrogate matches nothing"},
    {"{\"pattern\":\"(?<=a+)b\\\\A\"}", ERROR_INVALID,
     "is not a regular expression of ECMA-262: ECMA-262 has no"},
    {"{\"patternProperties\":{\"a**\":true}}", ERROR_INVALID, "nothing to repeat"},
    {"{\"multipleOf\":0}", ERROR_INVALID, "#/multipleOf: expected a number above 0"},
    {"{\"items\":[true]}", ERROR_INVALID, "#/items: expected object or boolean, got an array"},
    {"{\"required\":\"a\"}", ERROR_INVALID, "#/required: expected array"},
    {"{\"anyOf\":[]}", ERROR_INVALID, "#/anyOf: expected at least 1 item"},
    {"[1]", ERROR_INVALID, "expected a schema (an object, true or false), got [1]"},
    {"{\"a\":1,\"a\":2}", ERROR_INVALID, "schema test:schema: "},
    {"{\"a\":", ERROR_INVALID, "schema test:schema: "},
    /* in places that the metaschema does not look at, the compiler does */
    {"{\"$ref\":\"#/x\",\"x\":{\"enum\":5}}", ERROR_INVALID, "#/x/enum: expected "},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error err = {0};
        mem_auto(schema_free) struct schema *schema = compile_text(refused[i].schema, &err);
        if (schema || err.code != refused[i].code || !strstr(err.message, refused[i].message))
            fail_msg("%s\nexpected %d: %s\ngot %d: %s", refused[i].schema, refused[i].code,
                     refused[i].message, err.code, schema ? "a schema" : err.message);
    }
}

/* A pattern that is right and too much says that, not that it is wrong. */
static void test_too_much(void **state)
{
    (void)state;
    enum { DEEP = 1000 };
    struct buffer schema;
    struct error err;
    for (int kind = 0; kind < 2; kind++) {
        buffer_init(&schema, 1 << 20);
        buffer_str(&schema, "{\"pattern\":\"");
        for (int i = 0; i < (kind ? DEEP : REGEX_PATTERN_MAX + 1); i++)
            buffer_str(&schema, kind ? "(?:" : "a");
        for (int i = 0; kind && i < DEEP; i++)
            buffer_str(&schema, ")");
        buffer_str(&schema, "\"}");
        assert_null(compile_text(buffer_cstr(&schema), &err));
        if (!strstr(err.message, "is a regular expression that Firth cannot run: "))
            fail_msg("%s", err.message);
        buffer_done(&schema);
    }
}

static int count_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                       struct error *err)
{
    int *count = context;
    ++*count;
    if (strcmp(uri, "http://example.com/a/other") != 0)
        return error_set(err, ERROR_NOT_FOUND, "no %s here", uri);
    *ret_source = slice_of(
        arena_strdup(arena, "{\"type\":\"string\",\"$defs\":{\"n\":{\"$anchor\":\"n\",\"type\":\"null\"}}}"));
    return 0;
}

/* Connectors call anchors after their tables, whatever these are called. */
static void test_free_anchors(void **state)
{
    (void)state;
    static const char *const names[] = {
        "PublicWeird Täble", "Public2024-01", "Public\\\"x\\\"", "a%20b", "100%", "x#y", "é"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error err;
        mem_auto(schema_registry_free) struct schema_registry *registry =
            schema_registry_new(SCHEMA_DRAFT_2020_12);
        auto_free char *text = mem_printf("{\"$defs\":{\"t\":{\"$anchor\":\"%s\",\"required\":[\"a\"]}},"
                                          "\"$ref\":\"#%s\"%s}",
                                          names[i], names[i], i == 0 ? ",\"type\":\"object\"" : "");
        if (schema_registry_add(registry, "http://example.com/a", slice_of(text), &err) < 0)
            fail_msg("%s: %s", text, err.message);
        mem_auto(schema_free) struct schema *schema = schema_compile(registry, "http://example.com/a", &err);
        if (!schema)
            fail_msg("%s: %s", text, err.message);
        assert_int_equal(ask(schema, SLICE_LITERAL("{\"a\":1}"), &err), 1);
        assert_int_equal(ask(schema, SLICE_LITERAL("{\"b\":1}"), &err), 0);
    }
}

/* A missing document is fetched once; the registry may go before the schema. */
static void test_fetch_and_lifetime(void **state)
{
    (void)state;
    struct error err;
    int fetched = 0;
    struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_2020_12);
    schema_registry_on_missing(registry, count_fetch, &fetched);
    const char *text = "{\"properties\":{\"s\":{\"$ref\":\"other\"},\"n\":{\"$ref\":\"other#n\"}}}";
    assert_int_equal(schema_registry_add(registry, "http://example.com/a/main", slice_of(text), &err), 0);
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, "http://example.com/a/main", &err);
    assert_non_null(schema);
    mem_auto(schema_free) struct schema *again =
        schema_compile(registry, "http://example.com/a/main#/properties/n", &err);
    assert_non_null(again);
    schema_registry_free(registry);
    assert_int_equal(fetched, 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"s\":\"x\",\"n\":null}"), &err), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"s\":\"x\",\"n\":1}"), &err), 0);
    assert_int_equal(ask(again, SLICE_LITERAL("null"), &err), 1);
    assert_int_equal(ask(again, SLICE_LITERAL("1"), &err), 0);
}

/* Schemas of many streams carry the same "$id": each document's own names come first. */
static void test_same_id_in_two_documents(void **state)
{
    (void)state;
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    const char *first = "{\"$id\":\"http://example.com/same\",\"$ref\":\"#/$defs/"
                        "x\",\"$defs\":{\"x\":{\"type\":\"string\"}}}",
               *second = "{\"$id\":\"http://example.com/same\",\"$ref\":\"#/$defs/"
                         "x\",\"$defs\":{\"x\":{\"type\":\"null\"}}}";
    assert_int_equal(schema_registry_add(registry, "test:one", slice_of(first), &err), 0);
    assert_int_equal(schema_registry_add(registry, "test:two", slice_of(second), &err), 0);
    mem_auto(schema_free) struct schema *one = schema_compile(registry, "test:one", &err);
    mem_auto(schema_free) struct schema *two = schema_compile(registry, "test:two", &err);
    assert_non_null(one);
    assert_non_null(two);
    assert_int_equal(ask(one, SLICE_LITERAL("\"a\""), &err), 1);
    assert_int_equal(ask(two, SLICE_LITERAL("\"a\""), &err), 0);
    assert_int_equal(ask(two, SLICE_LITERAL("null"), &err), 1);
}

/* A schema inside of another kind of document, whose own "$schema" is not one of ours. */
static void test_schema_within_a_catalog(void **state)
{
    (void)state;
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    const char *catalog = "{\"$schema\":\"http://example.com/catalog\",\"collections\":{\"a/"
                          "b\":{\"schema\":{\"$ref\":\"#/shared\"}}},"
                          "\"shared\":{\"type\":\"null\"},\"broken\":{\"type\":\"nul\"}}";
    assert_int_equal(schema_registry_add(registry, "file:///flow.json", slice_of(catalog), &err), 0);
    mem_auto(schema_free) struct schema *schema =
        schema_compile(registry, "file:///flow.json#/collections/a~1b/schema", &err);
    assert_non_null(schema);
    assert_int_equal(ask(schema, SLICE_LITERAL("null"), &err), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("1"), &err), 0);
    assert_null(schema_compile(registry, "file:///flow.json#/broken", &err));
    assert_non_null(strstr(err.message, "schema /flow.json#/broken/type: expected one of"));
}

static void test_wrong_uris(void **state)
{
    (void)state;
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_7);
    assert_int_equal(schema_registry_add(registry, "a.json", SLICE_LITERAL("true"), &err), -1);
    assert_non_null(strstr(err.message, "\"a.json\" is not absolute"));
    assert_int_equal(schema_registry_add(registry, "test:a", SLICE_LITERAL("true"), &err), 0);
    assert_int_equal(schema_registry_add(registry, "test:a", SLICE_LITERAL("true"), &err), -1);
    assert_non_null(strstr(err.message, "was added already"));
    assert_null(schema_compile(registry, "test:b", &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

struct asker {
    const struct schema *schema;
    size_t right;
};

static void *ask_often(void *context)
{
    struct asker *asker = context;
    struct error err;
    for (int i = 0; i < 200; i++) {
        asker->right +=
            ask(asker->schema, SLICE_LITERAL("{\"a\":{\"a\":null},\"b\":\"xxy\",\"c\":[1,2,3,4,5,6,7]}"),
                &err) == 1;
        asker->right += ask(asker->schema, SLICE_LITERAL("{\"a\":{\"a\":1}}"), &err) == 0;
    }
    return NULL;
}

/* One program, several threads, each with a validator of its own. */
static void test_shared_between_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    mem_auto(schema_free) struct schema *schema = must_compile(
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$dynamicAnchor\":\"n\","
        "\"$defs\":{\"other\":{\"$id\":\"test:other\",\"$dynamicAnchor\":\"n\",\"$ref\":\"#/$defs/x\","
        "\"$defs\":{\"x\":{\"uniqueItems\":true}}}},"
        "\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"test:other\",\"properties\":{\"a\":{\"$dynamicRef\":\"#"
        "n\"},"
        "\"b\":{\"pattern\":\"^(x|y)+$\",\"enum\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"xxy\"]},"
        "\"c\":{\"uniqueItems\":true}},"
        "\"type\":\"object\"}],\"unevaluatedProperties\":false}");
    pthread_t threads[THREADS];
    struct asker askers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){schema, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(askers[i].right, 400);
    }
}

/* The metaschemas are schemas like others, and valid by themselves. */
static void test_metaschemas(void **state)
{
    (void)state;
    static const char *const uris[] = {"https://json-schema.org/draft/2020-12/schema",
                                       "https://json-schema.org/draft/2020-12/meta/core",
                                       "https://json-schema.org/draft/2020-12/meta/applicator",
                                       "https://json-schema.org/draft/2020-12/meta/validation",
                                       "https://json-schema.org/draft/2020-12/meta/content",
                                       "http://json-schema.org/draft-07/schema#",
                                       "http://json-schema.org/draft-06/schema#",
                                       "https://json-schema.org/draft/2019-09/schema",
                                       "https://json-schema.org/draft/2019-09/meta/core",
                                       "https://json-schema.org/draft/2019-09/meta/applicator",
                                       "https://json-schema.org/draft/2019-09/meta/validation",
                                       "https://json-schema.org/draft/2019-09/meta/meta-data",
                                       "https://json-schema.org/draft/2019-09/meta/format",
                                       "https://json-schema.org/draft/2019-09/meta/content",
                                       "https://json-schema.org/draft/2020-12/meta/unevaluated"};
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        struct error err;
        mem_auto(schema_registry_free) struct schema_registry *registry =
            schema_registry_new(SCHEMA_DRAFT_2020_12);
        mem_auto(schema_free) struct schema *schema = schema_compile(registry, uris[i], &err);
        if (!schema)
            fail_msg("%s", err.message);
        assert_int_equal(ask(schema, SLICE_LITERAL("true"), &err), 1);
        assert_int_equal(ask(schema, SLICE_LITERAL("1"), &err), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_fetch_and_lifetime),
        cmocka_unit_test(test_free_anchors),
        cmocka_unit_test(test_same_id_in_two_documents),
        cmocka_unit_test(test_schema_within_a_catalog),
        cmocka_unit_test(test_wrong_uris),
        cmocka_unit_test(test_metaschemas),
        cmocka_unit_test(test_shared_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
