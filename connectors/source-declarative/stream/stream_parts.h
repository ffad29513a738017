/* What a stream is made of; private to this folder. */
#ifndef FIRTH_DECLARATIVE_STREAM_STREAM_PARTS_H
#define FIRTH_DECLARATIVE_STREAM_STREAM_PARTS_H

#include "async.h"
#include "cursor.h"
#include "stream.h"

struct slice_job;
struct declared_stream {
    struct engine *engine;
    struct component where;
    const char *name;
    const char *const *primary_key;
    struct partition_router *router;
    struct cursor *cursor;
    struct schema_loader *loader;
    struct pages *pages;
    struct async_retriever *async; /* in place of pages; else NULL */
    struct record_gate gate;
    bool has_least_split; /* min_split_window */
    struct duration least_split;
    struct slice state;    /* as it was set; size 0: none */
    struct tvalue parents; /* parent_state of it, or the parents' before their children were read; or none */
    bool was_read;
    bool finished;          /* all children have been read: what the parents have reached counts */
    struct slice_job *jobs; /* slices that are being read */
    /* StateDelegatingStream: the one without a state, the one with, and which it is. All else is theirs. */
    struct declared_stream *full, *incremental, *active;
};

/* migration.c: *at of *doc becomes what the migrations make of it. */
int state_migrate(struct engine *engine, struct component stream, struct slice *state, struct error *err);

/* retention.c: a StateDelegatingStream's active one by the state; none of *state is left where that one is to
 * begin anew. */
int stream_delegate(struct declared_stream *stream, struct slice *state, struct error *err);

/* read.c */
int stream_add_options(void *context, struct scope *scope, struct tvalue stream_slice,
                       struct options *options, struct error *err);
bool stream_is_old(void *context, const struct record *record);
int stream_reduce_slice(void *context, struct tvalue stream_slice, struct arena *arena,
                        struct tvalue *ret_slice, struct error *err);
int stream_split_slice(void *context, struct tvalue stream_slice, struct arena *arena,
                       struct tvalue *ret_slices, struct error *err);
/* stream.c: forget what an earlier read left. */
int stream_restart(struct declared_stream *stream, struct error *err);
/* What the parents have now is theirs until all children have been read, if the state did not say it. */
int stream_begin_parents(struct declared_stream *stream, struct error *err);

#endif
