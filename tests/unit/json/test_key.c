/* Composite keys: found through objects and arrays, in the order of JSON values, hashed and packed. */
#include "test_json.h"

#include "json/key.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A document, a key for it, and what the key needs. */
struct keyed {
    struct arena arena;
    struct json doc;
    struct key key;
};

static struct keyed keyed(const char *const *pointers, const char *text)
{
    struct keyed keyed;
    struct error err;
    arena_init(&keyed.arena);
    if (json_parse_copy(&keyed.arena, text, strlen(text), &keyed.doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    keyed.key = key_compile(pointers, &keyed.arena);
    return keyed;
}

static void test_there(void **state)
{
    (void)state;
    static const struct {
        const char *pointers[3];
        const char *document;
        bool there;
    } cases[] = {
        {{"/id"}, "{\"id\":1}", true},
        {{"/id"}, "{\"x\":{\"id\":1},\"id\":\"\"}", true},
        {{"/id"}, "{\"i\\u0064\":false}", true},
        {{"/id"}, "{\"id\":-12345678901234567890123}", true},
        {{"/id"}, "{\"id\":1.0}", true},
        {{"/id"}, "{\"id\":1e2}", true},
        {{"/id"}, "{\"id\":1.5}", false},
        {{"/id"}, "{\"id\":null}", false},
        {{"/id"}, "{\"id\":[]}", false},
        {{"/id"}, "{\"id\":{}}", false},
        {{"/id"}, "{\"ID\":1,\"x\":{\"id\":1}}", false},
        {{"/id"}, "{}", false},
        {{"/id", "/at"}, "{\"at\":\"x\",\"id\":1}", true},
        {{"/id", "/at"}, "{\"id\":1}", false},
        {{"/a/b"}, "{\"a\":{\"b\":1}}", true},
        {{"/a/b"}, "{\"a\":1,\"b\":1}", false},
        {{"/a~1b/~0~01"}, "{\"a/b\":{\"~~1\":1}}", true},
        {{"/a/1"}, "{\"a\":[null,7]}", true},
        {{"/a/2"}, "{\"a\":[null,7]}", false},
        {{"/a/01"}, "{\"a\":[null,7]}", false},
        {{"/a/b"}, "{\"a\":[7]}", false},
        {{"/a/4294967295"}, "{\"a\":[7]}", false},
        {{"/a/1"}, "{\"a\":{\"1\":7}}", true},
        {{"/"}, "{\"\":7}", true},
        {{""}, "7", true},
        {{""}, "{}", false},
        {{NULL}, "{}", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct keyed it = keyed(cases[i].pointers, cases[i].document);
        if (key_is_there(&it.key, &it.doc, 0) != cases[i].there)
            fail_msg("%s in %s", cases[i].pointers[0], cases[i].document);
        arena_done(&it.arena);
    }
}

/* Ascending; those of one line are equal. */
static const char *const ordered[][6] = {
    {"null"},
    {"false"},
    {"true"},
    {"-1e400"},
    {"-123456789012345678901234567890", "-123456789012345678901234567890.0"},
    {"-123456789012345678901234567889"},
    {"-9223372036854775809"},
    {"-9223372036854775808", "-9.223372036854775808e18"},
    {"-256"},
    {"-255"},
    {"-10"},
    {"-9"},
    {"-1", "-1.0", "-1e0"},
    {"-0.5"},
    {"0", "-0", "0.0", "-0.0", "0e5"},
    {"1e-400"},
    {"0.1", "1e-1", "0.10"},
    {"1", "1.0", "10e-1"},
    {"9"},
    {"10"},
    {"255"},
    {"256"},
    {"9007199254740992"},
    {"9007199254740993"},
    {"9223372036854775807"},
    {"9223372036854775808"},
    {"18446744073709551615"},
    {"18446744073709551616", "18446744073709551616.0"},
    {"18446744073709551617"},
    {"1e400"},
    {"\"\""},
    {"\"\\u0000\""},
    {"\"\\u0000a\""},
    {"\"A\"", "\"\\u0041\""},
    {"\"a\""},
    {"\"a\\u0000\""},
    {"\"aa\""},
    {"\"b\""},
    {"\"\\u00e9\"", "\"é\""},
    {"\"\\uffff\""},
    {"\"\\ud800\\udc00\"", "\"\xf0\x90\x80\x80\""},
    {"[]"},
    {"[null]"},
    {"[null,1]"},
    {"[1]", "[1.0]"},
    {"[1,\"a\"]"},
    {"[2]"},
    {"[[]]"},
    {"{}"},
    {"{\"a\":1}"},
    {"{\"a\":1,\"b\":0}", "{\"b\":-0,\"a\":1.0}"},
    {"{\"a\":1,\"c\":0}"},
    {"{\"a\":2}"},
    {"{\"b\":0}", "{\"\\u0062\":0}"},
};

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void compare_lines(size_t i, const char *a, size_t j, const char *b)
{
    static const char *const root[] = {"", NULL};
    struct keyed x = keyed(root, a), y = keyed(root, b);
    int expected = i < j ? -1 : i > j;
    if (sign(json_compare(&x.doc, 0, &y.doc, 0)) != expected ||
        sign(key_compare(&x.key, &x.doc, 0, &y.doc, 0)) != expected)
        fail_msg("%s and %s: not %d", a, b, expected);
    assert_int_equal(json_equal(&x.doc, 0, &y.doc, 0), expected == 0);
    bool same = key_hash(&x.key, &x.doc, 0) == key_hash(&y.key, &y.doc, 0);
    if (same != (expected == 0) || same != (json_hash(&x.doc, 0) == json_hash(&y.doc, 0)))
        fail_msg("%s and %s: hashes %s", a, b, same ? "equal" : "differ");
    arena_done(&x.arena);
    arena_done(&y.arena);
}

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ordered); i++) {
        for (size_t j = 0; j < COUNT(ordered); j++) {
            for (size_t k = 0; k < 6 && ordered[i][k]; k++) {
                for (size_t l = 0; l < 6 && ordered[j][l]; l++)
                    compare_lines(i, ordered[i][k], j, ordered[j][l]);
            }
        }
    }
}

