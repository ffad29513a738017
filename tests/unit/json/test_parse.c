/* What is accepted, what each refusal says, duplicates, limits. */
#include "test_json.h"

static void test_nodes(void **state)
{
    (void)state;
    struct parsed p = parse(" {\"a\" : [1, -2.5e+3, true,false , null, \"x\\n\"], \"\":{}, \"b\":[]}\n");
    assert_int_equal(p.result, 0);
    const struct json *d = &p.doc;
    assert_int_equal(d->count, 13);
    assert_int_equal(json_tag(d, 0), JSON_OBJECT);
    assert_int_equal(json_count(d, 0), 3);
    assert_int_equal(json_after(d, 0), 13);
    uint32_t a = json_get(d, 0, "a");
    assert_int_equal(json_tag(d, a), JSON_ARRAY);
    static const enum json_tag tags[] = {JSON_INTEGER, JSON_NUMBER, JSON_TRUE,
                                         JSON_FALSE,   JSON_NULL,   JSON_STRING};
    static const char *const raws[] = {"1", "-2.5e+3", "true", "false", "null", "\"x\\n\""};
    uint32_t i = 0;
    for (uint32_t e = json_first(d, a); e != JSON_NONE; e = json_next(d, a, e), i++) {
        assert_int_equal(json_tag(d, e), tags[i]);
        assert_slice(json_raw(d, e), raws[i]);
        assert_int_equal(json_at(d, a, i), e);
    }
    assert_int_equal(i, 6);
    assert_int_equal(json_at(d, a, 6), JSON_NONE);
    assert_slice(json_raw(d, a), "[1, -2.5e+3, true,false , null, \"x\\n\"]");
    assert_true(json_is(d, json_get(d, 0, ""), JSON_OBJECT));
    assert_int_equal(json_first_key(d, json_get(d, 0, "")), JSON_NONE);
    assert_int_equal(json_first(d, json_get(d, 0, "b")), JSON_NONE);
    assert_int_equal(json_get(d, a, "a"), JSON_NONE);
    assert_int_equal(json_get(d, JSON_NONE, "a"), JSON_NONE);
    assert_int_equal(json_count(d, JSON_NONE), 0);
    parsed_done(&p);
}

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "line 1, column 1 (byte 0): expected a value, the document ends"},
    {"  \n ", "line 2, column 2 (byte 4): expected a value, the document ends"},
    {"{\"a\":1 x", "line 1, column 8 (byte 7): expected ',' or '}' after a member of an object, got 'x'"},
    {"[1\n,2 3]", "line 2, column 4 (byte 6): expected ',' or ']' after an element of an array, got '3'"},
    {"[1,]",
     "line 1, column 4 (byte 3): expected a value after ',' (JSON allows no trailing comma), got ']'"},
    {"{\"a\":1,}", "line 1, column 8 (byte 7): expected a name in double quotes after ',' (JSON allows no "
                   "trailing comma), got '}'"},
    {"{a:1}", "line 1, column 2 (byte 1): expected a name in double quotes or '}' after '{', got 'a'"},
    {"{'a':1}", "line 1, column 2 (byte 1): strings and names are written in double quotes in JSON"},
    {"{\"a\" 1}", "line 1, column 6 (byte 5): expected ':' after a name in an object, got '1'"},
    {"{\"a\":}", "line 1, column 6 (byte 5): expected a value, got '}'"},
    {"[\"ä\", x]", "line 1, column 7 (byte 7): expected a value, got 'x'"},
    {"\"abc", "line 1, column 1 (byte 0): a string without end: no closing '\"'"},
    {"\"a\tb\"",
     "line 1, column 3 (byte 2): a control character in a string: byte 0x09 must be written as \\u0009"},
    {"\"a\\x\"", "line 1, column 4 (byte 3): expected one of \" \\ / b f n r t u after a backslash, got 'x'"},
    {"\"\\u12g4\"", "line 1, column 6 (byte 5): expected four hexadecimal digits after \\u, got 'g'"},
    {"\"\\ud800\"", "line 1, column 2 (byte 1): a high surrogate without a low one after it in a \\u escape"},
    {"\"\\ud800\\u0041\"",
     "line 1, column 2 (byte 1): a high surrogate without a low one after it in a \\u escape"},
    {"\"\\udc00\"",
     "line 1, column 2 (byte 1): a low surrogate without a high one before it in a \\u escape"},
    {"\"\xff\"", "line 1, column 2 (byte 1): a string that is not valid UTF-8: byte 0xff"},
    {"\"\xed\xa0\x80\"", "line 1, column 2 (byte 1): a string that is not valid UTF-8: byte 0xed"},
    {"\"\xc3\"", "line 1, column 2 (byte 1): a string that is not valid UTF-8: byte 0xc3"},
    {"012", "line 1, column 1 (byte 0): a number with a leading zero"},
    {"-", "line 1, column 2 (byte 1): expected a digit after '-', the document ends"},
    {"1.", "line 1, column 3 (byte 2): expected a digit after the decimal point, the document ends"},
    {"1e+", "line 1, column 4 (byte 3): expected a digit in the exponent, the document ends"},
    {"+1", "line 1, column 1 (byte 0): expected a value, got '+'"},
    {"1 2", "line 1, column 3 (byte 2): expected the end after the document's value, got '2'"},
    {"True", "line 1, column 1 (byte 0): 'True' is written 'true' in JSON"},
    {"[NaN]", "line 1, column 2 (byte 1): JSON has no NaN: write 'null' or a string"},
    {"nan", "line 1, column 1 (byte 0): JSON has no NaN: write 'null' or a string"},
    {"-Infinity", "line 1, column 1 (byte 0): JSON has no Infinity: write 'null' or a string"},
    {"// x\n1", "line 1, column 1 (byte 0): JSON has no comments"},
    {"\xef\xbb\xbf{}", "line 1, column 1 (byte 0): a byte order mark before the document: remove it"},
    {"[1}", "line 1, column 3 (byte 2): expected ',' or ']' after an element of an array, got '}'"},
    {"truex", "line 1, column 5 (byte 4): expected the end after the document's value, got 'x'"},
    {"[\x01]", "line 1, column 2 (byte 1): expected a value, got byte 0x01"},
    {"{\"a\":1,\n\"a\":2}", NULL},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct parsed p = parse(refused[i].text);
        if (!refused[i].message) {
            assert_int_equal(p.result, 0);
        } else {
            assert_int_equal(p.result, -1);
            assert_int_equal(p.err.code, ERROR_INVALID);
            assert_string_equal(p.err.message, refused[i].message);
        }
        parsed_done(&p);
    }
    struct parsed p = parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, SLICE_LITERAL("[1\0]"));
    assert_string_equal(
        p.err.message,
        "line 1, column 3 (byte 2): expected ',' or ']' after an element of an array, got byte 0x00");
    parsed_done(&p);
}

