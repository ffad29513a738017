/* A connection's syncCatalog (control/connections.h) as the bindings and the catalog of a task. Private to
 * this folder. */
#ifndef FIRTH_SUPERVISOR_JOB_STREAMS_H
#define FIRTH_SUPERVISOR_JOB_STREAMS_H

#include "control/jobs.h"
#include "task/task_spec.h"

/* Fill bindings and catalog of `spec`: of a SYNC or a REFRESH all streams that are selected, of a CLEAR those
 * of the job. Strings and arrays go to the arena. ERROR_INVALID names the stream and what of it is wrong. */
int job_streams_build(struct slice catalog, const struct control_job *job, struct arena *arena,
                      struct task_spec *spec, const struct control_stream **ret_streams, struct error *err);

#endif
