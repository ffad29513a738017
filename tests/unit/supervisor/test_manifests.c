/* Manifests as definitions: which are taken, their specs, their labels, and the config that their program
 * gets. */
#include "supervisor/definitions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REST "\"type\":\"DeclarativeSource\",\"check\":{},\"streams\":[]"
#define GOOD "{\"version\":\"6.0.0\"," REST "}"

static void test_which_are_taken(void **state)
{
    static const struct {
        const char *manifest, *said, *spec;
    } cases[] = {
        {GOOD, NULL, "{\"connectionSpecification\":{\"type\":\"object\",\"properties\":{}}}"},
        {"{\"version\":\"1\"," REST
         ",\"spec\":{\"documentation_url\":\"u\",\"connection_specification\":{\"a\":1}}}",
         NULL, "{\"documentationUrl\":\"u\",\"connectionSpecification\":{\"a\":1}}"},
        {"{\"version\":\"1\"," REST
         ",\"spec\":{\"$ref\":\"#/x\"},\"x\":{\"connection_specification\":{\"$ref\":\"#/y/0\"}},"
         "\"y\":[{\"b\":2}]}",
         NULL, "{\"connectionSpecification\":{\"b\":2}}"},
        {"{\"version\":\"1\"," REST ",\"spec\":{\"$ref\":\"elsewhere\"}}", NULL,
         "{\"connectionSpecification\":{\"type\":\"object\",\"properties\":{}}}"},
        {"{\"version\":\"1\",\"type\":\"DeclarativeSource\",\"check\":{},\"dynamic_streams\":[],"
         "\"spec\":{\"advanced_auth\":{\"c\":3}}}",
         NULL,
         "{\"connectionSpecification\":{\"type\":\"object\",\"properties\":{}},\"advanced_auth\":{\"c\":3}}"},
        {"[]", "is an object", NULL},
        {"{" REST "}", "has a 'version'", NULL},
        {"{\"version\":1," REST "}", "has a 'version'", NULL},
        {"{\"version\":\"1\",\"type\":\"x\"}", "type: DeclarativeSource", NULL},
        {"{\"version\":\"1\",\"type\":\"DeclarativeSource\",\"streams\":[]}", "has a 'check'", NULL},
        {"{\"version\":\"1\",\"type\":\"DeclarativeSource\",\"check\":{}}", "'streams'", NULL},
        {"no json", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct control_definition definition = {.name = "shop", .side = CONTROL_SOURCE};
        struct arena arena;
        struct error err;
        arena_init(&arena);
        int result = definitions_set_manifest(&definition, slice_of(cases[i].manifest), &arena, &err);
        assert_int_equal(result, cases[i].spec ? 0 : -1);
        if (cases[i].spec) {
            assert_int_equal(definition.origin, CONTROL_MANIFEST);
            assert_true(slice_is(definition.spec, cases[i].spec));
            assert_true(slice_is(definition.manifest, cases[i].manifest));
            assert_string_equal(definition.repository, "local/shop");
            assert_string_equal(definition.spec_of, definitions_label(&definition, &arena));
        } else {
            assert_non_null(strstr(err.message, cases[i].said));
        }
        arena_done(&arena);
    }
}

static void test_destinations_have_none(void **state)
{
    struct control_definition definition = {.name = "shop", .side = CONTROL_DESTINATION};
    struct arena arena;
    struct error err;
    (void)state;
    arena_init(&arena);
    assert_int_equal(definitions_set_manifest(&definition, slice_of(GOOD), &arena, &err), -1);
    assert_non_null(strstr(err.message, "not a destination"));
    arena_done(&arena);
}

/* Two manifests of one version are two connectors. */
static void test_labels(void **state)
{
    struct control_definition one = {.name = "shop", .side = CONTROL_SOURCE}, other = one;
    const struct control_definition image = {.origin = CONTROL_IMAGE, .repository = "a/b", .tag = "1"};
    struct arena arena;
    struct error err;
    (void)state;
    arena_init(&arena);
    assert_int_equal(definitions_set_manifest(&one, slice_of(GOOD), &arena, &err), 0);
    assert_int_equal(
        definitions_set_manifest(&other, slice_of("{\"version\":\"6.0.0\"," REST ",\"x\":1}"), &arena, &err),
        0);
    assert_string_not_equal(definitions_label(&one, &arena), definitions_label(&other, &arena));
    assert_string_equal(definitions_label(&image, &arena), "a/b:1");
    arena_done(&arena);
}

static void test_configs(void **state)
{
    static const struct {
        const char *config, *passed;
    } cases[] = {
        {"{\"key\":\"k\",\"n\":12345678901234567890.10}",
         "{\"key\":\"k\",\"n\":12345678901234567890.10,\"__injected_declarative_manifest\":" GOOD "}"},
        {"{}", "{\"__injected_declarative_manifest\":" GOOD "}"},
        {"", "{\"__injected_declarative_manifest\":" GOOD "}"},
        {"{\"__injected_declarative_manifest\":{\"other\":1}}",
         "{\"__injected_declarative_manifest\":" GOOD "}"},
    };
    const struct control_definition image = {.origin = CONTROL_IMAGE};
    struct control_definition definition = {.name = "shop", .side = CONTROL_SOURCE};
    struct slice config;
    struct arena arena;
    struct error err;
    (void)state;
    arena_init(&arena);
    assert_int_equal(definitions_set_manifest(&definition, slice_of(GOOD), &arena, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(definitions_config(&definition, slice_of(cases[i].config), &arena, &config, &err),
                         0);
        assert_true(slice_is(config, cases[i].passed));
        assert_int_equal(definitions_config(&image, slice_of(cases[i].config), &arena, &config, &err), 0);
        assert_true(slice_is(config, cases[i].config));
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_are_taken),
        cmocka_unit_test(test_destinations_have_none),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_configs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
