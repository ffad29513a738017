/* Writing: structure, escapes, numbers that read back, values copied. */
#include "test_json.h"
#include "json/writer.h"

#include <float.h>
#include <math.h>

static void test_structure(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "{\"a\":[1,-2,[],{}],\"b\":{\"c\":null,\"d\":true},\"e\":[{\"x\":1},2],\"f\":\"g\"}",
        "{\n  \"a\": [\n    1,\n    -2,\n    [],\n    {}\n  ],\n  \"b\": {\n    \"c\": null,\n    \"d\": "
        "true\n"
        "  },\n  \"e\": [{\"x\":1},2],\n  \"f\": \"g\"\n}",
    };
    for (int i = 0; i < 2; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 10);
        struct json_writer w;
        json_writer_init(&w, &out);
        w.indent = i ? 2 : 0;
        json_begin_object(&w);
        json_put_key(&w, "a");
        json_begin_array(&w);
        json_put_u64(&w, 1);
        json_put_i64(&w, -2);
        json_begin_array(&w);
        json_end_array(&w);
        json_begin_object(&w);
        json_end_object(&w);
        json_end_array(&w);
        json_put_key(&w, "b");
        json_begin_object(&w);
        json_put_key(&w, "c");
        json_put_string(&w, NULL);
        json_member_bool(&w, "d", true);
        json_end_object(&w);
        json_member_raw(&w, "e", slice_of("[{\"x\":1},2]"));
        json_member_string(&w, "f", "g");
        json_end_object(&w);
        assert_string_equal(buffer_cstr(&out), expected[i]);
        buffer_done(&out);
    }
}

static void test_escape(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain text that is longer than eight bytes", 42, "\"plain text that is longer than eight bytes\""},
        {"\"\\/\b\f\n\r\t\x01\x1f\x7f", 11, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\xff z", 4, "\"a\xef\xbf\xbd z\""},
        {"\xe2\x82", 2, "\"\xef\xbf\xbd\""},
        {"\xe2\x82z", 3, "\"\xef\xbf\xbdz\""},
        {"\xf0\x9f\x98", 3, "\"\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf5\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\x80", 1, "\"\xef\xbf\xbd\""},
        {"\xe0\x80\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 10);
        json_escape(&out, (struct slice){cases[i].text, cases[i].size});
        assert_string_equal(buffer_cstr(&out), cases[i].json);
        struct parsed p = parse(buffer_cstr(&out));
        assert_int_equal(p.result, 0);
        parsed_done(&p);
        buffer_done(&out);
    }
}

/* Every byte at every place of a longer text: what is written reads back as the text. */
static void test_escape_places(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (int byte = 0; byte < 0x80; byte++) {
        for (size_t place = 0; place < 20; place++) {
            char text[20];
            memset(text, 'x', sizeof text);
            text[place] = (char)byte;
            struct buffer out;
            buffer_init(&out, 1 << 10);
            json_escape(&out, (struct slice){text, sizeof text});
            struct parsed p = parse(buffer_cstr(&out));
            assert_int_equal(p.result, 0);
            struct slice back = json_string(&p.doc, 0, &arena);
            assert_int_equal(back.size, sizeof text);
            assert_memory_equal(back.data, text, sizeof text);
            parsed_done(&p);
            buffer_done(&out);
        }
        arena_clear(&arena);
    }
    arena_done(&arena);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e21, "1e+21"},
        {123456789.25, "123456789.25"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {NAN, "null"},
        {-INFINITY, "null"},
        {5e-324, "4.94065645841247e-324"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        struct json_writer w;
        json_writer_init(&w, &out);
        json_put_double(&w, cases[i].number);
        assert_string_equal(buffer_cstr(&out), cases[i].text);
        buffer_done(&out);
    }
    struct buffer out;
    buffer_init(&out, 200);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_begin_array(&w);
    json_put_i64(&w, INT64_MIN);
    json_put_i64(&w, INT64_MAX);
    json_put_u64(&w, UINT64_MAX);
    json_put_i64(&w, 0);
    json_end_array(&w);
    assert_string_equal(buffer_cstr(&out),
                        "[-9223372036854775808,9223372036854775807,18446744073709551615,0]");
    buffer_done(&out);
}

/* A value is written compactly, token for token, without the members that lost. */
static void test_value(void **state)
{
    (void)state;
    struct parsed p =
        parse(" { \"a\\u0062\" : [ 1.00 , { } , [ [ ] , -0e5 ] ] ,\n \"d\":1, \"d\" : \"\\/\" } ");
    struct buffer out;
    buffer_init(&out, 1 << 10);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_begin_object(&w);
    json_put_key(&w, "v");
    json_put_value(&w, &p.doc, 0);
    json_put_key(&w, "e");
    json_put_value(&w, &p.doc, json_pointer(&p.doc, 0, slice_of("/ab/2")));
    json_end_object(&w);
    assert_string_equal(buffer_cstr(&out),
                        "{\"v\":{\"a\\u0062\":[1.00,{},[[],-0e5]],\"d\":\"\\/\"},\"e\":[[],-0e5]}");
    buffer_done(&out);
    parsed_done(&p);
}

/* The deepest document there can be, inside an envelope. */
static void test_deep_value(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_LIMIT + 1] = {0};
    memset(text, '[', JSON_DEPTH_LIMIT);
    memset(text + JSON_DEPTH_LIMIT, ']', JSON_DEPTH_LIMIT);
    struct parsed p = parse_with((struct json_limits){.size_max = 1 << 20, .depth_max = JSON_DEPTH_LIMIT},
                                 JSON_DUPLICATES_REFUSE, slice_of(text));
    assert_int_equal(p.result, 0);
    assert_true(json_equal(&p.doc, 0, &p.doc, 0));
    struct buffer out;
    buffer_init(&out, 1 << 20);
    struct json_writer w;
    json_writer_init(&w, &out);
    for (int i = 0; i < 64; i++) {
        json_begin_object(&w);
        json_put_key(&w, "v");
    }
    json_put_value(&w, &p.doc, 0);
    for (int i = 0; i < 64; i++)
        json_end_object(&w);
    assert_int_equal(out.size, 2 * JSON_DEPTH_LIMIT + 64 * 6);
    assert_memory_equal(out.data + 64 * 5, text, 2 * JSON_DEPTH_LIMIT);
    buffer_done(&out);
    parsed_done(&p);
}

/* Past its maximum a buffer says so and the writer goes on without harm. */
static void test_overflow(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 10);
    struct json_writer w;
    json_writer_init(&w, &out);
    json_begin_array(&w);
    for (int i = 0; i < 100; i++)
        json_put_string(&w, "text");
    json_end_array(&w);
    assert_true(out.overflowed);
    buffer_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_escape), cmocka_unit_test(test_escape_places),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_value),  cmocka_unit_test(test_deep_value),
        cmocka_unit_test(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
