/* Cron expressions: five fields as crontab has them (minute hour day month weekday), or six or seven as
 * Airbyte and Quartz have them (second first, optionally a year last). Lists, ranges, steps, names (JAN,
 * MON), `?` as `*`, and the @hourly family. With seconds also what Quartz has: ranges that go past the end
 * (22-2, NOV-FEB, FRI-MON), L (the last day, L-3 the third before it, 6L the last Friday), W (15W the working
 * day nearest to the 15th, LW the last one) and # (6#3 the third Friday). */
#ifndef FIRTH_CATALOG_CRON_H
#define FIRTH_CATALOG_CRON_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CRON_YEAR_MIN = 1970,
    CRON_YEAR_MAX = 2199,
    CRON_YEAR_WORDS = (CRON_YEAR_MAX - CRON_YEAR_MIN) / 64 + 1
};

/* Bit n of a field's set: the value n matches. */
struct cron {
    uint64_t seconds, minutes;
    uint32_t hours, days, months;    /* days and months from 1 */
    uint32_t weekdays;               /* Sunday is 0 */
    bool any_day, any_weekday;       /* `*` or `?`: if neither, a day matches that is in either set */
    uint64_t years[CRON_YEAR_WORDS]; /* bit 0 of the first: CRON_YEAR_MIN */
    /* Quartz's; they add to the sets, which are empty beside them. */
    bool last_day, working_day; /* L, and W behind a day or an L */
    uint8_t before_last;        /* L-n */
    uint8_t near_day;           /* nW */
    uint8_t last_weekdays;      /* nL: bits, Sunday is 0 */
    uint8_t nth_weekdays[5];    /* n#1 to n#5 */
};

/* The error names the field and what it may hold. */
int cron_parse(const char *text, struct cron *ret_cron, struct error *err);

/* Is it crontab's, five fields or a word like @daily, and not Quartz's? */
bool cron_is_crontab(const char *text);
/* Append what Quartz calls the times of a crontab expression. False, and nothing is appended, for what is
 * none, and for one with both a day of the month and a day of the week: either will do there, and Quartz has
 * no such. */
bool cron_to_quartz(const char *text, struct buffer *out);

/* Is one of Quartz's day fields `?`, and not both? Quartz refuses any other; then what is likely meant is
 * appended, if that can be told. For six or seven fields. */
bool cron_quartz_days(const char *text, struct buffer *out);

/* The first match after `after_ms` in UTC (wall clock, milliseconds since 1970); -1 if there is none (31
 * February).
 */
int64_t cron_next(const struct cron *cron, int64_t after_ms);
/* The same by the clocks of a time zone. What they show twice matches the first time, what they skip matches
 * when they have been put forward. */
int64_t cron_next_in(const struct cron *cron, const struct zone *zone, int64_t after_ms);

#endif
