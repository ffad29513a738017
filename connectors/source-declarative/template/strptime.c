/* datetime.strptime: the format's directives are matched as Python's regular expression for it would match,
 * trying shorter alternatives when what follows does not fit. */
#include "base/calendar.h"
#include "digits.h"
#include "unicode.h"

enum { FORMAT_MAX = 1024, TRIES_MAX = 100000, UNSET = -1 };

static const char *const DAYS[] = {"monday", "tuesday",  "wednesday", "thursday",
                                   "friday", "saturday", "sunday"};
static const char *const MONTHS[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};

struct matcher {
    struct slice text;
    const char *format; /* directives expanded, NUL-terminated */
    unsigned tries;
    size_t furthest;
    /* What was found; UNSET if there was none. */
    int year, short_year, iso_year, month, day, hour, hour12, afternoon, minute, second, fraction;
    int weekday, year_day, week, week_of_sunday, iso_week;
    bool has_offset, bad_offset;
    int32_t offset;
};

static bool match(struct matcher *m, const char *format, size_t at);

static bool is_digit(struct slice text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static int number_at(struct slice text, size_t at, size_t size)
{
    int value = 0;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text, at + i))
            return UNSET;
        value = value * 10 + (text.data[at + i] - '0');
    }
    return value;
}

/* Numbers: the longest that is in range first, then shorter ones. */
struct directive {
    char letter;
    uint8_t longest, shortest;
    int16_t least, most; /* of the longest; one digit is held to least as well */
    size_t field;
};

#define FIELD(name) offsetof(struct matcher, name)
static const struct directive NUMBERS[] = {
    {'d', 2, 1, 1, 31, FIELD(day)},        {'H', 2, 1, 0, 23, FIELD(hour)},
    {'I', 2, 1, 1, 12, FIELD(hour12)},     {'j', 3, 1, 1, 366, FIELD(year_day)},
    {'m', 2, 1, 1, 12, FIELD(month)},      {'M', 2, 1, 0, 59, FIELD(minute)},
    {'S', 2, 1, 0, 61, FIELD(second)},     {'U', 2, 1, 0, 53, FIELD(week_of_sunday)},
    {'W', 2, 1, 0, 53, FIELD(week)},       {'V', 2, 1, 1, 53, FIELD(iso_week)},
    {'y', 2, 2, 0, 99, FIELD(short_year)}, {'Y', 4, 4, 0, 9999, FIELD(year)},
    {'G', 4, 4, 0, 9999, FIELD(iso_year)}, {'w', 1, 1, 0, 6, FIELD(weekday)},
    {'u', 1, 1, 1, 7, FIELD(weekday)},
};

static bool match_number(struct matcher *m, const struct directive *directive, const char *format, size_t at)
{
    int *field = (int *)((char *)m + directive->field), before = *field;
    for (size_t size = directive->longest; size >= directive->shortest; size--) {
        int value = number_at(m->text, at, size);
        if (value == UNSET || value < directive->least || value > directive->most)
            continue;
        *field = value;
        if (directive->letter == 'w')
            *field = (value + 6) % 7;
        else if (directive->letter == 'u')
            *field = value - 1;
        if (match(m, format, at + size))
            return true;
    }
    /* A blank for the first digit of a day */
    if (directive->letter == 'd' && at < m->text.size && m->text.data[at] == ' ' &&
        number_at(m->text, at + 1, 1) > 0) {
        *field = number_at(m->text, at + 1, 1);
        if (match(m, format, at + 2))
            return true;
    }
    *field = before;
    return false;
}

static bool same_word(struct slice text, size_t at, const char *word, size_t size)
{
    if (text.size - at < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        char byte = text.data[at + i];
        if ((byte >= 'A' && byte <= 'Z' ? byte | 32 : byte) != word[i])
            return false;
    }
    return true;
}

/* Names, longest first; `cut` letters of each, 0 for all. Only May is its own abbreviation. */
static bool match_name(struct matcher *m, const char *const *names, int count, size_t cut, int *field,
                       int first, const char *format, size_t at)
{
    int before = *field;
    for (size_t size = cut ? cut : 9; size >= 3; size--) {
        for (int i = 0; i < count; i++) {
            if ((cut ? cut : strlen(names[i])) != size || !same_word(m->text, at, names[i], size))
                continue;
            *field = i + first;
            if (match(m, format, at + size))
                return true;
        }
        if (cut)
            break;
    }
    *field = before;
    return false;
}

