#include "task/sink_materialize.h"

#include "task/violation.h"

/* The first half of a transaction: documents are combined by key, and the endpoint is asked for what it has
 * of each key. */

/* --- sending --------------------------------------------------------------------------------------- */

void materialize_hand_over(struct materialize_sink *sink)
{
    if (sink->out.size == 0)
        return;
    /* Whose output has ended, its input is closed: see gone() in sink_materialize.c. */
    if (!connector_output_ended(sink->process))
        connector_send(sink->process, (struct slice){sink->out.data, sink->out.size});
    buffer_clear(&sink->out);
}

void materialize_send(struct materialize_sink *sink, const struct flow_materialize_request *request)
{
    materialize_sent(&sink->protocol, request->type);
    flow_materialize_write_request(&sink->out, request);
    if (sink->out.size >= MATERIALIZE_SEND_BYTES)
        materialize_hand_over(sink);
}

size_t materialize_queued(const struct materialize_sink *sink)
{
    return sink->out.size + connector_pending_input(sink->process);
}

/* --- loading --------------------------------------------------------------------------------------- */

/* Keys beyond the largest that was ever stored are not there. */
static bool cannot_be_there(const struct materialize_sink *sink, size_t binding, struct slice packed)
{
    const struct buffer *max = &sink->positions.max_keys[binding];
    return sink->outputs[binding].skips_loads &&
           (max->size == 0 || slice_compare(packed, (struct slice){max->data, max->size}) > 0);
}

static int ask_for(struct materialize_sink *sink, uint32_t binding, const struct json *doc, struct error *err)
{
    struct materialize_row *row = &sink->outputs[binding].row;
    if (materialize_row_key(row, doc, err) < 0)
        return -1;
    struct slice packed = {row->key_packed.data, row->key_packed.size};
    if (!key_set_add(&sink->keys, binding, packed) || cannot_be_there(sink, binding, packed))
        return 0;
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_LOAD,
        .load = {
            .binding = binding, .raw_key = {row->key_json.data, row->key_json.size}, .key_packed = packed}};
    materialize_send(sink, &request);
    sink->loads++;
    return 0;
}

int materialize_load(struct materialize_sink *sink, const struct task_item *item, struct error *err)
{
    struct task *task = sink->base.task;
    uint32_t binding = (uint32_t)item->binding->index;
    int added = combiner_add(sink->combiner, binding, item->line, err);
    if (added < 0)
        return error_wrap(err, "document %llu of %s", (unsigned long long)item->number,
                          item->binding->spec->collection);
    if (added > 0)
        return task_violation_error(task, item, err);
    sink->documents++;
    if (sink->triggers)
        task_triggers_document(sink->triggers, binding, item->binding->spec->collection,
                               item->binding->newest_ms);
    if (item->binding->newest_ms > sink->newest_ms)
        sink->newest_ms = item->binding->newest_ms;
    task_ledger_add(&sink->ledger, item->raw.size);
    return sink->outputs[binding].delta_updates ? 0 : ask_for(sink, binding, item->line, err);
}

int materialize_take_loaded(struct materialize_sink *sink, const struct flow_loaded *loaded,
                            struct error *err)
{
    struct task *task = sink->base.task;
    struct json doc;
    if (loaded->binding >= sink->enabled_count)
        return error_set(err, ERROR_PROTOCOL, "'loaded' of binding %u, but there %s %zu", loaded->binding,
                         sink->enabled_count == 1 ? "is" : "are", sink->enabled_count);
    struct materialize_output *output = &sink->outputs[loaded->binding];
    const char *collection = task->bindings[loaded->binding].spec->collection;
    if (output->delta_updates)
        return error_set(err, ERROR_PROTOCOL, "'loaded' of the binding of %s, of which nothing is loaded",
                         collection);
    if (loaded->raw_doc.size == 0)
        return error_set(err, ERROR_PROTOCOL, "'loaded' of the binding of %s without 'doc'", collection);
    if (json_parse(sink->loaded_parser, loaded->raw_doc.data, loaded->raw_doc.size, &doc, err) < 0 ||
        materialize_row_key(&output->row, &doc, err) < 0)
        return error_wrap(err, "'loaded' of the binding of %s", collection);
    if (!key_set_has(&sink->keys, loaded->binding,
                     (struct slice){output->row.key_packed.data, output->row.key_packed.size}))
        return error_set(err, ERROR_PROTOCOL,
                         "'loaded' of the binding of %s with the key %.*s, which was not asked for",
                         collection, (int)(output->row.key_json.size < 200 ? output->row.key_json.size : 200),
                         output->row.key_json.data);
    task->progress[loaded->binding].loaded++;
    if (combiner_add_left(sink->combiner, loaded->binding, &doc, err) < 0)
        return error_wrap(err, "'loaded' of the binding of %s", collection);
    return 0;
}

/* --- the end of the first half ---------------------------------------------------------------------- */

/* What the reader has handed over until now is this transaction. */
void materialize_flush(struct materialize_sink *sink)
{
    const struct flow_materialize_request request = {.type = FLOW_MATERIALIZE_FLUSH};
    materialize_send(sink, &request);
    materialize_hand_over(sink);
}
