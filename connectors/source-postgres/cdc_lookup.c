#include "cdc_session.h"

#include <stdlib.h>

/* Large values that an update did not touch are not in the log. Where they cannot be left out they are looked
 * up by the row's new key, once the change can be seen.
 *
 * Why the value of now is right in the end, though it may be newer than the change: what is done to that row
 * between the change and now is in the log behind it. If a large value is changed there, that change has it.
 * If the row is deleted, or given yet another key, a delete follows, and the other key's document is looked
 * up in its turn. If another row has the key by now, then the delete of this one and the insert (or the move)
 * of that one follow too. So the last document that begins a row under its key has what the table had when
 * the change could be seen, or later, and what changed since comes behind it. */

enum { PAUSE_MOST_MS = 100, SAID_AFTER_MS = 5000, SEEN_WITHIN_MS = 60000 };

static int is_seen(struct pg_cdc *cdc, struct firth_error *err)
{
    const char *sql = PQserverVersion(cdc->connection) >= 130000 ? "SELECT pg_current_snapshot()"
                                                                 : "SELECT txid_current_snapshot()";
    struct pg_visibility now;
    pg_auto_result PGresult *rows = pg_query(cdc->connection, sql, "cannot take a snapshot", err);
    if (!rows)
        return -1;
    if (!pg_visibility_read(&now, PQgetvalue(rows, 0, 0)))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the server's snapshot is %.80s",
                          PQgetvalue(rows, 0, 0));
    bool seen = pg_visible(&now, cdc->transaction.xid);
    pg_visibility_done(&now);
    return seen;
}

/* The server sends a transaction once its commit is in the log, which is a moment before others see its work,
 * or longer: a commit that waits for a synchronous standby. */
