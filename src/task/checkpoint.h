/* A task's checkpoint: everything that the next session must know, saved by the sink in the same act as the
 * documents it covers. One JSON document in the store's commit record; README.md shows it. */
#ifndef FIRTH_TASK_CHECKPOINT_H
#define FIRTH_TASK_CHECKPOINT_H

#include "base/map.h"
#include "protocol/airbyte_state.h"
#include "task/flow_saved.h"
#include "task/materialize_saved.h"

/* What is kept of one stream of the source, whether it is read at present or not. */
struct task_saved_stream {
    const char *name, *namespace;       /* as the source says; namespace "" if none */
    const char *target;                 /* the collection, or the stream's name at the destination */
    uint64_t backfill;                  /* the binding's counter when its state was begun */
    int64_t generation;                 /* connections */
    uint64_t documents, bytes, invalid; /* committed in all sessions */
    int64_t backfill_begun_ms, backfill_completed_ms; /* as a connector of Flow's says; 0: not */
    bool idle;      /* of a materialization: no binding that took part last, its place is only kept */
    bool replacing; /* connections: what is older than `generation` goes once the stream is complete, which it
                       was not yet: a clear or a refresh began it and did not come to its end */
    bool in_use;    /* this session reads it; not saved */
    const char *key; /* captures: the collection's, "/a, /b"; NULL: not known */
};

enum task_side { TASK_SOURCE, TASK_DESTINATION, TASK_SIDE_MAX };

/* Where in an endpoint's config its connector's spec marks secrets (marks.h). */
struct task_saved_marks {
    uint64_t identity;    /* conversation_identity of the endpoint that it was said of */
    const char *pointers; /* a JSON array; NULL: not known */
};

/* An endpoint's config as its connector has changed it (kept_config.h). */
struct task_saved_config {
    uint64_t identity;  /* sealed_config_identity of the config that was given */
    const char *sealed; /* base64; NULL: it has not changed it */
};

struct task_checkpoint {
    struct airbyte_states *states; /* of a source that speaks Airbyte's protocol */
    struct task_flow_saved flow;   /* of one that speaks Flow's */
    struct task_materialize_saved materialize;
    uint64_t source_checked,
        destination_checked; /* conversation_identity of what `check` said yes to; 0: none */
    struct task_saved_marks marks[TASK_SIDE_MAX];
    struct task_saved_config configs[TASK_SIDE_MAX];
    const char *redact_salt; /* that the task made itself, hexadecimal; NULL: none yet */
    bool existed;            /* there was one to load */
    bool idle_changed;       /* of a stream, or its counts, since it was loaded; not saved */
    bool complete;           /* the last session came to its end */
    uint64_t
        session; /* of a connection: the sync's id, shared by its attempts; of a capture: sessions begun */
    struct task_saved_stream **streams;
    size_t stream_count, stream_capacity;
    struct map by_name; /* name NUL namespace */
    struct arena arena;
};

void task_checkpoint_init(struct task_checkpoint *checkpoint);
void task_checkpoint_done(struct task_checkpoint *checkpoint);

/* Take in what was saved; size 0: a task that never committed. ERROR_CORRUPT for what this program cannot
 * have written, ERROR_UNSUPPORTED for a later version's. Once, after _init. */
int task_checkpoint_load(struct task_checkpoint *checkpoint, struct slice saved, struct error *err);
/* Replace the buffer's content. */
void task_checkpoint_write(const struct task_checkpoint *checkpoint, struct buffer *out);

/* The stream's entry, made if there is none. Stays valid and in place. */
struct task_saved_stream *task_checkpoint_stream(struct task_checkpoint *checkpoint,
                                                 struct airbyte_stream_name name);

#endif
