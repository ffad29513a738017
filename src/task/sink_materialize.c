#include "task/sink_materialize.h"

#include "task/violation.h"

/* An endpoint behind a materialization connector that speaks Flow's protocol: the life of its session.
 *
 * A transaction takes documents while the connector still commits the one before (LOADING, not acknowledged
 * yet), and is flushed when it is due and that commit is acknowledged. From then on nothing is read until the
 * endpoint has committed: what the positions say is what was stored.
 *
 * Exactly once where the endpoint keeps the runtime checkpoint in its own transaction, or applies what it was
 * given only once it is acknowledged; at least once elsewhere. */

enum { TRIGGERS_STEP_MS = 1000 };

static const struct materialize_sink *of_const(const struct task_sink *base)
{
    return (const struct materialize_sink *)base;
}

/* Has its connector closed its output in the middle of its session? Nothing is sent to it any more: it is
 * waited for, since its end tells why. */
static bool gone(const struct materialize_sink *sink)
{
    return sink->process && sink->protocol.phase != MATERIALIZE_LEAVING &&
           connector_output_ended(sink->process);
}

/* Nothing more can be had from it. */
static int broken(struct materialize_sink *sink)
{
    sink->finished = true;
    return -1;
}

/* --- beginning ------------------------------------------------------------------------------------- */

static int open_sink(struct task_sink *base, struct error *err)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    return task_ledger_open(&sink->ledger, base->task, err) < 0 ? -1 : materialize_setup_open(sink, err);
}

static bool prepared(const struct task_sink *base)
{
    return of_const(base)->opened;
}

static int init_output(struct materialize_sink *sink, size_t index, struct error *err)
{
    struct materialize_output *output = &sink->outputs[index];
    const struct flow_materialize_binding *binding = &sink->spec.bindings.items[index];
    output->delta_updates = binding->delta_updates;
    output->skips_loads = sink->load_optimization && (sink->positions.max_keys[index].size > 0 ||
                                                      task_positions_zero(&sink->positions, index));
    buffer_init(&output->max_key, BUFFER_UNLIMITED);
    return materialize_row_init(&output->row, binding->collection, binding->field_selection,
                                binding->ser_policy, &sink->base.task->arena, err);
}

/* What the endpoint had committed and nobody told of is told of now. */
static int begin_triggers(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    struct task_materialize_saved *saved = &task->checkpoint.materialize;
    if (task->spec->triggers.size == 0) {
        task_materialize_saved_set(&saved->triggers, (struct slice){0});
        return 0;
    }
    sink->triggers = task_triggers_new(task->spec->triggers, saved->triggers, task->spec->name,
                                       sink->base.label, task->report, task->clock, err);
    if (!sink->triggers)
        return -1;
    for (size_t i = 0; i < task->binding_count; i++) {
        if (task->bindings[i].recovered)
            task_triggers_document(sink->triggers, i, task->bindings[i].spec->collection,
                                   clock_wall_ms(task->clock));
    }
    task_materialize_saved_set(&saved->triggers, slice_of(task_triggers_commit(sink->triggers)));
    return 0;
}

static int begin(struct task_sink *base, struct error *err)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    struct task *task = base->task;
    sink->outputs = arena_zalloc(&task->arena, (sink->enabled_count + 1) * sizeof *sink->outputs);
    struct combiner_binding *bindings =
        arena_zalloc(&task->arena, (sink->enabled_count + 1) * sizeof *bindings);
    for (size_t i = 0; i < sink->enabled_count; i++) {
        if (init_output(sink, i, err) < 0)
            return -1;
        bindings[i] =
            (struct combiner_binding){.schema = task->bindings[i].schema,
                                      .key = &sink->outputs[i].row.key,
                                      .mode = sink->outputs[i].delta_updates ? REDUCE_PARTIAL : REDUCE_FULL};
    }
    const struct combiner_options options = {.folder = task->spec->data_dir,
                                             .memory = MATERIALIZE_COMBINE_BYTES};
    sink->combiner = combiner_new(bindings, sink->enabled_count, &options, err);
    if (!sink->combiner)
        return -1;
    if (begin_triggers(sink, err) < 0)
        return -1;
    /* What the endpoint knew and we did not is in our record from now on, for who asks how far it is. */
    if (task->checkpoint.idle_changed && materialize_save_state(sink, err) < 0)
        return -1;
    materialize_acknowledge(sink); /* the last commit once more: it may not have heard of it */
    return 0;
}

/* --- documents ------------------------------------------------------------------------------------- */

static bool is_full(const struct materialize_sink *sink)
{
    return sink->ledger.pending.bytes >= sink->base.task->spec->commit.bytes ||
           sink->keys.count >= MATERIALIZE_LOADS_MAX;
}

