#include "task/conversation.h"
#include "task/echo.h"
#include "task/kept_config.h"
#include "task/ledger.h"
#include "task/mapping.h"
#include "task/marks.h"
#include "task/output.h"
#include "task/rename.h"
#include "task/sink.h"
#include "task/violation.h"

#include "base/fault.h"
#include "protocol/airbyte_write.h"

/* An Airbyte destination: at least once.
 *
 * RECORD and STATE lines go through as they came (only names change where the connection says so). A state
 * is saved, in the task's checkpoint in the store, once the destination has echoed it, so never before its
 * documents are durable there; what was sent after it is sent again after a failure. */

enum { WAITING_MAX = 4 << 20 /* bytes queued for the destination before the source has to wait */ };

struct sink {
    struct task_sink base;
    struct task_ledger ledger;
    struct conversation *talk; /* `spec`, for what the destination can do and what is secret, then `check` */
    bool checking;
    uint64_t identity;         /* of the endpoint as it is now */
    struct task_output output; /* of `write` */
    struct task_echoes echoes;
    struct task_lookup sources, targets; /* for renaming, there and back */
    struct json_parser *parser;          /* of lines that were renamed */
    struct buffer renamed, lowered;
    bool prepared, renames, told_invalid;
    bool finishing, finished;
    enum task_finish how;
};

static struct sink *of(struct task_sink *base)
{
    return (struct sink *)base;
}

static const struct sink *of_const(const struct task_sink *base)
{
    return (const struct sink *)base;
}

/* --- what it can do ------------------------------------------------------------------------------ */

static bool wants_defaults(const struct task_spec *spec)
{
    for (size_t i = 0; i < spec->binding_count; i++) {
        if (spec->bindings[i].stream.destination_sync_mode == CATALOG_DESTINATION_DEFAULT)
            return true;
    }
    return spec->all_streams;
}

static int take_control(void *context, const struct json *line, uint32_t config, struct error *err)
{
    const struct sink *sink = context;
    return config == JSON_NONE ? 0 : task_config_change(sink->base.task, TASK_DESTINATION, line, config, err);
}

/* Ask whether the config works, if it was not asked with this one before. */
static int check_unless_done(struct sink *sink, struct error *err)
{
    const struct task *task = sink->base.task;
    const struct task_spec *spec = task->spec;
    conversation_free(sink->talk);
    sink->talk = NULL;
    sink->identity = conversation_identity(&spec->destination);
    sink->prepared = task->checkpoint.destination_checked == sink->identity;
    if (sink->prepared)
        return 0;
    sink->checking = true;
    sink->talk =
        conversation_start(&spec->destination.program, "check", AIRBYTE_CONNECTION_STATUS,
                           spec->destination.config, task->secrets, &spec->limits, task->report, err);
    if (sink->talk)
        conversation_on_control(sink->talk, take_control, sink);
    return sink->talk ? 0 : -1;
}

static int service_check(struct sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    int done = conversation_service(sink->talk, err);
    if (done <= 0)
        return done;
    if (conversation_verdict(sink->talk, sink->base.label, "destination", &task->arena, err) < 0)
        return -1;
    task->checkpoint.destination_checked = conversation_identity(&task->spec->destination);
    conversation_free(sink->talk);
    sink->talk = NULL;
    sink->prepared = true;
    return 0;
}

static int open_sink(struct task_sink *base, struct error *err)
{
    struct sink *sink = of(base);
    const struct task_spec *spec = base->task->spec;
    if (task_ledger_open(&sink->ledger, base->task, err) < 0)
        return -1;
    if (task_marks_known(base->task, TASK_DESTINATION) && !wants_defaults(spec))
        return check_unless_done(sink, err);
    sink->talk = conversation_start(&spec->destination.program, "spec", AIRBYTE_SPEC, (struct slice){0},
                                    base->task->secrets, &spec->limits, base->task->report, err);
    return sink->talk ? 0 : -1;
}

static bool prepared(const struct task_sink *base)
{
    return of_const(base)->prepared;
}

static void take_modes(struct task *task, const struct json *spec)
{
    task->destination_modes |= airbyte_destination_modes(spec, &task->arena);
}

