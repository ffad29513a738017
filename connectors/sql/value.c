#include "types.h"

#include "json/number.h"
#include "json/writer.h"

#include <stdio.h>

/* A JSON value as a column's. */

/* --- numbers ----------------------------------------------------------------------------------------- */

bool sql_is_number(struct slice text)
{
    const char *at = text.data, *end = text.data + text.size;
    const char *start = at += at < end && *at == '-';
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    if (at == start)
        return false;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        if (at == fraction)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        const char *exponent = at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        if (at == exponent)
            return false;
    }
    return at == end;
}

/* 0.d1…dn * 10^scale has at most `digits` of them if the decade is below. */
static bool is_below_decade(struct slice number, int64_t digits)
{
    int64_t below, above;
    return !number_decade(number, &below, &above) || above <= digits;
}

static enum sql_verdict put_integer(struct slice number, struct sql_cell *cell)
{
    if (number_to_i64(number, &cell->integer))
        return SQL_FITS;
    return number_is_integer(number) ? SQL_TOO_LARGE : SQL_MISFIT;
}

/* Of a number of at most SQL_HUGE_DIGITS: it is small, however many zeros it is written with. */
static long read_exponent(const char *at, const char *end)
{
    bool negative = *at == '-';
    long exponent = 0;
    for (at += *at == '-' || *at == '+'; at < end; at++)
        exponent = exponent * 10 + (*at - '0');
    return negative ? -exponent : exponent;
}

/* An integer's digits, without fraction or exponent. */
static struct slice plain_digits(struct slice number, struct arena *arena)
{
    if (!memchr(number.data, '.', number.size) && !memchr(number.data, 'e', number.size) &&
        !memchr(number.data, 'E', number.size))
        return number;
    char *out = arena_alloc(arena, SQL_HUGE_DIGITS + number.size + 2);
    size_t size = 0;
    const char *at = number.data, *end = at + number.size;
    long point = -1;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.')
            point = (long)size;
        else
            out[size++] = *at;
    }
    long exponent = at < end ? read_exponent(at + 1, end) : 0;
    long wanted = (point < 0 ? (long)size : point) + exponent;
    while ((long)size < wanted)
        out[size++] = '0';
    return (struct slice){out, wanted < 0 ? 0 : (size_t)wanted};
}

static enum sql_verdict put_huge(struct slice number, struct arena *arena, struct sql_cell *cell)
{
    int64_t small;
    if (!number_is_integer(number))
        return SQL_MISFIT;
    if (!is_below_decade(number, SQL_HUGE_DIGITS))
        return SQL_TOO_LARGE;
    if (number_to_i64(number, &small)) {
        char *text = arena_alloc(arena, 24);
        cell->text = (struct slice){text, (size_t)snprintf(text, 24, "%lld", (long long)small)};
        return SQL_FITS;
    }
    cell->text = plain_digits(number, arena);
    return SQL_FITS;
}

static enum sql_verdict put_number(enum firth_type kind, struct slice value, enum sql_type type,
                                   struct arena *arena, struct sql_cell *cell)
{
    if (kind != FIRTH_IS_NUMBER && (kind != FIRTH_IS_TEXT || !sql_is_number(value)))
        return SQL_MISFIT;
    if (type == SQL_INTEGER)
        return put_integer(value, cell);
    if (type == SQL_HUGE)
        return put_huge(value, arena, cell);
    cell->text = value;
    return SQL_FITS;
}

/* --- the others -------------------------------------------------------------------------------------- */

static enum sql_verdict put_boolean(enum firth_type kind, struct slice value, struct sql_cell *cell)
{
    if (kind != FIRTH_IS_BOOLEAN && kind != FIRTH_IS_TEXT)
        return SQL_MISFIT;
    cell->integer = slice_is(value, "true");
    return cell->integer || slice_is(value, "false") ? SQL_FITS : SQL_MISFIT;
}

