/* From the facts that are kept of a task's sessions to where a supervisor takes it up: pure. */
#ifndef FIRTH_SUPERVISOR_PAST_H
#define FIRTH_SUPERVISOR_PAST_H

#include "control/control.h"
#include "supervisor/supervisor.h"

/* `generation`: of what is deployed now. Another one than the facts are of: the task is as new. */
struct supervisor_past past_of(const struct control_facts *facts, uint64_t generation,
                               const struct supervisor_schedule *schedule);

#endif
