/* From a request's body to documents: JSON, an array, JSON lines, CSV with a header, a form. */
#ifndef FIRTH_INGEST_BODY_H
#define FIRTH_INGEST_BODY_H

#include "ingest/check.h"

enum ingest_format {
    INGEST_JSON,  /* a document, or an array of them */
    INGEST_TEXTS, /* several of these, one behind the other: of websockets */
    INGEST_LINES,
    INGEST_CSV,
    INGEST_TSV,
    INGEST_FORM,
    INGEST_FORMATS,
};

enum { INGEST_COLUMNS_MAX = 4096, INGEST_DOCUMENTS_MAX = 1 << 20 /* of one request */ };

/* Of a Content-Type; INGEST_FORMATS: of none that is taken. NULL is JSON. */
enum ingest_format ingest_format_of(const char *content_type);

/* What is known of a request, for its documents' `_meta` (metadata.c); NULL or empty: it has no such thing.
 */
struct ingest_origin {
    const char *id;       /* webhookId; of an array's elements with /0, /1 behind it */
    const char *received; /* RFC 3339 */
    const char *path;
    struct slice headers, query; /* JSON objects */
    struct slice key;            /* of a record of Kafka, JSON; and its time, RFC 3339 */
    const char *time;
};

/* Documents as they are gathered; all of it lives in the arena. */
struct ingest_batch {
    struct arena *arena;
    const struct ingest_origin *origin; /* NULL: nothing is put into documents */
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

/* A binding by its collection or its resource's name; binding_count: there is none. */
size_t ingest_binding_of(const struct ingest_capture *capture, struct slice name);

/* The old form: {"acmeCo/orders":[…],"acmeCo/users":[…]}, names of collections, or of resources. */
int ingest_body_by_collection(struct ingest_worker *worker, const struct ingest_capture *capture,
                              const struct json *doc, struct ingest_batch *batch,
                              struct ingest_problem *ret_problem);

/* What sets the ids of pushes to several resources apart: the same for the same ones, in whatever order they
 * come and the catalog has them. NULL: it is one. `by_resource`: as it was before it was by collection. In
 * the arena. */
const char *ingest_batch_scope(const struct ingest_capture *capture, const struct ingest_batch *batch,
                               bool by_resource, struct arena *arena);

/* CSV: a header of members' names, then rows (RFC 4180), in one text or in several: the header is in the
 * first. Zeroed but for what is said here. */
struct ingest_csv {
    char separator;
    struct arena *arena; /* of the header */
    struct ingest_column *columns;
    size_t count, rows;
};
int ingest_csv_read(struct ingest_csv *csv, struct ingest_worker *worker,
                    const struct ingest_capture *capture, size_t binding, struct slice body,
                    struct ingest_batch *batch, struct ingest_problem *ret_problem);
struct ingest_column {
    struct slice name;
    unsigned types; /* SHAPE_… */
};

/* One document, checked and added; `doc` lives on. */
int ingest_batch_add(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     const struct json *doc, uint32_t at, struct ingest_batch *batch,
                     struct ingest_problem *ret_problem);
/* Parse a text that lives on, without line breaks between its tokens from then on; NULL with *ret_problem. */
const struct json *ingest_parse(struct ingest_worker *worker, char *text, size_t size, const char *what,
                                struct arena *arena, struct ingest_problem *ret_problem);
int ingest_problem_set(struct ingest_problem *ret_problem, unsigned status, struct slice answer);

/* The document with `_meta` as `members` (CATALOG_INGEST_META_…) wants it, as a text in the arena; what it
 * has there itself stays, unless it is one of these. No data: it is no object, or its `_meta` is none. */
struct slice ingest_metadata_add(const struct json *doc, uint32_t at, unsigned members,
                                 const struct ingest_origin *origin, bool many, size_t number,
                                 struct arena *arena);

/* {"error":…} in the arena. */
struct slice ingest_answer_error(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
