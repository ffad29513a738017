/* The combiner: the documents of one transaction, reduced by key in bounded memory.
 *
 * Documents are added in any order, each to a binding with a key and a schema; those of one key are reduced
 * as they come, or a little later once they are large: a document that grows costs about as much as what was
 * added to it, and may have COMBINER_DOCUMENT_MAX bytes. What does not fit the budget is written as a sorted
 * run to a file and merged when all is drained, in the order of bindings, and of each binding in the order of
 * its key (key_compare). What is drained does not depend on the budget, but for where a row of documents that
 * must stay separate is parted.
 *
 * Two modes of a binding. Partial: what is drained are updates, one for each key, or several where documents
 * must stay separate (REDUCE_SEPARATE), in the order they were added. Full: the document that an endpoint has
 * of a key is added too, as its left one, at any time before draining; one whole document is drained for each
 * key, and one that the reduction deletes is marked; what was added after a deletion begins anew, as if it
 * came in the next transaction. One thread. */
#ifndef FIRTH_TASK_COMBINER_H
#define FIRTH_TASK_COMBINER_H

#include "schema/reduce/reduce.h"
#include "json/key.h"

enum {
    COMBINER_MEMORY_DEFAULT = 64 << 20, /* bytes of documents, keys and their tables … */
    COMBINER_MEMORY_MIN = 4 << 10, /* … beside one document and one read buffer for each run while draining */
    COMBINER_DOCUMENT_MAX = 64 << 20, /* bytes of a reduced one */
    COMBINER_RUNS_MAX = 64,           /* in the spill file; then they are merged into one */
};

struct combiner_binding {
    const struct schema *schema; /* compiled with reduce_annotations; outlives the combiner */
    const struct key *key;       /* the same */
    enum reduce_mode mode;
};

struct combiner_options {
    size_t memory; /* 0: COMBINER_MEMORY_DEFAULT */
    const char
        *folder; /* where the spill file is made, and unlinked at once; made itself then if it is not there */
};

struct combiner_stats {
    uint64_t added;
    uint64_t runs, spilled_bytes; /* written to the spill file, merges included */
    uint64_t reduced_bytes;       /* of documents that others were reduced to, while adding */
    bool is_late; /* the error was found in documents that had been added before the one at hand */
};

struct combined {
    uint32_t binding;
    struct slice document; /* one line of JSON; valid until the next call */
    bool exists;           /* full: there was a left document */
    bool is_deleted;       /* full: the reduction deletes it */
};

/* NULL with *err, which names the schema's place, for a reduction that is not understood. The bindings are
 * copied. */
struct combiner *combiner_new(const struct combiner_binding *bindings, size_t count,
                              const struct combiner_options *options, struct error *err);
void combiner_free(struct combiner *combiner);
MEM_DEFINE_CLEANUP(struct combiner *, combiner_free);

/* Add a document, parsed, its root at 0; it is copied. 0; 1 if it is not valid by the binding's schema:
 * nothing happened; -1 with *err: a value that the reduction cannot take, perhaps of a document before this
 * one, or the spill file failed (disk full): only combiner_clear and combiner_free are allowed then. */
int combiner_add(struct combiner *combiner, uint32_t binding, const struct json *document, struct error *err);
/* Add what the endpoint has of a key, at most once for each (-1 otherwise); the binding is full. It is not
 * validated: it may be older than the schema. */
int combiner_add_left(struct combiner *combiner, uint32_t binding, const struct json *document,
                      struct error *err);

/* Drain: 1 with the next document, 0 at the end, -1 with *err. Nothing may be added once this has begun. Left
 * documents that nothing was added to are left out. A document that reducing made invalid is an error. */
int combiner_next(struct combiner *combiner, struct combined *ret_combined, struct error *err);
/* Empty, for the next transaction; memory is kept, the spill file is not. */
void combiner_clear(struct combiner *combiner);

struct combiner_stats combiner_stats(const struct combiner *combiner); /* since it was made or cleared */

#endif
