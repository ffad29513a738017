#include "guess.h"

#include "base/calendar.h"

enum { NONE = GUESS_NONE };

long guess_whole(struct slice text)
{
    long value = 0;
    if (text.size == 0 || text.size > 15)
        return NONE;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return NONE;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

bool guess_date_add(struct guess_date *date, long value, char label)
{
    int *at = label == 'Y' ? &date->year_at : &date->month_at;
    if (value == NONE || date->count == 3 || (label && *at != NONE))
        return false;
    date->items[date->count] = value;
    if (label)
        *at = date->count;
    date->count++;
    return true;
}

bool guess_date_add_digits(struct guess_date *date, struct slice text, char label)
{
    long value = guess_whole(text);
    if (text.size > 2 && value != NONE) {
        date->has_century = true;
        label = 'Y';
    }
    return guess_date_add(date, value, label);
}

bool guess_date_may_be_day(const struct guess_date *date, long value, bool has_fraction)
{
    long last = 31;
    if (date->month_at != NONE) {
        long month = date->items[date->month_at];
        long year = date->year_at == NONE ? 2000 : date->items[date->year_at];
        last = month < 1 || month > 12 ? 0 : (long)calendar_month_length(year, (unsigned)month);
    }
    return value >= 1 && value + has_fraction <= last;
}

long guess_date_year(long year, bool has_century, long this_year)
{
    if (year >= 100 || has_century)
        return year;
    year += this_year / 100 * 100;
    if (year >= this_year + 50)
        return year - 100;
    return year < this_year - 50 ? year + 100 : year;
}

/* --- which is what --------------------------------------------------------------------------------- */

/* Among the numbers. */
struct places {
    int year, month, day;
};

static struct places three(const struct guess_date *date)
{
    static const struct places ymd = {0, 1, 2}, mdy = {2, 0, 1}, myd = {1, 0, 2}, dmy = {2, 1, 0},
                               dym = {1, 2, 0}, ydm = {0, 2, 1};
    const long *items = date->items;
    if (date->month_at == 0)
        return items[1] > 31 ? myd : mdy;
    if (date->month_at == 1)
        return items[0] > 31 ? ymd : dmy;
    if (date->month_at == 2)
        return items[1] > 31 ? dym : ydm;
    if (items[0] > 31 || date->year_at == 0)
        return ymd;
    return items[0] > 12 ? dmy : mdy;
}

static struct places two(const struct guess_date *date)
{
    const long *items = date->items;
    int other = 1 - date->month_at;
    if (date->month_at != NONE)
        return items[other] > 31 ? (struct places){other, date->month_at, NONE}
                                 : (struct places){NONE, date->month_at, other};
    if (items[0] > 31)
        return (struct places){0, 1, NONE};
    return items[1] > 31 ? (struct places){1, 0, NONE} : (struct places){NONE, 0, 1};
}

static struct places places_of(const struct guess_date *date)
{
    int year = date->year_at, month = date->month_at;
    if (date->count == 3 && year != NONE && month != NONE)
        return (struct places){year, month, 3 - year - month};
    if (date->count == (year != NONE) + (month != NONE))
        return (struct places){year, month, NONE};
    if (date->count == 3)
        return three(date);
    if (date->count == 2)
        return two(date);
    return date->items[0] > 31 ? (struct places){0, NONE, NONE} : (struct places){NONE, NONE, 0};
}

void guess_date_resolve(const struct guess_date *date, long *ret_year, long *ret_month, long *ret_day)
{
    struct places places = places_of(date);
    *ret_year = places.year == NONE ? NONE : date->items[places.year];
    *ret_month = places.month == NONE ? NONE : date->items[places.month];
    *ret_day = places.day == NONE ? NONE : date->items[places.day];
}
