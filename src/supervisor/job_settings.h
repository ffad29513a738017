/* The job runner's settings, from the control store (control/settings.h): names and defaults in
 * job_settings.c and docs/connections.md. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_JOB_SETTINGS_H
#define FIRTH_SUPERVISOR_JOB_SETTINGS_H

#include "supervisor/jobs_state.h"

/* What is not set or no number keeps its default; an unreadable store changes nothing. */
void job_settings_read(struct jobs *jobs);

#endif
