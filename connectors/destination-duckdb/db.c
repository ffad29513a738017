#include "db.h"

#include "json/number.h"

#include <inttypes.h>
#include <stdio.h>

/* --- errors ------------------------------------------------------------------------------------------ */

int duckdb_db_error(const struct sql_db *db, const char *message, struct error *err)
{
    enum error_code code = ERROR_PROTOCOL;
    const char *what = "";
    if (!message)
        message = "it failed and did not say why";
    if (strstr(message, "Could not set lock")) {
        code = ERROR_BUSY;
        what = ": another sync, or another program, has it open";
    } else if (string_starts_with(message, "IO Error"))
        code = ERROR_IO;
    else if (string_starts_with(message, "Catalog Error") || string_starts_with(message, "Permission Error"))
        code = ERROR_INVALID;
    else if (string_starts_with(message, "TransactionContext Error"))
        code = ERROR_BUSY;
    error_set(err, code, "%s%s: %s", db->path, what, message);
    err->retriable = code == ERROR_IO || code == ERROR_BUSY;
    string_one_line(err->message);
    return -1;
}

/* --- statements -------------------------------------------------------------------------------------- */

static void db_close(struct sql_db *db)
{
    duckdb_db_release(db);
    loader_free(db->loader);
    free(db->path);
    free(db);
}

static int db_execute(struct sql_db *db, const char *sql, uint64_t *ret_changed, struct error *err)
{
    duckdb_result result;
    int outcome = 0;
    if (duckdb_db_take(db, err) < 0)
        return -1;
    loader_drain(db->loader);
    if (duckdb_query(db->connection, sql, &result) != DuckDBSuccess)
        outcome = duckdb_db_error(db, duckdb_result_error(&result), err);
    else if (ret_changed)
        *ret_changed = duckdb_rows_changed(&result);
    duckdb_destroy_result(&result);
    return outcome;
}

/* A column of a chunk that is being read. */
struct reading {
    duckdb_type type;
    void *data;
    uint64_t *validity;
    char text[24]; /* of a number */
};

static struct slice value_at(struct reading *column, idx_t row)
{
    if (column->validity && !duckdb_validity_row_is_valid(column->validity, row))
        return (struct slice){0};
    if (column->type == DUCKDB_TYPE_VARCHAR) {
        duckdb_string_t *text = (duckdb_string_t *)column->data + row;
        return (struct slice){duckdb_string_t_data(text), duckdb_string_t_length(*text)};
    }
    int64_t number =
        column->type == DUCKDB_TYPE_BIGINT ? ((int64_t *)column->data)[row] : ((int32_t *)column->data)[row];
    return (struct slice){column->text,
                          (size_t)snprintf(column->text, sizeof column->text, "%" PRId64, number)};
}

enum { COLUMNS_MAX = 4 };

static int read_chunk(duckdb_data_chunk chunk, struct reading *columns, idx_t count, sql_row_fn *row,
                      void *context, struct error *err)
{
    struct slice values[COLUMNS_MAX];
    for (idx_t i = 0; i < count; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
        columns[i].data = duckdb_vector_get_data(vector);
        columns[i].validity = duckdb_vector_get_validity(vector);
    }
    idx_t rows = duckdb_data_chunk_get_size(chunk);
    for (idx_t at = 0; at < rows; at++) {
        for (idx_t i = 0; i < count; i++)
            values[i] = value_at(&columns[i], at);
        if (row(context, values, count, err) < 0)
            return -1;
    }
    return 0;
}

