/* YAML and JSON text against the JSON that must come of it, or the problems, with their places. */
#include "base/file.h"
#include "yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct problems {
    struct buffer text;
    size_t count;
};

static void note(void *context, struct yaml_position at, const char *message)
{
    struct problems *problems = context;
    buffer_printf(&problems->text, "%s%u:%u: %s", problems->count++ ? "\n" : "", at.line, at.column, message);
}

struct read_case {
    const char *source;
    const char *json;     /* NULL: no document comes of it */
    const char *problems; /* NULL: none; lines joined by \n */
};

/* Is what came what was expected? If not, show both and count it: a table tells more when it runs to its end.
 */
static void compare(const char *source, const char *what, const char *got, const char *expected,
                    size_t *wrong)
{
    if (strcmp(got, expected) == 0)
        return;
    print_error("--- %s\n%s:\n%s\nexpected:\n%s\n", source, what, got, expected);
    ++*wrong;
}

static void check(const struct read_case *test, enum yaml_syntax syntax, size_t size, size_t *wrong)
{
    struct arena arena;
    arena_init(&arena);
    struct problems problems = {.count = 0};
    buffer_init(&problems.text, 1 << 20);
    struct yaml_document doc;
    struct error err;
    struct slice source = {test->source, size};
    int result = yaml_parse(&arena, "f", syntax, source, note, &problems, &doc, &err);
    const char *json = result == 0 ? arena_strndup(&arena, doc.json.source, doc.json.size) : "no document";
    compare(test->source, "JSON", json, test->json ? test->json : "no document", wrong);
    compare(test->source, "problems", buffer_cstr(&problems.text), test->problems ? test->problems : "",
            wrong);
    /* Without a callback the first problem is the error, with its place. */
    const char *first = "", *expected = "";
    if (yaml_parse(&arena, "f", syntax, source, NULL, NULL, &doc, &err) < 0)
        first = arena_strdup(&arena, err.message);
    if (test->problems)
        expected = arena_printf(&arena, "f:%.*s", (int)strcspn(test->problems, "\n"), test->problems);
    compare(test->source, "error", first, expected, wrong);
    buffer_done(&problems.text);
    arena_done(&arena);
}

static void check_all(const struct read_case *cases, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        check(&cases[i], YAML_SYNTAX_YAML, strlen(cases[i].source), &wrong);
    assert_int_equal(wrong, 0);
}

