/* What a column holds, and values on their way into one. */
#ifndef FIRTH_CONNECTORS_SQL_TYPES_H
#define FIRTH_CONNECTORS_SQL_TYPES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "firth/connector.h"
#include "json/json.h"

/* What a dialect has no type for (type_names[] NULL) is never chosen for it. */
enum sql_type {
    SQL_BOOLEAN,
    SQL_INTEGER, /* 64 bits */
    SQL_HUGE,    /* integers of up to 38 digits, where SQL_NUMBER would not keep them */
    SQL_NUMBER,
    SQL_TEXT,
    SQL_DATE,
    SQL_TIME,
    SQL_TIMETZ,
    SQL_TIMESTAMP,   /* what a clock on a wall showed */
    SQL_TIMESTAMPTZ, /* a moment */
    SQL_BYTES,
    SQL_JSON,
    SQL_DOCUMENT, /* JSON that is given back as it came */
    SQL_TYPE_COUNT,
    SQL_OTHER = SQL_TYPE_COUNT, /* of a column that somebody else made */
};

enum { SQL_HUGE_DIGITS = 38 };

/* The type that values of both go into without losing anything; SQL_OTHER: there is none. */
enum sql_type sql_type_join(enum sql_type a, enum sql_type b);
/* Of a field. `schema`: the document at which the field's pointer is looked up for what the field itself does
 * not say (Airbyte's "airbyte_type"); may be NULL. */
enum sql_type sql_type_of(const struct firth_field *field, const struct json *schema);
/* The schema at a pointer into documents, by "properties"; JSON_NONE. */
uint32_t sql_schema_at(const struct json *schema, const char *pointer);

/* One value for a column, whose type says which member counts. */
struct sql_cell {
    bool null;
    bool lasting;      /* text: it stays as it is until the session ends, so that nobody need copy it */
    unsigned nanos;    /* TIME…, TIMESTAMP…: 0 to 999 beyond the microseconds */
    int32_t offset;    /* TIMETZ: seconds east of UTC */
    int64_t integer;   /* BOOLEAN: 0 or 1; INTEGER; DATE: days since 1970; TIME: microseconds of the day;
                          TIMESTAMP…: microseconds since 1970. SQL_NEVER, SQL_FOREVER: minus, plus infinity */
    struct slice text; /* TEXT, JSON, DOCUMENT; BYTES; NUMBER: a JSON number; HUGE: its digits */
};
#define SQL_FOREVER INT64_MAX
#define SQL_NEVER INT64_MIN

enum sql_verdict {
    SQL_FITS,
    SQL_CUT,       /* but for something beyond what the type can tell apart */
    SQL_TOO_LARGE, /* it is of the right kind */
    SQL_MISFIT,    /* it is of another kind */
    SQL_UNSTORABLE /* of the right kind, with something in it that the database cannot hold */
};

/* Convert what firth_record_field gave. Text that has to be made lies in the arena. For SQL_FITS and SQL_CUT
 * the cell is filled, for the others it is null. */
enum sql_verdict sql_value(enum firth_type kind, struct firth_slice value, enum sql_type type,
                           struct arena *arena, struct sql_cell *ret_cell);

/* Texts that hold a number are taken as that number: what came through a database with decimals, or Flow's
 * format "integer", looks so. Exactly JSON's grammar, with leading zeros. */
bool sql_is_number(struct slice text);

/* --- number.c: numbers in columns of text --------------------------------------------------------------- */

/* The one text of a number; a text that holds none stays as it is. */
struct slice sql_number_text(struct slice text, struct arena *arena);
/* Append bytes in the order of the numbers; texts that hold none come before all that do. */
void sql_number_order(struct buffer *out, struct slice text);

/* --- time.c ------------------------------------------------------------------------------------------ */

/* ISO 8601 as JSON's formats have it, more widely: a blank for the T, no seconds, years with sign, "BC",
 * "infinity". False: it is none. */
bool sql_parse_date(struct slice text, int64_t *ret_days);
struct sql_time {
    int64_t micros;
    unsigned nanos;
    bool cut; /* it had digits beyond the nanoseconds */
    bool has_offset;
    int32_t offset;
};
bool sql_parse_time(struct slice text, struct sql_time *ret_time);
/* `micros` is what stands there; the offset is not taken off. */
bool sql_parse_timestamp(struct slice text, struct sql_time *ret_time);
/* "2024-01-31", "-infinity"; BC as PostgreSQL and DuckDB write it. At least SQL_TIME_TEXT bytes. */
enum { SQL_TIME_TEXT = 64 };
size_t sql_format_date(int64_t days, char *text);
/* "13:05:00.250000"; nanoseconds only if there are some; no fraction at all if `brief` and it is zero. */
size_t sql_format_time(int64_t micros, unsigned nanos, bool brief, char *text);
/* "2024-01-31 13:05:00.250000"; `zone` stands behind it, before BC. */
size_t sql_format_timestamp(int64_t micros, unsigned nanos, bool brief, const char *zone, char *text);
/* "+05:30", seconds if there are some */
size_t sql_format_offset(int32_t offset, char *text);

#endif
