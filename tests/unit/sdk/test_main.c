/* The program around a connector, run in a child process: verbs, messages, exit statuses, signals, and input
 * as hostile as it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"
#include "host.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

/* --- values ------------------------------------------------------------------------------------------ */

static void test_json_values(void **state)
{
    (void)state;
    static const volatile sig_atomic_t never = 0;
    static const struct firth_connector_class class_ = {.name = "test"};
    struct firth_host host;
    const char *json =
        "{\"a\":[true,null,{\"b/c\":\"x\\u0041\"}],\"n\":1e3,\"f\":1.5,\"big\":9223372036854775808}";
    static const struct {
        const char *pointer;
        enum firth_type type;
        const char *value;
    } cases[] = {
        {"/a/0", FIRTH_IS_BOOLEAN, "true"}, {"/a/1", FIRTH_IS_NULL, "null"},
        {"/a/2/b~1c", FIRTH_IS_TEXT, "xA"}, {"/n", FIRTH_IS_NUMBER, "1e3"},
        {"/a/9", FIRTH_IS_ABSENT, NULL},    {"/a/2", FIRTH_IS_OBJECT, "{\"b/c\":\"x\\u0041\"}"},
    };
    sdk_host_init(&host, &class_, &sdk_face_airbyte, 1, &never);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct firth_slice value = {NULL, 0};
        assert_int_equal(firth_json_get(&host, text(json), cases[i].pointer, &value), cases[i].type);
        if (cases[i].value)
            assert_true(slice_is((struct slice){value.data, value.size}, cases[i].value));
        else
            assert_null(value.data);
    }
    int64_t number = 7;
    assert_true(firth_json_integer(&host, text(json), "/n", &number));
    assert_int_equal(number, 1000);
    assert_false(firth_json_integer(&host, text(json), "/f", &number));
    assert_false(firth_json_integer(&host, text(json), "/big", &number));
    assert_false(firth_json_integer(&host, text("{"), "", &number));
    assert_false(firth_json_integer(&host, (struct firth_slice){NULL, 0}, "/n", &number));
    assert_int_equal(number, 1000);
    sdk_host_done(&host);
}

/* --- a source that does as its config says ------------------------------------------------------------ */

struct test_config {
    const char *act;
    int64_t count;
};
static const struct firth_option test_options[] = {
    {.name = "act", .type = FIRTH_STRING, .offset = offsetof(struct test_config, act), .preset = "plain"},
    {.name = "count", .type = FIRTH_INTEGER, .offset = offsetof(struct test_config, count), .preset = "3"},
    {0},
};

struct test_source {
    const struct test_config *config;
    const struct firth_selection *selection;
};

static int test_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    const struct test_config *test = config;
    firth_log(host, FIRTH_INFO, "checking \"%s\"", test->act);
    if (strcmp(test->act, "no") == 0)
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "act is no");
    return 0;
}

static int test_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                         struct firth_error *err)
{
    static const char *const names[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        const struct firth_stream stream = {.name = names[i],
                                            .json_schema = "{\"type\":\"object\"}",
                                            .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL};
        if (firth_catalog_add(catalog, &stream, err) < 0)
            return -1;
    }
    return 0;
}

static int test_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                     void **ret_self, struct firth_error *err)
{
    struct test_source *self = mem_zalloc(sizeof *self);
    self->config = config;
    self->selection = selection;
    *ret_self = self;
    return 0;
}

static int emit_typed(struct firth_host *host)
{
    firth_record_begin(host, 0);
    firth_put_null(host, "null");
    firth_put_boolean(host, "yes", true);
    firth_put_integer(host, "low", INT64_MIN);
    firth_put_number(host, "tenth", 0.1);
    firth_log(host, FIRTH_WARN, "in the middle of a record");
    firth_put_text(host, "te\"xt", text("a\nb\"c\\ \xff"));
    firth_put_json(host, "raw", text("{\"x\":\n[1.10]}"));
    return firth_record_end(host);
}