static int read_result(struct sql_db *db, duckdb_result *result, sql_row_fn *row, void *context,
                       struct error *err)
{
    struct reading columns[COLUMNS_MAX] = {0};
    idx_t count = duckdb_column_count(result);
    assert(count <= COLUMNS_MAX);
    for (idx_t i = 0; i < count; i++) {
        columns[i].type = duckdb_column_type(result, i);
        assert(columns[i].type == DUCKDB_TYPE_VARCHAR || columns[i].type == DUCKDB_TYPE_BIGINT ||
               columns[i].type == DUCKDB_TYPE_INTEGER);
    }
    duckdb_data_chunk chunk;
    int outcome = 0;
    while (outcome == 0 && (chunk = duckdb_fetch_chunk(*result))) {
        outcome = read_chunk(chunk, columns, count, row, context, err);
        duckdb_destroy_data_chunk(&chunk);
    }
    const char *failed = outcome == 0 ? duckdb_result_error(result) : NULL;
    return failed ? duckdb_db_error(db, failed, err) : outcome;
}

/* Chunk by chunk: the answer may be larger than memory. */
static int db_query(struct sql_db *db, const char *sql, sql_row_fn *row, void *context, struct error *err)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_result result;
    int outcome = 0;
    if (duckdb_db_take(db, err) < 0)
        return -1;
    loader_drain(db->loader);
    if (duckdb_prepare(db->connection, sql, &statement) != DuckDBSuccess)
        outcome = duckdb_db_error(db, duckdb_prepare_error(statement), err);
    else if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess)
        outcome = duckdb_db_error(db, duckdb_pending_error(pending), err);
    else {
        if (duckdb_execute_pending(pending, &result) != DuckDBSuccess)
            outcome = duckdb_db_error(db, duckdb_result_error(&result), err);
        else
            outcome = read_result(db, &result, row, context, err);
        duckdb_destroy_result(&result);
    }
    if (pending)
        duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return outcome;
}

/* --- what there is ----------------------------------------------------------------------------------- */

static int db_tables(struct sql_db *db, const char *schema, sql_row_fn *row, void *context, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND "
                     "schema_name = ");
    sql_put_text(&sql, slice_of(schema));
    buffer_str(&sql, " UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND database_name = "
                     "current_database() AND schema_name = ");
    sql_put_text(&sql, slice_of(schema));
    int result = db_query(db, buffer_cstr(&sql), row, context, err);
    buffer_done(&sql);
    return result;
}

static void put_columns_query(struct buffer *out, const char *schema, const char *table)
{
    buffer_str(out, "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = "
                    "current_database() AND schema_name = ");
    sql_put_text(out, slice_of(schema));
    buffer_str(out, " AND table_name = ");
    sql_put_text(out, slice_of(table));
    buffer_str(out, " ORDER BY column_index");
}

/* Who has the file open has it alone. */
static int db_lock(struct sql_db *db, const char *schema, const char *table, struct error *err)
{
    (void)db, (void)schema, (void)table, (void)err;
    return 0;
}

/* The last name of a quoted one: "schema"."table". */
static const char *table_of(const char *quoted)
{
    const char *table = quoted, *at = quoted;
    while (*at) {
        table = at;
        for (at++; *at != '"' || at[1] == '"'; at++)
            at += *at == '"';
        at += at[1] == '.' ? 2 : 1;
    }
    return table;
}

/* The table is made anew. ALTER COLUMN … TYPE would do, but a file whose log has one cannot be opened again
 * after a crash (DuckDB 1.5: "GetDefaultDatabase with no default database set"). */
