/* A source that speaks Flow's capture protocol: each message, odd requests, states, acknowledgements,
 * signals.
 */
#include "harness.h"

#include "base/text.h"

#include <poll.h>
#include <signal.h>

/* --- a source that does as its config says ----------------------------------------------------------- */

struct test_config {
    const char *act, *secret;
};
static const struct firth_option test_options[] = {
    {.name = "act", .type = FIRTH_STRING, .offset = offsetof(struct test_config, act), .preset = "plain"},
    {.name = "secret",
     .type = FIRTH_SECRET,
     .offset = offsetof(struct test_config, secret),
     .multiline = true,
     .order = 7},
    {0},
};

struct test_source {
    const char *act;
    const struct firth_selection *selection;
    int turn;
};

static int test_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    (void)host;
    if (strcmp(((const struct test_config *)config)->act, "no") == 0)
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "act is no");
    return 0;
}

static int test_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                         struct firth_error *err)
{
    (void)host, (void)config;
    static const char *const id[] = {"/id", NULL};
    static const struct firth_stream streams[] = {
        {.name = "a",
         .json_schema = "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}}}",
         .primary_key = id,
         .cursor = "/id",
         .sync_modes = FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL},
        {.name = "b c",
         .name_space = "deep",
         .json_schema = "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"},\"y\":{\"type\":"
                        "[\"string\",\"null\"]},\"z/\":{\"type\":\"integer\"}}}",
         .sync_modes = FIRTH_FULL_REFRESH},
        {.name = "a", .name_space = "deep", .json_schema = "{}", .sync_modes = FIRTH_INCREMENTAL},
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        if (firth_catalog_add(catalog, &streams[i], err) < 0)
            return -1;
    }
    return 0;
}

static int test_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                     void **ret_self, struct firth_error *err)
{
    if (strcmp(((const struct test_config *)config)->act, "closed") == 0)
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the door is closed");
    struct test_source *self = mem_zalloc(sizeof *self);
    self->act = ((const struct test_config *)config)->act;
    self->selection = selection;
    firth_log(host, FIRTH_INFO, "%s \"live\" %d, shared %.*s", firth_task(host), selection->live,
              (int)selection->shared_state.size, selection->shared_state.data);
    for (size_t i = 0; i < selection->count; i++)
        firth_log(host, FIRTH_INFO, "%s in mode %u from %.*s", selection->streams[i].name,
                  selection->streams[i].sync_mode, (int)selection->streams[i].state.size,
                  selection->streams[i].state.data);
    *ret_self = self;
    return 0;
}

/* a and b by turns: no state may become durable without the other's. */
static int read_interleaved(struct firth_host *host)
{
    firth_emit_record(host, 0, text("{\"id\":1}"));
    firth_emit_record(host, 1, text("{\"x\":1}"));
    firth_emit_state(host, 0, text("{\"n\":1}"));
    firth_emit_record(host, 1, text("{\"x\":2}"));
    firth_emit_state(host, 1, text("{\"m\":1}"));
    firth_emit_state(host, 0, text("{\"k\":2}"));
    return 0;
}

static int test_read(void *self_, struct firth_host *host, struct firth_error *err)
{
    struct test_source *self = self_;
    self->turn++;
    if (self->selection->count == 0)
        return 0;
    if (strcmp(self->act, "fail") == 0) {
        firth_emit_record(host, 0, text("{\"id\":1}"));
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the line broke");
    }
    if (strcmp(self->act, "interleaved") == 0)
        return read_interleaved(host);
    if (strcmp(self->act, "null") == 0)
        return firth_emit_state(host, 0, text("{\"cursor\":\nnull}"));
    if (strcmp(self->act, "global") == 0) {
        struct firth_slice states[2] = {text("{\"n\":1}"), {0}};
        firth_emit_record(host, 1, text("{\"x\":1}"));
        return firth_emit_global_state(host, text("{\"lsn\":7}"), states);
    }
    if (strcmp(self->act, "typed") == 0) {
        firth_record_begin(host, 0);
        firth_put_integer(host, "id", 1);
        firth_log(host, FIRTH_WARN, "in the middle of a record");
        firth_put_json(host, "raw", text("{\"x\":\n[1.10]}"));
        return firth_record_end(host);
    }
    if (strcmp(self->act, "endless") == 0) { /* a state with every hundredth record */
        for (int i = 0; i < 100; i++) {
            if (firth_emit_record(host, 0, text("{\"id\":1}")) < 0)
                return -1;
        }
        char state[32];
        snprintf(state, sizeof state, "{\"n\":%d}", self->turn * 100);
        return firth_emit_state(host, 0, text(state)) < 0 ? -1 : 1;
    }
    if (strcmp(self->act, "stateless") == 0)
        return firth_emit_record(host, 0, text("{\"id\":1}")) < 0 ? -1 : 1;
    if (firth_emit_record(host, 0, text("{\"id\":1,\n\"v\":12345678901234567890.10}")) < 0 ||
        firth_emit_state(host, 0, text("{\"n\":1}")) < 0 ||
        firth_emit_record(host, 0, text("{\"id\":2}")) < 0 ||
        firth_emit_state(host, 0, text("{\"n\":2,\"last\":{\"a\":true}}")) < 0)
        return -1;
    return self->selection->count > 1 ? firth_emit_record(host, 1, text("{\"x\":1}")) : 0;
}

