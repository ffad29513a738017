/* spec, check and discover against scripted connectors: good answers, and one clear error for every bad one.
 */
#include "harness.h"

#define SPEC "{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"a\":1}}}"
#define SUCCEEDED "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}"
#define FAILED                                                                                         \
    "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"FAILED\",\"message\":\"wrong " \
    "pass-w0rd\"}}"
#define TRACE(kind)                                                                                     \
    "{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"emitted_at\":1.0,\"error\":{\"message\":\"it " \
    "broke\",\"failure_type\":\"" kind "\"}}}"
#define LOG_LINE "{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"looking\"}}"

static int spec(const char *script, const struct connector_limits *limits, struct error *err)
{
    const char *argv[5];
    struct connector_program program = shell(argv, script);
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    int result = connector_airbyte_spec(&program, limits, &arena, &doc, err);
    if (result == 0)
        assert_true(slice_is(json_raw(&doc, 0), "{\"connectionSpecification\":{\"a\":1}}"));
    arena_done(&arena);
    return result;
}

static void test_spec(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "echo '" SPEC "'",
        "test \"$1\" = spec && echo '" SPEC "'",
        "echo garbage; echo '{\"x\":'; echo '" LOG_LINE "'; echo '{\"type\":\"NEW\"}'; echo '" SPEC
        "'; echo more",
        "echo '" SPEC "'; echo '{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"b\":2}}}'",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct error err;
        if (spec(scripts[i], NULL, &err) < 0)
            fail_msg("%s: %s", scripts[i], err.message);
    }
}

/* It has answered and lives on: it is given its time, then ended, and the answer counts. */
static void test_answer_without_exit(void **state)
{
    (void)state;
    struct connector_limits limits = connector_limits_default;
    struct error err;
    limits.stop_ms = 100;
    assert_int_equal(spec("trap '' TERM; echo '" SPEC "'; while :; do sleep 0.01; done", &limits, &err), 0);
}