static int test_read(void *self_, struct firth_host *host, struct firth_error *err)
{
    struct test_source *self = self_;
    const char *act = self->config->act;
    if (strcmp(act, "fail") == 0) {
        firth_emit_record(host, 0, text("{}"));
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the line broke");
    }
    if (strcmp(act, "typed") == 0)
        return emit_typed(host);
    if (strcmp(act, "bad-state") == 0)
        return firth_emit_state(host, 0, text("{oops"));
    if (strcmp(act, "after-end") == 0) {
        firth_emit_complete(host, 0);
        return firth_emit_record(host, 0, text("{}"));
    }
    if (strcmp(act, "global") == 0) {
        struct firth_slice states[2] = {text("{\"n\":1}"), {0}};
        firth_emit_record(host, 1, text("{}"));
        return firth_emit_global_state(host, text("{\"lsn\":7}"), states);
    }
    if (strcmp(act, "huge") == 0) {
        size_t size = (64 << 20) + 1;
        char *data = mem_alloc(size);
        memset(data, ' ', size);
        int result = firth_emit_record(host, 0, (struct firth_slice){data, size});
        free(data);
        return result;
    }
    if (strcmp(act, "endless") == 0)
        return firth_emit_record(host, 0, text("{\"n\":1}")) < 0 ? -1 : 1;
    firth_emit_estimate(host, 0, self->config->count, -1);
    for (int64_t i = 0; i < self->config->count; i++) {
        if (firth_emit_record(host, 0, text("{\n\"n\":1}")) < 0)
            return -1;
    }
    firth_emit_state(host, 0, text("{\"n\":\n3}"));
    return firth_emit_record(host, 1, text("{\"tail\":true}")); /* with no state of its own */
}

static void test_close(void *self)
{
    free(self);
}

static const struct firth_connector_class test_source_class = {
    .name = "source-test",
    .title = "Test",
    .config_size = sizeof(struct test_config),
    .options = test_options,
    .source = {.check = test_check,
               .discover = test_discover,
               .open = test_open,
               .read = test_read,
               .close = test_close},
};

#define STREAM(name)                \
    "{\"stream\":{\"name\":\"" name \
    "\",\"json_schema\":{}},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"append\"}"
#define BOTH "{\"streams\":[" STREAM("a") "," STREAM("b") "]}"

static void read_with(struct run *run, const char *config, const char *catalog)
{
    auto_free char *config_path = put_file(run, "config", config),
                   *catalog_path = put_file(run, "catalog", catalog);
    run_class(run, &test_source_class, WORDS("read", "--config", config_path, "--catalog", catalog_path),
              SLICE_LITERAL(""));
}

static void test_read_in_order(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    read_with(&run, "{}", BOTH);
    expect_exit(&run, 0);
    static const char *const wanted[] = {
        "\"status\":\"STARTED\"",
        "\"row_estimate\":3}",
        "\"status\":\"RUNNING\"",
        "\"data\":{ \"n\":1}}}",
        "\"data\":{ \"n\":1}}}",
        "\"data\":{ \"n\":1}}}",
        "\"stream_state\":{\"n\": 3}},\"sourceStats\":{\"recordCount\":3.0}",
        "\"stream_descriptor\":{\"name\":\"b\"},\"status\":\"STARTED\"",
        "\"tail\":true",
        "\"name\":\"a\"},\"status\":\"COMPLETE\"",
        "{\"__ab_no_cursor_state_message\":true}},\"sourceStats\":{\"recordCount\":1.0}",
        "\"name\":\"b\"},\"status\":\"COMPLETE\"",
        NULL,
    };
    expect_lines(&run, wanted);
    assert_int_equal(count_pieces(&run, "\"status\":\"RUNNING\""), 2);
    assert_int_equal(count_pieces(&run, "\"type\":\"STATE\""), 2);
    run_end(&run);
}

