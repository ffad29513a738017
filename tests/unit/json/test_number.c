/* Numbers as text: order, integers, multiples, conversions, with thousands of digits and huge exponents. */
#include "test_json.h"
#include "json/number.h"

#include <float.h>
#include <math.h>

/* Repeat a digit. The result is freed by the caller. */
static char *repeat(const char *before, char digit, size_t count, const char *after)
{
    char *text = mem_alloc(strlen(before) + count + strlen(after) + 1);
    memcpy(text, before, strlen(before));
    memset(text + strlen(before), digit, count);
    memcpy(text + strlen(before) + count, after, strlen(after) + 1);
    return text;
}

/* The one text of equal numbers, and bytes in their order. */
static void compare_written(const char *a, const char *b, int order)
{
    struct buffer x, y;
    buffer_init(&x, BUFFER_UNLIMITED);
    buffer_init(&y, BUFFER_UNLIMITED);
    number_put_shortest(&x, slice_of(a));
    number_put_shortest(&y, slice_of(b));
    assert_int_equal(strcmp(buffer_cstr(&x), buffer_cstr(&y)) == 0, order == 0);
    assert_int_equal(number_compare((struct slice){x.data, x.size}, slice_of(a)), 0);
    buffer_clear(&x);
    buffer_clear(&y);
    number_put_ordered(&x, slice_of(a));
    number_put_ordered(&y, slice_of(b));
    int found = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    found = found ? found : (x.size > y.size) - (x.size < y.size);
    assert_int_equal((found > 0) - (found < 0), order);
    assert_true(x.data[0] && y.data[0]);
    buffer_done(&x);
    buffer_done(&y);
}

static void compare(const char *a, const char *b, int order)
{
    compare_written(a, b, order);
    compare_written(b, a, -order);
    assert_int_equal(number_compare(slice_of(a), slice_of(b)), order);
    assert_int_equal(number_compare(slice_of(b), slice_of(a)), -order);
    if (order == 0) {
        assert_int_equal(number_hash(slice_of(a), 1), number_hash(slice_of(b), 1));
    } else {
        assert_int_not_equal(number_hash(slice_of(a), 1), number_hash(slice_of(b), 1));
    }
}

/* Of exponents beyond NUMBER_EXPONENT_MAX: hashes of equal numbers are equal, those of others need not
 * differ. */
static void compare_far(const char *a, const char *b, int order)
{
    assert_int_equal(number_compare(slice_of(a), slice_of(b)), order);
    assert_int_equal(number_compare(slice_of(b), slice_of(a)), -order);
    if (order == 0)
        assert_int_equal(number_hash(slice_of(a), 1), number_hash(slice_of(b), 1));
}

static void test_shortest(void **state)
{
    static const char *const cases[][2] = {
        {"1.0", "1"},
        {"-0.0", "0"},
        {"10e-1", "1"},
        {"1e20", "100000000000000000000"},
        {"1e41", "1e41"},
        {"-1.50", "-1.5"},
        {"1000000000000000000000000000000000000000000000000000000000001.0",
         "1000000000000000000000000000000000000000000000000000000000001"},
        {"0.000012", "0.000012"},
        {"1.20e-7", "1.2e-7"},
        {"12345678901234567890.10", "12345678901234567890.1"},
        {"1E+0400", "1e400"},
        {"1E99999999999999999999", "1E99999999999999999999"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, BUFFER_UNLIMITED);
        number_put_shortest(&out, slice_of(cases[i][0]));
        assert_string_equal(buffer_cstr(&out), cases[i][1]);
        buffer_done(&out);
    }
}

