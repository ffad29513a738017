#include "task/inferred.h"
#include "task/ledger.h"
#include "task/notes.h"
#include "task/reduction.h"
#include "task/sink.h"
#include "task/violation.h"

#include "base/fault.h"

/* Collections: exactly once.
 *
 * The store's open transaction holds covered documents only, those that a checkpoint of the source stands
 * behind, so that it can be committed at any moment. Documents that no checkpoint covers yet are staged in
 * memory, each binding's apart, since a STREAM's state covers the documents of that stream alone.
 *
 * When the stages outgrow their bound (a source that checkpoints rarely, or never), what is covered is
 * committed, and the fullest binding goes `direct`: its documents are appended although nothing covers
 * them yet. While a binding is direct nothing can be committed; its next checkpoint ends that.
 *
 * Documents of a binding that reduces are combined by key until the commit (reduction.h): what is covered
 * goes there instead of to the store's transaction.
 *
 * A full refresh that cannot be resumed is read from the beginning by the next session, whatever its states
 * said: nothing but the session's good end covers its documents, or they would be there twice. */

enum { STAGES_MAX = 8 << 20, NOTES_SEGMENT_BYTES = 4 << 20 };

struct sink {
    struct task_sink base;
    struct task_ledger ledger;
    struct stage_pool pool;
    struct reduction *reduction; /* NULL: no binding reduces */
    struct buffer quarantined;
    struct task_binding **uncovered; /* bindings with documents that no checkpoint covers yet */
    size_t uncovered_count;
    uint32_t direct; /* bindings that are */
    uint32_t notes;  /* the journal of the reader's */
    bool finished;
};

static struct sink *of(struct task_sink *base)
{
    return (struct sink *)base;
}

static int open_sink(struct task_sink *base, struct error *err)
{
    return task_ledger_open(&of(base)->ledger, base->task, err);
}

static bool always(const struct task_sink *base)
{
    return true;
}

static int begin(struct task_sink *base, struct error *err)
{
    struct sink *sink = of(base);
    struct task *task = base->task;
    sink->uncovered = arena_alloc(&task->arena, (task->binding_count + 1) * sizeof *sink->uncovered);
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding *binding = &task->bindings[i];
        const struct task_binding_spec *spec = binding->spec;
        if (store_writer_journal(sink->ledger.writer, spec->collection, &spec->journal, &binding->journal,
                                 err) < 0)
            return error_wrap(err, "%s", spec->collection);
        if (spec->quarantine && store_writer_journal(sink->ledger.writer, spec->quarantine, &spec->journal,
                                                     &binding->quarantine_journal, err) < 0)
            return error_wrap(err, "%s", spec->quarantine);
    }
    if (task->notes_bytes && store_writer_journal(sink->ledger.writer, TASK_NOTES,
                                                  &(struct store_journal_options){
                                                      .segment_bytes = NOTES_SEGMENT_BYTES,
                                                      .retain_bytes = task->notes_bytes,
                                                  },
                                                  &sink->notes, err) < 0)
        return -1;
    return reduction_new(task, &sink->reduction, err);
}

/* --- documents ----------------------------------------------------------------------------------- */

/* Where documents of a binding go. */
struct outlet {
    struct sink *sink;
    const struct task_binding *binding;
};

static int append(void *context, uint32_t journal, struct slice document, struct error *err)
{
    const struct outlet *to = context;
    struct sink *sink = to->sink;
    task_ledger_add(&sink->ledger, document.size);
    if (to->binding->reduced && journal == to->binding->journal)
        return reduction_add(sink->reduction, to->binding, document, err);
    return store_append(sink->ledger.writer, journal, document, err);
}

static int drain_stage(struct sink *sink, struct task_binding *binding, struct error *err)
{
    struct outlet to = {sink, binding};
    return stage_drain(&sink->pool, &binding->staged, append, &to, err);
}

/* What was to be reduced and could not be is not in the transaction: its checkpoint must not be either. */
static int commit_all(struct sink *sink, struct error *err)
{
    if (reduction_broken(sink->reduction))
        return error_set(err, ERROR_INVALID, "documents could not be combined");
    if (sink->reduction && reduction_drain(sink->reduction, sink->ledger.writer, err) < 0)
        return -1;
    fault_point("task.combined");
    if (task_inferred_save(sink->base.task, err) < 0)
        return -1;
    return task_ledger_commit(&sink->ledger, err);
}

