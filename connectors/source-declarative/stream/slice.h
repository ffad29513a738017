/* A slice: what a request is asked for: a partition of a router and a window of a cursor. */
#ifndef FIRTH_DECLARATIVE_STREAM_SLICE_H
#define FIRTH_DECLARATIVE_STREAM_SLICE_H

#include "source-declarative/template/value.h"

struct partition_state;
struct stream_slice {
    struct tvalue partition, cursor_slice, extra_fields; /* mappings, or none */
    struct tvalue value; /* the object that templates see: tvalue_stream_slice of the three */
    /* The cursor's: whose window it is, and which (windows_find). NULL: nobody's. */
    struct partition_state *owner;
    int64_t start, end;
};
struct stream_slice stream_slice_make(struct arena *arena, struct tvalue partition,
                                      struct tvalue cursor_slice, struct tvalue extra_fields);
/* Into an arena of its own, for a slice that outlives its maker. */
struct stream_slice stream_slice_copy(struct arena *arena, const struct stream_slice *slice);
/* The partition as the CDK makes a key of it: JSON, sorted keys. For states per partition. */
struct slice partition_key(struct arena *arena, const struct tvalue *partition);
struct slice stream_slice_key(struct arena *arena, const struct stream_slice *slice);

#endif
