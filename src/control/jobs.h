/* Jobs: what was to be done for a connection, in attempts, and what became of it. A job is made by
 * control_job_create, by whoever wants it (then jobs_wake, supervisor/jobs.h); everything else of it is the
 * runner's. What may follow what is supervisor/job_state.h. */
#ifndef FIRTH_CONTROL_JOBS_H
#define FIRTH_CONTROL_JOBS_H

#include "control/page.h"

enum {
    CONTROL_JOB_STREAMS_MAX = 10000,      /* of one job */
    CONTROL_FAILURE_STACK_MAX = 64 << 10, /* bytes of a stack trace that is kept */
};

enum control_job_type { CONTROL_JOB_SYNC, CONTROL_JOB_CLEAR, CONTROL_JOB_REFRESH, CONTROL_JOB_TYPE_COUNT };
/* As the config API's configType: "sync", "reset_connection", "refresh". The public API's and the newer name
 * of the second are "reset" and "clear": it is that one job. */
const char *control_job_type_name(enum control_job_type type);
enum control_job_type control_job_type_of(const char *name); /* any of these names; COUNT for none */

enum control_job_status {
    CONTROL_JOB_PENDING,    /* it waits for room */
    CONTROL_JOB_RUNNING,    /* an attempt runs */
    CONTROL_JOB_INCOMPLETE, /* an attempt failed, and another follows */
    CONTROL_JOB_FAILED,
    CONTROL_JOB_SUCCEEDED,
    CONTROL_JOB_CANCELLED,
    CONTROL_JOB_STATUS_COUNT,
};
const char *control_job_status_name(enum control_job_status status);
enum control_job_status control_job_status_of(const char *name); /* COUNT for what is none */
static inline bool control_job_over(enum control_job_status status)
{
    return status >= CONTROL_JOB_FAILED;
}

enum control_attempt_status { CONTROL_ATTEMPT_RUNNING, CONTROL_ATTEMPT_FAILED, CONTROL_ATTEMPT_SUCCEEDED };
const char *control_attempt_status_name(enum control_attempt_status status);

struct control_stats {
    int64_t records_emitted, bytes_emitted;
    int64_t records_committed, bytes_committed;
    int64_t records_rejected;                   /* that the destination says it did not write */
    int64_t estimated_records, estimated_bytes; /* negative: not known */
    int64_t states_emitted;
};

struct control_stream {
    const char *name, *namespace; /* namespace NULL: none */
};

struct control_job {
    int64_t id;
    const char *connection, *workspace;
    enum control_job_type type;
    enum control_job_status status;
    bool scheduled;                       /* by the connection's schedule, not by hand */
    bool cancelling;                      /* it was asked to end and has not yet */
    bool merge;                           /* REFRESH: rows of earlier generations stay */
    const struct control_stream *streams; /* CLEAR, REFRESH: these; SYNC: those selected when it began */
    size_t stream_count;
    int64_t created_ms, updated_ms, started_ms, ended_ms;
    int64_t retry_ms;           /* INCOMPLETE: when the next attempt begins */
    uint32_t attempts;          /* begun; at least 1 */
    struct control_stats stats; /* of all attempts */
};

struct control_stream_stats {
    struct control_stream stream;
    struct control_stats stats;
    bool complete; /* the source said that it was read to its end */
};

struct control_failure {
    const char *origin;   /* "source", "destination", "replication", "airbyte_platform" */
    const char *type;     /* "config_error", "system_error", "transient_error", "manual_cancellation",
                             "refresh_schema" */
    const char *message;  /* for people, secrets masked */
    const char *internal; /* more of it; NULL: none */
    const char *stack;    /* NULL: none */
    bool retriable;
    struct control_stream stream; /* name NULL: of no one stream */
    int64_t at_ms;
};

struct control_attempt {
    int64_t job;
    uint32_t number; /* from 0 */
    enum control_attempt_status status;
    int64_t created_ms, updated_ms, ended_ms;
    struct control_stats stats;
    const struct control_stream_stats *streams; /* by namespace and name */
    size_t stream_count;
    const struct control_failure *failures;
    size_t failure_count;
    bool partial; /* it failed, and some of it was committed */
};

struct control_job_new {
    const char *connection;
    enum control_job_type type;
    bool scheduled, merge;
    const struct control_stream *streams; /* CLEAR, REFRESH: these; count 0: all that are selected */
    size_t stream_count;
    int64_t now_ms;
};

/* PENDING, with its first attempt. ERROR_NOT_FOUND if there is no such connection, ERROR_BUSY if a job of it
 * is not over (the message names it), ERROR_INVALID if it is inactive, has a breaking change or selects none
 * of the streams. */
int control_job_create(struct control *control, const struct control_job_new *job, int64_t *ret_id,
                       struct error *err);
int control_job_get(struct control *control, int64_t id, struct arena *arena, struct control_job *ret_job,
                    struct error *err);
/* In their order, with their statistics and failures. */
int control_job_attempts(struct control *control, int64_t id, struct arena *arena,
                         struct control_attempt **ret_items, size_t *ret_count, struct error *err);
/* The connection's newest job of a type in `types` (bit n: enum control_job_type n; 0: any). ERROR_NOT_FOUND.
 */
int control_job_newest(struct control *control, const char *connection, unsigned types, struct arena *arena,
                       struct control_job *ret_job, struct error *err);

enum control_job_order { CONTROL_JOBS_CREATED, CONTROL_JOBS_UPDATED, CONTROL_JOBS_ID };
struct control_job_filter {
    const char *const *workspaces; /* any of these; count 0: whatever */
    size_t workspace_count;
    const char *connection;                                                 /* NULL: whatever */
    unsigned types, statuses;                                               /* bit n: enum value n; 0: any */
    int64_t created_from_ms, created_to_ms, updated_from_ms, updated_to_ms; /* inclusive; 0: open */
    int64_t including; /* the page that has this job rather than page.offset; 0: page.offset counts */
    enum control_job_order order;
    bool ascending; /* else the newest first */
    bool attempts;  /* not here: control_job_attempts for each */
    bool brief;     /* without their streams */
    struct control_page page;
};
int control_jobs(struct control *control, const struct control_job_filter *filter, struct arena *arena,
                 struct control_job **ret_items, size_t *ret_count, uint64_t *ret_total, struct error *err);

/* How many there are of each status; of the daemon's metrics. */
int control_job_counts(struct control *control, uint64_t ret_counts[CONTROL_JOB_STATUS_COUNT],
                       struct error *err);

#endif
