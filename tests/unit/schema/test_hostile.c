/* What is dear by its number: each test counts steps or hits a named limit, so that it is the same on any
 * machine. */
#include "support.h"

#include "schema/machine.h"

static struct buffer new_text(void)
{
    struct buffer text;
    buffer_init(&text, 64 << 20);
    return text;
}

/* `count` times the format with its number, between `open` and `close`, separated by commas. */
static void put_list(struct buffer *out, const char *open, const char *format, unsigned count,
                     const char *close)
{
    buffer_str(out, open);
    for (unsigned i = 0; i < count; i++) {
        buffer_str(out, i ? "," : "");
        for (const char *at = format; *at; at++) {
            if (*at == '@')
                buffer_printf(out, "%u", i);
            else
                buffer_byte(out, *at);
        }
    }
    buffer_str(out, close);
}

/* The answer, and how many steps it took. */
static int count_steps(const struct schema *schema, const struct buffer *instance, uint64_t *ret_steps,
                       struct error *err)
{
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    if (json_parse(parser, instance->data, instance->size, &doc, err) < 0)
        fail_msg("%s", err->message);
    int valid = schema_validate(schema, validator, &doc, 0, err);
    uint64_t budget = SCHEMA_STEPS_BASE + (uint64_t)doc.count * SCHEMA_STEPS_PER_NODE +
                      (uint64_t)doc.size * SCHEMA_STEPS_PER_BYTE;
    *ret_steps = budget - validator->steps;
    return valid;
}

static void expect_stop(struct buffer *schema_text, struct buffer *instance)
{
    struct error err = {0};
    uint64_t steps;
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(schema_text));
    assert_int_equal(count_steps(schema, instance, &steps, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_non_null(strstr(err.message, "steps"));
    buffer_done(schema_text);
    buffer_done(instance);
}

static void expect_refused(struct buffer *schema_text, enum error_code code, const char *message)
{
    struct error err = {0};
    assert_null(compile_text(buffer_cstr(schema_text), &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.message, message))
        fail_msg("%s", err.message);
    buffer_done(schema_text);
}

/* Matches that are each within PCRE2's limit add up. */
static void test_slow_matches(void **state)
{
    (void)state;
    struct error err = {0};
    uint64_t steps;
    struct buffer few = new_text(), schema = new_text(), many = new_text();
    buffer_str(&schema, "{\"items\":{\"pattern\":\"^(a|a|b?a)+c?(a+)+$\"}}");
    put_list(&few, "[", "\"aaaaaaaaa!\"", 1, "]");
    put_list(&many, "[", "\"aaaaaaaaa!\"", 1000, "]");
    mem_auto(schema_free) struct schema *compiled = must_compile(buffer_cstr(&schema));
    assert_int_equal(count_steps(compiled, &few, &steps, &err), 0);
    assert_true(steps >= SCHEMA_STEPS_SLOW_MATCH);
    mem_auto(schema_free) struct schema *negated =
        must_compile("{\"items\":{\"not\":{\"pattern\":\"^(a|a|b?a)+c?(a+)+$\"}}}");
    assert_int_equal(count_steps(negated, &few, &steps, &err), 1);
    assert_int_equal(count_steps(negated, &many, &steps, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&few);
    buffer_done(&many);
    buffer_done(&schema);
}

/* Alternatives times members, without a call among them. */
static void test_wide_alternatives(void **state)
{
    (void)state;
    struct buffer schema = new_text(), instance = new_text();
    put_list(&schema, "{\"anyOf\":[", "{\"properties\":{\"a\":{\"type\":\"string\"},\"b@\":true}}", 10000,
             "]}");
    put_list(&instance, "{", "\"k@\":1", 2000, ",\"a\":1}");
    expect_stop(&schema, &instance);
}

/* What unevaluatedProperties keeps costs with the members, not more. */
static void test_unevaluated_is_linear(void **state)
{
    (void)state;
    struct error err = {0};
    uint64_t steps[2];
    mem_auto(schema_free) struct schema *schema =
        must_compile("{\"anyOf\":[{\"properties\":{\"a\":true}},{\"patternProperties\":{\"^(k|x)\":true}},"
                     "{\"required\":[\"b\"]}],\"unevaluatedProperties\":{\"type\":\"integer\"}}");
    for (unsigned i = 0; i < 2; i++) {
        struct buffer instance = new_text();
        put_list(&instance, "{", "\"k@\":1,\"@\":2", 100000 << i, "}");
        assert_int_equal(count_steps(schema, &instance, &steps[i], &err), 1);
        buffer_done(&instance);
    }
    assert_true(steps[0] < 100000 * 2 * 16);
    assert_true(steps[1] < steps[0] * 21 / 10);
}

static int by_hash(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

/* Two names of the same hash: n<first>, n<second>. */
static void find_collision(unsigned *ret_first, unsigned *ret_second)
{
    enum { NAMES = 400000 };
    uint32_t(*names)[2] = mem_alloc(NAMES * sizeof *names);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "n%u", i);
        names[i][0] = json_key_hash(name, (size_t)size);
        names[i][1] = i;
    }
    qsort(names, NAMES, sizeof *names, by_hash);
    unsigned at = 1;
    while (at < NAMES && names[at][0] != names[at - 1][0])
        at++;
    assert_true(at < NAMES);
    *ret_first = names[at - 1][1];
    *ret_second = names[at][1];
    free(names);
}

/* 2^12 different arrays of one hash: their comparisons are paid for. */
static void put_same_hashes(struct buffer *out, unsigned bits)
{
    unsigned names[2];
    find_collision(&names[0], &names[1]);
    buffer_str(out, "[");
    for (unsigned i = 0; i < 1U << bits; i++) {
        buffer_str(out, i ? ",[" : "[");
        for (unsigned bit = 0; bit < bits; bit++)
            buffer_printf(out, "%s{\"n%u\":1}", bit ? "," : "", names[i >> bit & 1]);
        buffer_str(out, "]");
    }
    buffer_str(out, "]");
}

static void test_same_hashes(void **state)
{
    (void)state;
    struct error err = {0};
    uint64_t steps;
    struct buffer few = new_text(), many = new_text(), schema = new_text(), values = new_text();
    put_same_hashes(&few, 4);
    put_same_hashes(&many, 14);
    buffer_str(&schema, "{\"uniqueItems\":true}");
    mem_auto(schema_free) struct schema *compiled = must_compile(buffer_cstr(&schema));
    assert_int_equal(count_steps(compiled, &few, &steps, &err), 1);
    assert_true(steps >= 15 * 1024);
    buffer_done(&few);
    expect_stop(&schema, &many);
    buffer_str(&values, "{\"enum\":");
    put_same_hashes(&values, 9);
    buffer_str(&values, "}");
    expect_refused(&values, ERROR_LIMIT, "values have hashes that fall together");
}

/* Properties whose names fall together in the table. */
static void test_same_slots(void **state)
{
    (void)state;
    struct buffer schema = new_text();
    unsigned found = 0;
    buffer_str(&schema, "{\"properties\":{");
    for (unsigned i = 0; found < SCHEMA_PROBES_MAX + 1; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "n%u", i);
        if (json_key_hash(name, (size_t)size) % 16384 == 7) /* whatever the size of the table */
            buffer_printf(&schema, "%s\"%s\":true", found++ ? "," : "", name);
    }
    buffer_str(&schema, "}}");
    expect_refused(&schema, ERROR_LIMIT, "properties have hashes that fall together");
}

