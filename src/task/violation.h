/* A document that violates its schema or lacks its collection's key, explained: to a person as the error that
 * stops the task, to the quarantine collection as a document. */
#ifndef FIRTH_TASK_VIOLATION_H
#define FIRTH_TASK_VIOLATION_H

#include "task/reader.h"

enum { TASK_VIOLATIONS_MAX = 20 /* explained of one document */ };

/* "document 12 of the stream 'users' violates …: at /age: expected integer, got "x" (keyword type, …)". -1.
 */
int task_violation_error(struct task *task, const struct task_item *item, struct error *err);

/* {"document":…,"violations":[{"instance","keyword","keywordLocation","message"}…],"stream","namespace",
 * "collection","number"}. Without the document, and with no value of it, if the collection's schema redacts:
 * an invalid document says nothing of what is to be redacted. Replaces the buffer's content. */
int task_violation_document(struct task *task, const struct task_item *item, struct buffer *out,
                            struct error *err);

#endif
