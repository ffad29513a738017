/* ISO 8601 as dateutil's isoparse and isodate read it, oddities included. */
#include "base/calendar.h"
#include "value.h"

static int bad_date(struct error *err)
{
    return error_set(err, ERROR_INVALID, "a text is no date of ISO 8601, such as 2021-01-31T10:00:00Z");
}

/* Python's int() of a few bytes: blanks around and a sign are allowed. -1 if it is none, or negative. */
static int int_of(struct slice text, size_t at, size_t size)
{
    if (at > text.size)
        return -1;
    struct slice part = {text.data + at, text.size - at < size ? text.size - at : size};
    while (part.size && (*part.data == ' ' || (*part.data >= 9 && *part.data <= 13))) {
        part.data++;
        part.size--;
    }
    while (part.size && (part.data[part.size - 1] == ' ' ||
                         (part.data[part.size - 1] >= 9 && part.data[part.size - 1] <= 13)))
        part.size--;
    if (part.size && *part.data == '+') {
        part.data++;
        part.size--;
    }
    int value = 0;
    for (size_t i = 0; i < part.size; i++) {
        char byte = part.data[i];
        if (byte == '_' && i > 0 && i + 1 < part.size && part.data[i + 1] != '_')
            continue;
        if (byte < '0' || byte > '9')
            return -1;
        value = value * 10 + (byte - '0');
    }
    return part.size ? value : -1;
}

static bool is_at(struct slice text, size_t at, char byte)
{
    return at < text.size && text.data[at] == byte;
}

/* YYYY, YYYY-MM, YYYY-MM-DD, YYYYMMDD */
static bool parse_common(struct slice text, struct datetime_fields *fields, size_t *ret_end)
{
    int year = text.size < 4 ? -1 : int_of(text, 0, 4);
    if (year < 0)
        return false;
    *fields = (struct datetime_fields){.year = year, .month = 1, .day = 1};
    *ret_end = 4;
    if (text.size == 4)
        return true;
    bool separated = is_at(text, 4, '-');
    size_t at = 4 + separated;
    int month = text.size - at < 2 ? -1 : int_of(text, at, 2);
    if (month < 0)
        return false;
    fields->month = (unsigned)month;
    at += 2;
    *ret_end = at;
    if (at >= text.size)
        return separated;
    if (separated && !is_at(text, at++, '-'))
        return false;
    int day = text.size - at < 2 ? -1 : int_of(text, at, 2);
    if (day < 0)
        return false;
    fields->day = (unsigned)day;
    *ret_end = at + 2;
    return true;
}

static bool day_in_range(int64_t days)
{
    return datetime_in_range(days * DATETIME_DAY);
}

/* YYYY-Www, YYYY-Www-D, YYYY-DDD, each also without dashes */
static bool parse_uncommon(struct slice text, struct datetime_fields *fields, size_t *ret_end)
{
    int year = text.size < 4 ? -1 : int_of(text, 0, 4);
    if (year < 1)
        return false;
    bool separated = is_at(text, 4, '-');
    size_t at = 4 + separated;
    int64_t days;
    if (is_at(text, at, 'W')) {
        int week = int_of(text, at + 1, 2), weekday = 1;
        at += 3;
        if (text.size > at) {
            if (is_at(text, at, '-') != separated)
                return false;
            at += separated;
            weekday = int_of(text, at, 1);
            at++;
        }
        if (week < 1 || week > 53 || weekday < 1 || weekday > 7)
            return false;
        int64_t fourth = calendar_days(year, 1, 4);
        days = fourth - (calendar_weekday(fourth) + 6) % 7 + (week - 1) * 7 + weekday - 1;
    } else {
        int ordinal = text.size - at < 3 ? -1 : int_of(text, at, 3);
        at += 3;
        if (ordinal < 1 || ordinal > 337 + (int)calendar_month_length(year, 2))
            return false;
        days = calendar_days(year, 1, 1) + ordinal - 1;
    }
    if (!day_in_range(days))
        return false;
    struct datetime datetime = {.local = days * DATETIME_DAY};
    *fields = datetime_fields(&datetime);
    *ret_end = at;
    return true;
}

