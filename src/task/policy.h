/* When is a transaction due? Pure: time comes in, a decision goes out. */
#ifndef FIRTH_TASK_POLICY_H
#define FIRTH_TASK_POLICY_H

#include "task/task_spec.h"

#include <stdbool.h>
#include <stdint.h>

/* What waits to be committed. Times are of one monotonic clock, in milliseconds. */
struct task_pending {
    bool any;           /* something that a commit would save: documents, or a checkpoint alone */
    uint64_t bytes;     /* of documents */
    uint64_t since_ms;  /* when the first of it arrived */
    uint64_t active_ms; /* when the source last said anything */
};

bool task_commit_due(const struct task_commit_policy *policy, const struct task_pending *pending,
                     uint64_t now_ms);
/* Milliseconds until it is due if nothing else happens; -1: nothing waits. */
int task_commit_wait_ms(const struct task_commit_policy *policy, const struct task_pending *pending,
                        uint64_t now_ms);

#endif
