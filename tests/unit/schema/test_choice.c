/* anyOf and oneOf say what their alternatives say one by one, however the alternatives are told apart. */
#include "support.h"

#include "schema/program.h"

static const char *const alternatives[] = {
    "{\"properties\":{\"type\":{\"const\":\"a\"}},\"required\":[\"type\"],\"type\":\"object\"}",
    "{\"properties\":{\"type\":{\"const\":\"b\"},\"x\":{\"type\":\"integer\"}},\"required\":[\"type\"]}",
    "{\"properties\":{\"type\":{\"enum\":[\"b\",\"c\",1,null]}}}",
    "{\"properties\":{\"type\":{\"const\":1.0}},\"required\":[\"type\",\"x\"]}",
    "{\"properties\":{\"type\":{\"const\":[1]}},\"required\":[\"type\"]}",
    "{\"properties\":{\"type\":{\"enum\":[\"a\",{\"k\":1}]}},\"required\":[\"type\"]}",
    "{\"properties\":{\"type\":{\"$ref\":\"#/$defs/c\"}},\"required\":[\"type\"]}",
    "{\"allOf\":[{\"required\":[\"type\"]},{\"properties\":{\"type\":{\"const\":\"\\u0061\"}}}]}",
    "{\"properties\":{\"x\":{\"const\":1}},\"required\":[\"x\"]}",
    "{\"properties\":{\"x\":{\"const\":2}},\"required\":[\"x\"]}",
    "{\"required\":[\"type\"]}",
    "{\"not\":{\"required\":[\"type\"]}}",
    "{\"type\":\"string\"}",
    "{\"type\":[\"integer\",\"null\"]}",
    "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}",
    "{\"const\":{\"type\":\"a\"}}",
    "true",
    "false",
};

static const char *const instances[] = {
    "null",
    "true",
    "1",
    "1.0",
    "1.5",
    "\"a\"",
    "[]",
    "[1]",
    "[\"a\"]",
    "{}",
    "{\"type\":\"a\"}",
    "{\"type\":\"\\u0061\"}",
    "{\"type\":\"b\",\"x\":1}",
    "{\"x\":\"1\",\"type\":\"b\"}",
    "{\"type\":\"c\",\"x\":2}",
    "{\"type\":\"d\"}",
    "{\"type\":1}",
    "{\"type\":1.0,\"x\":1}",
    "{\"type\":10e-1,\"x\":2.0}",
    "{\"type\":null}",
    "{\"type\":[1]}",
    "{\"type\":{\"k\":1}}",
    "{\"type\":{}}",
    "{\"type\":true,\"x\":1}",
    "{\"x\":1}",
    "{\"x\":2,\"y\":{\"type\":\"a\"}}",
    "{\"type\":\"a\",\"type\":\"b\"}",
};

enum {
    ALTERNATIVES = sizeof alternatives / sizeof *alternatives,
    INSTANCES = sizeof instances / sizeof *instances,
    UNIONS = 1500
};

static void put(struct buffer *text, const char *keyword, const unsigned *chosen, unsigned count)
{
    buffer_clear(text);
    buffer_printf(text, "{\"$defs\":{\"c\":{\"$ref\":\"#/$defs/d\"},\"d\":{\"const\":\"c\"}},\"%s\":[",
                  keyword);
    for (unsigned i = 0; i < count; i++)
        buffer_printf(text, "%s%s", i ? "," : "", alternatives[chosen[i]]);
    buffer_str(text, "]}");
}

/* Random unions of two to six of the alternatives, each asked about every instance. */
static void test_unions(void **state)
{
    (void)state;
    static int holds[ALTERNATIVES][INSTANCES];
    struct buffer text;
    buffer_init(&text, 1 << 16);
    for (unsigned i = 0; i < ALTERNATIVES; i++) {
        put(&text, "allOf", &i, 1);
        mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
        for (unsigned j = 0; j < INSTANCES; j++)
            holds[i][j] = ask(schema, slice_of(instances[j]), NULL);
    }
    uint32_t random = 4;
    size_t with_choice = 0;
    for (unsigned i = 0; i < UNIONS; i++) {
        unsigned chosen[6], count = 2 + i % 5;
        for (unsigned j = 0; j < count; j++) {
            random = random * 1664525 + 1013904223;
            chosen[j] = (random >> 8) % ALTERNATIVES;
        }
        bool one = i % 2;
        put(&text, one ? "oneOf" : "anyOf", chosen, count);
        mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
        with_choice += schema->choice_count;
        for (unsigned j = 0; j < INSTANCES; j++) {
            int valid = 0;
            for (unsigned k = 0; k < count; k++)
                valid += holds[chosen[k]][j];
            if (ask(schema, slice_of(instances[j]), NULL) != (one ? valid == 1 : valid > 0))
                fail_msg("%s about %s: %d alternatives hold", buffer_cstr(&text), instances[j], valid);
        }
    }
    assert_true(with_choice > UNIONS / 2);
    buffer_done(&text);
}

