/* Which days a cron expression means, with Quartz's L, W and #. Private to this folder. */
#ifndef FIRTH_CATALOG_CRON_DAY_H
#define FIRTH_CATALOG_CRON_DAY_H

#include "base/calendar.h"
#include "catalog/cron.h"

/* L, L-3, LW, 15W in the field of days; MON#2, 6#3, 6L, FRIL, L in that of days of the week, also several
 * with commas. False, and nothing is set, if the field is none of these. */
bool cron_day_parse(const char *text, struct cron *cron);
bool cron_weekday_parse(const char *text, struct cron *cron);
bool cron_has_special_weekday(const struct cron *cron);

bool cron_day_matches(const struct cron *cron, int64_t year, unsigned month, unsigned day);

#endif