static void test_read_acts(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        int exit;
        const char *pieces[4];
    } cases[] = {
        {"{\"act\":\"fail\"}",
         1,
         {"\"status\":\"INCOMPLETE\"",
          "\"message\":\"the line broke\",\"failure_type\":\"transient_error\""}},
        {"{\"act\":\"typed\"}",
         0,
         {"in the middle of a record", "\"data\":{\"null\":null,\"yes\":true,\"low\":-9223372036854775808,"
                                       "\"tenth\":0.1,\"te\\\"xt\":\"a\\nb\\\"c\\\\ "
                                       "\xef\xbf\xbd\",\"raw\":{\"x\": [1.10]}}}}"}},
        {"{\"act\":\"bad-state\"}", 1, {"source-test gave a state of a that is not JSON"}},
        {"{\"act\":\"after-end\"}", 1, {"emitted more for stream a after its end"}},
        {"{\"act\":\"huge\"}", 1, {"has 67108865 bytes; the limit is 67108864"}},
        {"{\"act\":\"global\"}",
         0,
         {"\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":7},\"stream_states\":[{\"stream_"
          "descriptor\":{"
          "\"name\":\"a\"},\"stream_state\":{\"n\":1}}]},\"sourceStats\":{\"recordCount\":1.0}",
          "\"status\":\"COMPLETE\""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        run_start(&run);
        read_with(&run, cases[i].config, BOTH);
        expect_exit(&run, cases[i].exit);
        expect_lines(&run, cases[i].pieces);
        run_end(&run);
    }
}

static void test_wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *config, *catalog, *piece;
    } cases[] = {
        {"{\"count\":\"x\"}", BOTH, "count must be an integer"},
        {"nonsense", BOTH, "the config is not JSON"},
        {"{}", "{\"streams\":[" STREAM("c") "]}",
         "the catalog asks for stream \\\"c\\\", which this source does not have"},
        {"{}", "[]", "\"failure_type\":\"config_error\""},
        {"{}", "", "the catalog is not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        run_start(&run);
        read_with(&run, cases[i].config, cases[i].catalog);
        expect_exit(&run, 3);
        expect_lines(&run, (const char *const[]){cases[i].piece, NULL});
        assert_int_equal(count_pieces(&run, "\"type\":\"ERROR\""), 1);
        run_end(&run);
    }
}

