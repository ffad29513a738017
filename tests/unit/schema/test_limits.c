/* Hostile schemas and documents end, with an error that says what and where. */
#include "support.h"

#include "schema/program.h"
#include "schema/registry.h"

/* $defs a0 … a<levels>: each refers to the next `fan` times; the last is `leaf`. */
static char *web(unsigned levels, unsigned fan, const char *keyword, const char *leaf)
{
    struct buffer text;
    buffer_init(&text, 32 << 20);
    buffer_str(&text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (unsigned i = 0; i < levels; i++) {
        buffer_printf(&text, "\"a%u\":{\"%s\":[", i, keyword);
        for (unsigned j = 0; j < fan; j++)
            buffer_printf(&text, "%s{\"$ref\":\"#/$defs/a%u\"}", j ? "," : "", i + 1);
        buffer_str(&text, "]},");
    }
    buffer_printf(&text, "\"a%u\":%s}}", levels, leaf);
    return buffer_steal(&text);
}

static void test_exponential_web(void **state)
{
    (void)state;
    static const char *const keywords[] = {"allOf", "anyOf", "oneOf"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        struct error err = {0};
        bool any = strcmp(keywords[i], "anyOf") == 0;
        auto_free char *text = web(40, 2, keywords[i], any ? "{\"minimum\":5}" : "{\"minimum\":1}");
        mem_auto(schema_free) struct schema *schema = must_compile(text);
        assert_int_equal(ask(schema, SLICE_LITERAL("3"), &err), -1);
        assert_int_equal(err.code, ERROR_LIMIT);
        assert_non_null(strstr(err.message, "steps"));
        assert_non_null(strstr(err.message, "test:schema#/$defs/a"));
    }
}

/* Loops by dynamic references that take no step into the document. Where it is certain that they never end
 * the schema is refused; where it depends on the way there, validating stops. */
static void test_dynamic_loops(void **state)
{
    (void)state;
#define OTHER "{\"$id\":\"other\",\"$dynamicAnchor\":\"t\",\"$dynamicRef\":\"#t\"}"
#define ENDS                                                                                                 \
    "{\"$id\":\"ends\",\"$dynamicAnchor\":\"t\",\"type\":\"integer\",\"$defs\":{\"in\":{\"$ref\":\"other\"}" \
    "}}"
    static const char *const certain[] = {
        "{\"$id\":\"http://x/"
        "r\",\"$dynamicAnchor\":\"x\",\"$ref\":\"inner\",\"$defs\":{\"i\":{\"$id\":\"inner\","
        "\"$dynamicAnchor\":\"x\",\"properties\":{\"a\":true},\"anyOf\":[{\"$dynamicRef\":\"#x\"}]}}}",
        "{\"$id\":\"http://x/r\",\"$dynamicAnchor\":\"t\",\"$ref\":\"other\",\"$defs\":{\"o\":" OTHER "}}",
        "{\"$id\":\"http://x/"
        "r\",\"$dynamicAnchor\":\"t\",\"not\":{\"$ref\":\"other\"},\"$defs\":{\"o\":" OTHER "}}",
        "{\"$id\":\"http://x/r\",\"items\":{\"$ref\":\"a\"},\"$defs\":{"
        "\"a\":{\"$id\":\"a\",\"$dynamicAnchor\":\"t\",\"allOf\":[{\"$ref\":\"other\"}]},\"o\":" OTHER "}}",
        "{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\",\"$id\":\"http://x/"
        "r\",\"$recursiveAnchor\":true,"
        "\"$ref\":\"o\",\"$defs\":{\"o\":{\"$id\":\"o\",\"$recursiveAnchor\":true,\"$recursiveRef\":\"#\"}}}",
    };
    for (size_t i = 0; i < sizeof certain / sizeof *certain; i++) {
        struct error err = {0};
        mem_auto(schema_free) struct schema *schema = compile_text(certain[i], &err);
        if (schema)
            fail_msg("%s was accepted", certain[i]);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.message, "refers to itself without going into the document"));
    }
    /* from "ends" the reference means an integer, from "loops" itself */
    static const char open[] =
        "{\"$id\":\"http://x/r\",\"properties\":{\"good\":{\"$ref\":\"ends#/$defs/in\"},"
        "\"bad\":{\"$ref\":\"loops\"}},\"$defs\":{\"e\":" ENDS ",\"o\":" OTHER ","
        "\"l\":{\"$id\":\"loops\",\"$dynamicAnchor\":\"t\",\"allOf\":[{\"type\":\"integer\"},{\"minimum\":1,"
        "\"$ref\":\"other\"}]}}}";
    struct error err = {0};
    mem_auto(schema_free) struct schema *schema = must_compile(open);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"good\":1}"), NULL), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"good\":\"1\"}"), NULL), 0);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"bad\":0}"), NULL), 0);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"bad\":1}"), &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_non_null(
        strstr(err.message, "refers to itself, by a dynamic reference, without going into the document"));
    assert_non_null(strstr(err.message, "at \"/bad\""));
}

