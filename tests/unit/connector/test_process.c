/* connector processes, with real children: output, input, how they die, what they are given, what is left
 * behind. */
#include "harness.h"

#include "connector/environment.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char temporary[] = "/tmp/firth-test-connector-XXXXXX";

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(temporary))
        return -1;
    return setenv("TMPDIR", temporary, 1);
}

static int teardown(void **state)
{
    (void)state;
    struct error err;
    return file_remove_tree(temporary, &err);
}

/* After every test: no zombie, no child, no descriptor, no file left. */
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
    assert_int_equal(count_files(temporary), 2); /* "." and ".." */
    return 0;
}

static struct connector_limits limits_with(size_t line_max, uint64_t stall_ms, uint64_t stop_ms)
{
    struct connector_limits limits = connector_limits_default;
    limits.line_max = line_max ? line_max : limits.line_max;
    limits.stall_ms = stall_ms;
    limits.stop_ms = stop_ms ? stop_ms : limits.stop_ms;
    return limits;
}

/* --- output --------------------------------------------------------------------------------------- */

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *script, *lines;
    } cases[] = {
        {"printf 'a\\nb\\n\\nlast without newline'", "a\nb\n\nlast without newline\n"},
        {"", ""},
        {"printf '\\n'", "\n"},
        {"echo one; echo two >&2; echo three", "one\nthree\n"},
        {"(echo parent; (echo child) )", "parent\nchild\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        run_script(&run, cases[i].script, NULL, NULL, NULL);
        assert_int_equal(run.service, 0);
        assert_int_equal(run.result, 0);
        assert_string_equal(buffer_cstr(&run.lines), cases[i].lines);
        run_done(&run);
    }
}

/* Far more than pipes and buffers hold, with lines that straddle every border; stderr floods beside it. */
static void test_volume(void **state)
{
    (void)state;
    struct run run;
    run_script(&run, "seq 1 200000 | sed 's/$/ some text to make it longer/' & seq 1 50000 >&2; wait", NULL,
               NULL, NULL);
    assert_int_equal(run.result, 0);
    assert_int_equal(run.count, 200000);
    const char *at = buffer_cstr(&run.lines);
    for (unsigned i = 1; i <= 200000; i++) {
        char expected[64];
        int size = snprintf(expected, sizeof expected, "%u some text to make it longer\n", i);
        if (strncmp(at, expected, (size_t)size) != 0)
            fail_msg("line %u is %.40s", i, at);
        at += size;
    }
    assert_contains(buffer_cstr(&run.logs), "info 50000\n");
    run_done(&run);
}

static void test_long_line_within_limit(void **state)
{
    (void)state;
    struct run run;
    run_script(&run, "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after", NULL, NULL, NULL);
    assert_int_equal(run.result, 0);
    assert_int_equal(run.count, 2);
    assert_int_equal(run.lines.size, 3000000 + 1 + 6);
    assert_string_equal(buffer_cstr(&run.lines) + 3000001, "after\n");
    run_done(&run);
}

/* The limit is exact: a line of that size passes, one more byte does not, with or without an end. */
static void test_line_limit(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bool passes;
        const char *told;
    } cases[] = {
        {"head -c 1000 /dev/zero | tr '\\0' x; echo", true, NULL},
        {"head -c 1000 /dev/zero | tr '\\0' x", true, NULL},
        {"head -c 1001 /dev/zero | tr '\\0' x; echo", false, "line 1 of its output; "},
        {"echo fine; while :; do printf 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; done", false,
         "line 2 of its output; "},
        {"printf '{\"type\":\"RECORD\",\"record\":{\"stream\": \"users\",\"data\":\"\\001'; "
         "head -c 1000 /dev/zero | tr '\\0' x",
         false, "line 1 of its output, of the stream 'users'; "},
        {"printf '{\"type\":\"RECORD\",\"record\":{'; head -c 1000 /dev/zero | tr '\\0' x", false,
         "it begins: {\"type\":\"RECORD\",\"record\":{xxxx"},
    };
    struct connector_limits limits = limits_with(1000, 0, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        run_script(&run, cases[i].script, NULL, NULL, &limits);
        assert_int_equal(run.service, cases[i].passes ? 0 : -1);
        if (!cases[i].passes) {
            assert_int_equal(run.err.code, ERROR_LIMIT);
            assert_contains(run.err.message,
                            "the script wrote a line longer than the limit of 1000 bytes: line ");
            assert_contains(run.err.message, cases[i].told);
            assert_contains(run.err.message, "right would be smaller documents");
        }
        run_done(&run);
    }
}

