/* What the job runner writes of jobs and attempts (supervisor/jobs.h); nobody else does. Each call is one
 * transaction: a job and its attempts agree at any moment. */
#ifndef FIRTH_CONTROL_JOB_CHANGES_H
#define FIRTH_CONTROL_JOB_CHANGES_H

#include "control/jobs.h"

/* Jobs that are not over, oldest first. */
int control_jobs_open(struct control *control, struct arena *arena, struct control_job **ret_items,
                      size_t *ret_count, struct error *err);

/* A job takes a step: its new status, and what becomes of its newest attempt. */
struct control_job_step {
    int64_t job;
    enum control_job_status status;
    int64_t now_ms;
    int64_t retry_ms;    /* INCOMPLETE */
    bool attempt_begins; /* a new one, numbered on; of a PENDING job's first one the beginning is noted */
    bool attempt_ends;
    enum control_attempt_status outcome; /* if it ends */
    bool partial;
    const struct control_failure *failures; /* of the attempt */
    size_t failure_count;
};
int control_job_step(struct control *control, const struct control_job_step *step, struct error *err);
/* Statistics of the newest attempt, and with them the job's: sums of its streams', but for `states`, since a
 * state may be of all of them. No sync: a power loss costs the last of them. */
int control_job_stats(struct control *control, int64_t job, int64_t now_ms,
                      const struct control_stream_stats *streams, size_t count, int64_t states,
                      struct error *err);
/* It is to end. ERROR_NOT_FOUND; 1 if it is over already. */
int control_job_cancelling(struct control *control, int64_t job, int64_t now_ms, struct error *err);

/* Jobs that are over and older than `before_ms`, or beyond the newest `kept` of their connection, go, `max`
 * at most. Their ids, so that their logs go as well. */
int control_jobs_forget(struct control *control, int64_t before_ms, uint32_t kept, size_t max,
                        struct arena *arena, int64_t **ret_ids, size_t *ret_count, struct error *err);

#endif
