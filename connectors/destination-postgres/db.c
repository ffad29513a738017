#include "db.h"

#include "base/hash.h"

/* --- errors ------------------------------------------------------------------------------------------ */

static int as_error(const struct firth_error *from, struct error *err)
{
    enum error_code code = from->failure == FIRTH_FAILURE_CONFIG      ? ERROR_INVALID
                           : from->failure == FIRTH_FAILURE_TRANSIENT ? ERROR_IO
                                                                      : ERROR_PROTOCOL;
    error_set(err, code, "%s", from->message);
    err->retriable = from->failure == FIRTH_FAILURE_TRANSIENT;
    return -1;
}

int postgres_db_error(struct sql_db *db, const PGresult *result, struct error *err)
{
    struct firth_error failure;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
    snprintf(db->state, sizeof db->state, "%s", state ? state : "");
    snprintf(db->detail, sizeof db->detail, "%s", detail ? detail : "");
    string_one_line(db->detail);
    pg_failure(db->connection, result, "PostgreSQL", &failure);
    if (strcmp(db->state, "55P03") == 0) /* a lock that others had for too long */
        failure.failure = FIRTH_FAILURE_TRANSIENT;
    if (string_starts_with(db->state,
                           "54")) /* a limit: columns, a row of an index; the same rows fail again */
        failure.failure = FIRTH_FAILURE_CONFIG;
    return as_error(&failure, err);
}

/* --- connecting -------------------------------------------------------------------------------------- */

static void db_close(struct sql_db *db)
{
    PQfinish(db->connection);
    pg_endpoint_close(&db->endpoint);
    free(db);
}

struct sql_db *postgres_db_open(struct firth_host *host, const struct pg_config *config,
                                struct firth_error *err)
{
    struct sql_db *db = mem_zalloc(sizeof *db);
    if (pg_endpoint_open(&db->endpoint, host, config, err) < 0) {
        free(db);
        return NULL;
    }
    db->connection = pg_connect(&db->endpoint, false, err);
    /* Without it, every index and table that is "there already" would be told on stderr. */
    db->host = host;
    if (db->connection && pg_execute(db->connection,
                                     "SET client_min_messages = warning; RESET row_security; SET "
                                     "lock_timeout = " POSTGRES_LOCK_TIMEOUT,
                                     "cannot set up the session", err) == 0)
        return db;
    db_close(db);
    return NULL;
}

/* --- statements -------------------------------------------------------------------------------------- */

static int db_execute(struct sql_db *db, const char *sql, uint64_t *ret_changed, struct error *err)
{
    pg_auto_result PGresult *result = PQexec(db->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return postgres_db_error(db, result, err);
    uint64_t changed = 0;
    if (ret_changed && string_to_u64(PQcmdTuples(result), UINT64_MAX, &changed))
        *ret_changed = changed;
    return 0;
}

/* What is left of an answer, so that the connection is ready for the next question. */
static void drain(struct sql_db *db)
{
    PGresult *result;
    while ((result = PQgetResult(db->connection)))
        PQclear(result);
}

/* Row by row: the answer may be larger than memory. */
static int db_query(struct sql_db *db, const char *sql, sql_row_fn *row, void *context, struct error *err)
{
    enum { COLUMNS_MAX = 4 };
    struct slice values[COLUMNS_MAX];
    if (!PQsendQuery(db->connection, sql) || !PQsetSingleRowMode(db->connection))
        return postgres_db_error(db, NULL, err);
    PGresult *result;
    int outcome = 0;
    while (outcome == 0 && (result = PQgetResult(db->connection))) {
        ExecStatusType status = PQresultStatus(result);
        int count = PQnfields(result);
        assert(count <= COLUMNS_MAX);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
            outcome = postgres_db_error(db, result, err);
        for (int i = 0; status == PGRES_SINGLE_TUPLE && i < count; i++)
            values[i] = PQgetisnull(result, 0, i)
                            ? (struct slice){0}
                            : (struct slice){PQgetvalue(result, 0, i), (size_t)PQgetlength(result, 0, i)};
        if (status == PGRES_SINGLE_TUPLE)
            outcome = row(context, values, (size_t)count, err);
        PQclear(result);
    }
    drain(db);
    return outcome;
}

/* --- what there is ----------------------------------------------------------------------------------- */

static int db_tables(struct sql_db *db, const char *schema, sql_row_fn *row, void *context, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                     "c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname = ");
    sql_put_text(&sql, slice_of(schema));
    int result = db_query(db, buffer_cstr(&sql), row, context, err);
    buffer_done(&sql);
    return result;
}

