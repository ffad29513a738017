/* Accessors: strings, names, pointers both ways, equality. */
#include "test_json.h"
#include "json/writer.h"

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        size_t size;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"plain\"", "plain", 5},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\uFFFF\\u0080\\u07ff\\u0800\"", "\xef\xbf\xbf\xc2\x80\xdf\xbf\xe0\xa0\x80", 10},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p = parse(cases[i].json);
        assert_int_equal(p.result, 0);
        struct slice text = json_string(&p.doc, 0, &arena);
        assert_int_equal(text.size, cases[i].size);
        assert_memory_equal(text.data, cases[i].text, text.size);
        assert_int_equal(json_escaped(&p.doc, 0), strchr(cases[i].json, '\\') != NULL);
        assert_true(json_text_is(&p.doc, 0, (struct slice){cases[i].text, cases[i].size}));
        assert_false(json_text_is(&p.doc, 0, (struct slice){"other", 5}));
        if (cases[i].size) {
            assert_false(json_text_is(&p.doc, 0, (struct slice){cases[i].text, cases[i].size - 1}));
        }
        assert_memory_equal(json_cstring(&p.doc, 0, &arena), cases[i].text, cases[i].size);
        parsed_done(&p);
    }
    struct parsed p = parse("[1]");
    assert_null(json_cstring(&p.doc, 0, &arena));
    assert_null(json_cstring(&p.doc, JSON_NONE, &arena));
    assert_int_equal(json_string(&p.doc, 1, &arena).size, 0);
    assert_false(json_string_is(&p.doc, 1, "1"));
    parsed_done(&p);
    arena_done(&arena);
}

/* A name's hash is that of its text, however it is spelled and however long it is. */
static void test_hash(void **state)
{
    (void)state;
    char name[70], json[2 * sizeof name + 16];
    for (size_t size = 0; size < sizeof name - 1; size++) {
        memset(name, 'k', size);
        name[size] = 0;
        uint32_t hash = json_key_hash(name, size);
        for (int escaped = 0; escaped < (size ? 2 : 1); escaped++) {
            snprintf(json, sizeof json, "{\"%s%s\":1}", escaped ? "\\u006b" : "", name + escaped);
            struct parsed p = parse(json);
            assert_int_equal(p.result, 0);
            assert_int_equal(json_hash_of_key(&p.doc, 1), hash);
            assert_int_equal(json_get(&p.doc, 0, name), 2);
            parsed_done(&p);
        }
        for (size_t i = 0; i < size; i++) { /* every byte counts */
            name[i] = 'l';
            assert_int_not_equal(json_key_hash(name, size), hash);
            name[i] = 'k';
        }
    }
}

static const char pointed[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
    "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"x\":{\"y\":[[],{\"z\":null}]},\"10\":{\"~1\":9}}";

static void test_pointers(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *raw;
    } cases[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/foo/2", NULL},
        {"/foo/01", NULL},
        {"/foo/-", NULL},
        {"/foo/-1", NULL},
        {"/foo/", NULL},
        {"/foo/99999999999", NULL},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/m~n", NULL},
        {"/m~", NULL},
        {"/m~2n", NULL},
        {"foo", NULL},
        {"/x/y/1/z", "null"},
        {"/x/y/0", "[]"},
        {"/x/y/0/0", NULL},
        {"/x/y/1/z/q", NULL},
        {"/10/~01", "9"},
        {"/10", "{\"~1\":9}"},
        {"/10/~1", NULL},
        {"/nope", NULL},
    };
    struct parsed p = parse(pointed);
    assert_int_equal(p.result, 0);
    struct buffer pointer;
    buffer_init(&pointer, 1 << 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t at = json_pointer(&p.doc, 0, slice_of(cases[i].pointer));
        if (!cases[i].raw) {
            assert_int_equal(at, JSON_NONE);
            continue;
        }
        assert_int_not_equal(at, JSON_NONE);
        assert_slice(json_raw(&p.doc, at), cases[i].raw);
        buffer_clear(&pointer);
        json_pointer_of(&p.doc, at, &pointer);
        assert_string_equal(buffer_cstr(&pointer), cases[i].pointer);
    }
    assert_int_equal(json_pointer(&p.doc, 0, slice_of("")), 0);
    assert_int_equal(json_pointer(&p.doc, JSON_NONE, slice_of("/x")), JSON_NONE);
    /* Every node's pointer leads back to it; a key's leads to its value. */
    for (uint32_t at = 0; at < p.doc.count; at++) {
        buffer_clear(&pointer);
        json_pointer_of(&p.doc, at, &pointer);
        uint32_t back = json_pointer(&p.doc, 0, (struct slice){pointer.data, pointer.size});
        assert_int_equal(back, json_is(&p.doc, at, JSON_KEY) ? at + 1 : at);
    }
    buffer_done(&pointer);
    parsed_done(&p);
}

static void test_equal(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"100", "1e2", true},
        {"0", "-0.0e5", true},
        {"1", "true", false},
        {"0", "false", false},
        {"null", "null", true},
        {"null", "false", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"b\"", false},
        {"\"a\"", "\"\\u0061b\"", false},
        {"\"1\"", "1", false},
        {"[]", "{}", false},
        {"[1,[2,3]]", "[1.0,[2,3e0]]", true},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2,3]", false},
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1.0}", true},
        {"{\"a\":1,\"b\":[2]}", "{\"\\u0062\":[2],\"a\":1.0}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"12345678901234567890123456789", "12345678901234567890123456788", false},
        {"9007199254740993", "9007199254740992", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed a = parse(cases[i].a), b = parse(cases[i].b);
        assert_int_equal(json_equal(&a.doc, 0, &b.doc, 0), cases[i].equal);
        assert_int_equal(json_equal(&b.doc, 0, &a.doc, 0), cases[i].equal);
        assert_true(json_equal(&a.doc, 0, &a.doc, 0));
        assert_false(json_equal(&a.doc, 0, &b.doc, JSON_NONE));
        parsed_done(&a);
        parsed_done(&b);
    }
    assert_true(json_equal(NULL, JSON_NONE, NULL, JSON_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
