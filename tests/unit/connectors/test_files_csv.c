/* CSV: how a file is written is told from its first rows, and rows of every dialect are read exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/files/csv.h"

#include <stdlib.h>

static const struct files_csv detected = {
    .delimiter = FILES_DETECTED, .quote = FILES_DETECTED, .escape = FILES_NONE, .double_quote = true};

/* Every cell of every row, cells separated by '|', rows ended by '/'; a row that is wrong ends in '!'. */
static char *rows_of(const struct csv_dialect *dialect, const char *text)
{
    struct csv_row row = {0};
    struct buffer out, scratch;
    struct slice rest = slice_of(text);
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_init(&scratch, BUFFER_UNLIMITED);
    while (rest.size && csv_scan(dialect, rest, true, &row)) {
        for (size_t i = 0; i < row.count; i++) {
            struct slice cell = csv_text(dialect, rest, &row.cells[i], &scratch);
            buffer_printf(&out, "%s%.*s", i ? "|" : "", (int)cell.size, cell.data);
        }
        buffer_byte(&out, row.wrong ? '!' : '/');
        rest = (struct slice){rest.data + row.size, rest.size - row.size};
    }
    csv_row_done(&row);
    buffer_done(&scratch);
    return buffer_steal(&out);
}

static void test_dialects(void **state)
{
    static const struct {
        const char *text;
        char delimiter;
        int quote;
        const char *rows;
    } cases[] = {
        {"a,b\n1,2\n", ',', '"', "a|b/1|2/"},
        {"a;b\n1,5;2\n", ';', '"', "a|b/1,5|2/"},
        {"a\tb\r\n1\t2\r\n", '\t', '"', "a|b/1|2/"},
        {"a|b\n1|2", '|', '"', "a|b/1|2/"},
        {"a,b\n\"x;y;z\",2\n\"x;y\",3\n", ',', '"', "a|b/x;y;z|2/x;y|3/"},
        {"'a','b'\n'it''s','x,y'\n", ',', '\'', "a|b/it's|x,y/"},
        {"a,b\nit's,that's\n", ',', '"', "a|b/it's|that's/"},
        {"a,b\n\"say \"\"hi\"\"\",\"two\nlines\"\n", ',', '"', "a|b/say \"hi\"|two\nlines/"},
        {"a,b\r1,2\r", ',', '"', "a|b/1|2/"},
        {"only\none\n", ',', '"', "only/one/"},
        {"", ',', '"', ""},
        {"a,b\n,\n\"\",\n", ',', '"', "a|b/|/|/"},
        {"a,b\n\"x\"y,1\n", ',', '"', "a|b/x|1!"},
        {"a,b\n\"say \\\"hi\\\", x\",1\n\"y\",2\n", ',', '"', "a|b/say \"hi\", x|1/y|2/"},
        {"a;b\n\"\\\\\\\"\";1,5\n", ';', '"', "a|b/\\\"|1,5/"},
        {"a,b\n\"C:\\\",\"D:\\\"\n\"x\",\"y\"\n", ',', '"', "a|b/C:\\|D:\\/x|y/"},
        {"a,b\n\"never closed\n1,2\n", ',', '"', "a|b/never closed\n1,2\n!"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_dialect dialect = csv_detect(&detected, slice_of(cases[i].text), true);
        assert_int_equal(dialect.delimiter, cases[i].delimiter);
        assert_int_equal(dialect.quote, cases[i].quote);
        char *rows = rows_of(&dialect, cases[i].text);
        assert_string_equal(rows, cases[i].rows);
        free(rows);
    }
}

static void test_told(void **state)
{
    (void)state;
    struct files_csv options = {.delimiter = ',', .quote = FILES_NONE, .escape = '\\', .double_quote = true};
    struct csv_dialect dialect = csv_detect(&options, SLICE_LITERAL("a;b;c\n"), true);
    char *rows = rows_of(&dialect, "\"a\\,b\",c\\\\d\n");
    assert_string_equal(rows, "\"a,b\"|c\\d/");
    free(rows);
}

/* A row that is not whole yet is not taken for one, wherever the text is cut. */
static void test_cut_anywhere(void **state)
{
    static const char text[] = "\"a \"\"b\"\"\",\"c\nd\",e\r\nnext,row,x\n";
    (void)state;
    struct csv_dialect dialect = csv_detect(&detected, slice_of(text), true);
    struct csv_row row = {0};
    size_t first = (size_t)(strstr(text, "next") - text);
    for (size_t size = 0; size < sizeof text; size++) {
        bool whole = csv_scan(&dialect, (struct slice){text, size}, false, &row);
        assert_true(whole == (size >= first));
        if (whole)
            assert_int_equal(row.size, first);
    }
    csv_row_done(&row);
}

static void test_types(void **state)
{
    static const struct {
        const char *text;
        enum csv_type type;
    } cases[] = {
        {"0", CSV_INTEGER},    {"-12", CSV_INTEGER},   {"123456789012345678901234567890", CSV_INTEGER},
        {"007", CSV_TEXT},     {"+1", CSV_TEXT},       {"1.", CSV_TEXT},
        {".5", CSV_TEXT},      {"1.50", CSV_NUMBER},   {"1e5", CSV_NUMBER},
        {"1e", CSV_TEXT},      {"-", CSV_TEXT},        {"", CSV_TEXT},
        {"true", CSV_BOOLEAN}, {"FALSE", CSV_BOOLEAN}, {"NaN", CSV_TEXT},
        {"1 ", CSV_TEXT},      {"0x10", CSV_TEXT},     {"1,5", CSV_TEXT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(csv_type_of(slice_of(cases[i].text)), cases[i].type);
    assert_int_equal(csv_type_join(CSV_INTEGER, CSV_NUMBER), CSV_NUMBER);
    assert_int_equal(csv_type_join(CSV_INTEGER, CSV_BOOLEAN), CSV_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dialects), cmocka_unit_test(test_told),
                                       cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
