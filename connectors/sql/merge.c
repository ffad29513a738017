#include "plan.h"

/* Batches: rows wait in a temporary table, then take the place of those of their keys at once. */

static int run(const struct sql_dialect *dialect, struct sql_db *db, struct buffer *sql, struct error *err)
{
    int result = dialect->execute(db, buffer_cstr(sql), NULL, err);
    buffer_clear(sql);
    return result;
}

int sql_batch_create(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *batch, struct error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "CREATE TEMPORARY TABLE %s (", batch);
    for (size_t i = 0; i < plan->columns.count; i++) {
        sql_put_name(&sql, plan->columns.items[i].name);
        buffer_printf(&sql, " %s, ", dialect->type_names[plan->columns.items[i].type]);
    }
    buffer_printf(&sql, SQL_BATCH_ROW " %s, " SQL_BATCH_OPERATION " %s)", dialect->type_names[SQL_INTEGER],
                  dialect->type_names[SQL_INTEGER]);
    int result = run(dialect, db, &sql, err);
    buffer_done(&sql);
    return result;
}

static void put_key(struct buffer *out, const struct sql_plan *plan, const char *alias, size_t part)
{
    buffer_str(out, alias);
    sql_put_name(out, plan->columns.items[plan->keys[part]].name);
}

void sql_put_key_match(struct buffer *out, const struct sql_plan *plan, const char *a, const char *b)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        buffer_str(out, i ? " AND " : "");
        put_key(out, plan, a, i);
        buffer_str(out, " = ");
        put_key(out, plan, b, i);
    }
}

/* What the cursor's values are in the order of. */
static void put_cursor(struct buffer *out, const struct sql_dialect *dialect, const struct sql_plan *plan,
                       const char *alias)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    buffer_str(&name, alias);
    sql_put_name(&name, plan->columns.items[plan->cursor].name);
    if (sql_plan_texts_numbers(dialect, plan, (size_t)plan->cursor))
        dialect->put_number_order(out, buffer_cstr(&name));
    else
        buffer_append(out, name.data, name.size);
    buffer_done(&name);
}

/* The cursor of row a is higher than that of row b; null is the lowest. Never null itself. */
static void put_newer(struct buffer *out, const struct sql_dialect *dialect, const struct sql_plan *plan,
                      const char *a, const char *b)
{
    buffer_byte(out, '(');
    put_cursor(out, dialect, plan, a);
    buffer_str(out, " IS NOT NULL AND (");
    put_cursor(out, dialect, plan, b);
    buffer_str(out, " IS NULL OR ");
    put_cursor(out, dialect, plan, a);
    buffer_str(out, " > ");
    put_cursor(out, dialect, plan, b);
    buffer_str(out, "))");
}

/* A key with a null in it equals no other: such rows are told apart by their number. */
static void put_partition(struct buffer *out, const struct sql_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        put_key(out, plan, "", i);
        buffer_str(out, ", ");
    }
    buffer_str(out, "CASE WHEN ");
    for (size_t i = 0; i < plan->key_count; i++) {
        buffer_str(out, i ? " OR " : "");
        put_key(out, plan, "", i);
        buffer_str(out, " IS NULL");
    }
    buffer_str(out, " THEN " SQL_BATCH_ROW " END");
}

/* Of the rows of a key only the one that counts stays in the batch. */
static int rank(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                const char *batch, struct buffer *sql, struct error *err)
{
    buffer_printf(sql,
                  "DELETE FROM %s WHERE " SQL_BATCH_ROW " IN (SELECT " SQL_BATCH_ROW
                  " FROM (SELECT " SQL_BATCH_ROW ", row_number() OVER (PARTITION BY ",
                  batch);
    put_partition(sql, plan);
    buffer_str(sql, " ORDER BY ");
    if (plan->cursor >= 0) {
        put_cursor(sql, dialect, plan, "");
        buffer_str(sql, " DESC NULLS LAST, ");
    }
    buffer_printf(sql, SQL_BATCH_ROW " DESC) AS firth_rank FROM %s) AS ranked WHERE firth_rank > 1)", batch);
    return run(dialect, db, sql, err);
}