static bool match_fraction(struct matcher *m, const char *format, size_t at)
{
    for (size_t size = 6; size >= 1; size--) {
        int value = number_at(m->text, at, size);
        if (value == UNSET)
            continue;
        for (size_t i = size; i < 6; i++)
            value *= 10;
        m->fraction = value;
        if (match(m, format, at + size))
            return true;
    }
    return false;
}

/* "+01:30", "+0130", either with seconds and their fraction, which an offset here does not keep; "Z". */
static bool match_offset(struct matcher *m, const char *format, size_t at)
{
    struct slice text = m->text;
    m->has_offset = true;
    m->offset = 0;
    if (at < text.size && text.data[at] == 'Z')
        return match(m, format, at + 1);
    if (at >= text.size || (text.data[at] != '+' && text.data[at] != '-'))
        return false;
    int sign = text.data[at] == '-' ? -1 : 1;
    int hours = number_at(text, at + 1, 2);
    size_t end = at + 3;
    bool colon = end < text.size && text.data[end] == ':';
    int minutes = number_at(text, end + colon, 2);
    if (hours == UNSET || minutes == UNSET || minutes > 59)
        return false;
    end += colon + 2;
    bool second_colon = end < text.size && text.data[end] == ':';
    int seconds = number_at(text, end + second_colon, 2);
    if (seconds != UNSET && seconds < 60) {
        size_t longer = end + second_colon + 2;
        m->offset = sign * (hours * 3600 + minutes * 60 + seconds);
        m->bad_offset = hours > 23 || (colon && !second_colon);
        if (longer < text.size && text.data[longer] == '.') {
            size_t digits = longer + 1;
            while (digits < longer + 7 && is_digit(text, digits))
                digits++;
            if (digits > longer + 1 && match(m, format, digits))
                return true;
        }
        if (match(m, format, longer))
            return true;
    }
    m->offset = sign * (hours * 3600 + minutes * 60);
    m->bad_offset = hours > 23;
    return match(m, format, end);
}

static bool match_directive(struct matcher *m, char letter, const char *format, size_t at)
{
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (NUMBERS[i].letter == letter)
            return match_number(m, &NUMBERS[i], format, at);
    }
    switch (letter) {
    case 'f':
        return match_fraction(m, format, at);
    case 'z':
        return match_offset(m, format, at);
    case 'A':
        return match_name(m, DAYS, 7, 0, &m->weekday, 0, format, at);
    case 'a':
        return match_name(m, DAYS, 7, 3, &m->weekday, 0, format, at);
    case 'B':
        return match_name(m, MONTHS, 12, 0, &m->month, 1, format, at);
    case 'b':
        return match_name(m, MONTHS, 12, 3, &m->month, 1, format, at);
    case 'p':
        m->afternoon = same_word(m->text, at, "pm", 2);
        return (m->afternoon || same_word(m->text, at, "am", 2)) && match(m, format, at + 2);
    case 'Z':
        return (same_word(m->text, at, "utc", 3) || same_word(m->text, at, "gmt", 3)) &&
               match(m, format, at + 3);
    default: /* '%' */
        return at < m->text.size && m->text.data[at] == '%' && match(m, format, at + 1);
    }
}

/* As many as there are, then fewer. */
static bool match_space(struct matcher *m, const char *format, size_t at)
{
    size_t end = at, length;
    while (end < m->text.size &&
           unicode_is_space(utf8_decode(m->text.data + end, m->text.size - end, &length)))
        end += length;
    while (end > at) {
        if (match(m, format, end))
            return true;
        unicode_before(m->text, end, &end);
    }
    return false;
}

static bool match(struct matcher *m, const char *format, size_t at)
{
    if (++m->tries > TRIES_MAX)
        return false;
    if (at > m->furthest)
        m->furthest = at;
    if (!*format)
        return at == m->text.size;
    if (*format == '%')
        return match_directive(m, format[1], format + 2, at);
    if (*format == ' ')
        return match_space(m, format + 1, at);
    size_t length, other;
    if (at >= m->text.size)
        return false;
    uint32_t wanted = utf8_decode(format, strlen(format), &length);
    uint32_t found = utf8_decode(m->text.data + at, m->text.size - at, &other);
    bool letters = wanted < 128 && found < 128 && (wanted | 32) >= 'a' && (wanted | 32) <= 'z';
    return (wanted == found || (letters && (wanted | 32) == (found | 32))) &&
           match(m, format + length, at + other);
}

