#include "cli/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_columns(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"", 0},  {"abc", 3}, {"é", 1},  {"e\xcc\x81", 1}, {"東京", 4},
        {"🚀", 2}, {"…", 1},   {"━━", 2}, {"\xff\xfe", 2},  {"\xe6\x9d", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(text_columns(cases[i].text, strlen(cases[i].text)), cases[i].columns);
}

static void test_cut(void **state)
{
    static const struct {
        const char *text;
        size_t max, bytes;
    } cases[] = {
        {"abc", 2, 2}, {"abc", 9, 3},        {"東京", 3, 3}, {"東京", 1, 0},
        {"aé", 1, 1},  {"e\xcc\x81x", 1, 3}, {"abc", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(text_cut_columns(cases[i].text, strlen(cases[i].text), cases[i].max),
                         cases[i].bytes);
}

static void test_printable(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"plain — text", "plain — text"},
        {"\033[2Jgone", "\\u001b[2Jgone"},
        {"a\tb\rc\n", "a b\\u000dc\\u000a"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* C1's CSI */
        {"\xff", "?"},
        {"\xe2\x80\xae"
         "evil",
         "\\u202eevil"}, /* right-to-left override */
        {"a\xe2\x80\xa8"
         "b\xe2\x81\xa7\xd8\x9c\xe2\x80\x8f\x7f",
         "a\\u2028b\\u2067\\u061c\\u200f\\u007f"},
        {"\xef\xbf\xbd", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        text_append_printable(&out, cases[i].text, strlen(cases[i].text));
        assert_string_equal(buffer_cstr(&out), cases[i].printed);
        buffer_done(&out);
    }
    struct buffer out;
    buffer_init(&out, 1024);
    text_append_printable_lines(&out, "a\r\nb", 4);
    assert_string_equal(buffer_cstr(&out), "a\\u000d\nb");
    buffer_done(&out);
}

static void test_indented(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"", ""},
        {"\n\r\n", ""},
        {"one", "one"},
        {"one\ntwo\r\nthree\n\n", "one\n  two\n  three"},
        {"a\n\nb", "a\n  \n  b"},
        {"a\n\033[2J\rb\n\xe2\x80\xa8"
         "c",
         "a\n  \\u001b[2J\\u000db\n  \\u2028c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        text_append_printable_indented(&out, cases[i].text, strlen(cases[i].text));
        assert_string_equal(buffer_cstr(&out), cases[i].printed);
        buffer_done(&out);
    }
}

static void test_duration(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0, "0.0 s"},    {340, "0.3 s"},         {9999, "9.9 s"},        {10000, "10 s"},
        {59999, "59 s"}, {200000, "3 min 20 s"}, {7500000, "2 h 5 min"}, {273600000, "3 d 4 h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        text_duration(cases[i].ms, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),  cmocka_unit_test(test_cut),      cmocka_unit_test(test_printable),
        cmocka_unit_test(test_indented), cmocka_unit_test(test_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
