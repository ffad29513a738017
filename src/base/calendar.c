#include "base/calendar.h"

#include <stdbool.h>

/* Counted from a March, so that the leap day comes last. */
int64_t calendar_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t calendar_year(int64_t days)
{
    int64_t year = 1970 + days / 366; /* a year too early at most for every 1,500 or so */
    while (calendar_days(year + 1, 1, 1) <= days)
        year++;
    while (calendar_days(year, 1, 1) > days)
        year--;
    return year;
}

unsigned calendar_month_length(int64_t year, unsigned month)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap);
}

unsigned calendar_weekday(int64_t days)
{
    return (unsigned)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}
