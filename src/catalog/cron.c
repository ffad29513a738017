#include "catalog/cron.h"

#include "base/text.h"
#include "catalog/cron_day.h"

#include <string.h>

/* --- parsing --------------------------------------------------------------------------------------- */

struct field {
    const char *name;
    unsigned min, max;
    const char *const *words; /* names for min, min + 1, … */
    size_t word_count;
    unsigned base; /* of the set: bit 0 */
};

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum {
    FIELD_SECOND,
    FIELD_MINUTE,
    FIELD_HOUR,
    FIELD_DAY,
    FIELD_MONTH,
    FIELD_WEEKDAY,
    FIELD_YEAR,
    FIELD_COUNT
};
enum { SET_WORDS = CRON_YEAR_WORDS };

static const struct field fields[FIELD_COUNT] = {
    [FIELD_SECOND] = {"second", 0, 59, NULL, 0},
    [FIELD_MINUTE] = {"minute", 0, 59, NULL, 0},
    [FIELD_HOUR] = {"hour", 0, 23, NULL, 0},
    [FIELD_DAY] = {"day of the month", 1, 31, NULL, 0},
    [FIELD_MONTH] = {"month", 1, 12, month_names, 12},
    [FIELD_WEEKDAY] = {"day of the week", 0, 7, weekday_names, 7},
    [FIELD_YEAR] = {"year", CRON_YEAR_MIN, CRON_YEAR_MAX, NULL, 0, CRON_YEAR_MIN},
};
/* Of crontab 0 and 7 are Sunday, of Quartz 1. */
static const struct field quartz_weekday = {"day of the week", 1, 7, weekday_names, 7, 1};

/* A number or a name; advances *at. */
static bool read_value(const struct field *field, const char **at, unsigned *ret_value)
{
    unsigned value = 0;
    const char *from = *at;
    for (; **at >= '0' && **at <= '9' && *at - from < 5; ++*at)
        value = value * 10 + (unsigned)(**at - '0');
    if (*at > from) {
        *ret_value = value;
        return value >= field->min && value <= field->max;
    }
    for (size_t i = 0; i < field->word_count; i++) {
        if (strncasecmp(from, field->words[i], 3) == 0) {
            *at += 3;
            *ret_value = field->min + (unsigned)i;
            return true;
        }
    }
    return false;
}

static void add(const struct field *field, unsigned value, uint64_t set[SET_WORDS])
{
    set[(value - field->base) / 64] |= 1ULL << (value - field->base) % 64;
}

/* One of a list: a value, a range from-to, either or * with /step. What `wraps` goes on from the field's
 * first value behind its last. */
static bool read_item(const struct field *field, bool wraps, const char **at, uint64_t set[SET_WORDS])
{
    unsigned from = field->min, to = field->max, step = 1, length = field->max - field->min + 1;
    if (**at == '*') {
        ++*at;
    } else {
        if (!read_value(field, at, &from))
            return false;
        to = from;
        if (**at == '-') {
            ++*at;
            if (!read_value(field, at, &to) || (to < from && !wraps))
                return false;
            if (to < from)
                to += length;
        } else if (**at == '/') {
            to = field->max; /* 5/15: from 5 on */
        }
    }
    if (**at == '/') {
        ++*at;
        step = 0;
        for (const char *digits = *at; **at >= '0' && **at <= '9' && *at - digits < 4; ++*at)
            step = step * 10 + (unsigned)(**at - '0');
        if (step == 0 || step > field->max - field->min)
            return false; /* none at all, or one that never comes to a second */
    }
    for (unsigned value = from; value <= to; value += step)
        add(field, field->min + (value - field->min) % length, set);
    return true;
}

static int field_error(const struct field *field, const char *text, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "the %s is '%.40s'; it may be %u to %u%s, *, a list, a range or a step like */5, of "
                     "at most %u",
                     field->name, text, field->min, field->max, field->word_count ? ", a name" : "",
                     field->max - field->min);
}

static int read_set(const struct field *field, bool wraps, const char *text, uint64_t ret_set[SET_WORDS],
                    bool *ret_any, struct error *err)
{
    const char *at = text;
    memset(ret_set, 0, SET_WORDS * sizeof *ret_set);
    *ret_any = strcmp(text, "*") == 0 || strcmp(text, "?") == 0;
    if (*ret_any)
        at = "*";
    for (;;) {
        if (!read_item(field, wraps, &at, ret_set))
            return field_error(field, text, err);
        if (*at == 0)
            return 0;
        if (*at++ != ',')
            return field_error(field, text, err);
    }
}

static const char *nickname(const char *text)
{
    static const struct {
        const char *name, *expression;
    } table[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(text, table[i].name) == 0)
            return table[i].expression;
    }
    return text;
}

enum { CRON_TEXT_MAX = 256 };

/* Split at blanks. The count, or FIELD_COUNT + 1 if there are more. */
static size_t split(char *text, char *words[FIELD_COUNT])
{
    size_t count = 0;
    char *save = NULL;
    for (char *word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        if (count == FIELD_COUNT)
            return FIELD_COUNT + 1;
        words[count++] = word;
    }
    return count;
}

