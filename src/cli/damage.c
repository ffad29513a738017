#include "cli/damage.h"

#include <stdio.h>
#include <string.h>

void damage_explain(struct error *err, const char *task)
{
    char message[ERROR_MESSAGE_MAX];
    if (err->code != ERROR_CORRUPT || strstr(err->message, "'firth drop ")) /* it says the way out already */
        return;
    snprintf(message, sizeof message, "%.*s", ERROR_MESSAGE_MAX - 1024, err->message);
    error_set(
        err, ERROR_CORRUPT,
        "%s; restore its files from a copy, or begin anew by 'firth drop %.512s', which throws away all that "
        "this task has committed: its documents in every collection, and how far its source was read; "
        "other tasks are not concerned",
        message, task);
}

const struct error *damage_explain_ended(const struct supervisor_task *task, const struct error *error,
                                         struct error *ret_explained)
{
    if (!error || error->code != ERROR_CORRUPT || task->kind == TASK_MATERIALIZATION)
        return error;
    *ret_explained = *error;
    damage_explain(ret_explained, task->name);
    return ret_explained;
}
