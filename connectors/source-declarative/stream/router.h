/* Partition routers: lists, substreams, groups, unions, products. One table of classes: router.c. */
#ifndef FIRTH_DECLARATIVE_STREAM_ROUTER_H
#define FIRTH_DECLARATIVE_STREAM_ROUTER_H

#include "slice.h"
#include "source-declarative/page/pages.h"

struct partition_router;
/* A router, a list of them (their product), or none: one empty partition. Parent streams are compiled with
 * it. */
int partition_router_compile(struct engine *engine, struct component component,
                             struct partition_router **ret_router, struct error *err);
/* Is it the one empty partition? */
bool partition_router_is_single(const struct partition_router *router);
/* Each partition in order, as parents are read; a copy that outlives the call is the sink's to make. In a
 * fiber. */
typedef int partition_sink(void *context, const struct stream_slice *slice, struct error *err);
int partition_router_walk(struct partition_router *router, partition_sink *on_partition, void *context,
                          struct error *err);
/* What the partition adds to a request. */
int partition_router_add(const struct partition_router *router, struct scope *scope,
                         struct tvalue stream_slice, struct options *options, struct error *err);
/* Of the stream's state, JSON, what is for parents that are read incrementally; and as it is now
 * (parent_state): none if there is none. */
int partition_router_set_state(struct partition_router *router, const struct json *state, uint32_t at,
                               struct error *err);
int partition_router_state(struct partition_router *router, struct arena *arena, struct tvalue *ret_state,
                           struct error *err);

#endif