/* DELETE FROM <from> AS <a> the rows for which there is one of <with> AS <b> that matches. */
static void put_delete(struct buffer *sql, const struct sql_dialect *dialect, const char *from, const char *a,
                       const char *with, const char *b)
{
    if (dialect->deletes_using)
        buffer_printf(sql, "DELETE FROM %s AS %s USING %s AS %s WHERE ", from, a, with, b);
    else
        buffer_printf(sql, "DELETE FROM %s WHERE %s IN (SELECT %s.%s FROM %s AS %s, %s AS %s WHERE ", from,
                      dialect->row_id, a, dialect->row_id, from, a, with, b);
}

static int run_delete(const struct sql_dialect *dialect, struct sql_db *db, struct buffer *sql,
                      struct error *err)
{
    if (!dialect->deletes_using)
        buffer_byte(sql, ')');
    return run(dialect, db, sql, err);
}

/* What the table has of a key is newer than what came: then that stays. */
static int drop_late(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     const char *batch, const char *into, struct buffer *sql, struct error *err)
{
    put_delete(sql, dialect, batch, "b", into, "t");
    sql_put_key_match(sql, plan, "t.", "b.");
    buffer_str(sql, " AND ");
    put_newer(sql, dialect, plan, "t.", "b.");
    return run_delete(dialect, db, sql, err);
}

static int delete_old(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                      const char *batch, const char *into, struct buffer *sql, struct error *err)
{
    put_delete(sql, dialect, into, "t", batch, "b");
    sql_put_key_match(sql, plan, "t.", "b.");
    buffer_printf(sql, " AND b." SQL_BATCH_OPERATION " <> %d", SQL_PUT_NEW);
    return run_delete(dialect, db, sql, err);
}

static int insert_new(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                      const char *batch, const char *into, bool remove_cdc_deleted, struct buffer *sql,
                      struct error *err)
{
    buffer_printf(sql, "INSERT INTO %s (", into);
    sql_put_columns(sql, plan, "");
    buffer_str(sql, ") SELECT ");
    sql_put_columns(sql, plan, "");
    buffer_printf(sql, " FROM %s WHERE " SQL_BATCH_OPERATION " <> %d", batch, SQL_REMOVE);
    if (remove_cdc_deleted && plan->deleted >= 0) {
        buffer_str(sql, " AND ");
        sql_put_name(sql, plan->columns.items[plan->deleted].name);
        buffer_str(sql, " IS NULL");
    }
    return run(dialect, db, sql, err);
}

int sql_batch_merge(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                    const char *batch, const char *into, bool ranked, bool remove_cdc_deleted,
                    struct error *err)
{
    struct buffer sql;
    int result = 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    if (dialect->analyze) {
        buffer_printf(&sql, "%s%s", dialect->analyze, batch);
        result = run(dialect, db, &sql, err);
    }
    if (result == 0)
        result = sql_table_lock(dialect, db, into, SQL_LOCK_ROWS, err);
    if (result == 0 && ranked)
        result = rank(dialect, db, plan, batch, &sql, err);
    if (result == 0 && ranked && plan->cursor >= 0)
        result = drop_late(dialect, db, plan, batch, into, &sql, err);
    if (result == 0 && !ranked)
        result = sql_keys_refuse_meeting(dialect, db, plan, batch, into, err);
    if (result == 0)
        result = delete_old(dialect, db, plan, batch, into, &sql, err);
    if (result == 0)
        result = insert_new(dialect, db, plan, batch, into, remove_cdc_deleted, &sql, err);
    buffer_printf(&sql, "%s%s", dialect->clear, batch);
    if (result == 0)
        result = run(dialect, db, &sql, err);
    buffer_done(&sql);
    return result < 0 ? error_wrap(err, "cannot merge rows into %s", into) : 0;
}

/* --- keys that are written in two ways ------------------------------------------------------------------ */

static bool is_respelt(const struct sql_dialect *dialect, const struct sql_plan *plan, size_t part)
{
    return sql_plan_texts_numbers(dialect, plan, plan->keys[part]);
}

