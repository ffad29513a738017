#include "connector/process.h"
#include "protocol/airbyte.h"

/* Airbyte's verbs that answer with one message: spec, check, discover. */

enum {
    SILENCE_MAX_MS = 10 * 60 * 1000,
    NO_MESSAGE_LINES_MAX = 10000, /* lines on stdout that are no messages, before we call it garbage */
    CONFIGS_MAX = 100,            /* changes of its config in one conversation */
};

struct conversation {
    struct connector_process *process;
    struct json_parser *parser;
    struct arena scratch;                      /* of one line */
    const struct connector_listener *listener; /* or NULL */
    enum airbyte_type wanted;
    size_t garbage, configs;

    bool answered;
    uint64_t answered_ms;
    struct buffer answer; /* the payload's raw bytes */
    bool succeeded;       /* check */
    bool failed;          /* an ERROR trace came */
    struct error failure; /* of that trace, or of a check that says FAILED */
};

static const char *type_name(enum airbyte_type type)
{
    return type == AIRBYTE_SPEC ? "SPEC" : type == AIRBYTE_CATALOG ? "CATALOG" : "CONNECTION_STATUS";
}

/* The connector's own words as an error of ours. */
static void set_failure(struct conversation *talk, enum error_code code, const struct json *line,
                        uint32_t text)
{
    struct buffer masked;
    buffer_init(&masked, 16 * ERROR_MESSAGE_MAX);
    if (text != JSON_NONE)
        connector_mask(talk->process, json_string(line, text, &talk->scratch), &masked);
    else
        buffer_str(&masked, "it failed and did not say why");
    error_set(&talk->failure, code, "%s: %s", talk->process->label, buffer_cstr(&masked));
    buffer_done(&masked);
}

static void take_trace(struct conversation *talk, const struct json *line,
                       const struct airbyte_message *message)
{
    if (message->trace.type != AIRBYTE_TRACE_ERROR)
        return;
    bool config = json_string_is(line, message->trace.failure_type, "config_error");
    uint32_t text = message->trace.message;
    set_failure(talk, config ? ERROR_INVALID : ERROR_CONNECTOR, line,
                text != JSON_NONE ? text : message->trace.internal_message);
    talk->failure.retriable = !config;
    talk->failed = true;
}

static void take_answer(struct conversation *talk, const struct json *line,
                        const struct airbyte_message *message)
{
    if (talk->answered)
        return; /* one is enough; a second changes nothing */
    struct slice raw = json_raw(line, message->payload);
    buffer_append(&talk->answer, raw.data, raw.size);
    talk->answered = true;
    talk->answered_ms = connector_now_ms();
    if (message->type == AIRBYTE_CONNECTION_STATUS) {
        talk->succeeded = message->status.succeeded;
        if (!talk->succeeded)
            set_failure(talk, ERROR_INVALID, line, message->status.message);
    }
}

static void take_log(struct conversation *talk, enum log_level level, struct slice text)
{
    const struct connector_listener *listener = talk->listener;
    connector_note_log(talk->process, level, text);
    const struct buffer *shown = &talk->process->logs.scratch; /* as it was noted: masked, printable */
    if (listener && listener->on_log)
        listener->on_log(listener->context, level, (struct slice){shown->data, shown->size});
}

static int take_garbage(struct conversation *talk, struct slice text, struct error *err)
{
    take_log(talk, LOG_INFO, text);
    if (++talk->garbage > NO_MESSAGE_LINES_MAX)
        return error_set(err, ERROR_PROTOCOL, "%s wrote more than %d lines that are no Airbyte messages",
                         talk->process->label, NO_MESSAGE_LINES_MAX);
    return 0;
}

static int take_config(struct conversation *talk, const struct json *line, uint32_t config, struct error *err)
{
    if (config == JSON_NONE || !talk->listener || !talk->listener->on_config)
        return 0;
    struct slice text = json_raw(line, config);
    if (++talk->configs > CONFIGS_MAX)
        return error_set(err, ERROR_PROTOCOL, "%s changed its config more than %d times while it was asked",
                         talk->process->label, CONFIGS_MAX);
    connector_secrets_add(talk->process->secrets, text, NULL);
    return talk->listener->on_config(talk->listener->context, text, err);
}

/* What is wrong with a message may show a value of it. */
static int broken_message(const struct conversation *talk, struct error *err)
{
    struct buffer masked;
    buffer_init(&masked, 16 * ERROR_MESSAGE_MAX);
    connector_mask(talk->process, slice_of(err->message), &masked);
    error_set(err, err->code, "%s: %s", talk->process->label, buffer_cstr(&masked));
    buffer_done(&masked);
    return -1;
}

