/* SQLite, wrapped: errors as values, statements that are finished by themselves. Private to src/control. */
#ifndef FIRTH_CONTROL_SQLITE_DATABASE_H
#define FIRTH_CONTROL_SQLITE_DATABASE_H

#include "control/control.h"
#include "control/secret.h"

#include <pthread.h>
#include <sqlite3.h>

struct control {
    pthread_mutex_t lock; /* recursive: held for the length of a call, by DATABASE_HOLD */
    sqlite3 *db;
    char *path;
    bool keyed; /* `key` is there */
    struct secret_key key;
    bool whole; /* between control_begin and its end: what is a transaction otherwise is a part of it */
};

/* Until the end of the block this thread alone uses the handle. */
void database_hold(struct control *control);
void database_release(struct control *control);
MEM_DEFINE_CLEANUP(struct control *, database_release);
#define DATABASE_HOLD(control)                                                                    \
    mem_auto(database_release) struct control *database_held __attribute__((unused)) = (control); \
    database_hold(control)

/* open.c: a handle of a file that is there, with this program's settings. */
int database_open_handle(struct control *control, const char *path, int flags, struct error *err);

/* From SQLite's last error: ERROR_BUSY, ERROR_CORRUPT, ERROR_FULL or ERROR_IO, naming the file. Returns -1.
 */
int database_error(const struct control *control, const char *what, struct error *err);

int database_exec(struct control *control, const char *sql, struct error *err);

/* A prepared statement; NULL with *err. Finish it with sqlite3_finalize (database_statement does). */
sqlite3_stmt *database_prepare(struct control *control, const char *sql, struct error *err);
MEM_DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize);
/* 1 a row, 0 done, -1 with *err. */
int database_step(struct control *control, sqlite3_stmt *statement, struct error *err);

void database_bind_text(sqlite3_stmt *statement, int at, const char *text); /* NULL: null */
void database_bind_blob(sqlite3_stmt *statement, int at, struct slice bytes);
/* A copy in the arena; NULL for null. */
const char *database_text(sqlite3_stmt *statement, int column, struct arena *arena);

/* One number, or `otherwise` where there is no row. */
int database_number(struct control *control, const char *sql, int64_t otherwise, int64_t *ret_number,
                    struct error *err);

int database_begin(struct control *control, struct error *err);
/* A change is durable when it is committed, unless this was called before it began: then a power loss may
 * cost it, and other processes' changes are waited for CONTROL_FACTS_BUSY_MS only. Each call has its end. */
int database_begin_lightly(struct control *control, struct error *err);
void database_end_lightly(struct control *control);
int database_commit(struct control *control, struct error *err);
void database_rollback(struct control *control);

/* migrations.c: bring a database to this program's version, in one transaction each. The handle has its key,
 * and the key is the database's. */
int database_migrate(struct control *control, struct error *err);
/* The version that this program knows. */
int64_t database_version_known(void);

#endif
