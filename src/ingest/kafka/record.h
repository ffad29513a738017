/* A record as a document, and why it is none. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_RECORD_H
#define FIRTH_INGEST_KAFKA_RECORD_H

#include "ingest/body.h"
#include "ingest/kafka/batch.h"

/* Append the document to the batch, checked. The value is JSON, and may be changed in place; without one it
 * is a deletion: the key has to be a JSON object of the collection's key, to which `_meta.op` "d" is added.
 * 0, or -1 with *ret_problem. */
int kafka_record_add(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     const struct kafka_record *record, struct ingest_batch *batch,
                     struct ingest_problem *ret_problem);
/* What the problem's answer says, in the arena. */
const char *kafka_record_why(const struct ingest_problem *problem, struct arena *arena);

#endif
