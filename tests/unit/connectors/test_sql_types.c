#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/sql/types.h"
#include "json/number.h"

static struct arena arena;

static void test_types_of_schemas(void **state)
{
    enum { TEXT = FIRTH_MAY_BE_TEXT, NUMBERS = FIRTH_MAY_BE_NUMBER | FIRTH_MAY_BE_INTEGER };
    static const struct {
        unsigned types;
        const char *format, *encoding, *schema;
        enum sql_type expected;
    } rows[] = {
        {FIRTH_MAY_BE_BOOLEAN | FIRTH_MAY_BE_NULL, NULL, NULL, "{}", SQL_BOOLEAN},
        {FIRTH_MAY_BE_INTEGER, NULL, NULL, "{}", SQL_INTEGER},
        {NUMBERS, NULL, NULL, "{}", SQL_NUMBER},
        {NUMBERS, NULL, NULL, "{\"airbyte_type\":\"integer\"}", SQL_INTEGER},
        {TEXT, NULL, NULL, "{}", SQL_TEXT},
        {TEXT, "email", NULL, "{}", SQL_TEXT},
        {TEXT, "date", NULL, "{}", SQL_DATE},
        {TEXT, "time", NULL, "{}", SQL_TIME},
        {TEXT, "date-time", NULL, "{}", SQL_TIMESTAMPTZ},
        {TEXT, "date-time", NULL, "{\"airbyte_type\":\"timestamp_with_timezone\"}", SQL_TIMESTAMPTZ},
        {TEXT, "date-time", NULL, "{\"airbyte_type\":\"timestamp_without_timezone\"}", SQL_TIMESTAMP},
        {TEXT, "time", NULL, "{\"airbyte_type\":\"time_with_timezone\"}", SQL_TIMETZ},
        {TEXT, "time", NULL, "{\"airbyte_type\":\"time_without_timezone\"}", SQL_TIME},
        {TEXT, "integer", NULL, "{}", SQL_INTEGER},
        {TEXT | NUMBERS, "number", NULL, "{}", SQL_NUMBER},
        {TEXT | FIRTH_MAY_BE_INTEGER, NULL, NULL, "{}", SQL_JSON},
        {TEXT, NULL, "base64", "{}", SQL_BYTES},
        {FIRTH_MAY_BE_OBJECT, NULL, NULL, "{}", SQL_JSON},
        {FIRTH_MAY_BE_ARRAY, NULL, NULL, "{}", SQL_JSON},
        {FIRTH_MAY_BE_ANYTHING, NULL, NULL, "{}", SQL_JSON},
        {FIRTH_MAY_BE_NULL, NULL, NULL, "{}", SQL_JSON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json schema;
        struct error err;
        char *text =
            arena_printf(&arena, "{\"properties\":{\"a/b\":{\"properties\":{\"~\":%s}}}}", rows[i].schema);
        assert_int_equal(json_parse_copy(&arena, text, strlen(text), &schema, &err), 0);
        struct firth_field field = {.pointer = "/a~1b/~0",
                                    .types = rows[i].types,
                                    .format = rows[i].format,
                                    .encoding = rows[i].encoding};
        assert_int_equal(sql_type_of(&field, &schema), rows[i].expected);
    }
    const struct firth_field document = {.pointer = "", .is_document = true, .types = FIRTH_MAY_BE_OBJECT};
    assert_int_equal(sql_type_of(&document, NULL), SQL_DOCUMENT);
}

static void test_joins(void **state)
{
    static const struct {
        enum sql_type a, b, expected;
    } rows[] = {
        {SQL_INTEGER, SQL_INTEGER, SQL_INTEGER}, {SQL_INTEGER, SQL_HUGE, SQL_HUGE},
        {SQL_INTEGER, SQL_NUMBER, SQL_NUMBER},   {SQL_HUGE, SQL_NUMBER, SQL_NUMBER},
        {SQL_BOOLEAN, SQL_INTEGER, SQL_TEXT},    {SQL_DATE, SQL_TIMESTAMP, SQL_TIMESTAMP},
        {SQL_DATE, SQL_TIMESTAMPTZ, SQL_TEXT},   {SQL_TIMESTAMP, SQL_TIMESTAMPTZ, SQL_TEXT},
        {SQL_TEXT, SQL_JSON, SQL_JSON},          {SQL_NUMBER, SQL_JSON, SQL_JSON},
        {SQL_TEXT, SQL_NUMBER, SQL_TEXT},        {SQL_BYTES, SQL_TEXT, SQL_OTHER},
        {SQL_DOCUMENT, SQL_JSON, SQL_OTHER},     {SQL_OTHER, SQL_TEXT, SQL_OTHER},
        {SQL_BYTES, SQL_BYTES, SQL_BYTES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(sql_type_join(rows[i].a, rows[i].b), rows[i].expected);
        assert_int_equal(sql_type_join(rows[i].b, rows[i].a), rows[i].expected);
    }
}

static enum sql_verdict convert(enum firth_type kind, const char *value, enum sql_type type,
                                struct sql_cell *cell)
{
    return sql_value(kind, (struct firth_slice){value, strlen(value)}, type, &arena, cell);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *value;
        enum sql_type type;
        enum sql_verdict verdict;
        const char *expected;
    } rows[] = {
        {"9223372036854775807", SQL_INTEGER, SQL_FITS, "9223372036854775807"},
        {"9223372036854775808", SQL_INTEGER, SQL_TOO_LARGE, NULL},
        {"1.0e3", SQL_INTEGER, SQL_FITS, "1000"},
        {"1.5", SQL_INTEGER, SQL_MISFIT, NULL},
        {"1e999999999999999999999", SQL_INTEGER, SQL_TOO_LARGE, NULL},
        {"9223372036854775808", SQL_HUGE, SQL_FITS, "9223372036854775808"},
        {"-1.5e20", SQL_HUGE, SQL_FITS, "-150000000000000000000"},
        {"12345678901234567890.000", SQL_HUGE, SQL_FITS, "12345678901234567890"},
        {"123456789012345678901230e-1", SQL_HUGE, SQL_FITS, "12345678901234567890123"},
        {"99999999999999999999999999999999999999", SQL_HUGE, SQL_FITS,
         "99999999999999999999999999999999999999"},
        {"100000000000000000000000000000000000000", SQL_HUGE, SQL_FITS,
         "100000000000000000000000000000000000000"},
        {"100000000000000000000000000000000000001", SQL_HUGE, SQL_TOO_LARGE, NULL},
        {"0.1", SQL_HUGE, SQL_MISFIT, NULL},
        {"0.10", SQL_NUMBER, SQL_FITS, "0.10"},
        {"1e400", SQL_NUMBER, SQL_FITS, "1e400"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sql_cell cell;
        enum firth_type kinds[] = {FIRTH_IS_NUMBER, FIRTH_IS_TEXT};
        for (size_t k = 0; k < 2; k++) {
            enum sql_verdict verdict = convert(kinds[k], rows[i].value, rows[i].type, &cell);
            if (verdict != rows[i].verdict || cell.null != (rows[i].expected == NULL))
                fail_msg("%s is %d", rows[i].value, verdict);
            char integer[32];
            snprintf(integer, sizeof integer, "%lld", (long long)cell.integer);
            struct slice text = rows[i].type == SQL_INTEGER ? slice_of(integer) : cell.text;
            if (rows[i].expected && !slice_is(text, rows[i].expected))
                fail_msg("%s is %.*s", rows[i].value, SLICE_ARGS(text));
        }
    }
}

static void test_texts_that_are_no_numbers(void **state)
{
    static const char *const texts[] = {"",   "-",   "+1",  " 1",  "1 ",  "1.", ".5",
                                        "1e", "1e+", "0x1", "NaN", "1,5", "1_0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sql_cell cell;
        assert_int_equal(convert(FIRTH_IS_TEXT, texts[i], SQL_NUMBER, &cell), SQL_MISFIT);
        assert_true(cell.null);
    }
}

static void test_doubles(void **state)
{
    static const struct {
        const char *number;
        bool held;
    } rows[] = {
        {"0", true},
        {"-0.0", true},
        {"0.1", true},
        {"1e308", true},
        {"1e309", false},
        {"0.30000000000000004", true},
        {"5e-324", true},
        {"4e-324", false},
        {"0.1000000000000000055511151231257827", false},
        {"1e-400", false},
        {"123456789012345678", false},
        {"9007199254740993", false},
        {"1.7976931348623157e308", true},
        {"100000000000000000000", true},
        {"0.10000000000000000", true},
        {"0.10000000000000001", false},
        {"0.1234567890123456", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double value;
        if (number_is_held(slice_of(rows[i].number), &value) != rows[i].held)
            fail_msg("%s is %sheld", rows[i].number, rows[i].held ? "not " : "");
    }
}

static void test_bytes(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {{"", ""},
                {"aGk=", "hi"},
                {"aGk", "hi"},
                {"aGVsbG8", "hello"},
                {"-_8=", "\xfb\xff"},
                {"+/8=", "\xfb\xff"},
                {"a", NULL},
                {"aG k", NULL},
                {"aGk=x", NULL},
                {"====", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sql_cell cell;
        enum sql_verdict verdict = convert(FIRTH_IS_TEXT, rows[i].text, SQL_BYTES, &cell);
        assert_int_equal(verdict, rows[i].expected ? SQL_FITS : SQL_MISFIT);
        assert_true(!rows[i].expected || slice_is(cell.text, rows[i].expected));
    }
}

static void test_times_with_offsets(void **state)
{
    struct sql_cell cell;
    assert_int_equal(convert(FIRTH_IS_TEXT, "1970-01-01T00:00:01+01:00", SQL_TIMESTAMPTZ, &cell), SQL_FITS);
    assert_int_equal(cell.integer, -3599 * INT64_C(1000000));
    assert_int_equal(convert(FIRTH_IS_TEXT, "1970-01-01T00:00:01+01:00", SQL_TIMESTAMP, &cell), SQL_MISFIT);
    assert_int_equal(convert(FIRTH_IS_TEXT, "1970-01-01T00:00:01Z", SQL_TIMESTAMP, &cell), SQL_FITS);
    assert_int_equal(convert(FIRTH_IS_TEXT, "infinity", SQL_TIMESTAMPTZ, &cell), SQL_FITS);
    assert_true(cell.integer == SQL_FOREVER);
    assert_int_equal(convert(FIRTH_IS_NUMBER, "0", SQL_TIMESTAMPTZ, &cell), SQL_MISFIT);
    assert_int_equal(convert(FIRTH_IS_NULL, "null", SQL_TIMESTAMPTZ, &cell), SQL_FITS);
    assert_true(cell.null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_of_schemas),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts_that_are_no_numbers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_times_with_offsets),
    };
    arena_init(&arena);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return result;
}
