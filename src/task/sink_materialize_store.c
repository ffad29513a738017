#include "task/sink_materialize.h"

#include "base/fault.h"

/* The second half of a transaction: what was combined is stored, the endpoint commits, then we do. */

/* --- storing --------------------------------------------------------------------------------------- */

static int store(struct materialize_sink *sink, const struct combined *combined, struct error *err)
{
    struct task *task = sink->base.task;
    struct materialize_output *output = &sink->outputs[combined->binding];
    struct materialize_row *row = &output->row;
    struct slice document;
    struct json doc;
    if (combined->is_deleted && !combined->exists)
        return 0; /* it came and went */
    if (json_parse(sink->stored_parser, combined->document.data, combined->document.size, &doc, err) < 0 ||
        materialize_row_key(row, &doc, err) < 0 ||
        materialize_row_values(row, &doc, sink->newest_ms, err) < 0 ||
        materialize_row_document(row, &doc, combined->document, &document, err) < 0)
        return error_wrap(err, "a document of %s", task->bindings[combined->binding].spec->collection);
    struct slice packed = {row->key_packed.data, row->key_packed.size};
    bool has_document = !output->delta_updates || row->document_field.size > 0;
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_STORE,
        .store = {.binding = combined->binding,
                  .raw_key = {row->key_json.data, row->key_json.size},
                  .key_packed = packed,
                  .raw_values = {row->values_json.data, row->values_json.size},
                  .values_packed = {row->values_packed.data, row->values_packed.size},
                  .raw_doc = has_document ? document : (struct slice){0},
                  .exists = combined->exists,
                  .is_delete = combined->is_deleted}};
    materialize_send(sink, &request);
    if (slice_compare(packed, (struct slice){output->max_key.data, output->max_key.size}) > 0) {
        buffer_clear(&output->max_key);
        buffer_append(&output->max_key, packed.data, packed.size);
    }
    task->progress[combined->binding].stored++;
    sink->stores++;
    return 0;
}

/* The largest keys go with the positions. */
static void raise_max_keys(struct materialize_sink *sink)
{
    for (size_t i = 0; i < sink->enabled_count; i++) {
        struct materialize_output *output = &sink->outputs[i];
        const struct buffer *old = &sink->positions.max_keys[i];
        struct slice own = {output->max_key.data, output->max_key.size};
        if (output->skips_loads && own.size > 0 &&
            slice_compare(own, (struct slice){old->data, old->size}) > 0)
            task_positions_set_max_key(&sink->positions, i, own);
        if (sink->positions.max_keys[i].size == 0 && own.size > 0)
            output->skips_loads = false; /* too large to be kept */
        buffer_clear(&output->max_key);
    }
}

/* What each binding will have committed: nothing is read until it has. */
static void raise_totals(struct materialize_sink *sink)
{
    const struct task *task = sink->base.task;
    for (size_t i = 0; i < task->binding_count; i++) {
        const struct task_saved_stream *saved = task->bindings[i].saved;
        const struct task_binding_progress *progress = &task->progress[i];
        task_positions_set_total(&sink->positions, i,
                                 saved->documents + progress->documents - progress->committed_documents,
                                 saved->bytes + progress->bytes - progress->committed_bytes);
    }
}

static void start_commit(struct materialize_sink *sink)
{
    struct json_writer writer;
    raise_max_keys(sink);
    raise_totals(sink);
    buffer_clear(&sink->checkpoint);
    json_writer_init(&writer, &sink->checkpoint);
    task_positions_write(&sink->positions, &writer);
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_START_COMMIT,
        .start_commit = {.raw_runtime_checkpoint = {sink->checkpoint.data, sink->checkpoint.size}}};
    materialize_send(sink, &request);
    materialize_hand_over(sink);
}

int materialize_store(struct materialize_sink *sink, struct error *err)
{
    for (int left = MATERIALIZE_STORES_PER_TURN; left > 0 && !sink->drained; left--) {
        struct combined combined;
        if (materialize_queued(sink) >= MATERIALIZE_QUEUE_MAX)
            break;
        int got = combiner_next(sink->combiner, &combined, err);
        if (got < 0)
            return -1;
        sink->drained = got == 0;
        if (got > 0 && store(sink, &combined, err) < 0)
            return -1;
    }
    if (sink->drained)
        start_commit(sink);
    else
        materialize_hand_over(sink);
    return 0;
}

/* --- committing ------------------------------------------------------------------------------------ */

int materialize_take_state(struct materialize_sink *sink, const struct flow_connector_state *state,
                           struct error *err)
{
    const struct task_flow_item item = {.state = state};
    if (!state)
        return 0;
    sink->state_changed = true;
    return task_flow_saved_take(&sink->base.task->checkpoint.flow, &item, err);
}

/* The positions that the checkpoint has are those of the last transaction, and what was taken since then
 * still waits for its own. */
int materialize_save_state(struct materialize_sink *sink, struct error *err)
{
    struct task_pending pending = sink->ledger.pending;
    if (task_ledger_commit(&sink->ledger, err) < 0)
        return -1;
    sink->ledger.pending = pending;
    sink->state_changed = sink->base.task->checkpoint.idle_changed = false;
    return 0;
}

void materialize_acknowledge(struct materialize_sink *sink)
{
    const struct flow_materialize_request request = {.type = FLOW_MATERIALIZE_ACKNOWLEDGE};
    materialize_send(sink, &request);
    materialize_hand_over(sink);
    key_set_clear(&sink->keys);
    combiner_clear(sink->combiner);
    sink->drained = false;
    sink->documents = 0;
}

int materialize_commit(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    for (size_t i = 0; i < task->binding_count; i++) {
        task->bindings[i].covered_documents = task->progress[i].documents;
        task->bindings[i].covered_bytes = task->progress[i].bytes;
    }
    task_materialize_saved_set(&task->checkpoint.materialize.positions,
                               (struct slice){sink->checkpoint.data, sink->checkpoint.size});
    if (sink->triggers)
        task_materialize_saved_set(&task->checkpoint.materialize.triggers,
                                   slice_of(task_triggers_commit(sink->triggers)));
    fault_point("materialize.commit.before");
    if (task_ledger_commit(&sink->ledger, err) < 0)
        return -1;
    sink->state_changed = false;
    fault_point("materialize.acknowledge.before");
    materialize_acknowledge(sink);
    return 0;
}