static void test_command_line(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    auto_free char *config = put_file(&run, "config", "{}"), *no = put_file(&run, "no", "{\"act\":\"no\"}");
    auto_free char *bad = put_file(&run, "bad", "{\"act\":1}"), *missing = mem_printf("%s/none", run.folder);
    auto_free char *joined = mem_printf("--config=%s", config);
    const struct {
        const char *const *words;
        int exit;
        const char *piece;
    } cases[] = {
        {WORDS("spec"), 0, "\"connectionSpecification\":{"},
        {WORDS("check", "--config", config), 0, "\"status\":\"SUCCEEDED\""},
        {WORDS("check", joined, "--debug"), 0, "\"status\":\"SUCCEEDED\""},
        {WORDS("check", "--config", no), 0, "\"status\":\"FAILED\",\"message\":\"act is no\""},
        {WORDS("check", "--config", bad), 0,
         "\"status\":\"FAILED\",\"message\":\"act must be a string, got 1\""},
        {WORDS("check", "--config", missing), 3, "\"type\":\"ERROR\""},
        {WORDS("discover", "--config", config), 0, "{\"streams\":[{\"name\":\"a\""},
        {WORDS("write", "--config", config, "--catalog", config), 2, NULL},
        {WORDS("read", "--config", config), 2, NULL},
        {WORDS("read", "--config"), 2, NULL},
        {WORDS("check"), 2, NULL},
        {WORDS("spec", "--nonsense"), 2, NULL},
        {WORDS("speck"), 2, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_class(&run, &test_source_class, cases[i].words, SLICE_LITERAL(""));
        expect_exit(&run, cases[i].exit);
        expect_lines(&run, (const char *const[]){cases[i].piece, NULL});
        if (cases[i].exit == 2)
            assert_int_equal(run.out.size, 0);
    }
    run_end(&run);
}

/* Read from a child that never ends until it has said something. */
static int read_some(int fd, struct buffer *out)
{
    buffer_reserve(out, 1 << 16);
    ssize_t got = read(fd, out->data + out->size, 1 << 16);
    if (got > 0)
        out->size += (size_t)got;
    return (int)got;
}

static pid_t spawn_endless(struct run *run, int pipe_fds[2])
{
    auto_free char *config = put_file(run, "config", "{\"act\":\"endless\"}"),
                   *catalog = put_file(run, "catalog", BOTH);
    char *argv[] = {(char *)"c", (char *)"read", (char *)"--config", config, (char *)"--catalog", catalog,
                    NULL};
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = spawn(&test_source_class, argv, 0, pipe_fds[1]);
    close(pipe_fds[1]);
    assert_true(read_some(pipe_fds[0], &run->out) > 0);
    return child;
}

static void test_stop(void **state)
{
    (void)state;
    struct run run;
    int fds[2];
    run_start(&run);
    pid_t child = spawn_endless(&run, fds);
    assert_int_equal(kill(child, SIGTERM), 0);
    while (read_some(fds[0], &run.out) > 0)
        ;
    assert_int_equal(waitpid(child, &run.status, 0), child);
    assert_true(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGTERM);
    /* Whole lines to the last, and the stream is said to be incomplete. */
    expect_lines(
        &run, (const char *const[]){"\"status\":\"RUNNING\"", "\"n\":1", "\"status\":\"INCOMPLETE\"", NULL});
    assert_int_equal(count_pieces(&run, "\"type\":\"ERROR\""), 0);
    close(fds[0]);
    run_end(&run);
}

/* A reader that does not read must not keep it from ending when it is told to. */
static void test_stop_with_a_full_pipe(void **state)
{
    (void)state;
    struct run run;
    int fds[2], waiting = 0, before = -1;
    run_start(&run);
    pid_t child = spawn_endless(&run, fds);
    while (waiting == 0 || waiting != before || waiting < fcntl(fds[0], F_GETPIPE_SZ) / 2) {
        struct pollfd ready = {.fd = fds[0], .events = 0};
        before = waiting;
        poll(&ready, 1, 20); /* between two looks at how full it is */
        assert_int_equal(ioctl(fds[0], FIONREAD, &waiting), 0);
    }
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(waitpid(child, &run.status, 0), child);
    assert_true(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGTERM);
    close(fds[0]);
    run_end(&run);
}

static void test_reader_goes_away(void **state)
{
    (void)state;
    struct run run;
    int fds[2];
    run_start(&run);
    pid_t child = spawn_endless(&run, fds);
    close(fds[0]);
    assert_int_equal(waitpid(child, &run.status, 0), child);
    assert_true(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGPIPE);
    run_end(&run);
}

/* --- a destination that writes down what it is told ----------------------------------------------------- */

struct test_destination {
    struct firth_host *host;
    bool fail_commit;
    size_t stored;
};

static int destination_open(struct firth_host *host, const void *config, struct firth_target *targets,
                            size_t count, void **ret_self, struct firth_error *err)
{
    const struct test_config *test = config;
    struct test_destination *self = mem_zalloc(sizeof *self);
    self->host = host;
    self->fail_commit = strcmp(test->act, "fail-commit") == 0;
    for (size_t i = 0; i < count; i++)
        targets[i].states_at_end = targets[i].sync_mode == FIRTH_OVERWRITE;
    *ret_self = self;
    return 0;
}

static int destination_store(void *self_, struct firth_host *host, size_t stream,
                             const struct firth_record *record, struct firth_error *err)
{
    struct test_destination *self = self_;
    struct firth_slice value;
    self->stored++;
    if (firth_record_get(host, record, "/deep/0", &value) == FIRTH_IS_TEXT)
        firth_log(host, FIRTH_INFO, "stored %.*s at %lld: %.*s", (int)value.size, value.data,
                  (long long)record->emitted_at, (int)record->data.size, record->data.data);
    assert_int_equal(firth_record_get(host, record, "/none", &value), FIRTH_IS_ABSENT);
    return 0;
}

static int destination_commit(void *self_, struct firth_host *host, const struct firth_commit *commit,
                              struct firth_error *err)
{
    struct test_destination *self = self_;
    if (self->fail_commit)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the disk is full");
    firth_log(host, FIRTH_INFO, "commit of %zu", self->stored);
    return 0;
}

static int destination_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                              struct firth_error *err)
{
    firth_log(host, FIRTH_INFO, "finish %zu %s", stream, complete ? "whole" : "cut");
    return 0;
}

static const struct firth_connector_class test_destination_class = {
    .name = "destination-test",
    .title = "Test",
    .config_size = sizeof(struct test_config),
    .options = test_options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE,
                    .open = destination_open,
                    .store = destination_store,
                    .commit = destination_commit,
                    .finish = destination_finish,
                    .close = test_close},
};

