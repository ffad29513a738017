#include "scan.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { ROWS_A_TURN = 512, WAIT_MS = 500 };

/* --- the snapshot
 * -------------------------------------------------------------------------------------------- */

static const char begin_sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

static int begin_unlocked(PGconn *connection, struct firth_error *err)
{
    return pg_execute(connection, begin_sql, "cannot begin a transaction", err);
}

/* LOCK before the snapshot: nothing can empty or rewrite the table, its partitions and children, or what a
 * view reads between the two. 1: they are locked; 0: that may not be, as by a user who may read only some
 * columns. */
static int lock(PGconn *connection, const struct pg_table *table, struct firth_error *err)
{
    bool can_be = table->kind == 'r' || table->kind == 'p' ||
                  (table->kind == 'v' && PQserverVersion(connection) >= 110000);
    if (!can_be)
        return 0;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, pg_table_has_pages(table) ? "LOCK TABLE ONLY " : "LOCK TABLE ");
    pg_put_table(&sql, table->schema, table->name);
    buffer_str(&sql, " IN ACCESS SHARE MODE");
    PGresult *locked = PQexec(connection, buffer_cstr(&sql));
    bool done = PQresultStatus(locked) == PGRES_COMMAND_OK;
    PQclear(locked);
    buffer_done(&sql);
    if (done)
        return 1;
    if (pg_execute(connection, "ROLLBACK", "cannot begin a transaction", err) < 0)
        return -1;
    return begin_unlocked(connection, err);
}

/* A SELECT takes the snapshot first and waits for the locks then: what was rewritten meanwhile seems empty to
 * it. 1: nothing was, and now the transaction has the locks. */
static int look_for_rewritten(PGconn *connection, const struct pg_table *table, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT ");
    pg_rows_put_names(&sql, table, PG_ENVELOPE_NONE);
    buffer_str(&sql, " FROM ");
    pg_put_table(&sql, table->schema, table->name);
    buffer_str(&sql, " LIMIT 0");
    pg_auto_result PGresult *none = pg_query(connection, buffer_cstr(&sql), "cannot read a table", err);
    buffer_done(&sql);
    if (!none)
        return -1;
    /* pg_class is as the snapshot has it, the function's answer of now. */
    pg_auto_result PGresult *rows =
        pg_query(connection,
                 "SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_database d ON d.oid ="
                 " l.database WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND d.datname ="
                 " current_database() AND c.relfilenode <> 0 AND pg_relation_filenode(c.oid) <> c.relfilenode"
                 " LIMIT 1",
                 "cannot look whether a table was rewritten", err);
    return rows ? PQntuples(rows) == 0 : -1;
}

static int begin(PGconn *connection, const struct pg_table *table, struct firth_error *err)
{
    if (begin_unlocked(connection, err) < 0)
        return -1;
    if (!table)
        return 0;
    int locked = lock(connection, table, err);
    if (locked < 0)
        return -1;
    /* A view's lock leaves out the materialized ones that it reads. */
    if (locked && table->kind != 'v')
        return 0;
    for (int whole; (whole = look_for_rewritten(connection, table, err)) <= 0;) {
        if (whole < 0 || pg_execute(connection, "ROLLBACK", "cannot begin a transaction", err) < 0 ||
            begin_unlocked(connection, err) < 0)
            return -1;
    }
    return 0;
}

static int add_helper(struct pg_snapshot *snapshot, const struct pg_endpoint *endpoint, const char *exported,
                      struct firth_error *err)
{
    PGconn *helper = pg_connect(endpoint, false, err);
    if (!helper)
        return -1;
    snapshot->connections[snapshot->count++] = helper;
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "%s; SET TRANSACTION SNAPSHOT ", begin_sql);
    pg_put_literal(&sql, exported);
    int result = pg_execute(helper, buffer_cstr(&sql), "cannot share the snapshot", err);
    buffer_done(&sql);
    return result;
}

