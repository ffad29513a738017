/* The process `firth ask`, and the messages between it and the daemon: one JSON object each way, and before
 * the answer what the connector makes of its config, a line each, at once: what is asked may hang or be
 * killed afterwards, and what was exchanged for it works no more. What it logged comes with the answer, in a
 * line of its own, since it may show what only then is known to be secret. */
#include "base/file.h"
#include "connector/marks.h"
#include "server/ask.h"
#include "server/ask_collection.h"
#include "supervisor/changed_config.h"
#include "supervisor/webhook.h"
#include "json/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { REQUEST_MAX = 64 << 20, READ_CHUNK = 64 << 10, WORDS_MAX = 256 };

/* --- the request -------------------------------------------------------------------------------------- */

static void put_words(struct json_writer *writer, const char *name, const char *const *words)
{
    if (!words)
        return;
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; words[i]; i++)
        json_put_string(writer, words[i]);
    json_end_array(writer);
}

void ask_init(struct ask *ask, enum ask_verb verb, const struct connector_spec *program, struct slice config,
              struct slice spec)
{
    struct json_writer writer;
    *ask = (struct ask){.times = verb == ASK_DISCOVER ? ASK_DISCOVER_TIMES : 1, .client = -1};
    buffer_init(&ask->request, REQUEST_MAX);
    buffer_init(&ask->answer, ASK_ANSWER_MAX);
    json_writer_init(&writer, &ask->request);
    json_begin_object(&writer);
    json_member_string(&writer, "verb", ask_verb_name(verb));
    if (program->built_in)
        json_member_string(&writer, "builtIn", program->built_in);
    if (program->image)
        json_member_string(&writer, "image", program->image);
    put_words(&writer, "command", program->command);
    if (config.size)
        json_member_raw(&writer, "config", config);
    if (spec.size)
        json_member_raw(&writer, "spec", spec);
    json_end_object(&writer);
}

void ask_init_command(struct ask *ask, const char *const *words, struct slice input)
{
    struct json_writer writer;
    *ask = (struct ask){.times = 1, .client = -1, .own = true, .what = "firth", .may_be_empty = true};
    buffer_init(&ask->request, REQUEST_MAX);
    buffer_init(&ask->answer, ASK_ANSWER_MAX);
    json_writer_init(&writer, &ask->request);
    json_begin_object(&writer);
    put_words(&writer, "run", words);
    if (input.size)
        json_member_slice(&writer, "input", input);
    json_end_object(&writer);
}

void ask_init_collection(struct ask *ask, struct slice snapshot, const char *name, const char *data_dir)
{
    struct json_writer writer;
    *ask = (struct ask){.times = 1, .client = -1, .own = true, .what = "firth"};
    buffer_init(&ask->request, REQUEST_MAX);
    buffer_init(&ask->answer, ASK_ANSWER_MAX);
    json_writer_init(&writer, &ask->request);
    json_begin_object(&writer);
    json_member_string(&writer, "collection", name);
    json_member_string(&writer, "dataDir", data_dir);
    json_member_slice(&writer, "snapshot", snapshot);
    json_end_object(&writer);
}

void ask_init_webhook(struct ask *ask, const char *url, struct slice body)
{
    struct json_writer writer;
    *ask = (struct ask){.times = 1, .client = -1, .what = "the webhook"};
    buffer_init(&ask->request, REQUEST_MAX);
    buffer_init(&ask->answer, ASK_ANSWER_MAX);
    json_writer_init(&writer, &ask->request);
    json_begin_object(&writer);
    json_member_string(&writer, "webhook", url);
    json_member_slice(&writer, "body", body);
    json_end_object(&writer);
}

void ask_done(struct ask *ask)
{
    if (ask->request.data)
        explicit_bzero(ask->request.data, ask->request.capacity);
    if (ask->answer.data)
        explicit_bzero(ask->answer.data, ask->answer.size); /* a changed config is secret too */
    buffer_done(&ask->request);
    buffer_done(&ask->answer);
}

/* --- the answer --------------------------------------------------------------------------------------- */

static int broken(struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, "the process that asked the connector answered what is no answer");
}