static void test_dependents(void **state)
{
    (void)state;
    struct buffer schema = new_text(), instance = new_text(), schemas = new_text(), again = new_text();
    put_list(&schema, "{\"dependentRequired\":{\"x1\":[", "\"x@\"", 20000, "]}}");
    put_list(&instance, "{", "\"x@\":1", 20000, "}");
    expect_stop(&schema, &instance);
    put_list(&schemas, "{\"dependentSchemas\":{", "\"y@\":true", 20000, "}}");
    put_list(&again, "{", "\"x@\":1", 20000, "}");
    expect_stop(&schemas, &again);
}

/* Long texts and numbers are looked at by many keywords. */
static void test_long_scalars(void **state)
{
    (void)state;
    struct error err = {0};
    uint64_t steps;
    struct buffer text = new_text(), number = new_text(), key = new_text();
    buffer_str(&text, "\"");
    buffer_str(&key, "{\"");
    for (unsigned i = 0; i < 1 << 20; i++) {
        buffer_str(&text, "a");
        buffer_str(&key, "a");
        buffer_str(&number, "1");
    }
    buffer_str(&text, "\"");
    buffer_str(&key, "\":1}");
    mem_auto(schema_free) struct schema *one = must_compile("{\"maxLength\":1048576,\"pattern\":\"^(a|b)\"}");
    assert_int_equal(count_steps(one, &text, &steps, &err), 1);
    assert_true(steps < 1 << 18);
    struct buffer patterns = new_text(), bounds = new_text(), lengths = new_text();
    put_list(&patterns, "{\"patternProperties\":{", "\"(x|y)@\":true", 2000, "}}");
    expect_stop(&patterns, &key);
    put_list(&bounds, "{\"anyOf\":[", "{\"multipleOf\":11111111111111111111111111111111111111@}", 100, "]}");
    expect_stop(&bounds, &number);
    put_list(&lengths, "{\"anyOf\":[", "{\"maxLength\":90000,\"pattern\":\"(c|d)@\"}", 2000, "]}");
    expect_stop(&lengths, &text);
}