static void test_limits(void **state)
{
    (void)state;
    struct json_limits limits = {.size_max = 20, .depth_max = 3, .nodes_max = 6};
    struct {
        const char *text, *message;
    } cases[] = {
        {"[[[1]]]", NULL},
        {"[[[[1]]]]", "line 1, column 4 (byte 3): arrays and objects are nested more than 3 deep"},
        {"[1,2,3,4,5]", NULL},
        {"[1,2,3,4,5,6]", "line 1, column 12 (byte 11): the document has more than 6 values and keys"},
        {"\"0123456789abcdefgh\"", NULL},
        {"\"0123456789abcdefghi\"", "the document has 21 bytes, at most 20 are accepted"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p = parse_with(limits, JSON_DUPLICATES_REFUSE, slice_of(cases[i].text));
        assert_int_equal(p.result, cases[i].message ? -1 : 0);
        if (cases[i].message) {
            assert_int_equal(p.err.code, ERROR_LIMIT);
            assert_string_equal(p.err.message, cases[i].message);
        }
        parsed_done(&p);
    }
}

/* What is left after the last one wins, written again. */
static void test_duplicates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t dropped, nodes;
        const char *pointer, *value;
    } cases[] = {
        {"{\"a\":1,\"b\":2,\"a\":3}", 1, 5, "/a", "3"},
        {"{\"a\":1,\"b\":2,\"a\":3}", 1, 5, "/b", "2"},
        {"{\"a\":1,\"\\u0061\":2,\"a\":3}", 2, 3, "/a", "3"},
        {"{\"a\":{\"x\":[1,2]},\"b\":{\"y\":[3]},\"a\":[4]}", 1, 9, "/b/y/0", "3"},
        {"[{\"a\":{\"b\":1,\"b\":[{}]},\"a\":{\"b\":2,\"b\":[5]}},[7]]", 3, 9, "/0/a/b/0", "5"},
        {"[{\"a\":{\"b\":1,\"b\":[{}]},\"a\":{\"b\":2,\"b\":[5]}},[7]]", 3, 9, "/1/0", "7"},
        {"{\"\":0,\"\":1}", 1, 3, "/", "1"},
        {"{\"ab\":0,\"a\\b\":1,\"a\\u0008\":[]}", 1, 5, "/ab", "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed p = parse(cases[i].text);
        assert_int_equal(p.result, 0);
        assert_int_equal(p.doc.duplicates, cases[i].dropped);
        assert_int_equal(p.doc.count, cases[i].nodes);
        assert_int_equal(json_after(&p.doc, 0), p.doc.count);
        uint32_t at = json_pointer(&p.doc, 0, slice_of(cases[i].pointer));
        assert_int_not_equal(at, JSON_NONE);
        assert_slice(json_raw(&p.doc, at), cases[i].value);
        parsed_done(&p);
    }
    struct parsed p = parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE,
                                 slice_of("{\"x\":1,\n \"name\":1,\n \"n\\u0061me\":2}"));
    assert_int_equal(p.result, -1);
    assert_string_equal(p.err.message,
                        "line 3, column 2 (byte 20): the name \"n\\u0061me\" is already in this "
                        "object, at line 2 (byte 9)");
    parsed_done(&p);
}

