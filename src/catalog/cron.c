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
static const struct field fields[FIELD_COUNT] = {
    [FIELD_SECOND] = {"second", 0, 59, NULL, 0},
    [FIELD_MINUTE] = {"minute", 0, 59, NULL, 0},
    [FIELD_HOUR] = {"hour", 0, 23, NULL, 0},
    [FIELD_DAY] = {"day of the month", 1, 31, NULL, 0},
    [FIELD_MONTH] = {"month", 1, 12, month_names, 12},
    [FIELD_WEEKDAY] = {"day of the week", 0, 7, weekday_names, 7},
    [FIELD_YEAR] = {"year", CRON_YEAR_MIN, CRON_YEAR_MAX, NULL, 0},
};

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

/* One of a list: a value, a range from-to, either or * with /step. Sets the bits (value - base). */
static bool read_item(const struct field *field, const char **at, uint64_t *bits)
{
    unsigned from = field->min, to = field->max, step = 1;
    bool star = **at == '*';
    if (star) {
        ++*at;
    } else {
        if (!read_value(field, at, &from))
            return false;
        to = from;
        if (**at == '-') {
            ++*at;
            if (!read_value(field, at, &to) || to < from)
                return false;
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
        *bits |= 1ULL << value;
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

static int read_set(const struct field *field, const char *text, uint64_t *ret_bits, bool *ret_any,
                    struct error *err)
{
    uint64_t bits = 0;
    const char *at = text;
    *ret_any = strcmp(text, "*") == 0 || strcmp(text, "?") == 0;
    if (*ret_any) {
        for (unsigned value = field->min; value <= field->max; value++)
            bits |= 1ULL << value;
        *ret_bits = bits;
        return 0;
    }
    for (;;) {
        if (!read_item(field, &at, &bits))
            return field_error(field, text, err);
        if (*at == 0)
            break;
        if (*at++ != ',')
            return field_error(field, text, err);
    }
    *ret_bits = bits;
    return 0;
}

/* Years do not fit a set of 64: one year, a range, or any. */
static int read_years(const char *text, struct cron *cron, struct error *err)
{
    const struct field *field = &fields[FIELD_YEAR];
    unsigned from = field->min, to = field->max;
    if (strcmp(text, "*") != 0 && strcmp(text, "?") != 0) {
        const char *at = text;
        bool fine = read_value(field, &at, &from);
        to = from;
        if (fine && *at == '-') {
            at++;
            fine = read_value(field, &at, &to) && to >= from;
        }
        if (!fine || *at)
            return error_set(err, ERROR_INVALID,
                             "the year is '%.40s'; it may be %u to %u, a range like 2030-2035, or *", text,
                             field->min, field->max);
    }
    cron->year_from = (uint16_t)from;
    cron->year_to = (uint16_t)to;
    return 0;
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
    uint64_t hours = 0, days = 0, months = 0, weekdays = 0;
    bool any;
    if (read_set(&fields[FIELD_SECOND], words[0], &cron->seconds, &any, err) < 0 ||
        read_set(&fields[FIELD_MINUTE], words[1], &cron->minutes, &any, err) < 0 ||
        read_set(&fields[FIELD_HOUR], words[2], &hours, &any, err) < 0 ||
        (!(quartz && cron_day_parse(words[3], cron)) &&
         read_set(&fields[FIELD_DAY], words[3], &days, &cron->any_day, err) < 0) ||
        read_set(&fields[FIELD_MONTH], words[4], &months, &any, err) < 0)
        return -1;
    bool special = quartz && cron_weekday_parse(words[5], cron);
    if (!special && read_set(&fields[FIELD_WEEKDAY], words[5], &weekdays, &cron->any_weekday, err) < 0)
        return -1;
    cron->hours = (uint32_t)hours;
    cron->days = (uint32_t)days;
    cron->months = (uint32_t)months;
    /* crontab: 0 and 7 are Sunday; Quartz: 1 is Sunday. Names mean the same in both. */
    bool by_name = strpbrk(words[5], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != NULL;
    cron->weekdays = (uint32_t)(quartz && !by_name && !cron->any_weekday ? weekdays >> 1
                                                                         : (weekdays | weekdays >> 7) & 0x7f);
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
    struct cron cron = {.year_from = CRON_YEAR_MIN, .year_to = CRON_YEAR_MAX};
    if (read_fields(all, seconds, &cron, err) < 0 || (count == 7 && read_years(words[6], &cron, err) < 0))
        return -1;
    if (cron.weekdays == 0 && !cron_has_special_weekday(&cron))
        return field_error(&fields[FIELD_WEEKDAY], words[4 + seconds], err);
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

int64_t cron_next(const struct cron *cron, int64_t after_ms)
{
    enum { DAY_SECONDS = 86400 };
    if (after_ms < -1)
        after_ms = -1;
    int64_t start = after_ms < 0 ? 0 : after_ms / 1000 + 1;
    int64_t start_day = start / DAY_SECONDS;
    for (int64_t year = cron->year_from; year <= cron->year_to; year++) {
        if (calendar_days(year + 1, 1, 1) <= start_day)
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
