/* What a connector process is sent: whole and in order, at few calls of the kernel, and what becomes of it if
 * nobody takes it. */
#include "harness.h"

#include <fcntl.h>

static void test_input(void **state)
{
    (void)state;
    const char *argv[5];
    struct connector_program program = shell(argv, "cat");
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, true, NULL, run_log, &run, &run.err);
    assert_non_null(process);
    struct buffer sent;
    buffer_init(&sent, BUFFER_UNLIMITED);
    for (int i = 0; i < 300000; i++)
        buffer_printf(&sent, "line %d of what is sent\n", i);
    connector_send(process, (struct slice){sent.data, 10});
    connector_send(process, (struct slice){sent.data + 10, sent.size - 10});
    assert_true(connector_pending_input(process) > 0);
    connector_finish_input(process);
    run_loop(&run, process);
    assert_int_equal(run.result, 0);
    assert_int_equal(run.lines.size, sent.size);
    assert_memory_equal(run.lines.data, sent.data, sent.size);
    connector_free(process);
    buffer_done(&sent);
    run_done(&run);
}

/* Calls of write by this process so far, those that wrote nothing included. */
static uint64_t writes(void)
{
    char text[1024];
    auto_close int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof text - 1);
    assert_true(size > 0);
    text[size] = 0;
    const char *at = strstr(text, "syscw: ");
    assert_non_null(at);
    return strtoull(at + strlen("syscw: "), NULL, 10);
}

/* Lines for one that does not read are not each a call of the kernel. */
static void test_input_that_waits(void **state)
{
    (void)state;
    enum { LINES = 60000, CALLS_MAX = 200 };
    static const char line[] =
        "a line of about a hundred bytes, as records are: they are many, and each is small, "
        "so that they are sent\n";
    const char *argv[5];
    struct connector_program program = shell(argv, "exec sleep 60");
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, true, NULL, run_log, &run, &run.err);
    assert_non_null(process);
    uint64_t before = writes();
    for (int i = 0; i < LINES; i++)
        connector_send(process, SLICE_LITERAL(line));
    assert_in_range(writes() - before, 1, CALLS_MAX);
    assert_true(connector_pending_input(process) > LINES * (sizeof line - 1) / 2);
    connector_free(process);
    run_done(&run);
}

/* It dies, or stops reading, while we write: no signal for us, and one clear reason. */
static void test_input_refused(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
        bool service_fails;
    } cases[] = {
        {"read x; echo no disk >&2; exit 7",
         "the script exited with status 7; its last log lines:\n  no disk", false},
        {"exec <&-; exit 0", "the script closed its input while", false},
        {"exec <&-; exec sleep 60", "and does not exit", true},
    };
    struct connector_limits limits = connector_limits_default;
    limits.stop_ms = 200;
    struct buffer big;
    buffer_init(&big, BUFFER_UNLIMITED);
    for (int i = 0; i < 400000; i++)
        buffer_str(&big, "0123456789\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[5];
        struct connector_program program = shell(argv, cases[i].script);
        struct run run;
        run_init(&run);
        struct connector_process *process =
            connector_start(&program, NULL, NULL, true, &limits, run_log, &run, &run.err);
        assert_non_null(process);
        connector_send(process, (struct slice){big.data, big.size});
        run_loop(&run, process);
        assert_int_equal(run.service, cases[i].service_fails ? -1 : 0);
        assert_int_equal(cases[i].service_fails ? -1 : run.result, -1);
        assert_contains(run.err.message, cases[i].message);
        connector_send(process, slice_of("more, which nobody wants\n")); /* is no harm */
        connector_free(process);
        run_done(&run);
    }
    buffer_done(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_input_that_waits),
        cmocka_unit_test(test_input_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
