/* Templates of triggers' payloads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/trigger_template.h"

static const char context_text[] =
    "{\"a\":\"x\\ny\",\"n\":12345678901234567890.10,\"no\":false,\"empty\":\"\","
    "\"list\":[\"p\",\"q\",\"r\"],\"none\":[],\"h\":{\"X-Key\":\"k\",\"b c\":\"d\"},"
    "\"rows\":[{\"id\":1},{\"id\":2}]}";

static const struct {
    const char *template, *want; /* "!" and a part of the error */
} cases[] = {
    {"", ""},
    {"plain } text", "plain } text"},
    {"[{{a}}] {{{a}}} {{&a}} {{ n }}", "[x\ny] x\ny x\ny 12345678901234567890.10"},
    {"{{h.X-Key}}{{h/X-Key}}{{h.[b c]}}{{this.a}}{{./a}}", "kkdx\nyx\ny"},
    {"{{!-- }} --}}{{! gone }}{{list}}", "[\"p\",\"q\",\"r\"]"},
    {"{{#each list}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}", "0p,1q,2r"},
    {"{{#each list}}{{#if @first}}<{{else}}|{{/if}}{{@last}}{{/each}}", "<false|false|true"},
    {"{{#each none}}{{bad}}{{else}}nobody {{n}}{{/each}}", "nobody 12345678901234567890.10"},
    {"{{#each rows}}{{id}}{{this.id}}{{../a}} {{/each}}", "11x\ny 22x\ny "},
    {"{{#each rows}}{{#each ../list}}{{../id}}{{this}}{{/each}};{{/each}}", "1p1q1r;2p2q2r;"},
    {"{{#if no}}1{{/if}}{{#if empty}}2{{/if}}{{#if none}}3{{else}}4{{/if}}{{#unless n}}5{{/unless}}", "4"},
    {"{{#if no}}{{bad}}{{#each worse}}{{/each}}{{/if}}.", "."},
    {"a  {{~a~}}  b", "ax\nyb"},
    {"{{bad}}", "!there is no variable 'bad'"},
    {"{{}}", "!there is no variable ''"},
    {"{{a.b}}", "!there is no variable 'a.b'"},
    {"{{@index}}", "!there is no variable '@index'"},
    {"{{a", "!a '{{' has no '}}'"},
    {"{{{a}}", "!a '{{' has no '}}'"},
    {"{{#each a}}{{/each}}", "!this is no list: 'a'"},
    {"{{#each list}}{{/if}}", "!a block ends with the name of another: 'if'"},
    {"{{#if a}}", "!a block has no end: 'if'"},
    {"{{/if}}", "!this ends a block that has not begun: 'if'"},
    {"{{else}}", "!this ends a block that has not begun: 'else'"},
    {"{{#if a}}{{else}}{{else}}{{/if}}", "!a block has no end: 'if'"},
    {"{{#with a}}{{/with}}", "!a block may be each, if or unless, and not 'with'"},
    {"{{lookup a b}}", "!there is no variable 'lookup a b'"},
};

static void check(const char *template, const char *want)
{
    struct arena arena;
    struct json context;
    struct buffer out;
    struct error err = {0};
    arena_init(&arena);
    buffer_init(&out, 4096);
    assert_int_equal(json_parse_copy(&arena, context_text, sizeof context_text - 1, &context, &err), 0);
    int result = trigger_template_render(slice_of(template), &context, &out, &err);
    if (*want == '!') {
        assert_int_equal(result, -1);
        if (!strstr(err.message, want + 1))
            fail_msg("%s: %s", template, err.message);
    } else {
        if (result < 0)
            fail_msg("%s: %s", template, err.message);
        assert_string_equal(buffer_cstr(&out), want);
    }
    buffer_done(&out);
    arena_done(&arena);
}

static void test_templates(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].template, cases[i].want);
}

static void test_bounds(void **state)
{
    struct buffer deep;
    buffer_init(&deep, BUFFER_UNLIMITED);
    for (int i = 0; i < 1000; i++)
        buffer_str(&deep, "{{#if a}}");
    check(buffer_cstr(&deep), "!too many blocks");
    buffer_clear(&deep);
    for (int i = 0; i < 5000; i++)
        buffer_str(&deep, "{{n}}");
    check(buffer_cstr(&deep), "!larger than its limit");
    buffer_done(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_templates), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
