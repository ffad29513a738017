/* config_normalization_rules: what becomes of a config, what the platform hears of it, what is refused. */
#include "connectors/source-declarative/record/record.h"
#include "connectors/source-declarative/source/rules.h"

#include "lab.h"

#define RETRIEVER "\"requester\": {\"type\": \"HttpRequester\", \"url\": \"http://localhost/\"}"

static void open_with(struct lab *lab, const char *rules, const char *config)
{
    auto_free char *more =
        mem_printf("\"spec\": {\"type\": \"Spec\", \"connection_specification\": {\"type\": \"object\"}, "
                   "\"config_normalization_rules\": {\"type\": \"ConfigNormalizationRules\", %s}},",
                   rules);
    lab_open(lab, RETRIEVER, more, config);
}

static void config_is(struct lab *lab, const char *expected)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, 1 << 20);
    assert_int_equal(value_write(&text, &lab->engine->config, &err), 0);
    assert_string_equal(buffer_cstr(&text), expected);
    buffer_done(&text);
}

#define MIGRATE(steps) \
    "\"config_migrations\": [{\"type\": \"ConfigMigration\", \"transformations\": [" steps "]}]"
#define ADD(path, value, more)                                                                          \
    "{\"type\": \"ConfigAddFields\", \"fields\": [{\"type\": \"AddedFieldDefinition\", \"path\": " path \
    ", \"value\": \"" value "\"}]" more "}"
#define REMAP                                                                                              \
    "{\"type\": \"ConfigRemapField\", \"field_path\": [\"auth\", \"kind\"], \"map\": {\"a\": \"b\", \"{{ " \
    "config.n }}\": 7}}"

static const struct {
    const char *rules, *config, *expected;
    const char *told; /* to the platform; "": nothing */
} normalizations[] = {
    /* The CDK does the same, but tells nothing of these two: it compares with a shallow copy. */
    {MIGRATE(REMAP), "{\"auth\":{\"kind\":\"a\"},\"x\":1.10}", "{\"auth\":{\"kind\":\"b\"},\"x\":1.10}",
     "{\"auth\":{\"kind\":\"b\"},\"x\":1.10}"},
    {MIGRATE(REMAP), "{\"n\":\"c\",\"auth\":{\"kind\":\"c\"}}", "{\"n\":\"c\",\"auth\":{\"kind\":7}}",
     "{\"n\":\"c\",\"auth\":{\"kind\":7}}"},
    /* what the table has not, and what is not there, stays */
    {MIGRATE(REMAP), "{\"auth\":{\"kind\":\"z\"}}", "{\"auth\":{\"kind\":\"z\"}}", ""},
    {MIGRATE(REMAP), "{\"auth\":5}", "{\"auth\":5}", ""},
    /* what one rule adds, the next one sees */
    {MIGRATE(ADD("[\"c\",\"d\"]", "{{ config.a }}", "") "," ADD("[\"e\"]", "{{ config.c.d + 1 }}", "")),
     "{\"a\":1}", "{\"a\":1,\"c\":{\"d\":1},\"e\":2}", "{\"a\":1,\"c\":{\"d\":1},\"e\":2}"},
    {MIGRATE(ADD("[\"e\"]", "1", ", \"condition\": \"{{ config.a == 2 }}\"")), "{\"a\":1}", "{\"a\":1}", ""},
    {MIGRATE("{\"type\": \"ConfigRemoveFields\", \"field_pointers\": [[\"a\"], [\"l\", \"*\", \"k\"], "
             "[\"none\"]]}"),
     "{\"a\":1,\"l\":{\"x\":{\"k\":1},\"y\":{\"k\":2,\"m\":3}}}", "{\"l\":{\"x\":{},\"y\":{\"m\":3}}}",
     "{\"l\":{\"x\":{},\"y\":{\"m\":3}}}"},
    {MIGRATE("{\"type\": \"ConfigRemoveFields\", \"field_pointers\": [[\"a\"]], \"condition\": \"{{ config.b "
             "}}\"}"),
     "{\"a\":1,\"b\":false}", "{\"a\":1,\"b\":false}", ""},
    /* transformations are not told of */
    {"\"transformations\": [" ADD("[\"t\"]", "x", "") "]", "{\"a\":1}", "{\"a\":1,\"t\":\"x\"}", ""},
    {MIGRATE(ADD("[\"m\"]", "1", "")) ", \"transformations\": [" ADD("[\"t\"]", "{{ config.m }}", "") "]",
     "{\"a\":12345678901234567890.10}", "{\"a\":12345678901234567890.10,\"m\":1,\"t\":1}",
     "{\"a\":12345678901234567890.10,\"m\":1}"},
    /* an empty config is none */
    {MIGRATE(ADD("[\"m\"]", "1", "")), "{}", "{}", ""},
};

