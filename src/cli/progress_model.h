/* What a run's display knows: tasks, their bindings, counters and rates, made from the supervisor's events.
 * Pure: time comes in as a parameter. */
#ifndef FIRTH_CLI_PROGRESS_MODEL_H
#define FIRTH_CLI_PROGRESS_MODEL_H

#include "supervisor/supervisor.h"

struct progress_binding {
    char *name;
    /* This session. */
    uint64_t documents, bytes, committed_documents, committed_bytes, invalid;
    double rate; /* documents a second, smoothed; see progress_rate */
    double row_estimate, byte_estimate;
    int64_t lag_ms;
    bool complete;
    /* Sessions before this one. */
    uint64_t earlier_documents, earlier_bytes, earlier_invalid;
};

enum progress_state {
    PROGRESS_PENDING,
    PROGRESS_RUNNING,
    PROGRESS_WAITING,
    PROGRESS_COMPLETED,
    PROGRESS_STOPPED,
    PROGRESS_FAILED,
};

struct progress_task {
    char *name;
    enum task_kind kind;
    enum progress_state state;
    enum progress_state last_outcome; /* of the last session that ended; PENDING: none has */
    enum supervisor_wait wait;        /* WAITING: why, and until when */
    uint64_t wake_ns;
    uint64_t started_ns, progress_ns; /* this session's start and its last progress event */
    uint64_t event_ms;                /* that event's own time */
    uint64_t session_ms;              /* RUNNING: see started_ns; else the last session's length */
    uint64_t earlier_ms;              /* of all sessions that ended */
    uint32_t sessions, failures;
    char *error; /* the last session's, NULL if it did not fail */
    struct progress_binding *bindings;
    size_t binding_count;
};

struct progress_model {
    struct progress_task *tasks;
    size_t count;
    int signals; /* 1: finishing transactions, 2: ending at once */
};

void progress_model_init(struct progress_model *model);
void progress_model_done(struct progress_model *model);
/* Rows for all tasks of the supervisor, before it runs. */
void progress_model_tasks(struct progress_model *model, const struct supervisor *supervisor);
/* The same one by one; `task->index` must be the model's count. */
void progress_model_add(struct progress_model *model, const struct supervisor_task *task);

void progress_model_started(struct progress_model *model, const struct supervisor_task *task,
                            uint64_t now_ns);
void progress_model_progress(struct progress_model *model, const struct supervisor_task *task,
                             const struct task_progress *progress, uint64_t now_ns);
void progress_model_ended(struct progress_model *model, const struct supervisor_task *task,
                          enum task_outcome outcome, const struct error *error, uint64_t elapsed_ms);
void progress_model_waiting(struct progress_model *model, const struct supervisor_task *task,
                            enum supervisor_wait why, uint64_t delay_ms, uint64_t now_ns);

/* Documents a second right now: it sinks while nothing is heard. */
double progress_rate(const struct progress_task *task, const struct progress_binding *binding,
                     uint64_t now_ns);
/* How much of the estimate is done, 0 to 1; negative without one. */
double progress_fraction(const struct progress_binding *binding);
/* Seconds left by estimate and rate; negative if that cannot be said. */
double progress_seconds_left(const struct progress_task *task, const struct progress_binding *binding,
                             uint64_t now_ns);

#endif