static const char config_begin[] = "{\"config\":", logs_begin[] = "{\"logs\":";

static bool is_told_before(struct slice line)
{
    return slice_starts_with(line, config_begin) || slice_starts_with(line, logs_begin);
}

/* The next line of what is told before the answer, which begins where `*at` stops. */
static bool next_told(const struct ask *ask, size_t *at, struct slice *ret_line)
{
    struct slice rest = {ask->answer.data + *at, ask->answer.size - *at};
    const char *end = rest.size ? memchr(rest.data, '\n', rest.size) : NULL;
    if (!end || !is_told_before(rest))
        return false;
    *ret_line = (struct slice){rest.data, (size_t)(end - rest.data)};
    *at += ret_line->size + 1;
    return true;
}

static struct slice answer_of(const struct ask *ask)
{
    struct slice line;
    size_t at = 0;
    while (next_told(ask, &at, &line))
        continue;
    return (struct slice){ask->answer.data + at, ask->answer.size - at};
}

bool ask_answered(const struct ask *ask)
{
    struct slice answer = answer_of(ask);
    return answer.size && !is_told_before(answer);
}

int ask_read_config(const struct ask *ask, struct arena *arena, struct slice *ret_config, struct error *err)
{
    struct slice line;
    size_t at = 0;
    *ret_config = (struct slice){0};
    while (next_told(ask, &at, &line)) {
        struct json doc;
        if (slice_starts_with(line, logs_begin))
            continue;
        if (json_parse_copy(arena, line.data, line.size, &doc, err) < 0 ||
            changed_config_merge(ret_config->size ? *ret_config : SLICE_LITERAL("{}"),
                                 json_raw(&doc, json_get(&doc, 0, "config")), arena, ret_config, err) < 0)
            return -1;
    }
    return 0;
}

struct slice ask_read_logs(const struct ask *ask, struct arena *arena)
{
    struct slice line;
    size_t at = 0;
    while (next_told(ask, &at, &line)) {
        struct json doc;
        struct error unused;
        if (slice_starts_with(line, logs_begin) &&
            json_parse_copy(arena, line.data, line.size, &doc, &unused) == 0)
            return json_raw(&doc, json_get(&doc, 0, "logs"));
    }
    return SLICE_LITERAL("[]");
}

int ask_read(const struct ask *ask, struct arena *arena, struct json *ret_payload, struct error *err)
{
    struct json line;
    if (ask->failed) {
        *err = ask->error;
        return -1;
    }
    const struct slice answer = answer_of(ask);
    if (json_parse_copy(arena, answer.data, answer.size, &line, err) < 0)
        return broken(err);
    if (json_is(&line, json_get(&line, 0, "ok"), JSON_TRUE)) {
        struct slice payload = {0};
        uint32_t at = json_get(&line, 0, "payload");
        if (at != JSON_NONE)
            payload = json_raw(&line, at);
        *ret_payload = (struct json){0};
        return payload.size ? json_parse_copy(arena, payload.data, payload.size, ret_payload, err) : 0;
    }
    const char *code = json_cstring(&line, json_get(&line, 0, "code"), arena);
    const char *message = json_cstring(&line, json_get(&line, 0, "message"), arena);
    if (!code || !message)
        return broken(err);
    return error_set(err, error_code_parse(code), "%s", message);
}

/* What the connector logged. The oldest lines are what one can do without. */
struct told_logs {
    char *lines[ASK_LOGS_MAX]; /* a ring; NULL: not filled yet */
    size_t next;
};

static void write_logs(struct buffer *out, const struct told_logs *logs)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "logs");
    json_begin_array(&writer);
    for (size_t i = 0; i < ASK_LOGS_MAX; i++) {
        const char *line = logs->lines[(logs->next + i) % ASK_LOGS_MAX];
        if (line)
            json_put_string(&writer, line);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

static void write_answer(struct buffer *out, const struct json *payload, const struct error *error)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", !error);
    if (payload && payload->count)
        json_member_raw(&writer, "payload", json_raw(payload, 0));
    if (error) {
        json_member_string(&writer, "code", error_code_name(error->code));
        json_member_string(&writer, "message", error->message);
    }
    json_end_object(&writer);
}

