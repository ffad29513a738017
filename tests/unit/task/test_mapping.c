/* What becomes of records on their way: fields chosen at any depth, mappers one after the other. */
#include "task_test.h"

#include "protocol/airbyte_mapper.h"
#include "task/mapping.h"

#define RENAME(from, to)                                                                  \
    "{\"type\":\"field-renaming\",\"mapperConfiguration\":{\"originalFieldName\":\"" from \
    "\",\"newFieldName\":\"" to "\"}}"
#define REMOVE(name) "{\"type\":\"field-filtering\",\"mapperConfiguration\":{\"targetField\":\"" name "\"}}"
#define HASH(name, method, suffix)                                                                     \
    "{\"type\":\"hashing\",\"mapperConfiguration\":{\"targetField\":\"" name "\",\"method\":\"" method \
    "\",\"fieldNameSuffix\":\"" suffix "\"}}"
#define EQUAL(name, value) "{\"type\":\"EQUAL\",\"fieldName\":\"" name "\",\"comparisonValue\":\"" value "\"}"
#define FILTER(condition) \
    "{\"type\":\"row-filtering\",\"mapperConfiguration\":{\"conditions\":" condition "}}"

enum { PATHS_MAX = 4 };

static const struct test_case {
    const char *const fields[PATHS_MAX][4]; /* NULL: all */
    const char *mappers;
    const char *from;
    const char *to; /* NULL: kept back */
} cases[] = {
    /* What is sent on keeps its bytes. */
    {{{"a"}, {"b", "c"}},
     NULL,
     "{\"x\":1,\"b\":{ \"d\":2,\"c\":1.50},\"\\u0061\":[1, 2],\"y\":{}}",
     "{\"b\":{\"c\":1.50},\"\\u0061\":[1, 2]}"},
    /* A path into what is no object leaves it; one into a list is one into its elements. */
    {{{"b", "c"}}, NULL, "{\"b\":\"text\"}", "{\"b\":\"text\"}"},
    {{{"b", "c"}}, NULL, "{\"b\":[{\"c\":1,\"d\":2},{\"d\":3},7]}", "{\"b\":[{\"c\":1},{},7]}"},
    /* The whole of a field counts more than a part of it. */
    {{{"b", "c"}, {"b"}}, NULL, "{\"b\":{\"c\":1,\"d\":2}}", "{\"b\":{\"c\":1,\"d\":2}}"},
    {{{"b", "c", "d"}, {"b", "c", "e"}, {"b", "f"}},
     NULL,
     "{\"b\":{\"c\":{\"d\":1,\"e\":2,\"g\":3},\"f\":4,\"h\":5}}",
     "{\"b\":{\"c\":{\"d\":1,\"e\":2},\"f\":4}}"},
    {{{"missing"}}, NULL, "{\"b\":1}", "{}"},
    {{{NULL}}, RENAME("a", "q\\\"t"), "{\"b\":1,\"a\":{\"a\": 2}}", "{\"b\":1,\"q\\\"t\":{\"a\": 2}}"},
    {{{NULL}}, RENAME("a", "b"), "{\"b\":1,\"a\":2,\"c\":3}", "{\"b\":2,\"c\":3}"},
    {{{NULL}}, RENAME("a", "a"), "{\"a\":2}", "{\"a\":2}"},
    {{{NULL}}, RENAME("a", "b") "," RENAME("b", "c"), "{\"a\":2}", "{\"c\":2}"},
    {{{NULL}}, REMOVE("a"), "{\"b\":1,\"a\":2}", "{\"b\":1}"},
    {{{NULL}}, REMOVE("a"), "{\"b\":1}", "{\"b\":1}"},
    {{{NULL}},
     HASH("a", "MD5", "_h"),
     "{\"a\":\"secret\",\"b\":1}",
     "{\"a_h\":\"5ebe2294ecd0e0f08eab7690d2a6ee69\",\"b\":1}"},
    {{{NULL}},
     HASH("a", "SHA-1", ""),
     "{\"a\":\"\"}",
     "{\"a\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}"},
    {{{NULL}},
     HASH("a", "SHA-256", ""),
     "{\"a\":\"se\\u0063ret\"}",
     "{\"a\":\"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"}"},
    {{{NULL}},
     HASH("a", "SHA-224", ""),
     "{\"a\":12}",
     "{\"a\":\"3c794f0c67bd561ce841fc6a5999bf0df298a0f0ae3487efda9d0ef4\"}"},
    {{{NULL}}, HASH("a", "SHA-256", "_h"), "{\"a\":null}", "{\"a_h\":null}"},
    {{{NULL}}, FILTER(EQUAL("a", "1")), "{\"a\":1}", "{\"a\":1}"},
    {{{NULL}}, FILTER(EQUAL("a", "1")), "{\"a\":\"1\"}", "{\"a\":\"1\"}"},
    {{{NULL}}, FILTER(EQUAL("a", "1")), "{\"a\":2}", NULL},
    {{{NULL}}, FILTER(EQUAL("a", "null")), "{\"a\":null}", NULL},
    {{{NULL}}, FILTER(EQUAL("a", "1")), "{}", NULL},
    {{{NULL}}, FILTER("{\"type\":\"NOT\",\"conditions\":[" EQUAL("a", "1") "]}"), "{}", "{}"},
    {{{NULL}},
     FILTER("{\"type\":\"AND\",\"conditions\":[" EQUAL("a", "1") "," EQUAL("b", "2") "]}"),
     "{\"a\":1,\"b\":3}",
     NULL},
    {{{NULL}},
     FILTER("{\"type\":\"OR\",\"conditions\":[" EQUAL("a", "1") "," EQUAL("b", "2") "]}"),
     "{\"a\":1,\"b\":3}",
     "{\"a\":1,\"b\":3}"},
    {{{NULL}},
     FILTER("{\"type\":\"OR\",\"conditions\":[" EQUAL("a", "1") "," EQUAL("b", "2") "]}"),
     "{\"a\":2}",
     NULL},
    /* Each sees what the ones before it did. */
    {{{NULL}}, RENAME("a", "b") "," FILTER(EQUAL("b", "1")), "{\"a\":1}", "{\"b\":1}"},
    {{{NULL}}, FILTER(EQUAL("b", "1")) "," RENAME("a", "b"), "{\"a\":1}", NULL},
    {{{NULL}},
     HASH("a", "MD5", "") "," FILTER(EQUAL("a", "5ebe2294ecd0e0f08eab7690d2a6ee69")),
     "{\"a\":\"secret\"}",
     "{\"a\":\"5ebe2294ecd0e0f08eab7690d2a6ee69\"}"},
    {{{"a", "x"}}, RENAME("a", "b"), "{\"a\":{\"x\":1,\"y\":2},\"c\":1}", "{\"b\":{\"x\":1}}"},
};