static void test_yaml(void **state)
{
    static const struct read_case cases[] = {
        {"", "null", NULL},
        {"# nothing\n", "null", NULL},
        {"a: 1\nb: [x, \"y\", 'it''s', null, ~, ]\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"it's\",null,null]}",
         NULL},
        {"a:\n- b\n- c: d\n  e:\n", "{\"a\":[\"b\",{\"c\":\"d\",\"e\":null}]}", NULL},
        {"\xef\xbb\xbfk: v\r\nl: w\r\n", "{\"k\":\"v\",\"l\":\"w\"}", NULL},
        {"a: |\n  x\n  y\nb: >-\n  p\n  q\n", "{\"a\":\"x\\ny\\n\",\"b\":\"p q\"}", NULL},
        {"a: \"\\0\\x41\\u00e9\\n\"\n", "{\"a\":\"\\u0000A\xc3\xa9\\n\"}", NULL},
        {"? a\n: b\n", "{\"a\":\"b\"}", NULL},
        /* Quotes in a row, and breaks in quotes: what libfyaml 0.7 gets wrong. */
        {"a: 'x('''') }'\nb: ''''''\nc: ['''a''', ''' ''''', 'k''''']\n'd''''e': 1\n",
         "{\"a\":\"x('') }\",\"b\":\"''\",\"c\":[\"'a'\",\"' ''\",\"k''\"],\"d''e\":1}", NULL},
        {"\xef\xbb\xbf'a''''': 'b '''' \n   \n  c\t\r\n  ''d'\n", "{\"a''\":\"b ''\\nc 'd\"}", NULL},
        {"a: \"x\\\\ \\\n  \\ y\\\n\n  z\\t\n  \\L\\u00e9\\x41\\\"\"\n",
         "{\"a\":\"x\\\\  y\\nz\\t \xe2\x80\xa8\xc3\xa9"
         "A\\\"\"}",
         NULL},
        /* Folded lines beside such as are indented more, nothing at all, and no break at the end. */
        {"a: >\n   x\n   y\n\n    z\n\n\n   w\n   v\nb: >\nc:\n- |+\n  x\n\n- - >1- # | >\r\n    x\r\n\r\n   "
         "y",
         "{\"a\":\"x y\\n\\n z\\n\\n\\nw v\\n\",\"b\":\"\",\"c\":[\"x\\n\\n\",[\" x\\n\\ny\"]]}", NULL},
        {"a: |\n x", "{\"a\":\"x\"}", NULL},
        {"1: a\ntrue: b\n~: c\n", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\"}", NULL},
        {"${A}/${B}: ${C}\n", "{\"${A}/${B}\":\"${C}\"}", NULL},
        /* The core schema: what is a boolean, and what is not one any more. */
        {"[true, True, TRUE, tRUE, yes, no, on, off, y, n]",
         "[true,true,true,\"tRUE\",\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\"]", NULL},
        {"[null, Null, NULL, nULL]", "[null,null,null,\"nULL\"]", NULL},
        /* Numbers keep their text where it is JSON, whatever their size. */
        {"[0, -0, 12345678901234567890.10, 123456789012345678901234567890, 1e400, -1.5E-7, 1.0]",
         "[0,-0,12345678901234567890.10,123456789012345678901234567890,1e400,-1.5E-7,1.0]", NULL},
        {"[+1, .5, -.5, 1., +1.e3]", "[1,0.5,-0.5,1.0,1.0e3]", NULL},
        {"[0x1F, 0o17, 0xFFFFFFFFFFFFFFFF]", "[31,15,18446744073709551615]", NULL},
        {"[007, 00501, 0x, 0o8, 1_000, 1:30, 2024-01-01, 1e, ., -x, '1']",
         "[\"007\",\"00501\",\"0x\",\"0o8\",\"1_000\",\"1:30\",\"2024-01-01\",\"1e\",\".\",\"-x\",\"1\"]",
         NULL},
        {"[!!str 1, ! 1, !!int \"3\", !!str null, !!null '']", "[\"1\",\"1\",3,\"null\",null]", NULL},
        {"[!!int 007, !!int -0x, !!int 0x1F, !!int -007, !!int 0, !!float 5, !!float 007.50, !!bool True, "
         "!!null ~]",
         "[7,null,31,-7,0,5,7.50,true,null]", "1:19: this is not a whole number, which its tag !!int wants"},
        {"a: !!int 1.5\nb: !!float hunter2\nc: !!bool yes\nd: !!null x\ne: !!float .inf\nf: !!int\n",
         "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null}",
         "1:10: this is not a whole number, which its tag !!int wants\n"
         "2:12: this is not a number, which its tag !!float wants\n"
         "3:11: this is not true or false, which its tag !!bool wants\n"
         "4:11: this is not null, ~ or nothing, which its tag !!null wants\n"
         "5:12: this is not a number, which its tag !!float wants\n"
         "6:1: this is not a whole number, which its tag !!int wants"},
        /* Variables are for others to expand. */
        {"a: !!int ${N}\nb: [!!bool \"${B}\", !!str \"${S}\"]\n",
         "{\"a\":\"${N}\",\"b\":[\"${B}\",\"${S}\"]}", NULL},
        /* Anchors, aliases, merge keys. */
        {"a: &x {b: 1}\nc: *x\nd: [*x, &y 2, *y]\n",
         "{\"a\":{\"b\":1},\"c\":{\"b\":1},\"d\":[{\"b\":1},2,2]}", NULL},
        {"&k key: 1\nother: *k\n", "{\"key\":1,\"other\":\"key\"}", NULL},
        {"a: &x k\n*x : v\n", "{\"a\":\"k\",\"k\":\"v\"}", NULL},
        {"a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n  r: 4\n",
         "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"r\":4,\"p\":1}}", NULL},
        {"- &a {x: 1}\n- &b {x: 2, y: 2}\n- <<: [*a, *b]\n",
         "[{\"x\":1},{\"x\":2,\"y\":2},{\"x\":1,\"y\":2}]", NULL},
        {"- &a {x: 1}\n- &b {<<: *a, y: 2}\n- {<<: *b, z: 3}\n",
         "[{\"x\":1},{\"y\":2,\"x\":1},{\"z\":3,\"y\":2,\"x\":1}]", NULL},
        {"'<<': 1\n", "{\"<<\":1}", NULL},
    };
    (void)state;
    check_all(cases, sizeof cases / sizeof *cases);
}

