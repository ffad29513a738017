/* What to do about a task whose files are damaged. */
#ifndef FIRTH_CLI_DAMAGE_H
#define FIRTH_CLI_DAMAGE_H

#include "supervisor/supervisor.h"

/* Add the way out to what the store says of the task's files. Errors that are no damage stay as they are. */
void damage_explain(struct error *err, const char *task);
/* The same of the error that a task's session ended with (NULL: none); *ret_explained holds the longer one. A
 * materialization's is left as it is: what is damaged is likely another task's. */
const struct error *damage_explain_ended(const struct supervisor_task *task, const struct error *error,
                                         struct error *ret_explained);

#endif
