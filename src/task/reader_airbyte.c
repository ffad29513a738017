#include "task/conversation.h"
#include "task/kept_config.h"
#include "task/lookup.h"
#include "task/marks.h"
#include "task/output.h"
#include "task/reader.h"

#include <assert.h>

/* An Airbyte source: `check`, if it was not asked with this config before, `discover`, so that bindings can
 * be resolved, then `read`. */

struct reader {
    struct task_reader base;
    struct conversation *talk; /* `spec`, `check` or `discover` */
    bool asking_spec, checking;
    uint64_t identity;         /* of the endpoint as it is now */
    struct task_output output; /* of `read` */
    struct task_lookup lookup;
    bool discovered;
    bool told_state, told_status; /* what is told once */
};

static struct reader *of(struct task_reader *base)
{
    return (struct reader *)base;
}

static const struct reader *of_const(const struct task_reader *base)
{
    return (const struct reader *)base;
}

/* Its output is taken to the last line, and it is gone. Asked where it matters and not kept: whoever takes
 * the last line, which may come only at the end of the output, makes it true, and then nothing wakes the
 * loop. */
static bool gone(const struct reader *reader)
{
    return reader->output.process && connector_exited(reader->output.process);
}

/* --- check and discover -------------------------------------------------------------------------- */

static int take_control(void *context, const struct json *line, uint32_t config, struct error *err);

static int ask(struct reader *reader, const char *verb, enum airbyte_type wanted, struct error *err)
{
    const struct task *task = reader->base.task;
    const struct task_spec *spec = task->spec;
    struct slice config = wanted == AIRBYTE_SPEC ? (struct slice){0} : spec->source.config;
    conversation_free(reader->talk);
    reader->talk = conversation_start(&spec->source.program, verb, wanted, config, task->secrets,
                                      &spec->limits, task->report, err);
    if (reader->talk)
        conversation_on_control(reader->talk, take_control, reader);
    return reader->talk ? 0 : -1;
}

static int take_catalog(struct reader *reader, const struct json *catalog, struct error *err)
{
    struct task *task = reader->base.task;
    if (airbyte_catalog_read(catalog, 0, &task->arena, &task->discovered, err) < 0)
        return error_wrap(err, "the catalog of %s", reader->base.label);
    conversation_free(reader->talk);
    reader->talk = NULL;
    reader->discovered = true;
    return 0;
}

/* What it offers: as the specification says, or as it says itself. */
static int ask_catalog(struct reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    if (task->spec->discover || task->spec->catalog.size == 0)
        return ask(reader, "discover", AIRBYTE_CATALOG, err);
    struct json *catalog = arena_alloc(&task->arena, sizeof *catalog);
    if (json_parse_copy(&task->arena, task->spec->catalog.data, task->spec->catalog.size, catalog, err) < 0)
        return error_wrap(err, "the catalog of %s", reader->base.label);
    return take_catalog(reader, catalog, err);
}

static int ask_on(struct reader *reader, struct error *err)
{
    return reader->checking ? ask(reader, "check", AIRBYTE_CONNECTION_STATUS, err) : ask_catalog(reader, err);
}

static int open_reader(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    reader->identity = conversation_identity(&base->task->spec->source);
    reader->checking = base->task->checkpoint.source_checked != reader->identity;
    reader->asking_spec = !task_marks_known(base->task, TASK_SOURCE);
    return reader->asking_spec ? ask(reader, "spec", AIRBYTE_SPEC, err) : ask_on(reader, err);
}

static int service_spec(struct reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    struct json spec;
    int done = conversation_service(reader->talk, err);
    if (done == 0)
        return 0;
    if (done < 0 || conversation_answer(reader->talk, &task->arena, &spec, err) < 0) {
        task_marks_unknown(task, reader->base.label, err);
    } else {
        uint32_t schema = json_get(&spec, 0, "connectionSpecification");
        task_marks_take(task, TASK_SOURCE, schema == JSON_NONE ? (struct slice){0} : json_raw(&spec, schema));
    }
    reader->asking_spec = false;
    return ask_on(reader, err);
}

static int service_check(struct reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    int done = conversation_service(reader->talk, err);
    if (done <= 0)
        return done;
    if (conversation_verdict(reader->talk, reader->base.label, "source", &task->arena, err) < 0)
        return -1;
    task->checkpoint.source_checked = conversation_identity(&task->spec->source); /* it may have changed it */
    reader->checking = false;
    return ask_catalog(reader, err);
}

static int service_discover(struct reader *reader, struct error *err)
{
    int done = conversation_service(reader->talk, err);
    if (done <= 0)
        return done;
    struct task *task = reader->base.task;
    struct json *catalog = arena_alloc(&task->arena, sizeof *catalog);
    if (conversation_answer(reader->talk, &task->arena, catalog, err) < 0)
        return -1;
    return take_catalog(reader, catalog, err);
}

static bool ready(const struct task_reader *base)
{
    return of_const(base)->discovered;
}

/* --- read ---------------------------------------------------------------------------------------- */

