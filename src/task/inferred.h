/* Inferred schemas: what the documents of a collection look like, learned from those that were captured
 * (flow://inferred-schema in a collection's readSchema).
 *
 * Each capture keeps what it has learned of each of its collections in a file of its own,
 * <data>/inferred/<collection>/<task>.json; it only ever becomes wider. It is durable before the documents
 * that made it wider are committed: a committed document fits what the files say. Who reads the collection
 * takes the union. */
#ifndef FIRTH_TASK_INFERRED_H
#define FIRTH_TASK_INFERRED_H

#include "task/task.h"

struct task_inferred;

/* --- the capture's side ----------------------------------------------------------------------------- */

/* Set binding->inferred, with what earlier sessions learned, if the collection wants it. A file that cannot
 * be read as what it should be stands for anything: nothing may become narrower. */
int task_inferred_open(struct task *task, struct task_binding *binding, struct error *err);
void task_inferred_free(struct task_inferred *inferred);

/* A document that is going to be written. */
void task_inferred_document(struct task_inferred *inferred, const struct json *doc, uint32_t at);
/* What the connector itself says of the documents (sourcedSchema): as far as the write schema allows it. -1:
 * it is no schema, and why. `inferred` NULL: it is only looked at. */
int task_inferred_sourced(struct task_inferred *inferred, struct slice schema, struct error *err);
/* Make what has become wider durable: before a commit. */
int task_inferred_save(struct task *task, struct error *err);

/* --- the reader's side ------------------------------------------------------------------------------ */

/* Append the schema of what was captured into the collection so far; false if nothing is known. */
bool task_inferred_schema(const char *data_dir, const char *collection, struct buffer *out);
/* The same as catalog_options.inferred has it: `context` is the data directory's path. What is not known yet
 * is a schema that no document is valid by, as in Flow, so that a reader waits for the first. */
void task_inferred_for_catalog(void *context, const char *collection, struct buffer *out);

#endif
