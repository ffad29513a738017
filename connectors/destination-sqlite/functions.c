#include "db.h"

#include "json/number.h"
#include "json/writer.h"

/* Functions of numbers, for the statements of this connection; the file knows nothing of them.
 *
 * firth_text(x): a real number as the shortest digits that are its own, of which SQLite's own conversion cuts
 * those behind the 15th. firth_number(x): a number written in its one way, and stored as load.c stores it;
 * firth_number_text(x): the same as text. firth_number_order(x): bytes in the numbers' order, be they
 * integers, reals or texts. */

/* The value's text, in the arena; a real's is the shortest. */
static struct slice text_of(sqlite3_value *value, struct arena *arena)
{
    if (sqlite3_value_type(value) != SQLITE_FLOAT) {
        const char *text = (const char *)sqlite3_value_text(value);
        return (struct slice){text, (size_t)sqlite3_value_bytes(value)};
    }
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_writer_init(&writer, &out);
    json_put_double(&writer, sqlite3_value_double(value));
    struct slice text = {arena_dup(arena, out.data, out.size), out.size};
    buffer_done(&out);
    return sql_number_text(text, arena);
}

static bool is_of_number(sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT || type == SQLITE_TEXT;
}

static void result_text(sqlite3_context *context, struct slice text)
{
    sqlite3_result_text64(context, text.data, text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void firth_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct arena arena;
    (void)count;
    if (sqlite3_value_type(values[0]) != SQLITE_FLOAT) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    arena_init(&arena);
    result_text(context, text_of(values[0], &arena));
    arena_done(&arena);
}

static void firth_number(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct arena arena;
    int64_t integer;
    double real;
    (void)count;
    if (!is_of_number(values[0])) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    arena_init(&arena);
    struct slice text = sql_number_text(text_of(values[0], &arena), &arena);
    switch (sql_is_number(text) ? sqlite_kind_of(text, &integer, &real) : SQLITE_TEXT) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(context, integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_result_double(context, real);
        break;
    default:
        result_text(context, text);
    }
    arena_done(&arena);
}

static void firth_number_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct arena arena;
    (void)count;
    if (!is_of_number(values[0])) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    arena_init(&arena);
    result_text(context, sql_number_text(text_of(values[0], &arena), &arena));
    arena_done(&arena);
}

static void firth_number_order(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct arena arena;
    struct buffer out;
    (void)count;
    if (!is_of_number(values[0]))
        return; /* null */
    arena_init(&arena);
    buffer_init(&out, BUFFER_UNLIMITED);
    sql_number_order(&out, text_of(values[0], &arena));
    sqlite3_result_blob64(context, out.data, out.size, SQLITE_TRANSIENT);
    buffer_done(&out);
    arena_done(&arena);
}

int sqlite_add_functions(struct sql_db *db)
{
    static const struct {
        const char *name;
        void (*run)(sqlite3_context *context, int count, sqlite3_value **values);
    } functions[] = {{"firth_text", firth_text},
                     {"firth_number", firth_number},
                     {"firth_number_text", firth_number_text},
                     {"firth_number_order", firth_number_order}};
    int result = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && result == SQLITE_OK; i++)
        result = sqlite3_create_function(db->handle, functions[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                         NULL, functions[i].run, NULL, NULL);
    return result;
}

void sqlite_put_number_order(struct buffer *out, const char *column)
{
    buffer_printf(out, "firth_number_order(%s)", column);
}

void sqlite_put_number(struct buffer *out, const char *column, enum sql_type type)
{
    buffer_printf(out, type == SQL_TEXT ? "firth_number_text(%s)" : "firth_number(%s)", column);
}

/* Numbers that are not text equal each other however they are stored, so only texts and what is beyond
 * integers is looked at, which an index on the key finds. */
void sqlite_put_misspelt(struct buffer *out, const char *column, enum sql_type type)
{
    if (type == SQL_TEXT)
        buffer_printf(out, "%s <> firth_number_text(%s)", column, column);
    else
        buffer_printf(out, "((%s > 9e18 OR %s < -9e18) AND %s IS NOT firth_number(%s))", column, column,
                      column, column);
}
