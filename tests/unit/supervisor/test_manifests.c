/* Manifests as definitions: which are taken for a program of the machine's, their specs, their labels, and
 * the config that what runs them gets. What the built-in takes is tested end to end. */
#include "control/settings.h"
#include "supervisor/definitions.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REST "\"type\":\"DeclarativeSource\",\"check\":{},\"streams\":[]"
#define GOOD "{\"version\":\"6.0.0\"," REST "}"

static const struct connector_catalog nothing_built_in;

static int set(struct fixture *fixture, struct control_definition *definition, const char *manifest)
{
    const struct definitions_manifest given = {.json = slice_of(manifest)};
    return definitions_set_manifest(fixture->control, &nothing_built_in, &given, &fixture->arena, definition,
                                    &fixture->err);
}

static int setup(void **state)
{
    if (fixture_setup(state) < 0)
        return -1;
    struct fixture *fixture = *state;
    return control_setting_set(fixture->control, DEFINITIONS_MANIFEST_SETTING, "/bin/sh", false,
                               &fixture->err);
}

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
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct control_definition definition = {.name = "shop", .side = CONTROL_SOURCE};
        int result = set(fixture, &definition, cases[i].manifest);
        assert_int_equal(result, cases[i].spec ? 0 : -1);
        if (cases[i].spec) {
            assert_int_equal(definition.origin, CONTROL_MANIFEST);
            assert_true(slice_is(definition.spec, cases[i].spec));
            assert_true(slice_is(definition.manifest, cases[i].manifest));
            assert_string_equal(definition.repository, "local/shop");
            assert_string_equal(definition.spec_of, definitions_label(&definition, &fixture->arena));
        } else {
            assert_non_null(strstr(fixture->err.message, cases[i].said));
        }
    }
}

static void test_destinations_have_none(void **state)
{
    struct control_definition definition = {.name = "shop", .side = CONTROL_DESTINATION};
    struct fixture *fixture = *state;
    REFUSED(fixture, set(fixture, &definition, GOOD), ERROR_INVALID, "not a destination");
}

/* The setting decides who runs them. */
static void test_programs(void **state)
{
    struct fixture *fixture = *state;
    struct control_definition definition = {.name = "shop", .side = CONTROL_SOURCE};
    struct connector_spec program;
    FINE(fixture, set(fixture, &definition, GOOD));
    FINE(fixture,
         definitions_program(fixture->control, &definition, &fixture->arena, &program, &fixture->err));
    assert_string_equal(program.command[0], "/bin/sh");
    FINE(fixture,
         control_setting_set(fixture->control, DEFINITIONS_MANIFEST_SETTING, NULL, false, &fixture->err));
    FINE(fixture,
         definitions_program(fixture->control, &definition, &fixture->arena, &program, &fixture->err));
    assert_null(program.command);
    assert_string_equal(program.built_in, DEFINITIONS_MANIFEST_BUILT_IN);
    REFUSED(fixture, set(fixture, &definition, GOOD), ERROR_UNSUPPORTED, "not run here");
}

/* Two manifests of one version are two connectors. */
static void test_labels(void **state)
{
    struct control_definition one = {.name = "shop", .side = CONTROL_SOURCE}, other = one;
    const struct control_definition image = {.origin = CONTROL_IMAGE, .repository = "a/b", .tag = "1"};
    struct fixture *fixture = *state;
    struct arena *arena = &fixture->arena;
    FINE(fixture, set(fixture, &one, GOOD));
    FINE(fixture, set(fixture, &other, "{\"version\":\"6.0.0\"," REST ",\"x\":1}"));
    assert_string_not_equal(definitions_label(&one, arena), definitions_label(&other, arena));
    assert_string_equal(definitions_label(&image, arena), "a/b:1");
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
    struct fixture *fixture = *state;
    struct arena *arena = &fixture->arena;
    struct error err;
    FINE(fixture, set(fixture, &definition, GOOD));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(definitions_config(&definition, slice_of(cases[i].config), arena, &config, &err), 0);
        assert_true(slice_is(config, cases[i].passed));
        assert_int_equal(definitions_config(&image, slice_of(cases[i].config), arena, &config, &err), 0);
        assert_true(slice_is(config, cases[i].config));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_are_taken, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_destinations_have_none, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_programs, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_labels, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_configs, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