static void test_yaml_problems(void **state)
{
    static const struct read_case cases[] = {
        /* Those that leave a document. */
        {"a: 1\nb: 2\na: 3\n", "{\"a\":1,\"b\":2}",
         "3:1: the key 'a' is here twice; the first is at line 1, column 1"},
        {"x:\n  \"k\": 1\n  k: 2\n  k: 3\n", "{\"x\":{\"k\":1}}",
         "3:3: the key 'k' is here twice; the first is at line 2, column 3\n"
         "4:3: the key 'k' is here twice; the first is at line 2, column 3"},
        {"a: .inf\nb: -.INF\nc: .nan\n", "{\"a\":null,\"b\":null,\"c\":null}",
         "1:4: .inf is a number that JSON does not have; put it in quotes if text is meant\n"
         "2:4: -.INF is a number that JSON does not have; put it in quotes if text is meant\n"
         "3:4: .nan is a number that JSON does not have; put it in quotes if text is meant"},
        {"a: 0x10000000000000000\n", "{\"a\":0}",
         "1:4: this number has more than 64 bits; write it in decimal, or in quotes if text is meant"},
        {"a: *x\n", "{\"a\":null}", "1:4: there is no anchor &x before this alias"},
        {"a: &x 1\nb: {<<: *x}\n", "{\"a\":1,\"b\":{}}",
         "2:9: '<<' merges mappings: an alias like *name, or a list of such"},
        {"a: &x [[]]\nb: {<<: *x}\n", "{\"a\":[[]],\"b\":{}}",
         "1:8: '<<' merges mappings, not lists of lists"},
        /* Those that end it. */
        {"a: 1\n---\nb: 2\n", NULL,
         "3:1: a second document begins here (after ---); one file holds one document"},
        {"[x]: 1\n", NULL, "1:1: a key must be plain text, not a list or a mapping"},
        {"? {a: b}\n: 1\n", NULL, "1:3: a key must be plain text, not a list or a mapping"},
        {"a: &x []\n*x : 1\n", NULL, "2:1: a key must be plain text, not a list or a mapping"},
        {"a: &x [*x]\n", NULL, "1:8: the alias *x stands inside of what it names"},
        {"a: !foo 1\n", NULL, "1:9: the tag !foo is not one that this file may use; remove it"},
        {"a: !!binary aGk=\n", NULL,
         "1:13: the tag tag:yaml.org,2002:binary is not one that this file may use; remove it"},
        {"a: !!set {b}\n", NULL,
         "1:10: the tag tag:yaml.org,2002:set is not one that this file may use; remove it"},
        {"a:\n\t- b\n", NULL, "2:1: not valid YAML: a tab in the indentation; YAML wants spaces"},
        {"a: b: c\n", NULL,
         "1:5: not valid YAML: a second ': ' in one line; put the value in quotes if the ':' belongs to it"},
        {"a: [b\n", NULL, "2:1: not valid YAML: a list that begins with [ has no closing ]"},
        {"a:\n  b: {c: [d\ne:\n  - f: g\n", NULL,
         "3:2: not valid YAML: this line has a key, but a [ or { that began before it has no closing ] or }, "
         "or "
         "goes on in a line that is indented too little"},
        {"{a: [1, 2}\n", NULL,
         "1:10: not valid YAML: a } stands where the ] of a list that begins with [ should be"},
        {"[{a: 1]\n", NULL,
         "1:7: not valid YAML: a ] stands where the } of a mapping that begins with { should be"},
        {"a: {b: c\n", NULL,
         "2:1: not valid YAML: a ',' or '}' is missing; text with { or } in it must be in quotes inside of { "
         "}"},
        {"a: \"b\n", NULL, "1:5: not valid YAML: a text that begins with \" has no closing \""},
        {"a: 'b\n", NULL, "1:5: not valid YAML: a text that begins with ' has no closing '"},
        {"a:\n  - b\n c: d\n", NULL, "3:2: not valid YAML: this line's indentation fits no line above it"},
        {"a: @x\n", NULL, "1:4: not valid YAML: plain scalar cannot start with '@'"},
        {"a: {${P}: 1}\n", NULL,
         "1:6: not valid YAML: a ',' or '}' is missing; text with { or } in it must be in quotes inside of { "
         "}"},
        {"a: \"\\ud83d\"\n", NULL,
         "1:5: not valid YAML: an escape for half a character; write the character itself"},
        {"a: b\n\xc3\xa9: \xff\n", NULL, "2:4: the byte 0xff is not UTF-8"},
        {"a: \xc3", NULL, "1:4: the byte 0xc3 is not UTF-8"},
        {"a: \x80", NULL, "1:4: the byte 0x80 is not UTF-8"},
        {"a: \x01\n", NULL, "1:4: the control character 0x01; this is not a text file"},
        {"PK\x03\x04", NULL, "1:3: the control character 0x03; this is not a text file"},
    };
    (void)state;
    size_t wrong = 0;
    check_all(cases, sizeof cases / sizeof *cases);
    static const struct read_case nul = {"a: b\0c\n", NULL,
                                         "1:5: the control character 0x00; this is not a text file"};
    check(&nul, YAML_SYNTAX_YAML, 7, &wrong);
    assert_int_equal(wrong, 0);
}

