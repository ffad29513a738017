/* The calendar side of datetimes, and writing them. */
#include "datetime.h"

#include "base/calendar.h"
#include "value.h"

#include <stdio.h>
#include <time.h>

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct datetime_fields datetime_fields(const struct datetime *datetime)
{
    int64_t days = floor_divide(datetime->local, DATETIME_DAY);
    int64_t rest = datetime->local - days * DATETIME_DAY;
    int64_t year = calendar_year(days);
    unsigned month = 1;
    unsigned of_year = (unsigned)(days - calendar_days(year, 1, 1)), day = of_year;
    while (day >= calendar_month_length(year, month))
        day -= calendar_month_length(year, month++);
    return (struct datetime_fields){
        .year = year,
        .month = month,
        .day = day + 1,
        .hour = (unsigned)(rest / (3600 * DATETIME_SECOND)),
        .minute = (unsigned)(rest / (60 * DATETIME_SECOND) % 60),
        .second = (unsigned)(rest / DATETIME_SECOND % 60),
        .microsecond = (unsigned)(rest % DATETIME_SECOND),
        .weekday = (calendar_weekday(days) + 6) % 7,
        .year_day = of_year + 1,
    };
}

bool datetime_of_fields(const struct datetime_fields *fields, int64_t *ret_local)
{
    if (fields->year < 1 || fields->year > 9999 || fields->month < 1 || fields->month > 12 ||
        fields->day < 1 || fields->day > calendar_month_length(fields->year, fields->month) ||
        fields->hour > 23 || fields->minute > 59 || fields->second > 59 || fields->microsecond > 999999)
        return false;
    int64_t seconds = calendar_days(fields->year, fields->month, fields->day) * 86400 +
                      (int64_t)fields->hour * 3600 + (int64_t)fields->minute * 60 + fields->second;
    *ret_local = seconds * DATETIME_SECOND + fields->microsecond;
    return true;
}

/* The Monday of a year's first ISO week: that of January 4th. */
static int64_t first_monday(int64_t year)
{
    int64_t fourth = calendar_days(year, 1, 4);
    return fourth - (calendar_weekday(fourth) + 6) % 7;
}

void datetime_iso_week(const struct datetime_fields *fields, int64_t *ret_year, unsigned *ret_week,
                       unsigned *ret_weekday)
{
    int64_t days = calendar_days(fields->year, fields->month, fields->day);
    int64_t year = fields->year;
    if (days < first_monday(year))
        year--;
    else if (days >= first_monday(year + 1))
        year++;
    *ret_year = year;
    *ret_week = (unsigned)((days - first_monday(year)) / 7 + 1);
    *ret_weekday = fields->weekday + 1;
}

/* "+01:00", with seconds if there are any. */
static size_t write_offset(char *to, int32_t offset, const char *colon)
{
    enum { LONGEST = 16 };
    char sign = offset < 0 ? '-' : '+';
    unsigned seconds = (unsigned)(offset < 0 ? -offset : offset);
    int size = snprintf(to, LONGEST, "%c%02u%s%02u", sign, seconds / 3600, colon, seconds / 60 % 60);
    if (seconds % 60)
        size += snprintf(to + size, (size_t)(LONGEST - size), "%s%02u", colon, seconds % 60);
    return (size_t)size;
}

size_t datetime_isoformat(const struct datetime *datetime, char separator, char *text)
{
    struct datetime_fields fields = datetime_fields(datetime);
    int size = snprintf(text, DATETIME_TEXT_MAX, "%04lld-%02u-%02u%c%02u:%02u:%02u", (long long)fields.year,
                        fields.month, fields.day, separator, fields.hour, fields.minute, fields.second);
    if (fields.microsecond)
        size += snprintf(text + size, DATETIME_TEXT_MAX - (size_t)size, ".%06u", fields.microsecond);
    if (datetime->zone != DATETIME_NAIVE)
        size += (int)write_offset(text + size, datetime->offset, ":");
    return (size_t)size;
}

/* --- strftime ------------------------------------------------------------------------------------ */

enum { FORMAT_MAX = 4096, FORMATTED_MAX = 1 << 16 };

static void write_zone_name(struct ttext *out, const struct datetime *datetime)
{
    char offset[16];
    if (datetime->zone == DATETIME_UTC || datetime->zone == DATETIME_PYTZ_UTC ||
        (datetime->zone == DATETIME_TZ_OFFSET && datetime->offset == 0)) {
        ttext_cstring(out, "UTC");
    } else if (datetime->zone == DATETIME_OFFSET) {
        ttext_cstring(out, "UTC");
        if (datetime->offset)
            ttext_add(out, offset, write_offset(offset, datetime->offset, ":"));
    }
}

/* The format with what C's strftime does not know replaced: %z, %Z and %f. What is put in has no '%'. */
static void prepare_format(struct ttext *out, const struct datetime *datetime,
                           const struct datetime_fields *fields, struct slice format)
{
    char offset[16];
    for (size_t i = 0; i < format.size; i++) {
        char letter = i + 1 < format.size ? format.data[i + 1] : 0;
        if (format.data[i] != '%' || !letter) {
            ttext_byte(out, format.data[i]);
            continue;
        }
        i++;
        if (letter == 'z') {
            if (datetime->zone != DATETIME_NAIVE)
                ttext_add(out, offset, write_offset(offset, datetime->offset, ""));
        } else if (letter == 'Z') {
            write_zone_name(out, datetime);
        } else if (letter == 'f') {
            ttext_printf(out, "%06u", fields->microsecond);
        } else {
            ttext_byte(out, '%');
            ttext_byte(out, letter);
        }
    }
}

