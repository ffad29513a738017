/* What jobs and tasks do, as it happens, for whoever shows it live. All of it is called in the loop's thread,
 * and what it is given is gone when it returns. Nothing is told twice, and nothing is kept: who comes later
 * asks the control store and the daemon first. */
#ifndef FIRTH_SUPERVISOR_WATCH_H
#define FIRTH_SUPERVISOR_WATCH_H

#include "control/jobs.h"

enum {
    WATCH_STREAMS_MAX = 64, /* that one job_progress tells; the others come with the next */
    WATCH_TASK_MS = 500,    /* of one task no more often */
};

struct job_news {
    int64_t job;
    const char *connection;
    enum control_job_type type;
    enum control_job_status status;
    uint32_t attempt; /* from 0 */
    int64_t created_ms;
};

/* Of the attempt, and of those of its streams that moved since. */
struct job_progress {
    struct job_news job;
    struct control_stats stats;
    const struct control_stream_stats *streams[WATCH_STREAMS_MAX];
    size_t stream_count;
};

struct task_news {
    const char *name, *state; /* daemon_state_name */
    bool running;             /* then: */
    uint64_t documents, bytes;
    double document_rate, byte_rate; /* a second */
    int64_t lag_ms;                  /* negative: not known */
};

struct watch {
    void *context;
    /* It is in the queue, begins, waits for its next attempt, is over. */
    void (*job)(void *context, const struct job_news *news);
    void (*job_progress)(void *context, const struct job_progress *progress);
    void (*task)(void *context, const struct task_news *news);
    /* What is deployed has changed. */
    void (*tasks)(void *context);
};

struct jobs;
struct daemon;
/* NULL: nobody watches. In the loop's thread. */
void jobs_watch(struct jobs *jobs, const struct watch *watch);
void daemon_watch(struct daemon *daemon, const struct watch *watch);

#endif
