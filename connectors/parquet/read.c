/* A Parquet file's rows as JSON lines. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors/parquet/program.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

/* --- a value as JSON has it
 * --------------------------------------------------------------------------------- */

static void put_value(const struct program *program, struct buffer *out, duckdb_logical_type type,
                      const char *value, unsigned depth);

static void put_list(const struct program *program, struct buffer *out, duckdb_logical_type type,
                     const char *value, unsigned depth)
{
    duckdb_logical_type child = duckdb_get_type_id(type) == DUCKDB_TYPE_ARRAY
                                    ? duckdb_array_type_child_type(type)
                                    : duckdb_list_type_child_type(type);
    auto_free char *each = mem_printf("e%u", depth);
    buffer_printf(out, "list_transform(%s, lambda %s: ", value, each);
    put_value(program, out, child, each, depth + 1);
    buffer_byte(out, ')');
    duckdb_destroy_logical_type(&child);
}

static void put_struct(const struct program *program, struct buffer *out, duckdb_logical_type type,
                       const char *value, unsigned depth)
{
    idx_t count = duckdb_struct_type_child_count(type);
    buffer_printf(out, "CASE WHEN %s IS NULL THEN NULL ELSE struct_pack(", value);
    for (idx_t i = 0; i < count; i++) {
        duckdb_logical_type child = duckdb_struct_type_child_type(type, i);
        char *name = duckdb_struct_type_child_name(type, i);
        struct buffer inner;
        buffer_init(&inner, BUFFER_UNLIMITED);
        buffer_printf(&inner, "%s.", value);
        program_put_name(&inner, name);
        if (i)
            buffer_byte(out, ',');
        program_put_name(out, name);
        buffer_str(out, " := ");
        put_value(program, out, child, buffer_cstr(&inner), depth + 1);
        buffer_done(&inner);
        duckdb_free(name);
        duckdb_destroy_logical_type(&child);
    }
    buffer_str(out, ") END");
}

/* As a list of its keys and values: JSON's objects have texts for names alone, and a map may have any. */
static void put_map(const struct program *program, struct buffer *out, duckdb_logical_type type,
                    const char *value, unsigned depth)
{
    duckdb_logical_type child = duckdb_map_type_value_type(type);
    auto_free char *each = mem_printf("e%u", depth);
    buffer_printf(out,
                  "CASE WHEN %s IS NULL THEN NULL ELSE map(list_transform(map_keys(%s), lambda %s: CAST(%s "
                  "AS VARCHAR)), "
                  "list_transform(map_values(%s), lambda %s: ",
                  value, value, each, each, value, each);
    put_value(program, out, child, each, depth + 1);
    buffer_str(out, ")) END");
    duckdb_destroy_logical_type(&child);
}

static void put_value(const struct program *program, struct buffer *out, duckdb_logical_type type,
                      const char *value, unsigned depth)
{
    switch (depth < DEPTH_MAX ? duckdb_get_type_id(type) : DUCKDB_TYPE_INVALID) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_VARCHAR:
        buffer_str(out, value);
        return;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: /* NaN and infinities are no JSON */
        buffer_printf(out, "CASE WHEN isfinite(%s) THEN %s END", value, value);
        return;
    case DUCKDB_TYPE_DECIMAL:
        buffer_printf(out, "CAST(%s AS %s)", value, program->decimals_as_numbers ? "DOUBLE" : "VARCHAR");
        return;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
        buffer_printf(out, "strftime(CAST(%s AS TIMESTAMP), '%%Y-%%m-%%dT%%H:%%M:%%S.%%f')", value);
        return;
    case DUCKDB_TYPE_TIMESTAMP_NS:
        buffer_printf(out, "replace(CAST(%s AS VARCHAR), ' ', 'T')", value);
        return;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        buffer_printf(out, "strftime(%s AT TIME ZONE 'UTC', '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ')", value);
        return;
    case DUCKDB_TYPE_BLOB:
        buffer_printf(out, "base64(%s)", value);
        return;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
        put_list(program, out, type, value, depth);
        return;
    case DUCKDB_TYPE_STRUCT:
        put_struct(program, out, type, value, depth);
        return;
    case DUCKDB_TYPE_MAP:
        put_map(program, out, type, value, depth);
        return;
    default: /* dates, times, UUIDs, enums, intervals, what is too deep */
        buffer_printf(out, "CAST(%s AS VARCHAR)", value);
        return;
    }
}

