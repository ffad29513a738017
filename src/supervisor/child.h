/* One task process: started with its specification, heard until both its events and it itself have ended. */
#ifndef FIRTH_SUPERVISOR_CHILD_H
#define FIRTH_SUPERVISOR_CHILD_H

#include "task/event.h"

#include "base/text.h"

#include <uv.h>

/* Its own process, or one among others in the listener's (listener.h). */
struct child {
    const struct child_class {
        void (*stop)(struct child *child);
        void (*kill)(struct child *child);
    } * class;
};

struct child_callbacks {
    void *context;
    /* Every event but the end. Valid during the call. */
    void (*event)(void *context, const struct task_event *event);
    /* The process is gone. `error` is set for TASK_FAILED. The child is freed by itself afterwards. */
    void (*ended)(void *context, enum task_outcome outcome, const struct error *error);
    /* Instead of `ended`: the process that it shares with others is gone (listener.h), through no fault that
     * is known to be its own. `deaths` is how often in a row, from 1: how long to wait, in place of failures.
     */
    void (*lost)(void *context, const struct error *error, uint32_t deaths);
};

/* NULL and a retriable error if the machine refuses. `spec` is copied. */
struct child *child_start(uv_loop_t *loop, const char *program, struct slice spec,
                          const struct child_callbacks *callbacks, struct error *err);
/* The first time: finish the transaction (SIGTERM); the second: end at once (SIGQUIT). */
void child_stop(struct child *child);
/* SIGKILL to its process group. */
void child_kill(struct child *child);

#endif