static void test_compare(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"0", "-0", 0},
        {"0", "0.000e99", 0},
        {"0e5", "1e-5", -1},
        {"1", "1.0", 0},
        {"1", "10e-1", 0},
        {"1", "0.1e1", 0},
        {"1", "0.01E+2", 0},
        {"100", "1e2", 0},
        {"120.50", "1.205e2", 0},
        {"-1", "1", -1},
        {"-2", "-1", -1},
        {"-1", "0", -1},
        {"0.5", "0.05", 1},
        {"0.50", "0.05e1", 0},
        {"9", "10", -1},
        {"1.5", "1.25", 1},
        {"1.25", "1.2500000001", -1},
        {"12345678901234567890.10", "12345678901234567890.1", 0},
        {"12345678901234567890.10", "12345678901234567890.11", -1},
        {"9007199254740993", "9007199254740992", 1},
        {"1e400", "1e401", -1},
        {"1e400", "10e399", 0},
        {"-1e400", "1e-400", -1},
        {"1e99999", "9e99998", 1},
        {"0.001e3", "1", 0},
        {"101.01", "101.1", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        compare(cases[i].a, cases[i].b, cases[i].order);
    /* Exponents of any size, and the same number written in several ways: nothing is expanded. */
    compare_far("1e999999999999999999", "1e1000000000000000", 1);
    compare_far("1e1000000000000001", "10e1000000000000000", 0);
    compare_far("1e1000000000000100", "1e1000000000000010", 1);
    compare_far("1000e999999999999998", "1e1000000000000000", 1);
    compare_far("1e18446744073709551616", "1e18446744073709551617", -1);
    compare_far("1e-18446744073709551616", "1e-18446744073709551617", 1);
    compare_far("-1e18446744073709551616", "-1e18446744073709551617", 1);
    compare_far("1.5e18446744073709551616", "15e18446744073709551615", 0);
    compare_far("1.5e018446744073709551616", "0.0015e+18446744073709551619", 0);
    compare_far("1e99999999999999999999999999999999999999999", "1e-99999999999999999999999999999999999999999",
                1);
    compare_far("1e100000000000000000000000000000", "1e99999999999999999999999999999", 1);
    compare_far("1e100000000000000000000000000000", "10e99999999999999999999999999999", 0);
    compare("1e100001", "1e100002", -1);
    assert_int_equal(number_compare(slice_of("1e-99999999999999999999999"), slice_of("0")), 1);
    assert_int_equal(number_compare(slice_of("1e999999999999999999999999"), slice_of("1e5000")), 1);
    char *a = repeat("1", '3', 5000, ".10"), *b = repeat("1", '3', 5000, ".1"),
         *c = repeat("1", '3', 5000, ".11");
    compare(a, b, 0);
    compare(a, c, -1);
    free(a);
    free(b);
    free(c);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* No two of many small numbers, such as states count, have one hash; nor do the hashes of two seeds. */
static void test_hash_of_many(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static uint64_t hashes[4 * MANY];
    for (int i = 0; i < MANY; i++) {
        char text[32];
        for (int way = 0; way < 4; way++) {
            snprintf(text, sizeof text,
                     way == 2   ? "%de-7"
                     : way == 3 ? "%d00100000000000000000001"
                                : "%d",
                     way == 1 ? -i - 1 : i + 1);
            hashes[way * MANY + i] = number_hash(slice_of(text), 1);
            assert_int_not_equal(number_hash(slice_of(text), 2), hashes[way * MANY + i]);
        }
    }
    qsort(hashes, sizeof hashes / sizeof *hashes, sizeof *hashes, compare_hashes);
    for (size_t i = 1; i < sizeof hashes / sizeof *hashes; i++)
        assert_int_not_equal(hashes[i - 1], hashes[i]);
}

static void test_integer(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool integer;
    } cases[] = {
        {"1", true},
        {"0", true},
        {"-0.0", true},
        {"1.0", true},
        {"1e3", true},
        {"10e-1", true},
        {"1.5", false},
        {"1e-1", false},
        {"0e-9", true},
        {"1.50", false},
        {"1.5e1", true},
        {"1.55e1", false},
        {"100e-2", true},
        {"100e-3", false},
        {"1e-99999999999", false},
        {"123456789012345678901234567890", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(number_is_integer(slice_of(cases[i].text)), cases[i].integer);
}

static void test_multiple(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool multiple;
    } cases[] = {
        {"10", "5", true},
        {"-10", "5", true},
        {"10", "3", false},
        {"0", "7", true},
        {"0.0", "0.1", true},
        {"0.3", "0.1", true},
        {"4.35", "0.01", true},
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"4.5", "1.5", true},
        {"35", "1.5", false},
        {"1e308", "0.5", true},
        {"1e308", "3", false},
        {"3e308", "3", true},
        {"1e99999", "1024", true},
        {"1e18446744073709551617", "1e18446744073709551616", true},
        {"1e18446744073709551616", "1e18446744073709551617", false},
        {"15e18446744073709551616", "5e18446744073709551616", true},
        {"1.5e18446744073709551616", "10e18446744073709551615", false},
        {"1e99999999999999999999", "1e-99999999999999999999", true},
        {"1e-2", "1e-3", true},
        {"1e-3", "1e-2", false},
        {"12345678901234567890123", "3", true},
        {"12345678901234567890124", "3", false},
        {"9007199254740993", "2", false},
        {"1e100", "1e99", true},
        {"1", "1e1", false},
        {"25", "1e1", false},
        {"250", "1e1", true},
        /* divisors past 64 bits */
        {"246913578024691357802469135780", "123456789012345678901234567890", true},
        {"246913578024691357802469135781", "123456789012345678901234567890", false},
        {"246913578024691357802469135782", "123456789012345678901234567891", true},
        {"246913578024691357802469135783", "123456789012345678901234567891", false},
        {"1e99999", "1267650600228229401496703205376", true}, /* 2^100 */
        {"1e99", "1267650600228229401496703205376", false},
        {"1e100", "1267650600228229401496703205376", true},
        {"1", "1267650600228229401496703205376", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(number_is_multiple(slice_of(cases[i].a), slice_of(cases[i].b)), cases[i].multiple);
    char *nines = repeat("", '9', 4000, ""), *threes = repeat("", '3', 2000, "");
    assert_true(number_is_multiple(slice_of(nines), slice_of(threes)));
    nines[3999] = '8';
    assert_false(number_is_multiple(slice_of(nines), slice_of(threes)));
    assert_false(number_is_multiple(slice_of(nines), slice_of("3")));
    nines[3999] = '6';
    assert_true(number_is_multiple(slice_of(nines), slice_of("3")));
    free(nines);
    free(threes);
}

static void test_integers_of_c(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool signed_fits;
        int64_t signed_value;
        bool unsigned_fits;
        uint64_t unsigned_value;
    } cases[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, true, 0},
        {"-0.0", true, 0, true, 0},
        {"7", true, 7, true, 7},
        {"-7", true, -7, false, 0},
        {"1.0", true, 1, true, 1},
        {"1e2", true, 100, true, 100},
        {"1200e-2", true, 12, true, 12},
        {"1.5", false, 0, false, 0},
        {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", false, 0, true, 9223372036854775808ULL},
        {"-9223372036854775808", true, INT64_MIN, false, 0},
        {"-9223372036854775809", false, 0, false, 0},
        {"18446744073709551615", false, 0, true, UINT64_MAX},
        {"18446744073709551616", false, 0, false, 0},
        {"1e19", false, 0, true, 10000000000000000000ULL},
        {"1e20", false, 0, false, 0},
        {"1e99999999999999", false, 0, false, 0},
        {"0e99999999999999", true, 0, true, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t s = 0;
        uint64_t u = 0;
        assert_int_equal(number_to_i64(slice_of(cases[i].text), &s), cases[i].signed_fits);
        assert_true(s == cases[i].signed_value);
        assert_int_equal(number_to_u64(slice_of(cases[i].text), &u), cases[i].unsigned_fits);
        assert_true(u == cases[i].unsigned_value);
    }
}

static void to_double(const char *text, double expected)
{
    double value = -1;
    assert_true(number_to_double(slice_of(text), &value));
    assert_memory_equal(&value, &expected, sizeof value); /* the sign of zero too */
}

static void test_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0.0},
        {"-0.0", -0.0},
        {"-0e7", -0.0},
        {"1", 1.0},
        {"-1.5", -1.5},
        {"0.1", 0.1},
        {"123456.789e-3", 123.456789},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0000000001", 9007199254740994.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"4.9e-324", 4.9e-324},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"1e-400", 0.0},
        {"-1e-99999999999", -0.0},
        {"0.3333333333333333333333333333333333", 1.0 / 3},
        {"5708990770823839207320493820740630171355185152001e-3",
         5708990770823839207320493820740630171355185152001e-3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        to_double(cases[i].text, cases[i].value);
    double value;
    assert_false(number_to_double(slice_of("1e309"), &value));
    assert_false(number_to_double(slice_of("-1e999999999999"), &value));
    assert_false(number_to_double(slice_of("1.7976931348623159e308"), &value));
    /* A tie that only the last of two thousand digits decides. */
    char *tie = repeat("9007199254740993.", '0', 2000, "1"),
         *exact = repeat("9007199254740993.", '0', 2000, "0");
    to_double(tie, 9007199254740994.0);
    to_double(exact, 9007199254740992.0);
    free(tie);
    free(exact);
    char *small = repeat("0.", '0', 300, "1");
    to_double(small, 1e-301);
    free(small);
}

/* Random doubles, printed and read back, agree with the C library. */
static void test_double_random(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t bits = seed ^ seed >> 29;
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        char text[64];
        snprintf(text, sizeof text, "%.*e", i % 20, number);
        double expected = strtod(text, NULL);
        if (isfinite(expected))
            to_double(text, expected);
        snprintf(text, sizeof text, "%.*f", i % 7, fmod(number, 1e9));
        to_double(text, strtod(text, NULL));
    }
}