static void test_spec_failures(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
        enum error_code code;
        bool retriable;
    } cases[] = {
        {"echo starting >&2",
         "the script exited without having written a SPEC message; its last log lines:\n  starting",
         ERROR_PROTOCOL, false},
        {"echo '" LOG_LINE "'; exit 4", "the script exited with status 4; its last log lines:\n  looking",
         ERROR_CONNECTOR, true},
        {"echo 'Traceback'; echo '  File x'; exit 1",
         "the script exited with status 1; its last log lines:\n  Traceback\n    File x", ERROR_CONNECTOR,
         true},
        {"echo '" TRACE("config_error") "'; exit 1", "the script: it broke", ERROR_INVALID, false},
        {"echo '" TRACE("system_error") "'; exit 1", "the script: it broke", ERROR_CONNECTOR, true},
        {"echo '" TRACE("transient_error") "'", "the script: it broke", ERROR_CONNECTOR, true},
        {"echo '" SPEC "'; kill -SEGV $$", "the script was killed by signal 11 (Segmentation fault)",
         ERROR_CONNECTOR, true},
        {"echo '{\"type\":\"SPEC\",\"spec\":{}}'",
         "the script: spec.connectionSpecification is missing: expected an object", ERROR_PROTOCOL, false},
        {"yes no message", "the script wrote more than 10000 lines that are no Airbyte messages",
         ERROR_PROTOCOL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_int_equal(spec(cases[i].script, NULL, &err), -1);
        assert_contains(err.message, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
    }
}

static void test_silence(void **state)
{
    (void)state;
    struct connector_limits limits = connector_limits_default;
    struct error err;
    limits.stall_ms = 100;
    assert_int_equal(spec("exec sleep 60", &limits, &err), -1);
    assert_contains(err.message, "the script stalls: for 100 ms");
}

static void test_check(void **state)
{
    (void)state;
    struct slice config = SLICE_LITERAL("{\"password\":\"pass-w0rd\"}");
    struct error err;
    const char *argv[5];
    struct connector_program program = shell(argv, "test \"$1\" = check && echo '" SUCCEEDED "'");
    assert_int_equal(connector_airbyte_check(&program, config, NULL, NULL, NULL, &err), 0);
    program = shell(argv, "echo '" FAILED "'");
    assert_int_equal(connector_airbyte_check(&program, config, NULL, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_false(err.retriable);
    assert_string_equal(err.message, "the script: wrong ***"); /* even here no secret passes */
    program = shell(argv, "echo '" FAILED "'; exit 1");
    assert_int_equal(connector_airbyte_check(&program, config, NULL, NULL, NULL, &err), -1);
    assert_string_equal(err.message, "the script: wrong ***");
}

static void test_discover(void **state)
{
    (void)state;
    const char *argv[5];
    struct connector_program program = shell(
        argv,
        "test \"$1$2\" = discover--config && grep -q key $3 && "
        "echo '{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"a\",\"json_schema\":{}}]}}'");
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    int result = connector_airbyte_discover(&program, SLICE_LITERAL("{\"key\":1}"), NULL, NULL, NULL, &arena,
                                            &doc, &err);
    assert_int_equal(result, 0);
    assert_int_equal(json_count(&doc, json_get(&doc, 0, "streams")), 1);
    arena_done(&arena);
}

#define CONTROL(token)                                                                                   \
    "{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\",\"connectorConfig\":{\"config\":{" \
    "\"refresh_token\":\"" token "\"}}}}"

struct told {
    char config[64];
    size_t count;
    bool refuses;
};

static int take_config(void *context, struct slice config, struct error *err)
{
    struct told *told = context;
    told->count++;
    snprintf(told->config, sizeof told->config, "%.*s", (int)config.size, config.data);
    return told->refuses ? error_set(err, ERROR_IO, "no room") : 0;
}

/* A config that it changes is told whether it succeeds or fails, and what is new in it is masked. */
static void test_changed_config(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message; /* NULL: it succeeds */
        bool refuses;
        size_t count;
    } cases[] = {
        {"echo '" CONTROL("t0ken-0") "'; echo '" CONTROL("t0ken-1") "'; echo '" SUCCEEDED "'", NULL, false,
         2},
        {"echo '" CONTROL("t0ken-1") "'; echo 'bad t0ken-1' >&2; exit 3",
         "the script exited with status 3; its last log lines:\n  bad ***", false, 1},
        {"echo '" CONTROL("t0ken-1") "'; echo '" SUCCEEDED "'; sleep 100", "no room", true, 1},
        {"echo '{\"type\":\"CONTROL\",\"control\":{\"type\":\"OTHER\"}}'; echo '" SUCCEEDED "'", NULL, false,
         0},
        {"yes '" CONTROL("t0ken-1") "'",
         "the script changed its config more than 100 times while it was asked", false, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct told told = {.refuses = cases[i].refuses};
        const struct connector_listener listener = {take_config, &told, NULL};
        struct error err = {0};
        const char *argv[5];
        struct connector_program program = shell(argv, cases[i].script);
        int result =
            connector_airbyte_check(&program, SLICE_LITERAL("{\"a\":1}"), NULL, &listener, NULL, &err);
        assert_int_equal(result, cases[i].message ? -1 : 0);
        assert_string_equal(cases[i].message ? err.message : "", cases[i].message ? cases[i].message : "");
        assert_int_equal(told.count, cases[i].count);
        assert_string_equal(told.config, told.count ? "{\"refresh_token\":\"t0ken-1\"}" : "");
    }
}

static void take_log(void *context, enum log_level level, struct slice line)
{
    struct buffer *said = context;
    buffer_printf(said, "%s %.*s\n", log_level_name(level), (int)line.size, line.data);
}

/* stderr, LOG messages and what is none, in the order they came on each; without secrets, printable. */
static void test_log(void **state)
{
    (void)state;
    const char *argv[5];
    struct buffer said;
    struct error err;
    const struct connector_listener listener = {NULL, &said, take_log};
    struct connector_program program =
        shell(argv, "echo '{\"type\":\"LOG\",\"log\":{\"level\":\"WARN\",\"message\":\"it is pass-w0rd\"}}';"
                    "printf 'no \\033message\\n'; echo '" SUCCEEDED "'; echo 'on pass-w0rd' >&2");
    buffer_init(&said, 4096);
    assert_int_equal(connector_airbyte_check(&program, SLICE_LITERAL("{\"password\":\"pass-w0rd\"}"), NULL,
                                             &listener, NULL, &err),
                     0);
    /* What is on stderr may be seen between the two others. */
    const char *first = strstr(buffer_cstr(&said), "warn it is ***\n");
    assert_non_null(first);
    assert_non_null(strstr(first, "info no  message\n"));
    assert_non_null(strstr(buffer_cstr(&said), "info on ***\n"));
    buffer_done(&said);
}

static size_t descriptors_before;

static int before(void **state)
{
    (void)state;
    descriptors_before = open_descriptors();
    return 0;
}

static int after(void **state)
{
    (void)state;
    assert_int_equal(open_descriptors(), descriptors_before);
    assert_false(has_children());
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, before, after)

/* A built-in says by its status that its config is wrong; in another's mouth a number means nothing. */
static void test_a_built_in_s_wrong_config(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bool built_in;
        enum error_code code;
        bool retriable;
    } cases[] = {
        {"exit 3", true, ERROR_INVALID, false},
        {"exit 1", true, ERROR_CONNECTOR, true},
        {"kill -QUIT $$", true, ERROR_CONNECTOR, true}, /* signal 3 */
        {"exit 3", false, ERROR_CONNECTOR, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        const char *argv[5];
        struct connector_program program = shell(argv, cases[i].script);
        program.built_in = cases[i].built_in;
        run_init(&run);
        struct connector_process *process =
            connector_start(&program, NULL, NULL, false, NULL, run_log, &run, &run.err);
        assert_non_null(process);
        run_loop(&run, process);
        connector_free(process);
        assert_int_equal(run.result, -1);
        assert_int_equal(run.err.code, cases[i].code);
        assert_int_equal(run.err.retriable, cases[i].retriable);
        run_done(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_spec),
        TEST(test_answer_without_exit),
        TEST(test_spec_failures),
        TEST(test_silence),
        TEST(test_check),
        TEST(test_discover),
        TEST(test_changed_config),
        TEST(test_log),
        TEST(test_a_built_in_s_wrong_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
