/* What may follow what in a job's life, as a pure function: no clock, no disk. docs/connections.md has the
 * table. */
#ifndef FIRTH_SUPERVISOR_JOB_STATE_H
#define FIRTH_SUPERVISOR_JOB_STATE_H

#include "control/jobs.h"

/* How often it is tried. Airbyte's defaults. */
struct job_policy {
    uint32_t failures_in_row_max; /* attempts that committed nothing, one after the other */
    uint32_t failures_max;        /* of them in all */
    uint32_t partial_max;         /* attempts that failed and committed something, or were interrupted */
    uint64_t backoff_ms;          /* before the first retry; three times as long with each failure in a row */
    uint64_t backoff_max_ms;
};
#define JOB_POLICY_DEFAULT                         \
    ((struct job_policy){.failures_in_row_max = 5, \
                         .failures_max = 10,       \
                         .partial_max = 20,        \
                         .backoff_ms = 10 * 1000,  \
                         .backoff_max_ms = 30 * 60 * 1000})

/* Attempts that are over. */
struct job_history {
    uint32_t failures_in_row, failures, partial;
};
void job_history_add(struct job_history *history, bool partial);

enum job_event {
    JOB_ATTEMPT_BEGINS,
    JOB_ATTEMPT_SUCCEEDS,
    JOB_ATTEMPT_FAILS,
    JOB_INTERRUPTED, /* the daemon stops, or died */
    JOB_CANCELLED,   /* it was asked to end, and nothing of it runs any more */
    JOB_EVENT_COUNT,
};

struct job_next {
    enum control_job_status status;
    bool attempt_begins, attempt_ends;
    enum control_attempt_status outcome; /* if it ends */
    uint64_t delay_ms;                   /* INCOMPLETE: until the next attempt */
};

/* `history` with the attempt that ends, `retriable` of its failure. False: that cannot happen to a job of
 * this status. */
bool job_state_next(enum control_job_status status, enum job_event event, bool retriable,
                    const struct job_history *history, const struct job_policy *policy,
                    struct job_next *ret_next);

#endif
