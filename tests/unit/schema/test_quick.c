/* Rules in short say what their operations say. */
#include "support.h"

#include "schema/machine.h"

static const char *const numbers[] = {"0",
                                      "-0",
                                      "0.0",
                                      "0.5",
                                      "-0.5",
                                      "1",
                                      "1.0",
                                      "10e-1",
                                      "-1",
                                      "2",
                                      "2.5",
                                      "100",
                                      "1e2",
                                      "1E+2",
                                      "99.999999",
                                      "999999999999999999",
                                      "1e19",
                                      "0.00001",
                                      "-99.75",
                                      "12345",
                                      "-7",
                                      "-7.0",
                                      "-7.5",
                                      "1234567890123456789",
                                      "-1234567890123456789012.5"};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* What the rule says by its types and operations, none of them in short. */
static int by_operations(struct schema_validator *m, uint32_t number, uint32_t at)
{
    const struct rule *rule = &m->program->rules[number];
    return machine_type(m->doc, rule->types, at) && machine_run_ops(m, rule, at);
}

/* Is the member "v" valid by its rule, in short and by its operations? */
static void compare(const struct schema *schema, const char *text, enum quick_code code, size_t *valid)
{
    struct error err;
    mem_auto(schema_validator_free) struct schema_validator *m = schema_validator_new();
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    if (json_parse(parser, text, strlen(text), &doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    const struct property *property = &schema->objects[0].properties[0];
    if (property->quick.code != code)
        fail_msg("rule of %s is in short %d, not %d", text, property->quick.code, code);
    machine_begin(m, schema, &doc);
    bool quick = machine_run_quick(m, &property->quick, 2);
    if (quick != by_operations(m, property->rule, 2))
        fail_msg("%s: in short %d", text, quick);
    *valid += quick;
}

/* Two bounds of four kinds against each other and against every number. */
static void test_bounds(void **state)
{
    (void)state;
    static const char *const keywords[] = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"};
    size_t valid = 0;
    for (unsigned i = 0; i < NUMBERS * NUMBERS; i += 3) {
        const char *low = numbers[i / NUMBERS], *high = numbers[i % NUMBERS];
        if (strlen(low) > 18 || strlen(high) > 18 || strpbrk(low, "eE") || strpbrk(high, "eE"))
            continue; /* compared digit by digit, never in short */
        char text[256];
        snprintf(text, sizeof text, "{\"properties\":{\"v\":{\"type\":\"%s\",\"%s\":%s,\"%s\":%s}}}",
                 i % 2 ? "integer" : "number", keywords[i % 2], low, keywords[2 + i / 2 % 2], high);
        mem_auto(schema_free) struct schema *schema = must_compile(text);
        for (unsigned n = 0; n < NUMBERS; n++) {
            snprintf(text, sizeof text, "{\"v\":%s}", numbers[n]);
            compare(schema, text, QUICK_RANGE, &valid);
        }
        compare(schema, "{\"v\":\"1\"}", QUICK_RANGE, &valid);
    }
    assert_in_range(valid, 100, 3000);
}

/* The others: a schema, what it is in short, and values on both sides. */
static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        enum quick_code code;
        size_t valid; /* of `values` */
    } cases[] = {
        {"{\"minLength\":2}", QUICK_LENGTH, 13},
        {"{\"type\":[\"string\",\"null\"],\"maxLength\":1}", QUICK_LENGTH, 4},
        {"{\"minLength\":1,\"maxLength\":2}", QUICK_LENGTH, 14},
        {"{\"pattern\":\"^a\",\"type\":\"string\"}", QUICK_PATTERN, 2},
        {"{\"pattern\":\"^a\"}", QUICK_PATTERN, 14},
        {"{\"enum\":[\"a\",1,{}]}", QUICK_VALUES, 4},
        {"{\"type\":\"string\",\"enum\":[\"a\",1,{}]}", QUICK_VALUES, 1},
        {"{\"type\":\"string\",\"minLength\":1,\"enum\":[\"a\",\"\"]}", QUICK_STEPS, 1},
        {"{\"minLength\":2,\"enum\":[\"a\",\"\",\"abc\",null,[1]]}", QUICK_RULE, 3},
        {"{\"multipleOf\":2,\"minimum\":1}", QUICK_STEPS, 13},
        {"{\"minimum\":1,\"maxLength\":1}", QUICK_RULE, 14},
        {"{\"required\":[\"x\"],\"type\":[\"object\",\"null\"]}", QUICK_MEMBERS, 2},
        {"{\"items\":{\"type\":\"integer\"}}", QUICK_ITEMS, 15},
        {"{\"uniqueItems\":true}", QUICK_STEPS, 16},
        {"{\"items\":{\"type\":\"integer\"},\"properties\":{\"x\":{\"type\":\"null\"}}}", QUICK_RULE, 14},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"minLength\":2}]}", QUICK_CHOICE, 13},
        {"{\"type\":[\"null\",\"string\"],\"oneOf\":[{\"type\":\"null\"},{\"minLength\":2},{\"maxLength\":2}]"
         "}",
         QUICK_CHOICE, 4},
    };
    static const char *const values[] = {
        "null",        "true",    "1",  "1.0", "-0.5",    "2",       "\"\"", "\"a\"",
        "\"\\u00e4\"", "\"abc\"", "[]", "[1]", "[1.0,2]", "[\"a\"]", "{}",   "{\"x\":1}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        size_t valid = 0;
        snprintf(text, sizeof text, "{\"properties\":{\"v\":%s}}", cases[i].schema);
        mem_auto(schema_free) struct schema *schema = must_compile(text);
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            snprintf(text, sizeof text, "{\"v\":%s}", values[v]);
            compare(schema, text, cases[i].code, &valid);
        }
        if (valid != cases[i].valid)
            fail_msg("%s: %zu values are valid, not %zu", cases[i].schema, valid, cases[i].valid);
    }
}

