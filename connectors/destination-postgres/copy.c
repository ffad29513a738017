#include "db.h"

#include "protocol/airbyte_write.h"

/* Rows by COPY in its text format. They gather per table, so that streams may take turns: the connection
 * can copy into one table at a time. */

enum { COPY_SIZE = 1 << 20 };

struct sql_load {
    struct sql_db *db;
    char *statement;
    char *table; /* that others may lock; NULL: nobody else sees it */
    struct sql_column *columns;
    size_t count;
    struct buffer rows;
};

struct sql_load *postgres_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                    size_t count, struct error *err)
{
    struct buffer sql;
    (void)err;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "COPY %s (", table);
    for (size_t i = 0; i < count; i++) {
        buffer_str(&sql, i ? ", " : "");
        sql_put_name(&sql, columns[i].name);
    }
    buffer_str(&sql, ") FROM STDIN");
    struct sql_load *load = mem_zalloc(sizeof *load);
    load->db = db;
    load->statement = buffer_steal(&sql);
    load->table = string_starts_with(table, "\"_firth_") ? NULL : mem_strdup(table);
    load->columns = mem_dup(columns, count * sizeof *columns);
    load->count = count;
    buffer_init(&load->rows, BUFFER_UNLIMITED); /* COPY_SIZE and a record, which is bounded */
    return load;
}

static void put_text(struct buffer *out, struct slice text)
{
    static const char letters[256] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\v'] = 'v', ['\\'] = '\\'};
    size_t start = 0;
    for (size_t i = 0; i < text.size; i++) {
        char letter = letters[(unsigned char)text.data[i]];
        if (!letter)
            continue;
        buffer_append(out, text.data + start, i - start);
        buffer_byte(out, '\\');
        buffer_byte(out, letter);
        start = i + 1;
    }
    buffer_append(out, text.data + start, text.size - start);
}

static void put_bytes(struct buffer *out, struct slice bytes)
{
    static const char hex[] = "0123456789abcdef";
    buffer_str(out, "\\\\x");
    if (!buffer_reserve(out, 2 * bytes.size))
        return;
    char *at = out->data + out->size;
    for (size_t i = 0; i < bytes.size; i++) {
        *at++ = hex[(unsigned char)bytes.data[i] >> 4];
        *at++ = hex[bytes.data[i] & 15];
    }
    out->size += 2 * bytes.size;
}

static void put_time(struct buffer *out, enum sql_type type, const struct sql_cell *cell)
{
    char text[2 * SQL_TIME_TEXT];
    size_t size;
    if (type == SQL_DATE)
        size = sql_format_date(cell->integer, text);
    else if (type == SQL_TIME || type == SQL_TIMETZ)
        size = sql_format_time(cell->integer, 0, true, text);
    else
        size = sql_format_timestamp(cell->integer, 0, true, "", text); /* the session's time zone is UTC */
    if (type == SQL_TIMETZ)
        size += sql_format_offset(cell->offset, text + size);
    buffer_append(out, text, size);
}

static void put_cell(struct buffer *out, enum sql_type type, const struct sql_cell *cell)
{
    if (cell->null) {
        buffer_append(out, "\\N", 2);
        return;
    }
    switch (type) {
    case SQL_BOOLEAN:
        buffer_byte(out, cell->integer ? 't' : 'f');
        return;
    case SQL_INTEGER:
        if (buffer_reserve(out, 24))
            out->size += airbyte_format_i64(cell->integer, out->data + out->size);
        return;
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMETZ:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        put_time(out, type, cell);
        return;
    case SQL_BYTES:
        put_bytes(out, cell->text);
        return;
    default:
        put_text(out, cell->text);
    }
}

int postgres_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err)
{
    for (size_t i = 0; i < load->count; i++) {
        if (i)
            buffer_byte(&load->rows, '\t');
        put_cell(&load->rows, load->columns[i].type, &cells[i]);
    }
    buffer_byte(&load->rows, '\n');
    return load->rows.size >= COPY_SIZE ? postgres_load_flush(load, err) : 0;
}

/* The end of a COPY: its answer, and that there is nothing behind it. */
static int end_copy(struct sql_db *db, struct error *err)
{
    PGresult *result;
    int outcome = PQputCopyEnd(db->connection, NULL) == 1 ? 0 : postgres_db_error(db, NULL, err);
    while ((result = PQgetResult(db->connection))) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && outcome == 0)
            outcome = postgres_db_error(db, result, err);
        PQclear(result);
    }
    return outcome;
}

int postgres_load_flush(struct sql_load *load, struct error *err)
{
    PGconn *connection = load->db->connection;
    if (!load->rows.size)
        return 0;
    if (load->table && postgres_lock_table(load->db, load->table, SQL_LOCK_ROWS, err) < 0)
        return -1;
    pg_auto_result PGresult *begun = PQexec(connection, load->statement);
    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return postgres_db_error(load->db, begun, err);
    for (size_t at = 0; at < load->rows.size;) {
        size_t size = load->rows.size - at < COPY_SIZE ? load->rows.size - at : COPY_SIZE;
        if (PQputCopyData(connection, load->rows.data + at, (int)size) != 1)
            return postgres_db_error(load->db, NULL, err);
        at += size;
    }
    /* One huge row must not leave its buffer behind. */
    if (load->rows.capacity > 4 * (size_t)COPY_SIZE)
        buffer_done(&load->rows);
    buffer_clear(&load->rows);
    return end_copy(load->db, err);
}

void postgres_load_close(struct sql_load *load)
{
    buffer_done(&load->rows);
    free(load->columns);
    free(load->statement);
    free(load->table);
    free(load);
}
