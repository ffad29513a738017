#include "plan.h"

#include "base/clock.h"
#include "base/hash.h"

/* Tables: made, brought up to date, swapped. */

static int run(const struct sql_dialect *dialect, struct sql_db *db, struct buffer *sql, struct error *err)
{
    int result = dialect->execute(db, buffer_cstr(sql), NULL, err);
    buffer_done(sql);
    return result;
}

void sql_put_columns(struct buffer *out, const struct sql_plan *plan, const char *prefix)
{
    for (size_t i = 0; i < plan->columns.count; i++) {
        buffer_str(out, i ? ", " : "");
        buffer_str(out, prefix);
        sql_put_name(out, plan->columns.items[i].name);
    }
}

static void put_keys(struct buffer *out, const struct sql_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        buffer_str(out, i ? ", " : "");
        sql_put_name(out, plan->columns.items[plan->keys[i]].name);
    }
}

int sql_table_lock(const struct sql_dialect *dialect, struct sql_db *db, const char *quoted,
                   enum sql_lock lock, struct error *err)
{
    return dialect->lock_table ? dialect->lock_table(db, quoted, lock, err) : 0;
}

/* --- making ------------------------------------------------------------------------------------------ */

static int found_one(void *context, const struct slice *values, size_t count, struct error *err)
{
    (void)values, (void)count, (void)err;
    *(bool *)context = true;
    return 0;
}

int sql_schema_ensure(const struct sql_dialect *dialect, struct sql_db *db, const char *schema,
                      struct error *err)
{
    struct buffer sql;
    bool there = false;
    if (!dialect->has_schemas)
        return 0;
    /* Asked first: to make one, even one that is there, takes a right that not everybody has. */
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ");
    sql_put_text(&sql, slice_of(schema));
    int result = dialect->query(db, buffer_cstr(&sql), found_one, &there, err);
    buffer_clear(&sql);
    if (result < 0 || there) {
        buffer_done(&sql);
        return result;
    }
    buffer_str(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    sql_put_name(&sql, schema);
    return run(dialect, db, &sql, err);
}

static int index_keys(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                      const char *quoted, struct error *err)
{
    struct buffer sql, keys;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_init(&keys, BUFFER_UNLIMITED);
    put_keys(&keys, plan);
    uint64_t hash = hash_xxh3(keys.data, keys.size, hash_xxh3(quoted, strlen(quoted), 0));
    buffer_printf(&sql, "CREATE INDEX IF NOT EXISTS \"_firth_key_%016llx\" ON ", (unsigned long long)hash);
    buffer_str(&sql, quoted);
    buffer_printf(&sql, " (%s)", buffer_cstr(&keys));
    buffer_done(&keys);
    if (sql_table_lock(dialect, db, quoted, SQL_LOCK_INDEX, err) == 0)
        return run(dialect, db, &sql, err);
    buffer_done(&sql);
    return -1;
}

int sql_table_create(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *quoted, bool keyed, struct error *err)
{
    struct buffer sql;
    bool primary = keyed && plan->target->live && dialect->indexes_keys;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "CREATE TABLE %s (", quoted);
    for (size_t i = 0; i < plan->columns.count; i++) {
        const struct sql_column *column = &plan->columns.items[i];
        buffer_str(&sql, i ? ", " : "");
        sql_put_name(&sql, column->name);
        buffer_printf(&sql, " %s", dialect->type_names[column->type]);
        if (plan->sources[i].role == SQL_RAW_ID && dialect->raw_id_storage)
            buffer_printf(&sql, " %s", dialect->raw_id_storage);
    }
    if (primary) {
        buffer_str(&sql, ", PRIMARY KEY (");
        put_keys(&sql, plan);
        buffer_byte(&sql, ')');
    }
    buffer_byte(&sql, ')');
    if (run(dialect, db, &sql, err) < 0)
        return -1;
    return keyed && !primary && dialect->indexes_keys ? index_keys(dialect, db, plan, quoted, err) : 0;
}

/* --- widening ---------------------------------------------------------------------------------------- */