static void test_compiled_sizes(void **state)
{
    (void)state;
    struct buffer patterns = new_text(), ids = new_text(), anchors = new_text(), huge = new_text();
    put_list(&patterns, "{\"allOf\":[", "{\"pattern\":\"(?:a|b@){1000}\"}", 4000, "]}");
    expect_refused(&patterns, ERROR_LIMIT, "compiled, the patterns take more than 64 MiB");
    for (int i = 0; i < 2; i++) {
        struct buffer *out = i ? &anchors : &ids;
        buffer_str(out, "{\"$id\":\"http://example.com/");
        for (unsigned j = 0; j < 8000; j++)
            buffer_str(out, "a");
        put_list(out, "/\",\"$ref\":\"#/$defs/d9000\",\"$defs\":{",
                 i ? "\"d@\":{\"$anchor\":\"x@\"}" : "\"d@\":{\"$id\":\"x@\"}", 10000, "}}");
        expect_refused(out, ERROR_INVALID, "its $id and anchors take more than 32 MiB");
    }
    struct error err = {0};
    put_list(&huge, "{\"pattern\":\"(", "a{1000}", 1, "){70000}\"}");
    assert_null(compile_text(buffer_cstr(&huge), &err));
    assert_non_null(strstr(err.message, "number too big in {} quantifier"));
    buffer_done(&huge);
    assert_null(compile_text("{\"pattern\":\"((((a{900}){900}){900}){900})\"}", &err));
    assert_non_null(strstr(err.message, "too large"));
}

/* More pairs of names and patterns than are tried while compiling: the answers stay. */
static void test_names_and_patterns(void **state)
{
    (void)state;
    struct error err = {0};
    struct buffer text = new_text();
    put_list(&text, "{\"properties\":{", "\"p@\":true", 3000, "},");
    put_list(&text, "\"patternProperties\":{", "\"^p@$\":{\"type\":\"null\"}", 3000, "}}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"p7\":null,\"p8\":null}"), &err), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"p7\":null,\"p8\":1}"), &err), 0);
    buffer_done(&text);
}

/* References to 20,000 places that are no schemas by their keywords, and as many embedded resources. */
static void test_many_roots(void **state)
{
    (void)state;
    struct error err = {0};
    struct buffer text = new_text(), embedded = new_text();
    put_list(&text, "{\"items\":{\"anyOf\":[", "{\"$ref\":\"#/x/d@\"}", 20000, "]},");
    put_list(&text, "\"x\":{", "\"d@\":{\"const\":@}", 20000, "}}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(ask(schema, SLICE_LITERAL("[19999]"), &err), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("[20000]"), &err), 0);
    put_list(&embedded, "{\"$defs\":{",
             "\"d@\":{\"$id\":\"test:i@\",\"$schema\":\"http://json-schema.org/draft-04/schema\"}", 20000,
             "},\"x\":0}");
    mem_auto(schema_free) struct schema *other = must_compile(buffer_cstr(&embedded));
    buffer_done(&text);
    buffer_done(&embedded);
}

/* Alternatives are weighed without words: 100 of 300 properties each, 500 members that none of them has. */
static void test_weighing(void **state)
{
    (void)state;
    struct error err = {0};
    struct arena arena;
    arena_init(&arena);
    struct buffer text = new_text(), instance = new_text();
    buffer_str(&text, "{\"anyOf\":[");
    for (unsigned i = 0; i < 100; i++)
        put_list(&text, i ? ",{\"properties\":{" : "{\"properties\":{", "\"property@\":true", 300,
                 "},\"additionalProperties\":false}");
    buffer_str(&text, "]}");
    put_list(&instance, "{", "\"pproperty@\":1", 500, "}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct schema_violation violations[3];
    struct json doc;
    size_t count = 0;
    assert_int_equal(json_parse_copy(&arena, instance.data, instance.size, &doc, &err), 0);
    assert_int_equal(schema_explain(schema, validator, &doc, 0, &arena, violations, 3, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_non_null(strstr(violations[0].message, "did you mean \"property0\"?"));
    assert_true(validator->steps > SCHEMA_STEPS_BASE / 2);
    buffer_done(&text);
    buffer_done(&instance);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_matches),
        cmocka_unit_test(test_wide_alternatives),
        cmocka_unit_test(test_unevaluated_is_linear),
        cmocka_unit_test(test_same_hashes),
        cmocka_unit_test(test_same_slots),
        cmocka_unit_test(test_dependents),
        cmocka_unit_test(test_long_scalars),
        cmocka_unit_test(test_compiled_sizes),
        cmocka_unit_test(test_names_and_patterns),
        cmocka_unit_test(test_many_roots),
        cmocka_unit_test(test_weighing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
