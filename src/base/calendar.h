/* The Gregorian calendar, by days since 1970-01-01. Months and days are from 1; Sunday is 0. */
#ifndef FIRTH_BASE_CALENDAR_H
#define FIRTH_BASE_CALENDAR_H

#include <stdint.h>

int64_t calendar_days(int64_t year, unsigned month, unsigned day);
/* Of a day. */
int64_t calendar_year(int64_t days);
unsigned calendar_month_length(int64_t year, unsigned month);
unsigned calendar_weekday(int64_t days);

#endif