/* The format with white space as one blank each, and composed directives as their parts. */
static int expand_format(struct slice format, char *out, struct error *err)
{
    static const char KNOWN[] = "dHIjmMSUWVyYGwufzAaBbpZ%";
    size_t size = 0;
    bool seen[128] = {false};
    for (size_t i = 0, length; i < format.size; i += length) {
        uint32_t code = utf8_decode(format.data + i, format.size - i, &length);
        if (size > FORMAT_MAX - 64)
            return error_set(err, ERROR_LIMIT, "a date format of %zu bytes; %d are the most", format.size,
                             FORMAT_MAX - 64);
        if (unicode_is_space(code)) {
            if (size == 0 || out[size - 1] != ' ')
                out[size++] = ' ';
            continue;
        }
        if (code != '%') {
            memcpy(out + size, format.data + i, length);
            size += length;
            continue;
        }
        length = 2;
        char letter = i + 1 < format.size ? format.data[i + 1] : 0;
        const char *parts = letter == 'c'   ? "%a %b %d %H:%M:%S %Y"
                            : letter == 'x' ? "%m/%d/%y"
                            : letter == 'X' ? "%H:%M:%S"
                                            : NULL;
        char one[] = {'%', letter, 0};
        if (!letter || (!parts && !strchr(KNOWN, letter)))
            return error_set(err, ERROR_INVALID, "'%%%.1s' is no directive of a date format for reading; %s",
                             letter > ' ' && letter < 127 ? one + 1 : "",
                             "%Y, %m, %d, %H, %M, %S, %f, %z are");
        for (const char *at = parts ? parts : one; *at; at++) {
            if (at[0] == '%' && at[1] != '%' && seen[(unsigned char)at[1]])
                return error_set(err, ERROR_INVALID, "a date format has %%%c twice", at[1]);
            if (at[0] == '%')
                seen[(unsigned char)at[1]] = true;
            out[size++] = *at;
        }
    }
    out[size] = 0;
    return 0;
}

/* Python's _calc_julian_from_U_or_W. */
static int day_of_week_number(int year, int week, int weekday, bool sunday_first)
{
    int first = (int)(calendar_weekday(calendar_days(year, 1, 1)) + 6) % 7;
    if (sunday_first) {
        first = (first + 1) % 7;
        weekday = (weekday + 1) % 7;
    }
    if (week == 0)
        return 1 + weekday - first;
    return 1 + (7 - first) % 7 + 7 * (week - 1) + weekday;
}

/* Year and day of the year from the other ways to say them; false if they do not fit together. */
static bool settle_year(struct matcher *m)
{
    if (m->year == UNSET && m->short_year != UNSET)
        m->year = m->short_year + (m->short_year <= 68 ? 2000 : 1900);
    bool has_week = m->week != UNSET || m->week_of_sunday != UNSET;
    if (m->year == UNSET && m->iso_year != UNSET) {
        if (m->iso_week == UNSET || m->weekday == UNSET || m->year_day != UNSET)
            return false;
    } else if (!has_week && m->iso_week != UNSET) {
        return false;
    }
    bool iso = m->year == UNSET && m->iso_year != UNSET;
    if (iso)
        m->year = m->iso_year;
    else if (m->year == UNSET)
        m->year = 1900;
    if (m->year < 1 || m->year > 9999)
        return false;
    if (m->year_day == UNSET && m->weekday != UNSET) {
        if (has_week)
            m->year_day = day_of_week_number(m->year, m->week != UNSET ? m->week : m->week_of_sunday,
                                             m->weekday, m->week == UNSET);
        else if (iso)
            m->year_day = m->iso_week * 7 + m->weekday + 1 -
                          ((int)(calendar_weekday(calendar_days(m->year, 1, 4)) + 6) % 7 + 1 + 3);
        else
            return true;
        return true;
    }
    return true;
}

