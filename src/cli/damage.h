/* What to do about a task whose files are damaged. */
#ifndef FIRTH_CLI_DAMAGE_H
#define FIRTH_CLI_DAMAGE_H

#include "base/error.h"

/* Add the way out to what the store says of the task's files. Errors that are no damage stay as they are. */
void damage_explain(struct error *err, const char *task);

#endif
