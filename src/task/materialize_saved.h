/* What a task's checkpoint keeps of a materialization, beside the connector's state and the version that was
 * applied (flow_saved.h). */
#ifndef FIRTH_TASK_MATERIALIZE_SAVED_H
#define FIRTH_TASK_MATERIALIZE_SAVED_H

#include "base/error.h"
#include "json/writer.h"

struct task_materialize_saved {
    char *spec;      /* what was applied last: an `apply` request without secrets and schemas; "": nothing */
    char *applying;  /* likewise what was sent to be applied before anyone knows; "": nothing */
    char *bindings;  /* beside it, by binding of the catalog: JSON, see sink_materialize_plan.c; "[]" */
    char *triggers;  /* what is to be told of its commits (trigger.h): JSON; "": nothing is kept */
    char *positions; /* the runtime checkpoint (positions.h); "": none */
};

void task_materialize_saved_init(struct task_materialize_saved *saved);
void task_materialize_saved_done(struct task_materialize_saved *saved);
/* Takes a copy. */
void task_materialize_saved_set(char **text, struct slice value);

bool task_materialize_saved_any(const struct task_materialize_saved *saved);
/* A JSON object, which _load takes back. */
void task_materialize_saved_write(const struct task_materialize_saved *saved, struct json_writer *writer);
int task_materialize_saved_load(struct task_materialize_saved *saved, const struct json *doc, uint32_t at,
                                struct error *err);

#endif
