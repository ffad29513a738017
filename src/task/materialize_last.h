/* What the endpoint of a materialization has, as far as the task's checkpoint tells: the bindings that were
 * applied last, and those of an `apply` whose answer was never seen. */
#ifndef FIRTH_TASK_MATERIALIZE_LAST_H
#define FIRTH_TASK_MATERIALIZE_LAST_H

#include "protocol/flow_materialize.h"
#include "task/checkpoint.h"

struct task_materialize_last {
    const struct flow_materialize_spec *spec; /* what connectors are told, with the bindings that went, which
                                                 are inactive; NULL: nothing was ever sent */
    struct slice version;                     /* of what was applied, else of what was being applied */
    bool unfinished;                          /* the last `apply` was not answered, or with a failure */
    struct flow_materialize_bindings applied, begun; /* what `spec` is made of */
};

/* `config` is put in the place of the one that is not kept. Lives in the arena. ERROR_CORRUPT. */
int task_materialize_last_read(const struct task_checkpoint *checkpoint, struct slice config,
                               struct arena *arena, struct task_materialize_last *ret_last,
                               struct error *err);

/* What of a resource the connector is told, active or inactive; NULL: it is new to it. */
const struct flow_materialize_binding *task_materialize_last_find(const struct task_materialize_last *last,
                                                                  struct flow_texts resource_path);

/* The bindings that the endpoint may have and the next specification has not: they were taken out or
 * disabled, or their `apply` was never answered. A connector has to know of them for the day when they come
 * back. */
struct flow_materialize_bindings task_materialize_last_inactive(const struct task_materialize_last *last,
                                                                struct flow_materialize_bindings next,
                                                                struct arena *arena);

/* Keep that `spec` is about to be applied: what the endpoint has may be any part of it from now on. */
void task_materialize_last_begin(struct task_materialize_saved *saved,
                                 const struct task_materialize_last *last,
                                 const struct flow_materialize_spec *spec, struct slice version,
                                 struct arena *arena);
/* Keep that it was applied. */
void task_materialize_last_end(struct task_materialize_saved *saved, const struct flow_materialize_spec *spec,
                               struct arena *arena);

/* What stands for a binding in the kept list of counters. */
const char *task_materialize_id(const char *collection, struct slice resource, struct arena *arena);
/* A binding's backfill counter: the catalog's, unless one that was forced holds. `saved`: the kept list. */
uint32_t task_materialize_counter(const struct json *saved, const char *id, uint32_t catalog);

#endif