static const struct task_mapping *mapping_of(const struct test_case *test, struct arena *arena)
{
    struct catalog_path *paths = arena_zalloc(arena, PATHS_MAX * sizeof *paths);
    struct task_binding_spec *spec = arena_zalloc(arena, sizeof *spec);
    const struct task_mapping *mapping;
    struct error err;
    spec->fields = paths;
    for (size_t i = 0; i < PATHS_MAX && test->fields[i][0]; i++) {
        paths[i].names = test->fields[i];
        while (test->fields[i][paths[i].count])
            paths[i].count++;
        spec->field_count++;
    }
    spec->selects = spec->field_count > 0;
    spec->stream.name = "s";
    if (test->mappers)
        spec->mapping = slice_of(arena_printf(arena, "{\"mappers\":[%s]}", test->mappers));
    if (task_mapping_new(spec, arena, &mapping, &err) < 0)
        fail_msg("%s", err.message);
    return mapping;
}

static void test_records(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct buffer out;
        arena_init(&arena);
        buffer_init(&out, BUFFER_UNLIMITED);
        struct json line = must_parse(&arena, cases[i].from);
        bool goes_on = task_mapping_write(mapping_of(&cases[i], &arena), &line, 0, &out, &arena);
        assert_int_equal(goes_on, cases[i].to != NULL);
        assert_string_equal(buffer_cstr(&out), cases[i].to ? cases[i].to : "");
        buffer_done(&out);
        arena_done(&arena);
    }
}

static void test_nothing_to_do(void **state)
{
    struct arena arena;
    arena_init(&arena);
    assert_null(mapping_of(&(struct test_case){.from = ""}, &arena));
    arena_done(&arena);
}