static int service_spec(struct sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    struct json spec;
    int done = conversation_service(sink->talk, err);
    if (done == 0)
        return 0;
    if (done < 0 || conversation_answer(sink->talk, &task->arena, &spec, err) < 0) {
        if (wants_defaults(task->spec))
            return -1;
        task_marks_unknown(task, sink->base.label, err);
        return check_unless_done(sink, err);
    }
    uint32_t schema = json_get(&spec, 0, "connectionSpecification");
    task_marks_take(task, TASK_DESTINATION,
                    schema == JSON_NONE ? (struct slice){0} : json_raw(&spec, schema));
    if (wants_defaults(task->spec))
        take_modes(task, &spec);
    return check_unless_done(sink, err);
}

/* --- begin --------------------------------------------------------------------------------------- */

static int start(struct sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    struct airbyte_configured_catalog catalog = {.count = task->binding_count};
    catalog.streams = arena_alloc(&task->arena, catalog.count * sizeof *catalog.streams);
    for (size_t i = 0; i < catalog.count; i++) {
        const struct task_binding *binding = &task->bindings[i];
        catalog.streams[i] = binding->configured;
        sink->renames |= binding->mapping != NULL;
        if (binding->mapping &&
            task_mapping_configure(binding->mapping, &catalog.streams[i], &task->arena, err) < 0)
            return -1;
        if (airbyte_stream_name_equal(binding->source, binding->target))
            continue;
        sink->renames = true;
        catalog.streams[i].stream.name = binding->target;
        catalog.streams[i].stream.raw = (struct slice){0};
    }
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    airbyte_configured_catalog_write(&text, &catalog);
    struct connector_files files = {.config = task->spec->destination.config,
                                    .catalog = {text.data, text.size},
                                    .secrets = task->secrets};
    sink->output.process = connector_start(&task->spec->destination.program, "write", &files, true,
                                           &task->spec->limits, task_output_on_log, &sink->output, err);
    buffer_done(&text);
    return sink->output.process ? 0 : -1;
}

static int begin(struct task_sink *base, struct error *err)
{
    struct sink *sink = of(base);
    struct task *task = base->task;
    task_echoes_init(&sink->echoes, task->binding_count);
    task_lookup_init(&sink->sources, task, TASK_LOOKUP_SOURCE);
    task_lookup_init(&sink->targets, task, TASK_LOOKUP_TARGET);
    /* The destination is never shown a generation that a crash could make us forget. */
    if (task_ledger_commit(&sink->ledger, err) < 0)
        return -1;
    return start(sink, err);
}

/* --- there --------------------------------------------------------------------------------------- */

static bool ready(const struct task_sink *base)
{
    const struct sink *sink = of_const(base);
    return !sink->finishing && connector_pending_input(sink->output.process) < WAITING_MAX;
}

static void send(struct sink *sink, struct slice line)
{
    connector_send(sink->output.process, line);
    connector_send(sink->output.process, SLICE_LITERAL("\n"));
}

/* Of size 0: a record that a row filter keeps back. */
static struct slice outgoing(struct sink *sink, const struct task_item *item)
{
    if (!sink->renames)
        return item->raw;
    buffer_clear(&sink->renamed);
    if (!task_rename(&sink->renamed, item->line, item->message, &sink->sources))
        buffer_clear(&sink->renamed);
    return (struct slice){sink->renamed.data, sink->renamed.size};
}

static int write_document(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct sink *sink = of(base);
    struct slice line = outgoing(sink, item);
    if (line.size) {
        send(sink, line);
        return 0;
    }
    item->binding->dropped++;
    item->binding->dropped_since_state++;
    item->binding->dropped_bytes += json_raw(item->line, item->document).size;
    return 0;
}

/* A mismatch between a record and its stream's schema never fails a sync: it is counted, and told once. */
static int write_invalid(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct sink *sink = of(base);
    if (!sink->told_invalid) {
        struct error why;
        task_violation_error(base->task, item, &why);
        task_report_logf(base->task->report, LOG_WARN,
                         "%s; it is forwarded all the same, and so are others, "
                         "which are only counted",
                         why.message);
    }
    sink->told_invalid = true;
    struct task_binding_progress *progress = &base->task->progress[item->binding->index];
    progress->documents++;
    progress->bytes += json_raw(item->line, item->document).size;
    return write_document(base, item, err);
}

/* What the destination was sent of a stream: what was taken, without what a row filter kept back. */
static struct task_sent sent_of(const struct task *task, size_t index)
{
    const struct task_binding_progress *progress = &task->progress[index];
    const struct task_binding *binding = &task->bindings[index];
    return (struct task_sent){progress->documents - binding->dropped,
                              progress->bytes - binding->dropped_bytes};
}

