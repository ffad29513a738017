#include "task/flow_bindings.h"
#include "task/reader_flow.h"

/* What the lines of a session mean. Documents and schemas form a group, which the next checkpoint ends: the
 * sink has all of it or nothing. */

/* --- errors ---------------------------------------------------------------------------------------- */

/* A broken message may show a value of the connector's. */
static int broken_line(const struct flow_reader *reader, struct error *err)
{
    struct buffer masked;
    enum error_code code = err->code;
    buffer_init(&masked, (size_t)16 * ERROR_MESSAGE_MAX);
    connector_mask(reader->process, slice_of(err->message), &masked);
    error_set(err, code, "%s, line %llu of its output: %s", reader->base.label,
              (unsigned long long)reader->lines, buffer_cstr(&masked));
    err->retriable = code == ERROR_PROTOCOL;
    buffer_done(&masked);
    return -1;
}

static int out_of_place(const struct flow_reader *reader, const char *what, const char *why,
                        struct error *err)
{
    error_set(err, ERROR_PROTOCOL, "%s, line %llu of its output: '%s' %s", reader->base.label,
              (unsigned long long)reader->lines, what, why);
    err->retriable = true;
    return -1;
}

/* --- messages -------------------------------------------------------------------------------------- */

static struct task_binding *find_binding(const struct flow_reader *reader, uint32_t index, const char *what,
                                         struct error *err)
{
    struct task *task = reader->base.task;
    if (index < task->binding_count)
        return &task->bindings[index];
    error_set(err, ERROR_PROTOCOL, "%s, line %llu of its output: '%s' of binding %u, but there %s %zu",
              reader->base.label, (unsigned long long)reader->lines, what, index,
              task->binding_count == 1 ? "is" : "are", task->binding_count);
    return NULL;
}

static int take_captured(struct flow_reader *reader, const struct flow_captured *captured,
                         struct task_item *item, struct error *err)
{
    struct task *task = reader->base.task;
    struct task_binding *binding = find_binding(reader, captured->binding, "captured", err);
    if (!binding)
        return -1;
    if (reader->group.backfill)
        return out_of_place(reader, "captured", "must not share a checkpoint with a backfill's begin or end",
                            err);
    const struct task_binding_progress *progress = &task->progress[binding->index];
    uint64_t number = ++binding->taken;
    if (captured->raw_doc.size > STORE_DOCUMENT_MAX)
        return error_set(err, ERROR_LIMIT,
                         "%s: document %llu of '%s' has %zu bytes, the limit is %d (64 MiB)",
                         reader->base.label, (unsigned long long)number, progress->stream,
                         captured->raw_doc.size, STORE_DOCUMENT_MAX);
    /* Documents have no time of their own: they are as old as their group. */
    if (reader->group.documents++ == 0)
        reader->group.began_ms = clock_wall_ms(task->clock);
    reader->group.messages++;
    reader->heard_ms = 0;
    binding->newest_ms = reader->group.began_ms;
    *item = (struct task_item){.type = TASK_ITEM_DOCUMENT,
                               .binding = binding,
                               .raw = {reader->line.source, reader->line.size},
                               .line = &reader->line,
                               .document = captured->doc,
                               .number = number,
                               .line_number = reader->lines};
    return 1;
}

static int take_schema(struct flow_reader *reader, const struct flow_sourced_schema *sourced,
                       struct error *err)
{
    struct flow_group *group = &reader->group;
    struct task_binding *binding = find_binding(reader, sourced->binding, "sourcedSchema", err);
    if (!binding)
        return -1;
    if (group->backfill)
        return out_of_place(reader, "sourcedSchema",
                            "must not share a checkpoint with a backfill's begin or end", err);
    struct slice raw = sourced->raw_document_schema;
    group->messages++;
    if (raw.size == 0)
        return out_of_place(
            reader, "sourcedSchema",
            "has no 'documentSchema': right would be the JSON schema of the binding's documents", err);
    if (group->item.schema_count == FLOW_GROUP_SCHEMAS_MAX ||
        group->schema_bytes + raw.size > FLOW_GROUP_SCHEMA_BYTES_MAX)
        return error_set(err, ERROR_LIMIT,
                         "%s sent more than %d sourced schemas, or more than %d bytes of them, "
                         "without a checkpoint",
                         reader->base.label, FLOW_GROUP_SCHEMAS_MAX, FLOW_GROUP_SCHEMA_BYTES_MAX);
    group->schema_bytes += raw.size;
    group->schemas[group->item.schema_count++] = (struct task_sourced_schema){
        binding->source.name, {arena_dup(&group->arena, raw.data, raw.size), raw.size}};
    return 0;
}

