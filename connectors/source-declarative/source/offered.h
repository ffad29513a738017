/* What a manifest offers: its streams, each compiled when it is asked for. */
#ifndef FIRTH_DECLARATIVE_SOURCE_OFFERED_H
#define FIRTH_DECLARATIVE_SOURCE_OFFERED_H

#include "dynamic.h"
#include "source-declarative/stream/stream.h"

struct offered_stream {
    struct component where;
    const char *name;
    const char *origin;             /* the name of the DynamicDeclarativeStream; NULL: it is written */
    struct declared_stream *stream; /* NULL: not compiled yet; offered_stream_compile */
};

/* Lives in the engine's arena. */
struct offered {
    struct engine *engine;
    struct offered_stream *items; /* in the manifest's order; of those with one name the last */
    size_t count, capacity;
    bool has_written, has_all;
};

/* Those that are written, and conditional ones whose condition holds. */
int offered_written(struct offered *offered, struct error *err);
/* In a fiber: these, and what dynamic streams make. */
int offered_all(struct offered *offered, struct error *err);
/* Of those that are known by now; NULL: none. */
struct offered_stream *offered_find(const struct offered *offered, const char *name);
int offered_stream_compile(struct engine *engine, struct offered_stream *stream, struct error *err);

#endif