static bool parse_zone(struct slice text, struct datetime *datetime)
{
    datetime->zone = DATETIME_TZ_OFFSET;
    datetime->offset = 0;
    if (slice_is(text, "Z") || slice_is(text, "z"))
        return true;
    if ((text.size != 3 && text.size != 5 && text.size != 6) || (*text.data != '-' && *text.data != '+'))
        return false;
    int hours = int_of(text, 1, 2);
    int minutes = text.size == 3 ? 0 : int_of(text, is_at(text, 3, ':') ? 4 : 3, text.size);
    if (hours < 0 || minutes < 0 || minutes > 59 || hours > 23)
        return false;
    datetime->offset = (*text.data == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* ".123456789" or ",5": microseconds, the rest cut off. Its length, 0 if there is none. */
static size_t parse_fraction(struct slice text, size_t at, unsigned *ret_microsecond)
{
    size_t end = at + 1, digits = 0;
    unsigned value = 0;
    if (!is_at(text, at, '.') && !is_at(text, at, ','))
        return 0;
    for (; end < text.size && text.data[end] >= '0' && text.data[end] <= '9'; end++, digits++) {
        if (digits < 6)
            value = value * 10 + (unsigned)(text.data[end] - '0');
    }
    if (digits == 0)
        return 0;
    for (; digits < 6; digits++)
        value *= 10;
    *ret_microsecond = value;
    return end - at;
}

/* hh, hh:mm, hh:mm:ss, hh:mm:ss.ffffff, each also without colons, and a zone */
static bool parse_time(struct slice text, struct datetime_fields *fields, struct datetime *datetime)
{
    unsigned *const parts[] = {&fields->hour, &fields->minute, &fields->second};
    size_t at = 0;
    bool colons = false;
    if (text.size < 2)
        return false;
    for (int part = 0; at < text.size && part < 6; part++) {
        if (strchr("-+Zz", text.data[at]) && text.data[at])
            return parse_zone((struct slice){text.data + at, text.size - at}, datetime);
        if (part == 1 && is_at(text, at, ':')) {
            colons = true;
            at++;
        } else if (part == 2 && colons) {
            if (!is_at(text, at, ':'))
                return false;
            at++;
        }
        if (part < 3) {
            int value = int_of(text, at, 2);
            if (value < 0)
                return false;
            *parts[part] = (unsigned)value;
            at += 2;
        } else if (part == 3) {
            at += parse_fraction(text, at, &fields->microsecond);
        }
    }
    return at >= text.size;
}

int datetime_isoparse(struct slice text, struct datetime *ret_datetime, struct error *err)
{
    struct datetime_fields fields;
    struct datetime datetime = {.zone = DATETIME_NAIVE};
    size_t end;
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] > 127)
            return bad_date(err);
    }
    if (!parse_common(text, &fields, &end) && !parse_uncommon(text, &fields, &end))
        return bad_date(err);
    if (text.size > end &&
        !parse_time((struct slice){text.data + end + 1, text.size - end - 1}, &fields, &datetime))
        return bad_date(err);
    bool midnight = fields.hour == 24;
    if (midnight) {
        if (fields.minute || fields.second || fields.microsecond)
            return bad_date(err);
        fields.hour = 0;
    }
    if (!datetime_of_fields(&fields, &datetime.local))
        return bad_date(err);
    datetime.local += midnight ? DATETIME_DAY : 0;
    if (!datetime_in_range(datetime.local))
        return bad_date(err);
    *ret_datetime = datetime;
    return 0;
}

/* --- durations ----------------------------------------------------------------------------------- */

/* "12.5" and its letter; false, and nothing skipped, if it is not there. */
static bool take_part(struct slice *text, char letter, double *ret_number)
{
    size_t at = 0, digits = 0, fraction = 0;
    char copy[64];
    while (at < text->size && text->data[at] >= '0' && text->data[at] <= '9')
        at++, digits++;
    if (at < text->size && (text->data[at] == '.' || text->data[at] == ',')) {
        at++;
        while (at < text->size && text->data[at] >= '0' && text->data[at] <= '9')
            at++, fraction++;
        if (!fraction)
            return false;
    }
    if (!digits || at >= text->size || text->data[at] != letter || at >= sizeof copy)
        return false;
    for (size_t i = 0; i < at; i++)
        copy[i] = text->data[i] == ',' ? '.' : text->data[i];
    copy[at] = 0;
    *ret_number = strtod(copy, NULL);
    text->data += at + 1;
    text->size -= at + 1;
    return true;
}