/* Many members: compared in the order of their names, whatever order they stand in. */
static void test_wide_objects(void **state)
{
    (void)state;
    struct buffer up, down;
    buffer_init(&up, 1 << 20);
    buffer_init(&down, 1 << 20);
    for (int i = 0; i < 500; i++) {
        buffer_printf(&up, "%c\"m%d\":%d", i ? ',' : '{', i, i);
        buffer_printf(&down, "%c\"m%d\":%d", i ? ',' : '{', 499 - i, 499 - i);
    }
    buffer_byte(&up, '}');
    buffer_byte(&down, '}');
    compare_lines(0, buffer_cstr(&up), 0, buffer_cstr(&down));
    buffer_printf(&down, " ");
    down.data[down.size - 3] = '1'; /* "m0":1 */
    compare_lines(0, buffer_cstr(&up), 1, buffer_cstr(&down));
    buffer_done(&up);
    buffer_done(&down);
}

static void test_composite(void **state)
{
    (void)state;
    static const char *const pointers[] = {"/a", "/b/0", NULL};
    static const char *const documents[] = {
        "{}",
        "{\"b\":[false]}",
        "{\"a\":1}",
        "{\"b\":[2],\"a\":1.0}",
        "{\"a\":1,\"b\":[10]}",
        "{\"a\":\"x\"}",
    };
    for (size_t i = 0; i < COUNT(documents); i++) {
        for (size_t j = 0; j < COUNT(documents); j++) {
            struct keyed x = keyed(pointers, documents[i]), y = keyed(pointers, documents[j]);
            int expected = i < j ? -1 : i > j;
            assert_int_equal(sign(key_compare(&x.key, &x.doc, 0, &y.doc, 0)), expected);
            assert_int_equal(key_hash(&x.key, &x.doc, 0) == key_hash(&x.key, &y.doc, 0), expected == 0);
            arena_done(&x.arena);
            arena_done(&y.arena);
        }
    }
}

