/* Names of written files: what templates make, which are refused, and whose a file is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/files/names.h"

#include <stdlib.h>
#include <string.h>

static const struct files_name name = {.stream = "or/ders",
                                       .name_space = "shop",
                                       .task = "",
                                       .generation = 3,
                                       .part = 7,
                                       .sync = 12,
                                       .time_ms = 1706745600123, /* 2024-02-01T00:00:00.123Z */
                                       .random = 0xabcdef0123456789,
                                       .ending = ".jsonl.gz"};

static void test_templates(void **state)
{
    static const struct {
        const char *template, *begins, *prefix;
    } cases[] = {
        {"{namespace}/{stream}/", "shop/or_ders/firth_", "shop/or_ders/"},
        {"${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_",
         "shop/or_ders/2024_02_01_1706745600123_firth_", "shop/or_ders/"},
        {"{date}/{stream}/{hour}{minute}{second}/", "2024-02-01/or_ders/000000/firth_", ""},
        {"x{generation}-{part_number}-{sync_id}/{stream}", "x3-000007-12/or_dersfirth_", "x"},
        {"a{b/{stream}", "a{b/or_dersfirth_", "a{b/or_ders"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        char *made = files_template_name(cases[i].template, &name);
        char *prefix = files_template_prefix(cases[i].template, &name);
        if (i < 4)
            assert_int_equal(files_template_check(cases[i].template, &err), 0);
        assert_memory_equal(made, cases[i].begins, strlen(cases[i].begins));
        assert_string_equal(prefix, cases[i].prefix);
        assert_non_null(strstr(made, "_g3_1706745600123_000007_23456789.jsonl.gz"));
        free(made);
        free(prefix);
    }
    struct files_name bare = name;
    bare.name_space = NULL;
    char *made = files_template_name("{namespace}/{stream}/", &bare);
    assert_memory_equal(made, "or_ders/", 8);
    free(made);
    /* No step is longer than a file system's names may be, and two streams have two. */
    char longer[2][261] = {{0}};
    for (int i = 0; i < 2; i++) {
        memset(longer[i], 'x', 260);
        longer[i][259] = (char)('a' + i);
    }
    bare.stream = longer[0];
    char *one = files_template_prefix("{stream}/", &bare);
    bare.stream = longer[1];
    char *other = files_template_prefix("{stream}/", &bare);
    assert_int_equal(strlen(one), 160);
    assert_string_not_equal(one, other);
    free(one);
    free(other);
}

static void test_refused(void **state)
{
    static const struct {
        const char *template, *says;
    } cases[] = {{"{date}/", "must have {stream}"},
                 {"{stream}/{yaer}/", "did you mean {year}?"},
                 {"{stream}/{", "begins no variable"},
                 {"{stream}/{}", "begins no variable"},
                 {"/{stream}", "must not begin with a slash"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_int_equal(files_template_check(cases[i].template, &err), -1);
        assert_non_null(strstr(err.message, cases[i].says));
    }
}

/* No two streams, and no two tasks, have files in common. */
static void test_marks(void **state)
{
    struct files_name others[] = {name, name, name};
    (void)state;
    others[0].stream = "or_ders"; /* the same step of a path */
    others[1].name_space = NULL;
    others[2].task = "acmeCo/files";
    char *mark = files_name_mark(&name), *made = files_template_name("{stream}/", &name);
    assert_non_null(strstr(made, mark));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *other = files_name_mark(&others[i]);
        assert_string_not_equal(other, mark);
        free(other);
    }
    free(mark);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_templates), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_marks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
