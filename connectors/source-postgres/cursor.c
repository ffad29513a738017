#include "cursor.h"

#include <stdlib.h>

void pg_cursor_value_done(struct pg_cursor_value *value)
{
    free(value->text);
    free(value->sum);
    *value = (struct pg_cursor_value){0};
}

/* "character" and "bit" without a length mean one character, one bit: a cast would cut the value. A domain's
 * own check would refuse infinities, which are there to compare with. */
void pg_cursor_put_value(struct buffer *sql, const struct pg_column *column, const char *text)
{
    static const struct {
        const char *name, *whole;
    } cut[] = {
        {"character", "bpchar"}, {"character[]", "bpchar[]"}, {"bit", "\"bit\""}, {"bit[]", "\"bit\"[]"}};
    const char *type = column->type->cast;
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        if (strcmp(type, cut[i].name) == 0)
            type = cut[i].whole;
    }
    pg_put_literal(sql, text);
    buffer_str(sql, "::");
    buffer_str(sql, type);
}

/* --- what nothing follows
 * -------------------------------------------------------------------------------------- */

static bool is_number(const struct pg_column *column)
{
    enum pg_form form = column->type->form;
    return form == PG_FORM_REAL || form == PG_FORM_FLOAT || form == PG_FORM_NUMERIC;
}

static bool is_moment(const struct pg_column *column)
{
    enum pg_form form = column->type->form;
    return form == PG_FORM_DATE || form == PG_FORM_TIMESTAMP || form == PG_FORM_TIMESTAMPTZ;
}

bool pg_cursor_is_endless(const struct pg_column *column, const char *text)
{
    static const char *const endless[] = {"NaN", "Infinity", "-Infinity", "infinity", "-infinity"};
    for (size_t i = 0; (is_number(column) || is_moment(column)) && i < sizeof endless / sizeof *endless;
         i++) {
        if (strcmp(text, endless[i]) == 0)
            return true;
    }
    return false;
}

/* NaN is the greatest number. numeric has infinities since 14. */
static void put_bounds(struct buffer *sql, const struct pg_column *column, int version)
{
    if (!is_number(column) && !is_moment(column))
        return;
    bool infinite = column->type->form != PG_FORM_NUMERIC || version >= 140000;
    buffer_str(sql, " AND ");
    pg_put_name(sql, column->name);
    buffer_str(sql, " < ");
    pg_cursor_put_value(sql, column, infinite ? "infinity" : "NaN");
    if (!infinite)
        return;
    buffer_str(sql, " AND ");
    pg_put_name(sql, column->name);
    buffer_str(sql, " > ");
    pg_cursor_put_value(sql, column, "-infinity");
}

/* --- the rows of a value
 * ---------------------------------------------------------------------------------------- */

/* SELECT count and sum of the rows FROM the table WHERE the cursor has a value, up to that. */
static void put_rows(struct buffer *sql, const struct pg_table *table, const struct pg_column *column,
                     int version)
{
    buffer_str(sql, "SELECT count(*) AS n, coalesce(sum(");
    buffer_str(sql, version >= 110000 ? "hashtextextended(ROW(" : "hashtext(ROW(");
    for (size_t i = 0; i < table->column_count; i++) {
        buffer_str(sql, i ? ", " : "");
        pg_put_name(sql, table->columns[i].name);
    }
    buffer_str(sql, version >= 110000 ? ")::text, 0)" : ")::text)::bigint");
    buffer_str(sql, "), 0) AS s FROM ");
    pg_put_table(sql, table->schema, table->name);
    buffer_str(sql, " WHERE ");
    pg_put_name(sql, column->name);
    buffer_str(sql, " = ");
}

static void take(struct pg_cursor_value *value, const PGresult *rows, const char *text)
{
    value->text = mem_strdup(text);
    value->rows = strtoull(PQgetvalue(rows, 0, 0), NULL, 10);
    value->sum = mem_strdup(PQgetvalue(rows, 0, 1));
}

int pg_cursor_look(PGconn *connection, const struct pg_table *table, const struct pg_column *column,
                   const char *text, struct pg_cursor_value *ret_value, struct firth_error *err)
{
    struct buffer sql;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_rows(&sql, table, column, PQserverVersion(connection));
    pg_cursor_put_value(&sql, column, text);
    pg_auto_result PGresult *rows =
        pg_query(connection, buffer_cstr(&sql), "cannot look for rows at the cursor", err);
    buffer_done(&sql);
    *ret_value = (struct pg_cursor_value){0};
    if (!rows)
        return -1;
    take(ret_value, rows, text);
    return 0;
}

int pg_cursor_find_greatest(PGconn *connection, const struct pg_table *table, const struct pg_column *column,
                            struct pg_cursor_value *ret_value, struct firth_error *err)
{
    struct buffer sql;
    int version = PQserverVersion(connection);
    buffer_init(&sql, BUFFER_UNLIMITED);
    buffer_str(&sql, "SELECT r.n, r.s, q.c::text FROM (SELECT ");
    pg_put_name(&sql, column->name);
    buffer_str(&sql, " AS c FROM ");
    pg_put_table(&sql, table->schema, table->name);
    buffer_str(&sql, " WHERE ");
    pg_put_name(&sql, column->name);
    buffer_str(&sql, " IS NOT NULL");
    put_bounds(&sql, column, version);
    buffer_str(&sql, " ORDER BY 1 DESC LIMIT 1) q CROSS JOIN LATERAL (");
    put_rows(&sql, table, column, version);
    buffer_str(&sql, "q.c) r");
    pg_auto_result PGresult *rows =
        pg_query(connection, buffer_cstr(&sql), "cannot find the cursor's greatest value", err);
    buffer_done(&sql);
    *ret_value = (struct pg_cursor_value){0};
    if (!rows)
        return -1;
    if (PQntuples(rows))
        take(ret_value, rows, PQgetvalue(rows, 0, 2));
    return 0;
}
