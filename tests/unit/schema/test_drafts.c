/* What differs between drafts, and schemas of one draft inside of another's. */
#include "support.h"

#define DRAFT_4 "\"$schema\":\"http://json-schema.org/draft-04/schema#\""
#define DRAFT_6 "\"$schema\":\"http://json-schema.org/draft-06/schema#\""
#define DRAFT_7 "\"$schema\":\"http://json-schema.org/draft-07/schema#\""
#define DRAFT_2019 "\"$schema\":\"https://json-schema.org/draft/2019-09/schema\""
#define DRAFT_2020 "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""

static const struct {
    const char *schema, *instance;
    bool valid;
} cases[] = {
    /* draft 4 */
    {"{" DRAFT_4 ",\"minimum\":5,\"exclusiveMinimum\":true}", "5", false},
    {"{" DRAFT_4 ",\"minimum\":5,\"exclusiveMinimum\":false}", "5", true},
    {"{" DRAFT_4 ",\"maximum\":5,\"exclusiveMaximum\":true}", "5", false},
    {"{" DRAFT_4 ",\"type\":\"integer\"}", "1.0", false},
    {"{" DRAFT_4 ",\"type\":[\"integer\",\"number\"]}", "1.0", true},
    {"{" DRAFT_4 ",\"type\":[\"number\",\"integer\"]}", "1.5", true},
    {"{" DRAFT_4 ",\"enum\":[1]}", "1.0", true},
    {"{" DRAFT_4
     ",\"const\":1,\"contains\":{},\"propertyNames\":false,\"if\":{},\"then\":{\"type\":\"null\"}}",
     "{\"a\":1}", true},
    {"{" DRAFT_4 ",\"definitions\":{\"a\":{\"id\":\"#a\",\"type\":\"null\"}},\"$ref\":\"#a\"}", "1", false},
    {"{" DRAFT_4
     ",\"id\":\"test:x\",\"properties\":{\"a\":{\"$ref\":\"y\"},\"b\":{\"id\":\"y\",\"type\":\"null\"}}}",
     "{\"a\":1}", false},
    {"{" DRAFT_4 ",\"properties\":{\"id\":{\"type\":\"null\"}}}", "{\"id\":1}", false},
    /* draft 6: no if, and $id may be an anchor */
    {"{" DRAFT_6 ",\"if\":true,\"then\":false,\"type\":\"integer\"}", "1.0", true},
    {"{" DRAFT_6 ",\"definitions\":{\"a\":{\"$id\":\"#a\",\"type\":\"null\"}},\"$ref\":\"#a\"}", "1", false},
    {"{" DRAFT_6 ",\"$ref\":\"#/definitions/a\",\"type\":\"null\",\"definitions\":{\"a\":true}}", "1", true},
    /* 2019-09 */
    {"{" DRAFT_2019 ",\"items\":[true],\"additionalItems\":false}", "[1,2]", false},
    {"{" DRAFT_2019 ",\"items\":true,\"additionalItems\":false}", "[1,2]", true},
    {"{" DRAFT_2019 ",\"prefixItems\":[false]}", "[1]", true},
    {"{" DRAFT_2019 ",\"contains\":true,\"unevaluatedItems\":false}", "[1]", false},
    {"{" DRAFT_2020 ",\"contains\":true,\"unevaluatedItems\":false}", "[1]", true},
    {"{" DRAFT_2019 ",\"$dynamicRef\":\"#nowhere\"}", "1", true},
    {"{" DRAFT_2020 ",\"$recursiveRef\":\"#\"}", "1", true},
    /* one draft inside of another */
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{" DRAFT_4
     ",\"id\":\"test:a\",\"minimum\":5,\"exclusiveMinimum\":true}}}",
     "{\"a\":5}", false},
    {"{" DRAFT_4 ",\"properties\":{\"a\":{" DRAFT_2020 ",\"$id\":\"test:a\",\"exclusiveMinimum\":5}}}",
     "{\"a\":5}", false},
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{" DRAFT_7
     ",\"$id\":\"test:a\",\"items\":[{\"type\":\"null\"}]}}}",
     "{\"a\":[1]}", false},
    {"{" DRAFT_7 ",\"properties\":{\"a\":{" DRAFT_2020
     ",\"$id\":\"test:a\",\"$ref\":\"#/$defs/x\",\"type\":\"null\",\"$defs\":{\"x\":true}}}}",
     "{\"a\":1}", false},
    /* without a name of its own "$schema" has no effect */
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{" DRAFT_7 ",\"prefixItems\":[{\"type\":\"null\"}]}}}",
     "{\"a\":[1]}", false},
    /* and back again */
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{" DRAFT_4 ",\"id\":\"test:a\",\"properties\":{\"b\":{" DRAFT_2020
     ",\"$id\":\"test:b\",\"const\":1}}}}}",
     "{\"a\":{\"b\":2}}", false},
};

