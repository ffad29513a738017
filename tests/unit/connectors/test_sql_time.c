#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/sql/types.h"

/* Each text, and what it is written as; NULL: it is none. */
struct row {
    const char *text, *expected;
};

static void test_dates(void **state)
{
    static const struct row rows[] = {
        {"2024-02-29", "2024-02-29"},
        {"0001-01-01", "0001-01-01"},
        {"1969-12-31", "1969-12-31"},
        {"+12024-01-01", "12024-01-01"},
        {"-0043-03-15", "0044-03-15 BC"},
        {"0044-03-15 BC", "0044-03-15 BC"},
        {"infinity", "infinity"},
        {"-infinity", "-infinity"},
        {"0000-01-01", "0001-01-01 BC"},
        {"2023-02-29", NULL},
        {"2024-00-10", NULL},
        {"2024-01-32", NULL},
        {"24-01-01", NULL},
        {"2024-1-1", NULL},
        {"2024-01-01 ", NULL},
        {"999999-01-01", "999999-01-01"},
        {"5874897-12-31", "5874897-12-31"},
        {"12345678-01-01", NULL},
        {"", NULL},
        {"-", NULL},
        {"0000-01-01 BC", NULL},
        {"Infinity", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t days;
        char text[SQL_TIME_TEXT];
        bool is = sql_parse_date(slice_of(rows[i].text), &days);
        if (is != (rows[i].expected != NULL))
            fail_msg("%s is %sa date", rows[i].text, is ? "" : "not ");
        if (is) {
            assert_int_equal(sql_format_date(days, text), strlen(rows[i].expected));
            assert_string_equal(text, rows[i].expected);
        }
    }
}

static void test_times(void **state)
{
    static const struct row rows[] = {
        {"00:00:00", "00:00:00+00:00"},
        {"24:00:00", "24:00:00+00:00"},
        {"23:59:60", "24:00:00+00:00"},
        {"12:34", "12:34:00+00:00"},
        {"12:34:56.5", "12:34:56.500000+00:00"},
        {"12:34:56,25", "12:34:56.250000+00:00"},
        {"12:34:56.123456789Z", "12:34:56.123456789+00:00"},
        {"12:34:56+05:30", "12:34:56+05:30"},
        {"12:34:56-0530", "12:34:56-05:30"},
        {"12:34:56 +05", "12:34:56+05:00"},
        {"12:34:56+01:02:03", "12:34:56+01:02:03"},
        {"24:00:01", NULL},
        {"24:00:00.1", NULL},
        {"12:60:00", NULL},
        {"12:34:61", NULL},
        {"12:34:56.", NULL},
        {"12:34:56+5", NULL},
        {"12:34:56+05:3", NULL},
        {"12:34:56x", NULL},
        {"1234", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sql_time time;
        char text[2 * SQL_TIME_TEXT];
        bool is = sql_parse_time(slice_of(rows[i].text), &time);
        if (is != (rows[i].expected != NULL))
            fail_msg("%s is %sa time", rows[i].text, is ? "" : "not ");
        if (!is)
            continue;
        size_t size = sql_format_time(time.micros, time.nanos, true, text);
        sql_format_offset(time.offset, text + size);
        assert_string_equal(text, rows[i].expected);
    }
}

static void test_timestamps(void **state)
{
    static const struct row rows[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01 00:00:00"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"},
        {"2024-01-31 23:30:00+05:30", "2024-01-31 23:30:00"}, /* the offset is told beside it */
        {"2024-01-31t23:30:00z", "2024-01-31 23:30:00"},
        {"2024-01-31", "2024-01-31 00:00:00"},
        {"2016-12-31T23:59:60Z", "2017-01-01 00:00:00"},
        {"0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"},
        {"infinity", "infinity"},
        {"-infinity", "-infinity"},
        {"294247-01-10T04:00:54.775806", "294247-01-10 04:00:54.775806"},
        {"294247-01-10T04:00:54.775807", NULL},
        {"999999-01-01T00:00:00", NULL},
        {"2024-01-31T", NULL},
        {"2024-01-31x10:00:00", NULL},
        {"2024-01-31T10", NULL},
        {"1700000000", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sql_time time;
        char text[2 * SQL_TIME_TEXT];
        bool is = sql_parse_timestamp(slice_of(rows[i].text), &time);
        if (is != (rows[i].expected != NULL))
            fail_msg("%s is %sa timestamp", rows[i].text, is ? "" : "not ");
        if (!is)
            continue;
        sql_format_timestamp(time.micros, time.nanos, true, "", text);
        assert_string_equal(text, rows[i].expected);
    }
    struct sql_time before;
    char text[SQL_TIME_TEXT];
    assert_true(sql_parse_timestamp(slice_of("0044-03-15 12:00:00 BC"), &before));
    assert_int_equal(sql_format_timestamp(before.micros, 5, false, "+00:00", text), 38);
    assert_string_equal(text, "0044-03-15 12:00:00.000000005+00:00 BC");
}

static void test_cut(void **state)
{
    struct sql_time time;
    assert_true(sql_parse_time(slice_of("00:00:00.1234567890"), &time) && !time.cut);
    assert_true(sql_parse_time(slice_of("00:00:00.1234567891"), &time) && time.cut && time.nanos == 789);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
