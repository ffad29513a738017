#include "task/marks.h"

#include "connector/marks.h"
#include "task/conversation.h"

static const struct task_endpoint *endpoint_of(const struct task *task, enum task_side side)
{
    return side == TASK_SOURCE ? &task->spec->source : &task->spec->destination;
}

/* A materialization has no source, a capture no destination. */
static bool is_there(const struct task_endpoint *endpoint)
{
    return endpoint->program.argv && endpoint->program.argv[0];
}

void task_marks_init(struct task *task)
{
    task->secrets = connector_secrets_new();
    task->all = connector_secrets_new();
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        const struct task_endpoint *endpoint = endpoint_of(task, (enum task_side)side);
        if (!is_there(endpoint))
            continue;
        connector_secrets_add(task->secrets, endpoint->config, endpoint->program.env);
        connector_secrets_add(task->all, endpoint->config, endpoint->program.env);
        connector_secrets_add_marked(task->all, endpoint->config, SLICE_LITERAL("[\"\"]"));
    }
    task->report->secrets = task->secrets;
}

void task_marks_done(struct task *task)
{
    task->report->secrets = NULL;
    connector_secrets_free(task->secrets);
    connector_secrets_free(task->all);
    task->secrets = task->all = NULL;
}

bool task_marks_known(struct task *task, enum task_side side)
{
    const struct task_endpoint *endpoint = endpoint_of(task, side);
    const struct task_saved_marks *saved = &task->checkpoint.marks[side];
    if (!connector_marks_matter(endpoint->config))
        return true;
    if (!saved->pointers || saved->identity != conversation_identity(endpoint))
        return false;
    connector_secrets_add_marked(task->secrets, endpoint->config, slice_of(saved->pointers));
    return true;
}

void task_marks_take(struct task *task, enum task_side side, struct slice schema)
{
    const struct task_endpoint *endpoint = endpoint_of(task, side);
    struct task_saved_marks *saved = &task->checkpoint.marks[side];
    struct buffer pointers;
    buffer_init(&pointers, BUFFER_UNLIMITED);
    connector_marks_find(schema, endpoint->config, &pointers);
    saved->identity = conversation_identity(endpoint);
    saved->pointers = arena_strdup(&task->checkpoint.arena, buffer_cstr(&pointers));
    buffer_done(&pointers);
    connector_secrets_add_marked(task->secrets, endpoint->config, slice_of(saved->pointers));
}

void task_marks_unknown(const struct task *task, const char *label, const struct error *why)
{
    task_report_logf(task->report, LOG_WARN,
                     "the spec of %s is not to be had, so only values whose names look secret are masked: %s",
                     label, why->message);
}
