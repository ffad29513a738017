/* RFC 3986: its own examples, and what schemas bring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema/uri.h"

#define BASE "http://a/b/c/d;p?q"

static const struct {
    const char *base, *reference, *expected;
} cases[] = {
    {BASE, "g:h", "g:h"},
    {BASE, "g", "http://a/b/c/g"},
    {BASE, "./g", "http://a/b/c/g"},
    {BASE, "g/", "http://a/b/c/g/"},
    {BASE, "/g", "http://a/g"},
    {BASE, "//g", "http://g"},
    {BASE, "?y", "http://a/b/c/d;p?y"},
    {BASE, "g?y", "http://a/b/c/g?y"},
    {BASE, "g#s", "http://a/b/c/g"},
    {BASE, ";x", "http://a/b/c/;x"},
    {BASE, "", "http://a/b/c/d;p?q"},
    {BASE, "#s", "http://a/b/c/d;p?q"},
    {BASE, ".", "http://a/b/c/"},
    {BASE, "./", "http://a/b/c/"},
    {BASE, "..", "http://a/b/"},
    {BASE, "../g", "http://a/b/g"},
    {BASE, "../..", "http://a/"},
    {BASE, "../../g", "http://a/g"},
    {BASE, "../../../g", "http://a/g"},
    {BASE, "/./g", "http://a/g"},
    {BASE, "/../g", "http://a/g"},
    {BASE, "g.", "http://a/b/c/g."},
    {BASE, "..g", "http://a/b/c/..g"},
    {BASE, "./g/.", "http://a/b/c/g/"},
    {BASE, "g/./h", "http://a/b/c/g/h"},
    {BASE, "g/../h", "http://a/b/c/h"},
    {BASE, "http://x/y/../z", "http://x/z"},
    {"http://a", "g", "http://a/g"},
    {"file:///s/a.json", "b.json", "file:///s/b.json"},
    {"file:///s/a.json", "../b.json#/x", "file:///b.json"},
    {"urn:uuid:deadbeef", "#x", "urn:uuid:deadbeef"},
    {"urn:uuid:deadbeef", "urn:x:y", "urn:x:y"},
    {"test:schema", "other", "test:other"},
    {"tag:example.com,2026:a/b", "c", "tag:example.com,2026:a/c"},
};

static void test_resolve(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = uri_resolve(&arena, slice_of(cases[i].base), slice_of(cases[i].reference));
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%s + %s: expected %s, got %s", cases[i].base, cases[i].reference, cases[i].expected,
                     got);
    }
    arena_done(&arena);
}

static void test_decode_and_paths(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    assert_true(slice_is(uri_decode(&arena, SLICE_LITERAL("/a%25b%zz%2")), "/a%b%zz%2"));
    const char *uri = uri_of_path(&arena, "/a b/\xc3\xa4#%.json");
    assert_string_equal(uri, "file:///a%20b/%C3%A4%23%25.json");
    assert_string_equal(uri_to_path(&arena, uri), "/a b/\xc3\xa4#%.json");
    assert_string_equal(uri_to_path(&arena, "file://localhost/x"), "/x");
    assert_null(uri_to_path(&arena, "http://x/y"));
    assert_null(uri_to_path(&arena, "file://elsewhere/y"));
    assert_null(uri_to_path(&arena, "file:///a%00b"));
    assert_string_equal(uri_shown(&arena, "file:///a%20b.yaml"), "/a b.yaml");
    assert_string_equal(uri_shown(&arena, "file:///a.yaml#/x%25y"), "/a.yaml#/x%y");
    assert_string_equal(uri_shown(&arena, "file:///a.yaml?ptr=%2Fc%2Fa~1b&collection=a%2Fb#/type"),
                        "/a.yaml#/c/a~1b/type");
    assert_string_equal(uri_shown(&arena, "file:///a.yaml?x=1"), "/a.yaml");
    assert_string_equal(uri_shown(&arena, "stream:/3#/type"), "#/type");
    assert_string_equal(uri_shown(&arena, "https://x.example/y#/z"), "https://x.example/y#/z");
    assert_false(uri_is_absolute(SLICE_LITERAL("a/b:c")));
    assert_true(uri_is_absolute(SLICE_LITERAL("a:b")));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resolve),
                                       cmocka_unit_test(test_decode_and_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