static void test_long_chain(void **state)
{
    (void)state;
    struct error err = {0};
    auto_free char *text = web(100000, 1, "allOf", "{\"type\":\"null\"}");
    mem_auto(schema_free) struct schema *schema = must_compile(text);
    assert_int_equal(ask(schema, SLICE_LITERAL("null"), &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_non_null(strstr(err.message, "schemas deep"));
    /* The types of the chain's end are known at its front. */
    assert_int_equal(ask(schema, SLICE_LITERAL("1"), &err), 0);
}

static void test_pattern_limit(void **state)
{
    (void)state;
    struct error err = {0};
    mem_auto(schema_free) struct schema *schema =
        must_compile("{\"items\":{\"pattern\":\"^(a|a|b?a)+c?(a+)+$\"}}");
    assert_int_equal(ask(schema, SLICE_LITERAL("[\"aa\"]"), &err), 1);
    const char *hostile = "[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"]";
    assert_int_equal(ask(schema, slice_of(hostile), &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_non_null(strstr(err.message, "test:schema#/items takes too long on the value at \"/0\""));
}

static void test_large_documents(void **state)
{
    (void)state;
    struct error err = {0};
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    auto_free char *blank = mem_alloc(SCHEMA_DOCUMENT_MAX + 1);
    memset(blank, ' ', SCHEMA_DOCUMENT_MAX + 1);
    assert_int_equal(
        schema_registry_add(registry, "test:big", (struct slice){blank, SCHEMA_DOCUMENT_MAX + 1}, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

/* Every pattern that is tried on a name is a step. */
static void test_many_patterns(void **state)
{
    (void)state;
    struct error err = {0};
    struct buffer instance, text;
    buffer_init(&instance, 1 << 20);
    buffer_init(&text, 1 << 20);
    for (unsigned i = 0; i < 12000; i++)
        buffer_printf(&text, "%s\"p%u\":false", i ? "," : "{\"patternProperties\":{", i);
    for (unsigned i = 0; i < 1000; i++)
        buffer_printf(&instance, "%s\"k%u\":1", i ? "," : "{", i);
    buffer_str(&text, "}}");
    buffer_str(&instance, "}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"k\":1}"), &err), 1);
    assert_int_equal(ask(schema, (struct slice){instance.data, instance.size}, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&instance);
    buffer_done(&text);
}

/* Many equal and unequal things cost time with their number, not its square. */
static void test_wide(void **state)
{
    (void)state;
    struct error err = {0};
    struct buffer instance, text;
    buffer_init(&instance, 64 << 20);
    buffer_init(&text, 16 << 20);
    buffer_byte(&instance, '[');
    buffer_str(&text, "{\"uniqueItems\":true,\"items\":{\"enum\":[");
    for (unsigned i = 0; i < 100000; i++) {
        buffer_printf(&instance, "%s{\"a\":%u}", i ? "," : "", i);
        buffer_printf(&text, "%s{\"a\":%u.0}", i ? "," : "", i);
    }
    buffer_byte(&instance, ']');
    buffer_str(&text, "]}}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(ask(schema, (struct slice){instance.data, instance.size}, &err), 1);
    instance.size--;
    buffer_str(&instance, ",{\"a\":7}]");
    assert_int_equal(ask(schema, (struct slice){instance.data, instance.size}, &err), 0);
    buffer_done(&instance);
    buffer_done(&text);
}

static void test_deep_document(void **state)
{
    (void)state;
    struct error err = {0};
    mem_auto(schema_free) struct schema *schema =
        must_compile("{\"anyOf\":[{\"type\":\"null\"},{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}]}");
    char text[512];
    memset(text, '[', 250);
    memset(text + 250, ']', 250);
    assert_int_equal(ask(schema, (struct slice){text, 500}, &err), 1);
    memset(text, '[', 250);
    text[250] = '1';
    memset(text + 251, ']', 250);
    assert_int_equal(ask(schema, (struct slice){text, 501}, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential_web),
        cmocka_unit_test(test_dynamic_loops),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_pattern_limit),
        cmocka_unit_test(test_large_documents),
        cmocka_unit_test(test_many_patterns),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_deep_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