static int begin(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    struct task *task = base->task;
    struct airbyte_configured_catalog catalog = {.count = task->binding_count};
    catalog.streams = arena_alloc(&task->arena, catalog.count * sizeof *catalog.streams);
    for (size_t i = 0; i < catalog.count; i++)
        catalog.streams[i] = task->bindings[i].configured;
    struct buffer catalog_text, state_text;
    buffer_init(&catalog_text, BUFFER_UNLIMITED);
    buffer_init(&state_text, BUFFER_UNLIMITED);
    airbyte_configured_catalog_write(&catalog_text, &catalog);
    airbyte_states_write_file(&state_text, task->checkpoint.states);
    struct connector_files files = {.config = task->spec->source.config,
                                    .catalog = {catalog_text.data, catalog_text.size},
                                    .secrets = task->secrets};
    if (!airbyte_states_empty(task->checkpoint.states))
        files.state = (struct slice){state_text.data, state_text.size};
    reader->output.process = connector_start(&task->spec->source.program, "read", &files, false,
                                             &task->spec->limits, task_output_on_log, &reader->output, err);
    buffer_done(&catalog_text);
    buffer_done(&state_text);
    task_lookup_init(&reader->lookup, task, TASK_LOOKUP_SOURCE);
    return reader->output.process ? 0 : -1;
}

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    struct reader *reader = of(base);
    if (reader->talk)
        return conversation_pollfds(reader->talk, fds);
    return reader->output.process ? connector_pollfds(reader->output.process, fds) : 0;
}

static int timeout_ms(const struct task_reader *base)
{
    const struct reader *reader = of_const(base);
    if (reader->talk)
        return conversation_timeout_ms(reader->talk);
    return reader->output.process ? connector_timeout_ms(reader->output.process) : -1;
}

static int service(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    if (reader->talk)
        return reader->asking_spec ? service_spec(reader, err)
               : reader->checking  ? service_check(reader, err)
                                   : service_discover(reader, err);
    return reader->output.process ? connector_service(reader->output.process, err) : 0;
}

/* --- lines --------------------------------------------------------------------------------------- */

/* Neither done nor undone: what it was meant to say is not known, and a sync may be taken for whole. */
static void warn_status(struct reader *reader)
{
    const struct airbyte_message *message = &reader->output.message;
    enum { SHOWN_MAX = 60 };
    uint32_t at = message->trace.status_value;
    struct slice value = at == JSON_NONE ? SLICE_LITERAL("null") : json_raw(&reader->output.line, at);
    size_t shown = utf8_cut(value.data, value.size, SHOWN_MAX);
    task_report_logf(reader->base.task->report, LOG_WARN,
                     "%s gave the stream '%.*s' the status %.*s%s, which is none: ignored; it is STARTED, "
                     "RUNNING, COMPLETE or INCOMPLETE",
                     reader->base.label, SLICE_ARGS(message->trace.stream.name), (int)shown, value.data,
                     shown < value.size ? "…" : "");
}

static void take_trace(struct reader *reader)
{
    const struct airbyte_message *message = &reader->output.message;
    struct task_binding *binding = task_lookup_find(&reader->lookup, message->trace.stream);
    if (!binding)
        return;
    struct task_binding_progress *progress = &reader->base.task->progress[binding->index];
    if (message->trace.type == AIRBYTE_TRACE_ESTIMATE && !message->trace.estimate_is_sync) {
        progress->row_estimate = message->trace.row_estimate;
        progress->byte_estimate = message->trace.byte_estimate;
    } else if (message->trace.type == AIRBYTE_TRACE_STREAM_STATUS &&
               message->trace.status == AIRBYTE_STREAM_STATUS_OTHER) {
        if (!reader->told_status)
            warn_status(reader);
        reader->told_status = true;
    } else if (message->trace.type == AIRBYTE_TRACE_STREAM_STATUS) {
        /* The last word counts: a source may try a stream again. */
        progress->complete = message->trace.status == AIRBYTE_STREAM_COMPLETE;
        binding->incomplete = message->trace.status == AIRBYTE_STREAM_INCOMPLETE;
    }
}

/* What a connector says of its config, in whatever it was asked. */
static int take_control(void *context, const struct json *line, uint32_t config, struct error *err)
{
    struct reader *reader = context;
    return config == JSON_NONE ? 0 : task_config_change(reader->base.task, TASK_SOURCE, line, config, err);
}

static int take_record(struct reader *reader, struct task_item *item, struct error *err)
{
    const struct airbyte_message *message = &reader->output.message;
    struct task_binding *binding = task_lookup_find(&reader->lookup, message->record.stream);
    if (!binding)
        return task_lookup_unknown(&reader->lookup, message->record.stream, reader->base.label,
                                   reader->output.lines, err);
    struct task_binding_progress *progress = &reader->base.task->progress[binding->index];
    uint64_t number = ++binding->taken;
    size_t size = json_raw(&reader->output.line, message->record.data).size;
    if (size > STORE_DOCUMENT_MAX)
        return error_set(
            err, ERROR_LIMIT, "%s: document %llu of the stream '%s' has %zu bytes, the limit is %d (64 MiB)",
            reader->base.label, (unsigned long long)number, progress->stream, size, STORE_DOCUMENT_MAX);
    if (message->record.emitted_at > 0)
        binding->newest_ms = (int64_t)message->record.emitted_at;
    *item = (struct task_item){.type = TASK_ITEM_DOCUMENT,
                               .binding = binding,
                               .raw = reader->output.raw,
                               .line = &reader->output.line,
                               .message = message,
                               .document = message->record.data,
                               .number = number,
                               .line_number = reader->output.lines};
    return 1;
}

