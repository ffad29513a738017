/* Patterns of paths: what matches, what every match begins with, what a pattern stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/files/glob.h"

#include <string.h>

static void test_matches(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"*.csv", "a.csv", true},
        {"*.csv", "x/a.csv", false},
        {"**", "x/y/z", true},
        {"**/*.csv", "a.csv", true},
        {"**/*.csv", "x/y/a.csv", true},
        {"**/*.csv", "x/y/acsv", false},
        {"x/**/a", "x/a", true},
        {"x/**/a", "x/1/2/a", true},
        {"x/**/a", "xa", false},
        {"x/**/a", "x/ba", false},
        {"x/**", "x/", true},
        {"x/**", "y/x/1", false},
        {"a?c", "abc", true},
        {"a?c", "a/c", false},
        {"[a-c]1", "b1", true},
        {"[!a-c]1", "b1", false},
        {"[!a-c]1", "d1", true},
        {"[", "[", true},
        {"[]a]x", "]x", true},
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"a*b*c", "axxbyyc", true},
        {"a*b*c", "axxbyy", false},
        {"**.gz", "x/y.gz", true},
        {"a**b", "a/x/b", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (files_glob_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
    }
}

/* Patterns that others need ages for. */
static void test_hostile(void **state)
{
    char path[2001], pattern[501];
    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        pattern[i] = i % 2 ? '*' : 'a';
    pattern[sizeof pattern - 2] = 'b';
    pattern[sizeof pattern - 1] = '\0';
    assert_false(files_glob_matches(pattern, path));
}

static void test_expand(void **state)
{
    struct arena arena = {0};
    struct error err;
    size_t count;
    (void)state;
    const char *const *found = files_glob_expand("a/{b,c{1,2}}.x|d", &arena, &count, &err);
    assert_int_equal(count, 4);
    assert_string_equal(found[0], "a/b.x");
    assert_string_equal(found[1], "a/c1.x");
    assert_string_equal(found[2], "a/c2.x");
    assert_string_equal(found[3], "d");
    assert_string_equal(files_glob_prefix("a/b/*.x", &arena), "a/b/");
    assert_string_equal(files_glob_prefix("plain", &arena), "plain");
    assert_null(files_glob_expand("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", &arena, &count, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
    found = files_glob_expand("{open", &arena, &count, &err);
    assert_int_equal(count, 1);
    assert_string_equal(found[0], "{open");
    found = files_glob_expand("[{]{a,[,}]}", &arena, &count, &err);
    assert_int_equal(count, 2);
    assert_string_equal(found[1], "[{][,}]");
    assert_true(files_glob_matches(found[1], "{,"));
    arena_done(&arena);
}

static void test_check(void **state)
{
    static const char *const wrong[] = {"[", "a[b/*", "{a", "x/{a,{b}", "{a|b}", "[a|b]", "[!]"};
    static const char *const right[] = {"*", "", "[a-c]|{a,b}/**", "[[]", "[{]x", "a}", "{[}],b}", "[]]"};
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(files_glob_check(wrong[i], &err), -1);
        assert_non_null(strstr(err.message, " without its "));
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_int_equal(files_glob_check(right[i], &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches), cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_expand), cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
