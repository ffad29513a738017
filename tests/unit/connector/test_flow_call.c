/* Flow's unary calls against scripted connectors: one request, one response, exit 0; anything else is one
 * clear error. */
#include "connector/flow_call.h"
#include "harness.h"

#define ANSWER "{\"validated\":{\"bindings\":[{\"resourcePath\":[\"a\"]}]}}"
#define PARSED "parsing endpoint config: message rate must be positive (got 0.000000)"

static const struct connector_flow_question question = {
    .verb = "validate",
    .answer = "validated",
    .request = SLICE_LITERAL("{\"validate\":{\"config\":{\"password\":\"pass-w0rd\"}}}\n"),
};

static int ask(const char *script, const struct connector_limits *limits, struct error *err)
{
    const char *argv[5];
    struct connector_program program = shell(argv, script);
    program.protocol = CONNECTOR_FLOW;
    struct arena arena;
    struct json line;
    arena_init(&arena);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets = connector_secrets_new();
    connector_secrets_add(secrets, SLICE_LITERAL("{\"password\":\"pass-w0rd\"}"), NULL);
    struct connector_flow_question asked = question;
    asked.secrets = secrets;
    int result = connector_flow_ask(&program, &asked, limits, &arena, &line, err);
    if (result == 0)
        assert_true(json_string_is(
            &line, json_pointer(&line, 0, SLICE_LITERAL("/validated/bindings/0/resourcePath/0")), "a"));
    arena_done(&arena);
    return result;
}

static void test_answers(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        /* it reads its request and the end of its input, and has no arguments */
        "read -r line && ! read -r more && test $# = 0 && test \"$line\" = "
        "'{\"validate\":{\"config\":{\"password\":\"pass-w0rd\"}}}' && echo '" ANSWER "'",
        "echo '" ANSWER "'", /* it may not even read */
        "cat >/dev/null; echo; echo '" ANSWER "'; echo",
        "cat >/dev/null; printf '%s' '" ANSWER "'", /* no newline at its end */
        "cat >/dev/null; echo '{\"$internal\":1,\"validated\":{\"bindings\":[{\"resourcePath\":[\"a\"],"
        "\"new\":{}}]}}'",
        "cat >/dev/null; echo 'not a message' >&2; echo '" ANSWER "'",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct error err;
        if (ask(scripts[i], NULL, &err) < 0)
            fail_msg("%s: %s", scripts[i], err.message);
    }
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
        enum error_code code;
        bool retriable;
    } cases[] = {
        /* the last line that it logged is the error, whatever came before it */
        {"cat >/dev/null; echo '{\"level\":\"info\",\"msg\":\"Initializing connector\"}' >&2; echo '" PARSED
         "' >&2; exit 1",
         "the script: " PARSED " (it exited with status 1)", ERROR_CONNECTOR, true},
        {"cat >/dev/null; echo '{\"level\":\"error\",\"message\":\"no\",\"password\":\"pass-w0rd\"}' >&2; "
         "exit 3",
         "the script: no password=\"***\" (it exited with status 3)", ERROR_CONNECTOR, true},
        /* a trace as a whole, since its last line says nothing */
        {"cat >/dev/null; printf 'panic: nil pointer\\nmain.main()\\n\\tmain.go:19 +0x25\\n' >&2; exit 2",
         "the script exited with status 2; its last log lines:\n  panic: nil pointer", ERROR_CONNECTOR, true},
        {"cat >/dev/null; exit 1", "the script exited with status 1; it logged nothing", ERROR_CONNECTOR,
         true},
        {"cat >/dev/null; echo '" ANSWER "'; echo too bad >&2; exit 1",
         "the script: too bad (it exited with status 1)", ERROR_CONNECTOR, true},
        {"cat >/dev/null; echo '" ANSWER "'; kill -SEGV $$",
         "the script was killed by signal 11 (Segmentation fault)", ERROR_CONNECTOR, true},
        {"cat >/dev/null; echo starting >&2",
         "the script exited without an answer to 'validate'; its last log lines:\n  starting", ERROR_PROTOCOL,
         false},
        {"cat >/dev/null; echo '" ANSWER "'; echo '" ANSWER "'",
         "the script answered 'validate' more than once", ERROR_PROTOCOL, false},
        {"cat >/dev/null; echo '{\"opened\":{}}'",
         "the script answered 'validate' with 'opened', where 'validated' belongs", ERROR_PROTOCOL, false},
        {"cat >/dev/null; echo '{\"type\":\"SPEC\",\"spec\":{}}'", "say 'protocol: airbyte'", ERROR_PROTOCOL,
         false},
        {"cat >/dev/null; echo '[]'", "with '?', where 'validated' belongs", ERROR_PROTOCOL, false},
        {"cat >/dev/null; printf '\\050\\000\\000\\000\\012\\003abc'",
         "what it writes looks like protobuf: it has to know the JSON codec", ERROR_UNSUPPORTED, false},
        {"cat >/dev/null; echo 'hello pass-w0rd'; echo '" ANSWER "'",
         "the script wrote a line that is not valid JSON, line 1 of its output:", ERROR_PROTOCOL, true},
        {"cat >/dev/null; echo 'hello pass-w0rd'", ": hello ***", ERROR_PROTOCOL, true},
        /* how it died explains the line that it tore */
        {"cat >/dev/null; printf '{\"validated\":'; echo no memory >&2; exit 1",
         "the script: no memory (it exited with status 1)", ERROR_CONNECTOR, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_int_equal(ask(cases[i].script, NULL, &err), -1);
        assert_contains(err.message, cases[i].message);
        assert_lacks(err.message, "pass-w0rd");
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
    }
}

static void test_endless(void **state)
{
    (void)state;
    struct connector_limits limits = connector_limits_default;
    struct error err;
    limits.stall_ms = 100;
    assert_int_equal(ask("exec sleep 60", &limits, &err), -1);
    assert_contains(err.message, "the script stalls: for 100 ms");
    limits.stall_ms = 0;
    limits.exit_ms = 100;
    assert_int_equal(ask("cat >/dev/null; echo '" ANSWER "'; exec >&- sleep 60", &limits, &err), -1);
    assert_contains(err.message, "closed its output, but did not exit within 100 ms; then it was told to");
    limits.line_max = 1000;
    assert_int_equal(ask("cat >/dev/null; yes | tr -d '\\n'", &limits, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

/* A request larger than any pipe, and a connector that ends without reading it. */
static void test_large_request(void **state)
{
    (void)state;
    struct buffer request;
    buffer_init(&request, BUFFER_UNLIMITED);
    buffer_str(&request, "{\"validate\":{\"name\":\"");
    for (int i = 0; i < 200000; i++)
        buffer_str(&request, "0123456789012345678901234567890123456789");
    buffer_str(&request, "\"}}\n");
    struct connector_flow_question large = question;
    large.request = (struct slice){request.data, request.size};
    struct arena arena;
    struct json line;
    struct error err;
    const char *argv[5];
    arena_init(&arena);
    struct connector_program program = shell(argv, "test $(wc -c) = 8000025 && echo '" ANSWER "'");
    if (connector_flow_ask(&program, &large, NULL, &arena, &line, &err) < 0)
        fail_msg("%s (%zu bytes)", err.message, request.size);
    program = shell(argv, "echo 'I will not' >&2; exit 5");
    assert_int_equal(connector_flow_ask(&program, &large, NULL, &arena, &line, &err), -1);
    assert_string_equal(err.message, "the script: I will not (it exited with status 5)");
    arena_done(&arena);
    buffer_done(&request);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_failures),
        TEST(test_endless),
        TEST(test_large_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