static int result(struct matcher *m, struct datetime *ret_datetime, struct error *err)
{
    if (!settle_year(m) || m->bad_offset)
        return error_set(err, ERROR_INVALID, "the parts of the date do not fit together");
    struct datetime_fields fields = {
        .year = m->year,
        .month = m->month == UNSET ? 1 : (unsigned)m->month,
        .day = m->day == UNSET ? 1 : (unsigned)m->day,
        .hour = m->hour == UNSET ? 0 : (unsigned)m->hour,
        .minute = m->minute == UNSET ? 0 : (unsigned)m->minute,
        .second = m->second == UNSET ? 0 : (unsigned)m->second,
        .microsecond = m->fraction == UNSET ? 0 : (unsigned)m->fraction,
    };
    if (m->hour12 != UNSET)
        fields.hour = (unsigned)(m->hour12 % 12 + (m->afternoon == 1 ? 12 : 0));
    if (m->year_day != UNSET) {
        fields.month = 1;
        fields.day = 1;
    }
    int64_t local;
    if (!datetime_of_fields(&fields, &local))
        return error_set(err, ERROR_INVALID, "there is no such day or time");
    if (m->year_day != UNSET)
        local += (m->year_day - 1) * DATETIME_DAY;
    if (!datetime_in_range(local))
        return error_set(err, ERROR_INVALID, "there is no such day or time");
    *ret_datetime = (struct datetime){.local = local, .offset = m->offset};
    if (m->has_offset)
        ret_datetime->zone = m->offset ? DATETIME_OFFSET : DATETIME_UTC;
    return 0;
}

int datetime_strptime(struct slice text, struct slice format, struct datetime *ret_datetime,
                      struct error *err)
{
    char expanded[FORMAT_MAX];
    struct matcher m = {
        .text = text,
        .format = expanded,
        .year = UNSET,
        .short_year = UNSET,
        .iso_year = UNSET,
        .month = UNSET,
        .day = UNSET,
        .hour = UNSET,
        .hour12 = UNSET,
        .afternoon = UNSET,
        .minute = UNSET,
        .second = UNSET,
        .fraction = UNSET,
        .weekday = UNSET,
        .year_day = UNSET,
        .week = UNSET,
        .week_of_sunday = UNSET,
        .iso_week = UNSET,
    };
    if (expand_format(format, expanded, err) < 0)
        return -1;
    if (!match(&m, expanded, 0))
        return error_set(err, ERROR_INVALID, "a date does not have its format, from its character %zu on",
                         m.furthest + 1);
    return result(&m, ret_datetime, err);
}

/* --- the CDK's formats --------------------------------------------------------------------------- */

static int of_units(struct slice text, int64_t unit, struct datetime *ret_datetime, struct error *err)
{
    struct arena arena;
    struct tvalue value;
    arena_init(&arena);
    bool number = digits_to_integer(&arena, text, 10, &value) && value.kind == TVALUE_INT;
    arena_done(&arena);
    if (!number)
        return error_set(err, ERROR_INVALID, "a time is no whole number, which its format asks for");
    int64_t local;
    if (__builtin_mul_overflow(value.integer, unit, &local) || !datetime_in_range(local))
        return error_set(err, ERROR_INVALID, "a time is out of the years 1 to 9999");
    *ret_datetime = (struct datetime){.local = local, .zone = DATETIME_UTC};
    return 0;
}

int datetime_parse(struct slice text, struct slice format, struct datetime *ret_datetime, struct error *err)
{
    if (slice_is(format, "%s"))
        return of_units(text, DATETIME_SECOND, ret_datetime, err);
    if (slice_is(format, "%epoch_microseconds"))
        return of_units(text, 1, ret_datetime, err);
    if (slice_is(format, "%ms"))
        return of_units(text, 1000, ret_datetime, err);
    if (slice_is(format, "%s_as_float")) {
        double number;
        if (!digits_to_float(text, &number))
            return error_set(err, ERROR_INVALID, "a time is no number, which its format asks for");
        return datetime_of_timestamp(number, ret_datetime, err);
    }
    char changed[FORMAT_MAX];
    size_t size = 0;
    if (format.size >= sizeof changed)
        return error_set(err, ERROR_LIMIT, "a date format of %zu bytes; %d are the most", format.size,
                         FORMAT_MAX);
    for (size_t i = 0; i < format.size; i++) {
        if (slice_starts_with((struct slice){format.data + i, format.size - i}, "%_ms")) {
            changed[size++] = '%';
            changed[size++] = 'f';
            i += 3;
        } else {
            changed[size++] = format.data[i];
        }
    }
    if (datetime_strptime(text, (struct slice){changed, size}, ret_datetime, err) < 0)
        return -1;
    if (ret_datetime->zone == DATETIME_NAIVE)
        ret_datetime->zone = DATETIME_UTC;
    return 0;
}
