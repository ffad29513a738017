/* Editing catalogs in place: before and after, byte for byte. */
#include "base/file.h"
#include "catalog/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* `at` is a pointer into the file; `after` NULL: it must be refused, with `error` in the message. */
struct edit_case {
    const char *name, *file, *before, *at, *values, *after, *error;
};

static const struct edit_case cases[] = {
    {"an empty file", "a.yaml", "", "", "{\"a\":1}", "a: 1\n"},
    {"comments only", "a.yaml", "# mine\n", "", "{\"a\":{\"b\":{\"c\":[1]}}}",
     "# mine\na:\n  b: { c: [1] }\n"},
    {"no line end at the end", "a.yaml", "a: 1", "", "{\"b\":2}", "a: 1\nb: 2\n"},
    {"a member behind the last", "a.yaml", "c:\n  x: 1\nd: 2\n", "/c", "{\"z\":2}",
     "c:\n  x: 1\n  z: 2\nd: 2\n"},
    {"what follows keeps its comment", "a.yaml", "c:\n  x: 1\n\n# of d\nd: 2\n", "/c", "{\"z\":2}",
     "c:\n  x: 1\n  z: 2\n\n# of d\nd: 2\n"},
    {"the block keeps its own", "a.yaml", "c:\n  x: 1 # one\n  # last words\nd: 2\n", "/c", "{\"z\":2}",
     "c:\n  x: 1 # one\n  # last words\n  z: 2\nd: 2\n"},
    {"another indentation", "a.yaml", "c:\n      x: 1\n", "/c", "{\"z\":{\"z\":{\"q\":1}}}",
     "c:\n      x: 1\n      z:\n        z: { q: 1 }\n"},
    {"a sequence not indented", "a.yaml", "c:\n- 1\n- 2\nd: 3\n", "/c", "[4]", "c:\n- 1\n- 2\n- 4\nd: 3\n"},
    {"a sequence indented", "a.yaml", "c:\n    - a: 1\n      b: 2\n", "/c", "[{\"a\":3,\"b\":{\"c\":1}}]",
     "c:\n    - a: 1\n      b: 2\n    - a: 3\n      b: { c: 1 }\n"},
    {"a block scalar last", "a.yaml", "c:\n  - |\n    # no comment\n\n    text\nd: 1\n", "/c", "[\"x\"]",
     "c:\n  - |\n    # no comment\n\n    text\n  - x\nd: 1\n"},
    {"an anchor", "a.yaml", "c: &c\n  x: 1\nd: *c\n", "/c", "{\"z\":2}", "c: &c\n  x: 1\n  z: 2\nd: *c\n"},
    {"an alias is refused", "a.yaml", "c: &c\n  x: 1\nd: *c\n", "/d", "{\"z\":2}", NULL,
     "stands for another one"},
    {"members of a merge stay", "a.yaml", "b: &b { x: 1 }\nc:\n  <<: *b\n  y: 2\n", "/c", "{\"z\":3}",
     "b: &b { x: 1 }\nc:\n  <<: *b\n  y: 2\n  z: 3\n"},
    {"items that are aliases", "a.yaml", "b: &b 1\nc:\n  - *b\n  - *b\nd: 2\n", "/c", "[3]",
     "b: &b 1\nc:\n  - *b\n  - *b\n  - 3\nd: 2\n"},
    {"nothing behind the colon", "a.yaml", "c:\nd: 1\n", "/c", "{\"x\":1}", "c:\n  x: 1\nd: 1\n"},
    {"nothing but a comment", "a.yaml", "c: # soon\nd: 1\n", "/c", "{\"x\":1}", "c: # soon\n  x: 1\nd: 1\n"},
    {"null", "a.yaml", "c: null\nd: 1\n", "/c", "[1]", "c:\n  - 1\nd: 1\n"},
    {"tilde", "a.yaml", "c: ~", "/c", "[1]", "c:\n  - 1\n"},
    {"empty brackets", "a.yaml", "c: [] # none yet\nd: 1\n", "/c", "[{\"a\":1}]",
     "c: # none yet\n  - { a: 1 }\nd: 1\n"},
    {"empty braces", "a.yaml", "c: {}\n", "/c", "{\"x\":1,\"z\":2}", "c:\n  x: 1\n  z: 2\n"},
    {"brackets", "a.yaml", "c: [1, 2]\n", "/c", "[3,4]", "c: [1, 2, 3, 4]\n"},
    {"braces", "a.yaml", "c: { x: 1 } # mine\n", "/c", "{\"z\":2}", "c: { x: 1, \"z\": 2 } # mine\n"},
    {"brackets over lines", "a.yaml", "c: [\n    1, # one\n    2, # two\n  ]\n", "/c", "[3]",
     "c: [\n    1, # one\n    2,\n    3 # two\n  ]\n"},
    {"brackets in strings", "a.yaml", "c: ['a]', \"b]\\\"\", it's]\n", "/c", "[\"d\"]",
     "c: ['a]', \"b]\\\"\", it's, \"d\"]\n"},
    {"empty within braces", "a.yaml", "c: { x: [], y: 1 }\n", "/c/x", "[1,2]", "c: { x: [1, 2], y: 1 }\n"},
    {"carriage returns", "a.yaml", "c:\r\n  x: 1\r\n", "/c", "{\"z\":2}", "c:\r\n  x: 1\r\n  z: 2\r\n"},
    {"an end of the document", "a.yaml", "c:\n  x: 1\n...\n", "/c", "{\"z\":2}", "c:\n  x: 1\n  z: 2\n...\n"},
    {"a begin of it", "a.yaml", "---\nc:\n  x: 1\n", "", "{\"z\":2}", "---\nc:\n  x: 1\nz: 2\n"},
    {"wide characters before", "a.yaml", "\"\xc3\xa4\xf0\x9f\x98\x80\": { x: [1] }\n",
     "/\xc3\xa4\xf0\x9f\x98\x80/x", "[2]", "\"\xc3\xa4\xf0\x9f\x98\x80\": { x: [1, 2] }\n"},
    {"comments of ours", "a.yaml", "c:\n  x: 1\n", "/c", "{\"z\":{\"#\":\"why\",\"z\":1}}",
     "c:\n  x: 1\n  z:\n    # why\n    z: 1\n"},
    {"strings that look like others", "a.yaml", "", "",
     "{\"a\":\"yes\",\"b\":\"1\",\"c\":\"x: y\",\"d\":\"# "
     "no\",\"e\":\"\",\"f\":\"a\\nb\",\"no\":1,\"g\":\"$x\"}",
     "a: \"yes\"\nb: \"1\"\nc: \"x: y\"\nd: \"# no\"\ne: \"\"\nf: \"a\\nb\"\n\"no\": 1\ng: $x\n"},
    {"strings that YAML would refuse", "a.yaml", "", "",
     "{\"a\":\"\x7f\xc2\x85\xe2\x80\xa8\xef\xbf\xbe\",\"b\":\"\\ud83d\\ude00\\/"
     "\",\"c\":{\"#\":\"x\xc2\x85y\x7f\",\"d\":1}}",
     "a: \"\\u007f\\u0085\\u2028\\ufffe\"\nb: \"\xf0\x9f\x98\x80/\"\nc:\n  # x y \n  d: 1\n", NULL},
    {"JSON", "a.json", "{\n  \"c\": {\n    \"x\": 1\n  }\n}\n", "/c", "{\"z\":[2]}",
     "{\n  \"c\": {\n    \"x\": 1,\n    \"z\": [\n      2\n    ]\n  }\n}\n"},
    {"JSON, four spaces", "a.json", "{\n    \"c\": [\n        1\n    ]\n}\n", "/c", "[2,3]",
     "{\n    \"c\": [\n        1,\n        2,\n        3\n    ]\n}\n"},
    {"JSON, empty", "a.json", "{}\n", "", "{\"a\":1,\"b\":{}}", "{\n  \"a\": 1,\n  \"b\": {}\n}\n"},
    {"JSON, empty over lines", "a.json", "{\n}\n", "", "{\"a\":1}", "{\n  \"a\": 1\n}\n"},
    {"JSON on a line", "a.json", "{\"c\":[1],\"d\":2}", "/c", "[2]", "{\"c\":[1, 2],\"d\":2}"},
    {"JSON, brackets in strings", "a.json", "{\"c\":[\"]\\\"\"]}", "/c", "[2]", "{\"c\":[\"]\\\"\", 2]}"},
    {"another kind", "a.yaml", "c: [1]\n", "/c", "{\"x\":1}", NULL, "of another kind"},
};