/* What number_is_held says, by the C library alone: the first of 1 to 17 digits that reads back is the
 * number. */
static bool is_held(const char *text)
{
    double value = strtod(text, NULL);
    char shortest[64];
    if (!isfinite(value) || (value == 0 && strpbrk(text, "123456789")))
        return false;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*e", digits - 1, value);
        if (strtod(shortest, NULL) == value)
            break;
    }
    return number_compare(slice_of(text), slice_of(shortest)) == 0;
}

static void check_held(const char *text)
{
    double value, expected = strtod(text, NULL);
    bool held = number_is_held(slice_of(text), &value);
    if (held != is_held(text))
        fail_msg("%s is %sheld", text, held ? "not " : "");
    if (isfinite(expected))
        assert_memory_equal(&value, &expected, sizeof value);
}

/* Of 15 to 19 digits, with as many behind the point as a fraction has, and the neighbours of the last digit;
 * powers of two, whose neighbours are not equally far away. */
static void test_held_random(void **state)
{
    (void)state;
    uint64_t seed = 7;
    unsigned held = 0;
    for (int i = 0; i < 50000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        double number = (double)(seed >> 11) / (double)(1 + (seed >> 40) % 99991),
               scale = pow(10, i % 31 - 15);
        if (i % 16 == 0)
            number = ldexp(1, (int)(seed >> 32) % 100 - 50);
        char text[128];
        snprintf(text, sizeof text, i % 3 ? "%.*g" : "%.*e", 14 + i % 5 + (i % 3 != 0), number / scale);
        char *last = strpbrk(text, "eE");
        last = last ? last - 1 : text + strlen(text) - 1;
        if (*last >= '1' && *last <= '8')
            *last = (char)(*last + i / 7 % 3 - 1);
        check_held(text);
        held += is_held(text);
    }
    assert_in_range(held, 10000, 40000);
}

static void test_held_at_the_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0.0",
        "1",
        "9007199254740993",
        "9007199254740992",
        "99999999999999999",
        "10000000000000001",
        "0.10000000000000001",
        "0.30000000000000004",
        "-0.30000000000000004",
        "1.7976931348623157e308",
        "1e309",
        "5e-324",
        "4e-324",
        "2.2250738585072014e-308",
        "2.225073858507201e-308",
        "123456789012345.67",
        "9007199254740.993",
        "0.0000000000000000000012345678901234567",
        "12345678901234567e-27",
        "12345678901234567e-28",
        "12345678901234567e1",
        "9.5367431640625e-7",
        "4503599627370496.5",
        "4503599627370497.5",
        "72057594037927945",
        "1e-400",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_held(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),      cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_hash_of_many), cmocka_unit_test(test_integer),
        cmocka_unit_test(test_multiple),     cmocka_unit_test(test_integers_of_c),
        cmocka_unit_test(test_double),       cmocka_unit_test(test_double_random),
        cmocka_unit_test(test_held_random),  cmocka_unit_test(test_held_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
