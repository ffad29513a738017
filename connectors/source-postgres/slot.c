#include "slot.h"

#include "timeline.h"

#include <stdlib.h>

enum { LOOK_MS = 200, BUSY_FOR_MS = 20000, SAID_AFTER_MS = 5000 };

PGresult *pg_query_patiently(struct firth_host *host, PGconn *connection, const char *sql, const char *what,
                             struct firth_error *err)
{
    if (!PQsendQuery(connection, sql)) {
        pg_failure(connection, NULL, what, err);
        return NULL;
    }
    while (PQisBusy(connection)) {
        int ready = pg_wait(connection, host, LOOK_MS, err);
        if (ready < 0)
            return NULL;
        if (ready && !PQconsumeInput(connection)) {
            pg_failure(connection, NULL, what, err);
            return NULL;
        }
    }
    PGresult *result = PQgetResult(connection);
    for (PGresult *more; (more = PQgetResult(connection)) != NULL;)
        PQclear(more);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    pg_failure(connection, result, what, err);
    PQclear(result);
    return NULL;
}

int pg_log_end(PGconn *connection, bool written, uint64_t *ret_lsn, struct firth_error *err)
{
    char sql[160];
    snprintf(
        sql, sizeof sql,
        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_%slsn() END",
        written ? "" : "insert_");
    pg_auto_result PGresult *rows = pg_query(connection, sql, "cannot ask for the log's end", err);
    if (!rows)
        return -1;
    if (!pg_lsn_read(PQgetvalue(rows, 0, 0), ret_lsn))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the server says that its log ends at %s",
                          PQgetvalue(rows, 0, 0));
    return 0;
}

/* pgoutput sees a table once it is in the publication: a transaction that changed it before that, and commits
 * after the snapshot, would be in neither. So those are waited for. */
int pg_wait_for_writers(struct firth_host *host, PGconn *connection, struct firth_error *err)
{
    bool old = PQserverVersion(connection) < 130000;
    pg_auto_result PGresult *now = pg_query(connection,
                                            old ? "SELECT txid_snapshot_xmax(txid_current_snapshot())"
                                                : "SELECT pg_snapshot_xmax(pg_current_snapshot())",
                                            "cannot take a snapshot", err);
    if (!now)
        return -1;
    uint64_t wanted = strtoull(PQgetvalue(now, 0, 0), NULL, 10);
    for (int waited = 0;; waited += LOOK_MS) {
        pg_auto_result PGresult *oldest = pg_query(connection,
                                                   old ? "SELECT txid_snapshot_xmin(txid_current_snapshot())"
                                                       : "SELECT pg_snapshot_xmin(pg_current_snapshot())",
                                                   "cannot take a snapshot", err);
        if (!oldest)
            return -1;
        if (strtoull(PQgetvalue(oldest, 0, 0), NULL, 10) >= wanted)
            return 0;
        if (waited == SAID_AFTER_MS)
            firth_log(host, FIRTH_INFO,
                      "waiting for transactions that were writing when the tables were added");
        if (pg_wait(connection, host, LOOK_MS, err) < 0)
            return -1;
    }
}

/* --- the slot
 * ------------------------------------------------------------------------------------------------- */

static PGresult *look_at_slot(PGconn *connection, const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql,
                  "SELECT coalesce(plugin, ''), coalesce(database, ''), confirmed_flush_lsn, %s, slot_type,"
                  " database = current_database() FROM pg_replication_slots WHERE slot_name = ",
                  PQserverVersion(connection) >= 130000 ? "coalesce(wal_status, '')" : "''");
    pg_put_literal(&sql, pg_config_slot(config));
    PGresult *rows = pg_query(connection, buffer_cstr(&sql), "cannot look for the replication slot", err);
    buffer_done(&sql);
    return rows;
}

static void put_create(struct buffer *sql, const struct pg_config *config)
{
    buffer_str(sql, "SELECT lsn FROM pg_create_logical_replication_slot(");
    pg_put_literal(sql, pg_config_slot(config));
    buffer_str(sql, ", 'pgoutput')");
}