static int change(const struct edit_case *one, struct arena *arena, struct buffer *out, struct error *err)
{
    struct edit edit;
    struct json values;
    assert_int_equal(json_parse_copy(arena, one->values, strlen(one->values), &values, err), 0);
    if (edit_open(&edit, arena, one->file, slice_of(one->before), err) < 0)
        fail_msg("%s: %s", one->name, err->message);
    uint32_t at = json_pointer(&edit.doc.json, 0, slice_of(one->at));
    assert_int_not_equal(at, JSON_NONE);
    int result = edit_add(&edit, at, &values, err);
    return result < 0 ? -1 : edit_finish(&edit, out, err);
}

/* `values` in the place of what is at `at`. */
static const struct edit_case replacements[] = {
    {"a word", "a.yaml", "a:\n  target: x # mine\nb: 1\n", "/a/target", "\"acmeCo/y\"",
     "a:\n  target: acmeCo/y # mine\nb: 1\n"},
    {"a word that must be quoted", "a.yaml", "a: x\n", "/a", "\"yes\"", "a: \"yes\"\n"},
    {"a quoted one", "a.yaml", "a: \"x # y\" # mine\n", "/a", "true", "a: true # mine\n"},
    {"a number", "a.yaml", "- backfill: 1\n  b: 2", "/0/backfill", "2", "- backfill: 2\n  b: 2"},
    {"between braces", "a.yaml", "- { a: 1, t: x/y, b: [2] }\n", "/0/t", "\"z\"",
     "- { a: 1, t: \"z\", b: [2] }\n"},
    {"last between braces", "a.yaml", "- {t: x}\n", "/0/t", "\"z\"", "- {t: \"z\"}\n"},
    {"an array", "a.yaml", "key: [/id] # mine\nb: 1\n", "/key", "[\"/a\",\"/b\"]",
     "key:\n  - /a\n  - /b # mine\nb: 1\n"},
    {"a block", "a.yaml", "s:\n  type: object\n  # old\n  x: { y: 1 }\n# of b\nb: 1\n", "/s",
     "{\"type\":\"string\"}", "s:\n  type: string\n# of b\nb: 1\n"},
    {"a block at the end", "a.yaml", "b: 1\ns:\n  type: object\n", "/s", "{\"type\":\"string\"}",
     "b: 1\ns:\n  type: string\n"},
    {"a sequence not indented", "a.yaml", "k:\n- 1\n- 2\nb: 1\n", "/k", "[3]", "k:\n  - 3\nb: 1\n"},
    {"JSON", "a.json", "{\"a\": [{\"t\": \"x\", \"k\": [1, 2]}]}\n", "/a/0/k", "[3]",
     "{\"a\": [{\"t\": \"x\", \"k\": [\n  3\n]}]}\n"},
    {"JSON's scalar", "a.json", "{\"a\":false}", "/a", "true", "{\"a\":true}"},
    {"an alias", "a.yaml", "a: &a x\nb: *a\n", "/b", "1", NULL, "stands for another one"},
    {"what an alias stands for", "a.yaml", "a: &a x\nb: *a\n", "/a", "1", NULL, "a.yaml"},
    {"several lines of a word", "a.yaml", "a: x\n  y\nb: 1\n", "/a", "1", NULL, "a.yaml"},
    {"several lines of a text", "a.yaml", "a: |\n  y\nb: 1\n", "/a", "1", NULL, "a.yaml"},
    {"nothing", "a.yaml", "a:\nb: 1\n", "/a", "1", NULL, "there is no value"},
};

