/* Triggers of a materialization: requests that tell others of its commits. They never hold up a transaction
 * and never fail one: they are sent by a thread of their own, tried a bounded number of times, and then a
 * warning says so. What is pending is in the checkpoint from the commit on that it is of, so that it is sent
 * at least once.
 *
 * Commits that come while a request is under way, or before the interval has passed, are told of together. No
 * message shows more of a URL than its host, nor a header, nor what came back. */
#ifndef FIRTH_TASK_TRIGGER_H
#define FIRTH_TASK_TRIGGER_H

#include "task/report.h"

enum {
    TRIGGER_BACKOFF_MS = 1000, /* twice as long with each try, */
    TRIGGER_BACKOFF_MAX_MS = 30 * 1000,
    TRIGGER_LEAVE_MS = 120 * 1000, /* that a session waits for the last ones at its end; */
    TRIGGER_STOP_MS = 5 * 1000,    /* and if it was asked to stop */
};

struct task_triggers;

/* `spec`: task_spec.triggers. `saved`: what the checkpoint has of them, "" at first. Both are copied. To be
 * called before there are threads. */
struct task_triggers *task_triggers_new(struct slice spec, const char *saved, const char *task,
                                        const char *connector, struct task_report *report,
                                        const struct clock *clock, struct error *err);
/* What is under way is given up. NULL is allowed. */
void task_triggers_free(struct task_triggers *triggers);

/* The transaction has a document of the collection, committed there at that time. `binding` counts from 0. */
void task_triggers_document(struct task_triggers *triggers, size_t binding, const char *collection,
                            int64_t committed_ms);
/* The transaction is about to be committed: returns what the checkpoint is to have, until the next call. */
const char *task_triggers_commit(struct task_triggers *triggers);

/* Send what is due, and take in what came of it: true if what the checkpoint is to have has changed. */
bool task_triggers_tick(struct task_triggers *triggers);
const char *task_triggers_saved(struct task_triggers *triggers);
/* Is something under way, or due? What waits for its interval is not. */
bool task_triggers_busy(const struct task_triggers *triggers);
/* Until something is due, -1: nothing is. */
int task_triggers_timeout_ms(const struct task_triggers *triggers);
/* Readable once something under way has ended. */
int task_triggers_fd(const struct task_triggers *triggers);

#endif
