/* Are documents fit for their collection? Before anything of a push is kept, all of it is looked at. */
#ifndef FIRTH_INGEST_CHECK_H
#define FIRTH_INGEST_CHECK_H

#include "ingest/capture.h"

enum { INGEST_LARGE = 256 << 10 /* bytes of a text whose nodes are counted before it is parsed */ };

/* Whom what a request holds is counted with: NULL, nobody. */
struct ingest_room {
    bool (*take)(void *context, size_t more);
    void *context;
    size_t owed; /* of small documents, not asked for yet */
};

/* Room among all that is held (INGEST_HELD_MAX), of what is no HTTP request. Who is alone with what its loop
 * has received has room for whatever its own limits allow. */
struct ingest_hold {
    struct ingest_room room;
    _Atomic size_t *all;
    const size_t *received; /* bytes that its loop has received, which are in *all too */
    size_t own;
};
void ingest_hold_init(struct ingest_hold *hold, struct ingest_captures *captures, const size_t *received);
/* Gives back what it has; it may go on. */
void ingest_hold_done(struct ingest_hold *hold);

/* What one thread needs to parse and validate: taken from a pool for a request. */
struct ingest_worker {
    struct ingest_room *room; /* the request's, while it is taken */
    struct json_parser *parser;
    struct schema_validator *validator;
    struct ingest_worker *next;
};

struct ingest_workers;
struct ingest_workers *ingest_workers_new(void);
void ingest_workers_free(struct ingest_workers *workers);
struct ingest_worker *ingest_workers_take(struct ingest_workers *workers);
void ingest_workers_give(struct ingest_workers *workers, struct ingest_worker *worker);
/* Parse with its parser, within its room; large texts one after the other. The document is the caller's, in
 * the arena. 0; -1 with *err: ERROR_BUSY, there is no room now. */
int ingest_worker_parse(struct ingest_worker *worker, const char *text, size_t size, struct arena *arena,
                        struct json *ret_doc, struct error *err);

/* Room for what else the request comes to hold. -1 with *err: ERROR_BUSY. */
int ingest_worker_room(struct ingest_worker *worker, size_t more, struct error *err);

enum { INGEST_VIOLATIONS_MAX = 20 /* explained of one document */ };

/* 1: it is valid, and its key is there. 0: it is not, and *ret_answer is what a client is told, in the arena:
 * {"error":…,"document":7,"violations":[{"instance","keyword","keywordLocation","message"}…]}; for a binding
 * that has a quarantine it is NULL, and the document may go there. -1 with *err: a limit was hit. `number` is
 * the document's place in the request, from 0. */
int ingest_check(struct ingest_worker *worker, const struct ingest_binding *binding, const struct json *doc,
                 uint32_t at, size_t number, struct arena *arena, struct slice *ret_answer,
                 struct error *err);

/* Line breaks between tokens become spaces: the store keeps a document in a line. There are none inside of
 * strings, for those are not JSON. */
void ingest_flatten(char *text, size_t size);

#endif
