/* Positions: how far a materialization has read each journal of its source collections.
 *
 * Written as Flow's runtime checkpoint, which connectors keep in their endpoint's own transaction:
 *   {"sources":{"<collection>/<writer>;<read suffix>":{"readThrough":"<next number>"}}}
 * with the writer percent-encoded. The suffix names task, resource and backfill counter, so that a binding
 * that is backfilled has no position and begins at zero. "ackIntents" (which are opaque to connectors as
 * well) holds each binding's largest packed key: {"<read suffix>":"<base64>"}; a larger one cannot be at the
 * endpoint. It has to be saved in the same act as the positions, or it would be wrong after a crash.
 * A number means something only in the log it was counted in: "ackIntents" has the identity of each journal's
 * log too (store.h), {"<journal's name, as in sources>":"<base64 of its 8 bytes, the lowest first>"},
 * followed by 8 bytes of the last document's mark (store_mark): a log that is gone on with from an older copy
 * keeps its identity. A position without them is of before there were identities, or marks. And it has how
 * many documents, and bytes of them, each binding has committed in all sessions, {"<read suffix without its
 * counter>;documents":"<base64 of 16 bytes>"}: an endpoint may have committed what we did not live to count.
 */
#ifndef FIRTH_TASK_POSITIONS_H
#define FIRTH_TASK_POSITIONS_H

#include "base/map.h"
#include "json/json.h"

struct json_writer;

/* A journal as one binding reads it. */
struct task_journal {
    size_t binding;
    const char *writer;
    uint64_t next;     /* number of the first document that is not read */
    uint64_t identity; /* of the log that `next` counts in; 0: not known */
    uint64_t mark;     /* of the document before `next`; 0: not known */
    uint64_t end;      /* one past the last that is known to be committed */
    uint64_t until;    /* a session that ends reads to here; 0: nothing of it is waited for */
};

/* What names a binding's journals in the checkpoint. */
struct task_position_source {
    const char *collection;
    struct slice suffix; /* without ';' */
};

/* What a binding has committed in all sessions. */
struct task_position_total {
    bool known;
    uint64_t documents, bytes;
};

struct task_positions {
    const struct task_position_source *sources; /* by binding; not owned */
    size_t source_count;
    struct task_journal **items;
    size_t count, capacity;
    struct map by_name; /* "<binding>/<writer>" */
    struct map others;  /* loaded of bindings that do not take part: a journal to its struct task_journal */
    struct buffer *max_keys;            /* by binding; size 0: not known */
    struct task_position_total *totals; /* by binding */
    struct arena arena;
};

enum { TASK_POSITIONS_MAX = 1 << 20 }; /* journals times bindings */

void task_positions_init(struct task_positions *positions, const struct task_position_source *sources,
                         size_t source_count);
void task_positions_done(struct task_positions *positions);
/* The journal's entry, made at 0 if there is none. Stays valid and in place. */
struct task_journal *task_positions_journal(struct task_positions *positions, size_t binding,
                                            const char *writer);

void task_positions_write(const struct task_positions *positions, struct json_writer *writer);
/* One binding's alone. */
void task_positions_write_of(const struct task_positions *positions, size_t binding,
                             struct json_writer *writer);
/* Take in a checkpoint; what it does not name stays as it is here. What is of no binding's is kept for one
 * that may take part again, unless it is an older backfill of one that does. ERROR_PROTOCOL for anything but
 * such an object; members that this program does not write are ignored. */
int task_positions_load(struct task_positions *positions, const struct json *doc, uint32_t at,
                        struct error *err);
/* Is a checkpoint that an endpoint keeps this task's, or empty? ERROR_INVALID if not: to read on from it
 * would be to begin anew in silence. What is no checkpoint at all is task_positions_load's business. */
int task_positions_check_owner(const struct task_positions *positions, const char *task,
                               const struct json *doc, uint32_t at, struct error *err);
/* Too large a one is not kept, as if it were not known. */
void task_positions_set_max_key(struct task_positions *positions, size_t binding, struct slice packed);
void task_positions_set_total(struct task_positions *positions, size_t binding, uint64_t documents,
                              uint64_t bytes);
/* Does the binding begin at zero? */
bool task_positions_zero(const struct task_positions *positions, size_t binding);

/* How far a journal was read by a checkpoint, by whichever binding has read the least of it; 0: not at all.
 */
uint64_t task_positions_read_least(const struct json *checkpoint, const char *collection, const char *writer);

#endif
