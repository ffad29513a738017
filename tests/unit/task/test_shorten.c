/* Values as a connector wants them shortened. */
#include "task_test.h"

#include "task/shorten.h"

static const struct {
    struct flow_ser_policy policy; /* strings, nested objects, arrays */
    const char *value, *expected;  /* NULL: stays as it is */
} cases[] = {
    {{3, 3, 3}, "\"abc\"", NULL},
    {{3, 3, 3}, "\"abcd\"", "\"abc\""},
    {{0, 0, 0}, "\"abcd\"", NULL},
    /* On a character's boundary, as the text is without its escapes. */
    {{4, 0, 0}, "\"a\xc3\xa4\xe2\x82\xac\"", "\"a\xc3\xa4\""},
    {{1, 0, 0}, "\"\xe2\x82\xac\"", "\"\""},
    {{3, 0, 0}, "\"\\n\\n\\n\"", NULL},
    {{3, 0, 0}, "\"\\u20ac\"", NULL},
    {{2, 0, 0}, "\"\\u0041\\u0042\\u0043\"", "\"AB\""},
    {{5, 0, 0}, "\"a\\ud83d\\ude00b\"", "\"a\xf0\x9f\x98\x80\""},
    {{2, 0, 0}, "\"\\n\\n\\n\"", "\"\\n\\n\""},
    {{0, 0, 2}, "[1,2]", NULL},
    {{0, 0, 2}, "[1, [1,2, 3], 3]", "[1,[1,2]]"},
    {{0, 0, 2}, "{\"a\": []}", NULL},
    /* The value itself keeps all members, objects inside keep the first ones by name. */
    {{0, 2, 0}, "{\"c\":1,\"b\":2,\"a\":3}", NULL},
    {{0, 2, 0}, "{\"o\": {\"c\":1,\"b\":2,\"a\":3}, \"z\": 1.50}", "{\"o\":{\"a\":3,\"b\":2},\"z\":1.50}"},
    {{0, 1, 0}, "[{\"\\u0062\":1,\"a\":{\"y\":1,\"x\":2}}]", "[{\"a\":{\"x\":2}}]"},
    {{2, 0, 0}, "{\"names stay\": \"long\"}", "{\"names stay\":\"lo\"}"},
    {{2, 1, 1}, "12345.678901234567890", NULL},
    {{1, 1, 1}, "null", NULL},
    {{1, 1, 1}, "true", NULL},
};

static void test_values(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct buffer out;
        struct json_writer writer;
        arena_init(&arena);
        buffer_init(&out, BUFFER_UNLIMITED);
        struct json doc = must_parse(&arena, cases[i].value);
        if (shorten_applies(&cases[i].policy, &doc, 0) != (cases[i].expected != NULL))
            fail_msg("%s: it should %sbe shortened", cases[i].value, cases[i].expected ? "" : "not ");
        json_writer_init(&writer, &out);
        shorten_put(&cases[i].policy, &writer, &doc, 0);
        if (cases[i].expected)
            assert_string_equal(buffer_cstr(&out), cases[i].expected);
        buffer_done(&out);
        arena_done(&arena);
    }
}

/* What needs no shortening is written as it is. */
static void test_untouched(void **state)
{
    static const struct flow_ser_policy policy = {8, 8, 8};
    static const char *const texts[] = {"{\"a\":[1,2,{\"b\":\"c\"}],\"d\":1e400}", "[]", "\"\\u00e4\"",
                                        "-0.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena arena;
        struct buffer out;
        struct json_writer writer;
        arena_init(&arena);
        buffer_init(&out, BUFFER_UNLIMITED);
        struct json doc = must_parse(&arena, texts[i]);
        assert_false(shorten_applies(&policy, &doc, 0));
        assert_false(shorten_applies(NULL, &doc, 0));
        json_writer_init(&writer, &out);
        shorten_put(&policy, &writer, &doc, 0);
        assert_string_equal(buffer_cstr(&out), texts[i]);
        buffer_done(&out);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
