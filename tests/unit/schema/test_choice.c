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
    "{\"const\":\"a\"}",
    "{\"const\":1}",
    "{\"const\":[1]}",
    "{\"const\":{}}",
    "{\"enum\":[\"b\",null,1.5,true,{\"type\":\"\\u0061\"}]}",
    "{\"enum\":[1.0,\"a\",[\"a\"],false]}",
    "{\"$ref\":\"#/$defs/c\"}",
    "{\"allOf\":[{\"type\":\"array\"},{\"const\":[\"\\u0061\"]}]}",
    "{\"enum\":[]}",
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
    "\"\\u0061\"",
    "\"c\"",
    "false",
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
    WHOLE_VALUES = 10, /* the last: they fix the whole value, or say nothing */
    UNIONS = 3000
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

/* Random unions of two to 24 of the alternatives, some of values only, each asked about every instance. */
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
    size_t with_choice = 0, by_whole = 0;
    for (unsigned i = 0; i < UNIONS; i++) {
        unsigned chosen[24], count = 2 + i % (i < UNIONS / 2 ? 5 : 23),
                             pool = i % 3 ? ALTERNATIVES : WHOLE_VALUES;
        for (unsigned j = 0; j < count; j++) {
            random = random * 1664525 + 1013904223;
            chosen[j] = ALTERNATIVES - 1 - (random >> 8) % pool;
        }
        bool one = i % 2;
        put(&text, one ? "oneOf" : "anyOf", chosen, count);
        mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
        with_choice += schema->choice_count;
        by_whole += schema->choice_count && schema->choices[0].whole_tags;
        for (unsigned j = 0; j < INSTANCES; j++) {
            int valid = 0;
            for (unsigned k = 0; k < count; k++)
                valid += holds[chosen[k]][j];
            if (ask(schema, slice_of(instances[j]), NULL) != (one ? valid == 1 : valid > 0))
                fail_msg("%s about %s: %d alternatives hold", buffer_cstr(&text), instances[j], valid);
        }
    }
    assert_true(with_choice > UNIONS / 2 && by_whole > UNIONS / 10);
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
    for (uint32_t i = 0; i <= choice->by_value.mask; i++) {
        if (choice->by_value.values[i].rules.first == RULE_NONE)
            continue;
        values++;
        assert_int_equal(choice->by_value.values[i].rules.count, 1);
    }
    assert_int_equal(values, 40);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"kind\":\"k7\",\"version\":1}"), NULL), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"kind\":\"k7\",\"version\":2}"), NULL), 0);
    buffer_done(&text);
}

/* --- large ones ------------------------------------------------------------------------------------ */

enum { LARGE = 6000 };

/* An array of unions of LARGE alternatives, asked about the values of all of them and some others. */
static void ask_large(const char *keyword, const char *before, const char *after, const char *value_before,
                      const char *value_after, const char *more)
{
    struct buffer schema, doc;
    buffer_init(&schema, 16 << 20);
    buffer_init(&doc, 16 << 20);
    buffer_printf(&schema, "{\"items\":{\"%s\":[", keyword);
    buffer_byte(&doc, '[');
    for (int i = 0; i < LARGE; i++) {
        buffer_printf(&schema, "%s%s%d%s", i ? "," : "", before, i, after);
        buffer_printf(&doc, "%s%s%d%s", i ? "," : "", value_before, i, value_after);
    }
    buffer_printf(&schema, "%s]}}", more);
    buffer_byte(&doc, ']');
    mem_auto(schema_free) struct schema *compiled = must_compile(buffer_cstr(&schema));
    struct error err = {0};
    int valid = ask(compiled, (struct slice){doc.data, doc.size}, &err);
    if (valid != 1)
        fail_msg("%s of %s…: %d %s", keyword, before, valid, valid < 0 ? err.message : "");
    assert_int_equal(compiled->choice_count, 1);
    buffer_clear(&doc);
    buffer_printf(&doc, "[%s0%s,%s-1%s]", value_before, value_after, value_before, value_after);
    assert_int_equal(ask(compiled, (struct slice){doc.data, doc.size}, &err), 0);
    buffer_done(&schema);
    buffer_done(&doc);
}

/* However many alternatives there are, one value costs the same: no document comes to the limit of steps. */
static void test_large_unions(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        {"{\"const\":", "}", "", "", ""},
        {"{\"const\":\"v", "\"}", "\"v", "\"", ",{\"type\":\"null\"}"},
        {"{\"type\":\"integer\",\"const\":", "}", "", ".0", ",{\"const\":\"x\"}"},
        {"{\"enum\":[\"v", "\",null]}", "\"v", "\"", ""},
        {"{\"const\":{\"a\":[", "]}}", "{\"a\":[", "]}", ",{\"type\":\"array\"}"},
        {"{\"properties\":{\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"e\":{},\"k\":{\"const\":",
         "}},\"required\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"k\"]}",
         "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"k\":", "}", ",{\"type\":\"string\"}"},
        {"{\"enum\":[[", "]]}", "[", "]", ",{\"enum\":[true,false]},{\"type\":\"object\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_large("anyOf", cases[i][0], cases[i][1], cases[i][2], cases[i][3], cases[i][4]);
        if (!strstr(cases[i][1], "null"))
            ask_large("oneOf", cases[i][0], cases[i][1], cases[i][2], cases[i][3], cases[i][4]);
    }
}

/* An enum too: of numbers, of strings, of objects. */
static void test_large_enums(void **state)
{
    (void)state;
    static const char *const forms[][2] = {{"", ""}, {"\"v", "\""}, {"{\"a\":", "}"}};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        struct buffer text, doc;
        buffer_init(&text, 16 << 20);
        buffer_init(&doc, 16 << 20);
        for (int i = 0; i < 20000; i++)
            buffer_printf(&doc, "%s%s%d%s", i ? "," : "[", forms[f][0], i, forms[f][1]);
        buffer_byte(&doc, ']');
        buffer_printf(&text, "{\"items\":{\"enum\":%s}}", buffer_cstr(&doc));
        mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
        assert_int_equal(ask(schema, (struct slice){doc.data, doc.size}, NULL), 1);
        buffer_done(&text);
        buffer_done(&doc);
    }
}

/* One alternative that says too much to look at is open; the others are told apart all the same. */
static void test_one_is_open(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 16 << 20);
    buffer_str(&text, "{\"anyOf\":[{\"required\":[\"huge\"],\"properties\":{\"k\":{\"const\":\"v9\"}");
    for (int i = 0; i < 40000; i++)
        buffer_printf(&text, ",\"p%d\":{\"type\":\"null\"}", i);
    buffer_str(&text, "}}");
    for (int i = 0; i < 10; i++)
        buffer_printf(&text, ",{\"properties\":{\"k\":{\"const\":\"v%d\"}},\"required\":[\"k\"]}", i);
    buffer_str(&text, "]}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    assert_int_equal(schema->choice_count, 1);
    assert_int_equal(schema->choices[0].other.count, 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"k\":\"v3\"}"), NULL), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"k\":\"v9\",\"huge\":1}"), NULL), 1);
    assert_int_equal(ask(schema, SLICE_LITERAL("{\"k\":\"v10\"}"), NULL), 0);
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
        cmocka_unit_test(test_large_unions),
        cmocka_unit_test(test_large_enums),
        cmocka_unit_test(test_one_is_open),
        cmocka_unit_test(test_web_of_alternatives),
        cmocka_unit_test(test_lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