static void note_sent(struct sink *sink, const struct task_item *item, struct airbyte_state_id id)
{
    const struct task *task = sink->base.task;
    size_t first = item->binding ? item->binding->index : 0, count = item->binding ? 1 : task->binding_count;
    struct task_sent one, *sent = count == 1 ? &one : mem_alloc(count * sizeof *sent);
    for (size_t i = 0; i < count; i++) {
        sent[i] = sent_of(task, first + i);
    }
    task_echoes_add(&sink->echoes, id, item->binding ? (long)first : TASK_ECHO_ALL, sent);
    if (sent != &one)
        free(sent);
}

/* Records that were kept back since the last state that covers them: they are not the destination's to wait
 * for, so the source's own count of what it sent is lowered. `sink->renamed` has the line. */
static int lower_count(struct sink *sink, const struct task_item *item, struct json *renamed,
                       struct error *err)
{
    struct task *task = sink->base.task;
    uint64_t dropped = 0;
    double count;
    size_t first = item->binding ? item->binding->index : 0,
           end = item->binding ? first + 1 : task->binding_count;
    for (size_t i = first; i < end; i++) {
        dropped += task->bindings[i].dropped_since_state;
        task->bindings[i].dropped_since_state = 0;
    }
    uint32_t at = json_pointer(renamed, 0, SLICE_LITERAL("/state/sourceStats/recordCount"));
    if (dropped == 0 || at == JSON_NONE || !json_to_double(renamed, at, &count))
        return 0;
    struct slice raw = json_raw(renamed, at);
    const char *line = renamed->source, *after = raw.data + raw.size;
    buffer_clear(&sink->lowered);
    buffer_append(&sink->lowered, line, (size_t)(raw.data - line));
    buffer_printf(&sink->lowered, "%.1f", count > (double)dropped ? count - (double)dropped : 0.0);
    buffer_append(&sink->lowered, after, renamed->size - (size_t)(after - line));
    struct buffer swap = sink->renamed;
    sink->renamed = sink->lowered;
    sink->lowered = swap;
    return json_parse(sink->parser, sink->renamed.data, sink->renamed.size, renamed, err);
}

static int checkpoint(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct sink *sink = of(base);
    struct slice line = outgoing(sink, item);
    struct airbyte_state_id id;
    if (sink->renames) {
        struct json renamed;
        struct airbyte_message message;
        struct arena arena;
        arena_init(&arena);
        if (json_parse(sink->parser, line.data, line.size, &renamed, err) < 0 ||
            lower_count(sink, item, &renamed, err) < 0 ||
            airbyte_decode(&renamed, &arena, &message, err) < 0) {
            arena_done(&arena);
            return error_wrap(err, "a renamed STATE");
        }
        id = airbyte_state_identity(&renamed, &message);
        line = (struct slice){sink->renamed.data, sink->renamed.size};
        arena_done(&arena);
    } else {
        id = airbyte_state_identity(item->line, item->message);
    }
    note_sent(sink, item, id);
    send(sink, line);
    if (fault_planted("ack-before-echo")) { /* a bug, for the checker to catch */
        task_ledger_add(&sink->ledger, 0);
        return airbyte_states_apply(base->task->checkpoint.states, item->line, item->message, err);
    }
    return 0;
}

/* --- and back ------------------------------------------------------------------------------------ */

/* How many of the records since the last echo the destination says it did not write. */
static uint64_t rejected_of(const struct task_output *output)
{
    uint32_t stats = json_get(&output->line, output->message.payload, "destinationStats");
    double count;
    if (!json_to_double(&output->line, json_get(&output->line, stats, "rejectedRecordCount"), &count))
        return 0;
    return count >= 1 && count < 1e15 ? (uint64_t)count : 0;
}

/* A STATE of all streams does not say whose they are: they are taken from the first that were sent so many.
 */
static void cover(struct task *task, const struct task_echo_entry *entry, uint64_t rejected)
{
    size_t first = entry->stream == TASK_ECHO_ALL ? 0 : (size_t)entry->stream;
    size_t count = entry->stream == TASK_ECHO_ALL ? task->binding_count : 1;
    for (size_t i = 0; i < count; i++) {
        struct task_binding *binding = &task->bindings[first + i];
        uint64_t before = binding->covered_documents + binding->covered_rejected,
                 sent = entry->sent[i].documents;
        uint64_t since = sent > before ? sent - before : 0, lost = rejected < since ? rejected : since;
        rejected -= lost;
        binding->covered_rejected += lost;
        binding->covered_documents = sent - binding->covered_rejected;
        binding->covered_bytes = entry->sent[i].bytes;
        binding->covered_invalid = task->progress[first + i].invalid;
    }
}

