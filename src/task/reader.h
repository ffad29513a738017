/* Readers: where a task's documents come from. A reader never blocks: the loop polls its descriptors.
 *
 * Calls come in this order: open, (pollfds, service)… until ready, begin, (next…, pollfds, service)… until
 * ended, result, close. stop and kill may come at any time after open. */
#ifndef FIRTH_TASK_READER_H
#define FIRTH_TASK_READER_H

#include "task/task.h"

#include <poll.h>

enum task_item_type {
    TASK_ITEM_DOCUMENT,
    TASK_ITEM_CHECKPOINT, /* the source can go on from here */
};

/* Valid until the reader's next call. */
struct task_item {
    enum task_item_type type;
    struct task_binding *binding;          /* CHECKPOINT: of this stream alone; NULL: covers all */
    struct slice raw;                      /* the whole message as it came: one line */
    const struct json *line;               /* it, parsed */
    const struct airbyte_message *message; /* of a source that speaks Airbyte's protocol, else NULL */
    const struct task_flow_item *flow;     /* CHECKPOINT of one that speaks Flow's, else NULL */
    struct slice note;                     /* CHECKPOINT: the reader's own (task/notes.h), or empty */
    bool valid;                            /* DOCUMENT: the reader itself has found it so, its key too */
    uint32_t document;                     /* DOCUMENT: its node in `line` */
    uint64_t number;                       /* DOCUMENT: in its stream this session, from 1 */
    uint64_t line_number;                  /* of the source's output */
};

struct task_reader;

struct task_reader_class {
    const char *name;
    /* Begin to find out what there is to read. */
    int (*open)(struct task_reader *reader, struct error *err);
    bool (*ready)(const struct task_reader *reader); /* task->discovered is known */
    /* Read: task->bindings and task->checkpoint say what and from where. */
    int (*begin)(struct task_reader *reader, struct error *err);
    size_t (*pollfds)(struct task_reader *reader, struct pollfd *fds); /* at most TASK_POLL_MAX */
    int (*timeout_ms)(const struct task_reader *reader);
    int (*service)(struct task_reader *reader, struct error *err);
    /* 1 and an item, 0: none now, -1. */
    int (*next)(struct task_reader *reader, struct task_item *ret_item, struct error *err);
    bool (*ended)(const struct task_reader *reader); /* nothing will come any more, and its end is known */
    int (*result)(struct task_reader *reader, struct error *err); /* after ended: was it a good end? */
    /* So many more checkpoints (at least 1), in the order they came, are durable. NULL: the reader need not
     * know. */
    int (*acknowledge)(struct task_reader *reader, uint64_t checkpoints, struct error *err);
    void (*stop)(struct task_reader *reader); /* no more than it must, then end */
    /* The last commit is done and acknowledged: what lives on of a stopped reader is to go. True once it is
     * gone; called again and again, between pollfds and service, until then. NULL: nothing lives on. */
    bool (*leave)(struct task_reader *reader);
    void (*kill)(struct task_reader *reader);
    void (*close)(struct task_reader *reader); /* frees it */
};

struct task_reader {
    const struct task_reader_class *class;
    struct task *task;
    const char *label; /* for people */
};

enum { TASK_POLL_MAX = 8 };

/* An Airbyte source. */
struct task_reader *task_reader_airbyte_new(struct task *task);
/* The streams of task_spec.catalog, and nothing in them. */
struct task_reader *task_reader_empty_new(struct task *task);
/* The collections of a materialization. */
struct task_reader *task_reader_collections_new(struct task *task);
/* The same as streams, for a destination that speaks Airbyte's protocol. */
struct task_reader *task_reader_collections_airbyte_new(struct task *task);
/* A capture connector that speaks Flow's protocol. */
struct task_reader *task_reader_flow_new(struct task *task);

#endif
