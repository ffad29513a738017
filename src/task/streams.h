/* From what a catalog asks for and what a source offers to what this session does: each binding's stream,
 * modes, cursor, key, generation, and the state it goes on from. No I/O. */
#ifndef FIRTH_TASK_STREAMS_H
#define FIRTH_TASK_STREAMS_H

#include "task/task.h"

/* Fill task->bindings from task->spec, task->discovered and task->destination_modes, and bring
 * task->checkpoint to the beginning of this session: its session number, generations, and without the
 * states of streams that start over. ERROR_INVALID names the stream and what would be right. */
int task_streams_resolve(struct task *task, struct error *err);

/* Compile the schema of each binding: a capture's from its collection (an error if it does not compile), a
 * connection's from the source's catalog (where one that does not compile is told of, and validates
 * nothing: a schema never fails a sync). */
int task_streams_compile(struct task *task, struct error *err);

#endif
