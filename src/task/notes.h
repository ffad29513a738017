/* What a reader keeps for itself: notes, JSON each, in a journal of the task's own beside its documents, and
 * of the same transactions (task_item.note). A reader that uses them says how much of them is kept
 * (task.notes_bytes) before the sink begins. */
#ifndef FIRTH_TASK_NOTES_H
#define FIRTH_TASK_NOTES_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The collection of all tasks' notes; no catalog can have one of this name. Not for people. */
#define TASK_NOTES ":notes"

bool task_notes_is(const char *collection);

/* The task's newest notes, at most so many, the oldest of them first. */
typedef void task_notes_take(void *context, struct slice note);
int task_notes_read(const char *data_dir, const char *task, uint64_t most, task_notes_take *take,
                    void *context, struct error *err);

#endif
