/* Rows from standard input as a Parquet file: a table function that DuckDB's COPY reads. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors/files/parquet_rows.h"
#include "connectors/parquet/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS_MAX = 100 * 1000,
    CELL_MAX = 512 << 20,    /* a record of 64 MiB as JSON, escaped */
    GROUP_ROWS = 100 * 1000, /* of a row group, at most … */
    GROUP_BYTES = 32 << 20,  /* … and about so many bytes */
    CHUNK_BYTES = 8 << 20,   /* cells that are handed over at a time, about */
};

struct rows {
    struct arena arena;
    char **names, **types;
    uint32_t count;
    char *cell;
    size_t capacity;
    char wrong[256];
};

/* 1; 0 at the input's end, where that is between rows. */
static int take_size(struct rows *rows, bool may_end, uint32_t *ret_size)
{
    unsigned char bytes[4];
    size_t got = fread(bytes, 1, sizeof bytes, stdin);
    if (got == 0 && may_end && !ferror(stdin))
        return 0;
    if (got < sizeof bytes) {
        snprintf(rows->wrong, sizeof rows->wrong, "the input ends within a row");
        return -1;
    }
    *ret_size =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return 1;
}

static int take_bytes(struct rows *rows, uint32_t size)
{
    if (size > CELL_MAX) {
        snprintf(rows->wrong, sizeof rows->wrong, "a value has more than %d bytes", CELL_MAX);
        return -1;
    }
    rows->cell = mem_grow(rows->cell, &rows->capacity, (size_t)size + 1, 1);
    if (fread(rows->cell, 1, size, stdin) < size) {
        snprintf(rows->wrong, sizeof rows->wrong, "the input ends within a value");
        return -1;
    }
    return 0;
}

static char *take_text(struct rows *rows)
{
    uint32_t size;
    return take_size(rows, false, &size) < 0 || take_bytes(rows, size) < 0
               ? NULL
               : arena_strndup(&rows->arena, rows->cell, size);
}

static int take_head(struct rows *rows)
{
    if (take_size(rows, false, &rows->count) < 0)
        return program_fail(rows->wrong);
    if (rows->count == 0 || rows->count > COLUMNS_MAX)
        return program_fail("a file must have columns, and not too many");
    rows->names = arena_zalloc(&rows->arena, rows->count * sizeof *rows->names);
    rows->types = arena_zalloc(&rows->arena, rows->count * sizeof *rows->types);
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!(rows->names[i] = take_text(rows)) || !(rows->types[i] = take_text(rows)))
            return program_fail(rows->wrong);
    }
    return 0;
}

/* --- the table function: columns c0, c1, … of texts -------------------------------------------------- */

static void bind(duckdb_bind_info info)
{
    const struct rows *rows = duckdb_bind_get_extra_info(info);
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR),
                        bytes = duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    for (uint32_t i = 0; i < rows->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        duckdb_bind_add_result_column(info, name, strcmp(rows->types[i], "BLOB") == 0 ? bytes : text);
    }
    duckdb_destroy_logical_type(&text);
    duckdb_destroy_logical_type(&bytes);
}

static void begin(duckdb_init_info info)
{
    duckdb_init_set_max_threads(info, 1);
}

/* 1: a row was taken; 0: there are no more. */
static int take_row(struct rows *rows, duckdb_vector *vectors, idx_t row, size_t *bytes)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        uint32_t size;
        int more = take_size(rows, i == 0, &size);
        if (more <= 0)
            return more;
        if (size == PARQUET_NULL) {
            duckdb_vector_ensure_validity_writable(vectors[i]);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vectors[i]), row);
            continue;
        }
        if (take_bytes(rows, size) < 0)
            return -1;
        duckdb_vector_assign_string_element_len(vectors[i], row, rows->cell, size);
        *bytes += size;
    }
    return 1;
}