enum sql_type sql_table_wider(const struct sql_dialect *dialect, enum sql_type type)
{
    static const enum sql_type wider[] = {
        [SQL_BOOLEAN] = SQL_TEXT,     [SQL_INTEGER] = SQL_HUGE, [SQL_HUGE] = SQL_NUMBER,
        [SQL_NUMBER] = SQL_TEXT,      [SQL_TEXT] = SQL_OTHER,   [SQL_DATE] = SQL_TEXT,
        [SQL_TIME] = SQL_TEXT,        [SQL_TIMETZ] = SQL_TEXT,  [SQL_TIMESTAMP] = SQL_TEXT,
        [SQL_TIMESTAMPTZ] = SQL_TEXT, [SQL_BYTES] = SQL_OTHER,  [SQL_JSON] = SQL_TEXT,
        [SQL_DOCUMENT] = SQL_OTHER,
    };
    do {
        bool integer = type == SQL_INTEGER || type == SQL_HUGE;
        type = wider[type];
        if (integer && type == SQL_NUMBER && !dialect->keeps_integers)
            type = SQL_TEXT;
    } while (type < SQL_TYPE_COUNT && !dialect->type_names[type]);
    return type;
}

enum sql_type sql_table_join(const struct sql_dialect *dialect, enum sql_type a, enum sql_type b)
{
    /* Two that the database does not tell apart. */
    const char *name_a = a < SQL_TYPE_COUNT ? dialect->type_names[a] : NULL,
               *name_b = b < SQL_TYPE_COUNT ? dialect->type_names[b] : NULL;
    if (name_a && name_b && strcmp(name_a, name_b) == 0)
        return b;
    enum sql_type joined = sql_type_join(a, b);
    bool of_integers = a <= SQL_HUGE && b <= SQL_HUGE;
    if (joined == SQL_NUMBER && a != b && !of_integers && !dialect->keeps_integers)
        joined = SQL_TEXT;
    while (joined < SQL_TYPE_COUNT && !dialect->type_names[joined])
        joined = sql_table_wider(dialect, joined);
    return joined;
}

int sql_table_widen(const struct sql_dialect *dialect, struct sql_db *db, struct sql_plan *plan,
                    const char *quoted, size_t column, enum sql_type type, struct error *err)
{
    if (sql_table_lock(dialect, db, quoted, SQL_LOCK_ALONE, err) < 0)
        return -1;
    if (dialect->alter_type(db, quoted, &plan->columns, column, type, err) < 0)
        return error_wrap(err, "cannot widen column \"%.200s\" of %s to %s", plan->columns.items[column].name,
                          quoted, dialect->type_names[type]);
    plan->columns.items[column].type = type;
    return 0;
}

static int add_column(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                      const struct sql_column *column, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "ALTER TABLE %s ADD COLUMN ", plan->quoted);
    sql_put_name(&sql, column->name);
    buffer_printf(&sql, " %s", dialect->type_names[column->type]);
    return run(dialect, db, &sql, err);
}

static long find_column(const struct sql_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (strcmp(columns->items[i].name, name) == 0)
            return (long)i;
    }
    return -1;
}

/* One column of the plan against what the table has. */
static int ensure_column(const struct sql_dialect *dialect, struct sql_db *db, struct sql_plan *plan,
                         size_t at, struct sql_columns *there, sql_did_fn *did, void *context,
                         struct arena *arena, struct error *err)
{
    struct sql_column *column = &plan->columns.items[at];
    long found = find_column(there, column->name);
    if (found < 0) {
        if (sql_table_lock(dialect, db, plan->quoted, SQL_LOCK_ALONE, err) < 0 ||
            add_column(dialect, db, plan, column, err) < 0)
            return -1;
        there->items[there->count++] = *column;
        if (did)
            did(context, arena_printf(arena, "added column %s to %s", column->name, plan->quoted));
        return 0;
    }
    enum sql_type has = there->items[found].type, wanted = sql_table_join(dialect, has, column->type);
    if (wanted == SQL_OTHER)
        return error_set(err, ERROR_INVALID,
                         "the column \"%.200s\" of %s has a type that cannot take what the schema says now "
                         "(%s): refresh the stream with its data removed (in a catalog: raise its backfill)",
                         column->name, plan->quoted, dialect->type_names[column->type]);
    column->type = wanted;
    /* As Airbyte's connectors make them; their own columns have room for ours. */
    bool limited = there->items[found].limited && plan->sources[at].role != SQL_RAW_ID;
    if (!limited && (wanted == has || strcmp(dialect->type_names[wanted], dialect->type_names[has]) == 0))
        return 0;
    if (sql_table_lock(dialect, db, plan->quoted, SQL_LOCK_ALONE, err) < 0)
        return -1;
    if (dialect->alter_type(db, plan->quoted, there, (size_t)found, wanted, err) < 0)
        return error_wrap(err, "cannot widen column \"%.200s\" of %s to %s", column->name, plan->quoted,
                          dialect->type_names[wanted]);
    there->items[found].type = wanted;
    there->items[found].limited = false;
    if (did)
        did(context, arena_printf(arena, "widened column %s of %s to %s", column->name, plan->quoted,
                                  dialect->type_names[wanted]));
    return 0;
}

