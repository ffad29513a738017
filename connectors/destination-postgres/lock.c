#include "db.h"

#include "base/clock.h"

#include <stdio.h>

/* Waiting for a table that somebody else has locked. A statement that waits for a lock makes all wait that
 * come behind it, readers too, so we wait for a moment only, let them through, and try again; the log says
 * for whom we wait. */

enum {
    TRY_MS = 500,
    PAUSE_MS = 1000,
    TOLD_MS = 60 * 1000,    /* the log says it again after so long */
    WAIT_MS = 5 * 60 * 1000 /* then it is for the next attempt */
};

static const char *const modes[] = {
    [SQL_LOCK_ROWS] = "ROW EXCLUSIVE", [SQL_LOCK_INDEX] = "SHARE", [SQL_LOCK_ALONE] = "ACCESS EXCLUSIVE"};

/* 1: it is ours until the transaction ends; 0: not yet. */
static int try_lock(struct sql_db *db, const char *table, enum sql_lock lock, struct error *err)
{
    const struct sql_dialect *dialect = &postgres_dialect;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql,
                  "SAVEPOINT firth_lock; SET LOCAL lock_timeout = %d; LOCK TABLE %s IN %s MODE; "
                  "SET LOCAL lock_timeout = " POSTGRES_LOCK_TIMEOUT "; RELEASE SAVEPOINT firth_lock",
                  TRY_MS, table, modes[lock]);
    int result = dialect->execute(db, buffer_cstr(&sql), NULL, err);
    buffer_done(&sql);
    if (result == 0)
        return 1;
    bool locked = strcmp(db->state, "55P03") == 0; /* lock_not_available */
    /* There is none yet, or we may not: the statement that follows says so better. */
    bool pass = strcmp(db->state, "42P01") == 0 || strcmp(db->state, "42501") == 0;
    if (!locked && !pass)
        return -1;
    if (dialect->execute(db, "ROLLBACK TO SAVEPOINT firth_lock; RELEASE SAVEPOINT firth_lock", NULL, err) < 0)
        return -1;
    return pass;
}

struct holder {
    char pid[16], who[100];
};

static int take_holder(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct holder *holder = context;
    (void)count, (void)err;
    snprintf(holder->pid, sizeof holder->pid, "%.*s", SLICE_ARGS(values[0]));
    snprintf(holder->who, sizeof holder->who, "%.*s", SLICE_ARGS(values[1]));
    return 0;
}

/* Who has the table, of those that we wait for; pid "": it cannot be told, or is over. */
static int find_holder(struct sql_db *db, const char *table, enum sql_lock lock, struct holder *ret_holder,
                       struct error *err)
{
    static const char *const conflicting[] = {
        [SQL_LOCK_ROWS] = " AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', "
                          "'AccessExclusiveLock')",
        [SQL_LOCK_INDEX] = " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock')",
        [SQL_LOCK_ALONE] = ""};
    struct buffer sql;
    *ret_holder = (struct holder){0};
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql,
               "SELECT l.pid, concat('user ', a.usename, ', ', a.state) FROM pg_catalog.pg_locks l LEFT JOIN "
               "pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.granted AND l.pid <> "
               "pg_backend_pid() AND l.relation = ");
    sql_put_text(&sql, slice_of(table));
    buffer_printf(&sql, "::regclass%s ORDER BY a.xact_start LIMIT 1", conflicting[lock]);
    int result = postgres_dialect.query(db, buffer_cstr(&sql), take_holder, ret_holder, err);
    buffer_done(&sql);
    return result;
}

static void tell(struct sql_db *db, const char *table, const struct holder *holder)
{
    if (*holder->pid)
        firth_log(db->host, FIRTH_WARN,
                  "waiting for the table %.200s, which the server's process %s (%s) has locked: its "
                  "transaction is to "
                  "end (or SELECT pg_terminate_backend(%s))",
                  table, holder->pid, holder->who, holder->pid);
    else
        firth_log(db->host, FIRTH_WARN, "waiting for the table %.200s, which somebody has locked", table);
}

int postgres_lock_table(struct sql_db *db, const char *table, enum sql_lock lock, struct error *err)
{
    struct holder holder;
    struct firth_error failure;
    int64_t told_ms = 0, begun_ms = 0;
    for (;;) {
        int got = try_lock(db, table, lock, err);
        if (got != 0)
            return got < 0 ? -1 : 0;
        int64_t now_ms = (int64_t)(clock_monotonic_ns(&clock_system) / (1000 * 1000));
        if (find_holder(db, table, lock, &holder, err) < 0)
            return -1;
        if (!begun_ms)
            begun_ms = now_ms;
        if (!told_ms || now_ms - told_ms >= TOLD_MS) {
            tell(db, table, &holder);
            told_ms = now_ms;
        }
        if (now_ms - begun_ms >= WAIT_MS) {
            error_set(err, ERROR_BUSY, "the table %.200s has been locked for %d minutes%s%s", table,
                      WAIT_MS / (60 * 1000), *holder.pid ? " by the server's process " : "", holder.pid);
            err->retriable = true;
            return -1;
        }
        if (pg_wait(db->connection, db->host, PAUSE_MS, &failure) < 0)
            return error_set(err, ERROR_CANCELLED, "asked to stop while it waited for the table %.200s",
                             table);
    }
}