static int test_acknowledged(void *self, struct firth_host *host, uint64_t states, struct firth_error *err)
{
    (void)self;
    if (states == 13)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "thirteen");
    firth_log(host, FIRTH_INFO, "acknowledged %llu", (unsigned long long)states);
    return 0;
}

static void test_close(void *self)
{
    free(self);
}

static const struct firth_connector_class plain_class = {
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
static const struct firth_connector_class confirming_class = {
    .name = "source-test",
    .title = "Test",
    .config_size = sizeof(struct test_config),
    .options = test_options,
    .source = {.check = test_check,
               .discover = test_discover,
               .open = test_open,
               .read = test_read,
               .acknowledged = test_acknowledged,
               .close = test_close},
};

/* --- requests --------------------------------------------------------------------------------------- */

#define COLLECTION "\"collection\":{\"name\":\"x/y\",\"writeSchema\":{},\"key\":[\"/id\"]}"
#define A                                                                   \
    "{\"resourceConfig\":{\"stream\":\"a\",\"namespace\":\"\"}," COLLECTION \
    ",\"resourcePath\":[\"a\"],\"stateKey\":\"a.v1\"}"
#define A_FULL                                                                                            \
    "{\"resourceConfig\":{\"stream\":\"a\",\"namespace\":\"\",\"syncMode\":\"full_refresh\"}," COLLECTION \
    ",\"resourcePath\":[\"a\"]}"
#define B                                                  \
    "{\"resourceConfig\":{\"stream\":\"b c\"}," COLLECTION \
    ",\"resourcePath\":[\"deep\",\"b c\"],\"backfill\":3," \
    "\"stateKey\":\"\"}"
#define VALIDATE(resource)                                                                      \
    "{\"validate\":{\"name\":\"x/z\",\"config\":{},\"bindings\":[{\"resourceConfig\":" resource \
    "," COLLECTION "}]}}\n"
#define OPEN(config, bindings, state)                                                        \
    "{\"open\":{\"capture\":{\"name\":\"x/z\",\"config\":" config ",\"bindings\":[" bindings \
    "]},\"version\":\"1\",\"range\":{\"keyEnd\":4294967295},\"state\":" state "}}\n"

struct request_case {
    const char *input;
    int exit;
    const char *pieces[8]; /* of the output, in order */
    const char *said;      /* on stderr */
};

static void run_case(const struct firth_connector_class *class_, const struct request_case *one)
{
    struct run run;
    run_start(&run);
    run_class(&run, class_, WORDS(NULL), slice_of(one->input));
    if (!WIFEXITED(run.status) || WEXITSTATUS(run.status) != one->exit)
        fail_msg("%s ended with %x and said %s", one->input, run.status, buffer_cstr(&run.err));
    expect_lines(&run, one->pieces);
    if (one->said && !strstr(buffer_cstr(&run.err), one->said))
        fail_msg("%s said: %s", one->input, buffer_cstr(&run.err));
    run_end(&run);
}

static void test_unary(void **state)
{
    (void)state;
    static const struct request_case cases[] = {
        {"{\"spec\":{\"connectorType\":\"IMAGE\",\"config\":{}}}\n",
         0,
         {"{\"spec\":{\"protocol\":3032023,\"configSchema\":{\"$schema\":"},
         NULL},
        {"{\"spec\":{\"later\":[1]}}\r\n",
         0,
         {"\"secret\":true,\"multiline\":true,\"order\":7}},\"additionalProperties\":true},"
          "\"resourceConfigSchema\":{"},
         NULL},
        {"{\"spec\":{}}", 0, {"\"resourcePathPointers\":[\"/namespace\",\"/stream\"]"}, NULL},
        {"{\"discover\":{\"name\":\"x/y\",\"config\":{}}}\n",
         0,
         {"{\"recommendedName\":\"a\",\"resourceConfig\":{\"stream\":\"a\",\"syncMode\":\"incremental\"},"
          "\"documentSchema\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}},"
          "\"required\":["
          "\"id\"]},\"key\":[\"/id\"],\"resourcePath\":[\"a\"]}"},
         NULL},
        {"{\"discover\":{\"config\":{}}}\n",
         0,
         {"{\"recommendedName\":\"deep/b_c\",\"resourceConfig\":{\"namespace\":\"deep\",\"stream\":\"b c\","
          "\"syncMode\":\"full_refresh\"},"},
         NULL},
        {"{\"discover\":{}}\n",
         0,
         {"\"required\":[]},\"key\":[\"/y\",\"/z~1\"],\"resourcePath\":[\"deep\",\"b "
          "c\"],\"isFallbackKey\":true}"},
         NULL},
        {VALIDATE("{\"stream\":\"b c\"}"),
         0,
         {"{\"validated\":{\"bindings\":[{\"resourcePath\":[\"deep\",\"b c\"]}]}}"},
         NULL},
        {VALIDATE("{\"name\":\"a\",\"namespace\":\"deep\",\"own\":{}}"), 0, {"[\"deep\",\"a\"]"}, NULL},
        {"{\"apply\":{\"capture\":{},\"version\":\"1\"}}\n", 0, {"{\"applied\":{}}"}, NULL},
        {"\n{\"spec\":{}}\n{\"apply\":{\"capture\":{}}}\n", 0, {"{\"spec\":", "{\"applied\":{}}"}, NULL},
        /* What is wrong, and whose mistake it is. */
        {"{\"discover\":{\"config\":{\"act\":1}}}\n",
         3,
         {NULL},
         "source-test: error: act must be a string, got 1"},
        {"{\"discover\":{\"config\":{\"act\":\"no\"}}}\n", 3, {NULL}, "act is no"},
        {VALIDATE("{\"stream\":\"b cc\"}"), 3, {NULL}, "there is no stream 'b cc'; did you mean 'b c'?"},
        {VALIDATE("{\"stream\":\"zzzz\"}"), 3, {NULL}, "there is no stream 'zzzz'; there are 3: a, b c, a"},
        {VALIDATE("{\"stream\":\"b c\",\"namespace\":\"x\"}"), 3, {NULL}, "in the namespace 'x'"},
        {VALIDATE("{\"strem\":\"a\"}"),
         3,
         {NULL},
         "unknown member 'strem' in the resource; did you mean 'stream'?"},
        {VALIDATE("{}"), 3, {NULL}, "the resource must name a stream"},
        {VALIDATE("{\"stream\":\"a\",\"syncMode\":\"x\"}"), 3, {NULL}, "'syncMode' is \"x\""},
        {VALIDATE("{\"stream\":\"b c\",\"syncMode\":\"incremental\"}"),
         3,
         {NULL},
         "cannot be read in the syncMode incremental, only in full_refresh"},
        {VALIDATE("{\"stream\":\"a\",\"cursorField\":7}"), 3, {NULL}, "'cursorField' must be"},
        {VALIDATE("{\"stream\":\"a\",\"primaryKey\":\"id\"}"), 3, {NULL}, "'primaryKey' must be"},
        {"{\"apply\":{}}\n", 1, {NULL}, "'apply' has no 'capture'"},
        {"{\"open\":{}}\n", 1, {NULL}, "'open' has no 'capture'"},
        {"{\"acknowledge\":{\"checkpoints\":1}}\n",
         1,
         {NULL},
         "line 1 of the input: 'acknowledge' came before 'open'"},
        {"{\"spec\":{}}\n{\"nonsense\":{}}\n", 1, {"{\"spec\""}, "line 2 of the input: "},
        {"{\"spec\":7}\n", 1, {NULL}, "line 1 of the input: "},
        {"[]\n", 1, {NULL}, "line 1 of the input: "},
        {"{\"spec\":{}\n", 1, {NULL}, "line 1 of the input is no JSON"},
        {"", 2, {NULL}, "no verb was given, and no request came"},
        {"\n\n", 2, {NULL}, "no request came"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&plain_class, &cases[i]);
}

static void test_codec(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    run_class(&run, &plain_class, WORDS(NULL), (struct slice){"\x08\0\0\0\x0a\x06\x08\x07\x12\x02{}\n", 13});
    expect_exit(&run, 3);
    assert_non_null(strstr(buffer_cstr(&run.err), "looks like protobuf"));
    setenv("FLOW_RUNTIME_CODEC", "proto", 1);
    run_class(&run, &plain_class, WORDS(NULL), slice_of("{\"spec\":{}}\n"));
    expect_exit(&run, 3);
    assert_non_null(strstr(buffer_cstr(&run.err), "FLOW_RUNTIME_CODEC is proto"));
    setenv("FLOW_RUNTIME_CODEC", "json", 1);
    setenv("LOG_FORMAT", "json", 1);
    run_class(&run, &plain_class, WORDS(NULL), slice_of("{\"discover\":{\"config\":{\"act\":\"no\"}}}\n"));
    expect_exit(&run, 3);
    assert_non_null(strstr(buffer_cstr(&run.err), "{\"level\":\"error\",\"msg\":\"act is no\",\"ts\":\"2"));
    unsetenv("FLOW_RUNTIME_CODEC");
    unsetenv("LOG_FORMAT");
    run_end(&run);
}

/* --- sessions ----------------------------------------------------------------------------------------- */

#define SCHEMAS "{\"checkpoint\":{\"state\":{\"updated\":{},\"mergePatch\":true}}}"

static void test_sessions(void **state)
{
    (void)state;
    static const struct request_case cases[] = {
        {OPEN("{}", A "," B, "{}"),
         0,
         {"{\"opened\":{}}", "{\"sourcedSchema\":{\"documentSchema\":{", "{\"sourcedSchema\":{\"binding\":1,",
          SCHEMAS, "{\"captured\":{\"doc\":{\"id\":1, \"v\":12345678901234567890.10}}}",
          "{\"checkpoint\":{\"state\":{\"updated\":{\"bindingStateV1\":{\"a.v1\":{\"n\":1}}},",
          "{\"captured\":{\"doc\":{\"id\":2}}}", NULL},
         "x/z \"live\" 1, shared "},
        {OPEN("{}", A "," B, "{}"),
         0,
         {"{\"a.v1\":{\"n\":2,\"last\":{\"a\":true}}}", "{\"captured\":{\"binding\":1,\"doc\":{\"x\":1}}}",
          "{\"checkpoint\":{\"state\":{\"updated\":{},\"mergePatch\":true}}}"},
         "b c in mode 1 from "},
        /* Where it goes on; only what changes is said. */
        {OPEN("{}", A, "{\"bindingStateV1\":{\"a.v1\":{\"n\":1,\"old\":7},\"a\":{\"n\":5}},\"x\":1}"),
         0,
         {SCHEMAS, "{\"a.v1\":{\"old\":null}}", "{\"a.v1\":{\"n\":2,\"last\":{\"a\":true}}}"},
         "a in mode 2 from {\"n\":1,\"old\":7}"},
        {OPEN("{}", A, "{\"bindingStateV1\":{\"a.v1\":[{\"n\":null}]}}"),
         0,
         {SCHEMAS},
         "a in mode 2 from {\"n\":null}"},
        {OPEN("{}", A, "{\"bindingStateV1\":{\"a.v1\":{\"n\":1,\"n\":2}}}"),
         0,
         {"{\"a.v1\":{\"n\":1}}"},
         "a in mode 2 from {\"n\":1,\"n\":2}"},
        {OPEN("{}", A, "{\"bindingStateV1\":{\"a.v1\":null}}"), 0, {SCHEMAS}, "a in mode 2 from \n"},
        {OPEN("{}", A, "null"), 0, {SCHEMAS}, "a in mode 2 from \n"},
        /* An interrupted full refresh goes on; one that came to its end is forgotten. */
        {OPEN("{}", A_FULL, "{\"bindingStateV1\":{\"a\":{\"n\":1}}}"),
         0,
         {"{\"updated\":{\"bindingStateV1\":{\"a\":{}}}",
          "{\"a\":{\"n\":2,\"last\":", "{\"bindingStateV1\":{\"a\":null}}"},
         "a in mode 1 from {\"n\":1}"},
        /* States of a stream that has none to keep. */
        {OPEN("{\"act\":\"interleaved\"}", A "," B, "{\"bindingStateV1\":{\"deep%2Fb%20c.v3\":{\"m\":0}}}"),
         0,
         {SCHEMAS, "{\"captured\":{\"doc\":{\"id\":1}}}", "\"x\":1}}}", "\"x\":2}}}",
          "{\"updated\":{\"bindingStateV1\":{\"a.v1\":{\"n\":1}}}", "{\"a.v1\":{\"n\":null,\"k\":2}}",
          "{\"bindingStateV1\":{\"deep%2Fb%20c.v3\":null}}"},
         "b c in mode 1 from \n"},
        {OPEN("{\"act\":\"null\"}", A, "{\"bindingStateV1\":{\"a.v1\":{\"n\":1}}}"),
         0,
         {"{\"a.v1\":[{\"cursor\": null}]}"},
         NULL},
        {OPEN("{\"act\":\"global\"}", A "," B,
              "{\"sharedStateV1\":{\"lsn\":6},\"bindingStateV1\":{\"a.v1\":{\"n\":1}}}"),
         0,
         {"{\"updated\":{\"bindingStateV1\":{\"a.v1\":{}},\"sharedStateV1\":{\"lsn\":7}},\"mergePatch\":"
          "true}"},
         "shared {\"lsn\":6}"},
        {OPEN("{\"act\":\"typed\"}", A, "{}"),
         0,
         {"{\"captured\":{\"doc\":{\"id\":1,\"raw\":{\"x\": [1.10]}}}}", SCHEMAS},
         "warn: in the middle"},
        {OPEN("{\"act\":\"fail\"}", A, "{}"), 1, {SCHEMAS}, "the line broke"},
        {OPEN("{\"act\":\"closed\"}", A, "{}"), 1, {NULL}, "the door is closed"},
        {OPEN("{}", A "," A, "{}"), 3, {NULL}, "two bindings are of the stream 'a'"},
        {OPEN("{}", "", "{}"), 0, {"{\"opened\":{}}"}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&plain_class, &cases[i]);
}

/* --- acknowledgements --------------------------------------------------------------------------------- */

struct talk {
    pid_t child;
    int in, out;
    FILE *lines;
    char *line;
    size_t capacity;
    struct run run;
};

static void talk_start(struct talk *talk, const struct firth_connector_class *class_, const char *request)
{
    int in[2], out[2];
    char *argv[] = {(char *)"connector", NULL};
    *talk = (struct talk){0};
    run_start(&talk->run);
    auto_free char *path = mem_printf("%s/err", talk->run.folder);
    int said = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(pipe(in) | pipe(out), 0);
    talk->child = spawn_with(class_, argv, in[0], out[1], said);
    close(said);
    close(in[0]);
    close(out[1]);
    talk->in = in[1];
    talk->out = out[0];
    talk->lines = fdopen(out[0], "r");
    assert_int_equal(write(talk->in, request, strlen(request)), (int)strlen(request));
}

/* The next line that has the piece in it. */
static void expect_piece(struct talk *talk, const char *piece)
{
    do
        assert_true(getline(&talk->line, &talk->capacity, talk->lines) > 0);
    while (!strstr(talk->line, piece));
}

static void say(struct talk *talk, const char *request)
{
    assert_int_equal(write(talk->in, request, strlen(request)), (int)strlen(request));
}

/* What is left of its output, its end, and what it has logged. */
static const char *talk_end(struct talk *talk, int *ret_status)
{
    struct error err;
    while (getline(&talk->line, &talk->capacity, talk->lines) > 0)
        ;
    assert_int_equal(waitpid(talk->child, ret_status, 0), talk->child);
    auto_free char *path = mem_printf("%s/err", talk->run.folder);
    assert_int_equal(file_read(path, 1 << 20, &talk->run.err, &err), 0);
    return buffer_cstr(&talk->run.err);
}

static void talk_done(struct talk *talk)
{
    fclose(talk->lines);
    close(talk->in);
    free(talk->line);
    run_end(&talk->run);
}

static void test_acknowledgements(void **state)
{
    (void)state;
    static const struct {
        const char *requests;
        int exit;
        const char *said, *unsaid;
    } cases[] = {
        {"{\"acknowledge\":{\"checkpoints\":1}}\n{\"acknowledge\":{\"checkpoints\":2}}\n", 0,
         "acknowledged 2", "acknowledged 1"},
        {"{\"acknowledge\":{\"checkpoints\":2,\"later\":1}}\n{\"acknowledge\":{\"checkpoints\":1}}\n", 0,
         "acknowledged 1", NULL},
        {"{\"acknowledge\":{\"checkpoints\":4}}\n", 1,
         "'acknowledge' of 4 checkpoints, but 3 are not acknowledged", "acknowledged 2"},
        {"{\"acknowledge\":{}}\n", 1, "'acknowledge' of 0 checkpoints", NULL},
        {"{\"spec\":{}}\n", 1, "'spec' has no place in a session", NULL},
        {"nonsense\n", 1, "line 2 of the input is no JSON", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk talk;
        int status;
        talk_start(&talk, &confirming_class, OPEN("{}", A, "{}"));
        expect_piece(&talk, "{\"opened\":{\"explicitAcknowledgements\":true}}");
        expect_piece(&talk,
                     "\"last\""); /* its last checkpoint; it does not end before that is acknowledged */
        assert_int_equal(waitpid(talk.child, &status, WNOHANG), 0);
        say(&talk, cases[i].requests);
        const char *said = talk_end(&talk, &status);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), cases[i].exit);
        if (!strstr(said, cases[i].said) || (cases[i].unsaid && strstr(said, cases[i].unsaid)))
            fail_msg("%s said %s", cases[i].requests, said);
        talk_done(&talk);
    }
}

/* Nobody will acknowledge any more: it ends. */
static void test_input_closed(void **state)
{
    (void)state;
    struct run run;
    run_start(&run);
    run_class(&run, &confirming_class, WORDS(NULL), slice_of(OPEN("{}", A, "{}")));
    expect_exit(&run, 0);
    assert_null(strstr(buffer_cstr(&run.err), "acknowledged"));
    run_end(&run);
}

/* A source that streams hears of them while it goes on. */
static void test_acknowledged_while_reading(void **state)
{
    (void)state;
    struct talk talk;
    int status;
    talk_start(&talk, &confirming_class, OPEN("{\"act\":\"endless\"}", A, "{}"));
    expect_piece(&talk, "{\"n\":1300}");
    say(&talk, "{\"acknowledge\":{\"checkpoints\":14}}\n");
    const char *said = talk_end(&talk, &status);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said, "thirteen"));
    talk_done(&talk);
}