int pg_snapshot_begin(struct pg_snapshot *snapshot, const struct pg_endpoint *endpoint, PGconn *connection,
                      const struct pg_table *table, int64_t parallel, struct firth_error *err)
{
    *snapshot = (struct pg_snapshot){.connections = {connection}, .count = 1};
    if (begin(connection, table, err) < 0)
        return -1;
    const char *sql = PQserverVersion(connection) >= 130000
                          ? "SELECT s, pg_snapshot_xmin(s), pg_snapshot_xmax(s)"
                            " FROM (SELECT pg_current_snapshot() AS s) q"
                          : "SELECT s, txid_snapshot_xmin(s), txid_snapshot_xmax(s)"
                            " FROM (SELECT txid_current_snapshot() AS s) q";
    pg_auto_result PGresult *rows = pg_query(connection, sql, "cannot take a snapshot", err);
    int result = rows ? 0 : -1;
    if (rows) {
        snapshot->text = mem_strdup(PQgetvalue(rows, 0, 0));
        snapshot->xmin = strtoull(PQgetvalue(rows, 0, 1), NULL, 10);
        snapshot->xmax = strtoull(PQgetvalue(rows, 0, 2), NULL, 10);
    }
    if (result == 0 && parallel > 1) {
        pg_auto_result PGresult *exported =
            pg_query(connection, "SELECT pg_export_snapshot()", "cannot share the snapshot", err);
        result = exported ? 0 : -1;
        while (result == 0 && (int64_t)snapshot->count < parallel && snapshot->count < PG_SCAN_CONNECTIONS)
            result = add_helper(snapshot, endpoint, PQgetvalue(exported, 0, 0), err);
    }
    if (result < 0)
        pg_snapshot_end(snapshot);
    return result;
}

void pg_snapshot_end(struct pg_snapshot *snapshot)
{
    if (snapshot->count)
        PQclear(PQexec(snapshot->connections[0], "ROLLBACK"));
    for (size_t i = 1; i < snapshot->count; i++)
        PQfinish(snapshot->connections[i]);
    free(snapshot->text);
    *snapshot = (struct pg_snapshot){0};
}

void pg_put_changed_since(struct buffer *out, uint64_t xmin)
{
    /* age() counts from the newest transaction backwards, so that it does not matter where the 32 bits wrap.
     * Rows that are older than they can count seem to be of the future. */
    buffer_printf(out, "age(xmin) BETWEEN 0 AND age('%u'::xid)", (uint32_t)xmin);
}

/* --- copying
 * -------------------------------------------------------------------------------------------------- */

void pg_tell_notes(struct firth_host *host, const struct pg_table *table, const char *column, unsigned notes)
{
    if (notes & PG_NOTE_NOT_FINITE)
        firth_log(host, FIRTH_WARN, "%s.%s, column %s: NaN and infinities have no JSON number; they are null",
                  table->schema, table->name, column);
    if (notes & PG_NOTE_OUT_OF_RANGE)
        firth_log(host, FIRTH_WARN,
                  "%s.%s, column %s: dates before the year 1 or after 9999 are written as the nearest one",
                  table->schema, table->name, column);
}

int pg_emit(struct firth_host *host, size_t stream, const struct buffer *document, struct buffer *changes)
{
    const struct firth_slice data = {document->data, document->size};
    if (!changes->size)
        return firth_emit_record(host, stream, data);
    buffer_byte(changes, ']');
    return firth_emit_changed_record(host, stream, data, (struct firth_slice){changes->data, changes->size});
}

static void tell(struct pg_scan *scan, size_t column, unsigned notes)
{
    struct slice head = scan->rows->columns[column].head;
    auto_free char *name = mem_strndup(head.data + 1, head.size - 2);
    pg_tell_notes(scan->host, scan->table, name, notes);
}

static int emit(struct pg_scan *scan, struct slice line, struct firth_error *err)
{
    size_t column;
    unsigned notes;
    if (pg_rows_make(scan->rows, line, scan->number, &column, &notes) < 0)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "a row of %s.%s came with another number of columns",
                          scan->table->schema, scan->table->name);
    if (notes)
        tell(scan, column, notes);
    scan->number++;
    return pg_emit(scan->host, scan->stream, &scan->rows->out, &scan->rows->changes);
}

