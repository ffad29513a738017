/* SQLite, wrapped: errors as values, statements that are finished by themselves. Private to src/control. */
#ifndef FIRTH_CONTROL_SQLITE_DATABASE_H
#define FIRTH_CONTROL_SQLITE_DATABASE_H

#include "control/control.h"
#include "control/secret.h"

#include <sqlite3.h>

struct control {
    sqlite3 *db;
    char *path;
    bool keyed; /* `key` is there */
    struct secret_key key;
};

/* From SQLite's last error: ERROR_BUSY, ERROR_CORRUPT or ERROR_IO, naming the file. Returns -1. */
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
int database_commit(struct control *control, struct error *err);
void database_rollback(struct control *control);

/* migrations.c: bring a database to this program's version, in one transaction each. */
int database_migrate(struct control *control, struct error *err);
/* The version that this program knows. */
int64_t database_version_known(void);

#endif