/* --- signals ------------------------------------------------------------------------------------------ */

static void test_stopped_at_a_checkpoint(void **state)
{
    (void)state;
    struct talk talk;
    int status, in_group = 0;
    talk_start(&talk, &plain_class, OPEN("{\"act\":\"endless\"}", A, "{}"));
    expect_piece(&talk, "{\"n\":100}");
    kill(talk.child, SIGTERM);
    while (getline(&talk.line, &talk.capacity, talk.lines) > 0)
        in_group = strstr(talk.line, "\"checkpoint\"") ? 0 : in_group + 1;
    assert_int_equal(in_group, 0);
    assert_int_equal(waitpid(talk.child, &status, 0), talk.child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    talk_done(&talk);
}

/* Where no checkpoint comes it does not wait for one for ever, and says by its end that there was none. */
static void test_stopped_without_a_checkpoint(void **state)
{
    (void)state;
    struct talk talk;
    int status;
    talk_start(&talk, &plain_class, OPEN("{\"act\":\"stateless\"}", A, "{}"));
    expect_piece(&talk, "\"captured\"");
    kill(talk.child, SIGTERM);
    talk_end(&talk, &status);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    talk_done(&talk);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unary),
        cmocka_unit_test(test_codec),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_acknowledgements),
        cmocka_unit_test(test_input_closed),
        cmocka_unit_test(test_acknowledged_while_reading),
        cmocka_unit_test(test_stopped_at_a_checkpoint),
        cmocka_unit_test(test_stopped_without_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
