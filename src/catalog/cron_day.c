#include "catalog/cron_day.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

enum { SUNDAY, SATURDAY = 6, WEEK = 7 };

static bool read_number(const char *text, size_t size, unsigned max, unsigned *ret_number)
{
    unsigned number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || size > 2)
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    *ret_number = number;
    return size > 0 && number >= 1 && number <= max;
}

/* --- the day of the month ------------------------------------------------------------------------ */

bool cron_day_parse(const char *text, struct cron *cron)
{
    size_t size = strlen(text);
    unsigned number = 0;
    if (strcasecmp(text, "L") == 0 || strcasecmp(text, "LW") == 0) {
        cron->last_day = true;
        cron->working_day = size == 2;
        return true;
    }
    if (strncasecmp(text, "L-", 2) == 0 && read_number(text + 2, size - 2, 30, &number)) {
        cron->last_day = true;
        cron->before_last = (uint8_t)number;
        return true;
    }
    if (size > 1 && (text[size - 1] == 'W' || text[size - 1] == 'w') &&
        read_number(text, size - 1, 31, &number)) {
        cron->near_day = (uint8_t)number;
        cron->working_day = true;
        return true;
    }
    return false;
}

/* The working day nearest to this one, in the same month. */
static unsigned nearest_working_day(int64_t year, unsigned month, unsigned day)
{
    unsigned length = calendar_month_length(year, month);
    unsigned weekday = calendar_weekday(calendar_days(year, month, day));
    if (weekday == SATURDAY)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == SUNDAY)
        return day < length ? day + 1 : day - 2;
    return day;
}

static bool special_day_matches(const struct cron *cron, int64_t year, unsigned month, unsigned day)
{
    unsigned length = calendar_month_length(year, month), wanted = cron->near_day;
    if (cron->last_day)
        wanted = length > cron->before_last ? length - cron->before_last : 0;
    if (wanted == 0 || wanted > length)
        return false;
    return day == (cron->working_day ? nearest_working_day(year, month, wanted) : wanted);
}

/* --- the day of the week ------------------------------------------------------------------------- */

/* 1 (Sunday) to 7, or a name, at the beginning: as 0 to 6. */
static bool read_weekday(const char *text, size_t size, unsigned *ret_weekday)
{
    static const char *const names[WEEK] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    if (size == 1 && text[0] >= '1' && text[0] <= '7') {
        *ret_weekday = (unsigned)(text[0] - '1');
        return true;
    }
    for (unsigned i = 0; i < WEEK && size == 3; i++) {
        if (strncasecmp(text, names[i], 3) == 0) {
            *ret_weekday = i;
            return true;
        }
    }
    return false;
}

static bool read_item(const char *text, size_t size, uint8_t *last, uint8_t nth[5])
{
    const char *sign = memchr(text, '#', size);
    unsigned weekday = SATURDAY, number = 0;
    if (sign) {
        size_t before = (size_t)(sign - text);
        if (!read_weekday(text, before, &weekday) || !read_number(sign + 1, size - before - 1, 5, &number))
            return false;
        nth[number - 1] |= (uint8_t)(1U << weekday);
        return true;
    }
    if (size == 0 || (text[size - 1] != 'L' && text[size - 1] != 'l'))
        return false;
    if (size == 1) { /* Quartz: L alone is Saturday, every one */
        for (unsigned i = 0; i < 5; i++)
            nth[i] |= (uint8_t)(1U << SATURDAY);
        return true;
    }
    if (!read_weekday(text, size - 1, &weekday))
        return false;
    *last |= (uint8_t)(1U << weekday);
    return true;
}

bool cron_weekday_parse(const char *text, struct cron *cron)
{
    uint8_t last = 0, nth[5] = {0};
    for (;;) {
        size_t size = strcspn(text, ",");
        if (!read_item(text, size, &last, nth))
            return false;
        if (text[size] == 0)
            break;
        text += size + 1;
    }
    cron->last_weekdays = last;
    memcpy(cron->nth_weekdays, nth, sizeof nth);
    return true;
}

bool cron_has_special_weekday(const struct cron *cron)
{
    unsigned any = cron->last_weekdays;
    for (size_t i = 0; i < 5; i++)
        any |= cron->nth_weekdays[i];
    return any != 0;
}

/* --- both ---------------------------------------------------------------------------------------- */

bool cron_day_matches(const struct cron *cron, int64_t year, unsigned month, unsigned day)
{
    unsigned weekday = calendar_weekday(calendar_days(year, month, day));
    bool by_day = (cron->days >> day & 1) || special_day_matches(cron, year, month, day);
    bool by_weekday =
        (cron->weekdays >> weekday & 1) || (cron->nth_weekdays[(day - 1) / WEEK] >> weekday & 1) ||
        ((cron->last_weekdays >> weekday & 1) && day + WEEK > calendar_month_length(year, month));
    if (cron->any_day || cron->any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}
