#include "dialect.h"

/* What columns a table has. */

static enum sql_type type_named(const struct sql_dialect *dialect, struct slice name)
{
    for (size_t i = 0; i < SQL_TYPE_COUNT; i++) {
        if (dialect->type_names[i] && slice_is(name, dialect->type_names[i]))
            return (enum sql_type)i;
    }
    return dialect->text_alias && slice_is(name, dialect->text_alias) ? SQL_TEXT : SQL_OTHER;
}

/* "character varying(36)", "timestamp(3) with time zone" without what is in brackets. False: there is none.
 */
static bool without_limit(struct slice name, struct arena *arena, struct slice *ret_plain)
{
    const char *open = name.size ? memchr(name.data, '(', name.size) : NULL;
    const char *close = open ? memchr(open, ')', (size_t)(name.data + name.size - open)) : NULL;
    if (!close)
        return false;
    const char *text = arena_printf(arena, "%.*s%.*s", (int)(open - name.data), name.data,
                                    (int)(name.data + name.size - close - 1), close + 1);
    *ret_plain = slice_of(text);
    return true;
}

struct found {
    const struct sql_dialect *dialect;
    struct arena *arena;
    struct sql_columns columns;
    size_t capacity;
};

static int add_column(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct found *found = context;
    struct sql_columns *columns = &found->columns;
    (void)err;
    assert(count == 2);
    if (columns->count == found->capacity) {
        found->capacity = 2 * found->capacity + 16;
        struct sql_column *items = arena_alloc(found->arena, found->capacity * sizeof *items);
        if (columns->count)
            memcpy(items, columns->items, columns->count * sizeof *items);
        columns->items = items;
    }
    struct sql_column column = {.name = arena_strndup(found->arena, values[0].data, values[0].size),
                                .type = type_named(found->dialect, values[1])};
    struct slice plain;
    if (column.type == SQL_OTHER && found->dialect->has_limits &&
        without_limit(values[1], found->arena, &plain)) {
        column.type = type_named(found->dialect, plain);
        column.limited = column.type != SQL_OTHER;
    }
    columns->items[columns->count++] = column;
    return 0;
}

int sql_columns_read(const struct sql_dialect *dialect, struct sql_db *db, const char *schema,
                     const char *table, struct arena *arena, struct sql_columns *ret_columns,
                     struct error *err)
{
    struct found found = {.dialect = dialect, .arena = arena};
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    dialect->put_columns_query(&sql, schema, table);
    int result = dialect->query(db, buffer_cstr(&sql), add_column, &found, err);
    buffer_done(&sql);
    if (result == 0)
        *ret_columns = found.columns;
    return result;
}