/* --- the process -------------------------------------------------------------------------------------- */

static int read_all(int fd, struct buffer *out, struct error *err)
{
    for (;;) {
        if (!buffer_reserve(out, READ_CHUNK))
            return error_set(err, ERROR_LIMIT, "the request is too long");
        ssize_t got = read(fd, out->data + out->size, READ_CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read the request");
        if (got == 0)
            return 0;
        out->size += (size_t)got;
    }
}

static const char *const *words_of(const struct json *request, const char *name, struct arena *arena)
{
    uint32_t list = json_get(request, 0, name);
    if (!json_is(request, list, JSON_ARRAY) || json_count(request, list) > WORDS_MAX)
        return NULL;
    const char **words = arena_zalloc(arena, (json_count(request, list) + 1) * sizeof *words);
    size_t count = 0;
    for (uint32_t at = json_first(request, list); at != JSON_NONE; at = json_next(request, list, at))
        words[count++] = json_cstring(request, at, arena);
    return words;
}

static struct slice raw_of(const struct json *request, const char *name)
{
    uint32_t at = json_get(request, 0, name);
    return at == JSON_NONE ? (struct slice){0} : json_raw(request, at);
}

/* Of one question: where its connector's config and its log go. */
struct told {
    int answer_fd;
    struct connector_secrets *secrets;
    struct slice spec; /* its JSON Schema */
    struct told_logs *logs;
};

static int tell_config(void *context, struct slice config, struct error *err)
{
    const struct told *told = context;
    struct buffer pointers, line;
    struct json_writer writer;
    buffer_init(&pointers, BUFFER_UNLIMITED);
    connector_marks_find(told->spec, config, &pointers);
    connector_secrets_add_marked(told->secrets, config, (struct slice){pointers.data, pointers.size});
    buffer_done(&pointers);
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_raw(&writer, "config", config);
    json_end_object(&writer);
    buffer_byte(&line, '\n');
    int result = file_write_all(told->answer_fd, line.data, line.size, "the changed config", err);
    explicit_bzero(line.data, line.size);
    buffer_done(&line);
    return result;
}

static void tell_log(void *context, enum log_level level, struct slice line)
{
    const struct told *told = context;
    char **slot = &told->logs->lines[told->logs->next];
    size_t cut = utf8_cut(line.data, line.size, ASK_LOG_LINE_MAX);
    free(*slot);
    *slot = mem_printf("%s: %.*s%s", log_level_name(level), (int)cut, line.data, cut < line.size ? "…" : "");
    told->logs->next = (told->logs->next + 1) % ASK_LOGS_MAX;
}

/* What it logged may be older than what is known to be secret by now. */
static void mask_logs(struct told_logs *logs, struct connector_secrets *secrets)
{
    for (size_t i = 0; i < ASK_LOGS_MAX; i++) {
        struct buffer masked;
        if (!logs->lines[i])
            continue;
        buffer_init(&masked, BUFFER_UNLIMITED);
        connector_secrets_mask(secrets, slice_of(logs->lines[i]), true, &masked);
        free(logs->lines[i]);
        logs->lines[i] = mem_strdup(buffer_cstr(&masked));
        buffer_done(&masked);
    }
}

static int ask_connector(const struct connector_catalog *built_ins, const struct json *request, int answer_fd,
                         struct arena *arena, struct told_logs *logs, struct json *ret_payload,
                         struct error *err)
{
    struct connector_program program;
    const struct connector_spec wanted = {
        .image = json_cstring(request, json_get(request, 0, "image"), arena),
        .built_in = json_cstring(request, json_get(request, 0, "builtIn"), arena),
        .command = words_of(request, "command", arena),
        .protocol = CONNECTOR_AIRBYTE,
    };
    if (connector_resolve(built_ins, &wanted, arena, &program, err) < 0)
        return -1;
    if (program.protocol != CONNECTOR_AIRBYTE)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s speaks Flow's protocol: it can be part of a catalog, not of a "
                         "connection",
                         program.label);
    uint32_t verb = json_get(request, 0, "verb");
    struct slice config = raw_of(request, "config"), spec = raw_of(request, "spec");
    if (json_string_is(request, verb, "spec"))
        return connector_airbyte_spec(&program, NULL, arena, ret_payload, err);
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        connector_secrets_of(config, program.env, spec);
    struct told told = {answer_fd, secrets, spec, logs};
    const struct connector_listener listener = {tell_config, &told, tell_log};
    int result =
        json_string_is(request, verb, "check")
            ? connector_airbyte_check(&program, config, secrets, &listener, NULL, err)
            : connector_airbyte_discover(&program, config, secrets, &listener, NULL, arena, ret_payload, err);
    mask_logs(logs, secrets);
    return result;
}

