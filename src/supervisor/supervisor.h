/* The supervisor: starts a child process for each task, watches it, and starts it again: at its interval
 * after a clean end, after a backoff when it failed and may succeed later, not at all when only a change
 * to the catalog can help.
 *
 * It has one loop (libuv) in the calling thread; callbacks come from inside supervisor_run. It never logs
 * and never prints: whoever wants to see what goes on gives callbacks. Its owner may hang handles of its own
 * (sockets, timers) on the loop: from `ready` on, closed in `closing`. */
#ifndef FIRTH_SUPERVISOR_SUPERVISOR_H
#define FIRTH_SUPERVISOR_SUPERVISOR_H

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/cron.h"
#include "task/event.h"
#include "task/push_figures.h"

#include <uv.h>

struct supervisor;

/* For people: a URL, and the port that its listener had before. */
#define SUPERVISOR_LOST_PORT                                                                                 \
    "%s is a new address: another program has the port %u that was kept for it; clients that know that one " \
    "must "                                                                                                  \
    "be told, or start with a port of your own choice instead of 0"

/* A task as the callbacks name it; valid until it is removed, or as long as the supervisor. */
struct supervisor_task {
    const char *name; /* "acmeCo/faker" */
    enum task_kind kind;
    size_t index; /* as long as none is removed: 0 to the number of tasks - 1, in the order they were added */
    /* What it moves, known before the first session: the `name`s its progress will show, in that order. None
     * for a connection of all streams: its progress tells. */
    const char *const *bindings;
    size_t binding_count;
    void *owner; /* as supervisor_add was given it */
};

/* Why a task that does not run will run next. */
enum supervisor_wait {
    SUPERVISOR_WAIT_INTERVAL, /* its schedule */
    SUPERVISOR_WAIT_BACKOFF,  /* it failed, and failing again is not certain */
    SUPERVISOR_WAIT_SLOT,     /* children_max others run */
};

/* Called on events. Each may be NULL. Pointers are valid during the call only (the task's longer). */
struct supervisor_events {
    void *context;
    /* A session began (its child runs). `attempt` counts failures in a row before it: 0 after a success. */
    void (*started)(void *context, const struct supervisor_task *task, uint32_t attempt);
    /* At most TASK_PROGRESS_PER_SECOND a second a task; the last one of a session shows its final counters.
     */
    void (*progress)(void *context, const struct supervisor_task *task, const struct task_progress *progress);
    /* A log line of the task or of one of its connectors (`origin`). One line, no newline. */
    void (*log)(void *context, const struct supervisor_task *task, enum log_level level, const char *origin,
                const char *message);
    /* The session is over and the child is gone. `error` is set for TASK_FAILED only, else NULL. */
    void (*ended)(void *context, const struct supervisor_task *task, enum task_outcome outcome,
                  const struct error *error, uint64_t elapsed_ms);
    /* It will be started again in `delay_ms` (0 with SUPERVISOR_WAIT_SLOT: as soon as there is room). */
    void (*waiting)(void *context, const struct supervisor_task *task, enum supervisor_wait why,
                    uint64_t delay_ms);
    /* A signal arrived: 1 the first time (transactions are being finished), 2 when everything is ended at
     * once. */
    void (*stopping)(void *context, int signals);
    /* The push captures are reached there: with the first of them, and again when their process had died;
     * "http://…", and "kafka://…" where that is asked for. `lost`: the port it had before, which another
     * program has now; else 0. */
    void (*listening)(void *context, const char *url, unsigned lost);
    /* What was pushed, and what is under way: once a second at most. Counters are of the process of the push
     * captures, and begin anew with the next; all are 0 when it has ended. */
    void (*pushed)(void *context, const struct push_figures *figures);
    /* It was removed by supervisor_remove, its child is gone; `task` is freed after this call. */
    void (*removed)(void *context, const struct supervisor_task *task);
    /* The loop is there, nothing was started yet: time to open handles on it. */
    void (*ready)(void *context, uv_loop_t *loop);
    /* SIGHUP, with `stay`. */
    void (*hangup)(void *context);
    /* All tasks are done; the loop ends once the owner has closed its own handles as well. */
    void (*closing)(void *context);
};

/* The process of all push captures (listener.h). */
struct supervisor_ingest {
    const char *listen; /* "127.0.0.1:8080"; NULL: SUPERVISOR_INGEST_DEFAULT */
    const char *tls_cert, *tls_key;
    bool open;                    /* others than this machine's programs may push without a token */
    const char *kafka;            /* "127.0.0.1:9092": where Kafka clients are served; NULL: nowhere */
    const char *kafka_advertise;  /* what they are told to connect to; NULL: where they did */
    const char *kafka_token_file; /* holds what lets them read; NULL: this machine's programs may */
    bool stay;                    /* a port that is busy may be free later: captures try again */
};
#define SUPERVISOR_INGEST_DEFAULT "127.0.0.1:8080"