#define TARGET(name, mode, ids)     \
    "{\"stream\":{\"name\":\"" name \
    "\",\"json_schema\":{}},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"" mode "\"" ids "}"
#define IDS ",\"generation_id\":1,\"minimum_generation_id\":1,\"sync_id\":1"
#define RECORD(stream, data) \
    "{\"type\":\"RECORD\",\"record\":{\"stream\":\"" stream "\",\"data\":" data ",\"emitted_at\":5}}\n"
#define STATE(stream, n)                                                                              \
    "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":" \
    "\"" stream "\"},\"stream_state\":{\"n\":" n "}}}}\n"
#define COMPLETE(stream)                                                                               \
    "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":1.5,\"stream_status\":{" \
    "\"stream_descriptor\":{\"name\":\"" stream "\"},\"status\":\"COMPLETE\"}}}\n"

static void write_with(struct run *run, const char *config, const char *catalog, struct slice input)
{
    auto_free char *config_path = put_file(run, "config", config),
                   *catalog_path = put_file(run, "catalog", catalog);
    run_class(run, &test_destination_class,
              WORDS("write", "--config", config_path, "--catalog", catalog_path), input);
}

static const struct write_case {
    const char *catalog, *input, *config;
    int exit;
    const char *pieces[10];
    const char *absent;
} write_cases[] = {
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     RECORD("a", "{\"deep\":[\"v\\u00e4l\"],\"n\":1.10}") "\r\n" STATE("a", "1") RECORD("a", "{}")
         COMPLETE("a"),
     "{}",
     0,
     {"stored v\xc3\xa4l at 5: {\\\"deep\\\":[\\\"v\\\\u00e4l\\\"],\\\"n\\\":1.10}", "commit of 2",
      "\"destinationStats\":{\"recordCount\":1.0}", "finish 0 whole"},
     "WARN"},
    /* Without COMPLETE the stream is cut; append has confirmed its state all the same. */
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     RECORD("a", "{}") STATE("a", "1"),
     "{}",
     0,
     {"commit of 1", "\"n\":1", "finish 0 cut"},
     NULL},
    /* An overwrite's states wait for the end, and never come if it does not. */
    {"{\"streams\":[" TARGET("a", "overwrite", IDS) "]}",
     RECORD("a", "{}") STATE("a", "1"),
     "{}",
     0,
     {"commit of 1", "finish 0 cut"},
     "\"type\":\"STATE\""},
    {"{\"streams\":[" TARGET("a", "overwrite", IDS) "," TARGET("b", "append", IDS) "]}",
     RECORD("b", "{}") STATE("b", "1") STATE("a", "2") STATE("b", "3") COMPLETE("a") COMPLETE("b"),
     "{}",
     0,
     {"commit of 1", "\"n\":1", "finish 0 whole", "finish 1 whole", "\"n\":2", "\"n\":3"},
     NULL},
    /* A platform without generations: the end of the input is the end of the stream. */
    {"{\"streams\":[" TARGET("a", "overwrite", "") "]}",
     RECORD("a", "{}") STATE("a", "1"),
     "{}",
     0,
     {"finish 0 whole", "\"n\":1"},
     NULL},
    /* Nulls, other messages, unknown types, LEGACY and GLOBAL states. */
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     "{\"type\":\"RECORD\",\"log\":null,\"spec\":null,\"state\":null,\"record\":{\"namespace\":null,"
     "\"stream\":\"a\","
     "\"data\":{},\"emitted_at\":1.7e12,\"meta\":null}}\n"
     "{\"type\":\"LOG\",\"log\":{\"level\":\"info\",\"message\":\"x\"}}\n{\"type\":\"NEWS\",\"news\":{}}"
     "\n"
     "{\"type\":\"STATE\",\"state\":{\"data\":{\"old\":1},\"global\":null}}\n"
     "{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"stream_states\":[]}}}\n" COMPLETE("a")
         COMPLETE("a"),
     "{}",
     0,
     {"\"old\":1", "\"type\":\"GLOBAL\"", "finish 0 whole"},
     NULL},
    /* What breaks the protocol. */
    {"{\"streams\":[" TARGET("users", "append", IDS) "]}",
     RECORD("users", "{}") RECORD("user", "{}"),
     "{}",
     1,
     {"line 2 of the input is a record of stream \\\"user\\\", which the catalog does not name; did you "
      "mean "
      "\\\"users\\\"?"},
     "finish"},
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     RECORD("a", "{}") STATE("a", "1") "{\"type\":\n",
     "{}",
     1,
     {"line 3 of the input is no message"},
     "finish"},
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     "[1]\n",
     "{}",
     1,
     {"line 1 of the input is no message"},
     NULL},
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     "{\"type\":\"RECO",
     "{}",
     1,
     {"line 1 of the input"},
     NULL},
    {"{\"streams\":[" TARGET("a", "append", IDS) "," TARGET("a", "append", IDS) "]}",
     "",
     "{}",
     3,
     {"\"failure_type\":\"config_error\""},
     "commit"},
    {"{\"streams\":[" TARGET("a", "append", IDS) "]}",
     RECORD("a", "{}") STATE("a", "1"),
     "{\"act\":\"fail-commit\"}",
     1,
     {"the disk is full"},
     "\"type\":\"STATE\""},
};

