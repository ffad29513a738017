#include "task/conversation.h"

#include "task/failure.h"

struct conversation {
    struct connector_process *process;
    struct task_report *report;
    char *label, *verb;
    enum airbyte_type wanted;
    struct json_parser *parser;
    struct arena arena; /* of the line at hand */
    struct task_failure failure;
    char *answer; /* the payload's bytes, NULL until it came */
    size_t answer_size;
};

static void on_log(void *context, enum log_level level, struct slice line)
{
    struct conversation *conversation = context;
    if (level >= LOG_INFO)
        task_report_log(conversation->report, level, conversation->label, line);
}

struct conversation *conversation_start(const struct connector_program *program, const char *verb,
                                        enum airbyte_type wanted, struct slice config,
                                        const struct connector_limits *limits, struct task_report *report,
                                        struct error *err)
{
    struct conversation *conversation = mem_zalloc(sizeof *conversation);
    conversation->report = report;
    conversation->label = mem_strdup(program->label);
    conversation->verb = mem_strdup(verb);
    conversation->wanted = wanted;
    conversation->parser = json_parser_new((struct json_limits){.size_max = (uint32_t)limits->line_max,
                                                                .depth_max = JSON_LIMITS_DEFAULT.depth_max},
                                           JSON_DUPLICATES_LAST_WINS);
    struct connector_files files = {.config = config};
    conversation->process = connector_start(program, verb, &files, false, limits, on_log, conversation, err);
    if (!conversation->process) {
        conversation_free(conversation);
        return NULL;
    }
    return conversation;
}

void conversation_free(struct conversation *conversation)
{
    if (!conversation)
        return;
    if (conversation->process && !connector_exited(conversation->process))
        connector_kill(conversation->process);
    connector_free(conversation->process);
    json_parser_free(conversation->parser);
    arena_done(&conversation->arena);
    free(conversation->answer);
    free(conversation->label);
    free(conversation->verb);
    free(conversation);
}

size_t conversation_pollfds(struct conversation *conversation, struct pollfd fds[4])
{
    return connector_pollfds(conversation->process, fds);
}

int conversation_timeout_ms(const struct conversation *conversation)
{
    return connector_timeout_ms(conversation->process);
}

static void take_answer(struct conversation *conversation, const struct json *line, uint32_t payload)
{
    struct slice raw = json_raw(line, payload);
    free(conversation->answer);
    conversation->answer = mem_dup(raw.data, raw.size);
    conversation->answer_size = raw.size;
}

/* Lines that are no message are logs, as Airbyte's platform has it. */
static void take_line(struct conversation *conversation, struct slice text)
{
    struct json line;
    struct error unused;
    struct airbyte_message message;
    arena_clear(&conversation->arena);
    if (json_parse(conversation->parser, text.data, text.size, &line, &unused) < 0 ||
        airbyte_decode(&line, &conversation->arena, &message, &unused) < 0 ||
        message.type == AIRBYTE_NOT_A_MESSAGE) {
        connector_note_log(conversation->process, LOG_INFO, text);
        on_log(conversation, LOG_INFO, text);
        return;
    }
    if (message.type == conversation->wanted) {
        take_answer(conversation, &line, message.payload);
    } else if (message.type == AIRBYTE_TRACE && message.trace.type == AIRBYTE_TRACE_ERROR) {
        task_failure_note(&conversation->failure, &line, &message);
    } else if (message.type == AIRBYTE_LOG && json_is(&line, message.log.message, JSON_STRING)) {
        struct slice log = json_string(&line, message.log.message, &conversation->arena);
        connector_note_log(conversation->process, (enum log_level)message.log.level, log);
        on_log(conversation, (enum log_level)message.log.level, log);
    }
}

int conversation_service(struct conversation *conversation, struct error *err)
{
    if (connector_service(conversation->process, err) < 0)
        return -1;
    struct slice line;
    while (connector_next_line(conversation->process, &line) == 1) {
        if (line.size)
            take_line(conversation, line);
    }
    if (!connector_exited(conversation->process))
        return 0;
    if (task_failure_result(&conversation->failure, conversation->label, conversation->process, err) < 0)
        return error_wrap(err, "%s", conversation->verb);
    if (!conversation->answer) {
        error_set(err, ERROR_PROTOCOL, "%s ended its '%s' without an answer", conversation->label,
                  conversation->verb);
        err->retriable = true;
        return -1;
    }
    return 1;
}

int conversation_answer(struct conversation *conversation, struct arena *arena, struct json *ret_payload,
                        struct error *err)
{
    const char *copy = arena_dup(arena, conversation->answer, conversation->answer_size);
    struct json line;
    if (json_parse(conversation->parser, copy, conversation->answer_size, &line, err) < 0)
        return error_wrap(err, "the answer of %s to '%s'", conversation->label, conversation->verb);
    /* The parser's nodes end with the conversation; the caller's copy lives as long as its arena. */
    *ret_payload = line;
    ret_payload->nodes = arena_dup(arena, line.nodes, line.count * sizeof *line.nodes);
    return 0;
}