static void test_drafts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        mem_auto(schema_free) struct schema *schema = must_compile(cases[i].schema);
        if (ask(schema, slice_of(cases[i].instance), &err) != cases[i].valid)
            fail_msg("%s %s: %s", cases[i].schema, cases[i].instance, err.message);
    }
}

/* Each is checked against its own metaschema, and the one around it against its own. */
static const struct {
    const char *schema, *message;
} refused[] = {
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{" DRAFT_4
     ",\"id\":\"test:a\",\"minimum\":5,\"exclusiveMinimum\":5}}}",
     "test:schema#/properties/a/exclusiveMinimum: expected boolean, got integer 5"},
    {"{" DRAFT_4 ",\"properties\":{\"a\":{" DRAFT_2020 ",\"$id\":\"test:a\",\"exclusiveMinimum\":true}}}",
     "test:schema#/properties/a/exclusiveMinimum: expected number, got true"},
    {"{" DRAFT_4 ",\"properties\":{\"a\":{" DRAFT_2020 ",\"$id\":\"test:a\"},\"b\":{\"minimum\":true}}}",
     "test:schema#/properties/b/minimum: expected number, got true"},
    /* what is not used is checked too */
    {"{" DRAFT_4 ",\"definitions\":{\"a\":{" DRAFT_2020 ",\"$id\":\"test:a\",\"minLength\":true}}}",
     "test:schema#/definitions/a/minLength: expected integer, got true"},
    {"{" DRAFT_4 ",\"properties\":{\"a\":{\"properties\":{\"b\":{" DRAFT_7
     ",\"$id\":\"test:a\",\"properties\":{\"c\":{" DRAFT_4
     ",\"id\":\"test:c\",\"const\":1,\"required\":[]}}}}}}}",
     "test:schema#/properties/a/properties/b/properties/c/required: expected at least 1 item"},
    {"{" DRAFT_4 ",\"properties\":{\"a\":true}}", "test:schema#/properties/a: expected object, got true"},
    {"{" DRAFT_4 ",\"type\":\"integer\",\"minLength\":1.0}", "expected integer, got number 1.0"},
    {"{" DRAFT_2020 ",\"properties\":{\"a\":{\"$schema\":\"test:none\",\"$id\":\"test:a\"}}}",
     "is not known"},
    {"{\"$schema\":\"http://json-schema.org/draft-07/shcema#\"}",
     "is not known; did you mean \"http://json-schema.org/draft-07/schema\"?"},
    {"{\"$schema\":\"http://json-schema.org/draft-03/schema#\"}",
     "is a draft that is not supported; 2020-12, 2019-09, 7, 6 and 4 are"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error err = {0};
        mem_auto(schema_free) struct schema *schema = compile_text(refused[i].schema, &err);
        if (schema || !strstr(err.message, refused[i].message))
            fail_msg("%s: %s", refused[i].schema, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drafts),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
