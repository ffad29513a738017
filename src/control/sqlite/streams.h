/* Streams by name, as JSON, and those that a syncCatalog selects. Private to src/control. */
#ifndef FIRTH_CONTROL_SQLITE_STREAMS_H
#define FIRTH_CONTROL_SQLITE_STREAMS_H

#include "control/jobs.h"

/* [{"name":…,"namespace":…}]; size 0 is none. */
int streams_read(struct slice json, struct arena *arena, const struct control_stream **ret_streams,
                 size_t *ret_count, struct error *err);
struct slice streams_write(const struct control_stream *streams, size_t count, struct arena *arena);

/* Those of a syncCatalog whose config does not say that they are not selected. */
int streams_selected(struct slice catalog, struct arena *arena, const struct control_stream **ret_streams,
                     size_t *ret_count, struct error *err);
/* Is it one of them? An empty namespace is none. */
bool streams_have(const struct control_stream *streams, size_t count, const struct control_stream *stream);
/* Is it a syncCatalog: an object with streams, each with its name, none twice, and mappers
 * that there are. */
int streams_check(struct slice catalog, struct error *err);

#endif
