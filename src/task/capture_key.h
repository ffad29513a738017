/* The key of a collection that is captured into: it should stay what it is. */
#ifndef FIRTH_TASK_CAPTURE_KEY_H
#define FIRTH_TASK_CAPTURE_KEY_H

#include "task/task.h"

/* Of a capture's binding, before its `saved` is changed: warn if its collection has another key than when it
 * was captured into last, and note what it is now. A backfill that was raised with it is what is advised. */
void task_capture_key_note(struct task *task, struct task_binding *binding);

#endif
