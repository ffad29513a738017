/* The template language from inside: errors, limits, sharing, and what the comparison with the CDK
 * (tests/clients/test_templates.py) cannot see. */
#include "source-declarative/template/interpolate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char CONFIG[] = "{\"a\":1,\"token\":\"hidden-value\",\"list\":[1,2,{\"x\":\"y\"}],\"esc\":"
                             "\"a\\u0041\",\"deep\":{\"k\":[1.10,null,true]}}";

struct fixture {
    struct arena arena;
    struct json doc;
    struct template_name names[8];
    struct template_scope scope;
};

static void fixture_init(struct fixture *f)
{
    struct error err;
    *f = (struct fixture){0};
    assert_int_equal(json_parse_copy(&f->arena, CONFIG, sizeof CONFIG - 1, &f->doc, &err), 0);
    f->names[0] = (struct template_name){SLICE_LITERAL("config"), tvalue_json(&f->arena, &f->doc, 0)};
    f->names[1] = (struct template_name){SLICE_LITERAL("parameters"), tvalue_dict(&f->arena)};
    f->scope.names = f->names;
    f->scope.count = 2;
}

static struct template *compile(struct fixture *f, const char *text)
{
    struct error err = {0};
    struct template *template = template_compile(&f->arena, slice_of(text), &err);
    if (!template)
        fail_msg("%s", err.message);
    return template;
}

/* --- errors -------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *message;
} compile_errors[] = {
    {"{{ }}", "template '{{ }}', line 1 column 4: '}}' stands where an expression should be"},
    {"a\n  {{ 1 + }}",
     "template 'a   {{ 1 + }}', line 2 column 10: '}}' stands where an expression should be"},
    {"{{ config.a | uper }}",
     "template '{{ config.a | uper }}', line 1 column 15: there is no filter 'uper'; is 'upper' meant?"},
    {"{{ 1 is evn }}",
     "template '{{ 1 is evn }}', line 1 column 6: there is no test 'evn'; is 'even' meant?"},
    {"{% fro x in y %}",
     "template '{% fro x in y %}', line 1 column 4: there is no statement 'fro' here; is 'for' meant?"},
    {"{% if a %}", "template '{% if a %}', line 1 column 11: it ends where {% endif %} should be"},
    {"{{ 'a }}", "template '{{ 'a }}', line 1 column 4: a string has no end; its quote is missing"},
    {"{# a", "template '{# a', line 1 column 1: a comment has no end; #} is missing"},
    {"{{ \"\\xZ\" }}",
     "template '{{ \"\\xZ\" }}', line 1 column 4: an escape in a string is cut short, or no character"},
    {"{{ (1] }}", "template '{{ (1] }}', line 1 column 6: a bracket is closed that was not opened"},
};

static void test_compile_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof compile_errors / sizeof *compile_errors; i++) {
        struct arena arena = {0};
        struct error err = {0};
        assert_null(template_compile(&arena, slice_of(compile_errors[i].text), &err));
        assert_string_equal(err.message, compile_errors[i].message);
        assert_int_equal(err.code, ERROR_INVALID);
        arena_done(&arena);
    }
}

static const struct {
    const char *text;
    enum template_failure failure;
    const char *message;
} run_errors[] = {
    {"{{ confg.a }}", TEMPLATE_FAILED,
     "template '{{ confg.a }}', line 1 column 4: there is no 'confg' here; is 'config' meant?"},
    {"{{ config.nope.x }}", TEMPLATE_UNDEFINED,
     "template '{{ config.nope.x }}', line 1 column 15: a dict has no 'nope'"},
    {"{{ config.token + 1 }}", TEMPLATE_TYPE_ERROR,
     "template '{{ config.token + 1 }}', line 1 column 17: '+' cannot be done with str and int"},
    {"{{ config.token|int(config.token) / 0 }}", TEMPLATE_TYPE_ERROR,
     "template '{{ config.token|int(config.token) / 0 }}', line 1 column 35: '/' cannot be done with str and "
     "int"},
    {"{{ 1 / 0 }}", TEMPLATE_FAILED, "template '{{ 1 / 0 }}', line 1 column 6: a division by zero"},
    {"{{ str_to_datetime(config.token) }}", TEMPLATE_FAILED,
     "template '{{ str_to_datetime(config.token) }}', line 1 column 19: a text is no date of ISO 8601, such "
     "as "
     "2021-01-31T10:00:00Z"},
    {"{{ config.list.append(1) }}", TEMPLATE_FAILED,
     "template '{{ config.list.append(1) }}', line 1 column 22: a template cannot change what it was given; "
     "dict(x) "
     "and x | list make a copy"},
    /* A name that was computed may be a secret. */
    {"{{ config[config.token].x }}", TEMPLATE_UNDEFINED,
     "template '{{ config[config.token].x }}', line 1 column 24: a dict has no '…'"},
    {"{{ config|attr(config.token) + 1 }}", TEMPLATE_UNDEFINED,
     "template '{{ config|attr(config.token) + 1 }}', line 1 column 30: a dict has no '…'"},
    {"{{ [1]|map(config.token)|list }}", TEMPLATE_FAILED,
     "template '{{ [1]|map(config.token)|list }}', line 1 column 8: there is no filter '…'"},
    {"{{ format_datetime('x', '%Y', config.token) }}", TEMPLATE_FAILED,
     "template '{{ format_datetime('x', '%Y', config.token) }}', line 1 column 19: a date does not have its "
     "format, "
     "from its character 1 on"},
    {"{{ today_with_timezone(config.token) }}", TEMPLATE_FAILED,
     "template '{{ today_with_timezone(config.token) }}', line 1 column 23: there is no time zone '…' on "
     "this machine"},
    {"{{ 'a'.split('') }}", TEMPLATE_FAILED,
     "template '{{ 'a'.split('') }}', line 1 column 13: a text cannot be split at nothing"},
};