/* What a schema gives as "default" stands for a location that is absent; null stands for itself. */
static void test_absent(void **state)
{
    (void)state;
    static const char *const pointers[] = {"/a", "/b", NULL}, *const root[] = {"", NULL};
    struct keyed given = keyed(root, "\"none\""), without = keyed(pointers, "{\"b\":1}"),
                 with = keyed(pointers, "{\"b\":1,\"a\":\"none\"}"),
                 null = keyed(pointers, "{\"a\":null,\"b\":1}");
    assert_false(key_is_there(&without.key, &without.doc, 0));
    assert_int_equal(key_compare(&without.key, &without.doc, 0, &null.doc, 0), 0);
    key_set_absent(&without.key, 0, (struct key_value){&given.doc, 0});
    assert_int_equal(key_compare(&without.key, &without.doc, 0, &with.doc, 0), 0);
    assert_int_equal(key_hash(&without.key, &without.doc, 0), key_hash(&without.key, &with.doc, 0));
    assert_true(key_compare(&without.key, &without.doc, 0, &null.doc, 0) > 0);
    assert_true(key_is_there(&without.key, &without.doc, 0));
    arena_done(&given.arena);
    arena_done(&without.arena);
    arena_done(&with.arena);
    arena_done(&null.arena);
}

/* --- packed ---------------------------------------------------------------------------------------- */

/* Ten zeros over a number of digits: 10^(count) as text. */
static char *power_of_ten(size_t count, const char *sign_text)
{
    char *text = mem_printf("%s1%0*d", sign_text, (int)count, 0);
    return text;
}

