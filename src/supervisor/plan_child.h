/* One planning process: started with its request, heard until it ends. */
#ifndef FIRTH_SUPERVISOR_PLAN_CHILD_H
#define FIRTH_SUPERVISOR_PLAN_CHILD_H

#include "supervisor/plan_message.h"

#include <uv.h>

struct plan_child;

struct plan_child_callbacks {
    void *context;
    /* Valid during the call. */
    void (*answered)(void *context, const struct plan_answer *answer);
    /* It is gone; `error` tells why it may not have answered all, and is retriable: it died, or was killed
     * since it had said nothing for too long. NULL: it ended well. The child is freed by itself afterwards.
     */
    void (*ended)(void *context, const struct error *error);
};

struct plan_child_options {
    const char *program;      /* this binary */
    const char *const *words; /* behind `firth plan`: how images are run; NULL-terminated */
    const char *data_dir;
    uint64_t silence_ms; /* it says nothing for so long: killed */
};

/* NULL and a retriable error if the machine refuses. The request, secret, is copied. */
struct plan_child *plan_child_start(uv_loop_t *loop, const struct plan_child_options *options,
                                    struct slice request, const struct plan_child_callbacks *callbacks,
                                    struct error *err);
/* SIGKILL, and no further callback. */
void plan_child_drop(struct plan_child *child);

#endif