int sql_table_ensure(const struct sql_dialect *dialect, struct sql_db *db, struct sql_plan *plan,
                     sql_did_fn *did, void *context, struct arena *arena, struct error *err)
{
    struct sql_columns there;
    bool keyed = sql_plan_dedups(plan);
    if (sql_schema_ensure(dialect, db, plan->schema, err) < 0 ||
        sql_columns_read(dialect, db, plan->schema, plan->table, arena, &there, err) < 0)
        return -1;
    if (!there.count) {
        if (sql_table_create(dialect, db, plan, plan->quoted, keyed, err) < 0)
            return -1;
        if (did)
            did(context, arena_printf(arena, "created table %s", plan->quoted));
        return 0;
    }
    struct sql_column *items = arena_alloc(arena, (there.count + plan->columns.count) * sizeof *items);
    memcpy(items, there.items, there.count * sizeof *items);
    there.items = items;
    for (size_t i = 0; i < plan->columns.count; i++) {
        if (ensure_column(dialect, db, plan, i, &there, did, context, arena, err) < 0)
            return -1;
    }
    if (keyed && sql_keys_respell(dialect, db, plan, err) < 0)
        return -1;
    /* It may have been appended to so far. */
    return keyed && !plan->target->live && dialect->indexes_keys
               ? index_keys(dialect, db, plan, plan->quoted, err)
               : 0;
}

/* --- taking another's place -------------------------------------------------------------------------- */

int sql_table_drop(const struct sql_dialect *dialect, struct sql_db *db, const char *quoted,
                   struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "DROP TABLE IF EXISTS %s", quoted);
    return run(dialect, db, &sql, err);
}

/* Views hang on the old table: it stays, and takes the new rows instead. */
static int swap_rows(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *stage, struct error *err)
{
    struct buffer sql;
    struct arena arena;
    struct sql_plan copy = *plan;
    arena_init(&arena);
    copy.columns.items =
        arena_dup(&arena, plan->columns.items, plan->columns.count * sizeof(struct sql_column));
    int result = sql_table_ensure(dialect, db, &copy, NULL, NULL, &arena, err);
    arena_done(&arena);
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "DELETE FROM %s", plan->quoted);
    if (result < 0 || run(dialect, db, &sql, err) < 0)
        return -1;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "INSERT INTO %s (", plan->quoted);
    sql_put_columns(&sql, plan, "");
    buffer_str(&sql, ") SELECT ");
    sql_put_columns(&sql, plan, "");
    buffer_printf(&sql, " FROM %s", stage);
    return run(dialect, db, &sql, err) < 0 ? -1 : sql_table_drop(dialect, db, stage, err);
}

int sql_table_swap(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                   const char *stage, struct error *err)
{
    struct buffer sql;
    if (dialect->has_dependents && dialect->execute(db, "SAVEPOINT firth_swap", NULL, err) < 0)
        return -1;
    if (sql_table_lock(dialect, db, plan->quoted, SQL_LOCK_ALONE, err) < 0)
        return -1;
    if (sql_table_drop(dialect, db, plan->quoted, err) < 0) {
        if (!dialect->has_dependents || !dialect->has_dependents(db) ||
            dialect->execute(db, "ROLLBACK TO SAVEPOINT firth_swap", NULL, err) < 0)
            return -1;
        return swap_rows(dialect, db, plan, stage, err);
    }
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "ALTER TABLE %s RENAME TO ", stage);
    sql_put_name(&sql, plan->table);
    return run(dialect, db, &sql, err);
}
