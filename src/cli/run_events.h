/* `firth run -o json`: what the supervisor tells, as JSON lines on standard output. */
#ifndef FIRTH_CLI_RUN_EVENTS_H
#define FIRTH_CLI_RUN_EVENTS_H

#include "cli/output.h"
#include "supervisor/supervisor.h"

/* The callbacks' context is the output, flushed after each line. Log lines below `level` are left out. */
struct run_events {
    struct output *output;
    enum log_level level;
};
struct supervisor_events run_events(struct run_events *events);

#endif