static bool ready(const struct task_sink *base)
{
    const struct materialize_sink *sink = of_const(base);
    return sink->protocol.phase == MATERIALIZE_LOADING && !gone(sink) && !sink->finishing && !is_full(sink) &&
           materialize_queued(sink) < MATERIALIZE_QUEUE_MAX;
}

static int write_document(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    return materialize_load(sink, item, err) < 0 ? broken(sink) : 0;
}

static int write_invalid(struct task_sink *base, const struct task_item *item, struct error *err)
{
    return task_violation_error(base->task, item, err);
}

static int no_checkpoint(struct task_sink *base, const struct task_item *item, struct error *err)
{
    return 0; /* task->positions say it */
}

/* --- what comes ------------------------------------------------------------------------------------ */

/* A broken message may show a value of the connector's. */
static int broken_line(struct materialize_sink *sink, struct error *err)
{
    struct buffer masked;
    enum error_code code = err->code;
    bool retriable = err->retriable || code == ERROR_PROTOCOL;
    buffer_init(&masked, (size_t)16 * ERROR_MESSAGE_MAX);
    connector_mask(sink->process, slice_of(err->message), &masked);
    error_set(err, code, "%s, line %llu of its output: %s", sink->base.label, (unsigned long long)sink->lines,
              buffer_cstr(&masked));
    err->retriable = retriable;
    buffer_done(&masked);
    return -1;
}

static int take_response(struct materialize_sink *sink, const struct flow_materialize_response *response,
                         struct error *err)
{
    if (materialize_received(&sink->protocol, response->type, err) < 0)
        return -1;
    switch (response->type) {
    case FLOW_MATERIALIZE_OPENED:
        return materialize_take_opened(sink, &response->opened, err);
    case FLOW_MATERIALIZE_LOADED:
        return materialize_take_loaded(sink, &response->loaded, err);
    case FLOW_MATERIALIZE_FLUSHED:
        /* Its state is durable before the first store. */
        if (materialize_take_state(sink, response->flushed.state, err) < 0)
            return -1;
        return response->flushed.state ? materialize_save_state(sink, err) : 0;
    case FLOW_MATERIALIZE_STARTED_COMMIT:
        return materialize_take_state(sink, response->started_commit.state, err);
    default:
        return materialize_take_state(sink, response->acknowledged.state, err);
    }
}

static int take_line(struct materialize_sink *sink, struct slice line, struct error *err)
{
    struct flow_materialize_response response;
    struct json doc;
    sink->lines++;
    arena_clear(&sink->arena);
    if (json_parse(sink->line_parser, line.data, line.size, &doc, err) < 0) {
        /* A connector that dies may tear its last line: then it knows better why. */
        sink->torn = connector_output_ended(sink->process);
        struct error why = *err;
        connector_flow_no_json(sink->process, line, sink->lines, &why, err);
        sink->torn_error = *err;
        return sink->torn ? 0 : -1;
    }
    if (flow_materialize_read_response(&doc, &sink->arena, &response, err) < 0 ||
        take_response(sink, &response, err) < 0)
        return broken_line(sink, err);
    return 0;
}

/* It is gone: in good order only if it was left. */
static int take_end(struct materialize_sink *sink, struct error *err)
{
    const char *due = sink->protocol.phase == MATERIALIZE_LEAVING ? NULL : materialize_due(&sink->protocol);
    bool well = connector_flow_result(sink->process, due, err) == 0;
    if (sink->protocol.phase == MATERIALIZE_LEAVING && !sink->torn) {
        if (!well && !sink->told_to_go)
            task_report_logf(sink->base.task->report, LOG_WARN, "after its last transaction: %s",
                             err->message);
        sink->finished = true;
        return 0;
    }
    if (well && sink->torn)
        *err = sink->torn_error;
    else if (well && due)
        error_set(err, ERROR_PROTOCOL, "%s ended, with status 0, where %s was due", sink->base.label, due);
    else if (well)
        error_set(err, ERROR_PROTOCOL, "%s ended, with status 0, %s", sink->base.label,
                  materialize_place(&sink->protocol));
    else if (sink->torn && err->code != ERROR_CANCELLED)
        task_report_torn(sink->base.task->report, &sink->torn_error);
    if (well)
        err->retriable = true;
    return -1;
}

static int converse(struct materialize_sink *sink, struct error *err)
{
    struct slice line;
    connector_expect(sink->process, materialize_due(&sink->protocol));
    if (connector_service(sink->process, err) < 0)
        return -1;
    while (!sink->torn && connector_next_line(sink->process, &line) == 1) {
        if (!sink->told_to_go && take_line(sink, line, err) < 0) /* later it does not matter any more */
            return -1;
    }
    if (connector_output_ended(sink->process))
        connector_finish_input(sink->process);
    if (connector_output_ended(sink->process) && connector_exited(sink->process))
        return take_end(sink, err);
    return 0;
}

