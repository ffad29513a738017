/* Documents of captures, redacted as their schemas say before anything keeps them (schema/redact.h).
 */
#ifndef FIRTH_TASK_REDACTION_H
#define FIRTH_TASK_REDACTION_H

#include "task/reader.h"

/* The bytes of a catalog's `redactSalt`; false if it is none. */
bool task_redact_salt(const char *base64, struct arena *arena, struct slice *ret_salt);

/* Set the binding's redactor, if its schema wants one. A task without a salt of its own makes one, which its
 * checkpoint keeps. */
int task_redaction_prepare(struct task *task, struct task_binding *binding, struct error *err);

/* Put the redacted document in the item's place, where anything is redacted; *redacted is what it points to
 * then. ERROR_INVALID if the key is not there any more. */
int task_redact(struct task *task, struct task_item *item, struct json *redacted, struct error *err);

#endif
