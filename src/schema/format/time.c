/* RFC 3339: dates, times, durations. */
#include "schema/format/forms.h"

/* Two digits, or -1. */
static int two_digits(const char *at)
{
    return char_is_digit(at[0]) && char_is_digit(at[1]) ? (at[0] - '0') * 10 + at[1] - '0' : -1;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* 31 days have the odd months to July and the even ones from August. */
static int days_of(int year, int month)
{
    return month == 2 ? 28 + is_leap(year) : 30 + ((month + (month > 7)) & 1);
}

bool form_date(struct slice text)
{
    const char *at = text.data;
    if (text.size != 10 || at[4] != '-' || at[7] != '-')
        return false;
    int century = two_digits(at), rest = two_digits(at + 2), month = two_digits(at + 5),
        day = two_digits(at + 8);
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days_of(century * 100 + rest, month);
}

/* "Z" or "+01:30": what has to be subtracted, in minutes, to get UTC. */
static bool read_offset(struct slice text, int *ret_minutes)
{
    const char *at = text.data;
    *ret_minutes = 0;
    if (text.size == 1)
        return (*at | 0x20) == 'z';
    if (text.size != 6 || (*at != '+' && *at != '-') || at[3] != ':')
        return false;
    int hours = two_digits(at + 1), minutes = two_digits(at + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_minutes = (*at == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

enum { DAY = 24 * 60 }; /* minutes */

/* *ret_utc: the minutes in UTC since the local day began, below 0 for the day before. *ret_leap: a leap
 * second, which is the last one of a day of UTC. */
static bool read_time(struct slice text, int *ret_utc, bool *ret_leap)
{
    const char *at = text.data, *end = at + text.size;
    if (text.size < sizeof "08:30:06Z" - 1 || at[2] != ':' || at[5] != ':')
        return false;
    int hour = two_digits(at), minute = two_digits(at + 3), second = two_digits(at + 6), offset;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    at += 8;
    if (*at == '.') {
        const char *digits = ++at;
        while (at < end && char_is_digit(*at))
            at++;
        if (at == digits)
            return false;
    }
    if (at == end || !read_offset((struct slice){at, (size_t)(end - at)}, &offset))
        return false;
    *ret_utc = hour * 60 + minute - offset;
    *ret_leap = second == 60;
    return !*ret_leap || (*ret_utc + DAY) % DAY == DAY - 1;
}

bool form_time(struct slice text)
{
    int utc;
    bool leap;
    return read_time(text, &utc, &leap);
}

/* RFC 3339, 5.7: a leap second is the last one of a month. Of the date and the minutes in UTC since it began.
 */
static bool ends_month(const char *date, int utc)
{
    int year = two_digits(date) * 100 + two_digits(date + 2), month = two_digits(date + 5);
    int day = two_digits(date + 8);
    return utc < 0 ? day == 1 : day == days_of(year, month); /* below 0 it is the day before */
}

bool form_date_time(struct slice text)
{
    int utc;
    bool leap;
    return text.size > 11 && (text.data[10] | 0x20) == 't' && form_date((struct slice){text.data, 10}) &&
           read_time((struct slice){text.data + 11, text.size - 11}, &utc, &leap) &&
           (!leap || ends_month(text.data, utc));
}

/* Numbers with the units given, in their order and without a gap. *at stands behind them. */
static bool read_units(const char **at, const char *end, const char *units)
{
    const char *next = NULL;
    while (*at < end && char_is_digit(**at)) {
        while (*at < end && char_is_digit(**at))
            ++*at;
        const char *unit = *at < end && **at ? strchr(units, **at) : NULL;
        if (!unit || (next && unit != next))
            return false;
        next = unit + 1;
        ++*at;
    }
    return next != NULL;
}

bool form_duration(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    if (text.size < 3 || *at++ != 'P')
        return false;
    if (end[-1] == 'W')
        return read_units(&at, end, "W") && at == end;
    if (*at != 'T' && !read_units(&at, end, "YMD"))
        return false;
    if (at < end && *at == 'T') {
        at++;
        if (!read_units(&at, end, "HMS"))
            return false;
    }
    return at == end;
}