static void test_json(void **state)
{
    static const struct read_case cases[] = {
        {"{\"a\": [1, 1e999, 123456789012345678901234567890]}",
         "{\"a\": [1, 1e999, 123456789012345678901234567890]}", NULL},
        {"{\"a\": \"\\ud83d\\ude00\"}", "{\"a\": \"\\ud83d\\ude00\"}", NULL},
    };
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i], YAML_SYNTAX_JSON, strlen(cases[i].source), &wrong);
    assert_int_equal(wrong, 0);
}

/* The JSON reader words its own errors; here it matters that each has its place. */
static void test_json_places(void **state)
{
    static const struct {
        const char *source, *begins;
    } cases[] = {
        {"{\"a\": tru}", "f:1:7: not valid JSON: "},
        {"{\n \"a\": 1,\n \"\xc3\xa9\": 01\n}", "f:3:7: not valid JSON: "},
        {"{\"a\": 1,\n \"a\": 2}", "f:2:2: not valid JSON: "},
        {"{\"a\": 1} x", "f:1:10: not valid JSON: "},
        {"", "f:1:1: not valid JSON: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena);
        struct yaml_document doc;
        struct error err = {0};
        assert_int_equal(
            yaml_parse(&arena, "f", YAML_SYNTAX_JSON, slice_of(cases[i].source), NULL, NULL, &doc, &err), -1);
        if (!string_starts_with(err.message, cases[i].begins))
            fail_msg("%s: %s", cases[i].source, err.message);
        arena_done(&arena);
    }
}

static void test_positions(void **state)
{
    static const struct {
        enum yaml_syntax syntax;
        const char *source, *pointer;
        uint32_t line, column;
    } cases[] = {
        {YAML_SYNTAX_YAML, "a: 1\nb:\n  - x\n  - c: \"d\"\n", "", 1, 1},
        {YAML_SYNTAX_YAML, "a: 1\nb:\n  - x\n  - c: \"d\"\n", "/a", 1, 4},
        {YAML_SYNTAX_YAML, "a: 1\nb:\n  - x\n  - c: \"d\"\n", "/b", 3, 3},
        {YAML_SYNTAX_YAML, "a: 1\nb:\n  - x\n  - c: \"d\"\n", "/b/1/c", 4, 8},
        {YAML_SYNTAX_YAML, "\xc3\xa9\xc3\xa9: x\n", "/\xc3\xa9\xc3\xa9", 1, 5},
        {YAML_SYNTAX_YAML, "a:\nb: 1\n", "/a", 1, 1},
        {YAML_SYNTAX_YAML, "a: &x\n  k: v\nb: *x\n", "/b", 3, 4},
        {YAML_SYNTAX_YAML, "a: &x\n  k: v\nb: *x\n", "/b/k", 2, 6},
        {YAML_SYNTAX_YAML, "a: &x\n  k: v\nb:\n  <<: *x\n", "/b/k", 2, 6},
        {YAML_SYNTAX_YAML, "a: |\n  text\n", "/a", 2, 1},
        {YAML_SYNTAX_JSON, "{\"a\": [1,\n  {\"\xc3\xa9\": true}]}", "/a", 1, 7},
        {YAML_SYNTAX_JSON, "{\"a\": [1,\n  {\"\xc3\xa9\": true}]}", "/a/1/\xc3\xa9", 2, 9},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena);
        struct yaml_document doc;
        struct error err;
        assert_int_equal(
            yaml_parse(&arena, "f", cases[i].syntax, slice_of(cases[i].source), NULL, NULL, &doc, &err), 0);
        uint32_t at = json_pointer(&doc.json, 0, slice_of(cases[i].pointer));
        assert_int_not_equal(at, JSON_NONE);
        struct yaml_position position = yaml_position(&doc, at);
        if (position.line != cases[i].line || position.column != cases[i].column)
            fail_msg("%s in %s is at %u:%u", cases[i].pointer, cases[i].source, position.line,
                     position.column);
        arena_done(&arena);
    }
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void expect_limit(struct buffer *source, const char *message)
{
    struct arena arena;
    arena_init(&arena);
    struct yaml_document doc;
    struct error err = {0};
    assert_false(source->overflowed);
    assert_int_equal(yaml_parse(&arena, "f", YAML_SYNTAX_YAML, (struct slice){source->data, source->size},
                                NULL, NULL, &doc, &err),
                     -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    if (!strstr(err.message, message))
        fail_msg("%s", err.message);
    buffer_done(source);
    arena_done(&arena);
}

static void test_limits(void **state)
{
    (void)state;
    struct buffer source;
    /* Billion laughs, by aliases: few lines, 9^20 values. */
    buffer_init(&source, 1 << 20);
    buffer_str(&source, "a0: &a0 [x]\n");
    for (int i = 1; i <= 20; i++) {
        buffer_printf(&source, "a%d: &a%d [", i, i);
        for (int j = 0; j < 9; j++)
            buffer_printf(&source, "*a%d,", i - 1);
        buffer_str(&source, "]\n");
    }
    expect_limit(&source, "aliases and merge keys expand to more than 4194304 values");
    /* The same by text: one long value, often. */
    buffer_init(&source, 4 << 20);
    buffer_str(&source, "a: &a '");
    for (int i = 0; i < 1 << 20; i++)
        buffer_byte(&source, 'x');
    buffer_str(&source, "'\nb: [");
    for (int i = 0; i < 100; i++)
        buffer_str(&source, "*a,");
    buffer_str(&source, "]\n");
    expect_limit(&source, "expand to more than 64 MiB");
    /* And by merges whose members are all dropped: nothing is written, but much is looked at. */
    buffer_init(&source, 1 << 20);
    buffer_str(&source, "a0: &a0 {x: 1}\n");
    for (int i = 1; i <= 20; i++) {
        buffer_printf(&source, "a%d: &a%d {<<: [", i, i);
        for (int j = 0; j < 9; j++)
            buffer_printf(&source, "*a%d,", i - 1);
        buffer_str(&source, "]}\n");
    }
    expect_limit(&source, "expand to more than 4194304 values");
    buffer_init(&source, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buffer_byte(&source, '[');
    expect_limit(&source, "f:1:129: more than 128 levels of nesting");
    buffer_init(&source, 1 << 20);
    buffer_str(&source, "a0: &a0 [x]\n");
    for (int i = 1; i <= 200; i++)
        buffer_printf(&source, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    expect_limit(&source, "aliases expand to more than 128 levels of nesting");
    buffer_init(&source, 16 << 20);
    for (int i = 0; i < 4200000; i++)
        buffer_str(&source, "-\n");
    expect_limit(&source, "more than 4194304 values in one file");
    buffer_init(&source, 80 << 20);
    for (int i = 0; i < 7 << 20; i++)
        buffer_str(&source, "# 12345678\n");
    expect_limit(&source, "f: the file has more than 64 MiB, which is the limit");
}

static void test_load(void **state)
{
    (void)state;
    char folder[] = "/tmp/firth-test-yaml-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct arena arena;
    arena_init(&arena);
    struct yaml_document doc;
    struct error err;
    const char *path = arena_printf(&arena, "%s/a.yaml", folder);
    assert_int_equal(yaml_load(&arena, path, NULL, NULL, &doc, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "a.yaml"));
    assert_int_equal(yaml_load(&arena, folder, NULL, NULL, &doc, &err), -1);
    assert_non_null(strstr(err.message, "is a folder"));
    assert_int_equal(file_replace(path, "a: b\n", 5, 0600, &err), 0);
    assert_int_equal(yaml_load(&arena, path, NULL, NULL, &doc, &err), 0);
    assert_true(json_string_is(&doc.json, json_get(&doc.json, 0, "a"), "b"));
    path = arena_printf(&arena, "%s/a.json", folder);
    assert_int_equal(file_replace(path, "a: b\n", 5, 0600, &err), 0);
    assert_int_equal(yaml_load(&arena, path, NULL, NULL, &doc, &err), -1);
    assert_non_null(strstr(err.message, "a.json:1:1: not valid JSON: "));
    assert_int_equal(file_remove_tree(folder, &err), 0);
    arena_done(&arena);
}

static void test_deferred(void **state)
{
    (void)state;
    static const char text[] = "x: 1\nport: &p !!int ${PORT}\nlist: [!!float \"${A}\", *p, !!bool '${B}', "
                               "\"${C}\"]\n<<: {z: !!null \"${D}\"}\n";
    static const struct {
        const char *pointer;
        enum yaml_tag tag;
    } cases[] = {
        {"/x", YAML_TAG_NONE},       {"/port", YAML_TAG_INT},   {"/list", YAML_TAG_NONE},
        {"/list/0", YAML_TAG_FLOAT}, {"/list/1", YAML_TAG_INT}, {"/list/2", YAML_TAG_BOOL},
        {"/list/3", YAML_TAG_NONE},  {"/z", YAML_TAG_NULL},
    };
    struct arena arena;
    struct yaml_document doc;
    struct error err;
    arena_init(&arena);
    assert_int_equal(yaml_parse(&arena, "x.yaml", YAML_SYNTAX_YAML, slice_of(text), NULL, NULL, &doc, &err),
                     0);
    assert_int_equal(doc.deferred_count, 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(yaml_deferred_tag(&doc, json_pointer(&doc.json, 0, slice_of(cases[i].pointer))),
                         cases[i].tag);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml),      cmocka_unit_test(test_yaml_problems),
        cmocka_unit_test(test_json),      cmocka_unit_test(test_json_places),
        cmocka_unit_test(test_positions), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_load),      cmocka_unit_test(test_deferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