/* Into the checkpoint, under the source's own names. */
static int apply(struct sink *sink, struct error *err)
{
    struct airbyte_states *states = sink->base.task->checkpoint.states;
    const struct task_output *output = &sink->output;
    if (!sink->renames)
        return airbyte_states_apply(states, &output->line, &output->message, err);
    buffer_clear(&sink->renamed);
    task_rename(&sink->renamed, &output->line, &output->message, &sink->targets);
    struct json line;
    struct airbyte_message message;
    struct arena arena;
    arena_init(&arena);
    int result = json_parse(sink->parser, sink->renamed.data, sink->renamed.size, &line, err);
    if (result == 0)
        result = airbyte_decode(&line, &arena, &message, err);
    if (result == 0)
        result = airbyte_states_apply(states, &line, &message, err);
    arena_done(&arena);
    return result;
}

static int take_echo(struct sink *sink, struct error *err)
{
    const struct task_output *output = &sink->output;
    const struct task_echo_entry *entry =
        task_echoes_match(&sink->echoes, airbyte_state_identity(&output->line, &output->message));
    if (!entry) {
        error_set(
            err, ERROR_PROTOCOL,
            "%s echoed a STATE that it was not sent, or echoed it twice (line %llu of its output): %.*s",
            sink->base.label, (unsigned long long)output->lines,
            (int)utf8_cut(output->raw.data, output->raw.size, 200), output->raw.data);
        err->retriable = true;
        return -1;
    }
    if (apply(sink, err) < 0)
        return error_wrap(err, "a STATE of %s", sink->base.label);
    cover(sink->base.task, entry, rejected_of(output));
    task_ledger_add(&sink->ledger, 0);
    return 0;
}

static int take_output(struct sink *sink, struct error *err)
{
    int got;
    while ((got = task_output_next(&sink->output, err)) == 1) {
        const struct airbyte_message *message = &sink->output.message;
        if (message->type == AIRBYTE_STATE && take_echo(sink, err) < 0)
            return -1;
        if (message->type == AIRBYTE_CONTROL &&
            take_control(sink, &sink->output.line, message->control.config, err) < 0)
            return -1;
    }
    return got;
}

static bool exited(const struct sink *sink)
{
    return connector_output_ended(sink->output.process) && connector_exited(sink->output.process);
}

/* It ended well, with its input: all is delivered if it said so. */
static int cover_all(struct sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    size_t waiting = task_echoes_waiting(&sink->echoes);
    if (waiting) {
        error_set(err, ERROR_PROTOCOL,
                  "%s ended well without echoing %zu STATE%s: what %s for may not be written, and will be "
                  "sent again",
                  sink->base.label, waiting, waiting == 1 ? "" : "s",
                  waiting == 1 ? "it stands" : "they stand");
        err->retriable = true;
        return -1;
    }
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_sent sent = sent_of(task, i);
        task->bindings[i].covered_documents = sent.documents - task->bindings[i].covered_rejected;
        task->bindings[i].covered_bytes = sent.bytes;
        task->bindings[i].covered_invalid = task->progress[i].invalid;
        if (task->bindings[i].saved)
            task->bindings[i].saved->replacing = false;
    }
    task->checkpoint.complete = true;
    task_ledger_add(&sink->ledger, 0);
    return 0;
}

/* The destination has ended: what it has made durable is saved, whatever its end was. */
static int conclude(struct sink *sink, struct error *err)
{
    struct error failure;
    int result = task_output_result(&sink->output, &failure);
    if (result < 0)
        task_output_tell_failure(&sink->output, "destination");
    sink->finished = true;
    if (result == 0 && !sink->finishing) {
        error_set(&failure, ERROR_PROTOCOL, "%s ended before its input did", sink->base.label);
        failure.retriable = true;
        result = -1;
    }
    if (result == 0 && sink->how == TASK_FINISH_COMPLETE)
        result = cover_all(sink, &failure);
    if (sink->ledger.pending.any && task_ledger_commit(&sink->ledger, err) < 0)
        return -1;
    if (result < 0)
        *err = failure;
    return result;
}

/* It broke its protocol or does not read any more: what it echoed before counts, nothing after. The failure
 * to tell is that, whatever becomes of the commit. */