static int may_create(const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    if (!config->read_only)
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_create(&sql, config);
    firth_fail(err, FIRTH_FAILURE_CONFIG, "the capture is to be read-only, so somebody else must run: %s",
               buffer_cstr(&sql));
    buffer_done(&sql);
    return -1;
}

static int create_slot(struct firth_host *host, PGconn *connection, const struct pg_config *config,
                       struct pg_slot *slot, struct firth_error *err)
{
    struct buffer sql;
    struct firth_error refused = {0};
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_create(&sql, config);
    pg_auto_result PGresult *rows = NULL;
    int result = may_create(config, err);
    if (result == 0) {
        rows = pg_query_patiently(host, connection, buffer_cstr(&sql), "it was refused", &refused);
        if (!rows && !firth_stopping(host))
            result =
                firth_fail(err, refused.failure,
                           "the replication slot could not be made; as a user that may, run: %s (%.1000s)",
                           buffer_cstr(&sql), refused.message);
        else if (!rows)
            result = -1;
    }
    buffer_done(&sql);
    if (result < 0)
        return -1;
    slot->made = true;
    return pg_lsn_read(PQgetvalue(rows, 0, 0), &slot->confirmed)
               ? 0
               : firth_fail(err, FIRTH_FAILURE_SYSTEM, "the new replication slot has no position");
}