static int bad_duration(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "a text is no duration of ISO 8601: P1D, PT2H30M and P1Y6M are such, -P1W too");
}

int duration_parse(struct slice text, struct duration *ret_duration, struct error *err)
{
    double years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0;
    bool negative = is_at(text, 0, '-');
    if (text.size && (*text.data == '-' || *text.data == '+')) {
        text.data++;
        text.size--;
    }
    if (text.size < 2 || *text.data != 'P')
        return bad_duration(err);
    text.data++;
    text.size--;
    take_part(&text, 'Y', &years);
    take_part(&text, 'M', &months);
    take_part(&text, 'W', &weeks);
    take_part(&text, 'D', &days);
    if (text.size && *text.data == 'T') {
        text.data++;
        text.size--;
        take_part(&text, 'H', &hours);
        take_part(&text, 'M', &minutes);
        take_part(&text, 'S', &seconds);
    }
    if (text.size && !(text.size == 1 && *text.data == '\n'))
        return bad_duration(err);
    long double total = ((((long double)weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds;
    if (!(total < 86400.0L * 1000000000) || years > 1e6 || months > 1e6)
        return error_set(err, ERROR_LIMIT, "a duration of more than a thousand million days");
    struct duration duration = {.years = years, .months = months, .is_duration = years != 0 || months != 0};
    long double whole = floorl(total);
    duration.seconds = (int64_t)whole;
    int64_t microseconds = llrintl((total - whole) * 1000000);
    if (microseconds == 1000000) {
        duration.seconds++;
        microseconds = 0;
    }
    duration.microseconds = (uint32_t)microseconds;
    *ret_duration = negative ? duration_negate(&duration) : duration;
    return 0;
}

struct duration duration_negate(const struct duration *duration)
{
    struct duration negated = *duration;
    negated.years = 0 - duration->years;
    negated.months = 0 - duration->months;
    negated.seconds = -duration->seconds - (duration->microseconds != 0);
    negated.microseconds = duration->microseconds ? 1000000 - duration->microseconds : 0;
    return negated;
}

int duration_add(const struct datetime *datetime, const struct duration *duration, int sign,
                 struct datetime *ret_datetime, struct error *err)
{
    struct duration change = sign < 0 ? duration_negate(duration) : *duration;
    struct datetime moved = *datetime;
    if (duration->is_duration) {
        if (change.years != trunc(change.years) || change.months != trunc(change.months))
            return error_set(err, ERROR_INVALID,
                             "a duration with parts of years or months cannot be added to a date");
        struct datetime_fields fields = datetime_fields(datetime);
        int64_t months = (int64_t)fields.month - 1 + (int64_t)change.months;
        int64_t carry = months / 12 - (months % 12 < 0);
        fields.year += (int64_t)change.years + carry;
        fields.month = (unsigned)(months - carry * 12) + 1;
        if (fields.year >= 1 && fields.year <= 9999 &&
            fields.day > calendar_month_length(fields.year, fields.month))
            fields.day = calendar_month_length(fields.year, fields.month);
        if (!datetime_of_fields(&fields, &moved.local))
            return error_set(err, ERROR_LIMIT, "a date is out of the years 1 to 9999");
    }
    int64_t rest;
    if (__builtin_mul_overflow(change.seconds, DATETIME_SECOND, &rest) ||
        __builtin_add_overflow(rest, change.microseconds, &rest) ||
        __builtin_add_overflow(moved.local, rest, &moved.local) || !datetime_in_range(moved.local))
        return error_set(err, ERROR_LIMIT, "a date is out of the years 1 to 9999");
    *ret_datetime = moved;
    return 0;
}
