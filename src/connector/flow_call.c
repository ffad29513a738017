#include "connector/flow_call.h"

#include "connector/process.h"
#include "protocol/flow.h"

#include <signal.h>

enum {
    SILENCE_MAX_MS = 10 * 60 * 1000,
    SHOWN_MAX = 120, /* bytes of a line in an error */
};

struct connector_flow_call {
    struct connector_process *process;
    char *verb, *answer_name;
    connector_flow_config *on_config;
    void *config_context;
    connector_on_log *on_log;
    void *context;
    struct buffer answer; /* the response's line */
    struct json_parser *parser;
    uint64_t lines;
    bool answered;
    /* A line that is no JSON, until it is known whether a connector that died tore it. */
    bool torn;
    struct error torn_error;
};

/* --- errors that the sessions share ---------------------------------------------------------------- */

/* The last line that it logged, or NULL. */
static const char *last_log(const struct connector_process *process)
{
    const struct connector_logs *logs = &process->logs;
    return logs->last[(logs->next + CONNECTOR_LOGS_KEPT - 1) % CONNECTOR_LOGS_KEPT];
}

/* Is it a person's sentence, and not the end of a trace, which is indented or names a place in a program? */
static bool tells_something(const char *line)
{
    return line && *line != ' ' && *line != '\t' && !string_starts_with(line, "main.main(") &&
           !string_starts_with(line, "goroutine ");
}

int connector_flow_result(const struct connector_process *process, const char *due, struct error *err)
{
    struct error exit;
    /* One that is done need not have read what came too late for it: an acknowledgement. */
    if (process->exit_code == CLD_EXITED && process->exit_status == 0 && !process->overstayed)
        return 0;
    if (connector_result_where(process, due, &exit) == 0)
        return 0;
    const char *said = last_log(process);
    if (process->exit_code != CLD_EXITED || process->exit_status <= 0 || process->stop_expired ||
        !tells_something(said)) {
        *err = exit;
        return -1;
    }
    error_set(err, exit.code, "%s: %s (it exited with status %d%s%s%s)", process->label, said,
              process->exit_status, due ? ", where " : "", due ? due : "", due ? " was due" : "");
    err->retriable = exit.retriable;
    return -1;
}

/* A frame of protobuf begins with its length in four bytes, the last of which is 0 for all but giants. */
static bool looks_like_protobuf(struct slice line)
{
    return line.size > 0 && memchr(line.data, 0, line.size < 64 ? line.size : 64);
}

int connector_flow_no_json(const struct connector_process *process, struct slice line, uint64_t number,
                           const struct error *why, struct error *err)
{
    if (looks_like_protobuf(line)) {
        error_set(err, ERROR_UNSUPPORTED,
                  "%s does not answer in JSON, and what it writes looks like protobuf: it has to know the "
                  "JSON codec, which the variable FLOW_RUNTIME_CODEC=json asks for",
                  process->label);
        return -1;
    }
    struct buffer shown;
    buffer_init(&shown, (size_t)16 * SHOWN_MAX);
    bool cut = line.size > SHOWN_MAX;
    connector_mask_cut(process, line, SHOWN_MAX, &shown);
    auto_free char *text = mem_strndup(buffer_cstr(&shown), shown.size);
    buffer_done(&shown);
    string_one_line(text);
    error_set(err, why->code == ERROR_LIMIT ? ERROR_LIMIT : ERROR_PROTOCOL,
              "%s wrote a line that is not valid JSON, line %llu of its output: %s: %s%s", process->label,
              (unsigned long long)number, why->message, text, cut ? "..." : "");
    err->retriable = why->code != ERROR_LIMIT;
    return -1;
}

/* --- a call ---------------------------------------------------------------------------------------- */

struct connector_flow_call *connector_flow_call_start(const struct connector_program *program,
                                                      const struct connector_flow_question *question,
                                                      const struct connector_limits *limits,
                                                      connector_on_log *on_log, void *log_context,
                                                      struct error *err)
{
    struct connector_limits own = limits ? *limits : connector_limits_default;
    const struct connector_files files = {.secrets = question->secrets};
    if (own.stall_ms == 0)
        own.stall_ms = SILENCE_MAX_MS;
    struct connector_process *process =
        connector_start(program, NULL, &files, true, &own, on_log, log_context, err);
    if (!process)
        return NULL;
    struct connector_flow_call *call = mem_zalloc(sizeof *call);
    call->process = process;
    call->verb = mem_strdup(question->verb);
    call->on_config = question->on_config;
    call->config_context = question->config_context;
    call->on_log = on_log;
    call->context = log_context;
    call->answer_name = mem_strdup(question->answer);
    call->parser = json_parser_new(
        (struct json_limits){.size_max = (uint32_t)own.line_max, .depth_max = JSON_LIMITS_DEFAULT.depth_max},
        JSON_DUPLICATES_LAST_WINS);
    buffer_init(&call->answer, own.line_max);
    connector_send(process, question->request);
    connector_finish_input(process);
    return call;
}

void connector_flow_call_free(struct connector_flow_call *call)
{
    if (!call)
        return;
    if (!connector_exited(call->process))
        connector_kill(call->process);
    connector_free(call->process);
    json_parser_free(call->parser);
    buffer_done(&call->answer);
    free(call->verb);
    free(call->answer_name);
    free(call);
}

