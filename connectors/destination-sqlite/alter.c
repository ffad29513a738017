#include "db.h"

/* SQLite cannot change a column's type: the table is made anew, with its rows, its key and its indexes. */

/* The column's value as one of the new type. */
static void put_expression(struct buffer *out, const struct sql_column *column, enum sql_type type)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    sql_put_name(&name, column->name);
    const char *quoted = buffer_cstr(&name);
    bool to_text = type == SQL_TEXT || type == SQL_JSON;
    if (to_text && column->type == SQL_BOOLEAN)
        buffer_printf(out, "CASE %s WHEN 0 THEN 'false' WHEN 1 THEN 'true' END", quoted);
    else if (to_text && (column->type == SQL_INTEGER || column->type == SQL_NUMBER))
        buffer_printf(out, "CAST(firth_text(%s) AS TEXT)", quoted);
    else if (type == SQL_JSON)
        buffer_printf(out, "CASE WHEN %s IS NOT NULL THEN json_quote(%s) END", quoted, quoted);
    else if (type == SQL_TIMESTAMP && column->type == SQL_DATE)
        buffer_printf(out, "%s || CASE WHEN %s NOT LIKE '%%infinity' THEN ' 00:00:00.000000' ELSE '' END",
                      quoted, quoted);
    else
        buffer_str(out, quoted);
    buffer_done(&name);
}

struct kept {
    struct buffer indexes, keys; /* statements; names */
};

static int keep_index(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct kept *kept = context;
    (void)count, (void)err;
    buffer_append(&kept->indexes, values[0].data, values[0].size);
    buffer_str(&kept->indexes, ";\n");
    return 0;
}

static int keep_key(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct kept *kept = context;
    (void)count, (void)err;
    buffer_str(&kept->keys, kept->keys.size ? ", " : "");
    buffer_append(&kept->keys, values[0].data, values[0].size);
    return 0;
}

/* `table` is quoted, so it is a name in SQL; as a text for the schema table its quotes go. */
static void put_plain(struct buffer *out, const char *table)
{
    struct buffer plain;
    buffer_init(&plain, BUFFER_UNLIMITED);
    for (size_t i = 1; table[i + 1]; i++) {
        buffer_byte(&plain, table[i]);
        i += table[i] == '"';
    }
    sql_put_text(out, (struct slice){plain.data, plain.size});
    buffer_done(&plain);
}

static int keep(struct sql_db *db, const char *table, struct kept *kept, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql,
               "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ");
    put_plain(&sql, table);
    int result = sqlite_dialect.query(db, buffer_cstr(&sql), keep_index, kept, err);
    buffer_clear(&sql);
    buffer_str(&sql, "SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM pragma_table_info(");
    put_plain(&sql, table);
    buffer_str(&sql, ") WHERE pk > 0 ORDER BY pk");
    if (result == 0)
        result = sqlite_dialect.query(db, buffer_cstr(&sql), keep_key, kept, err);
    buffer_done(&sql);
    return result;
}

static void put_rebuild(struct buffer *sql, const char *table, const struct sql_columns *all, size_t column,
                        enum sql_type type, struct kept *kept)
{
    static const char rebuilt[] = "\"_firth_rebuilt\"";
    buffer_printf(sql, "DROP TABLE IF EXISTS %s; CREATE TABLE %s (", rebuilt, rebuilt);
    for (size_t i = 0; i < all->count; i++) {
        buffer_str(sql, i ? ", " : "");
        sql_put_name(sql, all->items[i].name);
        enum sql_type of = i == column ? type : all->items[i].type;
        buffer_printf(sql, " %s", of == SQL_OTHER ? "" : sqlite_dialect.type_names[of]);
    }
    if (kept->keys.size)
        buffer_printf(sql, ", PRIMARY KEY (%s)", buffer_cstr(&kept->keys));
    buffer_printf(sql, "); INSERT INTO %s SELECT ", rebuilt);
    for (size_t i = 0; i < all->count; i++) {
        buffer_str(sql, i ? ", " : "");
        if (i == column)
            put_expression(sql, &all->items[i], type);
        else
            sql_put_name(sql, all->items[i].name);
    }
    buffer_printf(sql, " FROM %s; DROP TABLE %s; ALTER TABLE %s RENAME TO %s; %s", table, table, rebuilt,
                  table, buffer_cstr(&kept->indexes));
}

int sqlite_alter_type(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                      enum sql_type type, struct error *err)
{
    struct buffer sql;
    struct kept kept;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_init(&kept.indexes, BUFFER_UNLIMITED);
    buffer_init(&kept.keys, BUFFER_UNLIMITED);
    int result = keep(db, table, &kept, err);
    if (result == 0) {
        put_rebuild(&sql, table, all, column, type, &kept);
        result = sqlite_dialect.execute(db, buffer_cstr(&sql), NULL, err);
    }
    buffer_done(&kept.indexes);
    buffer_done(&kept.keys);
    buffer_done(&sql);
    return result;
}