static int service(struct task_sink *base, struct error *err)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    int result = 0;
    if (sink->call)
        result = materialize_setup_service(sink, err);
    else if (sink->process && !sink->finished)
        result = converse(sink, err);
    return result < 0 ? broken(sink) : 0;
}

/* --- what is due ----------------------------------------------------------------------------------- */

/* Between transactions: what the connector acknowledged last is saved, and it may go. */
static int leave(struct materialize_sink *sink, uint64_t now_ms, struct error *err)
{
    bool changed = sink->state_changed || sink->base.task->checkpoint.idle_changed;
    if (changed && materialize_save_state(sink, err) < 0)
        return -1;
    materialize_hand_over(sink);
    connector_finish_input(sink->process);
    materialize_left(&sink->protocol);
    sink->left_ms = now_ms;
    return 0;
}

static bool stops_waiting(const struct materialize_sink *sink)
{
    return sink->finishing && sink->base.task->stopping && !sink->protocol.acknowledged;
}

/* The last transactions are told of before the process goes; what is not told by then the next session tells.
 */
static bool waits_for_triggers(struct materialize_sink *sink, uint64_t now_ms)
{
    uint64_t limit = sink->base.task->stopping ? TRIGGER_STOP_MS : TRIGGER_LEAVE_MS;
    if (!sink->triggers || !task_triggers_busy(sink->triggers))
        return false;
    if (sink->triggers_since_ms == 0)
        sink->triggers_since_ms = now_ms ? now_ms : 1;
    return now_ms - sink->triggers_since_ms < limit;
}

static void tick_triggers(struct materialize_sink *sink)
{
    if (!sink->triggers || !task_triggers_tick(sink->triggers))
        return;
    task_materialize_saved_set(&sink->base.task->checkpoint.materialize.triggers,
                               slice_of(task_triggers_saved(sink->triggers)));
    sink->state_changed = true; /* saved with the next commit, or at the end */
}

/* A stop does not wait for long for what the connector does with the last commit: it is acknowledged again
 * when the next session begins, and what was read since is read again. */
static int abandon(struct materialize_sink *sink, uint64_t now_ms, struct error *err)
{
    if (sink->unanswered_ms == 0)
        sink->unanswered_ms = now_ms ? now_ms : 1;
    if (now_ms - sink->unanswered_ms < MATERIALIZE_STOP_MS)
        return 0;
    task_report_logf(
        sink->base.task->report, LOG_WARN,
        "%s has not answered 'acknowledge' within %d s of the stop and is ended; the next session "
        "acknowledges again",
        sink->base.label, MATERIALIZE_STOP_MS / 1000);
    if (leave(sink, now_ms, err) < 0)
        return -1;
    sink->told_to_go = true;
    connector_stop(sink->process);
    return 0;
}

static int advance(struct materialize_sink *sink, uint64_t now_ms, struct error *err)
{
    const struct task_commit_policy *policy = &sink->base.task->spec->commit;
    switch (sink->protocol.phase) {
    case MATERIALIZE_LOADING:
        materialize_hand_over(sink);
        if (!sink->protocol.acknowledged)
            return stops_waiting(sink) ? abandon(sink, now_ms, err) : 0;
        if (sink->documents == 0)
            return sink->finishing && !waits_for_triggers(sink, now_ms) ? leave(sink, now_ms, err) : 0;
        if (sink->finishing || is_full(sink) || task_commit_due(policy, &sink->ledger.pending, now_ms))
            materialize_flush(sink);
        return 0;
    case MATERIALIZE_STORING:
        return materialize_store(sink, err);
    case MATERIALIZE_COMMITTED:
        return materialize_commit(sink, err);
    case MATERIALIZE_LEAVING:
        if (now_ms - sink->left_ms >= MATERIALIZE_LEAVE_MS && !sink->told_to_go) {
            sink->told_to_go = true;
            connector_stop(sink->process);
        }
        return 0;
    default:
        return 0;
    }
}

static int tick(struct task_sink *base, uint64_t now_ms, bool active, struct error *err)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    if (active)
        sink->ledger.pending.active_ms = now_ms;
    if (sink->finished)
        return 0;
    tick_triggers(sink);
    if (gone(sink))
        return 0;
    return advance(sink, now_ms, err) < 0 ? broken(sink) : 0;
}

static size_t pollfds(struct task_sink *base, struct pollfd *fds)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    if (sink->call)
        return connector_flow_call_pollfds(sink->call, fds);
    if (!sink->process || sink->finished)
        return 0;
    size_t count = connector_pollfds(sink->process, fds);
    if (sink->triggers)
        fds[count++] = (struct pollfd){.fd = task_triggers_fd(sink->triggers), .events = POLLIN};
    return count;
}

