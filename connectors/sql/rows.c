#include "session.h"

#include "json/writer.h"

#include <stdio.h>

/* A record as a row. */

static void put_uuid(struct random_state *random, struct arena *arena, struct sql_cell *cell)
{
    enum { UUID = 36 };
    uint64_t high = (random_next(random) & ~0xf000ULL) | 0x4000;
    uint64_t low = (random_next(random) & ~(3ULL << 62)) | (2ULL << 62);
    static const char hex[] = "0123456789abcdef";
    char *text = arena_alloc(arena, UUID), *at = text;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *at++ = '-';
        *at++ = hex[(i < 16 ? high >> (60 - 4 * i) : low >> (124 - 4 * i)) & 15];
    }
    cell->text = (struct slice){text, UUID};
}

/* PyAirbyte gives seconds when it writes from its cache; nothing was read before 1973. */
static int64_t micros_of(int64_t emitted_at)
{
    const int64_t first_ms = INT64_C(100000000000);
    bool seconds = emitted_at > -first_ms && emitted_at < first_ms;
    return emitted_at > INT64_MAX / 1000000 || emitted_at < INT64_MIN / 1000000
               ? 0
               : emitted_at * (seconds ? 1000000 : 1000);
}

/* --- what does not fit ------------------------------------------------------------------------------- */

static void note_change(struct sql_session *session, const char *field, enum sql_verdict verdict)
{
    static const char *const reasons[] = {
        [SQL_CUT] = "DESTINATION_FIELD_SIZE_LIMITATION",
        [SQL_TOO_LARGE] = "DESTINATION_FIELD_SIZE_LIMITATION",
        [SQL_MISFIT] = "DESTINATION_TYPECAST_ERROR",
        [SQL_UNSTORABLE] = "DESTINATION_SERIALIZATION_ERROR",
    };
    struct buffer *out = &session->changes;
    buffer_str(out, out->size ? ",{\"field\":" : "{\"field\":");
    json_escape(out, slice_of(field));
    buffer_printf(out, ",\"change\":\"%s\",\"reason\":\"%s\"}", verdict == SQL_CUT ? "TRUNCATED" : "NULLED",
                  reasons[verdict]);
}

enum { SHOWN = 100 }; /* of a value, in messages */

/* Where there is no _airbyte_meta to say it in, the log says it, once a column; a key must be whole. */
static int tell_change(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                       size_t column, struct firth_slice value, enum sql_verdict verdict, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    const char *name = plan->sources[column].name,
               *type = session->dialect->type_names[plan->columns.items[column].type];
    for (size_t i = 0; i < plan->key_count; i++) {
        if (plan->keys[i] == column)
            return error_set(
                err, ERROR_INVALID,
                "the value %.*s of the key's field \"%.200s\" does not fit its column in %s, which has the "
                "type %s: have the field be a string without a format in the schema",
                (int)utf8_cut(value.data, value.size, SHOWN), value.data, name, plan->quoted, type);
    }
    if (!target->told[column])
        firth_log(host, FIRTH_WARN, "a value of \"%.200s\" does not fit its column in %s (%s): it is %s",
                  name, plan->quoted, type, verdict == SQL_CUT ? "cut" : "null there");
    target->told[column] = true;
    return 0;
}

/* --- widening on the way ----------------------------------------------------------------------------- */

/* A number that its column cannot hold gets a wider column: its transaction goes on with it. */
static int widen(struct sql_session *session, struct sql_target *target, size_t column, enum sql_type type,
                 struct error *err)
{
    const struct sql_dialect *dialect = session->dialect;
    struct sql_plan *plan = &target->plan;
    if (sql_target_merge(session, target, err) < 0)
        return -1;
    sql_target_close_rows(session, target);
    if (target->batch_made && sql_table_drop(dialect, session->db, target->batch, err) < 0)
        return -1;
    if (target->keys_made && sql_table_drop(dialect, session->db, target->keys, err) < 0)
        return -1;
    if (target->key_rows)
        dialect->load_close(target->key_rows);
    target->key_rows = NULL;
    target->batch_made = target->keys_made = false;
    return sql_table_widen(dialect, session->db, plan, target->into, column, type, err) < 0
               ? -1
               : sql_target_open_rows(session, target, err);
}

static bool is_number(enum sql_type type)
{
    return type == SQL_INTEGER || type == SQL_HUGE || type == SQL_NUMBER;
}

static enum sql_verdict convert(struct sql_session *session, const struct sql_plan *plan, size_t column,
                                enum firth_type kind, struct firth_slice value, struct sql_cell *cell)
{
    enum sql_type type = plan->columns.items[column].type;
    enum sql_verdict verdict =
        sql_plan_value(session->dialect, plan, column, kind, value, &session->row_arena, cell);
    if (verdict > SQL_CUT || cell->null)
        return verdict;
    enum sql_verdict held = session->dialect->fits(type, cell, &session->row_arena);
    return held == SQL_FITS ? verdict : held;
}

