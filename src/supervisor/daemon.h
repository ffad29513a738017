/* The daemon (`firth serve`): runs what is deployed in a data directory (control/control.h), until a signal
 * ends it. It keeps each task's facts in the control store and its log in files (task_log.h), and listens for
 * deploys and questions (talk.h).
 *
 * What else is to live in the daemon (the HTTP API) is its guest, and hangs its handles on the same loop. */
#ifndef FIRTH_SUPERVISOR_DAEMON_H
#define FIRTH_SUPERVISOR_DAEMON_H

#include "base/log.h"
#include "connector/connector.h"
#include "control/control.h"
#include "supervisor/supervisor.h"

#include <uv.h>

enum { DAEMON_CHILDREN_DEFAULT = 64, DAEMON_DISCOVER_MS_DEFAULT = 2 * 60 * 60 * 1000 };

struct jobs;
struct daemon;

/* Of a deployed task. */
enum daemon_task_state {
    DAEMON_TASK_DISABLED,
    DAEMON_TASK_PREPARING, /* it is being planned: its program is looked for, an image fetched */
    DAEMON_TASK_RUNNING,
    DAEMON_TASK_QUEUED,  /* for room among the children */
    DAEMON_TASK_WAITING, /* for its schedule */
    DAEMON_TASK_BACKING_OFF,
    DAEMON_TASK_FAILED, /* until somebody mends it */
    DAEMON_TASK_DONE,   /* went well, and nothing is scheduled */
    DAEMON_TASK_STATE_COUNT,
};
const char *daemon_state_name(enum daemon_task_state state); /* "backing off" */

/* What there is just now of the deployed tasks, and what their sessions did since the daemon began. */
struct daemon_figures {
    uint64_t tasks[DAEMON_TASK_STATE_COUNT];
    uint64_t sessions_begun, sessions_failed, documents, bytes; /* committed ones */
    int64_t lag_ms; /* the largest of the running ones; negative: not known */
    struct push_figures pushed;
};
/* In the loop's thread. */
void daemon_figures(const struct daemon *daemon, struct daemon_figures *ret_figures);

/* Of the layer above. All are called in the loop's thread, and may be NULL only together. */
struct daemon_guest {
    void *context;
    /* The loop runs and jobs are run. -1: the daemon does not start. `jobs` may be NULL. The daemon is there
     * until `close`. */
    int (*open)(void *context, struct daemon *daemon, uv_loop_t *loop, struct jobs *jobs, struct error *err);
    /* The daemon was told to stop; it still finishes what it does. */
    void (*stopping)(void *context);
    /* After `open` alone: the last moment; handles are closed. `jobs` is still there. */
    void (*close)(void *context);
    /* Where it is reached; NULL: nowhere (yet). */
    const char *(*url)(void *context);
};

struct daemon_options {
    const char *program; /* this binary */
    const struct connector_catalog *built_ins;
    const char *data_dir;           /* absolute; its lock is held by the caller */
    struct control *control;        /* opened to change */
    const struct log *log;          /* the daemon's own; tasks have theirs */
    const char *const *image_words; /* of the command line: how images are run; NULL-terminated, or NULL */
    uint64_t plan_ms;               /* planning that says nothing for so long is given up; 0: the default */
    const char *notify;             /* NOTIFY_SOCKET's value, or NULL */
    uint32_t children_max;          /* 0: DAEMON_CHILDREN_DEFAULT */
    uint32_t jobs_max;              /* attempts of connections' jobs at once; 0: JOBS_RUNNING_DEFAULT */
    uint64_t stop_ms, retry_ms, commit_ms, stall_ms; /* 0: the defaults */
    struct supervisor_ingest ingest;                 /* where push captures are reached */
    uint64_t log_bytes;                              /* of one task; 0: TASK_LOG_BYTES_DEFAULT */
    uint64_t discover_ms; /* from one autoDiscover of a capture to the next; 0: DAEMON_DISCOVER_MS_DEFAULT */
    const struct daemon_guest *guest; /* NULL: there is none */
};

/* Returns when it was told to stop and everything has ended. -1 if it could not start. */
int daemon_run(const struct daemon_options *options, struct error *err);

#endif
