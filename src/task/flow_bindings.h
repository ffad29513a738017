/* The bindings of a capture whose connector speaks Flow's protocol: task_streams_resolve for these. */
#ifndef FIRTH_TASK_FLOW_BINDINGS_H
#define FIRTH_TASK_FLOW_BINDINGS_H

#include "task/task.h"

/* Fill task->bindings from task->spec and task->resource_paths, and bring task->checkpoint to the beginning
 * of this session. The connector's state is not touched: a changed backfill counter changes the binding's
 * state key, by which the connector itself begins anew. */
int task_flow_resolve(struct task *task, struct error *err);

/* A resource's name for people and statistics: its path, joined by '/'. In the arena, NUL-terminated. */
struct slice task_flow_name(struct flow_texts path, struct arena *arena);
/* A materialization's binding in errors, once its connector has told the path. In the arena. */
const char *task_flow_binding_name(const char *collection, struct flow_texts path, struct arena *arena);

#endif