static void test_run_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof run_errors / sizeof *run_errors; i++) {
        struct fixture f;
        fixture_init(&f);
        struct error err = {0};
        enum template_failure failure;
        struct slice text;
        assert_int_equal(
            template_render(compile(&f, run_errors[i].text), &f.scope, &f.arena, &text, &failure, &err), -1);
        assert_string_equal(err.message, run_errors[i].message);
        assert_int_equal(failure, run_errors[i].failure);
        assert_null(strstr(err.message, "hidden-value"));
        arena_done(&f.arena);
    }
}

/* A long template is cut in its messages, between characters. */
static void test_long_template(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct error err = {0};
    char text[600];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i + 1 < 400; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    memcpy(text + 580, "{{ 1 | nope }}", 14);
    assert_null(template_compile(&arena, (struct slice){text, 594}, &err));
    assert_true(utf8_valid(err.message, strlen(err.message)));
    assert_non_null(strstr(err.message, "…', line 1 column 388: there is no filter 'nope'"));
    assert_true(strlen(err.message) < 400);
    arena_done(&arena);
}

/* --- limits -------------------------------------------------------------------------------------- */

static void test_limits(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{{ 'x' * 99999999 }}",
        "{{ [0] * 99999999 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in 'x' * 9000 %}{% for b in 'x' * 9000 %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for a in 'x' * 64 %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set x = [1] %}{% for a in x %}{% set _ = x.append(a) %}{% endfor %}",
        "{{ '%99999999d' % 1 }}",
        "{{ '{:99999999}'.format(1) }}",
        "{{ 'a'.rjust(99999999) }}",
        "{{ ('a' * 60 ~ 'b')|regex_search('(a+a+)+$') }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        /* few lists that stand in many places are as large as what they become */
        "{{ [[1] * 100000] * 100000 }}",
        "{{ [[1] * 100000] * 100000 == [[1] * 100000] * 100000 }}",
        "{{ [[[1] * 1000] * 1000] * 1000 < [[[1] * 1000] * 1000] * 1000 }}",
        "{{ 1 in [[[1] * 2000] * 2000, 1] and [[1] * 2000] * 2000 in [[[1] * 2000] * 2000] }}",
        "{{ {(((1,) * 1000,) * 1000,) * 1000: 1} }}",
        "{{ (((1,) * 100000,) * 100000)|unique|list }}",
        "{{ ([[1] * 100000] * 100000)|string }}",
        "{{ ([[1] * 100000] * 100000)|tojson }}",
        "{{ ([[1] * 100000] * 100000)|join }}",
        "{{ ([[[1] * 1000] * 1000] * 1000)|sort }}",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct fixture f;
        fixture_init(&f);
        struct error err = {0};
        enum template_failure failure;
        struct tvalue value;
        bool is_text;
        assert_int_equal(
            template_evaluate(compile(&f, TEXTS[i]), &f.scope, &f.arena, &value, &is_text, &failure, &err),
            -1);
        if (err.code != ERROR_LIMIT)
            fail_msg("%s: %s", TEXTS[i], err.message);
        assert_int_equal(failure, TEMPLATE_FAILED);
        assert_true(arena_used(&f.arena) < (size_t)2 * TEMPLATE_MEMORY_MAX);
        arena_done(&f.arena);
    }
}