/* --- how it ends ---------------------------------------------------------------------------------- */

static void test_endings(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
    } cases[] = {
        {"echo bad luck >&2; exit 3", "the script exited with status 3; its last log lines:\n  bad luck"},
        {"exit 1", "the script exited with status 1; it logged nothing"},
        {"kill -9 $$", "the script was killed by signal 9 (Killed); it logged nothing"},
        {"kill -SEGV $$", "the script was killed by signal 11 (Segmentation fault); it logged nothing"},
        {"printf 'no newline' >&2; exit 2",
         "the script exited with status 2; its last log lines:\n  no newline"},
        {"printf 'a\\033[31mb\\007\\377\\n' >&2; exit 2",
         "the script exited with status 2; its last log lines:\n  a [31mb ?"},
        {"echo '{\"level\":\"error\",\"msg\":\"it failed\",\"error\":\"no route\",\"time\":\"x\"}' >&2; exit "
         "1",
         "the script exited with status 1; its last log lines:\n  it failed error=\"no route\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        run_script(&run, cases[i].script, NULL, NULL, NULL);
        assert_int_equal(run.service, 0);
        assert_int_equal(run.result, -1);
        assert_int_equal(run.err.code, ERROR_CONNECTOR);
        assert_true(run.err.retriable);
        assert_string_equal(run.err.message, cases[i].message);
        run_done(&run);
    }
}

static void test_last_logs_are_bounded(void **state)
{
    (void)state;
    struct run run;
    run_script(&run, "seq 1 100 >&2; exit 1", NULL, NULL, NULL);
    assert_contains(run.err.message, "its last log lines:\n  81\n  82\n");
    assert_contains(run.err.message, "\n  100");
    assert_lacks(run.err.message, "\n  80\n");
    run_done(&run);
    /* One line without end costs no memory, and is cut. */
    run_script(&run, "head -c 5000000 /dev/zero | tr '\\0' y >&2; echo >&2; echo the end >&2; exit 1", NULL,
               NULL, NULL);
    assert_contains(run.err.message, "yyy…\n  the end");
    assert_true(strlen(run.err.message) < 1200);
    run_done(&run);
}

static void test_stall(void **state)
{
    (void)state;
    struct connector_limits limits = limits_with(0, 150, 0);
    struct run run;
    run_script(&run, "echo started; echo looking >&2; exec sleep 60", NULL, NULL, &limits);
    assert_int_equal(run.service, -1);
    assert_int_equal(run.err.code, ERROR_CONNECTOR);
    assert_true(run.err.retriable);
    assert_string_equal(run.lines.size ? buffer_cstr(&run.lines) : "", "started\n");
    assert_contains(run.err.message,
                    "the script stalls: for 150 ms it has neither written nor read anything");
    assert_contains(run.err.message, "looking");
    run_done(&run);
}