static int drop_slot(PGconn *connection, const struct pg_config *config, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT pg_drop_replication_slot(");
    pg_put_literal(&sql, pg_config_slot(config));
    buffer_byte(&sql, ')');
    int result = pg_administer(connection, config, buffer_cstr(&sql), err);
    buffer_done(&sql);
    return result;
}

#define READ_AGAIN \
    "read the tables again (raise each binding's `backfill`, or reset the connection's streams)"

/* Is what follows the state's position still there? */
static bool is_lost(const struct pg_config *config, const PGresult *rows, uint64_t confirmed,
                    uint64_t position, struct firth_error *err)
{
    char has[PG_LSN_SIZE], wants[PG_LSN_SIZE];
    const char *name = pg_config_slot(config);
    if (PQntuples(rows) == 0)
        firth_fail(err, FIRTH_FAILURE_CONFIG,
                   "the replication slot \"%s\" is gone, and with it the changes since %s; " READ_AGAIN, name,
                   pg_lsn_write(wants, position));
    else if (strcmp(PQgetvalue(rows, 0, 3), "lost") == 0)
        firth_fail(err, FIRTH_FAILURE_CONFIG,
                   "the server has removed log that the replication slot \"%s\" needed "
                   "(max_slot_wal_keep_size): changes "
                   "since %s are lost; drop the slot and " READ_AGAIN,
                   name, pg_lsn_write(wants, position));
    else if (confirmed > position)
        firth_fail(err, FIRTH_FAILURE_CONFIG,
                   "the replication slot \"%s\" stands at %s, but this capture has read only up to %s: what "
                   "is between was "
                   "given to somebody else, or the slot was made anew; " READ_AGAIN
                   ", and give each capture a slot of its "
                   "own",
                   name, pg_lsn_write(has, confirmed), pg_lsn_write(wants, position));
    else
        return false;
    return true;
}

/* The slot, as it is once it is made. Until then it has no position: somebody is making it, perhaps for a
 * session of ours that was killed, and what commits before the server has finished is not in its changes. So
 * nothing may be read until then. */
static PGresult *look_until_made(struct firth_host *host, PGconn *connection, const struct pg_config *config,
                                 struct firth_error *err)
{
    for (int waited = 0;; waited += LOOK_MS) {
        PGresult *rows = look_at_slot(connection, config, err);
        bool made = rows && (PQntuples(rows) == 0 || !PQgetisnull(rows, 0, 2) ||
                             strcmp(PQgetvalue(rows, 0, 4), "logical") != 0);
        if (!rows || made)
            return rows;
        PQclear(rows);
        if (waited == SAID_AFTER_MS)
            firth_log(host, FIRTH_INFO, "waiting for the replication slot \"%s\", which is being made",
                      pg_config_slot(config));
        if (pg_wait(connection, host, LOOK_MS, err) < 0)
            return NULL;
    }
}

/* Can changes of this database be read from it? */
static int check_kind(const struct pg_config *config, const PGresult *rows, struct firth_error *err)
{
    bool is_logical = strcmp(PQgetvalue(rows, 0, 4), "logical") == 0;
    if (strcmp(PQgetvalue(rows, 0, 0), "pgoutput") == 0 && PQgetvalue(rows, 0, 5)[0] == 't')
        return 0;
    return firth_fail(err, FIRTH_FAILURE_CONFIG,
                      "the replication slot \"%s\" is there already, %s%s%s%s; name another slot",
                      pg_config_slot(config), is_logical ? "for the plugin " : "a physical one",
                      PQgetvalue(rows, 0, 0), is_logical ? " and the database " : "", PQgetvalue(rows, 0, 1));
}

static int prepare_slot(struct pg_slot *slot, struct firth_host *host, const struct pg_config *config,
                        PGconn *connection, uint64_t position, bool *ret_lost, struct firth_error *err)
{
    const char *name = pg_config_slot(config);
    pg_auto_result PGresult *rows = look_until_made(host, connection, config, err);
    if (!rows)
        return -1;
    bool there = PQntuples(rows) > 0;
    if (there && check_kind(config, rows, err) < 0)
        return -1;
    if (there)
        pg_lsn_read(PQgetvalue(rows, 0, 2), &slot->confirmed);
    if (position && is_lost(config, rows, slot->confirmed, position, err)) {
        *ret_lost = true;
        return 0;
    }
    if (there && strcmp(PQgetvalue(rows, 0, 3), "lost") == 0) { /* nothing was read from it that matters */
        firth_log(host, FIRTH_WARN, "the replication slot \"%s\" had lost its log: it is made anew", name);
        if (drop_slot(connection, config, err) < 0)
            return -1;
        there = false;
    }
    return there ? 0 : create_slot(host, connection, config, slot, err);
}

/* --- all
 * ------------------------------------------------------------------------------------------------------ */

static int check_server(struct pg_slot *slot, PGconn *connection, struct firth_error *err)
{
    pg_auto_result PGresult *rows =
        pg_query(connection, "SELECT current_setting('wal_level'), pg_is_in_recovery()",
                 "cannot ask the server for its settings", err);
    if (!rows)
        return -1;
    slot->standby = PQgetvalue(rows, 0, 1)[0] == 't';
    if (slot->standby && PQserverVersion(connection) < 160000)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "the server is a standby, and before PostgreSQL 16 a standby cannot tell changes: "
                          "name the primary, or read by cursor or xmin");
    if (strcmp(PQgetvalue(rows, 0, 0), "logical") != 0)
        return firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "the server's wal_level is %s, but changes need logical: run ALTER SYSTEM SET wal_level = "
            "'logical' and restart the server",
            PQgetvalue(rows, 0, 0));
    return 0;
}

/* Has the server not, or perhaps not, what was read? A standby may have it in a while. */
static int check_progress(const struct pg_slot *slot, struct pg_timeline *timeline,
                          const struct pg_progress *progress, bool *ret_lost, struct firth_error *err)
{
    if (*progress->system && strcmp(progress->system, slot->system) != 0) {
        *ret_lost = true;
        firth_fail(err, FIRTH_FAILURE_CONFIG,
                   "this is another server than the one that was read (system identifier %s, it was %.24s): "
                   "its log says nothing of what happened there; " READ_AGAIN,
                   slot->system, progress->system);
        return 0;
    }
    const char *why = pg_timeline_departs(timeline, progress->timeline, progress->lsn);
    if (why && slot->standby && progress->lsn > timeline->end)
        return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the standby is behind: %s", why);
    *ret_lost = why;
    if (why)
        firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "the server does not have all that was read: %s. What it has instead cannot be told; " READ_AGAIN,
            why);
    return 0;
}

