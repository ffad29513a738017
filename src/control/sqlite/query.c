#include "control/sqlite/query.h"

#include <stdlib.h>

static void bind_one(sqlite3_stmt *statement, int at, const struct query_value *value)
{
    switch (value->kind) {
    case QUERY_NULL:
        sqlite3_bind_null(statement, at);
        break;
    case QUERY_NUMBER:
        sqlite3_bind_int64(statement, at, value->number);
        break;
    case QUERY_TEXT:
        sqlite3_bind_text64(statement, at, value->bytes.data, value->bytes.size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case QUERY_BLOB:
        database_bind_blob(statement, at, value->bytes);
        break;
    }
}

sqlite3_stmt *query_prepare(struct control *control, const char *sql, const struct query_value *values,
                            size_t count, struct error *err)
{
    sqlite3_stmt *statement = database_prepare(control, sql, err);
    for (size_t i = 0; statement && i < count; i++)
        bind_one(statement, (int)i + 1, &values[i]);
    return statement;
}

int query_run(struct control *control, const char *sql, const struct query_value *values, size_t count,
              struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *statement = query_prepare(control, sql, values, count, err);
    return statement && database_step(control, statement, err) >= 0 ? 0 : -1;
}

int query_get(struct control *control, const char *sql, const struct query_value *values, size_t count,
              int64_t otherwise, int64_t *ret_number, struct error *err)
{
    mem_auto(sqlite3_finalize) sqlite3_stmt *statement = query_prepare(control, sql, values, count, err);
    int step = statement ? database_step(control, statement, err) : -1;
    if (step < 0)
        return -1;
    *ret_number = step ? sqlite3_column_int64(statement, 0) : otherwise;
    return 0;
}

struct slice query_slice(sqlite3_stmt *row, int column, struct arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    return text && size ? (struct slice){arena_strndup(arena, text, size), size} : (struct slice){0};
}

int query_check_keyed(const struct control *control, struct error *err)
{
    return control->keyed ? 0 : error_set(err, ERROR_INVALID, "%s was opened without its key", control->path);
}

int query_unseal(struct control *control, sqlite3_stmt *row, int column, size_t max, struct arena *arena,
                 struct slice *ret_plain, struct error *err)
{
    struct slice sealed = {sqlite3_column_blob(row, column), (size_t)sqlite3_column_bytes(row, column)};
    struct buffer plain;
    *ret_plain = (struct slice){0};
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return 0;
    if (query_check_keyed(control, err) < 0)
        return -1;
    buffer_init(&plain, max + 1024);
    int result = secret_unseal(&control->key, sealed, &plain, err);
    if (result == 0)
        *ret_plain =
            (struct slice){arena_strndup(arena, plain.size ? plain.data : "", plain.size), plain.size};
    if (plain.size)
        explicit_bzero(plain.data, plain.size);
    buffer_done(&plain);
    return result;
}

/* --- conditions ---------------------------------------------------------------------------------- */

void query_where_init(struct query_where *where)
{
    *where = (struct query_where){0};
    buffer_init(&where->sql, BUFFER_UNLIMITED);
}

void query_where_done(struct query_where *where)
{
    buffer_done(&where->sql);
    free(where->values);
}

static void add_value(struct query_where *where, struct query_value value)
{
    where->values = mem_grow(where->values, &where->capacity, where->count + 1, sizeof *where->values);
    where->values[where->count++] = value;
}

void query_and_plain(struct query_where *where, const char *condition)
{
    buffer_printf(&where->sql, "%s(%s)", where->sql.size ? " AND " : " WHERE ", condition);
}

void query_and(struct query_where *where, const char *condition, struct query_value value)
{
    query_and_plain(where, condition);
    add_value(where, value);
}

static void put_in(struct query_where *where, const char *column, const char *const *texts, size_t count)
{
    buffer_printf(&where->sql, "%s IN (", column);
    for (size_t i = 0; i < count; i++) {
        buffer_str(&where->sql, i ? ", ?" : "?");
        add_value(where, query_text(texts[i]));
    }
    buffer_str(&where->sql, ")");
}

void query_and_any(struct query_where *where, const char *column, const char *const *texts, size_t count)
{
    if (count == 0)
        return;
    buffer_str(&where->sql, where->sql.size ? " AND " : " WHERE ");
    put_in(where, column, texts, count);
}

void query_and_any_of(struct query_where *where, const char *from, const char *column,
                      const char *const *texts, size_t count)
{
    if (count == 0)
        return;
    buffer_printf(&where->sql, "%sEXISTS (SELECT 1 FROM %s WHERE ", where->sql.size ? " AND " : " WHERE ",
                  from);
    put_in(where, column, texts, count);
    buffer_str(&where->sql, ")");
}

void query_and_bits(struct query_where *where, const char *column, unsigned bits)
{
    if (bits == 0)
        return;
    const char *between = "";
    buffer_printf(&where->sql, "%s%s IN (", where->sql.size ? " AND " : " WHERE ", column);
    for (unsigned i = 0; i < 8 * sizeof bits; i++) {
        if (!(bits & 1U << i))
            continue;
        buffer_printf(&where->sql, "%s%u", between, i);
        between = ", ";
    }
    buffer_str(&where->sql, ")");
}

/* --- lists --------------------------------------------------------------------------------------- */

static int count_rows(struct control *control, const struct query_table *table,
                      const struct query_where *where, uint64_t *ret_total, struct error *err)
{
    int64_t total = 0;
    auto_free char *sql =
        mem_printf("SELECT count(*) FROM %s%.*s", table->counted ? table->counted : table->from,
                   (int)where->sql.size, where->sql.size ? where->sql.data : "");
    if (query_get(control, sql, where->values, where->count, 0, &total, err) < 0)
        return -1;
    *ret_total = (uint64_t)total;
    return 0;
}

static uint32_t page_limit(const struct control_page *page)
{
    if (page->limit == 0)
        return CONTROL_PAGE_DEFAULT;
    return page->limit < CONTROL_PAGE_MAX ? page->limit : CONTROL_PAGE_MAX;
}

static int read_rows(struct control *control, const struct query_table *table, sqlite3_stmt *row,
                     struct arena *arena, char **items, size_t *count, struct error *err)
{
    size_t capacity = 0;
    int step;
    while ((step = database_step(control, row, err)) > 0) {
        *items = mem_grow(*items, &capacity, *count + 1, table->item_size);
        char *item = *items + *count * table->item_size;
        memset(item, 0, table->item_size);
        if (table->read(control, row, arena, item, err) < 0)
            return -1;
        ++*count;
    }
    return step;
}

int query_list(struct control *control, const struct query_table *table, const struct query_where *where,
               const char *order, const struct control_page *page, struct arena *arena, void *ret_items,
               size_t *ret_count, uint64_t *ret_total, struct error *err)
{
    if (ret_total && count_rows(control, table, where, ret_total, err) < 0)
        return -1;
    auto_free char *sql = mem_printf(
        "SELECT %s FROM %s%.*s ORDER BY %s LIMIT %u OFFSET %u", table->columns, table->from,
        (int)where->sql.size, where->sql.size ? where->sql.data : "", order, page_limit(page), page->offset);
    mem_auto(sqlite3_finalize) sqlite3_stmt *row =
        query_prepare(control, sql, where->values, where->count, err);
    if (!row)
        return -1;
    auto_free char *items = NULL;
    size_t count = 0;
    if (read_rows(control, table, row, arena, &items, &count, err) < 0)
        return -1;
    void *kept = arena_alloc(arena, count * table->item_size + 1);
    if (count)
        memcpy(kept, items, count * table->item_size);
    memcpy(ret_items, &kept, sizeof kept);
    *ret_count = count;
    return 0;
}

int query_find(struct control *control, const struct query_table *table, const char *condition,
               struct query_value value, const char *shown, struct arena *arena, void *ret_item,
               struct error *err)
{
    auto_free char *sql =
        mem_printf("SELECT %s FROM %s WHERE %s LIMIT 1", table->columns, table->from, condition);
    mem_auto(sqlite3_finalize) sqlite3_stmt *row = query_prepare(control, sql, &value, 1, err);
    int step = row ? database_step(control, row, err) : -1;
    if (step < 0)
        return -1;
    if (step == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no %s '%.64s'", table->what, shown);
    memset(ret_item, 0, table->item_size);
    return table->read(control, row, arena, ret_item, err);
}

/* --- checks -------------------------------------------------------------------------------------- */

int query_check_name(const char *what, const char *name, struct error *err)
{
    size_t size = name ? strlen(name) : 0;
    if (size == 0)
        return error_set(err, ERROR_INVALID, "%s is empty", what);
    if (size > CONTROL_TITLE_MAX)
        return error_set(err, ERROR_LIMIT, "%s has %zu bytes; the limit is %d", what, size,
                         CONTROL_TITLE_MAX);
    return 0;
}

int query_check_size(const char *what, struct slice value, size_t max, struct error *err)
{
    return value.size <= max
               ? 0
               : error_set(err, ERROR_LIMIT, "%s has %zu bytes; the limit is %zu", what, value.size, max);
}