/* What Python's json reads beside JSON, and what it does not read either. */
static void test_lenient(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t mended, at; /* 0: it is JSON */
        const char *source;  /* NULL: refused */
    } cases[] = {
        {"{\"a\":1}", 0, 0, "{\"a\":1}"},
        {"\"\\ud83d\\ude00\"", 0, 0, "\"\\ud83d\\ude00\""},
        {"\"NaN \\\\ud83d \\\" Infinity\"", 0, 0, "\"NaN \\\\ud83d \\\" Infinity\""},
        {"NaN", 1, 0, "null"},
        {"[1, NaN,Infinity ,-Infinity]", 3, 4, "[1, null,null ,null]"},
        {"{\"a\":\"\\ud83d\"}", 1, 6, "{\"a\":\"\\ufffd\"}"},
        {"{\"a\":\"\\uDE00 \\uD83D\\uD83D\\uDE00x\\ud83dA\"}", 3, 6,
         "{\"a\":\"\\ufffd \\ufffd\\uD83D\\uDE00x\\ufffdA\"}"},
        {"{\"\\ud83d\":1,\"\\ud83e\":2}", 2, 2, "{\"\\ufffd\":1,\"\\ufffd\":2}"},
        {"\xef\xbb\xbf[1]", 1, 0, "[1]"},
        {"\xef\xbb\xbf", 0, 0, NULL},
        {"[nan]", 0, 0, NULL},
        {"[NaNs]", 0, 0, NULL},
        {"[--Infinity]", 0, 0, NULL},
        {"[+Infinity]", 0, 0, NULL},
        {"{NaN:1}", 0, 0, NULL},
        {"[NaN", 0, 0, NULL},
        {"[NaN,\"\\ud83d", 0, 0, NULL},
        {"[NaN,\"\\ud83", 0, 0, NULL},
        {"[NaN,\"\\", 0, 0, NULL},
        {"[\"\\ud8zz\"]", 0, 0, NULL},
        {"[NaN,\"\xff\"]", 0, 0, NULL},
        {"", 0, 0, NULL},
    };
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    json_parser_lenient(parser);
    /* More often than a parser keeps what only large documents need. */
    for (size_t i = 0; i < 100 * sizeof cases / sizeof *cases; i++) {
        size_t at = i % (sizeof cases / sizeof *cases), size = strlen(cases[at].text);
        char *source = mem_alloc(size);
        struct json doc;
        struct error err;
        if (size)
            memcpy(source, cases[at].text, size);
        int result = json_parse(parser, source, size, &doc, &err);
        assert_int_equal(result, cases[at].source ? 0 : -1);
        if (result == 0) {
            assert_int_equal(doc.mended, cases[at].mended);
            assert_int_equal(doc.mended_at, cases[at].at);
            assert_slice((struct slice){doc.source, doc.size}, cases[at].source);
        }
        free(source);
        struct parsed strict = parse(cases[at].text);
        assert_int_equal(strict.result, cases[at].source && cases[at].mended == 0 ? 0 : -1);
        parsed_done(&strict);
    }
    json_parser_free(parser);
}

static void test_an_answer(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1,\"a\":NaN}";
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    assert_int_equal(json_parse_answer(&arena, text, sizeof text - 1, &doc, &err), 0);
    assert_true(json_is(&doc, json_get(&doc, 0, "a"), JSON_NULL));
    assert_int_equal(json_count(&doc, 0), 1);
    assert_int_equal(json_parse_copy(&arena, text, sizeof text - 1, &doc, &err), -1);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),      cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_duplicates), cmocka_unit_test(test_lenient),  cmocka_unit_test(test_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