/* One whose stdin is open waits for its owner, unless it owes an answer: from then on its silence counts. */
static void test_stall_where_an_answer_is_due(void **state)
{
    (void)state;
    const char *argv[5];
    struct connector_program program = shell(argv, "read line; read another");
    struct connector_limits limits = limits_with(0, 150, 0);
    struct run run;
    struct pollfd fds[4];
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, true, &limits, run_log, &run, &run.err);
    assert_non_null(process);
    assert_int_equal(poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process)), 0);
    connector_expect(process, "the answer to 'line'"); /* the clock begins now, and not with the process */
    assert_int_equal(connector_service(process, &run.err), 0);
    connector_send(process, slice_of("it\n"));
    int serviced = 0;
    while (serviced == 0) {
        poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process));
        serviced = connector_service(process, &run.err);
    }
    assert_contains(run.err.message,
                    "the script stalls: for 150 ms it has neither written nor read anything, "
                    "where the answer to 'line' was due");
    assert_true(run.err.retriable);
    connector_free(process);
    run_done(&run);
}

/* A connector that waits for its owner does not stall. */
static void test_waiting_for_us_is_no_stall(void **state)
{
    (void)state;
    const char *argv[5];
    struct connector_program program = shell(argv, "read line; echo got $line");
    struct connector_limits limits = limits_with(0, 100, 0);
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, true, &limits, run_log, &run, &run.err);
    assert_non_null(process);
    struct pollfd fds[4];
    for (int i = 0; i < 3; i++) { /* three times the limit without a byte */
        assert_int_equal(poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process)), 0);
        assert_int_equal(connector_service(process, &run.err), 0);
    }
    connector_send(process, slice_of("it\n"));
    connector_finish_input(process);
    run_loop(&run, process);
    assert_int_equal(run.result, 0);
    assert_string_equal(buffer_cstr(&run.lines), "got it\n");
    connector_free(process);
    run_done(&run);
}

static void test_stop(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
        int result;
    } cases[] = {
        {"trap 'echo finished; exit 0' TERM; echo ready; while :; do sleep 0.01; done", NULL, 0},
        {"echo ready; exec sleep 60", "the script was killed by signal 15 (Terminated)", -1},
        {"trap '' TERM; echo ready; while :; do sleep 0.01; done",
         "the script did not stop within 200 ms of SIGTERM and was killed", -1},
    };
    struct connector_limits limits = limits_with(0, 0, 200);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[5];
        struct connector_program program = shell(argv, cases[i].script);
        struct run run;
        run_init(&run);
        struct connector_process *process =
            connector_start(&program, NULL, NULL, false, &limits, run_log, &run, &run.err);
        struct slice line;
        while (!connector_next_line(process, &line)) {
            struct pollfd fds[4];
            poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process));
            assert_int_equal(connector_service(process, &run.err), 0);
        }
        connector_stop(process);
        run_loop(&run, process);
        assert_int_equal(run.result, cases[i].result);
        if (cases[i].message) {
            assert_contains(run.err.message, cases[i].message);
            assert_int_equal(run.err.code, ERROR_CANCELLED);
        } else {
            assert_string_equal(buffer_cstr(&run.lines), "finished\n");
        }
        connector_free(process);
        run_done(&run);
    }
}

static bool alive(pid_t pid)
{
    auto_free char *path = mem_printf("/proc/%d/stat", (int)pid);
    char text[1024] = "";
    auto_close int fd = open(path, O_RDONLY);
    const char *state = fd >= 0 && read(fd, text, sizeof text - 1) > 0 ? strrchr(text, ')') : NULL;
    bool lives = state && state[2] != 'Z' && state[2] != 'X';
    return lives;
}

/* Wait, by the kernel's word and not by sleeping, until a process that is not our child is gone. */
static void await_death(pid_t pid)
{
    int pidfd = (int)syscall(434 /* pidfd_open */, pid, 0);
    if (pidfd >= 0) {
        struct pollfd fd = {pidfd, POLLIN, 0};
        assert_int_equal(poll(&fd, 1, 20000), 1);
        close(pidfd);
    }
    assert_false(alive(pid));
}

