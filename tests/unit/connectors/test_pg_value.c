/* PostgreSQL's text values as JSON: what a server gives, and what none should. */
#include "source-postgres/types.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pg_types types;

static const struct pg_type *type_of(uint32_t oid)
{
    const struct pg_type *type = pg_types_find(&types, oid);
    assert_non_null(type);
    return type;
}

static int set_up(void **state)
{
    (void)state;
    static const struct pg_type_row rows[] = {
        {16, 0, 0, "boolean", ','},       {17, 0, 0, "bytea", ','},
        {23, 0, 0, "integer", ','},       {25, 0, 0, "text", ','},
        {114, 0, 0, "json", ','},         {603, 0, 0, "box", ';'},
        {700, 0, 0, "real", ','},         {701, 0, 0, "double precision", ','},
        {1082, 0, 0, "date", ','},        {1114, 0, 0, "timestamp", ','},
        {1184, 0, 0, "timestamptz", ','}, {1266, 0, 0, "timetz", ','},
        {1700, 0, 0, "numeric", ','},     {1007, 23, 0, "integer[]", ','},
        {1009, 25, 0, "text[]", ','},     {1020, 603, 0, "box[]", ';'},
        {9000, 0, 1700, "amount", ','},   {9001, 9000, 0, "amount[]", ','},
        {9002, 0, 9001, "amounts", ','},  {9003, 77777, 0, "unknown[]", ','},
    };
    pg_types_init(&types);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        pg_types_add(&types, &rows[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pg_types_done(&types);
    return 0;
}

static const struct {
    uint32_t oid;
    const char *text, *airbyte, *flow; /* flow NULL: the same */
    unsigned notes;                    /* of Airbyte's | those of Flow's << 4 */
} values[] = {
    {16, "t", "true"},
    {16, "f", "false"},
    {16, "", "false"},
    {23, "-7", "-7"},
    {701, "1e+300", "1e+300"},
    {701, "-0", "-0"},
    {701, "NaN", "null", "\"NaN\"", PG_NOTE_NOT_FINITE},
    {701, "-Infinity", "null", "\"-Infinity\"", PG_NOTE_NOT_FINITE},
    {1700, "0.10", "0.10", "\"0.10\""},
    {9000, "1.50", "1.50", "\"1.50\""},
    {17, "\\x", "\"\""},
    {17, "\\x00", "\"AA==\""},
    {17, "\\xff00ee", "\"/wDu\""},
    {17, "", "\"\""},
    {25, "a\"b\\c\n\x01", "\"a\\\"b\\\\c\\n\\u0001\""},
    {25, "\xff", "\"\xef\xbf\xbd\""},
    {1082, "2024-02-29", "\"2024-02-29\""},
    {1082, "0044-03-15 BC", "\"0044-03-15 BC\"", "\"0001-01-01\"", PG_NOTE_OUT_OF_RANGE << 4},
    {1082, "12024-01-01", "\"12024-01-01\"", "\"9999-12-31\"", PG_NOTE_OUT_OF_RANGE << 4},
    {1114, "2024-01-31 10:00:00.5", "\"2024-01-31T10:00:00.5\"", "\"2024-01-31T10:00:00.5Z\""},
    {1184, "2024-01-31 10:00:00+00", "\"2024-01-31T10:00:00Z\""},
    {1184, "-infinity", "\"-infinity\"", "\"0001-01-01T00:00:00Z\"", PG_NOTE_OUT_OF_RANGE << 4},
    {1184, "infinity", "\"infinity\"", "\"9999-12-31T23:59:59Z\"", PG_NOTE_OUT_OF_RANGE << 4},
    {1266, "10:00:00+02", "\"10:00:00+02:00\""},
    {1266, "10:00:00-05:30", "\"10:00:00-05:30\""},
    {114, "{\"a\": \"\\ud83d\\ude00\"}", "{\"a\": \"\\ud83d\\ude00\"}"},
    {114, "\"\\ud83d\"", "\"\\ufffd\""},
    {114, "\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\""},
    {114, "\"\\\\ud83d\"", "\"\\\\ud83d\""},
    {114, "\"\\u00e9\"", "\"\\u00e9\""},
    {1007, "{1,NULL,3}", "[1,null,3]"},
    {1007, "{}", "[]"},
    {1007, "{{1},{2}}", "[[1],[2]]"},
    {1007, "[-1:0][2:3]={{1,2},{3,4}}", "[[1,2],[3,4]]"},
    {1009, "{a,\"b,c\",\"\\\"\\\\\",\"NULL\",NULL,\"\"}", "[\"a\",\"b,c\",\"\\\"\\\\\",\"NULL\",null,\"\"]"},
    {1020, "{(1,1),(0,0);(3,3),(2,2)}", "[\"(1,1),(0,0)\",\"(3,3),(2,2)\"]"},
    {9001, "{1.50,NaN}", "[1.50,null]", "[\"1.50\",\"NaN\"]", PG_NOTE_NOT_FINITE},
    {9002, "{1.50}", "[1.50]", "[\"1.50\"]"},
    {9003, "{1,2}", "\"{1,2}\""}, /* of what it is made is not known: its text */
};

static void test_values(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (int flow = 0; flow < 2; flow++) {
            const char *wanted = flow && values[i].flow ? values[i].flow : values[i].airbyte;
            buffer_clear(&out);
            unsigned notes =
                pg_value_put(&out, type_of(values[i].oid), slice_of(values[i].text), (struct pg_style){flow});
            assert_string_equal(buffer_cstr(&out), wanted);
            assert_int_equal(notes, flow ? values[i].notes >> 4 : values[i].notes & 15);
        }
    }
    buffer_done(&out);
}

/* Of a key nothing is put in another's place, whatever format the schema promises. */
static void test_keys(void **state)
{
    (void)state;
    static const struct {
        uint32_t oid;
        const char *text, *wanted;
    } rows[] = {{1082, "infinity", "\"infinity\""},
                {1082, "12024-01-01", "\"12024-01-01\""},
                {1082, "2024-01-31", "\"2024-01-31\""},
                {1184, "0044-03-15 00:00:00+00 BC", "\"0044-03-15 00:00:00+00 BC\""},
                {1114, "2024-01-31 10:00:00", "\"2024-01-31T10:00:00Z\""}};
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_clear(&out);
        struct pg_style style = {.flow = true, .exact = true};
        assert_int_equal(pg_value_put(&out, type_of(rows[i].oid), slice_of(rows[i].text), style), 0);
        assert_string_equal(buffer_cstr(&out), rows[i].wanted);
    }
    buffer_done(&out);
}

