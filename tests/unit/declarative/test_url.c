#include "connectors/source-declarative/request/error_text.h"
#include "connectors/source-declarative/request/headers.h"
#include "connectors/source-declarative/request/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void same(struct slice got, const char *expected)
{
    if (!slice_is(got, expected))
        fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARGS(got), expected);
}

static const struct {
    const char *base, *path, *by_path, *joined;
} joins[] = {
#include "url_joins.inc"
};

static void test_joins(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        struct slice base = slice_of(joins[i].base), path = slice_of(joins[i].path);
        if (!slice_is(url_join_path(&arena, base, path), joins[i].by_path) ||
            !slice_is(url_join(&arena, base, path), joins[i].joined))
            print_message("base \"%s\", path \"%s\"\n", joins[i].base, joins[i].path);
        same(url_join_path(&arena, base, path), joins[i].by_path);
        same(url_join(&arena, base, path), joins[i].joined);
    }
    arena_done(&arena);
}

static struct tvalue document(struct arena *arena, const char *source)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct error err;
    if (json_parse_copy(arena, source, strlen(source), doc, &err) != 0)
        fail_msg("%s", err.message);
    return tvalue_json(arena, doc, 0);
}

/* What requests 2.32 sends for the same URL and parameters. */
static const struct {
    const char *url, *parameters, *sent;
} prepared[] = {
    {"http://h", "{}", "http://h/"},
    {"http://h?a=b", "{}", "http://h/?a=b"},
    {"HTTP://h/x#f", "{}", "http://h/x"},
    {"http://h/x", "{\"a\": \"1\", \"l\": [\"x\", \"y z\"], \"n\": null, \"e\": \"\"}",
     "http://h/x?a=1&l=x&l=y+z&e="},
    {"http://h/x?q=1", "{\"\\u00e9\": \"\\u00fc/&=+ ~\"}", "http://h/x?q=1&%C3%A9=%C3%BC%2F%26%3D%2B+~"},
    {"http://h/x", "{\"b\": true, \"f\": 1.0, \"i\": 12345678901234567890}",
     "http://h/x?b=True&f=1.0&i=12345678901234567890"},
    {"http://h/a b/\xc3\xbc/%41%2f%zz/~[x]|?q=a b&r=%41[]'\"<>", "{}",
     "http://h/a%20b/%C3%BC/%2541%252F%25zz/~%5Bx%5D%7C?q=a%20b&r=A%5B%5D'%22%3C%3E"},
    {"http://h/a%20b/%7Ec/%41%2f?q=%41%2f", "{}", "http://h/a%20b/~c/A%2F?q=A%2F"},
    {"http://h/a/../b/./c", "{}", "http://h/b/c"},
    {"http://h/a/b/..", "{}", "http://h/a/"},
    {"  http://h/x?", "{}", "http://h/x"},
    {"http://h/x?&", "{\"a\": 1}", "http://h/x?&&a=1"},
};

static void test_prepare(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err;
    struct slice url;
    for (size_t i = 0; i < sizeof prepared / sizeof *prepared; i++) {
        struct tvalue parameters = document(&arena, prepared[i].parameters);
        assert_int_equal(url_prepare(&arena, slice_of(prepared[i].url), &parameters, &url, &err), 0);
        same(url, prepared[i].sent);
    }
    struct tvalue none = tvalue_dict(&arena);
    static const char *const wrong[] = {"", "x", "/x", "ftp://h/", "mailto:x", "http://", "http:///x", "a:b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(url_prepare(&arena, slice_of(wrong[i]), &none, &url, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    arena_done(&arena);
}

static void test_repeated(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct tvalue all = document(&arena, "{\"a\": \"1\", \"b\": 3, \"c\": \"\", \"d\": \"x y\", \"e\": 5}");
    struct tvalue left =
        url_without_repeated(&arena, slice_of("http://h/x?a=1&b=2&a=3&b=3&c=&d=x+y&e=%35"), &all);
    struct ttext out;
    ttext_init(&out, &arena, SIZE_MAX);
    url_encode_form(&out, &left);
    same(ttext_slice_of(&out), "b=3&c=");
    arena_done(&arena);
}

/* Body and what the CDK's JsonErrorMessageParser makes of it; NULL: nothing. */
static const struct {
    const char *body, *words;
} errors[] = {
    {"{\"message\":\"m\"}", "m"},
    {"{\"error\":\"e\",\"message\":\"m\"}", "m"},
    {"{\"errors\":[{\"message\":\"a\"},{\"message\":\"b\"}]}", "a, b"},
    {"{\"error\":{\"code\":1,\"msg\":\"x\"}}", "x"},
    {"[{\"error\":\"a\"},\"b\"]", "a, b"},
    {"\"str\"", "str"},
    {"{\"detail\":\"d\"}", "d"},
    {"{\"error_description\":\"d\"}", NULL},
    {"{\"failures\":[\"a\"]}", "a"},
    {"{\"errors\":{\"a\":[\"x\",\"y\"]}}", NULL},
    {"{\"error\":null,\"message\":\"q\"}", "q"},
    {"{\"error\":[],\"reason\":\"q\"}", "q"},
    {"{\"error\":\"\",\"status_message\":\"q\"}", "q"},
    {"{\"error\":5}", NULL},
    {"{\"errors\":[\"a\",{\"message\":\"b\"},[\"c\",\"d\"]]}", "a, b, c, d"},
    {"{\"a\":{\"message\":\"m\"}}", NULL},
    {"7", NULL},
};

static void test_error_text(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct tvalue body = document(&arena, errors[i].body);
        struct slice words = error_text(&arena, &body);
        if (errors[i].words)
            same(words, errors[i].words);
        else
            assert_null(words.data);
    }
    arena_done(&arena);
}

/* Headers, and requests' Response.links of them. */
static const struct {
    const char *link, *links;
} links[] = {
    {"", "{}"},
    {"<http://h/p2?a=1>; rel=\"next\", <http://h/p9>; rel=\"last\"",
     "{'next': {'url': 'http://h/p2?a=1', 'rel': 'next'}, 'last': {'url': 'http://h/p9', 'rel': 'last'}}"},
    {"<http://h/a>", "{'http://h/a': {'url': 'http://h/a'}}"},
    {"<http://h/a,b>; rel=next; title=\"x\"",
     "{'next': {'url': 'http://h/a,b', 'rel': 'next', 'title': 'x'}}"},
    {"<a>; rel=next; broken; title=y", "{'next': {'url': 'a', 'rel': 'next'}}"},
    {"<a>; rel=next; x=y=z; title=y", "{'next': {'url': 'a', 'rel': 'next'}}"},
};

static void test_links(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct tvalue value = headers_links(&arena, slice_of(links[i].link));
        struct ttext out;
        ttext_init(&out, &arena, SIZE_MAX);
        tvalue_str(&out, &value);
        same(ttext_slice_of(&out), links[i].links);
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins),      cmocka_unit_test(test_prepare), cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_error_text), cmocka_unit_test(test_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