struct supervisor_options {
    const char *program; /* this binary, run again as `firth task` */
    struct supervisor_ingest ingest;
    const char *data_dir;
    bool once;             /* one session a task, no schedule; a retriable failure is a failure */
    bool stay;             /* run until a signal stops it, also without any task; SIGHUP does not */
    uint32_t children_max; /* sessions at once, materializations that never end apart; 0:
                              SUPERVISOR_CHILDREN_DEFAULT */
    uint64_t stop_ms;      /* from the first SIGTERM to SIGKILL; 0: SUPERVISOR_STOP_MS_DEFAULT */
    uint64_t retry_ms;     /* delay before the first retry; it doubles with each failure in a row, up to
                              SUPERVISOR_RETRY_MAX_MS; 0: SUPERVISOR_RETRY_MS_DEFAULT */
    /* Called before each session: true if it is of another specification now, which is appended to *spec.
     * NULL: it is always the one that was given. */
    bool (*refresh)(void *context, const struct supervisor_task *task, struct buffer *spec);
    void *refresh_context;
    uint64_t seed; /* of the retries' jitter; 0: from the machine */
    struct supervisor_events events;
};

enum {
    SUPERVISOR_CHILDREN_DEFAULT = 8,
    SUPERVISOR_STOP_MS_DEFAULT = 30000,
    SUPERVISOR_RETRY_MS_DEFAULT = 1000,
    SUPERVISOR_RETRY_MAX_MS = 5 * 60 * 1000,
    SUPERVISOR_TASKS_MAX = 4096,
    SUPERVISOR_SPEC_MAX = 256 << 20, /* bytes of a specification */
};

struct supervisor *supervisor_new(const struct supervisor_options *options);
void supervisor_free(struct supervisor *supervisor);
MEM_DEFINE_CLEANUP(struct supervisor *, supervisor_free);

/* When a task's next session is due. Neither: one session only (a connection that is started by hand). */
struct supervisor_schedule {
    uint64_t interval_ms; /* from the start of the last session; 0: none */
    bool has_cron;        /* else by the clock; also the first one, unless `once` */
    struct cron cron;
};

/* What is known of a task's sessions under an earlier supervisor. */
struct supervisor_past {
    bool known;        /* else it is new, and what follows does not count */
    bool never;        /* no session until it is replaced */
    int64_t due_ms;    /* wall clock; a time that has passed: at once */
    uint32_t failures; /* in a row */
};

struct supervisor_definition {
    const char *name;
    enum task_kind kind;
    const char *const *bindings;
    size_t binding_count;
    struct supervisor_schedule schedule;
    struct slice spec; /* what `firth task` reads (task/task_spec.h); secret */
    bool discovers;    /* a capture with autoDiscover */
    bool push;         /* a push capture: its sessions run in the listener's process */
    bool inferred;     /* it materializes collections whose schemas are inferred */
    struct supervisor_past past;
    void *owner;
};

/* Add a task, before supervisor_run or from a callback. Everything is copied. The name is new. */
int supervisor_add(struct supervisor *supervisor, const struct supervisor_definition *definition,
                   struct error *err);
/* From now on the task is this: a running session finishes its transaction and the next one, at once, is of
 * the new definition, whose past does not count. `task` stays the same. */
void supervisor_replace(struct supervisor *supervisor, const struct supervisor_task *task,
                        const struct supervisor_definition *definition);
/* Stop it and forget it; `removed` tells when. */
void supervisor_remove(struct supervisor *supervisor, const struct supervisor_task *task);
/* A session now rather than when it is due. No effect while one runs. */
void supervisor_start_now(struct supervisor *supervisor, const struct supervisor_task *task);
/* As the first SIGTERM, a second time as the second. */
void supervisor_stop(struct supervisor *supervisor);

/* The tasks added so far, for a display that wants its rows before anything runs. */
size_t supervisor_task_count(const struct supervisor *supervisor);
const struct supervisor_task *supervisor_task(const struct supervisor *supervisor, size_t index);

struct supervisor_summary {
    size_t completed, stopped, failed; /* tasks, by how their last session ended */
    bool interrupted;                  /* a signal ended it */
};

/* Run until every task is done (once, or nothing is scheduled any more; not with `stay`) or SIGINT/SIGTERM
 * arrives: the first lets each task finish its transaction, the second ends all at once. -1 only if the
 * machine refused the loop itself; failed tasks are in the summary. */
int supervisor_run(struct supervisor *supervisor, struct supervisor_summary *ret_summary, struct error *err);

#endif
