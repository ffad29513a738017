/* A run's display. On a terminal: live lines for every task and binding, log lines scrolling above; else
 * plain log lines now and then. At the end a table of what was done.
 *
 *     progress = progress_new(cli, once);
 *     options.events = progress_events(progress);
 *     supervisor = supervisor_new(&options); supervisor_add(…)…
 *     progress_begin(progress, supervisor);
 *     supervisor_run(…);
 *     progress_finish(progress, &output);
 *     progress_free(progress);
 *
 * The live display draws from a thread of its own, at most 10 times a second, so that neither a slow
 * terminal nor Ctrl-S holds up the supervisor. It writes to standard error; the table goes to `output`. */
#ifndef FIRTH_CLI_PROGRESS_H
#define FIRTH_CLI_PROGRESS_H

#include "cli/output.h"
#include "supervisor/supervisor.h"

struct progress;

/* `once`: errors wait for the table at the end instead of being said twice. */
struct progress *progress_new(const struct cli *cli, bool once);
void progress_free(struct progress *progress);
MEM_DEFINE_CLEANUP(struct progress *, progress_free);

struct supervisor_events progress_events(struct progress *progress);
/* Take the supervisor's tasks and, on a terminal, begin to draw. */
void progress_begin(struct progress *progress, const struct supervisor *supervisor);
/* A line of our own among the log lines. */
void progress_log(struct progress *progress, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Stop drawing; print the table, and then on standard error the whole message of every task that failed. */
void progress_finish(struct progress *progress, struct output *output);

#endif