static void packed(const char *text, const char *hex)
{
    static const char *const root[] = {"", NULL};
    struct keyed it = keyed(root, text);
    struct buffer out, shown;
    struct error err;
    buffer_init(&out, 1 << 16);
    buffer_init(&shown, 1 << 16);
    buffer_byte(&out, 'x'); /* it appends */
    if (key_pack(&it.key, &it.doc, 0, &out, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    for (size_t i = 1; i < out.size; i++)
        buffer_printf(&shown, "%02x", (unsigned char)out.data[i]);
    assert_string_equal(buffer_cstr(&shown), hex);
    buffer_done(&out);
    buffer_done(&shown);
    arena_done(&it.arena);
}

static void test_pack(void **state)
{
    (void)state;
    /* The examples of FoundationDB's tuple specification, and Flow's own uses of it. */
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"null", "00"},
        {"false", "26"},
        {"true", "27"},
        {"0", "14"},
        {"-0.0", "14"},
        {"1", "1501"},
        {"1.0", "1501"},
        {"-1", "13fe"},
        {"255", "15ff"},
        {"256", "160100"},
        {"-255", "1300"},
        {"-256", "12feff"},
        {"-5551212", "11ab4b93"},
        {"4294967296", "190100000000"},
        {"9223372036854775807", "1c7fffffffffffffff"},
        {"-9223372036854775808", "0c7fffffffffffffff"},
        {"18446744073709551615", "1cffffffffffffffff"},
        {"-18446744073709551615", "0c0000000000000000"},
        {"18446744073709551616", "1d09010000000000000000"},
        {"-18446744073709551616", "0bf6feffffffffffffffff"},
        {"1e20", "1d09056bc75e2d63100000"},
        {"-42.1", "213fbaf33333333332"}, /* all bits of c0450ccccccccccd */
        {"0.5", "21bfe0000000000000"},
        {"1.5", "21bff8000000000000"},
        {"\"\"", "0200"},
        {"\"FÔO\\u0000bar\"", "0246c3944f00ff62617200"},
        {"\"\\u0000\\u0000\"", "0200ff00ff00"},
        {"\"a\\n\"", "02610a00"},
        {"[ 1, \"a\" ]", "015b312c2261225d00"},
        {"{ \"a\" : null }", "017b2261223a6e756c6c7d00"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        packed(cases[i].text, cases[i].hex);
}

/* A value that is no key: what has a fraction or an exponent is a double, unless it is an integer of 64 bits.
 */
static void test_pack_value(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"1.0", "1501"},
        {"1e3", "1603e8"},
        {"0.0", "14"},
        {"-0", "14"},
        {"-0.0", "217fffffffffffffff"},
        {"-0e5", "217fffffffffffffff"},
        {"9007199254740993.0", "1b20000000000001"},
        {"-9.223372036854775808e18", "0c7fffffffffffffff"},
        {"9.223372036854775808e18", "21c3e0000000000000"},
        {"1e19", "21c3e158e460913d00"},
        {"1.5e19", "21c3ea055690d9db80"},
        {"-1e19", "213c1ea71b9f6ec2ff"},
        {"1e300", "21fe37e43c8800759c"},
        {"10000000000000000000", "1c8ac7230489e80000"},
        {"18446744073709551616", "1d09010000000000000000"},
        {"0.5", "21bfe0000000000000"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const char *const root[] = {"", NULL};
        struct keyed it = keyed(root, cases[i].text);
        struct buffer out, shown;
        struct error err;
        buffer_init(&out, 1 << 10);
        buffer_init(&shown, 1 << 10);
        assert_int_equal(key_pack_value((struct key_value){&it.doc, 0}, &out, &err), 0);
        for (size_t k = 0; k < out.size; k++)
            buffer_printf(&shown, "%02x", (unsigned char)out.data[k]);
        assert_string_equal(buffer_cstr(&shown), cases[i].hex);
        buffer_done(&out);
        buffer_done(&shown);
        arena_done(&it.arena);
    }
    struct keyed it = keyed((const char *const[]){"", NULL}, "1e400"); /* no double is as large */
    struct buffer out;
    struct error err;
    buffer_init(&out, 1 << 10);
    assert_int_equal(key_pack_value((struct key_value){&it.doc, 0}, &out, &err), 0);
    assert_int_equal(out.data[0], 0x1d);
    buffer_done(&out);
    arena_done(&it.arena);
}

/* Of one type, packed keys are in the order of the keys. */
static void test_pack_order(void **state)
{
    (void)state;
    static const char *const root[] = {"", NULL};
    struct buffer before, now;
    struct error err;
    buffer_init(&before, 1 << 16);
    buffer_init(&now, 1 << 16);
    char first = 0;
    for (size_t i = 0; i < COUNT(ordered); i++) {
        struct keyed it = keyed(root, ordered[i][0]);
        bool usable = key_value_allowed(&it.doc, 0) && json_tag(&it.doc, 0) != JSON_NUMBER;
        buffer_clear(&now);
        if (usable) {
            char type = ordered[i][0][0] == '"' ? 's' : ordered[i][0][0] < 'a' ? 'n' : 'b';
            assert_int_equal(key_pack(&it.key, &it.doc, 0, &now, &err), 0);
            if (type == first)
                assert_true(slice_compare((struct slice){before.data, before.size},
                                          (struct slice){now.data, now.size}) < 0);
            first = type;
            buffer_clear(&before);
            buffer_append(&before, now.data, now.size);
        }
        arena_done(&it.arena);
    }
    assert_int_equal(first, 's');
    buffer_done(&before);
    buffer_done(&now);
}

/* 255 bytes are the most an integer can have: 256^255 - 1 has 615 digits. */
/* Doubles, and integers of any size, from far below 0 to far above: each list in the order of its bytes, in a
 * key and beside one. */
static void test_pack_number_order(void **state)
{
    (void)state;
    static const char *const root[] = {"", NULL};
    static const char *const doubles[] = {"-1.7976931348623157e308",
                                          "-1.5e300",
                                          "-42.25",
                                          "-42.1",
                                          "-1.5",
                                          "-0.5",
                                          "-2.2250738585072014e-308",
                                          "-5e-324",
                                          "5e-324",
                                          "2.2250738585072014e-308",
                                          "0.1",
                                          "0.5",
                                          "1.5",
                                          "255.99",
                                          "256.01",
                                          "4503599627370495.5"};
    static const char *const integers[] = {"-1e300",
                                           "-1e20",
                                           "-18446744073709551616",
                                           "-18446744073709551615",
                                           "-9.223372036854775808e18",
                                           "-65536",
                                           "-256",
                                           "-255",
                                           "-1",
                                           "-0.0",
                                           "1.0",
                                           "255",
                                           "256",
                                           "9007199254740993",
                                           "9223372036854775807",
                                           "1e19",
                                           "18446744073709551615",
                                           "18446744073709551616",
                                           "1e20",
                                           "1e300"};
    const struct {
        const char *const *texts;
        size_t count;
        bool key;
    } lists[] = {
        {doubles, COUNT(doubles), true}, {doubles, COUNT(doubles), false}, {integers, COUNT(integers), true}};
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct buffer packed_now, packed_before;
        struct error err;
        buffer_init(&packed_now, 1 << 10);
        buffer_init(&packed_before, 1 << 10);
        for (size_t j = 0; j < lists[i].count; j++) {
            struct keyed it = keyed(root, lists[i].texts[j]);
            buffer_clear(&packed_now);
            assert_int_equal(lists[i].key ? key_pack(&it.key, &it.doc, 0, &packed_now, &err)
                                          : key_pack_value((struct key_value){&it.doc, 0}, &packed_now, &err),
                             0);
            if (slice_compare((struct slice){packed_before.data, packed_before.size},
                              (struct slice){packed_now.data, packed_now.size}) >= 0)
                fail_msg("%s is not packed behind what is before it", lists[i].texts[j]);
            buffer_clear(&packed_before);
            buffer_append(&packed_before, packed_now.data, packed_now.size);
            arena_done(&it.arena);
        }
        buffer_done(&packed_now);
        buffer_done(&packed_before);
    }
}

