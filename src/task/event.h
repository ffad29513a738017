/* What a task process reports while it runs: one JSON object a line on the descriptor named by
 * `firth task --events-fd`. The writer is the task, the reader the supervisor; README.md beside this file
 * shows the lines.
 *
 * Counters are of this session (one life of the task process) and only grow, but for the last ones of a
 * session that did not complete: they are what was committed, unless it is a job's attempt. A reader that
 * sees an event it does not know ignores it. */
#ifndef FIRTH_TASK_EVENT_H
#define FIRTH_TASK_EVENT_H

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "json/json.h"

#include <stddef.h>
#include <stdint.h>

enum task_kind { TASK_CAPTURE, TASK_CONNECTION, TASK_MATERIALIZATION, TASK_KIND_MAX };

/* "capture", "connection", "materialization". */
const char *task_kind_name(enum task_kind kind);

/* One binding of a capture or one stream of a connection. */
struct task_binding_progress {
    const char *name;             /* the collection, or a connection's stream as the destination sees it */
    const char *stream;           /* the source's stream */
    uint64_t documents, bytes;    /* taken from the source and given to the sink, as raw JSON */
    uint64_t states;              /* STATE messages of this stream alone that were taken from the source */
    uint64_t committed_documents; /* of these, durable at the sink */
    uint64_t committed_bytes;
    /* Violated their schema: quarantined, and not among `documents`; in a connection forwarded all the same,
     * and among them. */
    uint64_t invalid;
    uint64_t rejected;    /* the destination said that it did not write them: not among committed_documents */
    double row_estimate;  /* the source's own, for the whole session; negative: none was given */
    double byte_estimate; /* likewise */
    int64_t lag_ms;       /* from the newest document's emission to its commit; negative: not known yet */
    /* Of a materialization. `stored` also of a capture whose documents are reduced: what was written to the
     * collection for those that are committed. */
    uint64_t loaded, stored; /* documents that the endpoint had, and was given */
    uint64_t behind;         /* committed documents of the source that were not read yet */
    bool complete;           /* the source said that it has read the stream to its end */
};

struct task_progress {
    uint64_t elapsed_ms;                          /* since the session began */
    uint64_t commits;                             /* transactions so far */
    uint64_t states;                              /* STATE messages that were taken from the source */
    uint64_t cpu_ms;                              /* the task process's own, user and system */
    uint64_t memory_peak;                         /* bytes resident at most, the task process's own */
    const struct task_binding_progress *bindings; /* in the specification's order, disabled ones left out */
    size_t binding_count;
};

/* Whose fault a failure is, beside the error that the session ends with. Strings may be NULL; secrets are
 * masked. */
struct task_failure {
    const char *origin;             /* "source", "destination", "platform" */
    const char *type;               /* "config_error", "system_error", "transient_error" */
    const char *message;            /* what the connector said itself; NULL: the error tells all */
    const char *internal, *stack;   /* for whoever mends it */
    const char *stream, *namespace; /* of one stream */
};

enum task_outcome {
    TASK_COMPLETED, /* the source came to its end; everything is committed */
    TASK_STOPPED,   /* we were asked to stop; complete up to the last checkpoint */
    TASK_FAILED,
};
/* "completed", "stopped", "failed". */
const char *task_outcome_name(enum task_outcome outcome);

enum task_event_type {
    TASK_EVENT_STARTED,  /* specification read, sink open: the session begins */
    TASK_EVENT_PROGRESS, /* TASK_PROGRESS_PER_SECOND a second at most, after each commit, and at the end */
    TASK_EVENT_LOG,      /* one line of the task's or a connector's log */
    TASK_EVENT_FAILURE,  /* once, before the end of a session that failed */
    TASK_EVENT_CONFIG,   /* a connector changed its config; secret, and of connections of the API only */
    TASK_EVENT_CATALOG,  /* what a source offers, of a session that only asks for it */
    TASK_EVENT_ENDED,    /* the last event of a session */
};

enum {
    TASK_PROGRESS_PER_SECOND = 4,
    TASK_EVENT_LINE_MAX = 4 << 20, /* bytes of one event's line, but for a catalog's */
    TASK_CATALOG_LINE_MAX = 68 << 20,
};

struct task_event {
    enum task_event_type type;
    union {
        struct {
            const char *source, *sink; /* for people: "source-faker (built in)", "collections" */
            bool resumed;              /* a checkpoint was there */
        } started;
        struct task_progress progress;
        struct {
            enum log_level level;
            const char *origin; /* "task", or the connector's label */
            const char *message;
        } log;
        struct task_failure failure;
        struct {
            bool destination;
            struct slice config; /* a JSON object: what it has changed, or more */
        } config;
        struct slice catalog; /* a JSON object: {"streams":[…]} */
        struct {
            enum task_outcome outcome;
            struct error error; /* for TASK_FAILED: the one clear error, with retriable */
        } ended;
    };
};

/* Append the event as one line, newline included. `task` (may be NULL) is named in it: for people's
 * `-o json`; the task itself leaves it out. */
void task_event_write(struct buffer *out, const char *task, const struct task_event *event);

/* Read a parsed line; strings and arrays go to the arena. 1, or 0 for an event of a kind this reader does
 * not know, or -1 (ERROR_PROTOCOL). */
int task_event_read(const struct json *line, struct arena *arena, struct task_event *ret_event,
                    struct error *err);

#endif