/* Freed while it, or what it left behind, runs, ignores SIGTERM, and writes more than a pipe holds. */
static void test_free_ends_it(void **state)
{
    (void)state;
    static const char *const scripts[] = {"trap '' TERM; yes", "trap '' TERM; yes & exit 0",
                                          "trap '' TERM; yes & yes >&2"};
    struct connector_limits limits = limits_with(0, 0, 100);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const char *argv[5];
        struct connector_program program = shell(argv, scripts[i]);
        struct error err;
        struct connector_process *process =
            connector_start(&program, NULL, NULL, false, &limits, NULL, NULL, &err);
        assert_non_null(process);
        struct slice line;
        while (!connector_next_line(process, &line)) {
            struct pollfd fds[4];
            poll(fds, connector_pollfds(process, fds), connector_timeout_ms(process));
            assert_int_equal(connector_service(process, &err), 0);
        }
        pid_t pid = connector_pid(process);
        connector_free(process);
        await_death(pid);
    }
}

/* The connector has exited, a child of its writes on: told to stop, it all ends. */
static void test_stop_ends_children(void **state)
{
    (void)state;
    const char *argv[5];
    struct connector_program program = shell(argv, "trap '' TERM; yes & exit 0");
    struct connector_limits limits = limits_with(0, 0, 100);
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, false, &limits, run_log, &run, &run.err);
    assert_non_null(process);
    connector_stop(process);
    run_loop(&run, process);
    assert_int_equal(run.service, 0);
    connector_free(process);
    run_done(&run);
}

/* The connector exits and leaves a child that holds stdout open: it dies with the group, and its output until
 * then counts. */
static void test_grandchildren_die(void **state)
{
    (void)state;
    struct run run;
    run_script(&run, "sleep 300 & echo $!; exit 0", NULL, NULL, NULL);
    assert_int_equal(run.result, 0);
    assert_int_equal(run.count, 1);
    pid_t grandchild = (pid_t)strtol(buffer_cstr(&run.lines), NULL, 10);
    assert_true(grandchild > 1);
    await_death(grandchild);
    run_done(&run);
}

/* Somebody in between is killed by SIGKILL while a connector with a child runs: neither survives. (A built-in
 * has no children; the death signal alone must do for it.) */
static void kill_parent(bool built_in)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t middle = fork();
    if (middle == 0) {
        const char *argv[5];
        struct connector_program program =
            shell(argv, built_in ? "echo $$ $$; exec sleep 300"
                                 : "trap '' TERM PIPE HUP; setsid sleep 300 & echo $$ $!; wait");
        program.built_in = built_in;
        struct connector_files files = {.config = SLICE_LITERAL("{}")};
        struct error err;
        struct connector_process *process =
            connector_start(&program, "read", &files, false, NULL, NULL, NULL, &err);
        struct slice line;
        while (process && !connector_next_line(process, &line)) {
            struct pollfd fds[4];
            poll(fds, connector_pollfds(process, fds), -1);
            connector_service(process, &err);
        }
        ssize_t ignored = process ? write(ends[1], line.data, line.size) : 0;
        (void)ignored;
        for (;;)
            pause();
    }
    close(ends[1]);
    char text[64] = "";
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    close(ends[0]);
    char *rest;
    pid_t connector = (pid_t)strtol(text, &rest, 10), grandchild = (pid_t)strtol(rest, NULL, 10);
    assert_true(connector > 1 && grandchild > 1);
    assert_true(alive(connector) && alive(grandchild));
    kill(middle, SIGKILL);
    waitpid(middle, NULL, 0);
    await_death(connector);
    await_death(grandchild);
    /* Its folder with the config is still there, and the next start takes it away. */
    assert_int_equal(count_files(temporary), 3);
    struct run run;
    struct connector_files files = {.config = SLICE_LITERAL("{}")};
    run_script(&run, "exit 0", "check", &files, NULL);
    run_done(&run);
}

static void test_killed_parent_leaves_nobody(void **state)
{
    (void)state;
    kill_parent(false);
    kill_parent(true);
}