static void test_pack_limits(void **state)
{
    (void)state;
    static const char *const pointers[] = {"/id", NULL};
    static const struct {
        int zeros;
        bool fits;
    } cases[] = {{612, true}, {614, true}, {615, false}, {5000, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int negative = 0; negative < 2; negative++) {
            auto_free char *number = power_of_ten((size_t)cases[i].zeros, negative ? "-" : "");
            auto_free char *text = mem_printf("{\"id\":%s}", number);
            struct keyed it = keyed(pointers, text);
            struct buffer out;
            struct error err;
            buffer_init(&out, 1 << 10);
            assert_int_equal(key_pack(&it.key, &it.doc, 0, &out, &err), cases[i].fits ? 0 : -1);
            if (cases[i].fits) {
                assert_int_equal((unsigned char)out.data[0], negative ? 0x0b : 0x1d);
                assert_int_equal((unsigned char)out.data[1] ^ (negative ? 0xff : 0), out.size - 2);
            } else {
                assert_int_equal(err.code, ERROR_LIMIT);
                assert_non_null(strstr(err.message, "key /id: the number "));
            }
            buffer_done(&out);
            arena_done(&it.arena);
        }
    }
    struct keyed it = keyed(pointers, "{\"id\":1e999999999999}");
    struct buffer out;
    struct error err;
    buffer_init(&out, 16);
    assert_int_equal(key_pack(&it.key, &it.doc, 0, &out, &err), -1);
    buffer_done(&out);
    arena_done(&it.arena);
}

/* A buffer that is too small says so, wherever the value ends. */
static void test_pack_full(void **state)
{
    (void)state;
    static const char *const documents[] = {"\"abcdefgh\"", "\"a\\u0000\\u0000\\u0000\"", "[1,2,3,4,5]",
                                            "123456789012345678901234567890"};
    static const char *const root[] = {"", NULL};
    for (size_t i = 0; i < COUNT(documents); i++) {
        struct keyed it = keyed(root, documents[i]);
        struct buffer whole;
        struct error err;
        buffer_init(&whole, 1 << 10);
        assert_int_equal(key_pack(&it.key, &it.doc, 0, &whole, &err), 0);
        assert_false(whole.overflowed);
        for (size_t max = 1; max < whole.size; max++) {
            struct buffer small;
            buffer_init(&small, max);
            assert_int_equal(key_pack(&it.key, &it.doc, 0, &small, &err), 0);
            assert_true(small.overflowed);
            buffer_done(&small);
        }
        buffer_done(&whole);
        arena_done(&it.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_wide_objects),
        cmocka_unit_test(test_composite),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_pack_order),
        cmocka_unit_test(test_pack_limits),
        cmocka_unit_test(test_pack_number_order),
        cmocka_unit_test(test_pack_full),
        cmocka_unit_test(test_pack_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