static int give_up(struct sink *sink)
{
    struct error unused;
    connector_kill(sink->output.process);
    sink->finished = true;
    if (sink->ledger.pending.any)
        task_ledger_commit(&sink->ledger, &unused);
    return -1;
}

static int service(struct task_sink *base, struct error *err)
{
    struct sink *sink = of(base);
    if (sink->talk)
        return sink->checking ? service_check(sink, err) : service_spec(sink, err);
    if (!sink->output.process || sink->finished)
        return 0;
    if (connector_service(sink->output.process, err) < 0)
        return give_up(sink);
    if (take_output(sink, err) < 0) {
        connector_add_logs(sink->output.process, err);
        return give_up(sink);
    }
    return exited(sink) ? conclude(sink, err) : 0;
}

static size_t pollfds(struct task_sink *base, struct pollfd *fds)
{
    struct sink *sink = of(base);
    if (sink->talk)
        return conversation_pollfds(sink->talk, fds);
    return sink->output.process && !sink->finished ? connector_pollfds(sink->output.process, fds) : 0;
}

static int timeout_ms(const struct task_sink *base, uint64_t now_ms)
{
    const struct sink *sink = of_const(base);
    if (sink->talk)
        return conversation_timeout_ms(sink->talk);
    if (!sink->output.process || sink->finished)
        return -1;
    int commit = task_commit_wait_ms(&base->task->spec->commit, &sink->ledger.pending, now_ms);
    int process = connector_timeout_ms(sink->output.process);
    return commit < 0 || (process >= 0 && process < commit) ? process : commit;
}

static int save(struct task_sink *base, struct error *err)
{
    return task_ledger_commit(&of(base)->ledger, err);
}

static int tick(struct task_sink *base, uint64_t now_ms, bool active, struct error *err)
{
    return task_ledger_tick(&of(base)->ledger, now_ms, active, err);
}

/* --- the end ------------------------------------------------------------------------------------- */

static int finish(struct task_sink *base, enum task_finish how, struct error *err)
{
    struct sink *sink = of(base);
    struct task *task = base->task;
    sink->finishing = true;
    sink->how = how;
    if (!sink->output.process || sink->finished) {
        sink->finished = true;
        return 0;
    }
    if (how == TASK_FINISH_COMPLETE) {
        struct buffer text;
        buffer_init(&text, BUFFER_UNLIMITED);
        for (size_t i = 0; i < task->binding_count; i++)
            airbyte_write_trace_status(&text, clock_wall_ms(task->clock), task->bindings[i].target,
                                       AIRBYTE_STREAM_COMPLETE);
        connector_send(sink->output.process, (struct slice){text.data, text.size});
        buffer_done(&text);
        sink->finished = fault_planted("success-before-commit"); /* a bug, for the checker to catch */
    }
    connector_finish_input(sink->output.process);
    return 0;
}

static bool finished(const struct task_sink *base)
{
    return of_const(base)->finished;
}

static void kill_sink(struct task_sink *base)
{
    struct sink *sink = of(base);
    if (sink->output.process && !connector_exited(sink->output.process))
        connector_kill(sink->output.process);
}

static void close_sink(struct task_sink *base)
{
    struct sink *sink = of(base);
    conversation_free(sink->talk);
    connector_free(sink->output.process);
    task_output_done(&sink->output);
    task_echoes_done(&sink->echoes);
    task_lookup_done(&sink->sources);
    task_lookup_done(&sink->targets);
    json_parser_free(sink->parser);
    buffer_done(&sink->renamed);
    buffer_done(&sink->lowered);
    task_ledger_done(&sink->ledger);
    free(sink);
}

struct task_sink *task_sink_airbyte_new(struct task *task)
{
    static const struct task_sink_class class = {
        .name = "airbyte destination",
        .exactly_once = false,
        .open = open_sink,
        .prepared = prepared,
        .begin = begin,
        .ready = ready,
        .write = write_document,
        .write_invalid = write_invalid,
        .checkpoint = checkpoint,
        .save = save,
        .tick = tick,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .finish = finish,
        .finished = finished,
        .kill = kill_sink,
        .close = close_sink,
    };
    struct sink *sink = mem_zalloc(sizeof *sink);
    sink->base =
        (struct task_sink){.class = &class, .task = task, .label = task->spec->destination.program.label};
    sink->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    buffer_init(&sink->renamed, BUFFER_UNLIMITED);
    buffer_init(&sink->lowered, BUFFER_UNLIMITED);
    task_output_init(&sink->output, sink->base.label, task->report, &task->spec->limits);
    return &sink->base;
}