/* It closes its output and lives on. What it has said is whole; it may still exit by itself. */
static void test_output_closed(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message; /* NULL: all is well */
    } cases[] = {
        {"echo all; exec >&- 2>&-; read x; exit 0", NULL}, /* until its input ends, which is at once */
        {"echo all; exec >&-; exec sleep 60",
         "closed its output, but did not exit within 100 ms; then it was told to"},
        {"trap 'exit 0' TERM; echo all; exec >&-; echo busy >&2; while :; do sleep 0.01; done",
         "closed its output, but did not exit within 100 ms; then it was told to; its last log lines:\n  "
         "busy"},
        {"trap '' TERM; echo all; exec >&-; while :; do sleep 0.01; done",
         "closed its output, but did not exit within 100 ms; then it ignored SIGTERM and was killed"},
    };
    struct connector_limits limits = limits_with(0, 3600 * 1000, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[5];
        struct connector_program program = shell(argv, cases[i].script);
        struct run run;
        run_init(&run);
        limits.exit_ms = cases[i].message ? 100 : 60000;
        struct connector_process *process =
            connector_start(&program, NULL, NULL, false, &limits, run_log, &run, &run.err);
        assert_non_null(process);
        run_loop(&run, process);
        assert_int_equal(run.service, 0);
        assert_string_equal(buffer_cstr(&run.lines), "all\n");
        assert_int_equal(run.result, cases[i].message ? -1 : 0);
        if (cases[i].message) {
            assert_contains(run.err.message, cases[i].message);
            assert_int_equal(run.err.code, ERROR_CONNECTOR);
            assert_true(run.err.retriable);
        }
        connector_free(process);
        run_done(&run);
    }
}

/* --- what it is given ----------------------------------------------------------------------------- */

static void test_files(void **state)
{
    (void)state;
    struct run run;
    struct connector_files files = {
        .config = SLICE_LITERAL("{\"password\":\"hunter22\"}"),
        .catalog = SLICE_LITERAL("{\"streams\":[]}"),
        .state = SLICE_LITERAL("[]"),
    };
    run_script(&run,
               "echo $1 $2 $4 $6; cat $3; echo; cat $5; echo; cat $7; echo; stat -c %a $3 $(dirname $3);"
               "for f in cmdline environ; do tr '\\0' ' ' </proc/$$/$f | grep -c 'hunter'22; done; true",
               "read", &files, NULL);
    assert_int_equal(run.result, 0);
    assert_string_equal(buffer_cstr(&run.lines),
                        "read --config --catalog --state\n{\"password\":\"hunter22\"}\n"
                        "{\"streams\":[]}\n[]\n600\n700\n0\n0\n");
    run_done(&run);
}

static void test_secrets_are_masked(void **state)
{
    (void)state;
    struct run run;
    struct connector_files files = {
        .config = SLICE_LITERAL("{\"host\":\"db.local\",\"credentials\":{\"api_key\":\"k3y\\\"value\","
                                "\"Client-Secret\":\"s3cr3t-s3cr3t\"},\"password\":\"s3cr3t\"}")};
    run_script(&run,
               "cat $3 >&2; echo >&2; echo 'host db.local key k3y\"value secrets s3cr3t-s3cr3t and s3cr3t' "
               ">&2; exit 1",
               "check", &files, NULL);
    assert_int_equal(run.result, -1);
    assert_contains(run.err.message, "host db.local key *** secrets *** and ***");
    const char *const secrets[] = {"s3cr3t", "k3y"};
    for (size_t i = 0; i < 2; i++) {
        assert_lacks(run.err.message, secrets[i]);
        assert_lacks(buffer_cstr(&run.logs), secrets[i]);
    }
    run_done(&run);
}

/* The same for what is given by the environment. */
static void test_secrets_of_the_environment_are_masked(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "echo $APP_TOKEN $PLAIN $SECRETS >&2; exit 1", NULL};
    const char *const env[] = {"APP_TOKEN=s3cr3t=1", "PLAIN=visible", "SECRETS=abc", "TOKEN", NULL};
    struct connector_program program = {.argv = argv, .env = env, .label = "the script"};
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, false, NULL, NULL, NULL, &run.err);
    assert_non_null(process);
    run_loop(&run, process);
    assert_contains(run.err.message, "*** visible abc"); /* too short to be masked */
    assert_lacks(run.err.message, "s3cr3t");
    connector_free(process);
    run_done(&run);
}