/* Commit what is covered, unless an uncovered document is in the way. */
static int commit(struct sink *sink, struct error *err)
{
    return sink->direct ? 0 : commit_all(sink, err);
}

static int make_room(struct sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    struct task_binding *fullest = &task->bindings[0];
    for (size_t i = 1; i < task->binding_count; i++) {
        if (task->bindings[i].staged.bytes > fullest->staged.bytes)
            fullest = &task->bindings[i];
    }
    if (sink->ledger.pending.any && commit(sink, err) < 0)
        return -1;
    fullest->direct = true;
    sink->direct++;
    return drain_stage(sink, fullest, err);
}

static int put(struct sink *sink, struct task_binding *binding, uint32_t journal, struct slice document,
               struct error *err)
{
    if (!binding->uncovered_at) {
        sink->uncovered[sink->uncovered_count++] = binding;
        binding->uncovered_at = sink->uncovered_count;
    }
    if (binding->direct)
        return append(&(struct outlet){sink, binding}, journal, document, err);
    stage_put(&sink->pool, &binding->staged, journal, document);
    return sink->pool.used > STAGES_MAX ? make_room(sink, err) : 0;
}

static int write_document(struct task_sink *base, const struct task_item *item, struct error *err)
{
    return put(of(base), item->binding, item->binding->journal, json_raw(item->line, item->document), err);
}

static int write_invalid(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct sink *sink = of(base);
    if (!item->binding->spec->quarantine)
        return task_violation_error(base->task, item, err);
    if (task_violation_document(base->task, item, &sink->quarantined, err) < 0)
        return -1;
    return put(sink, item->binding, item->binding->quarantine_journal,
               (struct slice){sink->quarantined.data, sink->quarantined.size}, err);
}

/* --- checkpoints --------------------------------------------------------------------------------- */

/* Does the session's good end alone cover it? */
static bool waits_for_end(const struct task_binding *binding)
{
    return binding->configured.sync_mode == AIRBYTE_FULL_REFRESH && !binding->configured.stream.is_resumable;
}

/* Is there a binding that the checkpoint covers? */
static bool covers_any(const struct task *task, const struct task_item *item)
{
    if (item->binding)
        return !waits_for_end(item->binding);
    for (size_t i = 0; i < task->binding_count; i++) {
        if (!waits_for_end(&task->bindings[i]))
            return true;
    }
    return false;
}

static void set_covered(struct sink *sink, struct task_binding *binding)
{
    if (!binding->uncovered_at)
        return;
    struct task_binding *last = sink->uncovered[--sink->uncovered_count];
    sink->uncovered[binding->uncovered_at - 1] = last;
    last->uncovered_at = binding->uncovered_at;
    binding->uncovered_at = 0;
}

static int cover(struct sink *sink, struct task_binding *binding, struct error *err)
{
    set_covered(sink, binding);
    const struct task_binding_progress *progress = &sink->base.task->progress[binding->index];
    binding->covered_documents = progress->documents;
    binding->covered_bytes = progress->bytes;
    binding->covered_invalid = progress->invalid;
    if (binding->direct) {
        binding->direct = false;
        sink->direct--;
    }
    return drain_stage(sink, binding, err);
}

static int cover_all(struct sink *sink, bool at_end, struct error *err)
{
    /* From the last back, since covering one puts the last in its place. A task may have thousands of
     * bindings, and a checkpoint every few documents. */
    for (size_t i = sink->uncovered_count; i-- > 0;) {
        struct task_binding *binding = sink->uncovered[i];
        if ((at_end || !waits_for_end(binding)) && cover(sink, binding, err) < 0)
            return -1;
    }
    return 0;
}

/* It may be the only word of a column that no document has yet: it is never passed over. */
static int take_sourced(struct task *task, const struct task_flow_item *item, struct error *err)
{
    for (size_t i = 0; i < item->schema_count; i++) {
        for (size_t j = 0; j < task->binding_count; j++) {
            struct task_binding *binding = &task->bindings[j];
            struct error why;
            if (!slice_equal(binding->source.name, item->schemas[i].name) ||
                task_inferred_sourced(binding->inferred, item->schemas[i].raw, &why) == 0)
                continue;
            error_set(err, ERROR_PROTOCOL,
                      "this checkpoint's 'sourcedSchema' of %.*s, for %s, has a 'documentSchema' that is no "
                      "JSON schema: %s",
                      SLICE_ARGS(binding->source.name), binding->spec->collection, why.message);
            err->retriable = true;
            return -1;
        }
    }
    return 0;
}

