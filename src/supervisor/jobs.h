/* The job runner: takes the jobs of the control store (control/jobs.h) in the order in which they were made,
 * `running_max` at a time and one of each connection, and runs their attempts as task processes (child.h) on
 * the daemon's loop. It keeps what becomes of them in the control store, makes the jobs of schedules, and
 * tells webhooks (webhook.h).
 *
 * Its own thread is the loop's. What may be called from other threads says so. */
#ifndef FIRTH_SUPERVISOR_JOBS_H
#define FIRTH_SUPERVISOR_JOBS_H

#include "base/log.h"
#include "connector/connector.h"
#include "control/jobs.h"

#include <uv.h>

enum {
    JOBS_RUNNING_DEFAULT = 16,
    JOBS_RUNNING_MAX = 1024,
    JOBS_LOG_BYTES_DEFAULT = 10 << 20, /* of one attempt's log */
};

struct jobs;

struct jobs_options {
    const char *program; /* this binary */
    const struct connector_catalog *built_ins;
    const char *data_dir;
    struct control *control;        /* the loop's; not closed before the jobs are */
    const struct log *log;          /* the daemon's own */
    const char *const *image_words; /* how images are run; NULL-terminated, or NULL */
    uint64_t plan_ms;               /* planning that says nothing for so long is given up; 0: the default */
    uint32_t running_max;           /* 0: JOBS_RUNNING_DEFAULT */
    uint64_t stop_ms, commit_ms, stall_ms; /* 0: the defaults */
    uint64_t log_bytes;                    /* 0: JOBS_LOG_BYTES_DEFAULT */
};

/* What a dead daemon left running is marked so, and goes on. NULL if the control store cannot be read. */
struct jobs *jobs_open(uv_loop_t *loop, const struct jobs_options *options, struct error *err);
/* Nothing more is begun, what runs finishes its transaction (the second time: ends at once); it is an
 * interrupted attempt, and its job goes on when the daemon runs again. */
void jobs_stop(struct jobs *jobs);
/* That; frees itself once its processes are gone and the loop has closed its handles. Those who wait for a
 * cancelled job are told first. NULL is allowed. */
void jobs_close(struct jobs *jobs);

/* Is it a setting of jobs ("jobs.attempts_max"), and a value that it can have? ERROR_INVALID. */
int jobs_setting_check(const char *name, const char *value, struct error *err);

/* From any thread: connections, schedules or jobs were changed in the control store. */
void jobs_wake(struct jobs *jobs);

/* From any thread, `control` being that thread's: control_job_create, and wake. */
int jobs_start(struct jobs *jobs, struct control *control, const struct control_job_new *job, int64_t *ret_id,
               struct error *err);

/* From any thread, likewise: cancel a job. 0: it is over when this returns (it was, or it had no process). 1:
 * its processes are being ended, and `done`, if not NULL, is called once in the loop's thread when they are
 * gone and the job is CANCELLED in the store (or is otherwise over: it may have succeeded meanwhile), or when
 * the daemon ends. -1: ERROR_NOT_FOUND, or the store refused. */
typedef void jobs_done(void *context);
int jobs_cancel(struct jobs *jobs, struct control *control, int64_t job, jobs_done *done, void *context,
                struct error *err);

enum { JOBS_DURATIONS = 9 };
/* From any thread: what there is just now. */
struct jobs_figures {
    uint32_t running, waiting;                    /* attempts; jobs for room or for their next attempt */
    uint32_t running_max;                         /* attempts at once: with as many, no job begins */
    uint64_t begun, succeeded, failed, cancelled; /* since the daemon began: attempts; jobs */
    uint64_t records, bytes;                      /* committed since the daemon began, */
    uint64_t records_emitted, bytes_emitted;      /* read from sources, */
    uint64_t records_rejected;                    /* that destinations say they did not write */
    /* Attempts that ended since then, by the time that they took (jobs_duration_bounds; the last: longer), */
    uint64_t durations[JOBS_DURATIONS];
    uint64_t duration_ms; /* of all of them */
};
/* Seconds. */
extern const uint32_t jobs_duration_bounds[JOBS_DURATIONS - 1];
void jobs_figures(struct jobs *jobs, struct jobs_figures *ret_figures);

/* When the schedule fires next, milliseconds since 1970; -1: never (by hand, inactive, a date that does not
 * come). From any thread. */
struct control_connection;
int64_t jobs_due(const struct control_connection *connection, int64_t after_ms);

#endif
