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
        sql_put_name(sql, plan->columns.items[plan->cursor].name);
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
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    sql_put_name(&name, plan->columns.items[plan->cursor].name);
    put_delete(sql, dialect, batch, "b", into, "t");
    sql_put_key_match(sql, plan, "t.", "b.");
    buffer_printf(sql, " AND (t.%s > b.%s OR (b.%s IS NULL AND t.%s IS NOT NULL))", buffer_cstr(&name),
                  buffer_cstr(&name), buffer_cstr(&name), buffer_cstr(&name));
    buffer_done(&name);
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
    if (result == 0 && ranked)
        result = rank(dialect, db, plan, batch, &sql, err);
    if (result == 0 && ranked && plan->cursor >= 0)
        result = drop_late(dialect, db, plan, batch, into, &sql, err);
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
