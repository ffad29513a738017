/* From a request's body to documents: JSON, an array, JSON lines, CSV with a header. */
#ifndef FIRTH_INGEST_BODY_H
#define FIRTH_INGEST_BODY_H

#include "ingest/check.h"

enum ingest_format { INGEST_JSON, INGEST_LINES, INGEST_CSV, INGEST_TSV, INGEST_FORMATS };

/* Of a Content-Type; INGEST_FORMATS: of none that is taken. NULL is JSON. */
enum ingest_format ingest_format_of(const char *content_type);

/* Documents as they are gathered; all of it lives in the arena. */
struct ingest_batch {
    struct arena *arena;
    struct ingest_document *documents;
    size_t count, capacity, bytes;
};

/* What is wrong with a body, for the answer. */
struct ingest_problem {
    unsigned status;     /* 400, 413, 422 … */
    struct slice answer; /* JSON, in the arena */
};

/* Append what the body holds for one binding, checked. 0, or -1 with *ret_problem. `body` may be changed in
 * place (line breaks), and stays for as long as the documents. */
int ingest_body(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                enum ingest_format format, char *body, size_t size, struct ingest_batch *batch,
                struct ingest_problem *ret_problem);

/* The old form: {"acmeCo/orders":[…],"acmeCo/users":[…]}, names of collections, or of resources. */
int ingest_body_by_collection(struct ingest_worker *worker, const struct ingest_capture *capture,
                              const struct json *doc, struct ingest_batch *batch,
                              struct ingest_problem *ret_problem);

/* {"error":…} in the arena. */
struct slice ingest_answer_error(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
