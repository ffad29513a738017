/* The store's side of every sink: the task's writer, its checkpoint in the store, and what a commit means
 * for the counters. */
#ifndef FIRTH_TASK_LEDGER_H
#define FIRTH_TASK_LEDGER_H

#include "task/policy.h"
#include "task/task.h"

struct task_ledger {
    struct task *task;
    struct store *store;
    struct store_writer *writer;
    struct buffer checkpoint;
    struct task_pending pending;
};

/* Open the task's writer and load task->checkpoint. If another process still has the writer (the
 * predecessor, about to end) wait for it a little. */
int task_ledger_open(struct task_ledger *ledger, struct task *task, struct error *err);
void task_ledger_done(struct task_ledger *ledger); /* legal on a zeroed one */

/* Something more waits for the next commit. */
void task_ledger_add(struct task_ledger *ledger, uint64_t bytes);
/* Commit task->checkpoint and whatever was appended; what bindings have `covered` is `committed` then. */
int task_ledger_commit(struct task_ledger *ledger, struct error *err);
/* Take note of the time, and commit if that is due. */
int task_ledger_tick(struct task_ledger *ledger, uint64_t now_ms, bool active, struct error *err);

#endif
