/* Sinks: where a task's documents go. The sink owns the checkpoint: it loads it, and saves it in the same
 * act as the documents it covers, or where that cannot be, only after these are durable.
 *
 * Calls come in this order: open, (pollfds, service)… until prepared, begin, (ready, write, write_invalid,
 * checkpoint, tick, pollfds, service)…, finish, (tick, pollfds, service)… until finished, close. kill may
 * come at any time after open. */
#ifndef FIRTH_TASK_SINK_H
#define FIRTH_TASK_SINK_H

#include "task/reader.h"

enum task_finish {
    TASK_FINISH_COMPLETE, /* the reader came to a good end: whatever it sent counts */
    TASK_FINISH_PARTIAL,  /* it failed or was stopped: what the last checkpoint covers counts */
};

struct task_sink;

struct task_sink_class {
    const char *name;
    bool exactly_once; /* the guarantee: else at least once */
    bool validates;    /* it validates documents itself, as it takes them */
    /* Load task->checkpoint; begin to find out what the sink can do. */
    int (*open)(struct task_sink *sink, struct error *err);
    bool (*prepared)(const struct task_sink *sink); /* task->destination_modes is known */
    /* task->bindings are known: begin to take documents (ready may still be false for a while). */
    int (*begin)(struct task_sink *sink, struct error *err);
    bool (*ready)(const struct task_sink *sink); /* it can take an item without growing past its bound */
    int (*write)(struct task_sink *sink, const struct task_item *item, struct error *err);
    /* A document that violates its schema. -1: the task has to stop, with the explanation. */
    int (*write_invalid)(struct task_sink *sink, const struct task_item *item, struct error *err);
    int (*checkpoint)(struct task_sink *sink, const struct task_item *item, struct error *err);
    /* task->checkpoint has something that is to be durable now; or, where nothing can be committed in the
     * midst, with the next commit. */
    int (*save)(struct task_sink *sink, struct error *err);
    /* Time has passed: commit if the policy says so. `active`: the reader gave something since the last. */
    int (*tick)(struct task_sink *sink, uint64_t now_ms, bool active, struct error *err);
    size_t (*pollfds)(struct task_sink *sink, struct pollfd *fds); /* at most TASK_POLL_MAX */
    int (*timeout_ms)(const struct task_sink *sink, uint64_t now_ms);
    int (*service)(struct task_sink *sink, struct error *err);
    int (*finish)(struct task_sink *sink, enum task_finish how, struct error *err);
    bool (*finished)(const struct task_sink *sink);
    void (*kill)(struct task_sink *sink);
    void (*close)(struct task_sink *sink); /* frees it */
};

struct task_sink {
    const struct task_sink_class *class;
    struct task *task;
    const char *label; /* for people */
};

/* Collections in the store: exactly once. */
struct task_sink *task_sink_collections_new(struct task *task);
/* A materialization connector that speaks Flow's protocol: exactly once, if the connector has what it takes.
 */
struct task_sink *task_sink_materialize_new(struct task *task);
/* An Airbyte destination; its state is kept in the store, once it has been echoed: at least once. */
struct task_sink *task_sink_airbyte_new(struct task *task);

#endif