static void test_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof write_cases / sizeof *write_cases; i++) {
        struct run run;
        run_start(&run);
        write_with(&run, write_cases[i].config, write_cases[i].catalog, slice_of(write_cases[i].input));
        expect_lines(&run, write_cases[i].pieces);
        expect_exit(&run, write_cases[i].exit);
        if (write_cases[i].absent)
            assert_int_equal(count_pieces(&run, write_cases[i].absent), 0);
        run_end(&run);
    }
}

static void test_line_without_end(void **state)
{
    (void)state;
    struct run run;
    struct buffer input;
    run_start(&run);
    buffer_init(&input, 80 << 20);
    buffer_str(&input,
               RECORD("a", "{}") "{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"data\":{\"x\":\"");
    buffer_reserve(&input, 70 << 20);
    memset(input.data + input.size, 'x', 70 << 20);
    input.size += 70 << 20;
    write_with(&run, "{}", "{\"streams\":[" TARGET("a", "append", IDS) "]}",
               (struct slice){input.data, input.size});
    expect_exit(&run, 1);
    expect_lines(
        &run, (const char *const[]){"line 2 of the input is longer than the limit of 68157440 bytes", NULL});
    buffer_done(&input);
    run_end(&run);
}

/* A state is confirmed while the input stays open: nobody waits for the end of a stream that goes on. */
static void test_state_comes_back_at_a_pause(void **state)
{
    (void)state;
    struct run run;
    int to[2], from[2];
    run_start(&run);
    auto_free char *config = put_file(&run, "config", "{}");
    auto_free char *catalog = put_file(&run, "catalog", "{\"streams\":[" TARGET("a", "append", IDS) "]}");
    char *argv[] = {(char *)"c", (char *)"write", (char *)"--config", config, (char *)"--catalog", catalog,
                    NULL};
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    fcntl(to[1], F_SETFD, FD_CLOEXEC);
    pid_t child = spawn(&test_destination_class, argv, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    const char *input = RECORD("a", "{}") STATE("a", "1");
    assert_int_equal(write(to[1], input, strlen(input)), (ssize_t)strlen(input));
    while (!strstr(buffer_cstr(&run.out), "\"type\":\"STATE\"")) {
        struct pollfd ready = {.fd = from[0], .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 30000), 1);
        assert_true(read_some(from[0], &run.out) > 0);
    }
    /* Asked to stop, it ends by the signal and finishes nothing as if it were whole. */
    kill(child, SIGTERM);
    while (read_some(from[0], &run.out) > 0)
        ;
    assert_int_equal(waitpid(child, &run.status, 0), child);
    assert_true(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGTERM);
    expect_lines(&run, (const char *const[]){"commit of 1", "\"n\":1", "finish 0 cut", NULL});
    close(to[1]);
    close(from[0]);
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_values),
        cmocka_unit_test(test_read_in_order),
        cmocka_unit_test(test_read_acts),
        cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_with_a_full_pipe),
        cmocka_unit_test(test_reader_goes_away),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_line_without_end),
        cmocka_unit_test(test_state_comes_back_at_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
