/* A destination that is a database, whichever: everything of struct firth_destination but how to connect.
 *
 * Rows go straight into their table where they are only added; into a stage beside it where the stream is
 * overwritten, which takes the table's place at the end; and into a batch, a temporary table, where one row a
 * key is kept, from which they are merged. A transaction begins with the first row and ends with commit, so
 * that nobody sees a part of it, and a checkpoint that comes with the commit is in it. */
#ifndef FIRTH_CONNECTORS_SQL_SESSION_H
#define FIRTH_CONNECTORS_SQL_SESSION_H

#include "plan.h"

#include "base/clock.h"

struct sql_target {
    struct sql_plan plan;
    const char *stage; /* quoted; NULL: none */
    const char *into;  /* quoted: where rows end up before finish */
    const char *batch; /* quoted; NULL: none */
    const char *keys;  /* quoted: the temporary table of keys to be loaded; NULL: none */
    bool batch_made, keys_made;
    struct sql_load *rows; /* of batch or into; NULL: not open */
    struct sql_load *key_rows;
    struct sql_cell *cells;     /* of a row, the batch's two columns behind them */
    struct sql_column *columns; /* the same */
    struct slice plain_meta;    /* _airbyte_meta of a row without changes, once it was made; the session's */
    bool *told;                 /* of a column: Flow: it was said that a value did not fit */
    int64_t row;                /* in the batch */
    uint64_t bytes;             /* in the batch */
    uint64_t key_count;         /* in `keys` */
};

struct sql_session {
    const struct sql_dialect *dialect;
    struct sql_db *db;
    struct sql_settings settings;
    struct sql_target *targets;
    size_t count;
    struct arena arena, row_arena;
    struct random_state random;
    struct buffer changes; /* of a row: the elements of _airbyte_meta.changes */
    struct buffer meta;
    struct buffer asked; /* a key that is loaded, as JSON */
    bool in_transaction;
    const char *task; /* Flow's; NULL: none */
    int64_t fence;
    const char *checkpoint;
};

/* `db` becomes the session's, also if this fails. */
int sql_session_open(const struct sql_dialect *dialect, struct sql_db *db,
                     const struct sql_settings *settings, struct firth_host *host,
                     struct firth_target *targets, size_t count, void **ret_self, struct firth_error *err);

/* The members of struct firth_destination; `self` is what open gave. */
int sql_session_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                           struct firth_error *err);
int sql_session_load(void *self, struct firth_host *host, size_t target, const struct firth_record *key,
                     struct firth_error *err);
int sql_session_flush(void *self, struct firth_host *host, struct firth_error *err);
int sql_session_store(void *self, struct firth_host *host, size_t stream, const struct firth_record *record,
                      struct firth_error *err);
int sql_session_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                       struct firth_error *err);
int sql_session_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                       struct firth_error *err);
void sql_session_idle(void *self, struct firth_host *host);
void sql_session_close(void *self);

/* These use a connection of their own, which they close. */
int sql_check(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
              struct firth_error *err);
int sql_validate(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
                 struct firth_target *target, struct firth_constraint *constraints, struct firth_error *err);
int sql_apply(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_settings *settings,
              struct firth_host *host, const struct firth_target *targets, size_t count,
              struct firth_error *err);

/* --- inside ------------------------------------------------------------------------------------------ */

int sql_session_begin(struct sql_session *session, const char *statement, struct error *err);
int sql_session_end(struct sql_session *session, struct error *err); /* commit */
/* Rows of the target that wait are merged; the transaction goes on. */
int sql_target_merge(struct sql_session *session, struct sql_target *target, struct error *err);
int sql_target_open_rows(struct sql_session *session, struct sql_target *target, struct error *err);
void sql_target_close_rows(struct sql_session *session, struct sql_target *target);
/* rows.c: fill target->cells; a column may be widened on the way. */
int sql_row_fill(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                 const struct firth_record *record, struct error *err);
/* flow.c: in the transaction; ERROR_BUSY if another session has taken over. */
int sql_checkpoint_store(struct sql_session *session, struct slice checkpoint, struct error *err);

#endif