static int db_alter_type(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                         enum sql_type type, struct error *err)
{
    static const char rebuilt[] = "\"_firth_rebuilt\"";
    const char *last = table_of(table);
    struct buffer sql, quoted;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_init(&quoted, BUFFER_UNLIMITED);
    sql_put_name(&quoted, all->items[column].name);
    int schema = (int)(last - table);
    buffer_printf(&sql, "CREATE TABLE %.*s%s AS SELECT * REPLACE (", schema, table, rebuilt);
    if (all->items[column].type == SQL_NUMBER) /* 1, where DuckDB would have 1.0 */
        buffer_printf(&sql, "CAST(firth_number(CAST(%s AS VARCHAR)) AS %s)", buffer_cstr(&quoted),
                      duckdb_dialect.type_names[type]);
    else if (type == SQL_JSON)
        buffer_printf(&sql, "to_json(%s)", buffer_cstr(&quoted));
    else
        buffer_printf(&sql, "CAST(%s AS %s)", buffer_cstr(&quoted), duckdb_dialect.type_names[type]);
    buffer_printf(&sql, " AS %s) FROM %s; DROP TABLE %s; ALTER TABLE %.*s%s RENAME TO %s",
                  buffer_cstr(&quoted), table, table, schema, table, rebuilt, last);
    int result = db_execute(db, buffer_cstr(&sql), NULL, err);
    buffer_done(&sql);
    buffer_done(&quoted);
    return result;
}

/* --- what fits --------------------------------------------------------------------------------------- */

static enum sql_verdict time_fits(enum sql_type type, struct sql_cell *cell)
{
    enum { OFFSET_MAX = 16 * 3600 - 1 };
    if (cell->integer == SQL_FOREVER || cell->integer == SQL_NEVER)
        return SQL_FITS;
    if (type == SQL_DATE)
        return cell->integer > -INT32_MAX && cell->integer < INT32_MAX ? SQL_FITS : SQL_TOO_LARGE;
    if (type == SQL_TIMETZ && (cell->offset > OFFSET_MAX || cell->offset < -OFFSET_MAX))
        return SQL_TOO_LARGE;
    bool cut = cell->nanos != 0;
    cell->nanos = 0;
    return cut ? SQL_CUT : SQL_FITS;
}

/* A number's double goes to the appender in the cell, so that it is read once. */
static enum sql_verdict db_fits(enum sql_type type, struct sql_cell *cell, struct arena *arena)
{
    double real;
    (void)arena;
    switch (type) {
    case SQL_NUMBER:
        if (!number_is_held(cell->text, &real))
            return SQL_TOO_LARGE;
        memcpy(&cell->integer, &real, sizeof real);
        return SQL_FITS;
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMETZ:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        return time_fits(type, cell);
    default:
        return SQL_FITS;
    }
}

const struct sql_dialect duckdb_dialect = {
    .title = "DuckDB",
    .type_names = {[SQL_BOOLEAN] = "BOOLEAN",
                   [SQL_INTEGER] = "BIGINT",
                   [SQL_HUGE] = "HUGEINT",
                   [SQL_NUMBER] = "DOUBLE",
                   [SQL_TEXT] = "VARCHAR",
                   [SQL_DATE] = "DATE",
                   [SQL_TIME] = "TIME",
                   [SQL_TIMETZ] = "TIME WITH TIME ZONE",
                   [SQL_TIMESTAMP] = "TIMESTAMP",
                   [SQL_TIMESTAMPTZ] = "TIMESTAMP WITH TIME ZONE",
                   [SQL_BYTES] = "BLOB",
                   [SQL_JSON] = "JSON",
                   [SQL_DOCUMENT] = "JSON"},
    .folds_case = true,
    .has_schemas = true,
    .deletes_using = true,
    .row_id = "rowid",
    /* No dictionary would be made of them, and to find that out takes as long as to compress them. */
    .raw_id_storage = "USING COMPRESSION fsst",
    .begin = "BEGIN TRANSACTION",
    .clear = "TRUNCATE ",
    .close = db_close,
    .release = duckdb_db_release,
    .execute = db_execute,
    .query = db_query,
    .tables = db_tables,
    .put_columns_query = put_columns_query,
    .lock = db_lock,
    .alter_type = db_alter_type,
    .fits = db_fits,
    .put_number_order = duckdb_put_number_order,
    .put_number = duckdb_put_number,
    .put_misspelt = duckdb_put_misspelt,
    .load_open = duckdb_load_open,
    .load_row = duckdb_load_row,
    .load_flush = duckdb_load_flush,
    .load_close = duckdb_load_close,
};
