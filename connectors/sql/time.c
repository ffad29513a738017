#include "types.h"

#include "base/calendar.h"

#include <stdio.h>

/* Dates and times as text. */

enum { YEAR_DIGITS_MAX = 7, FRACTION_DIGITS = 9 };
static const int64_t day_micros = INT64_C(86400000000);

struct reader {
    const char *at, *end;
};

static bool take(struct reader *in, char byte)
{
    bool there = in->at < in->end && *in->at == byte;
    in->at += there;
    return there;
}

static bool is_digit(const struct reader *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool two_digits(struct reader *in, unsigned min, unsigned max, unsigned *ret_number)
{
    unsigned number = 0;
    for (int i = 0; i < 2; i++) {
        if (!is_digit(in))
            return false;
        number = number * 10 + (unsigned)(*in->at++ - '0');
    }
    *ret_number = number;
    return number >= min && number <= max;
}

static bool read_infinity(struct slice text, int64_t *ret_value)
{
    if (slice_is(text, "infinity"))
        *ret_value = SQL_FOREVER;
    else if (slice_is(text, "-infinity"))
        *ret_value = SQL_NEVER;
    else
        return false;
    return true;
}

/* " BC" at the end, which is taken off. */
static bool take_era(struct reader *in)
{
    bool before = in->end - in->at > 3 && memcmp(in->end - 3, " BC", 3) == 0;
    if (before)
        in->end -= 3;
    return before;
}

static bool read_date(struct reader *in, bool before_christ, int64_t *ret_days)
{
    int64_t year = 0;
    unsigned digits = 0, month, day;
    bool negative = take(in, '-');
    if (!negative)
        take(in, '+');
    for (; is_digit(in) && digits <= YEAR_DIGITS_MAX; digits++)
        year = year * 10 + (*in->at++ - '0');
    if (digits < 4 || digits > YEAR_DIGITS_MAX || (before_christ && (negative || year == 0)))
        return false;
    if (!take(in, '-') || !two_digits(in, 1, 12, &month) || !take(in, '-') || !two_digits(in, 1, 31, &day))
        return false;
    year = before_christ ? 1 - year : negative ? -year : year;
    if (day > calendar_month_length(year, month))
        return false;
    *ret_days = calendar_days(year, month, day);
    return true;
}

static void read_fraction(struct reader *in, struct sql_time *time)
{
    unsigned nanos = 0, digits = 0;
    for (; is_digit(in); in->at++, digits++) {
        if (digits < FRACTION_DIGITS)
            nanos = nanos * 10 + (unsigned)(*in->at - '0');
        else
            time->cut |= *in->at != '0';
    }
    for (; digits < FRACTION_DIGITS; digits++)
        nanos *= 10;
    time->micros += nanos / 1000;
    time->nanos = nanos % 1000;
}

/* Z, +05:30, +0530, +05, -01:02:03; or nothing. */
static bool read_offset(struct reader *in, struct sql_time *time)
{
    unsigned hours, minutes = 0, seconds = 0;
    take(in, ' ');
    if (in->at == in->end)
        return true;
    time->has_offset = true;
    if (take(in, 'Z') || take(in, 'z'))
        return true;
    bool west = take(in, '-');
    if (!west && !take(in, '+'))
        return false;
    if (!two_digits(in, 0, 23, &hours))
        return false;
    if (take(in, ':') || is_digit(in)) {
        if (!two_digits(in, 0, 59, &minutes) || (take(in, ':') && !two_digits(in, 0, 59, &seconds)))
            return false;
    }
    time->offset = (int32_t)(hours * 3600 + minutes * 60 + seconds) * (west ? -1 : 1);
    return true;
}

static bool read_time(struct reader *in, struct sql_time *time)
{
    unsigned hours, minutes, seconds = 0;
    if (!two_digits(in, 0, 24, &hours) || !take(in, ':') || !two_digits(in, 0, 59, &minutes))
        return false;
    bool has_seconds = take(in, ':');
    if (has_seconds && !two_digits(in, 0, 60, &seconds))
        return false;
    time->micros = ((int64_t)hours * 3600 + minutes * 60 + seconds) * 1000000;
    if (has_seconds && (take(in, '.') || take(in, ','))) {
        if (!is_digit(in))
            return false;
        read_fraction(in, time);
    }
    return time->micros <= day_micros + 999999 && (hours < 24 || time->micros == day_micros) &&
           read_offset(in, time) && in->at == in->end;
}

bool sql_parse_date(struct slice text, int64_t *ret_days)
{
    struct reader in = {text.data, text.data + text.size};
    if (read_infinity(text, ret_days))
        return true;
    bool before_christ = take_era(&in);
    return read_date(&in, before_christ, ret_days) && in.at == in.end;
}

bool sql_parse_time(struct slice text, struct sql_time *ret_time)
{
    struct reader in = {text.data, text.data + text.size};
    *ret_time = (struct sql_time){0};
    return read_time(&in, ret_time) && ret_time->micros <= day_micros;
}

bool sql_parse_timestamp(struct slice text, struct sql_time *ret_time)
{
    struct reader in = {text.data, text.data + text.size};
    int64_t days;
    *ret_time = (struct sql_time){0};
    if (read_infinity(text, &ret_time->micros))
        return true;
    bool before_christ = take_era(&in);
    if (!read_date(&in, before_christ, &days))
        return false;
    /* A date alone is its midnight. */
    if (in.at < in.end &&
        ((!take(&in, 'T') && !take(&in, 't') && !take(&in, ' ')) || !read_time(&in, ret_time)))
        return false;
    return !__builtin_mul_overflow(days, day_micros, &days) &&
           !__builtin_add_overflow(days, ret_time->micros, &ret_time->micros) &&
           ret_time->micros != SQL_FOREVER && ret_time->micros != SQL_NEVER;
}

/* --- back to text ------------------------------------------------------------------------------------ */

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static size_t format_infinity(int64_t value, char *text)
{
    return (size_t)snprintf(text, SQL_TIME_TEXT, value == SQL_FOREVER ? "infinity" : "-infinity");
}

/* *ret_era: what comes at the very end. */
static size_t put_date(int64_t days, char *text, const char **ret_era)
{
    int64_t year = calendar_year(days), rest = days - calendar_days(year, 1, 1);
    unsigned month = 1;
    for (; rest >= calendar_month_length(year, month); month++)
        rest -= calendar_month_length(year, month);
    *ret_era = year > 0 ? "" : " BC";
    return (size_t)snprintf(text, SQL_TIME_TEXT, "%04lld-%02u-%02u", (long long)(year > 0 ? year : 1 - year),
                            month, (unsigned)rest + 1);
}

size_t sql_format_date(int64_t days, char *text)
{
    const char *era;
    if (days == SQL_FOREVER || days == SQL_NEVER)
        return format_infinity(days, text);
    size_t size = put_date(days, text, &era);
    memcpy(text + size, era, strlen(era) + 1);
    return size + strlen(era);
}

size_t sql_format_time(int64_t micros, unsigned nanos, bool brief, char *text)
{
    int64_t seconds = micros / 1000000;
    unsigned fraction = (unsigned)(micros % 1000000);
    size_t size = (size_t)snprintf(text, SQL_TIME_TEXT, "%02u:%02u:%02u", (unsigned)(seconds / 3600),
                                   (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    if (fraction || nanos || !brief)
        size += (size_t)snprintf(text + size, SQL_TIME_TEXT - size, ".%06u", fraction);
    if (nanos)
        size += (size_t)snprintf(text + size, SQL_TIME_TEXT - size, "%03u", nanos);
    return size;
}

size_t sql_format_timestamp(int64_t micros, unsigned nanos, bool brief, const char *zone, char *text)
{
    const char *era;
    if (micros == SQL_FOREVER || micros == SQL_NEVER)
        return format_infinity(micros, text);
    int64_t days = floor_divide(micros, day_micros);
    size_t size = put_date(days, text, &era);
    text[size++] = ' ';
    size += sql_format_time(micros - days * day_micros, nanos, brief, text + size);
    return size + (size_t)snprintf(text + size, SQL_TIME_TEXT - size, "%s%s", zone, era);
}

size_t sql_format_offset(int32_t offset, char *text)
{
    unsigned size = (unsigned)(offset < 0 ? -offset : offset);
    size_t length = (size_t)snprintf(text, SQL_TIME_TEXT, "%c%02u:%02u", offset < 0 ? '-' : '+', size / 3600,
                                     size / 60 % 60);
    if (size % 60)
        length += (size_t)snprintf(text + length, SQL_TIME_TEXT - length, ":%02u", size % 60);
    return length;
}