static bool take_state(struct reader *reader, struct task_item *item)
{
    const struct airbyte_message *message = &reader->output.message;
    struct task_binding *binding = NULL;
    if (message->state.type == AIRBYTE_STATE_STREAM) {
        binding = task_lookup_find(&reader->lookup, message->state.stream);
        if (!binding) {
            if (!reader->told_state)
                task_report_logf(reader->base.task->report, LOG_WARN,
                                 "%s sent a STATE for the stream '%.*s', which was not asked for: ignored",
                                 reader->base.label, SLICE_ARGS(message->state.stream.name));
            reader->told_state = true;
            return false;
        }
        reader->base.task->progress[binding->index].states++;
    }
    reader->base.task->report->states++;
    *item = (struct task_item){.type = TASK_ITEM_CHECKPOINT,
                               .binding = binding,
                               .raw = reader->output.raw,
                               .line = &reader->output.line,
                               .message = message,
                               .line_number = reader->output.lines};
    return true;
}

static int next_item(struct reader *reader, struct task_item *item, struct error *err)
{
    int got;
    while ((got = task_output_next(&reader->output, err)) == 1) {
        switch (reader->output.message.type) {
        case AIRBYTE_RECORD:
            return take_record(reader, item, err);
        case AIRBYTE_STATE:
            if (take_state(reader, item))
                return 1;
            break;
        case AIRBYTE_TRACE:
            take_trace(reader);
            break;
        case AIRBYTE_CONTROL:
            if (take_control(reader, &reader->output.line, reader->output.message.control.config, err) < 0)
                return -1;
            break;
        default: /* a message that has no place in `read`: not an error by the protocol */
            break;
        }
    }
    return got;
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    struct reader *reader = of(base);
    int got = next_item(reader, item, err);
    if (got < 0)
        connector_add_logs(reader->output.process, err);
    return got;
}

/* --- the end ------------------------------------------------------------------------------------- */

static bool ended(const struct task_reader *base)
{
    return gone(of_const(base));
}

/* A stream of which the source said that it failed has failed, however well the source ended: what takes it
 * for the whole would replace good data with a part. */
static int refuse_incomplete(struct reader *reader, struct error *err)
{
    enum { NAMED_MAX = 10 };
    const struct task *task = reader->base.task;
    struct buffer names;
    size_t count = 0;
    buffer_init(&names, ERROR_MESSAGE_MAX);
    for (size_t i = 0; i < task->binding_count; i++) {
        if (!task->bindings[i].incomplete)
            continue;
        if (count++ < NAMED_MAX)
            buffer_printf(&names, "%s'%.100s'", count > 1 ? ", " : "", task->progress[i].stream);
    }
    if (count > NAMED_MAX)
        buffer_printf(&names, " and %zu more", count - NAMED_MAX);
    if (count) {
        error_set(err, ERROR_CONNECTOR,
                  "%s ended well, but said of the stream%s %s: INCOMPLETE, which is that reading %s failed",
                  reader->base.label, count == 1 ? "" : "s", buffer_cstr(&names), count == 1 ? "it" : "them");
        err->retriable = true;
        connector_add_logs(reader->output.process, err);
    }
    buffer_done(&names);
    return count ? -1 : 0;
}

static int result(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    int result = task_output_result(&reader->output, err);
    if (result < 0)
        task_output_tell_failure(&reader->output, "source");
    return result < 0 ? -1 : refuse_incomplete(reader, err);
}

static void stop(struct task_reader *base)
{
    struct reader *reader = of(base);
    if (reader->output.process && !gone(reader))
        connector_stop(reader->output.process);
}

static void kill_reader(struct task_reader *base)
{
    struct reader *reader = of(base);
    if (reader->output.process && !gone(reader))
        connector_kill(reader->output.process);
}

static void close_reader(struct task_reader *base)
{
    struct reader *reader = of(base);
    conversation_free(reader->talk);
    connector_free(reader->output.process);
    task_output_done(&reader->output);
    task_lookup_done(&reader->lookup);
    free(reader);
}

struct task_reader *task_reader_airbyte_new(struct task *task)
{
    static const struct task_reader_class class = {
        .name = "airbyte source",
        .open = open_reader,
        .ready = ready,
        .begin = begin,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .next = next,
        .ended = ended,
        .result = result,
        .stop = stop,
        .kill = kill_reader,
        .close = close_reader,
    };
    struct reader *reader = mem_zalloc(sizeof *reader);
    reader->base =
        (struct task_reader){.class = &class, .task = task, .label = task->spec->source.program.label};
    task_output_init(&reader->output, reader->base.label, task->report, &task->spec->limits);
    reader->output.reads = true;
    return &reader->base;
}