static int take_backfill(struct flow_reader *reader, const struct flow_capture_response *response,
                         struct error *err)
{
    struct flow_group *group = &reader->group;
    const char *what = flow_capture_response_name(response->type);
    struct task_binding *binding = find_binding(reader, response->backfill.binding, what, err);
    if (!binding)
        return -1;
    if (group->messages > 0)
        return out_of_place(reader, what, "must be alone with its checkpoint", err);
    group->messages++;
    group->backfill = true;
    if (response->type == FLOW_CAPTURE_BACKFILL_BEGIN)
        group->item.backfill_begun = binding->saved;
    else
        group->item.backfill_completed = binding->saved;
    reader->base.task->progress[binding->index].complete = response->type == FLOW_CAPTURE_BACKFILL_COMPLETE;
    return 0;
}

static void take_checkpoint(struct flow_reader *reader, const struct flow_capture_checkpoint *checkpoint,
                            struct task_item *item)
{
    struct flow_group *group = &reader->group;
    group->item.wall_ms = clock_wall_ms(reader->base.task->clock);
    group->item.schemas = group->schemas;
    group->item.state = checkpoint->state;
    reader->checkpoints++;
    *item = (struct task_item){.type = TASK_ITEM_CHECKPOINT,
                               .raw = {reader->line.source, reader->line.size},
                               .line = &reader->line,
                               .flow = &group->item,
                               .line_number = reader->lines};
}

/* The item is the owner's until the next call: the group that it ended is cleared then. */
static void begin_group(struct flow_reader *reader)
{
    struct flow_group *group = &reader->group;
    if (group->item.schema_count)
        arena_clear(&group->arena);
    group->messages = group->documents = 0;
    group->backfill = false;
    group->schema_bytes = 0;
    group->item = (struct task_flow_item){0};
}

static int take_opened(struct flow_reader *reader, const struct flow_capture_response *response,
                       struct error *err)
{
    if (response->type != FLOW_CAPTURE_OPENED)
        return out_of_place(reader, flow_capture_response_name(response->type),
                            "came before 'opened', with which a session begins", err);
    reader->explicit_acknowledgements = response->opened.explicit_acknowledgements;
    reader->phase = FLOW_PHASE_READING;
    return 0;
}

static int take_response(struct flow_reader *reader, const struct flow_capture_response *response,
                         struct task_item *item, struct error *err)
{
    if (reader->phase == FLOW_PHASE_OPENING)
        return take_opened(reader, response, err);
    switch (response->type) {
    case FLOW_CAPTURE_CAPTURED:
        return take_captured(reader, &response->captured, item, err);
    case FLOW_CAPTURE_CHECKPOINT:
        take_checkpoint(reader, &response->checkpoint, item);
        return 1;
    case FLOW_CAPTURE_SOURCED_SCHEMA:
        return take_schema(reader, &response->sourced_schema, err);
    case FLOW_CAPTURE_BACKFILL_BEGIN:
    case FLOW_CAPTURE_BACKFILL_COMPLETE:
        return take_backfill(reader, response, err);
    default:
        return out_of_place(reader, flow_capture_response_name(response->type), "has no place in a session",
                            err);
    }
}

/* --- lines ----------------------------------------------------------------------------------------- */