static void test_normalization(void **state)
{
    for (size_t i = 0; i < sizeof normalizations / sizeof *normalizations; i++) {
        struct lab lab;
        struct error err = {.message = ""};
        bool changed;
        open_with(&lab, normalizations[i].rules, normalizations[i].config);
        if (config_rules_apply(lab.engine, &changed, &err) < 0)
            fail_msg("%zu: %s", i, err.message);
        config_is(&lab, normalizations[i].expected);
        assert_string_equal(buffer_cstr(&lab.config), normalizations[i].told);
        assert_int_equal(changed, *normalizations[i].told != '\0');
        lab_close(&lab);
    }
}

#define ADHERES "\"validation_strategy\": {\"type\": \"ValidateAdheresToSchema\", \"base_schema\": "
#define VALIDATE(path, schema) \
    "\"validations\": [{\"type\": \"DpathValidator\", \"field_path\": " path ", " ADHERES schema "}}]"

static const struct {
    const char *rules, *config;
    const char *message; /* a part of it; NULL: it is right */
} validations[] = {
    {VALIDATE("[\"a\"]", "{\"type\": \"integer\"}"), "{\"a\":1}", NULL},
    {VALIDATE("[\"a\"]", "{\"type\": \"integer\"}"), "{\"b\":1}", NULL},
    {VALIDATE("[\"a\"]", "{\"type\": \"integer\"}"), "{\"a\":[\"hunter2\"]}",
     "the config's /a is not what the connector takes"},
    {VALIDATE("[\"a\"]", "{\"type\": \"object\"}"), "{\"a\":\"{\\\"x\\\": 1}\"}", NULL},
    {VALIDATE("[\"a\"]", "{\"type\": \"object\"}"), "{\"a\":\"hunter2\"}",
     "the config's /a is a text that is not JSON"},
    {VALIDATE("[\"l\", \"*\", \"n\"]", "{\"type\": \"object\", \"maxProperties\": 0}"),
     "{\"l\":[{\"n\":{}},{\"n\":{\"hunter2\":1}}]}", "`/maxProperties` of its rule"},
    {VALIDATE("[\"a\"]", "\"{\\\"minimum\\\": 5}\""), "{\"a\":4}", "`/minimum` of its rule"},
    {"\"validations\": [{\"type\": \"PredicateValidator\", \"value\": \"{{ config.a }}\", " ADHERES
     "{\"type\": \"integer\"}}}]",
     "{\"a\":4}", NULL},
    {"\"validations\": [{\"type\": \"PredicateValidator\", \"value\": [1], " ADHERES
     "{\"type\": \"integer\"}}}]",
     "{\"a\":4}", "the config's value for a predicate is not"},
};

static void test_validation(void **state)
{
    for (size_t i = 0; i < sizeof validations / sizeof *validations; i++) {
        struct lab lab;
        struct error err = {.message = ""};
        open_with(&lab, validations[i].rules, validations[i].config);
        int done = config_rules_validate(lab.engine, &err);
        if ((done < 0) != (validations[i].message != NULL))
            fail_msg("%zu: %s", i, err.message);
        if (validations[i].message) {
            if (!strstr(err.message, validations[i].message))
                fail_msg("%zu: %s", i, err.message);
            assert_null(strstr(err.message, "hunter2"));
            assert_non_null(strstr(err.message, "spec.config_normalization_rules.validations[0] (m.json:"));
            assert_int_equal(err.code, ERROR_INVALID);
        }
        lab_close(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_normalization),
                                       cmocka_unit_test(test_validation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
