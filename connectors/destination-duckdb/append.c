#include "db.h"

/* Rows by the appender: a chunk of vectors for each table, filled cell by cell. */

struct appended {
    enum sql_type type;
    duckdb_vector vector;
    void *data;
    uint64_t *validity; /* NULL: no null so far */
};

struct sql_load {
    struct sql_db *db;
    duckdb_appender appender;
    duckdb_data_chunk chunk;
    struct appended *columns;
    size_t count;
    idx_t rows, capacity;
};

/* --- opening ----------------------------------------------------------------------------------------- */

/* "a""b" at *at to a"b; *at moves behind it and a dot. Heap string; NULL: there is no more. */
static char *take_name(const char **at)
{
    struct buffer name;
    const char *in = *at;
    if (*in != '"')
        return NULL;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (in++; *in != '"' || in[1] == '"'; in++) {
        in += *in == '"';
        buffer_byte(&name, *in);
    }
    *at = in + 1 + (in[1] == '.');
    return buffer_steal(&name);
}

static int appender_error(struct sql_load *load, struct error *err)
{
    duckdb_error_data data = duckdb_appender_error_data(load->appender);
    duckdb_db_error(load->db, duckdb_error_data_message(data), err);
    duckdb_destroy_error_data(&data);
    return -1;
}

static void refresh(struct sql_load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        struct appended *column = &load->columns[i];
        column->vector = duckdb_data_chunk_get_vector(load->chunk, i);
        column->data = duckdb_vector_get_data(column->vector);
        column->validity = NULL;
    }
    load->rows = 0;
}

/* The table's own types: JSON is text that DuckDB would check again if it came as text. */
static int make_chunk(struct sql_load *load, const struct sql_column *columns, struct error *err)
{
    auto_free duckdb_logical_type *types = mem_zalloc(load->count * sizeof *types);
    for (size_t i = 0; i < load->count; i++) {
        if (duckdb_appender_add_column(load->appender, columns[i].name) != DuckDBSuccess)
            return appender_error(load, err);
        load->columns[i].type = columns[i].type;
    }
    for (size_t i = 0; i < load->count; i++)
        types[i] = duckdb_appender_column_type(load->appender, i);
    load->chunk = duckdb_create_data_chunk(types, load->count);
    for (size_t i = 0; i < load->count; i++)
        duckdb_destroy_logical_type(&types[i]);
    refresh(load);
    return 0;
}

struct sql_load *duckdb_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                  size_t count, struct error *err)
{
    struct sql_load *load = mem_zalloc(sizeof *load);
    load->db = db;
    load->count = count;
    load->capacity = duckdb_vector_size();
    load->columns = mem_zalloc(count * sizeof *load->columns);
    /* One name is a temporary table's, two are a schema's and a table's. */
    char *first = take_name(&table), *second = take_name(&table);
    duckdb_state made =
        duckdb_appender_create_ext(db->connection, second ? NULL : "temp", second ? first : "main",
                                   second ? second : first, &load->appender);
    free(first);
    free(second);
    if ((made == DuckDBSuccess ? 0 : appender_error(load, err)) == 0 && make_chunk(load, columns, err) == 0)
        return load;
    duckdb_load_close(load);
    return NULL;
}

/* --- cells ------------------------------------------------------------------------------------------- */

static duckdb_hugeint huge_of(struct slice digits)
{
    __int128 value = 0;
    bool negative = digits.size && digits.data[0] == '-';
    for (size_t i = negative; i < digits.size; i++)
        value = value * 10 + (digits.data[i] - '0');
    value = negative ? -value : value;
    return (duckdb_hugeint){.lower = (uint64_t)value, .upper = (int64_t)(value >> 64)};
}

static int32_t date_of(int64_t days)
{
    return days == SQL_FOREVER ? INT32_MAX : days == SQL_NEVER ? -INT32_MAX : (int32_t)days;
}

static void put_null(struct appended *column, idx_t row)
{
    if (!column->validity) {
        duckdb_vector_ensure_validity_writable(column->vector);
        column->validity = duckdb_vector_get_validity(column->vector);
    }
    duckdb_validity_set_row_invalid(column->validity, row);
}

static void put(struct appended *column, idx_t row, const struct sql_cell *cell)
{
    switch (column->type) {
    case SQL_BOOLEAN:
        ((bool *)column->data)[row] = cell->integer != 0;
        return;
    case SQL_INTEGER:
    case SQL_TIME:
        ((int64_t *)column->data)[row] = cell->integer;
        return;
    case SQL_NUMBER:
        memcpy((double *)column->data + row, &cell->integer, sizeof(double));
        return;
    case SQL_HUGE:
        ((duckdb_hugeint *)column->data)[row] = huge_of(cell->text);
        return;
    case SQL_DATE:
        ((int32_t *)column->data)[row] = date_of(cell->integer);
        return;
    case SQL_TIMETZ:
        ((duckdb_time_tz *)column->data)[row] = duckdb_create_time_tz(cell->integer, cell->offset);
        return;
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        ((int64_t *)column->data)[row] = cell->integer == SQL_NEVER ? -INT64_MAX : cell->integer;
        return;
    default:
        duckdb_vector_assign_string_element_len(column->vector, row, cell->text.data ? cell->text.data : "",
                                                cell->text.size);
    }
}

static int send_chunk(struct sql_load *load, struct error *err)
{
    if (!load->rows)
        return 0;
    duckdb_data_chunk_set_size(load->chunk, load->rows);
    if (duckdb_append_data_chunk(load->appender, load->chunk) != DuckDBSuccess)
        return appender_error(load, err);
    duckdb_data_chunk_reset(load->chunk);
    refresh(load);
    return 0;
}

int duckdb_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err)
{
    for (size_t i = 0; i < load->count; i++) {
        if (cells[i].null)
            put_null(&load->columns[i], load->rows);
        else
            put(&load->columns[i], load->rows, &cells[i]);
    }
    return ++load->rows == load->capacity ? send_chunk(load, err) : 0;
}

int duckdb_load_flush(struct sql_load *load, struct error *err)
{
    if (send_chunk(load, err) < 0)
        return -1;
    return duckdb_appender_flush(load->appender) == DuckDBSuccess ? 0 : appender_error(load, err);
}

void duckdb_load_close(struct sql_load *load)
{
    if (load->chunk)
        duckdb_destroy_data_chunk(&load->chunk);
    if (load->appender) {
        duckdb_appender_destroy(&load->appender);
    }
    free(load->columns);
    free(load);
}