static int wait_until_seen(struct pg_cdc *cdc, struct firth_error *err)
{
    for (int waited = 0, pause = 1; !cdc->is_seen; waited += pause) {
        int seen = is_seen(cdc, err);
        cdc->is_seen = seen > 0;
        if (seen)
            return seen < 0 ? -1 : 0;
        if (waited >= SEEN_WITHIN_MS)
            return firth_fail(
                err, FIRTH_FAILURE_TRANSIENT,
                "transaction %u is in the log, but for %d s nobody could see its work, as if its "
                "commit waited for a synchronous standby: a large value cannot be looked up",
                cdc->transaction.xid, SEEN_WITHIN_MS / 1000);
        if (waited >= SAID_AFTER_MS && waited - pause < SAID_AFTER_MS)
            firth_log(cdc->host, FIRTH_INFO, "waiting until the work of transaction %u can be seen",
                      cdc->transaction.xid);
        pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
        if (pg_wait(cdc->connection, cdc->host, pause, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the statement
 * ------------------------------------------------------------------------------------------------ */

struct lookup {
    struct pg_relation *relation;
    const struct pg_tuple *old, *row;
    struct pg_datum *items; /* to be filled in */
};

static bool is_lacking(const struct lookup *lookup, size_t index)
{
    return index < lookup->row->count && !lookup->relation->columns[index].hidden &&
           pg_change_value(lookup->relation, lookup->row, lookup->old, index)->kind == PG_DATUM_UNCHANGED;
}

/* The row's key. `as_text`: an extension's type may have an operator that is not found; slow, for it needs no
 * index. */
static bool put_key(struct buffer *sql, const struct lookup *lookup, bool as_text)
{
    const struct pg_relation *relation = lookup->relation;
    const char *glue = " WHERE ";
    for (size_t i = 0; i < relation->count; i++) {
        const struct pg_datum *value = pg_change_value(relation, lookup->row, lookup->old, i);
        if (!relation->columns[i].key)
            continue;
        if (!value || value->kind != PG_DATUM_TEXT)
            return false;
        auto_free char *text = mem_strndup(value->text.data, value->text.size);
        buffer_str(sql, glue);
        pg_put_name(sql, relation->columns[i].name);
        buffer_str(sql, as_text ? "::text = " : " = ");
        pg_put_literal(sql, text);
        glue = " AND ";
    }
    return true;
}

/* Values as the server's output functions write them: a cast to text would take the blanks of char(n). */
static PGresult *ask(struct pg_cdc *cdc, const struct lookup *lookup, size_t from, size_t to, bool as_text)
{
    struct buffer sql;
    const char *glue = "SELECT ";
    buffer_init(&sql, BUFFER_UNLIMITED);
    for (size_t i = from; i < to; i++) {
        if (!is_lacking(lookup, i))
            continue;
        buffer_str(&sql, glue);
        pg_put_name(&sql, lookup->relation->columns[i].name);
        glue = ", ";
    }
    buffer_printf(&sql, " FROM %s", lookup->relation->current_name.data);
    PGresult *rows = put_key(&sql, lookup, as_text) ? PQexec(cdc->connection, buffer_cstr(&sql)) : NULL;
    buffer_done(&sql);
    return rows;
}

static void take(struct pg_cdc *cdc, const struct lookup *lookup, size_t from, size_t to,
                 const PGresult *rows)
{
    int column = 0;
    for (size_t i = from; i < to; i++) {
        if (!is_lacking(lookup, i))
            continue;
        size_t size = (size_t)PQgetlength(rows, 0, column);
        lookup->items[i].kind = PQgetisnull(rows, 0, column) ? PG_DATUM_NULL : PG_DATUM_TEXT;
        lookup->items[i].text =
            (struct slice){arena_dup(&cdc->message_arena, PQgetvalue(rows, 0, column), size), size};
        column++;
    }
}

/* --- the outcome
 * -------------------------------------------------------------------------------------------------- */

static bool is_state(const PGresult *rows, const char *start)
{
    const char *state = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
    return state && string_starts_with(state, start);
}

static void warn(struct pg_cdc *cdc, const struct lookup *lookup, const PGresult *rows)
{
    if (lookup->relation->warned)
        return;
    lookup->relation->warned = true;
    firth_log(cdc->host, FIRTH_WARN,
              "large values of %s that an update did not touch cannot be looked up: %.400s",
              lookup->relation->current_name.data, PQresultErrorMessage(rows));
}

/* It may have been given another name since. */
static bool find_name(struct pg_cdc *cdc, struct pg_relation *relation)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
             "c.relnamespace WHERE c.oid = %u",
             relation->oid);
    pg_auto_result PGresult *rows = PQexec(cdc->connection, sql);
    const char *name =
        PQresultStatus(rows) == PGRES_TUPLES_OK && PQntuples(rows) ? PQgetvalue(rows, 0, 0) : "";
    if (!*name || strcmp(name, relation->current_name.data) == 0)
        return false;
    relation->current_name = slice_of(arena_strdup(&relation->arena, name));
    return true;
}

/* The columns from `from` to `to` that lack a value. If one of them, or the table, has gone since, there is
 * nothing to be had any more. */
static int fetch(struct pg_cdc *cdc, const struct lookup *lookup, size_t from, size_t to, bool as_text,
                 struct firth_error *err)
{
    pg_auto_result PGresult *rows = ask(cdc, lookup, from, to, as_text);
    if (!rows)
        return 0;
    if (PQresultStatus(rows) == PGRES_TUPLES_OK) {
        if (PQntuples(rows) == 1)
            take(cdc, lookup, from, to, rows);
        return 0;
    }
    if (is_state(rows, "42703")) { /* no such column: it is perhaps not the only one that is lacking */
        for (size_t i = from; i < to && to - from > 1; i++) {
            if (is_lacking(lookup, i) && fetch(cdc, lookup, i, i + 1, as_text, err) < 0)
                return -1;
        }
        return 0;
    }
    if (is_state(rows, "42883") && !as_text) /* no such operator */
        return fetch(cdc, lookup, from, to, true, err);
    if (!is_state(rows, "42") && !is_state(rows, "3F"))
        return pg_failure(cdc->connection, rows, "looking up a large value", err);
    if (is_state(rows, "42P01") || is_state(rows, "3F")) /* no such table, no such schema */
        return find_name(cdc, lookup->relation) ? fetch(cdc, lookup, from, to, as_text, err) : 0;
    warn(cdc, lookup, rows);
    return 0;
}

int cdc_is_there(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_tuple *row,
                 bool *ret_there, struct firth_error *err)
{
    const struct lookup lookup = {relation, NULL, row, NULL};
    struct buffer sql;
    *ret_there = true;
    for (int as_text = 0; as_text < 2; as_text++) {
        buffer_init(&sql, BUFFER_UNLIMITED);
        buffer_printf(&sql, "SELECT FROM %s", relation->current_name.data);
        pg_auto_result PGresult *rows =
            put_key(&sql, &lookup, as_text) ? PQexec(cdc->connection, buffer_cstr(&sql)) : NULL;
        buffer_done(&sql);
        if (rows && PQresultStatus(rows) == PGRES_TUPLES_OK)
            *ret_there = PQntuples(rows) > 0;
        else if (rows && !is_state(rows, "42") && !is_state(rows, "3F"))
            return pg_failure(cdc->connection, rows, "looking for a row", err);
        if (!rows || !is_state(rows, "42883")) /* no such operator */
            break;
    }
    return 0;
}

int cdc_look_up(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_tuple *old,
                struct pg_tuple *row, struct firth_error *err)
{
    if (!relation->keyed)
        return 0;
    if (wait_until_seen(cdc, err) < 0)
        return -1;
    const struct lookup lookup = {
        relation, old, row, arena_dup(&cdc->message_arena, row->items, row->count * sizeof *row->items)};
    if (fetch(cdc, &lookup, 0, relation->count, false, err) < 0)
        return -1;
    row->items = lookup.items;
    return 0;
}
