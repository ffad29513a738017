/* What must not be read in anything that a session tells: the secrets of both its endpoints. By their names
 * they are known at once; what a connector's spec marks, once it has been asked, which the checkpoint keeps
 * (places in the config, no values) for as long as connector and config stay the same. */
#ifndef FIRTH_TASK_MARKS_H
#define FIRTH_TASK_MARKS_H

#include "task/task.h"

/* Set task->secrets, and let the report mask them. */
void task_marks_init(struct task *task);
void task_marks_done(struct task *task);

/* After the checkpoint was loaded: is all known that is to be masked of this endpoint? Else its connector is
 * to be asked for its spec, before it is given its config; one of Flow's gets it with that question, and has
 * everything in it masked. */
bool task_marks_known(struct task *task, enum task_side side);
/* The spec's JSON Schema of the config. */
void task_marks_take(struct task *task, enum task_side side, struct slice schema);
/* It could not be had: the session goes on with what names tell, and a warning says so. */
void task_marks_unknown(const struct task *task, const char *label, const struct error *why);

#endif
