/* Push captures as the listeners see them: a table of the captures that run, what may be pushed to each, and
 * the way of a push into the store.
 *
 * A capture runs as any task does (task/task.h): a loop in a thread of its own, which owns the store's
 * writer. Its reader (reader.c) takes pushes from a queue; a listener's thread puts them there and hears of
 * each once it is durable, with the commit that holds it. What waits while a commit is being made durable
 * goes into the next one together: a commit holds as many pushes as there are clients at once.
 *
 * Every function here may be called from any thread, unless it says otherwise. */
#ifndef FIRTH_INGEST_CAPTURE_H
#define FIRTH_INGEST_CAPTURE_H

#include "catalog/ingest.h"
#include "ingest/producers.h"
#include "schema/shape/shape.h"
#include "task/push_figures.h"
#include "task/task.h"

enum {
    INGEST_QUEUE_BYTES = 64 << 20, /* of one capture's pushes that are not durable yet */
    INGEST_QUEUE_PUSHES = 65536,   /* the same, counted */
    INGEST_HELD_MAX = 256 << 20,   /* of all requests and messages at once: as received, decoded and parsed */
    INGEST_ID_MAX = 255,           /* bytes of a push's id */
    INGEST_RETRY_SECONDS = 1,      /* what Retry-After says */
};

#define INGEST_NOWHERE UINT64_MAX

/* --- a push ------------------------------------------------------------------------------------------- */

enum ingest_result {
    INGEST_DURABLE,   /* committed */
    INGEST_DUPLICATE, /* a push of this id was committed before, or with it; nothing was added */
    INGEST_STOPPED,   /* the capture ends, or is away; nothing was kept: to be tried again */
    INGEST_FULL,      /* too much waits; likewise */
    /* Of pushes with a sequence; nothing was kept. */
    INGEST_OUT_OF_ORDER,  /* what comes before it is missing */
    INGEST_OLD_EPOCH,     /* its producer has begun anew since */
    INGEST_DUPLICATE_OLD, /* as INGEST_DUPLICATE, and where it is is not known any more */
};

struct ingest_document {
    const struct json *doc;
    uint32_t at;      /* its node in `doc` */
    uint32_t binding; /* its place among ingest_capture.bindings */
    bool valid;       /* ingest_check has found it so; else the loop looks again, and quarantines it */
};

/* Documents that become durable together, or not at all. Whoever pushes owns it and all it points to, and
 * keeps both until `done`; no document holds a line break (ingest_flatten). */
struct ingest_push {
    const struct ingest_document *documents;
    size_t count;
    size_t bytes; /* of the documents */
    /* Empty: it has none. Else a push with the same id and scope is kept once (ids.h). */
    struct slice id;
    const char *id_scope;        /* what the id is of; NULL: of the scope's collection */
    const char *id_scope_before; /* the same, as notes of an older Firth have it; or NULL */
    uint32_t scope;              /* the binding that the id, or the sequence, is of */
    /* Instead of an id: the producer's own number of it (producers.h). */
    struct ingest_sequence sequence;
    /* With INGEST_DURABLE and INGEST_DUPLICATE of a push with a scope's documents alone: the number of the
     * first in its journal; INGEST_NOWHERE: not known, for documents are combined there. */
    uint64_t offset;
    /* Once, in the capture's thread (or, with INGEST_FULL and INGEST_STOPPED, before ingest_push returns): it
     * must not wait. The push is its owner's again. */
    void (*done)(struct ingest_push *push, enum ingest_result result);

    /* The reader's, from ingest_push on. */
    struct ingest_push *next;
    enum ingest_result result; /* once it is durable */
};

/* --- captures ----------------------------------------------------------------------------------------- */

/* One resource of a capture, and what may be done with it. Read-only. */
struct ingest_binding {
    const struct task_binding *task; /* its schema, key, collection */
    const char *name;                /* of the resource */
    struct catalog_ingest options;   /* the endpoint's, and the resource's over them */
    const struct shape *shape;       /* of its schema: what a column of CSV may be */
    _Atomic uint64_t *rate;          /* ingest_rate_allows */
};

struct ingest_capture {
    const char *name;
    uint64_t serial; /* no other capture of this process has it, also none of the same name */
    const struct ingest_binding *bindings;
    size_t binding_count;
    struct catalog_ingest options; /* the endpoint's */
    struct ingest_captures *captures;
    struct ingest_reader *reader; /* reader.c */
    size_t users;                 /* those who have found it, under the table's lock */
};