static void test_replacing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++) {
        const struct edit_case *one = &replacements[i];
        struct arena arena;
        struct buffer out;
        struct edit edit;
        struct json values;
        struct error err = {0};
        arena_init(&arena);
        buffer_init(&out, 1 << 20);
        assert_int_equal(json_parse_copy(&arena, one->values, strlen(one->values), &values, &err), 0);
        assert_int_equal(edit_open(&edit, &arena, one->file, slice_of(one->before), &err), 0);
        int result = edit_set(&edit, json_pointer(&edit.doc.json, 0, slice_of(one->at)), &values, &err);
        if (result == 0)
            result = edit_finish(&edit, &out, &err);
        bool right = one->after ? result == 0 && strcmp(buffer_cstr(&out), one->after) == 0
                                : result < 0 && strstr(err.message, one->error);
        if (!right)
            fail_msg("%s: got %d\n%s\n%s\n", one->name, result, err.message, buffer_cstr(&out));
        buffer_done(&out);
        arena_done(&arena);
    }
}

static void test_cases(void **state)
{
    size_t failed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct edit_case *one = &cases[i];
        struct arena arena;
        struct buffer out;
        struct error err = {0};
        arena_init(&arena);
        buffer_init(&out, 1 << 20);
        int result = change(one, &arena, &out, &err);
        bool right = one->after ? result == 0 && strcmp(buffer_cstr(&out), one->after) == 0
                                : result < 0 && strstr(err.message, one->error);
        if (!right) {
            print_error("%s: got %d\n%s\n%s\n", one->name, result, err.message, buffer_cstr(&out));
            failed++;
        }
        buffer_done(&out);
        arena_done(&arena);
    }
    assert_int_equal(failed, 0);
}