static void test_compile_limits(void **state)
{
    (void)state;
    struct error err = {0};
    struct arena arena = {0};
    char *deep = mem_alloc(TEMPLATE_SOURCE_MAX + 1);
    static const char *const OPENING[] = {"(",          "[",  "{1:",      "not ", "-",
                                          "{% if 1 %}", "a.", "a|upper|", "1+",   "a("};
    for (size_t i = 0; i < sizeof OPENING / sizeof *OPENING; i++) {
        size_t size = 0, one = strlen(OPENING[i]);
        if (OPENING[i][1] != '%')
            memcpy(deep, "{{ ", size = 3);
        while (size + one < 100000) {
            memcpy(deep + size, OPENING[i], one);
            size += one;
        }
        assert_null(template_compile(&arena, (struct slice){deep, size}, &err));
    }
    memset(deep, 'x', TEMPLATE_SOURCE_MAX + 1);
    assert_non_null(template_compile(&arena, (struct slice){deep, TEMPLATE_SOURCE_MAX}, &err));
    assert_null(template_compile(&arena, (struct slice){deep, TEMPLATE_SOURCE_MAX + 1}, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_null(template_compile(&arena, (struct slice){"\xff", 1}, &err));
    free(deep);
    arena_done(&arena);
}

/* --- what is not copied -------------------------------------------------------------------------- */

static void test_views(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct error err;
    enum template_failure failure;
    struct tvalue value;
    bool is_text;
    /* A text without escapes is the document's own. */
    assert_int_equal(template_evaluate(compile(&f, "{{ config.token }}"), &f.scope, &f.arena, &value,
                                       &is_text, &failure, &err),
                     0);
    assert_false(is_text);
    assert_true(value.text.data > f.doc.source && value.text.data < f.doc.source + f.doc.size);
    /* So is a list, even as the value of an interpolation. */
    struct interpolation *list = interpolation_compile(&f.arena, SLICE_LITERAL("{{ config.deep }}"), &err);
    assert_int_equal(interpolation_string(list, INTERPOLATE_ANY, &f.scope, &f.arena, &value, &err), 0);
    assert_int_equal(value.kind, TVALUE_JSON_DICT);
    assert_ptr_equal(value.doc, &f.doc);
    /* As text it is Python's. */
    assert_int_equal(interpolation_string(list, INTERPOLATE_STR, &f.scope, &f.arena, &value, &err), 0);
    assert_true(slice_is(value.text, "{'k': [1.1, None, True]}"));
    assert_int_equal(template_evaluate(compile(&f, "{{ config.esc }}"), &f.scope, &f.arena, &value, &is_text,
                                       &failure, &err),
                     0);
    assert_true(slice_is(value.text, "aA"));
    arena_done(&f.arena);
}

/* Rendering ten thousand times in a cleared arena takes no more memory than once. */
static void test_arena(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct template *template = compile(&f, "{{ config['token'] }}");
    struct arena scratch = {0};
    size_t used = 0;
    for (int i = 0; i < 10000; i++) {
        struct slice text;
        enum template_failure failure;
        struct error err;
        assert_int_equal(template_render(template, &f.scope, &scratch, &text, &failure, &err), 0);
        assert_true(slice_is(text, "hidden-value"));
        if (i == 0)
            used = arena_used(&scratch);
        arena_clear(&scratch);
    }
    assert_int_equal(arena_used(&scratch), used);
    arena_done(&scratch);
    arena_done(&f.arena);
}

static void test_free_names(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const struct slice *names;
    struct template *template = compile(
        &f, "{% set x = record.a %}{{ x }}{{ now_utc() }}{% for y in config.l %}{{ y }}{{ z }}{% endfor %}");
    assert_int_equal(template_free_names(template, &names), 3);
    assert_true(slice_is(names[0], "record") && slice_is(names[1], "config") && slice_is(names[2], "z"));
    assert_false(template_is_plain(template));
    assert_true(template_is_plain(compile(&f, "a { b } %")));
    assert_false(template_is_plain(compile(&f, "a{# #}")));
    arena_done(&f.arena);
}

static int64_t stopped(void *context)
{
    (void)context;
    return 1700000000123;
}

static void test_clock(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct clock clock = clock_system;
    clock.wall_ms = stopped;
    f.scope.clock = &clock;
    struct slice text;
    enum template_failure failure;
    struct error err;
    struct template *template = compile(&f, "{{ now_utc() }} {{ today_utc() }} {{ day_delta(1, '%d') }}");
    assert_int_equal(template_render(template, &f.scope, &f.arena, &text, &failure, &err), 0);
    assert_true(slice_is(text, "2023-11-14 22:13:20.123000+00:00 2023-11-14 15"));
    arena_done(&f.arena);
}

static void test_stream_state(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct error err = {0};
    struct tvalue value;
    struct interpolation *old =
        interpolation_compile(&f.arena, SLICE_LITERAL("{{ stream_state['x'] }}"), &err);
    assert_int_equal(interpolation_string(old, INTERPOLATE_ANY, &f.scope, &f.arena, &value, &err), -1);
    assert_non_null(strstr(err.message, "stream_interval"));
    arena_done(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compile_errors), cmocka_unit_test(test_run_errors),
        cmocka_unit_test(test_long_template),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_compile_limits), cmocka_unit_test(test_views),
        cmocka_unit_test(test_arena),          cmocka_unit_test(test_free_names),
        cmocka_unit_test(test_clock),          cmocka_unit_test(test_stream_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
