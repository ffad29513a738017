/* From a stream's name in a message to its binding. The stream of the message before is tried first. */
#ifndef FIRTH_TASK_LOOKUP_H
#define FIRTH_TASK_LOOKUP_H

#include "base/map.h"
#include "task/task.h"

enum task_lookup_side { TASK_LOOKUP_SOURCE, TASK_LOOKUP_TARGET };

struct task_lookup {
    struct task *task;
    enum task_lookup_side side;
    struct map by_name;
    struct buffer key;
    struct task_binding *last;
};

void task_lookup_init(struct task_lookup *lookup, struct task *task, enum task_lookup_side side);
void task_lookup_done(struct task_lookup *lookup); /* legal on a zeroed one */

/* NULL if no binding has that stream. */
struct task_binding *task_lookup_find(struct task_lookup *lookup, struct airbyte_stream_name name);

/* The error for a stream that nobody asked for, with the nearest that was. Returns -1. */
int task_lookup_unknown(const struct task_lookup *lookup, struct airbyte_stream_name name, const char *who,
                        uint64_t line_number, struct error *err);

#endif