/* --- several files --------------------------------------------------------------------------------- */

static char *make_folder(void)
{
    char *folder = mem_strdup("/tmp/firth-edit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void put_file(const char *path, const char *text)
{
    struct error err;
    assert_int_equal(file_replace(path, text, strlen(text), 0640, &err), 0);
}

static void assert_file(const char *path, const char *text)
{
    struct buffer content;
    struct error err;
    buffer_init(&content, 1 << 20);
    assert_int_equal(file_read(path, 1 << 20, &content, &err), 0);
    assert_string_equal(buffer_cstr(&content), text);
    buffer_done(&content);
}

static void test_all_files_or_none(void **state)
{
    (void)state;
    struct error err;
    struct stat found;
    auto_free char *folder = make_folder(), *a = mem_printf("%s/a", folder), *b = mem_printf("%s/b", folder);
    auto_free char *lost = mem_printf("%s/b/x", folder), *wall = mem_printf("%s/wall", folder);
    put_file(a, "old");
    struct edit_file fine[] = {{.path = a, .content = SLICE_LITERAL("new"), .mode = 0644},
                               {.path = b, .content = SLICE_LITERAL("secret"), .mode = 0600}};
    assert_int_equal(edit_replace_files(fine, 2, &err), 0);
    assert_file(a, "new");
    assert_file(b, "secret");
    assert_true(fine[0].present);
    assert_false(fine[1].present);
    assert_int_equal(stat(a, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0640); /* as strict as it was */
    assert_int_equal(stat(b, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    /* One cannot be written: none is. */
    struct edit_file bad[] = {{.path = a, .content = SLICE_LITERAL("newer"), .mode = 0644},
                              {.path = lost, .content = SLICE_LITERAL("x"), .mode = 0644}};
    assert_int_equal(edit_replace_files(bad, 2, &err), -1);
    assert_file(a, "new");
    /* One cannot be renamed: those before it are put back. */
    assert_int_equal(mkdir(wall, 0755), 0);
    auto_free char *fresh = mem_printf("%s/c", folder);
    struct edit_file late[] = {{.path = a, .content = SLICE_LITERAL("newer"), .mode = 0644},
                               {.path = fresh, .content = SLICE_LITERAL("x"), .mode = 0644},
                               {.path = wall, .content = SLICE_LITERAL("x"), .mode = 0644}};
    assert_int_equal(edit_replace_files(late, 3, &err), -1);
    assert_file(a, "new");
    assert_false(file_exists(fresh));
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_replacing),
        cmocka_unit_test(test_all_files_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
