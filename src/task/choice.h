/* What a connection chose of a stream: fields, cursor, key, mappers. It is known only once the source has
 * said what the stream has, which a client may have left out of its catalog. */
#ifndef FIRTH_TASK_CHOICE_H
#define FIRTH_TASK_CHOICE_H

#include "task/task.h"

/* Of binding->configured, whose stream still has all of its schema: cursor and key are set. The binding's
 * mapping, with what was chosen of the fields and those that cursor and key are, the stream's own as well:
 * without them no row could be told from another. ERROR_INVALID if the stream has not what was chosen. */
int task_choice_take(struct task *task, struct task_binding *binding, struct error *err);

#endif