static int shorter(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int timeout_ms(const struct task_sink *base, uint64_t now_ms)
{
    const struct materialize_sink *sink = of_const(base);
    if (sink->call)
        return connector_flow_call_timeout_ms(sink->call);
    if (!sink->process || sink->finished)
        return -1;
    int timeout = connector_timeout_ms(sink->process);
    if (sink->triggers)
        timeout = shorter(timeout, task_triggers_timeout_ms(sink->triggers));
    if (gone(sink))
        return timeout;
    switch (sink->protocol.phase) {
    case MATERIALIZE_LOADING:
        if (stops_waiting(sink)) {
            uint64_t waited = sink->unanswered_ms ? now_ms - sink->unanswered_ms : MATERIALIZE_STOP_MS;
            return shorter(timeout, waited < MATERIALIZE_STOP_MS ? (int)(MATERIALIZE_STOP_MS - waited) : 0);
        }
        if (sink->triggers_since_ms && task_triggers_busy(sink->triggers))
            return shorter(timeout, TRIGGERS_STEP_MS); /* a signal, or its limit, may end the wait */
        if (sink->protocol.acknowledged && sink->finishing)
            return 0; /* to be left, or its last transaction to be flushed: nothing else will wake us */
        if (sink->protocol.acknowledged && sink->documents > 0)
            timeout = shorter(timeout,
                              task_commit_wait_ms(&base->task->spec->commit, &sink->ledger.pending, now_ms));
        return timeout;
    case MATERIALIZE_STORING:
        return materialize_queued(sink) < MATERIALIZE_QUEUE_MAX ? 0 : timeout;
    case MATERIALIZE_COMMITTED:
        return 0;
    case MATERIALIZE_LEAVING:
        if (sink->told_to_go)
            return timeout;
        return shorter(timeout, now_ms - sink->left_ms < MATERIALIZE_LEAVE_MS
                                    ? (int)(MATERIALIZE_LEAVE_MS - (now_ms - sink->left_ms))
                                    : 0);
    default:
        return timeout;
    }
}

/* --- the end --------------------------------------------------------------------------------------- */

/* Whatever was taken is part of a transaction, which is brought to its end; then the connector is left. */
static int finish(struct task_sink *base, enum task_finish how, struct error *err)
{
    materialize_sink_of(base)->finishing = true;
    return 0;
}

static bool finished(const struct task_sink *base)
{
    return of_const(base)->finished;
}

static void kill_sink(struct task_sink *base)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    if (sink->process && !connector_exited(sink->process))
        connector_kill(sink->process);
}

static void close_sink(struct task_sink *base)
{
    struct materialize_sink *sink = materialize_sink_of(base);
    connector_flow_call_free(sink->call);
    connector_free(sink->process);
    for (size_t i = 0; i < sink->enabled_count && sink->outputs; i++) {
        materialize_row_done(&sink->outputs[i].row);
        buffer_done(&sink->outputs[i].max_key);
    }
    task_triggers_free(sink->triggers);
    combiner_free(sink->combiner);
    if (sink->positions.sources)
        task_positions_done(&sink->positions);
    key_set_done(&sink->keys);
    buffer_done(&sink->out);
    buffer_done(&sink->checkpoint);
    json_parser_free(sink->line_parser);
    json_parser_free(sink->loaded_parser);
    json_parser_free(sink->stored_parser);
    arena_done(&sink->arena);
    task_ledger_done(&sink->ledger);
    free(sink);
}

struct task_sink *task_sink_materialize_new(struct task *task)
{
    static const struct task_sink_class class = {
        .name = "materialization",
        .exactly_once = true,
        .validates = true,
        .open = open_sink,
        .prepared = prepared,
        .begin = begin,
        .ready = ready,
        .write = write_document,
        .write_invalid = write_invalid,
        .checkpoint = no_checkpoint,
        .tick = tick,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .finish = finish,
        .finished = finished,
        .kill = kill_sink,
        .close = close_sink,
    };
    struct materialize_sink *sink = mem_zalloc(sizeof *sink);
    const struct json_limits line_limits = {.size_max = (uint32_t)task->spec->limits.line_max,
                                            .depth_max = JSON_LIMITS_DEFAULT.depth_max + 2};
    sink->base =
        (struct task_sink){.class = &class, .task = task, .label = task->spec->destination.program.label};
    sink->line_parser = json_parser_new(line_limits, JSON_DUPLICATES_LAST_WINS);
    sink->loaded_parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    sink->stored_parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    arena_init(&sink->arena);
    buffer_init(&sink->out, BUFFER_UNLIMITED);
    buffer_init(&sink->checkpoint, BUFFER_UNLIMITED);
    return &sink->base;
}
