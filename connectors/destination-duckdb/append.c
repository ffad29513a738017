#include "db.h"

/* Rows by the appender: chunks of vectors, filled cell by cell here, appended by the loader. */

enum { CHUNK_BYTES = 4 << 20 }; /* with so many of text a chunk is full however few its rows */

struct appended {
    enum sql_type type;
    duckdb_vector vector;
    void *data;
    uint64_t *validity; /* NULL: no null so far */
};

struct sql_load {
    struct sql_db *db;
    struct loader_table table;
    struct loader_chunk *chunk; /* being filled */
    duckdb_logical_type *types;
    struct appended *columns;
    size_t count;
    idx_t rows, capacity;
    uint64_t empty_bytes; /* of a chunk without text */
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
    duckdb_error_data data = duckdb_appender_error_data(load->table.appender);
    duckdb_db_error(load->db, duckdb_error_data_message(data), err);
    duckdb_destroy_error_data(&data);
    return -1;
}

static void new_chunk(struct sql_load *load)
{
    struct loader_chunk *chunk = loader_spare(load->db->loader, &load->table);
    if (!chunk) {
        chunk = mem_zalloc(sizeof *chunk);
        chunk->table = &load->table;
        chunk->data = duckdb_create_data_chunk(load->types, load->count);
        arena_init(&chunk->text);
    }
    chunk->bytes = load->empty_bytes = load->count * load->capacity * sizeof(duckdb_string_t);
    for (size_t i = 0; i < load->count; i++) {
        struct appended *column = &load->columns[i];
        column->vector = duckdb_data_chunk_get_vector(chunk->data, i);
        column->data = duckdb_vector_get_data(column->vector);
        column->validity = NULL;
    }
    load->chunk = chunk;
    load->rows = 0;
}

/* The table's own types: JSON is text that DuckDB would check again if it came as text. */
static int find_types(struct sql_load *load, const struct sql_column *columns, struct error *err)
{
    for (size_t i = 0; i < load->count; i++) {
        if (duckdb_appender_add_column(load->table.appender, columns[i].name) != DuckDBSuccess)
            return appender_error(load, err);
        load->columns[i].type = columns[i].type;
    }
    for (size_t i = 0; i < load->count; i++)
        load->types[i] = duckdb_appender_column_type(load->table.appender, i);
    new_chunk(load);
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
    load->types = mem_zalloc(count * sizeof *load->types);
    loader_drain(db->loader);
    /* One name is a temporary table's, two are a schema's and a table's. */
    char *first = take_name(&table), *second = take_name(&table);
    duckdb_state made =
        duckdb_appender_create_ext(db->connection, second ? NULL : "temp", second ? first : "main",
                                   second ? second : first, &load->table.appender);
    bool temporary = !second;
    free(first);
    free(second);
    if ((made == DuckDBSuccess ? 0 : appender_error(load, err)) == 0 && find_types(load, columns, err) == 0 &&
        (!temporary || duckdb_db_use_threads(db, err) == 0)) /* a batch will be merged */
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

/* JSON's texts are UTF-8, so DuckDB need not look; the vector refers to a long one, which the appender
 * copies. */
static void put_text(struct loader_chunk *chunk, struct appended *column, idx_t row,
                     const struct sql_cell *cell)
{
    const struct slice text = cell->text;
    /* Filled where it lies: put together elsewhere it would be read as a whole too soon after its parts. */
    duckdb_string_t *string = (duckdb_string_t *)column->data + row;
    if (text.size <= sizeof string->value.inlined.inlined) {
        *string = (duckdb_string_t){.value.inlined.length = (uint32_t)text.size};
        if (text.size)
            memcpy(string->value.inlined.inlined, text.data, text.size);
        return;
    }
    string->value.pointer.length = (uint32_t)text.size;
    string->value.pointer.ptr =
        cell->lasting ? (char *)(uintptr_t)text.data : arena_dup(&chunk->text, text.data, text.size);
    memcpy(string->value.pointer.prefix, text.data, sizeof string->value.pointer.prefix);
    chunk->bytes += text.size;
}

static void put(struct loader_chunk *chunk, struct appended *column, idx_t row, const struct sql_cell *cell)
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
        put_text(chunk, column, row, cell);
    }
}

/* What failed shows here, or at the next chunk. */
static int send_chunk(struct sql_load *load, struct error *err)
{
    struct loader *loader = load->db->loader;
    if (load->rows) {
        duckdb_data_chunk_set_size(load->chunk->data, load->rows);
        loader_submit(loader, load->chunk);
        new_chunk(load);
    }
    return loader_failed(loader, &load->table) ? appender_error(load, err) : 0;
}

int duckdb_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err)
{
    for (size_t i = 0; i < load->count; i++) {
        if (cells[i].null)
            put_null(&load->columns[i], load->rows);
        else
            put(load->chunk, &load->columns[i], load->rows, &cells[i]);
    }
    bool full = ++load->rows == load->capacity || load->chunk->bytes - load->empty_bytes >= CHUNK_BYTES;
    return full ? send_chunk(load, err) : 0;
}

int duckdb_load_flush(struct sql_load *load, struct error *err)
{
    if (send_chunk(load, err) < 0)
        return -1;
    loader_drain(load->db->loader);
    load->table.waiting = 0;
    bool flushed = !load->table.failed && duckdb_appender_flush(load->table.appender) == DuckDBSuccess;
    return flushed ? 0 : appender_error(load, err);
}

void duckdb_load_close(struct sql_load *load)
{
    loader_drain(load->db->loader);
    if (load->chunk)
        loader_chunk_free(load->chunk);
    for (struct loader_chunk *spare; (spare = loader_spare(load->db->loader, &load->table)) != NULL;)
        loader_chunk_free(spare);
    for (size_t i = 0; i < load->count; i++)
        duckdb_destroy_logical_type(&load->types[i]);
    if (load->table.appender)
        duckdb_appender_destroy(&load->table.appender);
    free(load->types);
    free(load->columns);
    free(load);
}