static void test_environment(void **state)
{
    (void)state;
    setenv("FIRTH_TEST_SECRET", "not for connectors", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "nor this", 1);
    setenv("https_proxy", "http://proxy:3128", 1);
    const char *argv[] = {"env", NULL}, *env[] = {"GIVEN=yes", "https_proxy=other", NULL};
    struct connector_program program = {.argv = argv, .env = env, .label = "env"};
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, false, NULL, NULL, NULL, &run.err);
    assert_non_null(process);
    run_loop(&run, process);
    const char *lines = buffer_cstr(&run.lines);
    assert_contains(lines, "GIVEN=yes\n");
    assert_contains(lines, "https_proxy=other\n");
    assert_lacks(lines, "proxy:3128");
    assert_contains(lines, "PATH=");
    assert_contains(lines, "TMPDIR=");
    assert_lacks(lines, "FIRTH_TEST_SECRET");
    assert_lacks(lines, "AWS_SECRET");
    connector_free(process);
    run_done(&run);
    unsetenv("FIRTH_TEST_SECRET");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("https_proxy");
}

static void test_no_connector_gets_a_key(void **state)
{
    static const char *const names[] = {"FIRTH_SECRET_KEY", "FIRTH_SECRET_KEY_FILE", "FIRTH_TASK_KEY"};
    (void)state;
    setenv("FIRTH_LOCAL_ROOT", "/x", 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        setenv(names[i], "5a5a", 1);
    for (int kind = 0; kind <= CONNECTOR_ENVIRONMENT_ENGINE; kind++) {
        char **environment = connector_environment(NULL, "", (enum connector_environment_kind)kind);
        bool built_in = kind == CONNECTOR_ENVIRONMENT_BUILT_IN;
        assert_int_equal(connector_environment_get(environment, "FIRTH_LOCAL_ROOT") != NULL, built_in);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            assert_null(connector_environment_get(environment, names[i]));
        connector_environment_free(environment);
    }
    unsetenv("FIRTH_LOCAL_ROOT");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static void test_hygiene(void **state)
{
    (void)state;
    int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */
    signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    struct connector_limits limits = connector_limits_default;
    limits.files_max = 77;
    limits.memory_max = 512 << 20;
    struct run run;
    run_script(&run,
               "ls /proc/self/fd | tr '\\n' ' '; echo; grep -E '^(SigBlk|SigIgn|NoNewPrivs)' "
               "/proc/self/status | tr -d '\\t';"
               "ulimit -n; ulimit -c; ulimit -d; ps -o pgid= -p $$ | tr -d ' '; echo $$",
               NULL, NULL, &limits);
    close(leaked);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    assert_int_equal(run.result, 0);
    const char *lines = buffer_cstr(&run.lines);
    assert_contains(lines, "0 1 2 3 \n"); /* 3 is ls's own, of the folder it lists */
    assert_contains(lines, "SigBlk:0000000000000000\n");
    const char *ignored = strstr(lines, "SigIgn:");
    assert_non_null(ignored);
    /* Signals 32 and 33 are the C library's own: it lets nobody change them, and whoever started this test
     * by posix_spawn (make does) left them ignored. */
    assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) & ~(3ull << 31), 0);
    assert_contains(lines, "NoNewPrivs:1\n");
    assert_contains(lines, "\n77\n0\n524288\n");
    char *rest;
    const char *tail = strstr(lines, "\n524288\n") + 8;
    long group = strtol(tail, &rest, 10);
    assert_int_equal(group, strtol(rest, NULL, 10));
    run_done(&run);
}

