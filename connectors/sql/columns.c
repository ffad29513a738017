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
    columns->items[columns->count++] =
        (struct sql_column){.name = arena_strndup(found->arena, values[0].data, values[0].size),
                            .type = type_named(found->dialect, values[1])};
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
