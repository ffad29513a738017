/* What the job runner's files share. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_JOBS_STATE_H
#define FIRTH_SUPERVISOR_JOBS_STATE_H

#include "base/map.h"
#include "control/job_changes.h"
#include "control/page.h"
#include "supervisor/child.h"
#include "supervisor/job_spec.h"
#include "supervisor/job_state.h"
#include "supervisor/jobs.h"
#include "supervisor/plan_child.h"
#include "supervisor/task_log.h"

#include <pthread.h>

enum job_phase {
    JOB_QUEUED,      /* for room */
    JOB_WAITING,     /* for its next attempt */
    JOB_BEGINNING,   /* the store has to take the beginning first, and did not yet */
    JOB_PLANNING,    /* its images are looked for */
    JOB_DISCOVERING, /* its source is asked whether its schema has changed */
    JOB_MOVING,
    JOB_ENDING, /* the store has to take the end, and did not yet */
};

/* What is known of why an attempt failed. Heap strings. */
struct job_failure {
    char *origin, *type, *message, *internal, *stack, *stream, *namespace;
};

/* A job that is not over. */
struct job_run {
    struct jobs *jobs;
    int64_t id;
    char *connection;
    enum control_job_type type;
    enum control_job_status status;
    enum job_phase phase;
    bool cancelling;
    bool kill_told;   /* its child was asked to stop already */
    uint32_t attempt; /* the number of the newest one */
    struct job_history history;
    uv_timer_t timer; /* until the next attempt; until a child that should stop is killed; until the store is
                         tried again */
    struct child *child;
    struct plan_child *plan;
    struct job_spec *spec;     /* from planning to the end */
    struct job_spec *programs; /* an earlier one, whose programs `spec` has; NULL: there is none */
    bool refused;              /* the store does not take what its connector made of its config */
    bool discovered;           /* this attempt has looked for changes of the schema */
    char *catalog;             /* what discovering found, until its process has ended */
    size_t catalog_size;
    struct task_log log;
    bool logging;
    struct control_stream_stats *stats; /* by binding of the specification; names are the specification's */
    size_t stat_count;
    struct control_stats *told; /* of them, to whoever watches; NULL: nothing yet */
    int64_t states;             /* STATE messages of the attempt: also those that are of all streams */
    bool dirty;                 /* statistics that the store does not have yet */
    struct job_failure failure;
    /* The end that the store has to take. */
    enum job_event event;
    bool retriable;
    int64_t begun_ms, created_ms;
};

struct jobs_waiter {
    struct jobs_waiter *next;
    int64_t job;
    jobs_done *done;
    void *context;
};

struct webhooks;

struct jobs {
    struct jobs_options options;
    uv_loop_t *loop;
    struct job_policy policy;
    struct job_run **runs; /* by id */
    size_t count, capacity;
    uint32_t running; /* of `runs`, from JOB_BEGINNING to JOB_ENDING */
    uv_async_t wake;
    uv_timer_t stats_due, schedules_due, forget_due;
    struct map schedules; /* by connection: struct job_schedule */
    int64_t schedules_ms; /* when they were read last: an earlier now is a clock that was set back */
    struct webhooks *webhooks;
    const struct watch *watch; /* NULL: nobody */
    bool adopting;             /* what an earlier daemon left is being read: nothing begins yet */
    bool stopping, closing, freed;
    int64_t keep_ms;     /* jobs that are over are kept so long, */
    uint32_t keep;       /* and so many of a connection */
    uint32_t over;       /* jobs that ended since old ones were looked for */
    int64_t discover_ms; /* a source is asked for changes of its schema so often at most */
    bool failed_store;   /* told once, until it goes again */
    unsigned handles;    /* open */

    pthread_mutex_t lock; /* of what other threads use, below */
    struct jobs_waiter *waiters;
    struct jobs_figures figures;
};

/* jobs.c */
void jobs_fill_room(struct jobs *jobs);
void jobs_count_duration(struct jobs *jobs, int64_t ms); /* of an attempt that ended */
void jobs_read(struct jobs *jobs);                       /* what the store has */
void jobs_remove(struct job_run *run);
void jobs_note_over(struct jobs *jobs); /* a job is: old ones may have to go */
void jobs_tell_waiters(struct jobs *jobs, int64_t job);
void jobs_store_failed(struct jobs *jobs, const struct error *error);
/* A handle was closed; with the last one all is freed. */
void jobs_handle_closed(struct jobs *jobs);
int64_t jobs_now_ms(void);
void jobs_watch_stats(struct jobs *jobs);
void jobs_watch_schedules(struct jobs *jobs, uint64_t delay_ms);
/* The last attempt of a runner that closes may have ended. */
void jobs_close_if_quiet(struct jobs *jobs);

/* job_run.c: an attempt's life. */
void job_run_begin(struct job_run *run);
void job_run_wait(struct job_run *run, uint64_t delay_ms); /* for its next attempt */
void job_run_cancel(struct job_run *run);
/* The daemon stops: finish the transaction; the second time: at once. */
void job_run_stop(struct job_run *run);
void job_run_free(struct job_run *run);
/* The attempt is over, this way. */
void job_run_over(struct job_run *run, enum job_event event, bool retriable);
/* Note a failure of ours. */
void job_run_blame(struct job_run *run, const char *origin, const struct error *error);
void job_run_log(struct job_run *run, enum log_level level, const char *origin, const char *message);
/* Make run->spec of what the store has now. */
int job_run_build(struct job_run *run, struct error *err);
/* Start the task process of run->spec. */
void job_run_start(struct job_run *run);

/* job_stats.c */
void job_stats_begin(struct job_run *run);
void job_stats_take(struct job_run *run, const struct task_progress *progress);
/* false: another process is changing the store; to be done again before the attempt ends. */
bool job_stats_flush(struct job_run *run);
bool job_stats_partial(const struct job_run *run); /* anything was committed */

/* job_news.c: to whoever watches: its status is another; its statistics are. */
void job_news_status(const struct job_run *run);
void job_news_progress(struct job_run *run);

/* job_plan.c: look for images, in a process; ends in job_run_start or job_run_over. */
void job_plan_start(struct job_run *run);

/* job_discover.c: is the source to be asked for changes, before this attempt? And what was found. */
bool job_discover_due(struct job_run *run);
/* 0: go on; -1: the attempt is over. */
int job_discover_take(struct job_run *run);

/* job_config.c: a connector of this side says its config anew. */
void job_config_take(struct job_run *run, enum control_side side, struct slice said);

/* job_schedules.c */
void job_schedules_read(struct jobs *jobs);
void job_schedules_done(struct jobs *jobs);

#endif