/* What servers before 12 write. */
static void test_long_floats(void **state)
{
    (void)state;
    static const struct {
        uint32_t oid;
        const char *text, *wanted;
    } rows[] = {
        {701, "0.10000000000000001", "0.1"},
        {701, "0.30000000000000004", "0.30000000000000004"},
        {701, "-0", "-0"},
        {701, "16777217", "16777217"},
        {701, "1.0000000000000001e+300", "1e+300"},
        {700, "1.10000002", "1.1"},
        {700, "3.40282347e+38", "3.4028235e+38"},
        {700, "16777216", "16777216"},
        {701, "4.9406564584124654e-324", "5e-324"},
        {701, "-1.2345678901234e-310", "-1.2345678901234e-310"},
        {700, "1.40129846e-45", "1e-45"},
        {700, "0", "0"},
        {700, "NaN", "null"},
    };
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buffer_clear(&out);
        pg_value_put(&out, type_of(rows[i].oid), slice_of(rows[i].text),
                     (struct pg_style){.long_floats = true});
        assert_string_equal(buffer_cstr(&out), rows[i].wanted);
    }
    buffer_done(&out);
}

/* Cut anywhere, a text of any type gives some JSON-like bytes and no read past its end (the sanitizer looks).
 */
static void test_cut(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t size = 0; size <= strlen(values[i].text); size++) {
            for (size_t t = 0; t < types.count; t++) {
                char *exact = mem_strndup(values[i].text, size);
                char *tight = mem_alloc(size + 1);
                memcpy(tight, exact, size);
                buffer_clear(&out);
                pg_value_put(&out, types.items[t], (struct slice){tight, size}, (struct pg_style){i % 2});
                assert_false(out.overflowed);
                mem_free_cleanup(&exact);
                mem_free_cleanup(&tight);
            }
        }
    }
    buffer_done(&out);
}

static void test_schemas(void **state)
{
    (void)state;
    static const struct {
        uint32_t oid;
        bool nullable, flow;
        const char *schema;
    } schemas[] = {
        {1700, true, false, "{\"type\":[\"number\",\"null\"]}"},
        {1700, false, true, "{\"type\":\"string\",\"format\":\"number\"}"},
        {701, true, true, "{\"type\":[\"number\",\"string\",\"null\"],\"format\":\"number\"}"},
        {114, true, true, "{}"},
        {1184, true, false,
         "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\",\"airbyte_type\":\"timestamp_with_"
         "timezone\"}"},
        {17, false, false, "{\"type\":\"string\",\"contentEncoding\":\"base64\"}"},
        {1266, true, true, "{\"type\":[\"string\",\"null\"]}"},
        {9002, true, true, "{\"type\":[\"array\",\"null\"]}"},
    };
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        struct buffer out;
        struct json_writer writer;
        buffer_init(&out, 4096);
        json_writer_init(&writer, &out);
        pg_type_put_schema(&writer, type_of(schemas[i].oid), schemas[i].nullable, NULL,
                           (struct pg_style){schemas[i].flow});
        assert_string_equal(buffer_cstr(&out), schemas[i].schema);
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_keys),    cmocka_unit_test(test_long_floats),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_schemas),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
