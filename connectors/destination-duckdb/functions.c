#include "db.h"

/* Functions of numbers that are texts, for the statements of this connection; the file knows nothing of them.
 *
 * firth_number(text): the number written in its one way; firth_number_order(text): bytes in the numbers'
 * order. */

typedef void put_fn(struct buffer *out, struct slice text, struct arena *arena);

static void put_number(struct buffer *out, struct slice text, struct arena *arena)
{
    struct slice number = sql_number_text(text, arena);
    buffer_append(out, number.data, number.size);
}

static void put_order(struct buffer *out, struct slice text, struct arena *arena)
{
    (void)arena;
    sql_number_order(out, text);
}

static void each_row(duckdb_data_chunk input, duckdb_vector output, put_fn *put)
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
    duckdb_string_t *texts = duckdb_vector_get_data(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    idx_t rows = duckdb_data_chunk_get_size(input);
    struct buffer out;
    struct arena arena;
    buffer_init(&out, BUFFER_UNLIMITED);
    arena_init(&arena);
    duckdb_vector_ensure_validity_writable(output);
    uint64_t *valid = duckdb_vector_get_validity(output);
    for (idx_t i = 0; i < rows; i++) {
        if (validity && !duckdb_validity_row_is_valid(validity, i)) {
            duckdb_validity_set_row_invalid(valid, i);
            continue;
        }
        buffer_clear(&out);
        arena_clear(&arena);
        put(&out, (struct slice){duckdb_string_t_data(&texts[i]), duckdb_string_t_length(texts[i])}, &arena);
        duckdb_vector_assign_string_element_len(output, i, out.data ? out.data : "", out.size);
    }
    buffer_done(&out);
    arena_done(&arena);
}

static void number_of(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    (void)info;
    each_row(input, output, put_number);
}

static void order_of(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    (void)info;
    each_row(input, output, put_order);
}

static bool add(duckdb_connection connection, const char *name, duckdb_type type,
                duckdb_scalar_function_t run)
{
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR),
                        result = duckdb_create_logical_type(type);
    duckdb_scalar_function_set_name(function, name);
    duckdb_scalar_function_add_parameter(function, text);
    duckdb_scalar_function_set_return_type(function, result);
    duckdb_scalar_function_set_special_handling(function); /* a null comes here, too, and is one there */
    duckdb_scalar_function_set_function(function, run);
    bool added = duckdb_register_scalar_function(connection, function) == DuckDBSuccess;
    duckdb_destroy_logical_type(&text);
    duckdb_destroy_logical_type(&result);
    duckdb_destroy_scalar_function(&function);
    return added;
}

int duckdb_add_functions(struct sql_db *db, struct error *err)
{
    if (add(db->connection, "firth_number", DUCKDB_TYPE_VARCHAR, number_of) &&
        add(db->connection, "firth_number_order", DUCKDB_TYPE_BLOB, order_of))
        return 0;
    return duckdb_db_error(db, "its functions of numbers cannot be added", err);
}

void duckdb_put_number_order(struct buffer *out, const char *column)
{
    buffer_printf(out, "firth_number_order(%s)", column);
}

void duckdb_put_number(struct buffer *out, const char *column, enum sql_type type)
{
    (void)type;
    buffer_printf(out, "firth_number(%s)", column);
}

void duckdb_put_misspelt(struct buffer *out, const char *column, enum sql_type type)
{
    (void)type;
    buffer_printf(out, "%s <> firth_number(%s)", column, column);
}