int datetime_strftime(struct arena *arena, const struct datetime *datetime, struct slice format,
                      struct slice *ret_text, struct error *err)
{
    struct datetime_fields fields = datetime_fields(datetime);
    if (format.size > FORMAT_MAX)
        return error_set(err, ERROR_LIMIT, "a date format of %zu bytes; %d are the most", format.size,
                         FORMAT_MAX);
    if (memchr(format.data, 0, format.size))
        return error_set(err, ERROR_INVALID, "a date format with a NUL in it");
    struct ttext prepared;
    ttext_init(&prepared, arena, SIZE_MAX);
    prepare_format(&prepared, datetime, &fields, format);
    ttext_byte(&prepared, ' '); /* so that the result is never empty, which could also mean failure */
    ttext_byte(&prepared, 0);
    struct tm tm = {
        .tm_year = (int)fields.year - 1900,
        .tm_mon = (int)fields.month - 1,
        .tm_mday = (int)fields.day,
        .tm_hour = (int)fields.hour,
        .tm_min = (int)fields.minute,
        .tm_sec = (int)fields.second,
        .tm_wday = (int)(fields.weekday + 1) % 7,
        .tm_yday = (int)fields.year_day - 1,
        .tm_isdst = -1,
    };
    for (size_t capacity = prepared.size * 4 + 64; capacity <= FORMATTED_MAX; capacity *= 4) {
        char *text = arena_alloc(arena, capacity);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        size_t size = strftime(text, capacity, prepared.data, &tm);
#pragma GCC diagnostic pop
        if (size) {
            *ret_text = (struct slice){text, size - 1};
            return 0;
        }
    }
    return error_set(err, ERROR_LIMIT, "a date format that writes more than %d bytes", FORMATTED_MAX);
}

/* --- the CDK's formats --------------------------------------------------------------------------- */

/* The quotient that Python's true division gives. */
double datetime_timestamp(const struct datetime *datetime)
{
    return (double)((long double)datetime_utc(datetime) / 1000000.0L);
}

int datetime_of_timestamp(double number, struct datetime *ret_datetime, struct error *err)
{
    double whole = floor(number), microseconds = rint((number - whole) * 1000000);
    if (!(fabs(number) < 1e12) ||
        !datetime_in_range((int64_t)whole * DATETIME_SECOND + (int64_t)microseconds))
        return error_set(err, ERROR_INVALID, "a time is out of the years 1 to 9999");
    *ret_datetime = (struct datetime){.local = (int64_t)whole * DATETIME_SECOND + (int64_t)microseconds,
                                      .zone = DATETIME_UTC};
    return 0;
}

static struct slice integer_slice(struct arena *arena, double number)
{
    char *text = arena_alloc(arena, 32);
    int size = snprintf(text, 32, "%.0f", trunc(number) + 0.0);
    return (struct slice){text, (size_t)size};
}

/* %_ms: like %f, then every occurrence of the six digits in the result becomes milliseconds. */
static int format_milliseconds(struct arena *arena, const struct datetime *datetime, struct slice format,
                               struct slice *ret_text, struct error *err)
{
    struct ttext changed, out;
    struct slice formatted;
    char digits[8], milliseconds[8];
    ttext_init(&changed, arena, SIZE_MAX);
    ttext_init(&out, arena, SIZE_MAX);
    for (size_t i = 0; i < format.size; i++) {
        bool here = slice_starts_with((struct slice){format.data + i, format.size - i}, "%_ms");
        ttext_cstring(&changed, here ? "%f" : "");
        if (here)
            i += 3;
        else
            ttext_byte(&changed, format.data[i]);
    }
    if (datetime_strftime(arena, datetime, ttext_slice_of(&changed), &formatted, err) < 0)
        return -1;
    unsigned microsecond = datetime_fields(datetime).microsecond;
    snprintf(digits, sizeof digits, "%06u", microsecond);
    snprintf(milliseconds, sizeof milliseconds, "%03u", microsecond / 1000);
    for (size_t i = 0; i < formatted.size; i++) {
        if (slice_starts_with((struct slice){formatted.data + i, formatted.size - i}, digits)) {
            ttext_cstring(&out, milliseconds);
            i += 5;
        } else {
            ttext_byte(&out, formatted.data[i]);
        }
    }
    *ret_text = ttext_slice_of(&out);
    return 0;
}

int datetime_format(struct arena *arena, const struct datetime *datetime, struct slice format,
                    struct slice *ret_text, struct error *err)
{
    double timestamp = datetime_timestamp(datetime);
    if (slice_is(format, "%s")) {
        *ret_text = integer_slice(arena, timestamp);
    } else if (slice_is(format, "%epoch_microseconds")) {
        *ret_text = integer_slice(arena, timestamp * 1000000);
    } else if (slice_is(format, "%ms")) {
        *ret_text = integer_slice(arena, timestamp * 1000);
    } else if (slice_is(format, "%s_as_float")) {
        struct ttext out;
        ttext_init(&out, arena, SIZE_MAX);
        tvalue_repr_float(&out, timestamp);
        *ret_text = ttext_slice_of(&out);
    } else if (memmem(format.data, format.size, "%_ms", 4)) {
        return format_milliseconds(arena, datetime, format, ret_text, err);
    } else {
        return datetime_strftime(arena, datetime, format, ret_text, err);
    }
    return 0;
}
