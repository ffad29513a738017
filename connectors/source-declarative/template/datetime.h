/* Dates and times as Python's datetime has them, with the formats of the CDK: what cursors, macros and
 * methods of templates share. Years 1 to 9999. No zone but offsets is known: a named zone is looked up by
 * whoever makes the value. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_DATETIME_H
#define FIRTH_DECLARATIVE_TEMPLATE_DATETIME_H

#include "base/error.h"
#include "base/text.h"

enum datetime_zone {
    DATETIME_NAIVE,
    DATETIME_UTC,      /* datetime.timezone.utc */
    DATETIME_PYTZ_UTC, /* pytz.utc: the same, but for its repr */
    DATETIME_OFFSET,   /* datetime.timezone of an offset */
    DATETIME_TZ_OFFSET /* dateutil's, as its parser gives it */
};

struct datetime {
    int64_t local;  /* microseconds since 1970-01-01T00:00 on the clocks there; a date: days * a day */
    int32_t offset; /* seconds east of UTC; 0 if naive */
    uint8_t zone;
};

#define DATETIME_SECOND INT64_C(1000000)
#define DATETIME_DAY (86400 * DATETIME_SECOND)
#define DATETIME_MIN (INT64_C(-719162) * DATETIME_DAY)
#define DATETIME_MAX (INT64_C(2932897) * DATETIME_DAY - 1)

struct datetime_fields {
    int64_t year;
    unsigned month, day, hour, minute, second, microsecond;
    unsigned weekday;  /* Monday is 0 */
    unsigned year_day; /* from 1 */
};

/* A timedelta of Python's with months and years beside it (isodate). */
struct duration {
    double years, months;
    int64_t seconds;
    uint32_t microseconds;
    bool is_duration; /* has years or months: isodate.Duration, else a timedelta */
};

/* Microseconds since 1970-01-01T00:00Z; a naive time is taken as UTC. */
static inline int64_t datetime_utc(const struct datetime *datetime)
{
    return datetime->local - datetime->offset * DATETIME_SECOND;
}
static inline bool datetime_in_range(int64_t local)
{
    return local >= DATETIME_MIN && local <= DATETIME_MAX;
}
struct datetime_fields datetime_fields(const struct datetime *datetime);
/* False if there is no such day or time. */
bool datetime_of_fields(const struct datetime_fields *fields, int64_t *ret_local);
/* ISO year, week and weekday (Monday is 1). */
void datetime_iso_week(const struct datetime_fields *fields, int64_t *ret_year, unsigned *ret_week,
                       unsigned *ret_weekday);

/* datetime.strftime and datetime.strptime, in the C locale. What strftime does not know is left as it is. The
 * text is in the arena. An input without zone gives a naive time. */
int datetime_strftime(struct arena *arena, const struct datetime *datetime, struct slice format,
                      struct slice *ret_text, struct error *err);
int datetime_strptime(struct slice text, struct slice format, struct datetime *ret_datetime,
                      struct error *err);

/* The CDK's DatetimeParser: also %s, %s_as_float, %ms, %epoch_microseconds, alone, and %_ms among others. A
 * time without zone is UTC. */
int datetime_format(struct arena *arena, const struct datetime *datetime, struct slice format,
                    struct slice *ret_text, struct error *err);
int datetime_parse(struct slice text, struct slice format, struct datetime *ret_datetime, struct error *err);

/* datetime.fromtimestamp(number, UTC): rounded to microseconds. */
int datetime_of_timestamp(double number, struct datetime *ret_datetime, struct error *err);
/* datetime.timestamp(): seconds since 1970; a naive time is taken as UTC. */
double datetime_timestamp(const struct datetime *datetime);

/* dateutil's isoparse: naive if no zone is written. */
int datetime_isoparse(struct slice text, struct datetime *ret_datetime, struct error *err);
/* dateutil's parser: a date however people write it ("Jan 1 2030 10 PM"), naive if no zone that is known is
 * written. What is not said is of `now`'s day, and its beginning. *ret_dated: year, month and day were said.
 */
enum { DATETIME_GUESS_MAX = 127 }; /* bytes of a text */
int datetime_guess(struct slice text, const struct datetime *now, struct datetime *ret_datetime,
                   bool *ret_dated, struct error *err);
/* datetime.isoformat with this separator. Always fits into DATETIME_TEXT_MAX bytes; returns the length. */
enum { DATETIME_TEXT_MAX = 64 };
size_t datetime_isoformat(const struct datetime *datetime, char separator, char *text);

/* isodate.parse_duration: "P1D", "PT2H30M", "P1Y2M", "-P1W". */
int duration_parse(struct slice text, struct duration *ret_duration, struct error *err);
struct duration duration_negate(const struct duration *duration);
/* datetime + sign * duration, as isodate counts months. ERROR_LIMIT past the years that there are,
 * ERROR_INVALID with parts of months. */
int duration_add(const struct datetime *datetime, const struct duration *duration, int sign,
                 struct datetime *ret_datetime, struct error *err);

#endif