static void next(duckdb_function_info info, duckdb_data_chunk chunk)
{
    struct rows *rows = duckdb_function_get_extra_info(info);
    auto_free duckdb_vector *vectors = mem_alloc(rows->count * sizeof *vectors);
    idx_t most = duckdb_vector_size(), count = 0;
    size_t bytes = 0;
    int more = 1;
    for (uint32_t i = 0; i < rows->count; i++)
        vectors[i] = duckdb_data_chunk_get_vector(chunk, i);
    while (count < most && bytes < CHUNK_BYTES && (more = take_row(rows, vectors, count, &bytes)) > 0)
        count++;
    if (more < 0)
        duckdb_function_set_error(info, rows->wrong);
    duckdb_data_chunk_set_size(chunk, more < 0 ? 0 : count);
}

static int offer_rows(const struct program *program, struct rows *rows)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, "given");
    duckdb_table_function_set_extra_info(function, rows, NULL);
    duckdb_table_function_set_bind(function, bind);
    duckdb_table_function_set_init(function, begin);
    duckdb_table_function_set_function(function, next);
    bool good = duckdb_register_table_function(program->connection, function) == DuckDBSuccess;
    duckdb_destroy_table_function(&function);
    return good ? 0 : program_fail("DuckDB does not take a table function");
}

/* --- the statement ------------------------------------------------------------------------------------ */

/* Whole numbers say days since 1970, and microseconds since 1970 or of the day. */
static int put_column(const struct rows *rows, uint32_t i, struct buffer *sql)
{
    static const struct {
        const char *type, *before, *after;
    } types[] = {
        {"BOOLEAN", "CAST(", " AS INTEGER) <> 0"},
        {"BIGINT", "CAST(", " AS BIGINT)"},
        {"DOUBLE", "CAST(", " AS DOUBLE)"},
        {"VARCHAR", "", ""},
        {"BLOB", "", ""},
        {"JSON", "CAST(", " AS JSON)"},
        {"DATE", "DATE '1970-01-01' + CAST(", " AS INTEGER)"},
        {"TIME", "CAST(make_timestamp(CAST(", " AS BIGINT)) AS TIME)"},
        {"TIMESTAMP", "make_timestamp(CAST(", " AS BIGINT))"},
        {"TIMESTAMPTZ", "CAST(make_timestamp(CAST(", " AS BIGINT)) AS TIMESTAMPTZ)"},
    };
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        if (strcmp(rows->types[i], types[k].type) != 0)
            continue;
        buffer_printf(sql, "%s%sc%u%s AS ", i ? ", " : "", types[k].before, i, types[k].after);
        program_put_name(sql, rows->names[i]);
        return 0;
    }
    return program_fail("a column has a type that is none");
}

/* Row groups are bounded by bytes where order may be given up: there is one thread, and one order. */
static int copy(const struct program *program, const struct rows *rows, const char *codec)
{
    struct buffer sql;
    duckdb_result result;
    int outcome = 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "COPY (SELECT ");
    for (uint32_t i = 0; i < rows->count && outcome == 0; i++)
        outcome = put_column(rows, i, &sql);
    buffer_str(&sql, " FROM given()) TO '/dev/stdout' (FORMAT parquet, CODEC ");
    program_put_text(&sql, codec);
    buffer_printf(&sql, ", ROW_GROUP_SIZE %d, ROW_GROUP_SIZE_BYTES %d)", GROUP_ROWS, GROUP_BYTES);
    if (outcome == 0) {
        if (duckdb_query(program->connection, buffer_cstr(&sql), &result) != DuckDBSuccess)
            outcome = program_fail(duckdb_result_error(&result));
        duckdb_destroy_result(&result);
    }
    buffer_done(&sql);
    return outcome;
}

int program_write(const struct program *program, const char *codec)
{
    struct rows rows = {.count = 0};
    duckdb_result result;
    arena_init(&rows.arena);
    duckdb_query(program->connection, "SET preserve_insertion_order = false", &result);
    duckdb_destroy_result(&result);
    int outcome = take_head(&rows) == 0 && offer_rows(program, &rows) == 0 ? copy(program, &rows, codec) : -1;
    free(rows.cell);
    arena_done(&rows.arena);
    return outcome;
}
