/* A session that moves nothing: a source is asked what it offers. The answer is reported
 * (TASK_EVENT_CATALOG). */
#ifndef FIRTH_TASK_DISCOVER_H
#define FIRTH_TASK_DISCOVER_H

#include "task/task.h"

/* As task_run. */
enum task_outcome task_discover(const struct task_spec *spec, struct task_report *report,
                                const struct clock *clock, int stop_fd, struct error *err);

#endif
