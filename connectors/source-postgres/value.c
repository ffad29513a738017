#include "value.h"

#include "json/writer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers ----------------------------------------------------------------------------------------------
 */

static bool is_finite_text(struct slice text)
{
    char first = text.size ? text.data[0] : 0;
    if (first == '-' && text.size > 1)
        first = text.data[1];
    return first >= '0' && first <= '9';
}

static void put_quoted(struct buffer *out, struct slice text)
{
    buffer_byte(out, '"');
    buffer_append(out, text.data, text.size);
    buffer_byte(out, '"');
}

/* Digits go out as they came in: the text form is exact. */
static unsigned put_number(struct buffer *out, struct slice text, bool quoted, struct pg_style style)
{
    if (is_finite_text(text)) {
        if (quoted)
            put_quoted(out, text);
        else
            buffer_append(out, text.data, text.size);
        return 0;
    }
    if (style.flow) {
        put_quoted(out, text); /* "NaN", "Infinity", "-Infinity" are of the format `number` */
        return 0;
    }
    buffer_append(out, "null", 4);
    return PG_NOTE_NOT_FINITE;
}

/* The shortest text that is read as the same number, which servers give from 12 on. */
static void put_shortest(struct buffer *out, struct slice text, bool real)
{
    char wanted[40], shorter[40];
    size_t size = text.size < sizeof wanted - 1 ? text.size : sizeof wanted - 1;
    memcpy(wanted, text.data, size);
    wanted[size] = '\0';
    double value = strtod(wanted, NULL);
    bool tiny = fabs(value) < (real ? FLT_MIN : DBL_MIN); /* these have fewer digits than others */
    for (int digits = tiny ? 1 : real ? 6 : 15; digits <= 17; digits++) {
        snprintf(shorter, sizeof shorter, "%.*g", digits, value);
        if (real ? strtof(shorter, NULL) == (float)value : strtod(shorter, NULL) == value)
            break;
    }
    buffer_str(out, shorter);
}

static unsigned put_float(struct buffer *out, struct slice text, bool real, struct pg_style style)
{
    if (!style.long_floats || !is_finite_text(text))
        return put_number(out, text, false, style);
    put_shortest(out, text, real);
    return 0;
}

/* --- dates and times --------------------------------------------------------------------------------------
 */

/* A year of four digits, and no " BC" at the end: what RFC 3339 can say. */
static bool is_plain_date(struct slice text)
{
    return text.size >= 10 && text.data[4] == '-' && text.data[0] >= '0' && text.data[0] <= '9' &&
           text.data[text.size - 1] != 'C';
}

/* Infinities and years that have more digits or are before Christ. Flow's schemas promise a format, which is
 * asserted: there the nearest value that has it is given, but for a key's, of which two would become one: it
 * is for the schema to refuse it. Elsewhere the text says it exactly. */
static unsigned put_far_away(struct buffer *out, struct slice text, const char *first, const char *last,
                             struct pg_style style)
{
    if (!style.flow || style.exact) {
        json_escape(out, text);
        return 0;
    }
    bool before = text.size && (text.data[0] == '-' || text.data[text.size - 1] == 'C');
    put_quoted(out, slice_of(before ? first : last));
    return PG_NOTE_OUT_OF_RANGE;
}

/* "2024-01-31 10:00:00.5" with a T; `zone` goes behind it. */
static void put_date_time(struct buffer *out, struct slice text, const char *zone)
{
    buffer_byte(out, '"');
    buffer_append(out, text.data, 10);
    buffer_byte(out, 'T');
    buffer_append(out, text.data + 11, text.size - 11);
    buffer_str(out, zone);
    buffer_byte(out, '"');
}

