/* From what a catalog names to what can be run. */
#include "harness.h"

#include "connector/image.h"

static const char *const faker_images[] = {"airbyte/source-faker", NULL};
static const char *const json_images[] = {"airbyte/destination-local-json", "ghcr.io/estuary/local-json",
                                          NULL};
static const struct connector_built_in items[] = {
    {"destination-local-json", json_images, "Local JSON", "files"},
    {"source-faker", faker_images, "Faker", "people"},
};
static const struct connector_catalog built_ins = {items, 2, "/usr/bin/firth"};

static void test_image_repository(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"airbyte/source-faker", "airbyte/source-faker"},
        {"airbyte/source-faker:6.2.38", "airbyte/source-faker"},
        {"docker.io/airbyte/source-faker", "airbyte/source-faker"},
        {"ghcr.io/estuary/source-s3:dev", "estuary/source-s3"},
        {"localhost/a/b:1", "a/b"},
        {"localhost:5000/a/b", "a/b"},
        {"registry:5000/a/b@sha256:0123", "a/b"},
        {"x.y/z:1@sha256:0123", "z"},
        {"plain:1", "plain"},
        {"plain", "plain"},
        {"", ""},
        {"a/", "a/"},
        {"a.b/", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice repository = connector_image_repository(cases[i][0]);
        if (!slice_is(repository, cases[i][1]))
            fail_msg("%s gives %.*s", cases[i][0], SLICE_ARGS(repository));
    }
}

