/* Formats: what the public suite does not ask. */
#include "support.h"

#include "schema/format/format.h"

static const struct {
    const char *format, *text;
    bool valid;
} cases[] = {
    {"date", "2024-02-29", true},
    {"date", "1900-02-29", false},
    {"date", "2024-2-29", false},
    {"datetime", "2024-02-29T00:00:00Z", true},
    {"date-time", "2024-02-29 00:00:00Z", false},
    {"date-time", "2024-02-29T", false},
    {"date-time", "2024-02-29T00:00:00.Z", false},
    {"date-time", "2024-02-29T00:00:00", false},
    {"date-time", "2024-02-29T00:00:00+0100", false},
    {"time", "00:59:60+01:00", true},
    {"date-time", "2026-06-30T23:59:60Z", true},
    {"date-time", "2026-06-29T23:59:60Z", false},
    {"date-time", "2026-02-28T23:59:60Z", true},
    {"date-time", "2024-02-28T23:59:60Z", false},
    {"date-time", "2024-02-29T23:59:60Z", true},
    {"date-time", "1998-12-31T15:59:60-08:00", true},
    {"date-time", "1998-12-30T15:59:60-08:00", false},
    {"date-time", "1999-01-01T00:59:60+01:00", true},
    {"date-time", "1998-12-31T00:59:60+01:00", false},
    {"time", "12:00:00Z0", false},
    {"duration", "P", false},
    {"duration", "PW", false},
    {"duration", "P1WT1H", false},
    {"duration", "P1W1W", false},
    {"duration", "P1Y1Y", false},
    {"duration", "P1DT", false},
    {"email", "a@b", true},
    {"email", "a@-b", false},
    {"email", "a\"b@c", false},
    {"email", "\"a\\\"b\"@c", true},
    {"email", "\"a@c", false},
    {"email", "\"\"@c", true},
    {"email", "a@[IPv6:2001:db8::1]", true},
    {"email", "a@[]", false},
    {"email", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b", false},
    {"email", "\xc3\xa4@b", false},
    {"idn-email", "\xc3\xa4@b", true},
    {"idn-email", "a@\xc3\xa4\xe3\x80\x82xn--4ca", true},
    {"idn-email", "a@\xe3\x80\xae\xed\x95\x9c", false}, /* no label begins with a combining mark */
    {"idn-email", "a@cafe\xcc\x81.com", true},          /* not in NFC */
    {"idn-hostname", "cafe\xcc\x81.com", false},
    {"idn-email", "a@xn--a", false},
    {"idn-email", "a@[192.0.2.1]", true},
    {"hostname", "a.b-", false},
    {"hostname", "xn--", false},
    {"hostname", "127.0.0.1", true},
    {"hostname", "\xc3\xa4.de", false},
    {"idn-hostname", "\xc3\xa4.de", true},
    {"idn-hostname", "ab--cd", false},
    {"idn-hostname", "\xc3\x84.de", false}, /* upper case is not of IDNA2008 */
    {"idn-hostname", "XN--4CA.de", true},
    {"ipv4", "0.0.0.00", false},
    {"ipv6", "1:2:3:4:5:6:7::", true},
    {"ipv6", "1:2:3:4:5:6:7:8::", false},
    {"ipv6", "::1:2:3:4:5:6:7:8", false},
    {"ipv6", "1.2.3.4::", false},
    {"ipv6", ":", false},
    {"ipv6", "", false},
    {"uri", "a:", true},
    {"uri", "http://[v1.a:b]:80/", true},
    {"uri", "http://[v1.]/", false},
    {"uri", "http://[::1", false},
    {"uri", "http://[::1]a", false},
    {"uri", "http://a:80:80/", false},
    {"uri", "http://a/?#?#", false},
    {"uri-reference", "a/b:c", true},
    {"uri-reference", "?a:b", true},
    {"iri", "http://a/\xee\x80\x80", false}, /* U+E000 only in a query */
    {"iri", "http://a/?\xee\x80\x80", true},
    {"iri", "http://a/\xef\xb7\x90", false}, /* U+FDD0, no character */
    {"iri", "http://a/\xc2\x85", false},
    {"uri-template", "{a:}", false},
    {"uri-template", "{a.}", false},
    {"uri-template", "{.a.b}", true},
    {"uri-template", "{a%2}", false},
    {"uri-template", "%2", false},
    {"uuid", "123e4567-e89b-12d3-a456-42661417400g", false},
    {"relative-json-pointer", "0", true},
    {"relative-json-pointer", "#", false},
    {"regex", "a++", false},
    {"regex", "a{", false},
    {"regex", "a}", false},
    {"regex", "]", false},
    {"regex", "\\-", false},
    {"regex", "[\\-]\\{\\/", true},
    {"regex", "\\\xc3\xa4", false},
    {"regex", "(?<!a*)b", true},
    {"regex", "\\p{Letter}", true},
    {"regex", "(?<n>a)\\k<m>", false},
    {"regex", "(.)\\1", true},
    {"regex", "(a)(b)\\2", true},
    {"regex", "(a)\\2", false},
    {"regex", "[\\1]", false},
    {"regex", "\\0", true},
    {"regex", "\\01", false},
    {"regex", "[\\d-a]", false},
    {"regex", "[a-\\d]", false},
    {"regex", "[\\d-]", true},
    {"regex", "[-\\d]", true},
    {"regex", "[^-\\d]", true},
    {"integer", "", false},
    {"integer", "-", false},
    {"integer", "+012", true},
    {"integer", "1234.00", true},
    {"integer", "12.30", false},
    {"integer", "1.2e1", true},
    {"integer", "1.25e1", false},
    {"integer", "120e-1", true},
    {"integer", "125e-1", false},
    {"integer", "0.0e-99999999999999999999", true},
    {"integer", "1e99999999999999999999", true},
    {"integer", "1_234", false},
    {"integer", " 1", false},
    {"uint64", "18446744073709551615", true},
    {"number", "1.", true},
    {"number", ".5", true},
    {"number", ".", false},
    {"number", "1e", false},
    {"number", "1e+", false},
    {"number", "1.2.3", false},
    {"number", "NaN", true},
    {"number", "-Infinity", true},
    {"number", "nan", false},
    {"number", "0x10", false},
    {"macaddr", "00:1b-63:84-45:e6", true},
    {"macaddr", "001B638445E6", true},
    {"macaddr", "001B638445E6:", false},
    {"macaddr8", "00-1b-638445e6aa:bb", true},
    {"macaddr8", "00:1b:63:84:45:e6", false},
    {"sha256", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true},
    {"sha256", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85", false},
    {"sha256", "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false},
    {"phone", "", true},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum format format = format_find(slice_of(cases[i].format));
        /* exactly as long as it is, for the sanitizer */
        struct slice text = {mem_dup(cases[i].text, strlen(cases[i].text)), strlen(cases[i].text)};
        bool valid = format_check(format, text);
        free((char *)text.data);
        if (valid != cases[i].valid)
            fail_msg("%s \"%s\"", cases[i].format, cases[i].text);
    }
}

/* Each takes its own example, and none what goes on behind a NUL; every prefix ends without reading past it.
 */
static void test_examples(void **state)
{
    (void)state;
    for (int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++) {
        struct slice text = slice_of(format_example((enum format)f));
        assert_int_equal(format_find(slice_of(format_name((enum format)f))), f);
        if (f != FORMAT_SHA256 && !format_check((enum format)f, text))
            fail_msg("%s does not take %s", format_name((enum format)f), text.data);
        for (size_t size = 0; size <= text.size; size++) {
            char *copy = mem_alloc(size + 2);
            memcpy(copy, text.data, size);
            memcpy(copy + size, "\0x", 2);
            bool with_nul = format_check((enum format)f, (struct slice){copy, size + 2});
            char *exact = mem_dup(copy, size);
            format_check((enum format)f, (struct slice){exact, size});
            if (with_nul && f != FORMAT_JSON_POINTER && f != FORMAT_RELATIVE_JSON_POINTER &&
                f != FORMAT_REGEX)
                fail_msg("%s takes a NUL behind %.*s", format_name((enum format)f), (int)size, copy);
            free(copy);
            free(exact);
        }
    }
}

/* Only where it is asked for. */
static void test_option(void **state)
{
    (void)state;
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    const char *text = "{\"format\":\"ipv4\",\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}";
    assert_int_equal(schema_registry_add(registry, TEST_URI, slice_of(text), &err), 0);
    mem_auto(schema_free) struct schema *quiet = schema_compile(registry, TEST_URI, &err);
    mem_auto(schema_free) struct schema *loud =
        schema_compile_with(registry, TEST_URI, &(struct schema_options){.assert_formats = true}, &err);
    assert_int_equal(ask(quiet, SLICE_LITERAL("\"x\""), &err), 1);
    assert_int_equal(ask(loud, SLICE_LITERAL("\"x\""), &err), 0);
    assert_int_equal(ask(loud, SLICE_LITERAL("\"\\u0031.2.3.4\""), &err), 1);
    assert_int_equal(ask(loud, SLICE_LITERAL("5"), &err), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
