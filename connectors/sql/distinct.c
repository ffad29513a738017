#include "plan.h"

#include "json/writer.h"

#include <stdio.h>

/* Keys that the collection tells apart and a column does not: "2024-01-01T00:00:00Z" and
 * "2024-01-01T01:00:00+01:00" are two texts and one moment, "QQ==" and "QQ" two texts of the same bytes. As
 * one row the second would take the place of the first, so it is refused, unless the first goes. */

enum { SHOWN = 200 };

/* A text that becomes something else in its column. */
static bool is_read(const struct sql_plan *plan, size_t column)
{
    const struct sql_source *source = &plan->sources[column];
    enum sql_type type = plan->columns.items[column].type;
    bool of_time = type == SQL_DATE || type == SQL_TIME || type == SQL_TIMETZ || type == SQL_TIMESTAMP ||
                   type == SQL_TIMESTAMPTZ;
    return source->role == SQL_FIELD &&
           (plan->target->fields[source->field].types & FIRTH_MAY_BE_TEXT) != 0 &&
           (of_time || type == SQL_BYTES || source->number);
}

bool sql_keys_may_meet(const struct sql_plan *plan)
{
    bool may = false;
    for (size_t i = 0; i < plan->key_count; i++)
        may |= is_read(plan, plan->keys[i]);
    return may && plan->target->live && plan->document >= 0;
}

void sql_key_text_add(struct buffer *out, enum firth_type kind, struct firth_slice value)
{
    buffer_byte(out, out->size ? ',' : '[');
    if (kind == FIRTH_IS_TEXT)
        json_escape(out, (struct slice){value.data, value.size});
    else if (kind == FIRTH_IS_ABSENT || kind == FIRTH_IS_NULL)
        buffer_str(out, "null");
    else
        buffer_append(out, value.data, value.size);
}

/* --- two keys --------------------------------------------------------------------------------------------
 */

/* A document, or a key as sql_key_text_add wrote it. */
struct keyed {
    struct json json;
    bool is_key;
};

static uint32_t part_of(const struct sql_plan *plan, const struct keyed *keyed, size_t part)
{
    const struct firth_field *field = &plan->target->fields[plan->sources[plan->keys[part]].field];
    return keyed->is_key ? json_at(&keyed->json, 0, (uint32_t)part)
                         : json_pointer(&keyed->json, 0, slice_of(field->pointer));
}

/* What a document leaves out is a default of the schema's, which is not known here. */
static bool differ(const struct sql_plan *plan, const struct keyed *a, const struct keyed *b)
{
    bool differs = false;
    for (size_t i = 0; i < plan->key_count && !differs; i++) {
        uint32_t first = part_of(plan, a, i), second = part_of(plan, b, i);
        differs = first != JSON_NONE && second != JSON_NONE && !json_equal(&a->json, first, &b->json, second);
    }
    return differs;
}

static void put_key(struct buffer *out, const struct sql_plan *plan, const struct keyed *keyed)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        uint32_t at = part_of(plan, keyed, i);
        struct slice raw = at == JSON_NONE ? slice_of("null") : json_raw(&keyed->json, at);
        buffer_str(out, i ? ", " : "");
        buffer_append(out, raw.data, raw.size < SHOWN ? raw.size : utf8_cut(raw.data, raw.size, SHOWN));
    }
}

static int refuse(const struct sql_plan *plan, const struct keyed *a, const struct keyed *b,
                  struct error *err)
{
    struct buffer first, second;
    buffer_init(&first, BUFFER_UNLIMITED); /* so many parts, cut short */
    buffer_init(&second, BUFFER_UNLIMITED);
    put_key(&first, plan, a);
    put_key(&second, plan, b);
    error_set(
        err, ERROR_INVALID,
        "the keys %s and %s are one in %s, whose columns cannot tell them apart, and one document would "
        "take the other's place: have the key be strings without a format in the collection's schema "
        "and raise the binding's backfill, or have the source write it in one way",
        buffer_cstr(&first), buffer_cstr(&second), plan->quoted);
    buffer_done(&first);
    buffer_done(&second);
    return -1;
}