static int read_fields(char *const *words, bool quartz, struct cron *cron, struct error *err)
{
    uint64_t sets[FIELD_COUNT][SET_WORDS] = {0};
    bool any[FIELD_COUNT] = {false};
    for (size_t i = FIELD_SECOND; i <= FIELD_MONTH; i++) {
        if (i == FIELD_DAY && quartz && cron_day_parse(words[i], cron))
            continue;
        if (read_set(&fields[i], quartz, words[i], sets[i], &any[i], err) < 0)
            return -1;
    }
    const struct field *weekday = quartz ? &quartz_weekday : &fields[FIELD_WEEKDAY];
    if (!(quartz && cron_weekday_parse(words[FIELD_WEEKDAY], cron)) &&
        read_set(weekday, quartz, words[FIELD_WEEKDAY], sets[FIELD_WEEKDAY], &any[FIELD_WEEKDAY], err) < 0)
        return -1;
    uint64_t weekdays = sets[FIELD_WEEKDAY][0];
    cron->seconds = sets[FIELD_SECOND][0];
    cron->minutes = sets[FIELD_MINUTE][0];
    cron->hours = (uint32_t)sets[FIELD_HOUR][0];
    cron->days = (uint32_t)sets[FIELD_DAY][0];
    cron->months = (uint32_t)sets[FIELD_MONTH][0];
    cron->weekdays = (uint32_t)((weekdays | weekdays >> 7) & 0x7f);
    cron->any_day = any[FIELD_DAY];
    cron->any_weekday = any[FIELD_WEEKDAY];
    return 0;
}

int cron_parse(const char *text, struct cron *ret_cron, struct error *err)
{
    char copy[CRON_TEXT_MAX], *words[FIELD_COUNT] = {NULL}, *all[FIELD_COUNT] = {NULL};
    if (strlen(text) >= sizeof copy)
        return error_set(err, ERROR_INVALID, "a cron expression of more than %d characters",
                         CRON_TEXT_MAX - 1);
    snprintf(copy, sizeof copy, "%s", nickname(text));
    size_t count = split(copy, words);
    if (count < 5 || count > 7)
        return error_set(
            err, ERROR_INVALID,
            "'%.60s' has not 5 fields (minute hour day month weekday), 6 (second first) or 7 (year last)",
            text);
    char zero[] = "0";
    bool seconds = count > 5;
    all[0] = seconds ? words[0] : zero;
    for (size_t i = 0; i < 5; i++)
        all[i + 1] = words[i + seconds];
    struct cron cron = {0};
    bool any_year;
    if (read_fields(all, seconds, &cron, err) < 0 ||
        read_set(&fields[FIELD_YEAR], false, count == 7 ? words[6] : "*", cron.years, &any_year, err) < 0)
        return -1;
    *ret_cron = cron;
    return 0;
}

/* --- the next match -------------------------------------------------------------------------------- */

/* The first matching second of the day at or after `from`, -1 if there is none. */
static int32_t second_of_day(const struct cron *cron, int32_t from)
{
    for (int32_t hour = from / 3600; hour < 24; hour++) {
        if (!(cron->hours >> hour & 1))
            continue;
        int32_t minute = hour == from / 3600 ? from / 60 % 60 : 0;
        for (; minute < 60; minute++) {
            if (!(cron->minutes >> minute & 1))
                continue;
            int32_t second = hour * 60 + minute == from / 60 ? from % 60 : 0;
            uint64_t left = cron->seconds >> second;
            if (left)
                return hour * 3600 + minute * 60 + second + __builtin_ctzll(left);
        }
    }
    return -1;
}

static bool has_year(const struct cron *cron, int64_t year)
{
    unsigned bit = (unsigned)(year - CRON_YEAR_MIN);
    return cron->years[bit / 64] >> bit % 64 & 1;
}

int64_t cron_next(const struct cron *cron, int64_t after_ms)
{
    enum { DAY_SECONDS = 86400 };
    if (after_ms < -1)
        after_ms = -1;
    int64_t start = after_ms < 0 ? 0 : after_ms / 1000 + 1;
    int64_t start_day = start / DAY_SECONDS;
    for (int64_t year = CRON_YEAR_MIN; year <= CRON_YEAR_MAX; year++) {
        if (!has_year(cron, year) || calendar_days(year + 1, 1, 1) <= start_day)
            continue;
        for (unsigned month = 1; month <= 12; month++) {
            if (!(cron->months >> month & 1) ||
                calendar_days(year, month, calendar_month_length(year, month)) < start_day)
                continue;
            for (unsigned day = 1; day <= calendar_month_length(year, month); day++) {
                int64_t days = calendar_days(year, month, day);
                if (days < start_day || !cron_day_matches(cron, year, month, day))
                    continue;
                int32_t second = second_of_day(cron, days == start_day ? (int32_t)(start % DAY_SECONDS) : 0);
                if (second >= 0)
                    return (days * DAY_SECONDS + second) * 1000;
            }
        }
    }
    return -1;
}

int64_t cron_next_in(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    int64_t after = after_ms < 0 ? 0 : after_ms / 1000;
    int64_t local = (after + zone_offset(zone, after)) * 1000;
    for (;;) {
        local = cron_next(cron, local);
        if (local < 0)
            return -1;
        int64_t utc = zone_to_utc(zone, local / 1000);
        if (utc > after)
            return utc * 1000;
    }
}