static void test_found(void **state)
{
    (void)state;
    static const char *const command[] = {"python", "-m", "x", NULL}, *const env[] = {"A=1", NULL};
    static const struct {
        struct connector_spec spec;
        const char *words, *label;
        bool built_in;
    } cases[] = {
        {{.built_in = "source-faker"},
         "/usr/bin/firth connector source-faker",
         "source-faker (built in)",
         true},
        {{.image = "docker.io/airbyte/source-faker:6.2.38"},
         "/usr/bin/firth connector source-faker",
         "source-faker (built in, for docker.io/airbyte/source-faker:6.2.38)",
         true},
        {{.image = "estuary/local-json:dev"},
         "/usr/bin/firth connector destination-local-json",
         "destination-local-json (built in, for estuary/local-json:dev)",
         true},
        {{.command = command, .env = env, .folder = "/tmp"}, "python -m x", "python -m x", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct error err;
        struct connector_program program;
        struct buffer words;
        arena_init(&arena);
        buffer_init(&words, 1000);
        assert_int_equal(connector_resolve(&built_ins, &cases[i].spec, &arena, &program, &err), 0);
        for (size_t w = 0; program.argv[w]; w++)
            buffer_printf(&words, "%s%s", w ? " " : "", program.argv[w]);
        assert_string_equal(buffer_cstr(&words), cases[i].words);
        assert_string_equal(program.label, cases[i].label);
        assert_int_equal(program.built_in, cases[i].built_in);
        assert_ptr_equal(program.folder, cases[i].spec.folder);
        assert_true(cases[i].spec.env ? strcmp(program.env[0], "A=1") == 0 && !program.env[1]
                                      : !program.env[0]);
        buffer_done(&words);
        arena_done(&arena);
    }
}

/* Any word may be a secret: a label has the program and its script, nothing else. */
static void test_labels(void **state)
{
    (void)state;
    static const struct {
        const char *command[7], *label;
    } cases[] = {
        {{"/opt/bin/source-x", "--token", "s3cr3t"}, "source-x"},
        {{"source", "s3cr3t"}, "source"},
        {{"/usr/bin/python3.11", "-u", "-SE", "/app/x.py", "s3cr3t"}, "python3.11 x.py"},
        {{"python", "-m", "source_x.main", "s3cr3t"}, "python -m source_x.main"},
        {{"python", "-c", "s3cr3t"}, "python"},
        {{"python", "-X", "s3cr3t", "x.py"}, "python"},
        {{"python", "-m"}, "python"},
        {{"python"}, "python"},
        {{"node", "--require", "s3cr3t"}, "node"},
        {{"node", "dist/main.js"}, "node main.js"},
        {{"sh", "-c", "TOKEN=s3cr3t x"}, "sh"},
        {{"bash", "run.sh", "s3cr3t"}, "bash run.sh"},
        {{"shred", "s3cr3t"}, "shred"},
        {{"env", "TOKEN=s3cr3t", "x"}, "env"},
        {{"a\nb"}, "a b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct connector_spec spec = {.command = cases[i].command};
        struct arena arena;
        struct error err;
        struct connector_program program;
        arena_init(&arena);
        assert_int_equal(connector_resolve(&built_ins, &spec, &arena, &program, &err), 0);
        assert_string_equal(program.label, cases[i].label);
        arena_done(&arena);
    }
}

/* Flow's connectors are told to speak JSON; what the catalog sets wins, because it comes last. */
static void test_flow_environment(void **state)
{
    (void)state;
    static const char *const command[] = {"x", NULL}, *const env[] = {"LOG_LEVEL=debug", NULL};
    const struct connector_spec spec = {.command = command, .env = env, .protocol = CONNECTOR_FLOW};
    struct arena arena;
    struct error err;
    struct connector_program program;
    arena_init(&arena);
    assert_int_equal(connector_resolve(&built_ins, &spec, &arena, &program, &err), 0);
    assert_string_equal(program.env[0], "FLOW_RUNTIME_CODEC=json");
    assert_string_equal(program.env[1], "LOG_FORMAT=json");
    assert_string_equal(program.env[2], "LOG_LEVEL=info");
    assert_string_equal(program.env[3], "FIRTH_TAKES_CONFIG=1");
    assert_string_equal(program.env[4], "LOG_LEVEL=debug");
    assert_null(program.env[5]);
    assert_int_equal(program.protocol, CONNECTOR_FLOW);
    arena_done(&arena);
}

static void test_not_found(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL}, *const empty[] = {"", NULL};
    static const struct {
        struct connector_spec spec;
        enum error_code code;
        const char *message;
    } cases[] = {
        {{.built_in = "source-fakr"},
         ERROR_NOT_FOUND,
         "no built-in connector is named source-fakr; did you mean source-faker? built in: "
         "destination-local-json, "
         "source-faker"},
        {{.built_in = "zzz"},
         ERROR_NOT_FOUND,
         "no built-in connector is named zzz; built in: destination-local-json, source-faker"},
        {{.image = "ghcr.io/x/source-fake:dev"},
         ERROR_UNSUPPORTED,
         "ghcr.io/x/source-fake:dev is not built in: images are not run here; did you mean source-faker? "
         "built in: destination-local-json, source-faker"},
        {{.image = "source-shoppy"},
         ERROR_UNSUPPORTED,
         "source-shoppy is neither built in nor added: images are not run here; built in: "
         "destination-local-json, source-faker; 'firth connectors' lists what was added to this data "
         "directory"},
        {{.command = nothing}, ERROR_INVALID, "the command of a local connector is empty"},
        {{.command = empty}, ERROR_INVALID, "the command of a local connector is empty"},
        {{0},
         ERROR_INVALID,
         "a connector is named by an image, a built-in's name or a command: one of the three"},
        {{.image = "a", .built_in = "b"},
         ERROR_INVALID,
         "a connector is named by an image, a built-in's name or a command: one of the three"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct error err;
        struct connector_program program;
        arena_init(&arena);
        assert_int_equal(connector_resolve(&built_ins, &cases[i].spec, &arena, &program, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.message, cases[i].message);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_repository), cmocka_unit_test(test_found),
        cmocka_unit_test(test_labels),           cmocka_unit_test(test_flow_environment),
        cmocka_unit_test(test_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
