/* DeclarativeStream and StateDelegatingStream: a stream that can be offered, read, or be another's parent. */
#ifndef FIRTH_DECLARATIVE_STREAM_STREAM_H
#define FIRTH_DECLARATIVE_STREAM_STREAM_H

#include "cursor.h"
#include "router.h"
#include "schema_loader.h"

struct declared_stream;
/* Compiled when it is needed; parents are streams too, and are compiled for each child, as in the CDK. */
int declared_stream_compile(struct engine *engine, struct component component,
                            struct declared_stream **ret_stream, struct error *err);
const char *declared_stream_name(const struct declared_stream *stream);
/* JSON Pointers, NULL-terminated. */
const char *const *declared_stream_primary_key(const struct declared_stream *stream);
const char *declared_stream_cursor(const struct declared_stream *stream);
/* May the catalog name another cursor? */
bool declared_stream_cursor_is_free(const struct declared_stream *stream);
/* Is it another stream with a state than without one? */
bool declared_stream_delegates(const struct declared_stream *stream);
/* In a fiber: dynamic schemas are fetched, once. */
int declared_stream_schema(struct declared_stream *stream, const struct json **ret_schema, struct error *err);
/* JSON, or size 0: none yet. Migrations run here. */
int declared_stream_set_state(struct declared_stream *stream, struct slice state, struct error *err);
/* A state that is known by its cursor's value alone: a text or a number, JSON. Without a cursor: none. */
int declared_stream_set_reached(struct declared_stream *stream, const struct json *value, uint32_t at,
                                struct error *err);
/* As it is now. */
int declared_stream_state(struct declared_stream *stream, struct arena *arena, struct tvalue *ret_state,
                          struct error *err);

/* What reading a stream gives. Called in fibers, one at a time. */
struct stream_sink {
    int (*record)(void *context, struct record *record, struct error *err);
    int (*state)(void *context, struct tvalue state, struct error *err);
    void *context;
    /* In place of `record`: it as JSON, and a state covers all of the stream's that came before it
     * (outlet.h). NULL: records come as they are read. */
    int (*text)(void *context, struct slice record, struct error *err);
};
/* In a fiber: everything of it. Slices are read in fibers of their own, at most as many as `slots` lets in
 * (shared by all streams: concurrency_level); records of a slice come in their order. */
int declared_stream_read(struct declared_stream *stream, struct fiber_gate *slots,
                         const struct stream_sink *sink, struct error *err);
/* In a fiber: the same one slice after the other, for children and checks; -1 of the sink ends it. */
int declared_stream_read_in_order(struct declared_stream *stream, const struct stream_sink *sink,
                                  struct error *err);
/* check_availability: the first record of the first slice, or why there is none. *ret_reason: in the arena,
 * NULL: it is available. */
int declared_stream_available(struct declared_stream *stream, struct arena *arena, const char **ret_reason,
                              struct error *err);

#endif