static unsigned put_timestamp(struct buffer *out, struct slice text, bool zoned, struct pg_style style)
{
    if (!is_plain_date(text) || text.size < 19)
        return put_far_away(out, text, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", style);
    if (zoned)
        text.size -= 3; /* "+00": the session's zone is UTC */
    put_date_time(out, text, zoned || style.flow ? "Z" : "");
    return 0;
}

static unsigned put_date(struct buffer *out, struct slice text, struct pg_style style)
{
    if (!is_plain_date(text))
        return put_far_away(out, text, "0001-01-01", "9999-12-31", style);
    put_quoted(out, text);
    return 0;
}

/* "10:00:00+02" becomes "10:00:00+02:00"; offsets with minutes or seconds are as they should be. */
static void put_timetz(struct buffer *out, struct slice text)
{
    buffer_byte(out, '"');
    buffer_append(out, text.data, text.size);
    if (text.size > 3 && (text.data[text.size - 3] == '+' || text.data[text.size - 3] == '-'))
        buffer_str(out, ":00");
    buffer_byte(out, '"');
}

/* --- bytes ------------------------------------------------------------------------------------------------
 */

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10; /* hex bytea is in lower case */
}

static void put_base64(struct buffer *out, struct slice hex)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t left = hex.size / 2;
    if (!buffer_reserve(out, (left + 2) / 3 * 4))
        return;
    for (const char *at = hex.data; left > 0;) {
        size_t count = left < 3 ? left : 3;
        unsigned bits = 0;
        for (size_t i = 0; i < 3; i++, bits <<= i < 3 ? 8 : 0) {
            if (i < count)
                bits |= ((unsigned)hex_digit(at[2 * i]) << 4 | (unsigned)hex_digit(at[2 * i + 1])) & 0xff;
        }
        char four[4] = {letters[bits >> 18 & 63], letters[bits >> 12 & 63],
                        count > 1 ? letters[bits >> 6 & 63] : '=', count > 2 ? letters[bits & 63] : '='};
        buffer_append(out, four, 4);
        at += 2 * count;
        left -= count;
    }
}

static void put_bytea(struct buffer *out, struct slice text)
{
    buffer_byte(out, '"');
    if (text.size >= 2) /* "\x" */
        put_base64(out, (struct slice){text.data + 2, text.size - 2});
    buffer_byte(out, '"');
}

/* --- json --------------------------------------------------------------------------------------------------
 */

/* The code unit of an escape "\uXXXX" at `at`, or -1. */
static int code_unit(const char *at, const char *end)
{
    int unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        char c = (char)(at[i] | 0x20);
        unit = unit << 4 | (c <= '9' ? at[i] - '0' : c - 'a' + 10);
    }
    return unit;
}

/* The type json (not jsonb) takes half a surrogate pair, "\ud800", which is no Unicode text: U+FFFD instead.
 */
static void put_json_with_escapes(struct buffer *out, struct slice text)
{
    const char *at = text.data, *end = text.data + text.size;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        if (!slash || end - slash < 2)
            break;
        buffer_append(out, at, (size_t)(slash - at));
        int unit = code_unit(slash, end), next = unit < 0 ? -1 : code_unit(slash + 6, end);
        bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
        size_t size = unit < 0 ? 2 : high && next >= 0xdc00 && next < 0xe000 ? 12 : 6;
        if ((high && size == 6) || low)
            buffer_append(out, "\\ufffd", 6);
        else
            buffer_append(out, slash, size);
        at = slash + size;
    }
    buffer_append(out, at, (size_t)(end - at));
}

static void put_json(struct buffer *out, struct slice text)
{
    if (text.size && memmem(text.data, text.size, "\\u", 2))
        put_json_with_escapes(out, text);
    else
        buffer_append(out, text.data, text.size);
}

/* --- arrays ------------------------------------------------------------------------------------------------
 */

/* {1,NULL,"a \"b\""}: nested braces are dimensions. Lower bounds ("[0:1]={…}") have no place in JSON. */
struct array_reader {
    const char *at, *end;
    struct buffer item; /* what a quoted element says */
};

