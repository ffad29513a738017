/* Cron expressions, in UTC: five fields as crontab has them (minute hour day month weekday), or six or
 * seven as Airbyte and Quartz have them (second first, optionally a year last). Lists, ranges, steps,
 * names (JAN, MON), `?` as `*`, and the @hourly family. */
#ifndef FIRTH_CATALOG_CRON_H
#define FIRTH_CATALOG_CRON_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { CRON_YEAR_MIN = 1970, CRON_YEAR_MAX = 2199 };

/* Bit n of a field's set: the value n matches. */
struct cron {
    uint64_t seconds, minutes;
    uint32_t hours, days, months; /* days and months from 1 */
    uint32_t weekdays;            /* Sunday is 0 */
    bool any_day, any_weekday;    /* `*` or `?`: if neither, a day matches that is in either set */
    uint16_t year_from, year_to;  /* inclusive */
};

/* The error names the field and what it may hold. */
int cron_parse(const char *text, struct cron *ret_cron, struct error *err);

/* The first match after `after_ms` (wall clock, milliseconds since 1970); -1 if there is none (31 February).
 */
int64_t cron_next(const struct cron *cron, int64_t after_ms);

#endif