/* A part of the key of `alias` is not written in its one way. */
static void put_misspelt(struct buffer *out, const struct sql_dialect *dialect, const struct sql_plan *plan,
                         const char *alias)
{
    bool first = true;
    buffer_byte(out, '(');
    for (size_t i = 0; i < plan->key_count; i++) {
        struct buffer name;
        if (!is_respelt(dialect, plan, i))
            continue;
        buffer_init(&name, BUFFER_UNLIMITED);
        put_key(&name, plan, alias, i);
        buffer_str(out, first ? "" : " OR ");
        dialect->put_misspelt(out, buffer_cstr(&name), plan->columns.items[plan->keys[i]].type);
        buffer_done(&name);
        first = false;
    }
    buffer_byte(out, ')');
}

/* The key's part of `alias`, written in its one way. */
static void put_respelt(struct buffer *out, const struct sql_dialect *dialect, const struct sql_plan *plan,
                        const char *alias, size_t part)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    put_key(&name, plan, alias, part);
    if (is_respelt(dialect, plan, part))
        dialect->put_number(out, buffer_cstr(&name), plan->columns.items[plan->keys[part]].type);
    else
        buffer_append(out, name.data, name.size);
    buffer_done(&name);
}

/* Row w, written wrongly, and row r, written right, are of one key. */
static void put_same_key(struct buffer *out, const struct sql_dialect *dialect, const struct sql_plan *plan)
{
    put_misspelt(out, dialect, plan, "w.");
    for (size_t i = 0; i < plan->key_count; i++) {
        buffer_str(out, " AND ");
        put_key(out, plan, "r.", i);
        buffer_str(out, " = ");
        put_respelt(out, dialect, plan, "w.", i);
    }
}

static int drop_doubles(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                        struct buffer *sql, struct error *err)
{
    put_delete(sql, dialect, plan->quoted, "w", plan->quoted, "r");
    put_same_key(sql, dialect, plan);
    if (plan->cursor >= 0) {
        buffer_str(sql, " AND NOT ");
        put_newer(sql, dialect, plan, "w.", "r.");
    }
    if (run_delete(dialect, db, sql, err) < 0)
        return -1;
    if (plan->cursor < 0)
        return 0;
    put_delete(sql, dialect, plan->quoted, "r", plan->quoted, "w");
    put_same_key(sql, dialect, plan);
    return run_delete(dialect, db, sql, err);
}

static int respell(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                   struct buffer *sql, struct error *err)
{
    bool first = true;
    buffer_printf(sql, "UPDATE %s SET ", plan->quoted);
    for (size_t i = 0; i < plan->key_count; i++) {
        if (!is_respelt(dialect, plan, i))
            continue;
        buffer_str(sql, first ? "" : ", ");
        put_key(sql, plan, "", i);
        buffer_str(sql, " = ");
        put_respelt(sql, dialect, plan, "", i);
        first = false;
    }
    buffer_str(sql, " WHERE ");
    put_misspelt(sql, dialect, plan, "");
    return run(dialect, db, sql, err);
}

static int found_one(void *context, const struct slice *values, size_t count, struct error *err)
{
    (void)values, (void)count, (void)err;
    *(bool *)context = true;
    return 0;
}

int sql_keys_respell(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                     struct error *err)
{
    struct buffer sql;
    bool wanted = false, found = false;
    for (size_t i = 0; i < plan->key_count; i++)
        wanted |= is_respelt(dialect, plan, i);
    if (!wanted)
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_printf(&sql, "SELECT 1 FROM %s WHERE ", plan->quoted);
    put_misspelt(&sql, dialect, plan, "");
    buffer_str(&sql, " LIMIT 1");
    int result = dialect->query(db, buffer_cstr(&sql), found_one, &found, err);
    buffer_clear(&sql);
    if (result == 0 && found)
        result = drop_doubles(dialect, db, plan, &sql, err) < 0 ? -1 : respell(dialect, db, plan, &sql, err);
    buffer_done(&sql);
    return result < 0 ? error_wrap(err, "cannot write the numbers in the key of %s in one way", plan->quoted)
                      : 0;
}