struct after {
    int (*call)(void *context, struct firth_error *err);
    void *context;
};

/* The end of a COPY: 0, or -1 if it was none. */
static int finish(PGconn *connection, struct firth_error *err)
{
    int result = 0;
    for (PGresult *last; (last = PQgetResult(connection)) != NULL; PQclear(last)) {
        if (PQresultStatus(last) != PGRES_COMMAND_OK && result == 0)
            result = pg_failure(connection, last, "reading a table", err);
    }
    return result;
}

/* Rows that have come. 1: more will; 0: that was the last. */
static int drain(struct pg_scan *scan, PGconn *connection, const struct after *after, struct firth_error *err)
{
    for (int i = 0; i < ROWS_A_TURN; i++) {
        char *line;
        int size = PQgetCopyData(connection, &line, 1);
        if (size == 0)
            return 1;
        if (size == -1)
            return finish(connection, err);
        if (size < 0)
            return pg_failure(connection, NULL, "reading a table", err);
        int result = emit(scan, (struct slice){line, (size_t)size}, err);
        PQfreemem(line);
        if (result < 0 || (after->call && after->call(after->context, err) < 0))
            return -1;
    }
    return 2; /* there may be more at once */
}

static int wait_for_any(struct pg_scan *scan, const bool *active, struct firth_error *err)
{
    struct pollfd ready[PG_SCAN_CONNECTIONS];
    PGconn *const *connections = scan->snapshot->connections;
    for (size_t i = 0; i < scan->snapshot->count; i++)
        ready[i] = (struct pollfd){.fd = active[i] ? PQsocket(connections[i]) : -1, .events = POLLIN};
    int got = poll(ready, scan->snapshot->count, WAIT_MS);
    if (got < 0 && errno != EINTR)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot wait for the database: %s", strerror(errno));
    for (size_t i = 0; got > 0 && i < scan->snapshot->count; i++) {
        if (active[i] && ready[i].revents && !PQconsumeInput(connections[i]))
            return pg_failure(connections[i], NULL, "reading a table", err);
    }
    return got <= 0 && firth_stopping(scan->host) ? -1 : 0;
}

static int start(PGconn *connection, const char *sql, struct firth_error *err)
{
    pg_auto_result PGresult *started = PQexec(connection, sql);
    if (PQresultStatus(started) != PGRES_COPY_OUT)
        return pg_failure(connection, started, "reading a table", err);
    return 0;
}

/* All rows of the COPYs that have been started on the first `count` connections. */
static int copy_all(struct pg_scan *scan, size_t count, const struct after *after, struct firth_error *err)
{
    bool active[PG_SCAN_CONNECTIONS] = {0};
    size_t left = count;
    for (size_t i = 0; i < count; i++)
        active[i] = true;
    while (left) {
        bool at_once = false;
        for (size_t i = 0; i < count; i++) {
            if (!active[i])
                continue;
            int got = drain(scan, scan->snapshot->connections[i], after, err);
            if (got < 0)
                return -1;
            at_once |= got == 2;
            active[i] = got > 0;
            left -= got == 0;
        }
        if (left && !at_once && wait_for_any(scan, active, err) < 0)
            return -1;
    }
    return 0;
}

static void put_select(struct buffer *sql, const struct pg_scan *scan)
{
    buffer_clear(sql);
    buffer_str(sql, "COPY (SELECT ");
    pg_rows_put_names(sql, scan->table, scan->envelope);
    buffer_str(sql, scan->by_pages || scan->alone ? " FROM ONLY " : " FROM ");
    pg_put_table(sql, scan->table->schema, scan->table->name);
}

/* --- scans
 * ----------------------------------------------------------------------------------------------------- */