/* --- the rows
 * ----------------------------------------------------------------------------------------------- */

/* Of a table without columns, which has no rows: DuckDB does not read it. */
static bool has_no_columns(const char *why)
{
    return why && strstr(why, "Need at least one non-root column");
}

/* What gives the rows; nothing is appended if there are none. */
static int build_query(const struct program *program, const char *file, const char *skip, struct buffer *out)
{
    struct buffer sql;
    duckdb_result result;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT * FROM read_parquet(");
    program_put_text(&sql, file);
    buffer_str(&sql, ") LIMIT 0");
    bool good = duckdb_query(program->connection, buffer_cstr(&sql), &result) == DuckDBSuccess;
    bool none = !good && has_no_columns(duckdb_result_error(&result));
    if (!good && !none)
        program_fail(duckdb_result_error(&result));
    if (good)
        buffer_str(out, "SELECT CAST(to_json(struct_pack(");
    for (idx_t i = 0; good && i < duckdb_column_count(&result); i++) {
        duckdb_logical_type type = duckdb_column_logical_type(&result, i);
        struct buffer name;
        buffer_init(&name, BUFFER_UNLIMITED);
        program_put_name(&name, duckdb_column_name(&result, i));
        buffer_printf(out, "%s%s := ", i ? "," : "", buffer_cstr(&name));
        put_value(program, out, type, buffer_cstr(&name), 0);
        buffer_done(&name);
        duckdb_destroy_logical_type(&type);
    }
    if (good) {
        buffer_str(out, ")) AS VARCHAR) FROM read_parquet(");
        program_put_text(out, file);
        buffer_printf(out, ", file_row_number = true) WHERE file_row_number >= %s", skip);
    }
    duckdb_destroy_result(&result);
    buffer_done(&sql);
    return good || none ? 0 : -1;
}

static int write_chunk(duckdb_data_chunk chunk)
{
    duckdb_string_t *texts = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); i++) {
        fwrite(duckdb_string_t_data(&texts[i]), 1, duckdb_string_t_length(texts[i]), stdout);
        putchar('\n');
    }
    return ferror(stdout) ? -1 : 0;
}

/* Chunk by chunk: the file may be larger than memory. */
static int write_rows(const struct program *program, const char *sql)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_result result;
    duckdb_data_chunk chunk;
    int outcome = 0;
    if (duckdb_prepare(program->connection, sql, &statement) != DuckDBSuccess)
        outcome = program_fail(duckdb_prepare_error(statement));
    else if (duckdb_pending_prepared_streaming(statement, &pending) != DuckDBSuccess)
        outcome = program_fail(duckdb_pending_error(pending));
    else {
        if (duckdb_execute_pending(pending, &result) != DuckDBSuccess)
            outcome = program_fail(duckdb_result_error(&result));
        while (outcome == 0 && (chunk = duckdb_fetch_chunk(result))) {
            outcome = write_chunk(chunk);
            duckdb_destroy_data_chunk(&chunk);
        }
        if (outcome == 0 && duckdb_result_error(&result))
            outcome = program_fail(duckdb_result_error(&result));
        duckdb_destroy_result(&result);
    }
    if (pending)
        duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&statement);
    return outcome == 0 && fflush(stdout) == 0 ? 0 : -1;
}

int program_read(const struct program *program, const char *file, const char *skip)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    int outcome = build_query(program, file, skip, &sql);
    if (outcome == 0 && sql.size)
        outcome = write_rows(program, buffer_cstr(&sql));
    buffer_done(&sql);
    return outcome;
}