static void read_quoted(struct array_reader *reader)
{
    buffer_clear(&reader->item);
    for (reader->at++; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\\' && reader->at + 1 < reader->end)
            reader->at++;
        buffer_byte(&reader->item, *reader->at);
    }
    reader->at += reader->at < reader->end;
}

static unsigned put_element(struct buffer *out, struct array_reader *reader, const struct pg_type *item,
                            struct pg_style style)
{
    if (*reader->at == '"') {
        read_quoted(reader);
        return pg_value_put(out, item, (struct slice){reader->item.data, reader->item.size}, style);
    }
    const char *from = reader->at;
    while (reader->at < reader->end && *reader->at != item->delimiter && *reader->at != '}')
        reader->at++;
    struct slice text = {from, (size_t)(reader->at - from)};
    if (text.size == 4 && strncasecmp(text.data, "null", 4) == 0) {
        buffer_append(out, "null", 4);
        return 0;
    }
    return pg_value_put(out, item, text, style);
}

static unsigned put_array(struct buffer *out, const struct pg_type *type, struct slice text,
                          struct pg_style style)
{
    struct array_reader reader = {text.data, text.data + text.size};
    unsigned notes = 0;
    if (text.size && *reader.at == '[') {
        const char *equals = memchr(reader.at, '=', text.size);
        reader.at = equals ? equals + 1 : reader.end;
    }
    buffer_init(&reader.item, BUFFER_UNLIMITED); /* at most the text's size */
    while (reader.at < reader.end) {
        if (*reader.at == '{' || *reader.at == '}') {
            buffer_byte(out, *reader.at == '{' ? '[' : ']');
            reader.at++;
        } else if (*reader.at == type->item->delimiter) {
            buffer_byte(out, ',');
            reader.at++;
        } else {
            notes |= put_element(out, &reader, type->item, style);
        }
    }
    buffer_done(&reader.item);
    return notes;
}

/* --- all ---------------------------------------------------------------------------------------------------
 */

unsigned pg_value_put(struct buffer *out, const struct pg_type *type, struct slice text,
                      struct pg_style style)
{
    switch (type->form) {
    case PG_FORM_BOOLEAN:
        buffer_str(out, text.size && text.data[0] == 't' ? "true" : "false");
        return 0;
    case PG_FORM_INTEGER:
        buffer_append(out, text.data, text.size);
        return 0;
    case PG_FORM_REAL:
    case PG_FORM_FLOAT:
        return put_float(out, text, type->form == PG_FORM_REAL, style);
    case PG_FORM_NUMERIC:
        return put_number(out, text, style.flow, style);
    case PG_FORM_JSON:
        put_json(out, text);
        return 0;
    case PG_FORM_BYTEA:
        put_bytea(out, text);
        return 0;
    case PG_FORM_UUID:
        put_quoted(out, text);
        return 0;
    case PG_FORM_DATE:
        return put_date(out, text, style);
    case PG_FORM_TIMESTAMP:
        return put_timestamp(out, text, false, style);
    case PG_FORM_TIMESTAMPTZ:
        return put_timestamp(out, text, true, style);
    case PG_FORM_TIME:
        put_quoted(out, text);
        return 0;
    case PG_FORM_TIMETZ:
        put_timetz(out, text);
        return 0;
    case PG_FORM_ARRAY:
        return put_array(out, type, text, style);
    case PG_FORM_TEXT:
    case PG_FORM_COUNT:
        break;
    }
    json_escape(out, text);
    return 0;
}

void pg_changes_add(struct buffer *changes, struct slice name, struct slice made)
{
    buffer_byte(changes, changes->size ? ',' : '[');
    buffer_str(changes, "{\"field\":");
    buffer_append(changes, name.data, name.size);
    buffer_str(changes, slice_is(made, "null") ? ",\"change\":\"NULLED\"" : ",\"change\":\"TRUNCATED\"");
    buffer_str(changes, ",\"reason\":\"SOURCE_SERIALIZATION_ERROR\"}");
}
