/* `firth run -o json`: what the supervisor tells, as JSON lines on standard output. */
#ifndef FIRTH_CLI_RUN_EVENTS_H
#define FIRTH_CLI_RUN_EVENTS_H

#include "cli/output.h"
#include "supervisor/supervisor.h"

/* The callbacks' context is the output, flushed after each line. Log lines below `level` are left out.
 * Once the output fails, the run is stopped as by SIGTERM. */
struct run_events {
    struct output *output;
    enum log_level level;
    bool stopped; /* the output failed, and the run has been told to stop */
};
struct supervisor_events run_events(struct run_events *events);

#endif