/* Enumerations long enough for tables: strings and others, some of them twice. */
static void test_long_enums(void **state)
{
    (void)state;
    enum { VALUES = 200 };
    struct buffer text;
    buffer_init(&text, 1 << 16);
    buffer_str(&text, "{\"enum\":[null");
    for (int i = 0; i < VALUES; i++)
        buffer_printf(&text, ",\"%.*s%d\",%d", i % 40, "a-prefix-that-makes-some-of-the-texts-long", i,
                      3 * i);
    for (int i = 0; i < VALUES; i++)
        buffer_str(&text, ",\"\",\"tw\\u0069ce\",7.0,[1,{}]");
    buffer_str(&text, "]}");
    mem_auto(schema_free) struct schema *schema = must_compile(buffer_cstr(&text));
    static const struct {
        const char *instance;
        int valid;
    } cases[] = {
        {"null", 1},
        {"true", 0},
        {"\"\"", 1},
        {"\"twice\"", 1},
        {"\"tw\\u0069ce\"", 1},
        {"\"Twice\"", 0},
        {"\"0\"", 1},
        {"\"a1\"", 1},
        {"\"a2\"", 0},
        {"\"a-2\"", 1},
        {"\"a-3\"", 0},
        {"0", 1},
        {"3.0", 1},
        {"4", 0},
        {"7", 1},
        {"70e-1", 1},
        {"597", 1},
        {"600", 0},
        {"[1,{}]", 1},
        {"[1.0,{}]", 1},
        {"[1]", 0},
        {"{}", 0},
        {"\"null\"", 0},
        {"\"7\"", 0},
        {"\"a-prefi7\"", 1},
        {"\"a-prefix-that-makes-some-of-the-texts-lo39\"", 0},
        {"\"a-prefix-that-makes-some-of-the-texts-l39\"", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (ask(schema, slice_of(cases[i].instance), NULL) != cases[i].valid)
            fail_msg("%s is not %d", cases[i].instance, cases[i].valid);
    }
    buffer_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_long_enums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