static int take_line(struct flow_reader *reader, struct slice text, struct task_item *item, struct error *err)
{
    struct flow_capture_response response;
    struct error why;
    if (json_parse(reader->parser, text.data, text.size, &reader->line, &why) < 0) {
        reader->torn = true;
        connector_flow_no_json(reader->process, text, reader->lines, &why, &reader->torn_error);
        if (connector_output_ended(reader->process)) /* the last line of all: how it ended tells more */
            return 0;
        *err = reader->torn_error;
        return -1;
    }
    uint32_t config = flow_config_changed(&reader->line);
    if (config != JSON_NONE)
        return flow_reader_on_config(reader, &reader->line, config, err);
    arena_clear(&reader->arena);
    if (flow_capture_read_response(&reader->line, &reader->arena, &response, err) < 0)
        return broken_line(reader, err);
    return take_response(reader, &response, item, err);
}

static void tell_dropped_schemas(struct flow_reader *reader)
{
    if (reader->told_schemas || !reader->base.task->checkpoint.flow.schemas_dropped)
        return;
    reader->told_schemas = true;
    task_report_logf(reader->base.task->report, LOG_WARN,
                     "%s describes its documents' schemas in more than %d bytes: not all are kept",
                     reader->base.label, TASK_SOURCED_SCHEMAS_MAX);
}

int flow_group_next(struct flow_reader *reader, struct task_item *item, struct error *err)
{
    struct slice text;
    if (reader->group.item.schemas) { /* a checkpoint was given last */
        tell_dropped_schemas(reader);
        begin_group(reader);
    }
    while (connector_next_line(reader->process, &text) == 1) {
        if (reader->torn) { /* it was not the last line */
            *err = reader->torn_error;
            return -1;
        }
        reader->lines++;
        if (text.size == 0)
            continue;
        int got = take_line(reader, text, item, err);
        if (got != 0)
            return got;
    }
    return 0;
}

void flow_group_leave(struct flow_reader *reader)
{
    struct task_report *report = reader->base.task->report;
    struct error err;
    struct slice text;
    while (connector_next_line(reader->process, &text) == 1) {
        if (!slice_starts_with(text, "{\"" FLOW_CONFIG_CHANGED "\"") ||
            json_parse(reader->parser, text.data, text.size, &reader->line, &err) < 0)
            continue;
        uint32_t config = flow_config_changed(&reader->line);
        if (config != JSON_NONE && flow_reader_on_config(reader, &reader->line, config, &err) < 0)
            task_report_logf(report, LOG_ERROR, "%s", err.message);
    }
}

int flow_group_result(const struct flow_reader *reader, struct error *err)
{
    const char *due = reader->phase == FLOW_PHASE_OPENING ? "the answer to 'open'" : NULL;
    if (connector_flow_result(reader->process, due, err) < 0) {
        if (reader->torn && err->code != ERROR_CANCELLED)
            task_report_torn(reader->base.task->report, &reader->torn_error);
        return -1;
    }
    if (reader->torn) {
        *err = reader->torn_error;
        return -1;
    }
    bool one = reader->group.documents == 1;
    if (reader->phase == FLOW_PHASE_OPENING) {
        error_set(err, ERROR_PROTOCOL, "%s exited without having answered 'open'", reader->base.label);
    } else if (reader->group.backfill && !reader->group.item.schemas) {
        bool begun = reader->group.item.backfill_begun != NULL;
        error_set(
            err, ERROR_PROTOCOL,
            "%s exited after '%s' of %s without the checkpoint that belongs to it: the %s does not count; "
            "right would be a checkpoint right behind it",
            reader->base.label, begun ? "backfillBegin" : "backfillComplete",
            (begun ? reader->group.item.backfill_begun : reader->group.item.backfill_completed)->target,
            begun ? "backfill's begin" : "backfill's end");
    } else if (reader->group.messages > 0 && !reader->group.item.schemas) {
        error_set(err, ERROR_PROTOCOL,
                  "%s exited in the middle of a group: %llu document%s followed by no checkpoint and %s "
                  "dropped; right would be a checkpoint after the last document",
                  reader->base.label, (unsigned long long)reader->group.documents, one ? " is" : "s are",
                  one ? "is" : "are");
    } else {
        return 0;
    }
    err->retriable = true;
    return -1;
}
