/* Resources made from a name, by what a connector's schema marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/flow_resource.h"

static const struct {
    const char *schema, *target, *resource; /* a resource that begins with '!': of the error */
} cases[] = {
    {"{\"properties\":{\"table\":{\"type\":\"string\",\"x-collection-name\":true}}}",
     "{\"table\":\"a\\\"b\"}", "{\"table\":\"a\\\"b\"}"},
    {"{\"properties\":{\"t\":{\"x-collection-name\":true},\"s\":{\"x-schema-name\":true},\"d\":{\"x-delta-"
     "updates\":true}}}",
     "{\"table\":\"a\",\"schema\":\"b\",\"deltaUpdates\":true}", "{\"t\":\"a\",\"s\":\"b\",\"d\":true}"},
    /* Deeper, beside each other, and behind a reference. */
    {"{\"properties\":{\"o\":{\"properties\":{\"t\":{\"x-collection-name\":true},\"s\":{\"x-schema-name\":"
     "true}}}}}",
     "{\"table\":\"a\",\"schema\":\"b\"}", "{\"o\":{\"t\":\"a\",\"s\":\"b\"}}"},
    {"{\"$defs\":{\"x\":{\"properties\":{\"t\":{\"x-collection-name\":true}}}},\"allOf\":[{\"$ref\":\"#/"
     "$defs/x\"}]}",
     "{\"table\":\"a\"}", "{\"t\":\"a\"}"},
    {"{\"oneOf\":[{\"properties\":{\"a\":{\"x-collection-name\":true}}},{\"properties\":{\"b\":{\"x-"
     "collection-name\":true}}}]}",
     "{\"table\":\"a\"}", "{\"a\":\"a\"}"},
    {"{\"properties\":{\"n\":{\"x-collection-name\":false},\"t\":{\"x-collection-name\":true}}}",
     "{\"table\":\"a\"}", "{\"t\":\"a\"}"},
    /* One in the other's place: the first holds. */
    {"{\"properties\":{\"t\":{\"x-collection-name\":true,\"properties\":{\"s\":{\"x-schema-name\":true}}}}}",
     "{\"table\":\"a\",\"schema\":\"b\"}", "{\"t\":\"a\"}"},
    /* Schemas that refer to themselves end. */
    {"{\"$ref\":\"#\",\"properties\":{\"o\":{\"$ref\":\"#\"}}}", "{\"table\":\"a\"}",
     "!no place for a name (x-collection-name)"},
    {"{}", "{\"table\":\"a\"}", "!no place for a name"},
    {"{\"x-collection-name\":true}", "{\"table\":\"a\"}", "!no place for a name"},
    {"", "{\"table\":\"a\"}", "!no place for a name"},
    {"{\"properties\":{\"t\":{\"x-collection-name\":true}}}", "{\"table\":\"a\",\"schema\":\"b\"}",
     "!no place for a schema (x-schema-name), which the materialization's 'source' needs: choose a "
     "targetNaming"},
    {"{\"properties\":{\"t\":{\"x-collection-name\":true}}}", "{\"table\":\"a\",\"deltaUpdates\":true}",
     "!choice of delta updates"},
};

static void test_resources(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct error err;
        struct slice resource;
        arena_init(&arena);
        int result =
            flow_resource_make(slice_of(cases[i].schema), slice_of(cases[i].target), &arena, &resource, &err);
        if (cases[i].resource[0] == '!') {
            assert_int_equal(result, -1);
            if (!strstr(err.message, cases[i].resource + 1))
                fail_msg("%s: %s", cases[i].schema, err.message);
        } else {
            if (result < 0)
                fail_msg("%s: %s", cases[i].schema, err.message);
            assert_string_equal(arena_strndup(&arena, resource.data, resource.size), cases[i].resource);
        }
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resources)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
