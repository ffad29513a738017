/* Changes as documents: an insert, update or delete of one table. */
#ifndef FIRTH_PG_CHANGE_H
#define FIRTH_PG_CHANGE_H

#include "pgoutput.h"
#include "stream.h"

struct pg_relation_column {
    struct slice head; /* "name": */
    const char *name;
    const struct pg_type *type;
    bool identity;  /* of the replica identity: what an old key has */
    bool key;       /* of the stream's key */
    bool hidden;    /* the user may not read it: it is in no document */
    unsigned noted; /* what was told of its values, PG_NOTE_… */
};

/* A table as the log describes it now. */
struct pg_relation {
    uint32_t oid;
    size_t stream; /* position in the selection; SIZE_MAX: not wanted */
    struct arena arena;
    struct pg_relation_column *columns;
    size_t count;
    bool keyed;                /* its collection's key is of columns */
    const char *unknown_key;   /* a column of the key that the replica identity, an index of others, does not
                                * have: what is updated or deleted cannot be told; NULL: none */
    const char *missing_key;   /* what of the chosen key it has no column for, a pointer; NULL: nothing */
    struct slice place;        /* "schema":"s","table":"t"[,"tag":"x"] */
    struct slice current_name; /* "s"."t", quoted, by a NUL: where its rows are looked up */
    bool warned;               /* that they could not be */
};

struct pg_transaction {
    uint64_t commit_lsn, previous_end_lsn;
    int64_t time_ms;
    char when[40]; /* the same as text */
    uint32_t xid;
};

struct pg_change {
    char op; /* c, u, d, t (truncate) */
    uint64_t lsn;
    uint64_t rank; /* Airbyte: its cursor */
    const struct pg_transaction *transaction;
    const struct pg_tuple *row;    /* the document's columns; NULL: none */
    const struct pg_tuple *before; /* Flow: the row before; NULL: not known */
    const struct pg_tuple *old;    /* where values that did not change may be found; NULL: nowhere */
};

/* From a RELATION message. `table`: what the catalog says of it, for types and key; `tag`: may be NULL. */
void pg_relation_init(struct pg_relation *relation, const struct pg_message *message,
                      const struct pg_table *table, const struct pg_types *types, const char *tag,
                      bool history, size_t stream);
/* The columns of that key, JSON Pointers (NULL: none), must be known of what is updated and deleted. */
void pg_relation_needs(struct pg_relation *relation, const struct pg_table *table, const char *const *key);
void pg_relation_done(struct pg_relation *relation);
/* Has the update another key? */
bool pg_change_moves(const struct pg_relation *relation, const struct pg_message *update);
/* The row's value, of the old row or key where the log says that it did not change; UNCHANGED if that does
 * not have it, NULL if there is no such column. */
const struct pg_datum *pg_change_value(const struct pg_relation *relation, const struct pg_tuple *row,
                                       const struct pg_tuple *old, size_t index);
/* Has the row a value that is neither in it nor in `old`? */
bool pg_change_lacks(const struct pg_relation *relation, const struct pg_tuple *row,
                     const struct pg_tuple *old);
/* The first values of a column that JSON cannot say: to be told once. */
struct pg_change_note {
    const char *column;     /* NULL: there is none */
    unsigned notes;         /* PG_NOTE_… */
    struct buffer *changes; /* the caller's: all of the document's (pg_changes_add); NULL: not wanted */
};

/* Append the document. */
void pg_change_put(struct buffer *out, struct pg_relation *relation, const struct pg_change *change,
                   enum pg_envelope envelope, struct pg_style style, struct pg_change_note *ret_note);

#endif