/* Forty events by their type: one alternative is left for each. */
static void test_one_is_left(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 16);
    buffer_str(&text, "{\"oneOf\":[");
    for (int i = 0; i < 40; i++)
        buffer_printf(
            &text,
            "%s{\"type\":\"object\",\"properties\":{\"version\":{\"const\":%d},\"kind\":{\"const\":\"k%d\"}},"
            "\"required\":[\"kind\"]}",
            i ? "," : "", i % 3, i);
    buffer_str(&text, "]}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(schema->choice_count, 1);
    const struct choice *choice = &schema->choices[0];
    assert_int_equal(choice->member.size, 4);
    assert_memory_equal(choice->member.text, "kind", 4);
    assert_int_equal(choice->absent.count, 0);
    assert_int_equal(choice->other.count, 0);
    assert_int_equal(choice->by_tag[JSON_STRING].count, 0);
    unsigned values = 0;
    for (uint32_t i = 0; i <= choice->mask; i++) {
        if (choice->values[i].rules.first == RULE_NONE)
            continue;
        values++;
        assert_int_equal(choice->values[i].rules.count, 1);
    }
    assert_int_equal(values, 40);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"kind\":\"k7\",\"version\":1}"), NULL), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"kind\":\"k7\",\"version\":2}"), NULL), 0);
    buffer_done(&text);
}

/* Looking for the member ends, whatever the alternatives call: here 400 calls of 400 calls …, eight deep. */
static void test_web_of_alternatives(void **state)
{
    (void)state;
    enum { FAN = 400, LEVELS = 9 };
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_str(&text,
               "{\"anyOf\":[{\"$ref\":\"#/$defs/a0\"},{\"properties\":{\"b\":{\"const\":1}}}],\"$defs\":{");
    for (int level = 0; level < LEVELS; level++) {
        buffer_printf(&text, "\"a%d\":{\"allOf\":[", level);
        for (int i = 0; i < FAN; i++)
            buffer_printf(&text, "%s{\"$ref\":\"#/$defs/a%d\"}", i ? "," : "", level + 1);
        buffer_str(&text, "]},");
    }
    buffer_printf(&text, "\"a%d\":{\"properties\":{\"b\":{\"const\":2}},\"minProperties\":1}}}", LEVELS);
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(schema->choice_count, 0); /* not all was looked at: nothing is left out */
    buffer_done(&text);
}

/* Tables that would be much larger than the schema are not made. */
static void test_lists_are_bounded(void **state)
{
    (void)state;
    enum { OPEN = 200, FIXED = 60, VALUES = 200 };
    struct buffer text;
    buffer_init(&text, 4 << 20);
    buffer_str(&text, "{\"anyOf\":[{\"minProperties\":1}");
    for (int i = 1; i < OPEN; i++)
        buffer_printf(&text, ",{\"minProperties\":%d}", i);
    for (int i = 0; i < FIXED; i++) {
        buffer_str(&text, ",{\"properties\":{\"a\":{\"enum\":[null");
        for (int value = 0; value < VALUES; value++)
            buffer_printf(&text, ",%d", i * VALUES + value);
        buffer_str(&text, "]}}}");
    }
    buffer_str(&text, "]}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(schema->choice_count, 0);
    assert_int_equal(schema->list_count, OPEN + FIXED);
    assert_int_equal(ask(schema, SLICE_LITERAL("{}"), NULL), 1);
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unions),
        cmocka_unit_test(test_one_is_left),
        cmocka_unit_test(test_web_of_alternatives),
        cmocka_unit_test(test_lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