static void test_folder_of_the_command(void **state)
{
    (void)state;
    auto_free char *script = mem_printf("%s/run.sh", temporary);
    struct error err;
    assert_int_equal(file_replace(script, "#!/bin/sh\npwd\n", 14, 0755, &err), 0);
    const char *argv[] = {"./run.sh", NULL};
    struct connector_program program = {.argv = argv, .folder = temporary, .label = "run.sh"};
    struct run run;
    run_init(&run);
    struct connector_process *process =
        connector_start(&program, NULL, NULL, false, NULL, NULL, NULL, &run.err);
    assert_non_null(process);
    run_loop(&run, process);
    assert_int_equal(run.result, 0);
    assert_int_equal(strncmp(buffer_cstr(&run.lines), temporary, strlen(temporary)), 0);
    connector_free(process);
    run_done(&run);
    unlink(script);
}

static void test_cannot_start(void **state)
{
    (void)state;
    auto_free char *text = mem_printf("%s/text", temporary), *no_shebang = mem_printf("%s/script", temporary);
    struct error err;
    assert_int_equal(file_replace(text, "x", 1, 0644, &err), 0);
    assert_int_equal(file_replace(no_shebang, "echo hello\n", 11, 0755, &err), 0);
    const struct {
        const char *command, *folder, *message;
        enum error_code code;
    } cases[] = {
        {"no-such-command-anywhere", NULL, "the command no-such-command-anywhere is in no folder of PATH",
         ERROR_NOT_FOUND},
        {"/no/such/program", NULL, "cannot run /no/such/program: No such file or directory", ERROR_NOT_FOUND},
        {text, NULL, "Permission denied", ERROR_IO},
        {no_shebang, NULL, "(a script needs a first line like #!/bin/sh): Exec format error", ERROR_IO},
        {"/bin/true", "/no/such/folder", "cannot enter the folder /no/such/folder", ERROR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[] = {cases[i].command, NULL};
        struct connector_program program = {.argv = argv, .folder = cases[i].folder, .label = "it"};
        struct connector_files files = {.config = SLICE_LITERAL("{}")};
        assert_null(connector_start(&program, "spec", &files, true, NULL, NULL, NULL, &err));
        assert_contains(err.message, "cannot start it: ");
        assert_contains(err.message, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
        assert_false(err.retriable);
    }
    unlink(text);
    unlink(no_shebang);
}

/* A parent whose own 0, 1 and 2 are closed must not give the child the wrong ones. */
static void test_without_standard_files(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        close(0);
        close(1);
        close(2);
        struct run run;
        run_init(&run);
        const char *argv[5];
        struct connector_program program = shell(argv, "read x; echo out $x; echo err >&2");
        struct connector_process *process =
            connector_start(&program, NULL, NULL, true, NULL, run_log, &run, &run.err);
        if (!process)
            _exit(1);
        connector_send(process, slice_of("in\n"));
        connector_finish_input(process);
        run_loop(&run, process);
        bool good = run.result == 0 && strcmp(buffer_cstr(&run.lines), "out in\n") == 0 &&
                    strcmp(buffer_cstr(&run.logs), "info err\n") == 0;
        _exit(good ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines),
        TEST(test_volume),
        TEST(test_long_line_within_limit),
        TEST(test_line_limit),
        TEST(test_endings),
        TEST(test_last_logs_are_bounded),
        TEST(test_stall),
        TEST(test_stall_where_an_answer_is_due),
        TEST(test_waiting_for_us_is_no_stall),
        TEST(test_stop),
        TEST(test_free_ends_it),
        TEST(test_stop_ends_children),
        TEST(test_grandchildren_die),
        TEST(test_killed_parent_leaves_nobody),
        TEST(test_files),
        TEST(test_output_closed),
        TEST(test_secrets_are_masked),
        TEST(test_secrets_of_the_environment_are_masked),
        TEST(test_environment),
        TEST(test_no_connector_gets_a_key),
        TEST(test_hygiene),
        TEST(test_folder_of_the_command),
        TEST(test_cannot_start),
        TEST(test_without_standard_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