static void test_schema(void **state)
{
    static const char schema[] =
        "{\"type\":\"object\",\"required\":[\"id\",\"a\",\"x\"],\"properties\":{\"id\":{\"type\":\"integer\"}"
        ","
        "\"a\":{\"type\":\"object\",\"required\":[\"b\",\"c\"],\"properties\":{\"b\":{},\"c\":{}}},"
        "\"l\":{\"items\":{\"properties\":{\"m\":{},\"n\":{}}}},\"x\":{}}}";
    static const struct test_case test = {.fields = {{"id"}, {"a", "b"}, {"l", "m"}},
                                          .mappers =
                                              HASH("id", "MD5", "_h") "," RENAME("a", "z") "," REMOVE("l")};
    struct slice parts[] = {SLICE_LITERAL("id"), SLICE_LITERAL("a"), SLICE_LITERAL("b")};
    struct airbyte_path key[] = {{parts, 1}, {parts + 1, 2}};
    struct airbyte_configured_stream stream = {
        .stream = {.json_schema = SLICE_LITERAL(schema), .raw = SLICE_LITERAL("{}")},
        .cursor = {parts + 1, 2},
        .primary_key = key,
        .primary_key_count = 2};
    struct arena arena;
    struct error err;
    arena_init(&arena);
    const struct task_mapping *mapping = mapping_of(&test, &arena);
    assert_int_equal(task_mapping_select(mapping, &stream.stream, &arena, &err), 0);
    assert_true(
        slice_is(stream.stream.json_schema,
                 "{\"type\":\"object\",\"required\":[\"id\",\"a\"],\"properties\":{\"id\":{\"type\":"
                 "\"integer\"},\"a\":{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":{}}"
                 "},\"l\":{\"items\":{\"properties\":{\"m\":{}}}}}}"));
    assert_int_equal(task_mapping_configure(mapping, &stream, &arena, &err), 0);
    assert_true(
        slice_is(stream.stream.json_schema,
                 "{\"type\":\"object\",\"required\":[\"id_h\",\"z\"],\"properties\":{\"id_h\":{\"type\":["
                 "\"null\",\"string\"]},\"z\":{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{"
                 "\"b\":{}}}}}"));
    assert_true(slice_is(stream.cursor.parts[0], "z") && slice_is(stream.cursor.parts[1], "b"));
    assert_true(slice_is(stream.primary_key[0].parts[0], "id_h"));
    assert_true(slice_is(stream.primary_key[1].parts[0], "z"));
    assert_int_equal(stream.stream.raw.size, 0);
    arena_done(&arena);
}

static void test_what_cannot_be_done_is_refused_by_name(void **state)
{
    static const struct {
        const char *mappers, *message;
    } wrong[] = {
        {"{\"type\":\"encryption\",\"mapperConfiguration\":{}}", "there is no mapper 'encryption'"},
        {"{\"type\":7}", "there is no mapper ''"},
        {HASH("a", "MD2", ""), "method 'MD2'"},
        {HASH("", "MD5", ""), "'targetField'"},
        {RENAME("a", ""), "'newFieldName'"},
        {FILTER("{\"type\":\"LESS\"}"), "condition 'LESS'"},
        {FILTER("{\"type\":\"NOT\",\"conditions\":[]}"), "NOT has 'conditions'"},
        {FILTER("{\"type\":\"EQUAL\",\"fieldName\":\"a\"}"), "'comparisonValue'"},
        {RENAME("b", "x"), "the column 'b', which is not there"},
        {RENAME("emial", "x"), "did you mean 'email'"},
        {RENAME("a", "id"), "the column 'id' of another"},
        {REMOVE("id"), "in the primary key"},
        {RENAME("id", "uid") "," REMOVE("uid"), "'uid' away, which is in the primary key"},
        {REMOVE("a") "," RENAME("a", "b"), "the column 'a', which is not there"},
        {FILTER(EQUAL("b", "1")), "the column 'b', which is not there"},
    };
    static const char right[] = RENAME("a", "b") "," FILTER(EQUAL("b", "1")) "," HASH("b", "MD5", "_h");
    for (size_t i = 0; i <= sizeof wrong / sizeof *wrong; i++) {
        bool good = i == sizeof wrong / sizeof *wrong;
        struct arena arena;
        struct error err;
        arena_init(&arena);
        struct json doc = must_parse(
            &arena,
            arena_printf(&arena,
                         "{\"stream\":{\"name\":\"s\",\"jsonSchema\":{\"properties\":{\"id\":{},\"a\":{},"
                         "\"email\":{}}}},\"config\":{\"primaryKey\":[[\"id\"]],\"mappers\":[%s]}}",
                         good ? right : wrong[i].mappers));
        assert_int_equal(airbyte_mappers_check(&doc, 0, &arena, &err), good ? 0 : -1);
        if (!good && !strstr(err.message, wrong[i].message))
            fail_msg("%s: %s", wrong[i].mappers, err.message);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_what_cannot_be_done_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
