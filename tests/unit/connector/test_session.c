/* What a connector started and what left its process group ends with it. */
#include "harness.h"

#include <sys/pidfd.h>

/* Those that leave the group as well, and their children; nobody else's. */
static void test_descendants_that_left_die(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "setsid sh -c 'trap \"\" TERM HUP; echo $$; exec >&- 2>&-; sleep 300 & wait' & read x; exit 0",
        "setsid sh -c '(setsid sh -c \"echo \\$\\$; exec sleep 300\" &); exit 0'; exit 0",
        /* its own session's value does not come from the catalog */
        "test \"$FIRTH_SESSION\" != mine || exit 1; setsid sh -c 'echo $$; exec sleep 300' & read x; exit 0",
    };
    const char *const env[] = {"FIRTH_SESSION=mine", NULL};
    pid_t stranger = fork();
    if (stranger == 0) {
        execle("/bin/sleep", "sleep", "300", (char *)NULL,
               (char *const[]){(char *)"FIRTH_SESSION=mine", NULL});
        _exit(1);
    }
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const char *argv[5];
        struct connector_program program = shell(argv, scripts[i]);
        struct run run;
        run_init(&run);
        program.env = env;
        struct connector_process *process =
            connector_start(&program, NULL, NULL, true, NULL, run_log, &run, &run.err);
        assert_non_null(process);
        struct slice line;
        while (!connector_next_line(process, &line)) {
            struct pollfd fds[4];
            poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process));
            assert_int_equal(connector_service(process, &run.err), 0);
        }
        int left = pidfd_open((pid_t)strtol(line.data, NULL, 10), 0);
        assert_true(left >= 0);
        connector_finish_input(process);
        run_loop(&run, process);
        assert_int_equal(run.result, 0);
        connector_free(process);
        struct pollfd end = {left, POLLIN, 0};
        assert_int_equal(poll(&end, 1, 20000), 1);
        close(left);
        run_done(&run);
    }
    assert_int_equal(kill(stranger, 0), 0);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_descendants_that_left_die)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