static int parse(struct keyed *keyed, const struct sql_plan *plan, struct slice json, struct arena *arena,
                 struct error *err)
{
    return json_parse_copy(arena, json.data, json.size, &keyed->json, err) < 0
               ? error_wrap(err, "a document of %s", plan->quoted)
               : 0;
}

int sql_key_is_of(const struct sql_plan *plan, struct slice key, struct slice document, bool *ret_is,
                  struct error *err)
{
    struct arena arena;
    struct keyed its = {0}, asked = {.is_key = true};
    arena_init(&arena);
    int result = parse(&its, plan, document, &arena, err) < 0 ? -1 : parse(&asked, plan, key, &arena, err);
    if (result == 0)
        *ret_is = !differ(plan, &its, &asked);
    arena_done(&arena);
    return result;
}

/* --- in a batch ------------------------------------------------------------------------------------------
 */

static int look_at_pair(void *context, const struct slice *values, size_t count, struct error *err)
{
    const struct sql_plan *plan = context;
    struct arena arena;
    struct keyed a = {0}, b = {0};
    (void)count;
    arena_init(&arena);
    int result = parse(&a, plan, values[0], &arena, err) < 0 ? -1 : parse(&b, plan, values[1], &arena, err);
    if (result == 0 && differ(plan, &a, &b))
        result = refuse(plan, &a, &b, err);
    arena_done(&arena);
    return result;
}

/* The documents of rows of two tables that have one key. */
static void put_pairs(struct buffer *sql, const struct sql_dialect *dialect, const struct sql_plan *plan,
                      const char *a, const char *b)
{
    const char *text = dialect->type_names[SQL_TEXT];
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    sql_put_name(&name, plan->columns.items[plan->document].name);
    const char *document = buffer_cstr(&name);
    buffer_printf(sql, "SELECT CAST(a.%s AS %s), CAST(b.%s AS %s) FROM %s AS a JOIN %s AS b ON ", document,
                  text, document, text, a, b);
    sql_put_key_match(sql, plan, "a.", "b.");
    buffer_printf(sql, " WHERE a.%s IS NOT NULL AND b.%s IS NOT NULL AND ", document, document);
    buffer_done(&name);
}

int sql_keys_refuse_meeting(const struct sql_dialect *dialect, struct sql_db *db, const struct sql_plan *plan,
                            const char *batch, const char *into, struct error *err)
{
    struct buffer sql;
    if (!sql_keys_may_meet(plan))
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_pairs(&sql, dialect, plan, batch, batch);
    buffer_printf(&sql,
                  "a." SQL_BATCH_ROW " < b." SQL_BATCH_ROW " AND a." SQL_BATCH_OPERATION
                  " <> %d AND b." SQL_BATCH_OPERATION " <> %d",
                  SQL_REMOVE, SQL_REMOVE);
    int result = dialect->query(db, buffer_cstr(&sql), look_at_pair, (void *)(uintptr_t)plan, err);
    buffer_clear(&sql);
    put_pairs(&sql, dialect, plan, into, batch);
    buffer_printf(&sql,
                  "b." SQL_BATCH_OPERATION " = %d AND NOT EXISTS (SELECT 1 FROM %s AS r WHERE "
                  "r." SQL_BATCH_OPERATION " = %d AND ",
                  SQL_PUT_NEW, batch, SQL_REMOVE);
    sql_put_key_match(&sql, plan, "r.", "b.");
    buffer_byte(&sql, ')');
    if (result == 0)
        result = dialect->query(db, buffer_cstr(&sql), look_at_pair, (void *)(uintptr_t)plan, err);
    buffer_done(&sql);
    return result;
}
