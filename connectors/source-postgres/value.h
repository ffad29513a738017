/* PostgreSQL's values, in the text form that COPY and pgoutput give, as JSON. Pure: no server is asked.
 *
 * The session's settings (connect.c) fix the text form: ISO dates, UTC, hex bytea, all digits of floats. */
#ifndef FIRTH_PG_VALUE_H
#define FIRTH_PG_VALUE_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What a type's text becomes. */
enum pg_form {
    PG_FORM_TEXT, /* a string, as it is: all that has no form of its own */
    PG_FORM_BOOLEAN,
    PG_FORM_INTEGER,
    PG_FORM_REAL, /* of 32 bits */
    PG_FORM_FLOAT,
    PG_FORM_NUMERIC,
    PG_FORM_JSON,
    PG_FORM_BYTEA,
    PG_FORM_UUID,
    PG_FORM_DATE,
    PG_FORM_TIMESTAMP,
    PG_FORM_TIMESTAMPTZ,
    PG_FORM_TIME,
    PG_FORM_TIMETZ,
    PG_FORM_ARRAY,
    PG_FORM_COUNT
};

struct pg_type {
    uint32_t oid;
    const char *name; /* as format_type shows it: "integer", "public.mood" */
    const char
        *cast; /* the same; of a domain, what it is of: a value to compare with need not be one of it */
    enum pg_form form;
    char delimiter;             /* between elements, where it is an element's type */
    const struct pg_type *item; /* ARRAY: the element's */
};

/* How the two protocols want what they do not agree about (docs/connectors/source-postgres.md, types). */
struct pg_style {
    bool flow;
    bool long_floats; /* a server before 12 writes 17 digits, or 9: 0.10000000000000001 */
    bool exact;       /* of a key: two values never become one, whatever format the schema promises */
};

static inline bool pg_has_long_floats(int server_version)
{
    return server_version < 120000;
}

/* What of a value JSON, or the format that the schema promises, could not say: a bit each, to be told once.
 */
enum {
    PG_NOTE_NOT_FINITE = 1,   /* NaN or an infinity, written as null */
    PG_NOTE_OUT_OF_RANGE = 2, /* a date or time beyond the years 0001 to 9999, clamped */
};

/* Append the value. Returns notes. */
unsigned pg_value_put(struct buffer *out, const struct pg_type *type, struct slice text,
                      struct pg_style style);

/* Note in `changes` (elements of a JSON array, "[" before the first) what became of a column's value, `made`,
 * which had notes. `name` is written as JSON. */
void pg_changes_add(struct buffer *changes, struct slice name, struct slice made);

#endif