/* As format_type names them. */
static void put_columns_query(struct buffer *out, const char *schema, const char *table)
{
    buffer_str(out, "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
                    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ");
    sql_put_text(out, slice_of(schema));
    buffer_str(out, " AND c.relname = ");
    sql_put_text(out, slice_of(table));
    buffer_str(out, " ORDER BY a.attnum");
}

/* An advisory lock of the session; one that died lets go of it as soon as the server sees that. */
static int db_lock(struct sql_db *db, const char *schema, const char *table, struct error *err)
{
    static const char lock_not_available[] = "55P03";
    uint64_t hash = hash_xxh3(table, strlen(table), hash_xxh3(schema, strlen(schema), 0));
    char sql[200];
    snprintf(sql, sizeof sql,
             "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_lock(%lld); "
             "SET LOCAL lock_timeout = " POSTGRES_LOCK_TIMEOUT,
             (long long)(int64_t)hash);
    if (db_execute(db, sql, NULL, err) == 0)
        return 0;
    if (strcmp(db->state, lock_not_available) != 0)
        return -1;
    error_set(err, ERROR_BUSY, "another sync is writing the table \"%.100s\".\"%.100s\"", schema, table);
    err->retriable = true;
    return -1;
}

/* "cannot alter type of a column used by a view or rule": which one, and what to do. */
static int tell_dependents(const struct sql_db *db, struct error *err)
{
    const struct error why = *err;
    return error_set(err, ERROR_INVALID,
                     "%.500s%s%.300s: drop what depends on the column, sync, and make it again", why.message,
                     *db->detail ? ": " : "", db->detail);
}

static int db_alter_type(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                         enum sql_type type, struct error *err)
{
    const char *name = postgres_dialect.type_names[type];
    struct buffer sql, quoted;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_init(&quoted, BUFFER_UNLIMITED);
    sql_put_name(&quoted, all->items[column].name);
    buffer_printf(&sql, "ALTER TABLE %s ALTER COLUMN %s TYPE %s USING ", table, buffer_cstr(&quoted), name);
    if (type == SQL_JSON)
        buffer_printf(&sql, "to_jsonb(%s)", buffer_cstr(&quoted));
    else
        buffer_printf(&sql, "%s::%s", buffer_cstr(&quoted), name);
    int result = db_execute(db, buffer_cstr(&sql), NULL, err);
    buffer_done(&sql);
    buffer_done(&quoted);
    return result < 0 && strcmp(db->state, "0A000") == 0 ? tell_dependents(db, err) : result;
}

/* "cannot drop … because other objects depend on it" */
static bool db_has_dependents(const struct sql_db *db)
{
    return strcmp(db->state, "2BP01") == 0;
}

static const char *const reserved[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", NULL};

const struct sql_dialect postgres_dialect = {
    .title = "PostgreSQL",
    .text_alias = "character varying",
    .type_names = {[SQL_BOOLEAN] = "boolean",
                   [SQL_INTEGER] = "bigint",
                   [SQL_NUMBER] = "numeric",
                   [SQL_TEXT] = "text",
                   [SQL_DATE] = "date",
                   [SQL_TIME] = "time without time zone",
                   [SQL_TIMETZ] = "time with time zone",
                   [SQL_TIMESTAMP] = "timestamp without time zone",
                   [SQL_TIMESTAMPTZ] = "timestamp with time zone",
                   [SQL_BYTES] = "bytea",
                   [SQL_JSON] = "jsonb",
                   [SQL_DOCUMENT] = "json"},
    .reserved = reserved,
    .name_max = 63,
    .has_schemas = true,
    .has_limits = true,
    .deletes_using = true,
    .indexes_keys = true,
    .keeps_integers = true,
    .row_id = "ctid",
    .begin = "BEGIN",
    .ddl_lock = "SELECT pg_advisory_xact_lock(4919131752989213764)",
    .clear = "TRUNCATE ",
    .analyze = "ANALYZE ",
    .close = db_close,
    .execute = db_execute,
    .query = db_query,
    .tables = db_tables,
    .put_columns_query = put_columns_query,
    .lock = db_lock,
    .lock_table = postgres_lock_table,
    .alter_type = db_alter_type,
    .fits = postgres_fits,
    .has_dependents = db_has_dependents,
    .load_open = postgres_load_open,
    .load_row = postgres_load_row,
    .load_flush = postgres_load_flush,
    .load_close = postgres_load_close,
};