int pg_scan_begin(struct pg_scan *scan, struct firth_host *host, const struct pg_snapshot *snapshot,
                  const struct pg_table *table, enum pg_envelope envelope, struct pg_rows *rows,
                  size_t stream, struct firth_error *err)
{
    PGconn *connection = snapshot->connections[0];
    *scan = (struct pg_scan){.host = host,
                             .snapshot = snapshot,
                             .table = table,
                             .rows = rows,
                             .stream = stream,
                             .envelope = envelope,
                             /* Older servers cannot seek by ctid: each piece would read everything. */
                             .by_pages = pg_table_has_pages(table) && PQserverVersion(connection) >= 140000};
    if (!scan->by_pages)
        return 0;
    /* What has the name now, as COPY reads it, and not the oid: a long sync may have listed another. */
    struct buffer name, sql;
    buffer_init(&name, BUFFER_UNLIMITED);
    buffer_init(&sql, BUFFER_UNLIMITED);
    pg_put_table(&name, table->schema, table->name);
    buffer_str(&sql, "SELECT pg_relation_filenode(r), pg_relation_size(r) /"
                     " current_setting('block_size')::int FROM CAST(");
    pg_put_literal(&sql, buffer_cstr(&name));
    buffer_str(&sql, " AS regclass) r");
    pg_auto_result PGresult *sizes =
        pg_query(connection, buffer_cstr(&sql), "cannot look how large a table is", err);
    buffer_done(&name);
    buffer_done(&sql);
    if (!sizes)
        return -1;
    scan->filenode = (uint32_t)strtoul(PQgetvalue(sizes, 0, 0), NULL, 10);
    scan->blocks = strtoull(PQgetvalue(sizes, 0, 1), NULL, 10);
    return 0;
}

static int scan_pages(struct pg_scan *scan, uint64_t from, uint64_t to, const char *condition,
                      struct firth_error *err)
{
    static const struct after nothing = {0};
    const struct pg_snapshot *snapshot = scan->snapshot;
    uint64_t each = (to - from + snapshot->count - 1) / snapshot->count;
    size_t started = 0;
    struct buffer sql;
    int result = 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    for (; from < to && result == 0; from += each) {
        uint64_t end = to - from < each ? to : from + each;
        put_select(&sql, scan);
        buffer_printf(&sql, " WHERE ctid >= '(%llu,0)'::tid AND ctid < '(%llu,0)'::tid%s%s) TO STDOUT",
                      (unsigned long long)from, (unsigned long long)end, *condition ? " AND " : "",
                      condition);
        result = start(snapshot->connections[started], buffer_cstr(&sql), err);
        started += result == 0;
    }
    buffer_done(&sql);
    return result < 0 ? -1 : copy_all(scan, started, &nothing, err);
}

int pg_scan_tail(struct pg_scan *scan, const char *tail,
                 int (*after_row)(void *context, struct firth_error *err), void *context,
                 struct firth_error *err)
{
    const struct after after = {after_row, context};
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_select(&sql, scan);
    buffer_str(&sql, tail);
    buffer_str(&sql, ") TO STDOUT");
    int result = start(scan->snapshot->connections[0], buffer_cstr(&sql), err);
    buffer_done(&sql);
    return result < 0 ? -1 : copy_all(scan, 1, &after, err);
}

int pg_scan_before(struct pg_scan *scan, uint64_t end, const char *condition, struct firth_error *err)
{
    if (end > scan->blocks)
        end = scan->blocks;
    return end ? scan_pages(scan, 0, end, condition, err) : 0;
}

int pg_scan_next(struct pg_scan *scan, const char *condition, struct firth_error *err)
{
    if (!scan->by_pages) {
        auto_free char *tail = mem_printf("%s%s", *condition ? " WHERE " : "", condition);
        return pg_scan_tail(scan, tail, NULL, NULL, err);
    }
    if (scan->block >= scan->blocks)
        return 0;
    uint64_t left = scan->blocks - scan->block, turn = PG_SCAN_PAGES * scan->snapshot->count;
    uint64_t end = scan->block + (left < turn ? left : turn);
    if (scan_pages(scan, scan->block, end, condition, err) < 0)
        return -1;
    scan->block = end;
    return scan->block < scan->blocks;
}