/* Two keys would become one, and a record be lost. */
static int refuse_cut_key(const struct sql_session *session, const struct sql_target *target, size_t column,
                          struct firth_slice value, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    return error_set(
        err, ERROR_INVALID,
        "the value %.*s of the key's field \"%.200s\" is finer than its column in %s (%s) can tell apart, so "
        "that two keys could become one: have the field be a string without a format in the schema, or "
        "leave it out of the key",
        (int)utf8_cut(value.data, value.size, SHOWN), value.data, plan->sources[column].name, plan->quoted,
        session->dialect->type_names[plan->columns.items[column].type]);
}

static int put_value(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                     size_t column, enum firth_type kind, struct firth_slice value, struct error *err)
{
    struct sql_cell *cell = &target->cells[column];
    const struct sql_column *planned = &target->plan.columns.items[column];
    enum sql_verdict verdict;
    while ((verdict = convert(session, &target->plan, column, kind, value, cell)) == SQL_TOO_LARGE &&
           is_number(planned->type)) {
        enum sql_type wider = sql_table_wider(session->dialect, planned->type);
        if (wider == SQL_OTHER)
            break;
        if (widen(session, target, column, wider, err) < 0)
            return -1;
        firth_log(host, FIRTH_INFO, "widened column %s of %s to %s for a number that did not fit",
                  planned->name, target->plan.quoted, session->dialect->type_names[planned->type]);
    }
    if (verdict == SQL_FITS)
        return 0;
    if (verdict == SQL_CUT && target->batch && target->plan.sources[column].in_key)
        return refuse_cut_key(session, target, column, value, err);
    if (verdict > SQL_CUT)
        cell->null = true;
    if (target->plan.target->live)
        return tell_change(session, host, target, column, value, verdict, err);
    note_change(session, target->plan.sources[column].name, verdict);
    return 0;
}

/* --- the row ----------------------------------------------------------------------------------------- */

/* Most rows have no changes: theirs is made once, so that a loader can see that it is the same text. */
static void put_meta(struct sql_session *session, struct sql_target *target, struct sql_cell *cell)
{
    struct buffer *out = &session->meta;
    const struct firth_target *asked = target->plan.target;
    if (session->changes.size == 0 && target->plain_meta.data) {
        *cell = (struct sql_cell){.text = target->plain_meta, .lasting = true};
        return;
    }
    buffer_clear(out);
    buffer_byte(out, '{');
    if (asked->sync >= 0)
        buffer_printf(out, "\"sync_id\":%lld,", (long long)asked->sync);
    buffer_str(out, "\"changes\":[");
    buffer_append(out, session->changes.data, session->changes.size);
    buffer_str(out, "]}");
    *cell = (struct sql_cell){.text = {out->data, out->size}};
    if (session->changes.size == 0)
        target->plain_meta = cell->text =
            (struct slice){arena_dup(&session->arena, out->data, out->size), out->size};
}

static int put_column(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                      size_t column, const struct firth_record *record, struct error *err)
{
    const struct firth_target *asked = target->plan.target;
    const struct sql_source *source = &target->plan.sources[column];
    struct sql_cell *cell = &target->cells[column];
    struct firth_slice value = {0};
    enum firth_type kind;
    *cell = (struct sql_cell){0};
    switch (source->role) {
    case SQL_FIELD:
        kind = firth_record_field(host, record, source->field, &value);
        return put_value(session, host, target, column, kind, value, err);
    case SQL_NESTED_KEY:
        kind = firth_record_get(host, record, source->pointer, &value);
        return put_value(session, host, target, column, kind, value, err);
    case SQL_DATA:
        return put_value(session, host, target, column, FIRTH_IS_OBJECT, record->data, err);
    case SQL_RAW_ID:
        put_uuid(&session->random, &session->row_arena, cell);
        return 0;
    case SQL_EXTRACTED_AT:
        cell->integer = micros_of(record->emitted_at);
        return 0;
    case SQL_GENERATION:
        cell->null = asked->generation < 0;
        cell->integer = asked->generation;
        return 0;
    case SQL_META:
        return 0; /* when all changes are known */
    }
    return 0;
}

int sql_row_fill(struct sql_session *session, struct firth_host *host, struct sql_target *target,
                 const struct firth_record *record, struct error *err)
{
    const struct sql_plan *plan = &target->plan;
    arena_clear(&session->row_arena);
    buffer_clear(&session->changes);
    /* The source's own, without their brackets; what the database could not hold would fail all rows. */
    struct sql_cell theirs = {.text = {record->changes.data, record->changes.size}};
    if (theirs.text.size > 2 && session->dialect->fits(SQL_JSON, &theirs, &session->row_arena) == SQL_FITS)
        buffer_append(&session->changes, theirs.text.data + 1, theirs.text.size - 2);
    for (size_t i = 0; i < plan->columns.count; i++) {
        if (put_column(session, host, target, i, record, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < plan->columns.count; i++) {
        if (plan->sources[i].role == SQL_META)
            put_meta(session, target, &target->cells[i]);
    }
    return 0;
}
