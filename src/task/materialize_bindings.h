/* The bindings of a materialization: task_streams_resolve for these. */
#ifndef FIRTH_TASK_MATERIALIZE_BINDINGS_H
#define FIRTH_TASK_MATERIALIZE_BINDINGS_H

#include "task/task.h"

/* Fill task->bindings with those of task->enabled, and bring task->checkpoint to the beginning of this
 * session. */
int task_materialize_resolve(struct task *task, struct error *err);

#endif