static int try_webhook(const struct json *request, uint32_t url, struct arena *arena, struct error *err)
{
    struct curl_api curl;
    char why[256];
    if (curl_api_load(&curl, err) < 0)
        return -1;
    return webhook_post(&curl, json_cstring(request, url, arena),
                        json_cstring(request, json_get(request, 0, "body"), arena), NULL, why, sizeof why)
               ? 0
               : error_set(err, ERROR_IO, "the webhook was not reached: %s", why);
}

/* What the command is to read, whole before it begins: in memory, for it may be secret. */
static int set_input(struct slice text, struct error *err)
{
    auto_close int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot keep what the command is to read");
    if (file_write_all(fd, text.data, text.size, "what the command is to read", err) < 0)
        return -1;
    return lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0
               ? error_errno(err, errno, "cannot pass on what the command is to read")
               : 0;
}

/* It becomes this process. */
static int run_command(const char *const *words, struct slice input, int answer_fd, struct error *err)
{
    if (input.size && set_input(input, err) < 0)
        return -1;
    if (dup2(answer_fd, STDOUT_FILENO) < 0 || dup2(answer_fd, STDERR_FILENO) < 0)
        return error_errno(err, errno, "cannot pass the answer on");
    execv(words[0], (char *const *)words);
    return error_errno(err, errno, "cannot run %s", words[0]);
}

static int answer_one(const struct connector_catalog *built_ins, const struct json *request, int answer_fd,
                      struct arena *arena, struct told_logs *logs, struct json *ret_payload,
                      struct error *err)
{
    uint32_t url = json_get(request, 0, "webhook"), collection = json_get(request, 0, "collection");
    if (json_is(request, collection, JSON_STRING))
        return ask_collection(json_string(request, json_get(request, 0, "snapshot"), arena),
                              json_cstring(request, collection, arena),
                              json_cstring(request, json_get(request, 0, "dataDir"), arena), arena,
                              ret_payload, err);
    return json_is(request, url, JSON_STRING)
               ? try_webhook(request, url, arena, err)
               : ask_connector(built_ins, request, answer_fd, arena, logs, ret_payload, err);
}

int ask_main(const struct connector_catalog *built_ins, int request_fd, int answer_fd, struct error *err)
{
    struct buffer text, answer;
    struct arena arena;
    struct json request, payload = {0};
    struct error failure;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* an answer that nobody waits for */
    buffer_init(&text, REQUEST_MAX);
    buffer_init(&answer, ASK_ANSWER_MAX);
    arena_init(&arena);
    int result = read_all(request_fd, &text, err);
    if (result == 0)
        result = json_parse_copy(&arena, text.data, text.size, &request, err);
    const char *const *words = result == 0 ? words_of(&request, "run", &arena) : NULL;
    if (words && words[0]) {
        uint32_t input = json_get(&request, 0, "input");
        result = run_command(words,
                             json_is(&request, input, JSON_STRING) ? json_string(&request, input, &arena)
                                                                   : (struct slice){0},
                             answer_fd, err);
    } else if (result == 0) {
        struct told_logs logs = {0};
        bool right = answer_one(built_ins, &request, answer_fd, &arena, &logs, &payload, &failure) == 0;
        write_logs(&answer, &logs);
        write_answer(&answer, right ? &payload : NULL, right ? NULL : &failure);
        result = file_write_all(answer_fd, answer.data, answer.size, "the answer", err);
        for (size_t i = 0; i < ASK_LOGS_MAX; i++)
            free(logs.lines[i]);
    }
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    buffer_done(&answer);
    arena_done(&arena);
    return result;
}
