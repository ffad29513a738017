#include "task/ledger.h"

#include "base/fault.h"
#include "task/kept_config.h"

#include <poll.h>

enum {
    BUSY_WAIT_MS = 5000, /* for the predecessor's end */
    BUSY_STEP_MS = 50,
};

static int open_writer(struct task_ledger *ledger, struct slice *ret_saved, struct error *err)
{
    for (int waited = 0;; waited += BUSY_STEP_MS) {
        ledger->writer = store_writer_open(ledger->store, ledger->task->spec->name, ret_saved, err);
        if (ledger->writer)
            return 0;
        if (err->code != ERROR_BUSY || waited >= BUSY_WAIT_MS || ledger->task->stopping)
            return -1;
        poll(NULL, 0, BUSY_STEP_MS);
    }
}

int task_ledger_open(struct task_ledger *ledger, struct task *task, struct error *err)
{
    *ledger = (struct task_ledger){.task = task};
    buffer_init(&ledger->checkpoint, STORE_CHECKPOINT_MAX);
    ledger->store = store_open(task->spec->data_dir, NULL, err);
    if (!ledger->store)
        return -1;
    struct slice saved;
    if (open_writer(ledger, &saved, err) < 0)
        return -1;
    return task_checkpoint_load(&task->checkpoint, saved, err) < 0 ? -1 : task_config_adopt(task, err);
}

void task_ledger_done(struct task_ledger *ledger)
{
    store_writer_close(ledger->writer);
    store_close(ledger->store);
    buffer_done(&ledger->checkpoint);
    *ledger = (struct task_ledger){0};
}

void task_ledger_add(struct task_ledger *ledger, uint64_t bytes)
{
    struct task_pending *pending = &ledger->pending;
    if (!pending->any) {
        pending->any = true;
        pending->bytes = 0;
        pending->since_ms = task_report_now_ms(ledger->task->report);
    }
    pending->bytes += bytes;
}

static void note_committed(struct task *task)
{
    int64_t now = clock_wall_ms(task->clock);
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding *binding = &task->bindings[i];
        struct task_binding_progress *progress = &task->progress[i];
        progress->rejected = binding->covered_rejected;
        if (binding->covered_documents == progress->committed_documents)
            continue;
        progress->committed_documents = binding->covered_documents;
        progress->committed_bytes = binding->covered_bytes;
        if (binding->newest_ms)
            progress->lag_ms = now > binding->newest_ms ? now - binding->newest_ms : 0;
    }
}

int task_ledger_commit(struct task_ledger *ledger, struct error *err)
{
    struct task *task = ledger->task;
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding *binding = &task->bindings[i];
        const struct task_binding_progress *progress = &task->progress[i];
        struct task_saved_stream *saved = binding->saved;
        saved->documents += binding->covered_documents - progress->committed_documents;
        saved->bytes += binding->covered_bytes - progress->committed_bytes;
        saved->invalid += binding->covered_invalid - binding->committed_invalid;
        binding->committed_invalid = binding->covered_invalid;
    }
    task_checkpoint_write(&task->checkpoint, &ledger->checkpoint);
    if (ledger->checkpoint.overflowed)
        return error_set(err, ERROR_LIMIT,
                         "the checkpoint is larger than the limit of %d bytes: the source's state "
                         "grows without bound",
                         STORE_CHECKPOINT_MAX);
    fault_point("task.commit.before");
    if (store_commit(ledger->writer, (struct slice){ledger->checkpoint.data, ledger->checkpoint.size}, err) <
        0)
        return -1;
    fault_point("task.commit.after");
    task->checkpoints_durable = task->checkpoints_taken;
    note_committed(task);
    ledger->pending.any = false;
    ledger->pending.bytes = 0;
    task->report->commits++;
    return 0;
}

int task_ledger_tick(struct task_ledger *ledger, uint64_t now_ms, bool active, struct error *err)
{
    if (active)
        ledger->pending.active_ms = now_ms;
    if (!task_commit_due(&ledger->task->spec->commit, &ledger->pending, now_ms))
        return 0;
    return task_ledger_commit(ledger, err);
}
