/* Private to planning: what plan.c (captures, connections) and plan_materialize.c share. */
#ifndef FIRTH_SUPERVISOR_PLANNER_H
#define FIRTH_SUPERVISOR_PLANNER_H

#include "supervisor/plan.h"
#include "task/task_spec.h"

/* One task on its way into a plan. */
struct planner {
    struct plan *plan;
    struct arena *arena; /* the plan's */
    const struct catalog *catalog;
    const struct plan_options *options;
};

/* Put the place before the error. -1. */
int planner_at(const struct catalog_place *place, struct error *err);
/* Find the endpoint's program. `built_in`: what one that is built in is to speak, for it can speak either. */
int planner_endpoint(struct planner *planner, const struct catalog_endpoint *endpoint, const char *task,
                     enum connector_role role, enum connector_protocol built_in, enum log_level log_level,
                     struct task_endpoint *ret_endpoint, struct error *err);
struct task_spec planner_spec(const struct planner *planner, enum task_kind kind, const char *name);
/* NULL-terminated. */
const char *const *planner_words(const char *const *from, size_t count, struct arena *arena);
/* Write the specification into the plan. */
int planner_finish(struct planner *planner, const struct task_spec *spec, const char *const *names,
                   struct supervisor_schedule schedule, struct error *err);

int planner_materialization(struct planner *planner, const struct catalog_materialization *materialization,
                            struct error *err);

#endif