/* What a specification says of a capture's resources, and the paths that lead to it. Arrays of its bindings'
 * order, in the arena; the fields of a binding that a session alone knows are left empty. */
struct ingest_plan {
    struct catalog_ingest options;
    struct ingest_binding *bindings;
    const char *const *paths;       /* NULL-terminated; the capture's own first */
    const char *const *collections; /* NULL-terminated */
};
int ingest_plan_read(const struct task_spec *spec, struct arena *arena, struct ingest_plan *ret_plan,
                     struct error *err);

struct ingest_captures;

struct ingest_captures *ingest_captures_new(void);
/* Every capture has been withdrawn. */
void ingest_captures_free(struct ingest_captures *captures);

enum ingest_found {
    INGEST_FOUND,
    INGEST_AWAY, /* it is being changed, or failed and will be started again: try later */
    INGEST_NONE,
};

/* What a path ("/ingest/acmeCo/hooks/orders", or a resource's own) leads to. *ret_binding is the capture's
 * binding_count for the capture itself ("/ingest/acmeCo/hooks"). With INGEST_FOUND the capture is the
 * caller's until ingest_release; not for long: it cannot be stopped meanwhile. */
enum ingest_found ingest_find(struct ingest_captures *captures, const char *path,
                              struct ingest_capture **ret_capture, size_t *ret_binding);
/* By a binding's collection; of several captures that write it, the first by name. */
enum ingest_found ingest_find_collection(struct ingest_captures *captures, const char *collection,
                                         struct ingest_capture **ret_capture, size_t *ret_binding);
void ingest_release(struct ingest_capture *capture);
/* The collections that are pushed to, those of captures that are away among them. */
typedef void ingest_take_name(void *context, const char *name);
void ingest_collections_each(struct ingest_captures *captures, ingest_take_name *take, void *context);
/* Is it the token of any binding? */
bool ingest_token_known(struct ingest_captures *captures, struct slice token);

/* Is one more request within maxRequestsPerSecond? `second` is any clock's. */
bool ingest_rate_allows(const struct ingest_binding *binding, uint64_t second);

/* Whoever holds on to captures by their serials, as connections do that were allowed by one, hears when any
 * is found no more: in any thread, and must not wait. The watch is the caller's until it is given up. */
struct ingest_watch {
    void (*gone)(void *context);
    void *context;
    struct ingest_watch *next;
};
void ingest_captures_watch(struct ingest_captures *captures, struct ingest_watch *watch);
void ingest_captures_unwatch(struct ingest_captures *captures, const struct ingest_watch *watch);

/* Hand it over; `capture` was found and is not released yet. `done` is told whatever happens. */
void ingest_push(struct ingest_capture *capture, struct ingest_push *push);
/* As many, each with the `next` one, in their order. */
void ingest_push_all(struct ingest_capture *capture, struct ingest_push *first);

/* What the requests of all listeners hold is counted here, in bytes. */
_Atomic size_t *ingest_held(struct ingest_captures *captures);

/* What all listeners and captures of the process do is counted here. */
void ingest_count(struct ingest_captures *captures, enum push_figure figure, int64_t more);
void ingest_figures(const struct ingest_captures *captures, struct push_figures *ret_figures);

/* --- the captures' own side --------------------------------------------------------------------------- */

/* Those to begin with are reserved: from now on a path that none of them has is INGEST_NONE. Before, it may
 * be one's that is not read yet. */
void ingest_captures_settle(struct ingest_captures *captures);
/* Its paths and collections are INGEST_AWAY until it is added; those that another capture has stay that
 * one's. NULL-terminated. */
void ingest_captures_reserve(struct ingest_captures *captures, const char *name, const char *const *paths,
                             const char *const *collections);
/* A path that another capture has already: ERROR_INVALID, naming both. */
int ingest_captures_add(struct ingest_captures *captures, struct ingest_capture *capture, struct error *err);
/* It is found no more; returns when nobody uses it. Its paths are INGEST_AWAY until ingest_captures_forget.
 */
void ingest_captures_withdraw(struct ingest_captures *captures, struct ingest_capture *capture);
void ingest_captures_forget(struct ingest_captures *captures, const char *name);

/* The reader of a push capture (task/reader.h), which puts itself into the table. */
struct task_reader *ingest_reader_new(struct task *task, void *captures);

#endif
