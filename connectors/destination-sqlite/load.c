#include "db.h"

#include "json/number.h"

/* Rows by a prepared INSERT. */

struct sql_load {
    struct sql_db *db;
    sqlite3_stmt *statement;
    struct sql_column *columns;
    size_t count;
    struct arena arena; /* a row's texts */
};

struct sql_load *sqlite_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                  size_t count, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "INSERT INTO %s (", table);
    for (size_t i = 0; i < count; i++) {
        buffer_str(&sql, i ? ", " : "");
        sql_put_name(&sql, columns[i].name);
    }
    buffer_str(&sql, ") VALUES (");
    for (size_t i = 0; i < count; i++)
        buffer_str(&sql, i ? ", ?" : "?");
    buffer_byte(&sql, ')');
    sqlite3_stmt *statement = sqlite_db_prepare(db, buffer_cstr(&sql), err);
    buffer_done(&sql);
    if (!statement)
        return NULL;
    struct sql_load *load = mem_zalloc(sizeof *load);
    load->db = db;
    load->statement = statement;
    load->columns = mem_dup(columns, count * sizeof *columns);
    load->count = count;
    arena_init(&load->arena);
    return load;
}

static int bind_text(struct sql_load *load, int at, struct slice text)
{
    return sqlite3_bind_text64(load->statement, at, text.data ? text.data : "", text.size, SQLITE_STATIC,
                               SQLITE_UTF8);
}

int sqlite_kind_of(struct slice number, int64_t *ret_integer, double *ret_real)
{
    bool whole = !memchr(number.data, '.', number.size) && !memchr(number.data, 'e', number.size) &&
                 !memchr(number.data, 'E', number.size) && !slice_is(number, "-0");
    if (whole && number_to_i64(number, ret_integer))
        return SQLITE_INTEGER;
    return !whole && number_is_held(number, ret_real) ? SQLITE_FLOAT : SQLITE_TEXT;
}

static int bind_number(struct sql_load *load, int at, struct slice number)
{
    int64_t integer;
    double real;
    switch (sqlite_kind_of(number, &integer, &real)) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(load->statement, at, integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(load->statement, at, real);
    default:
        return bind_text(load, at, number);
    }
}

static int bind_time(struct sql_load *load, int at, enum sql_type type, const struct sql_cell *cell)
{
    char *text = arena_alloc(&load->arena, 2 * (size_t)SQL_TIME_TEXT);
    size_t size;
    if (type == SQL_DATE)
        size = sql_format_date(cell->integer, text);
    else if (type == SQL_TIME || type == SQL_TIMETZ)
        size = sql_format_time(cell->integer, cell->nanos, false, text);
    else
        size = sql_format_timestamp(cell->integer, cell->nanos, false,
                                    type == SQL_TIMESTAMPTZ ? "+00:00" : "", text);
    if (type == SQL_TIMETZ)
        size += sql_format_offset(cell->offset, text + size);
    return bind_text(load, at, (struct slice){text, size});
}

static int bind(struct sql_load *load, int at, enum sql_type type, const struct sql_cell *cell)
{
    if (cell->null)
        return sqlite3_bind_null(load->statement, at);
    switch (type) {
    case SQL_BOOLEAN:
    case SQL_INTEGER:
        return sqlite3_bind_int64(load->statement, at, cell->integer);
    case SQL_NUMBER:
        return bind_number(load, at, cell->text);
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMETZ:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        return bind_time(load, at, type, cell);
    case SQL_BYTES:
        return sqlite3_bind_blob64(load->statement, at, cell->text.size ? cell->text.data : "",
                                   cell->text.size, SQLITE_STATIC);
    default:
        return bind_text(load, at, cell->text);
    }
}

int sqlite_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err)
{
    int result = SQLITE_OK;
    arena_clear(&load->arena);
    for (size_t i = 0; i < load->count && result == SQLITE_OK; i++)
        result = bind(load, (int)i + 1, load->columns[i].type, &cells[i]);
    if (result == SQLITE_OK)
        result = sqlite3_step(load->statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    if (result != SQLITE_OK)
        sqlite_db_error(load->db, err);
    sqlite3_reset(load->statement);
    return result == SQLITE_OK ? 0 : -1;
}

int sqlite_load_flush(struct sql_load *load, struct error *err)
{
    (void)load, (void)err;
    return 0; /* nothing waits */
}

void sqlite_load_close(struct sql_load *load)
{
    sqlite3_finalize(load->statement);
    free(load->columns);
    arena_done(&load->arena);
    free(load);
}
