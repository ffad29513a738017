/* HttpComponentsResolver: streams for what the API lists. */
#ifndef FIRTH_DECLARATIVE_SOURCE_DYNAMIC_HTTP_H
#define FIRTH_DECLARATIVE_SOURCE_DYNAMIC_HTTP_H

#include "dynamic.h"

/* In a fiber: one stream for each record. `resolver`: of the same dynamic stream. */
int dynamic_stream_make_http(struct engine *engine, const struct dynamic_stream *dynamic,
                             struct component resolver, const char *name, struct stream_components *streams,
                             struct error *err);

#endif