static int check_history(struct pg_slot *slot, const struct pg_endpoint *endpoint,
                         const struct pg_progress *progress, bool *ret_lost, struct firth_error *err)
{
    struct pg_timeline timeline;
    if (pg_timeline_open(&timeline, endpoint, err) < 0)
        return -1;
    snprintf(slot->system, sizeof slot->system, "%s", timeline.system);
    /* A standby that takes over while it is read goes on in another: then what was read is of either. */
    slot->timeline = slot->standby ? 0 : timeline.number;
    int result = progress->lsn ? check_progress(slot, &timeline, progress, ret_lost, err) : 0;
    pg_timeline_close(&timeline);
    return result;
}

int pg_slot_prepare(struct pg_slot *slot, struct firth_host *host, const struct pg_endpoint *endpoint,
                    PGconn *connection, struct pg_catalog *catalog, struct pg_standings *tables,
                    const struct pg_progress *progress, bool *ret_lost, struct firth_error *err)
{
    *slot = (struct pg_slot){0};
    *ret_lost = false;
    if (check_server(slot, connection, err) < 0 || check_history(slot, endpoint, progress, ret_lost, err) < 0)
        return -1;
    if (*ret_lost)
        return 0;
    if (pg_publication_prepare(connection, endpoint->config, catalog, tables, err) < 0)
        return -1;
    return prepare_slot(slot, host, endpoint->config, connection, progress->lsn, ret_lost, err);
}

int pg_slot_check(const struct pg_endpoint *endpoint, PGconn *connection, const struct pg_catalog *catalog,
                  struct firth_error *err)
{
    const struct pg_progress nowhere = {0};
    struct pg_slot slot = {0};
    bool lost;
    if (check_server(&slot, connection, err) < 0 ||
        check_history(&slot, endpoint, &nowhere, &lost, err) < 0 ||
        pg_publication_check(connection, endpoint->config, catalog, err) < 0)
        return -1;
    pg_auto_result PGresult *rows = look_at_slot(connection, endpoint->config, err);
    if (!rows)
        return -1;
    return PQntuples(rows) ? check_kind(endpoint->config, rows, err) : may_create(endpoint->config, err);
}

/* --- reading from it
 * ------------------------------------------------------------------------------------------ */

static void put_start(struct buffer *sql, const struct pg_config *config, uint64_t position)
{
    char lsn[PG_LSN_SIZE];
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    pg_put_name(&name, pg_config_publication(config));
    buffer_str(sql, "START_REPLICATION SLOT ");
    pg_put_name(sql, pg_config_slot(config));
    buffer_printf(sql, " LOGICAL %s (proto_version '1', publication_names ", pg_lsn_write(lsn, position));
    pg_put_literal(sql, buffer_cstr(&name));
    buffer_byte(sql, ')');
    buffer_done(&name);
}

/* A walsender whose client was killed may hold the slot for a moment. */
static int start(struct firth_host *host, PGconn *connection, const char *sql, struct firth_error *err)
{
    for (int waited = 0;; waited += LOOK_MS) {
        pg_auto_result PGresult *result = PQexec(connection, sql);
        if (PQresultStatus(result) == PGRES_COPY_BOTH)
            return 0;
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (!state || strcmp(state, "55006") != 0 || waited >= BUSY_FOR_MS)
            return pg_failure(connection, result, "cannot read changes", err);
        if (pg_wait(connection, host, LOOK_MS, err) < 0)
            return -1;
    }
}

PGconn *pg_replicate(struct firth_host *host, const struct pg_endpoint *endpoint, uint64_t position,
                     struct firth_error *err)
{
    PGconn *connection = pg_connect(endpoint, true, err);
    struct buffer sql;
    if (!connection)
        return NULL;
    /* A reader that is slow for some minutes is not a reader that is gone. */
    if (PQserverVersion(connection) >= 120000)
        PQclear(PQexec(connection, "SET wal_sender_timeout = '10min'"));
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_start(&sql, endpoint->config, position);
    int result = start(host, connection, buffer_cstr(&sql), err);
    buffer_done(&sql);
    if (result == 0)
        return connection;
    PQfinish(connection);
    return NULL;
}
