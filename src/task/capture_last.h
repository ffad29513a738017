/* What a capture's connector applied last, as far as the task's checkpoint tells: what it is told at its next
 * `validate` and `apply`, and which of its bindings are gone from the catalog since. */
#ifndef FIRTH_TASK_CAPTURE_LAST_H
#define FIRTH_TASK_CAPTURE_LAST_H

#include "protocol/flow_capture.h"
#include "task/flow_saved.h"

/* *ret_last is NULL if nothing was applied, or by a program that did not keep it. Lives in the arena.
 * ERROR_CORRUPT. */
int task_capture_last_read(const struct task_flow_saved *saved, struct arena *arena,
                           const struct flow_capture_spec **ret_last, struct error *err);

/* The bindings, active and inactive, that the last specification has and the next one has not: they were
 * taken out or disabled, and may come back. */
struct flow_capture_bindings task_capture_last_inactive(const struct flow_capture_spec *last,
                                                        struct flow_capture_bindings next,
                                                        struct arena *arena);

/* The specification as it is kept in the checkpoint (task_flow_item.applied). */
const char *task_capture_last_text(const struct flow_capture_spec *spec, struct arena *arena);

#endif
