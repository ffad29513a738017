/* dynamic_streams: streams that are made of a template, one for each item of a list. */
#ifndef FIRTH_DECLARATIVE_SOURCE_DYNAMIC_H
#define FIRTH_DECLARATIVE_SOURCE_DYNAMIC_H

#include "source-declarative/engine/expression.h"

enum { DYNAMIC_STREAMS_MAX = 10000 }; /* of one source */

/* Components of streams, in order. Zeroed is empty. */
struct stream_components {
    struct component *items; /* in the engine's arena */
    size_t count, capacity;
};
/* ERROR_LIMIT past DYNAMIC_STREAMS_MAX. */
int stream_components_add(struct engine *engine, struct stream_components *streams, struct component stream,
                          struct error *err);
/* Those that the manifest names: `streams`, and those of ConditionalStreams whose condition holds. */
int stream_components_written(struct engine *engine, struct stream_components *streams, struct error *err);

/* A DynamicDeclarativeStream, its mappings compiled. */
struct dynamic_stream;
int dynamic_stream_compile(struct engine *engine, struct component component,
                           struct dynamic_stream **ret_dynamic, struct error *err);
/* One stream: the template with what the mappings say of this item. `stream_slice`: of the record that it
 * comes from, or none. For HttpComponentsResolver, whose records the caller has. */
int dynamic_stream_make(const struct dynamic_stream *dynamic, struct tvalue components_values,
                        struct tvalue stream_slice, struct stream_components *streams, struct error *err);
/* All of them, where the items are in the config or in the manifest. */
int dynamic_stream_make_all(const struct dynamic_stream *dynamic, struct stream_components *streams,
                            struct error *err);

#endif
