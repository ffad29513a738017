/* The connector: a manifest as a source. `firth connector declarative --manifest-path M.yaml VERB …`. */
#ifndef FIRTH_DECLARATIVE_SOURCE_SOURCE_H
#define FIRTH_DECLARATIVE_SOURCE_SOURCE_H

#include "rules.h"
#include "source-declarative/stream/stream.h"

/* Every stream: those written, conditional ones whose condition holds, and in a fiber those that
 * dynamic_streams make of their templates. */
struct declared_streams {
    struct declared_stream **items;
    size_t count;
};
int declared_streams_compile(struct engine *engine, struct declared_streams *ret_streams, struct error *err);

/* CheckStream, CheckDynamicStream. In a fiber. *ret_reason: as declared_stream_available. */
int source_check(struct engine *engine, struct arena *arena, const char **ret_reason, struct error *err);

#endif
