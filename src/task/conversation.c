#include "task/conversation.h"

#include "base/hash.h"
#include "task/output.h"

struct conversation {
    struct task_output output;
    char *verb;
    enum airbyte_type wanted;
    char *answer; /* the payload's bytes, NULL until it came */
    size_t answer_size;
    conversation_control *control;
    void *context;
};

struct conversation *conversation_start(const struct connector_program *program, const char *verb,
                                        enum airbyte_type wanted, struct slice config,
                                        struct connector_secrets *secrets,
                                        const struct connector_limits *limits, struct task_report *report,
                                        struct error *err)
{
    struct conversation *conversation = mem_zalloc(sizeof *conversation);
    task_output_init(&conversation->output, program->label, report, limits);
    conversation->verb = mem_strdup(verb);
    conversation->wanted = wanted;
    struct connector_files files = {.config = config, .secrets = secrets};
    conversation->output.process =
        connector_start(program, verb, &files, false, limits, task_output_on_log, &conversation->output, err);
    if (!conversation->output.process) {
        conversation_free(conversation);
        return NULL;
    }
    return conversation;
}

void conversation_free(struct conversation *conversation)
{
    if (!conversation)
        return;
    if (conversation->output.process && !connector_exited(conversation->output.process))
        connector_kill(conversation->output.process);
    connector_free(conversation->output.process);
    task_output_done(&conversation->output);
    free(conversation->answer);
    free(conversation->verb);
    free(conversation);
}

void conversation_on_control(struct conversation *conversation, conversation_control *control, void *context)
{
    conversation->control = control;
    conversation->context = context;
}

size_t conversation_pollfds(struct conversation *conversation, struct pollfd fds[4])
{
    return connector_pollfds(conversation->output.process, fds);
}

int conversation_timeout_ms(const struct conversation *conversation)
{
    return connector_timeout_ms(conversation->output.process);
}

int conversation_service(struct conversation *conversation, struct error *err)
{
    struct task_output *output = &conversation->output;
    if (connector_service(output->process, err) < 0)
        return -1;
    int got;
    while ((got = task_output_next(output, err)) == 1) {
        if (output->message.type == AIRBYTE_CONTROL && conversation->control &&
            conversation->control(conversation->context, &output->line, output->message.control.config, err) <
                0)
            return -1;
        if (output->message.type != conversation->wanted)
            continue;
        struct slice raw = json_raw(&output->line, output->message.payload);
        free(conversation->answer);
        conversation->answer = mem_dup(raw.data, raw.size);
        conversation->answer_size = raw.size;
    }
    if (got < 0)
        return error_wrap(err, "%s", conversation->verb);
    if (!connector_output_ended(output->process) || !connector_exited(output->process))
        return 0;
    /* A connector that says that its check failed may say so by its exit status as well. */
    if (conversation->answer && conversation->wanted == AIRBYTE_CONNECTION_STATUS)
        return 1;
    if (task_output_result(output, err) < 0)
        return error_wrap(err, "%s", conversation->verb);
    if (conversation->answer)
        return 1;
    error_set(err, ERROR_PROTOCOL, "%s ended its '%s' without an answer", output->label, conversation->verb);
    err->retriable = true;
    return -1;
}

int conversation_answer(struct conversation *conversation, struct arena *arena, struct json *ret_payload,
                        struct error *err)
{
    const char *copy = arena_dup(arena, conversation->answer, conversation->answer_size);
    struct json line;
    if (json_parse(conversation->output.parser, copy, conversation->answer_size, &line, err) < 0)
        return error_wrap(err, "the answer of %s to '%s'", conversation->output.label, conversation->verb);
    /* The parser's nodes end with the conversation; the caller's copy lives as long as its arena. */
    *ret_payload = line;
    ret_payload->nodes = arena_dup(arena, line.nodes, line.count * sizeof *line.nodes);
    return 0;
}

/* What it said of its kind counts; a connection that cannot be made is else the config's fault, as clients of
 * Airbyte's know it. */
static void tell_failure(const struct conversation *conversation, const char *origin)
{
    const struct task_output *output = &conversation->output;
    if (output->failed)
        task_output_tell_failure(output, origin);
    else
        task_report_failure(output->report, &(struct task_failure){.origin = origin, .type = "config_error"});
}

int conversation_verdict(struct conversation *conversation, const char *label, const char *origin,
                         struct arena *arena, struct error *err)
{
    const struct task_output *output = &conversation->output;
    struct json answer;
    if (conversation_answer(conversation, arena, &answer, err) < 0)
        return -1;
    bool succeeded = json_string_is(&answer, json_get(&answer, 0, "status"), "SUCCEEDED");
    if (succeeded && task_output_result(output, err) == 0)
        return 0;
    tell_failure(conversation, origin);
    if (succeeded)
        return -1;
    const char *reason = json_cstring(&answer, json_get(&answer, 0, "message"), arena);
    struct buffer text;
    buffer_init(&text, ERROR_MESSAGE_MAX);
    connector_mask(output->process, slice_of(reason ? reason : "it did not say why"), &text);
    error_set(err, output->failed_by_config ? ERROR_INVALID : ERROR_CONNECTOR,
              "%s cannot work with its config: %s", label, buffer_cstr(&text));
    err->retriable = !output->failed_by_config; /* what it wants to reach may be back later */
    buffer_done(&text);
    return -1;
}

uint64_t conversation_identity(const struct task_endpoint *endpoint)
{
    uint64_t hash = hash_xxh3(endpoint->config.data, endpoint->config.size, 1);
    for (const char *const *word = endpoint->program.argv; *word; word++)
        hash = hash_xxh3(*word, strlen(*word) + 1, hash);
    if (endpoint->program.manifest.size)
        hash = hash_xxh3(endpoint->program.manifest.data, endpoint->program.manifest.size, hash);
    return hash ? hash : 1;
}