static int checkpoint(struct task_sink *base, const struct task_item *item, struct error *err)
{
    struct sink *sink = of(base);
    if (!covers_any(base->task, item))
        return 0;
    struct task_checkpoint *saved = &base->task->checkpoint;
    int taken = item->flow      ? task_flow_saved_take(&saved->flow, item->flow, err)
                : item->message ? airbyte_states_apply(saved->states, item->line, item->message, err)
                                : 0; /* documents that were pushed: nothing goes on from there */
    if (taken == 0 && item->flow)
        taken = take_sourced(base->task, item->flow, err);
    if (taken < 0)
        return error_wrap(err, "%s, line %llu of its output", base->task->spec->source.program.label,
                          (unsigned long long)item->line_number);
    if (fault_planted("checkpoint-ahead")) {
        /* A bug, for the checker to catch: what the checkpoint stands for is saved before its documents. */
        if (commit_all(sink, err) < 0)
            return -1;
    }
    task_ledger_add(&sink->ledger, 0);
    if (item->note.size && store_append(sink->ledger.writer, sink->notes, item->note, err) < 0)
        return -1;
    return item->binding ? cover(sink, item->binding, err) : cover_all(sink, false, err);
}

static int save(struct task_sink *base, struct error *err)
{
    struct sink *sink = of(base);
    task_ledger_add(&sink->ledger, 0);
    return sink->direct ? 0 : commit_all(sink, err);
}

static int tick(struct task_sink *base, uint64_t now_ms, bool active, struct error *err)
{
    struct sink *sink = of(base);
    struct task_pending *pending = &sink->ledger.pending;
    if (active)
        pending->active_ms = now_ms;
    if (sink->direct || !task_commit_due(&base->task->spec->commit, pending, now_ms))
        return 0;
    return commit_all(sink, err);
}

static int timeout_ms(const struct task_sink *base, uint64_t now_ms)
{
    const struct sink *sink = (const struct sink *)base;
    return sink->direct ? -1 : task_commit_wait_ms(&base->task->spec->commit, &sink->ledger.pending, now_ms);
}

/* --- the end ------------------------------------------------------------------------------------- */

static int finish(struct task_sink *base, enum task_finish how, struct error *err)
{
    struct sink *sink = of(base);
    struct task *task = base->task;
    sink->finished = true;
    if (how == TASK_FINISH_COMPLETE) {
        /* A source may end without a last state: what it sent counts all the same. */
        if (cover_all(sink, true, err) < 0)
            return -1;
        task->checkpoint.complete = true;
        return commit_all(sink, err);
    }
    /* What no checkpoint covers will be sent again. */
    for (size_t i = 0; i < task->binding_count; i++)
        stage_drop(&sink->pool, &task->bindings[i].staged);
    return sink->ledger.pending.any ? commit(sink, err) : 0;
}

static bool finished(const struct task_sink *base)
{
    return ((const struct sink *)base)->finished;
}

static size_t no_pollfds(struct task_sink *base, struct pollfd *fds)
{
    return 0;
}

static int no_service(struct task_sink *base, struct error *err)
{
    return 0;
}

static void no_kill(struct task_sink *base) {}

static void close_sink(struct task_sink *base)
{
    struct sink *sink = of(base);
    for (size_t i = 0; i < base->task->binding_count; i++)
        stage_drop(&sink->pool, &base->task->bindings[i].staged);
    reduction_free(sink->reduction);
    stage_pool_done(&sink->pool);
    buffer_done(&sink->quarantined);
    task_ledger_done(&sink->ledger);
    free(sink);
}

struct task_sink *task_sink_collections_new(struct task *task)
{
    static const struct task_sink_class class = {
        .name = "collections",
        .exactly_once = true,
        .open = open_sink,
        .prepared = always,
        .begin = begin,
        .ready = always,
        .write = write_document,
        .write_invalid = write_invalid,
        .checkpoint = checkpoint,
        .save = save,
        .tick = tick,
        .pollfds = no_pollfds,
        .timeout_ms = timeout_ms,
        .service = no_service,
        .finish = finish,
        .finished = finished,
        .kill = no_kill,
        .close = close_sink,
    };
    struct sink *sink = mem_zalloc(sizeof *sink);
    sink->base = (struct task_sink){.class = &class, .task = task, .label = "collections"};
    stage_pool_init(&sink->pool);
    buffer_init(&sink->quarantined, STORE_DOCUMENT_MAX);
    return &sink->base;
}
