#include "control/sqlite/database.h"

void database_hold(struct control *control)
{
    pthread_mutex_lock(&control->lock);
}

void database_release(struct control *control)
{
    pthread_mutex_unlock(&control->lock);
}

int database_error(const struct control *control, const char *what, struct error *err)
{
    int code = control->db ? sqlite3_errcode(control->db) : SQLITE_NOMEM;
    const char *reason = control->db ? sqlite3_errmsg(control->db) : "no memory";
    if ((code & 0xff) == SQLITE_FULL)
        return error_set(err, ERROR_FULL,
                         "cannot %s in %s: its disk is full (%s); nothing of it was kept, "
                         "and it can be done again once some space is free",
                         what, control->path, reason);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        error_set(err, ERROR_BUSY, "cannot %s in %s: another process is changing it", what, control->path);
        err->retriable = true;
        return -1;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(
            err, ERROR_CORRUPT,
            "%s is damaged (%s): put it back from a backup, or move it away and deploy the catalogs "
            "again; collections and checkpoints are not in it and stay as they are",
            control->path, reason);
    default:
        return error_set(err, ERROR_IO, "cannot %s in %s: %s", what, control->path, reason);
    }
}

int database_exec(struct control *control, const char *sql, struct error *err)
{
    return sqlite3_exec(control->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_error(control, "change", err);
}

sqlite3_stmt *database_prepare(struct control *control, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(control->db, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    database_error(control, "read", err);
    return NULL;
}

int database_step(struct control *control, sqlite3_stmt *statement, struct error *err)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return database_error(control, sqlite3_stmt_readonly(statement) ? "read" : "write", err);
}

void database_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void database_bind_blob(sqlite3_stmt *statement, int at, struct slice bytes)
{
    sqlite3_bind_blob64(statement, at, bytes.data, bytes.size, SQLITE_STATIC);
}

const char *database_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? arena_strdup(arena, text) : NULL;
}

int database_number(struct control *control, const char *sql, int64_t otherwise, int64_t *ret_number,
                    struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *statement = database_prepare(control, sql, err);
    int step = statement ? database_step(control, statement, err) : -1;
    if (step < 0)
        return -1;
    *ret_number = step ? sqlite3_column_int64(statement, 0) : otherwise;
    return 0;
}

int database_begin(struct control *control, struct error *err)
{
    return database_exec(control, control->whole ? "SAVEPOINT part" : "BEGIN IMMEDIATE", err);
}

int database_begin_lightly(struct control *control, struct error *err)
{
    if (database_exec(control, "PRAGMA synchronous = NORMAL", err) < 0)
        return -1;
    sqlite3_busy_timeout(control->db, CONTROL_FACTS_BUSY_MS);
    if (database_begin(control, err) == 0)
        return 0;
    database_end_lightly(control);
    return -1;
}

void database_end_lightly(struct control *control)
{
    struct error ignored; /* no transaction is open, so this cannot fail */
    sqlite3_busy_timeout(control->db, CONTROL_BUSY_MS);
    (void)database_exec(control, "PRAGMA synchronous = FULL", &ignored);
}

int database_commit(struct control *control, struct error *err)
{
    if (database_exec(control, control->whole ? "RELEASE part" : "COMMIT", err) == 0)
        return 0;
    database_rollback(control);
    return -1;
}

void database_rollback(struct control *control)
{
    if (!sqlite3_get_autocommit(control->db))
        sqlite3_exec(control->db, control->whole ? "ROLLBACK TO part; RELEASE part" : "ROLLBACK", NULL, NULL,
                     NULL);
}

/* --- many changes as one ------------------------------------------------------------------------- */

int control_begin(struct control *control, struct error *err)
{
    DATABASE_HOLD(control);
    if (database_begin(control, err) < 0)
        return -1;
    control->whole = true;
    return 0;
}

int control_commit(struct control *control, struct error *err)
{
    DATABASE_HOLD(control);
    control->whole = false;
    return database_commit(control, err);
}

void control_rollback(struct control *control)
{
    DATABASE_HOLD(control);
    control->whole = false;
    database_rollback(control);
}