size_t connector_flow_call_pollfds(struct connector_flow_call *call, struct pollfd fds[4])
{
    return connector_pollfds(call->process, fds);
}

int connector_flow_call_timeout_ms(const struct connector_flow_call *call)
{
    return connector_timeout_ms(call->process);
}

static int take_config(struct connector_flow_call *call, const struct json *line, uint32_t config,
                       struct error *err)
{
    if (call->on_config)
        return call->on_config(call->config_context, line, config, err);
    if (call->on_log)
        call->on_log(call->context, LOG_WARN,
                     SLICE_LITERAL("the config has changed (a token was exchanged), which nobody keeps here: "
                                   "whatever comes next begins with the old one"));
    return 0;
}

static int take_line(struct connector_flow_call *call, struct slice text, struct error *err)
{
    struct json line;
    struct error why;
    call->lines++;
    if (call->torn) { /* it was not the last line */
        *err = call->torn_error;
        return -1;
    }
    if (text.size == 0)
        return 0;
    if (json_parse(call->parser, text.data, text.size, &line, &why) < 0) {
        call->torn = true;
        connector_flow_no_json(call->process, text, call->lines, &why, &call->torn_error);
        return 0;
    }
    uint32_t config = flow_config_changed(&line);
    if (config != JSON_NONE)
        return take_config(call, &line, config, err);
    uint32_t at = json_get(&line, 0, call->answer_name);
    if (at == JSON_NONE || json_is(&line, at, JSON_NULL)) {
        uint32_t key = json_first_key(&line, 0);
        struct slice name = key == JSON_NONE ? SLICE_LITERAL("?") : json_inner(&line, key);
        bool airbyte = json_is(&line, json_get(&line, 0, "type"), JSON_STRING);
        if (at != JSON_NONE && json_count(&line, 0) == 1)
            return error_set(err, ERROR_PROTOCOL,
                             "%s answered '%s' with '%s' that is null: right would be an object",
                             call->process->label, call->verb, call->answer_name);
        return error_set(err, ERROR_PROTOCOL, "%s answered '%s' with '%.*s', where '%s' belongs%s",
                         call->process->label, call->verb, (int)utf8_cut(name.data, name.size, 60), name.data,
                         call->answer_name,
                         airbyte ? "; if it speaks Airbyte's protocol, say 'protocol: airbyte'" : "");
    }
    if (call->answered)
        return error_set(err, ERROR_PROTOCOL, "%s answered '%s' more than once", call->process->label,
                         call->verb);
    buffer_append(&call->answer, text.data, text.size);
    call->answered = true;
    return 0;
}

static int no_answer(const struct connector_flow_call *call, struct error *err)
{
    struct buffer logs;
    buffer_init(&logs, ERROR_MESSAGE_MAX);
    connector_logs_describe(&call->process->logs, &logs);
    error_set(err, ERROR_PROTOCOL, "%s exited without an answer to '%s'%s", call->process->label, call->verb,
              buffer_cstr(&logs));
    buffer_done(&logs);
    return -1;
}

/* Once it has gone. */
static int judge(const struct connector_flow_call *call, struct error *err)
{
    if (connector_flow_result(call->process, NULL, err) < 0)
        return -1;
    if (call->torn) {
        *err = call->torn_error;
        return -1;
    }
    return call->answered ? 1 : no_answer(call, err);
}

int connector_flow_call_service(struct connector_flow_call *call, struct error *err)
{
    struct connector_process *process = call->process;
    struct slice text;
    if (connector_service(process, err) < 0)
        return -1;
    while (connector_next_line(process, &text)) {
        if (take_line(call, text, err) < 0)
            return -1;
    }
    return connector_exited(process) ? judge(call, err) : 0;
}

int connector_flow_call_answer(const struct connector_flow_call *call, struct arena *arena,
                               struct json *ret_line, struct error *err)
{
    const char *copy = arena_dup(arena, call->answer.data, call->answer.size);
    struct json line;
    if (json_parse(call->parser, copy, call->answer.size, &line, err) < 0)
        return error_wrap(err, "%s", call->process->label);
    /* The parser's nodes end with the call; the caller's live as long as its arena. */
    line.nodes = arena_dup(arena, line.nodes, line.count * sizeof *line.nodes);
    *ret_line = line;
    return 0;
}

int connector_flow_ask(const struct connector_program *program,
                       const struct connector_flow_question *question, const struct connector_limits *limits,
                       struct arena *arena, struct json *ret_line, struct error *err)
{
    mem_auto(connector_flow_call_free) struct connector_flow_call *call =
        connector_flow_call_start(program, question, limits, NULL, NULL, err);
    if (!call)
        return -1;
    int done = 0;
    while (done == 0) {
        struct pollfd fds[4];
        size_t count = connector_flow_call_pollfds(call, fds);
        poll(fds, count, connector_flow_call_timeout_ms(call));
        done = connector_flow_call_service(call, err);
    }
    return done < 0 ? -1 : connector_flow_call_answer(call, arena, ret_line, err);
}