static int take_line(struct conversation *talk, struct slice text, struct error *err)
{
    struct json line;
    struct error unused;
    struct airbyte_message message;
    arena_clear(&talk->scratch);
    if (json_parse(talk->parser, text.data, text.size, &line, &unused) < 0)
        return take_garbage(talk, text, err);
    if (airbyte_decode(&line, &talk->scratch, &message, err) < 0)
        return broken_message(talk, err);
    if (message.type == AIRBYTE_NOT_A_MESSAGE)
        return take_garbage(talk, text, err);
    if (message.type == AIRBYTE_LOG)
        take_log(talk, (enum log_level)message.log.level,
                 json_string(&line, message.log.message, &talk->scratch));
    else if (message.type == AIRBYTE_TRACE)
        take_trace(talk, &line, &message);
    else if (message.type == AIRBYTE_CONTROL)
        return take_config(talk, &line, message.control.config, err);
    else if (message.type == talk->wanted)
        take_answer(talk, &line, &message);
    return 0;
}

/* After its answer it may take as long to exit as to stop; then it is told to. */
static int wait_ms(const struct conversation *talk)
{
    int timeout = connector_timeout_ms(talk->process);
    if (!talk->answered || talk->process->stopping)
        return timeout;
    uint64_t since = connector_now_ms() - talk->answered_ms, limit = talk->process->limits.stop_ms;
    int left = since < limit ? (int)(limit - since) : 0;
    return timeout >= 0 && timeout < left ? timeout : left;
}

static int converse(struct conversation *talk, struct error *err)
{
    while (!connector_exited(talk->process)) {
        struct pollfd fds[4];
        struct slice line;
        size_t count = connector_pollfds(talk->process, fds);
        poll(fds, count, wait_ms(talk));
        if (connector_service(talk->process, err) < 0)
            return talk->answered ? 0 : -1;
        while (connector_next_line(talk->process, &line))
            if (take_line(talk, line, err) < 0)
                return -1;
        if (talk->answered && connector_now_ms() - talk->answered_ms >= talk->process->limits.stop_ms)
            connector_stop(talk->process);
    }
    return 0;
}

/* Once it has gone: the best explanation of what happened, in this order. */
static int judge(const struct conversation *talk, struct error *err)
{
    const struct connector_process *process = talk->process;
    if (talk->answered && talk->wanted == AIRBYTE_CONNECTION_STATUS && !talk->succeeded) {
        *err = talk->failure;
        return -1;
    }
    if (talk->failed) {
        *err = talk->failure;
        return -1;
    }
    if (talk->answered && (process->stopping || !connector_exited(process)))
        return 0; /* we ended it */
    if (connector_result(process, err) < 0)
        return -1;
    if (talk->answered)
        return 0;
    struct buffer logs;
    buffer_init(&logs, ERROR_MESSAGE_MAX);
    connector_logs_describe(&process->logs, &logs);
    error_set(err, ERROR_PROTOCOL, "%s exited without having written a %s message%s", process->label,
              type_name(talk->wanted), buffer_cstr(&logs));
    buffer_done(&logs);
    return -1;
}

/* One conversation; the answer's payload is parsed into the arena, if one is given. */
static int ask(const struct connector_program *program, const char *verb, const struct connector_files *files,
               const struct connector_listener *listener, const struct connector_limits *limits,
               enum airbyte_type wanted, struct arena *arena, struct json *ret_payload, struct error *err)
{
    struct connector_limits own = limits ? *limits : connector_limits_default;
    if (own.stall_ms == 0)
        own.stall_ms = SILENCE_MAX_MS;
    struct conversation talk = {.wanted = wanted, .listener = listener};
    talk.process = connector_start(program, verb, files, false, &own, listener ? listener->on_log : NULL,
                                   listener ? listener->context : NULL, err);
    if (!talk.process)
        return -1;
    talk.parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    arena_init(&talk.scratch);
    buffer_init(&talk.answer, own.line_max);
    int result = converse(&talk, err);
    if (result == 0)
        result = judge(&talk, err);
    if (result < 0 && talk.configs) /* what it logged may be older than what is known to be secret */
        connector_secrets_mask_message(talk.process->secrets, err->message, sizeof err->message);
    if (result == 0 && arena)
        result = json_parse_copy(arena, talk.answer.data, talk.answer.size, ret_payload, err);
    buffer_done(&talk.answer);
    arena_done(&talk.scratch);
    json_parser_free(talk.parser);
    connector_free(talk.process);
    return result;
}

int connector_airbyte_spec(const struct connector_program *program, const struct connector_limits *limits,
                           struct arena *arena, struct json *ret_spec, struct error *err)
{
    const struct connector_files files = {0};
    return ask(program, "spec", &files, NULL, limits, AIRBYTE_SPEC, arena, ret_spec, err);
}

int connector_airbyte_check(const struct connector_program *program, struct slice config,
                            struct connector_secrets *secrets, const struct connector_listener *listener,
                            const struct connector_limits *limits, struct error *err)
{
    const struct connector_files files = {.config = config, .secrets = secrets};
    return ask(program, "check", &files, listener, limits, AIRBYTE_CONNECTION_STATUS, NULL, NULL, err);
}

int connector_airbyte_discover(const struct connector_program *program, struct slice config,
                               struct connector_secrets *secrets, const struct connector_listener *listener,
                               const struct connector_limits *limits, struct arena *arena,
                               struct json *ret_catalog, struct error *err)
{
    const struct connector_files files = {.config = config, .secrets = secrets};
    return ask(program, "discover", &files, listener, limits, AIRBYTE_CATALOG, arena, ret_catalog, err);
}