static enum sql_verdict put_time(enum firth_type kind, struct slice value, enum sql_type type,
                                 struct sql_cell *cell)
{
    struct sql_time time;
    if (kind != FIRTH_IS_TEXT)
        return SQL_MISFIT;
    if (type == SQL_DATE)
        return sql_parse_date(value, &cell->integer) ? SQL_FITS : SQL_MISFIT;
    bool of_day = type == SQL_TIME || type == SQL_TIMETZ;
    if (!(of_day ? sql_parse_time(value, &time) : sql_parse_timestamp(value, &time)))
        return SQL_MISFIT;
    /* Without a zone only what a clock shows is kept; an offset that says more than that would be lost. */
    if ((type == SQL_TIME || type == SQL_TIMESTAMP) && time.offset)
        return SQL_MISFIT;
    bool endless = time.micros == SQL_FOREVER || time.micros == SQL_NEVER;
    if (type == SQL_TIMESTAMPTZ && !endless &&
        (__builtin_sub_overflow(time.micros, (int64_t)time.offset * 1000000, &time.micros) ||
         time.micros == SQL_FOREVER || time.micros == SQL_NEVER))
        return SQL_TOO_LARGE;
    cell->integer = time.micros;
    cell->nanos = time.nanos;
    cell->offset = time.offset;
    return time.cut ? SQL_CUT : SQL_FITS;
}

static int base64_digit(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == '+' || byte == '-' ? 62 : byte == '/' || byte == '_' ? 63 : -1;
}

/* Either alphabet, padded or not. */
static enum sql_verdict put_bytes(enum firth_type kind, struct slice value, struct arena *arena,
                                  struct sql_cell *cell)
{
    while (value.size && value.data[value.size - 1] == '=')
        value.size--;
    if (kind != FIRTH_IS_TEXT || value.size % 4 == 1)
        return SQL_MISFIT;
    char *out = arena_alloc(arena, value.size / 4 * 3 + 3);
    size_t size = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < value.size; i++) {
        int digit = base64_digit(value.data[i]);
        if (digit < 0)
            return SQL_MISFIT;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4)
            out[size++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    cell->text = (struct slice){out, size};
    return SQL_FITS;
}

static enum sql_verdict put_json(enum firth_type kind, struct slice value, struct arena *arena,
                                 struct sql_cell *cell)
{
    cell->text = value;
    if (kind == FIRTH_IS_TEXT) {
        struct buffer text;
        buffer_init(&text, BUFFER_UNLIMITED); /* six times a bounded record at the most */
        json_escape(&text, value);
        cell->text = (struct slice){arena_dup(arena, text.data, text.size), text.size};
        buffer_done(&text);
    }
    return SQL_FITS;
}

static enum sql_verdict convert(enum firth_type kind, struct slice value, enum sql_type type,
                                struct arena *arena, struct sql_cell *cell)
{
    switch (type) {
    case SQL_BOOLEAN:
        return put_boolean(kind, value, cell);
    case SQL_INTEGER:
    case SQL_HUGE:
    case SQL_NUMBER:
        return put_number(kind, value, type, arena, cell);
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMETZ:
    case SQL_TIMESTAMP:
    case SQL_TIMESTAMPTZ:
        return put_time(kind, value, type, cell);
    case SQL_BYTES:
        return put_bytes(kind, value, arena, cell);
    case SQL_JSON:
    case SQL_DOCUMENT:
        return put_json(kind, value, arena, cell);
    default: /* any value has a text */
        cell->text = value;
        return SQL_FITS;
    }
}

enum sql_verdict sql_value(enum firth_type kind, struct firth_slice value, enum sql_type type,
                           struct arena *arena, struct sql_cell *ret_cell)
{
    *ret_cell = (struct sql_cell){.null = true};
    if (kind == FIRTH_IS_ABSENT || kind == FIRTH_IS_NULL)
        return SQL_FITS;
    enum sql_verdict verdict = convert(kind, (struct slice){value.data, value.size}, type, arena, ret_cell);
    ret_cell->null = verdict > SQL_CUT;
    return verdict;
}
