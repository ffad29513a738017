/* Dates however people write them, as dateutil's parser reads them: "Jan 1 2030", "1/2/2030 10:00 PM",
 * "20300101T100000Z", "01-Jan-2030 10:00 GMT+3". A text becomes tokens; each says what it is by itself or by
 * its neighbours; the numbers of the date that are left are year, month and day by their size and order. */
#include "guess.h"

#include "base/calendar.h"

#include <stdlib.h>

enum { NONE = GUESS_NONE };

struct guess {
    struct guess_tokens tokens;
    struct guess_date date;
    long hour, minute, second, microsecond;
    int weekday;
    struct slice zone; /* its name; size 0: none */
    bool has_offset;
    long offset;
};

/* --- words ----------------------------------------------------------------------------------------- */

/* The place in a list of names, each up to a blank; alternatives share a place by '|'. Letters' case does not
 * matter. */
static int place_in(const char *names, struct slice word)
{
    int place = 0;
    for (const char *at = names; word.size && *at; place += *at == ' ', at += *at != 0) {
        const char *end = at + strcspn(at, " |");
        if ((size_t)(end - at) == word.size && strncasecmp(at, word.data, word.size) == 0)
            return place;
        at = end;
    }
    return NONE;
}

static struct slice token(const struct guess *guess, size_t at)
{
    return at < guess->tokens.count ? guess->tokens.items[at] : (struct slice){"", 0};
}

static bool is(const struct guess *guess, size_t at, char byte)
{
    return at < guess->tokens.count && guess->tokens.items[at].size == 1 &&
           *guess->tokens.items[at].data == byte;
}

static bool is_jump(struct slice word)
{
    return (word.size == 1 && memchr(" .,;-/'", *word.data, 7)) ||
           place_in("at on and ad m t of st nd rd th", word) != NONE;
}

static int month_of(struct slice word)
{
    return place_in("jan|january feb|february mar|march apr|april may jun|june jul|july aug|august "
                    "sep|sept|september oct|october nov|november dec|december",
                    word);
}

static int weekday_of(struct slice word)
{
    return place_in("mon|monday tue|tuesday wed|wednesday thu|thursday fri|friday sat|saturday sun|sunday",
                    word);
}

static int unit_of(struct slice word)
{
    return place_in("h|hour|hours m|minute|minutes s|second|seconds", word);
}

static int half_of(struct slice word)
{
    return place_in("am|a pm|p", word);
}

static bool is_utc(struct slice word)
{
    return place_in("utc gmt z", word) != NONE;
}

static bool may_be_zone(const struct guess *guess, struct slice word, bool whatever_offset)
{
    bool upper = word.size > 0 && word.size <= 5;
    for (size_t i = 0; i < word.size; i++)
        upper = upper && word.data[i] >= 'A' && word.data[i] <= 'Z';
    return guess->hour != NONE && !guess->zone.size && (whatever_offset || !guess->has_offset) &&
           (upper || slice_equal(word, SLICE_LITERAL("z")));
}

/* --- numbers --------------------------------------------------------------------------------------- */

/* At most so many bytes from there. */
static struct slice part(struct slice text, size_t from, size_t size)
{
    from = from < text.size ? from : text.size;
    return (struct slice){text.data + from, size < text.size - from ? size : text.size - from};
}

struct number {
    long whole, sixtieth; /* int(60 * fraction) */
    bool has_fraction;    /* that is not 0 */
};

/* False if it is none. */
static bool decimal(struct slice text, struct number *ret_number)
{
    const char *dot = text.size ? memchr(text.data, '.', text.size) : NULL;
    size_t before = dot ? (size_t)(dot - text.data) : text.size;
    long fraction = 0, scale = 1;
    bool has_fraction = false;
    for (size_t i = before + 1; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        has_fraction |= text.data[i] != '0';
        if (scale < 1000000000000000) {
            fraction = fraction * 10 + (text.data[i] - '0');
            scale *= 10;
        }
    }
    *ret_number = (struct number){guess_whole(part(text, 0, before)), 60 * fraction / scale, has_fraction};
    return ret_number->whole != NONE;
}

/* Seconds with up to six digits of a fraction. */
static bool take_seconds(struct guess *guess, struct slice text)
{
    const char *dot = text.size ? memchr(text.data, '.', text.size) : NULL;
    size_t before = dot ? (size_t)(dot - text.data) : text.size;
    char digits[7] = "000000";
    guess->second = guess_whole(part(text, 0, before));
    if (dot) {
        struct slice fraction = part(text, before + 1, 6);
        memcpy(digits, fraction.data, fraction.size);
        if (memchr(dot + 1, '.', text.size - before - 1))
            return false;
    }
    guess->microsecond = guess_whole((struct slice){digits, 6});
    return guess->second != NONE && guess->microsecond != NONE;
}

static bool take_minutes(struct guess *guess, struct slice text)
{
    struct number number;
    if (!decimal(text, &number))
        return false;
    guess->minute = number.whole;
    guess->second = number.sixtieth;
    return true;
}

/* --- a token after the other ----------------------------------------------------------------------- */

static long in_half(long hour, int half)
{
    if (hour < 12 && half == 1)
        return hour + 12;
    return hour == 12 && half == 0 ? 0 : hour;
}

/* The token that says of the number at `at` whether it is hours, minutes or seconds: behind it, or before. */
static size_t unit_at(const struct guess *guess, size_t at)
{
    if (unit_of(token(guess, at + 1)) != NONE)
        return at + 1;
    if (is(guess, at + 1, ' ') && unit_of(token(guess, at + 2)) != NONE)
        return at + 2;
    if (at > 0 && unit_of(token(guess, at - 1)) != NONE)
        return at - 1;
    if (at > 1 && at == guess->tokens.count - 1 && is(guess, at - 1, ' ') &&
        unit_of(token(guess, at - 2)) != NONE)
        return at - 2;
    return at;
}

static bool take_unit(struct guess *guess, size_t *at, size_t unit_place)
{
    struct slice text = token(guess, *at);
    int unit = unit_of(token(guess, unit_place)) + (unit_place < *at);
    struct number number;
    if (unit_place > *at)
        *at = unit_place;
    if (unit == 1)
        return take_minutes(guess, text);
    if (unit == 2)
        return take_seconds(guess, text);
    if (unit > 2)
        return true;
    if (!decimal(text, &number))
        return false;
    guess->hour = number.whole;
    if (number.has_fraction)
        guess->minute = number.sixtieth;
    return true;
}

/* HH:MM[:SS[.ss]] */
static bool take_clock(struct guess *guess, size_t *at, long hour)
{
    guess->hour = hour;
    if (!take_minutes(guess, token(guess, *at + 2)))
        return false;
    if (is(guess, *at + 3, ':') && *at + 4 < guess->tokens.count) {
        if (!take_seconds(guess, token(guess, *at + 4)))
            return false;
        *at += 2;
    }
    *at += 2;
    return true;
}

static bool add_month_or_digits(struct guess *guess, size_t at)
{
    int month = month_of(token(guess, at));
    return month != NONE ? guess_date_add(&guess->date, month + 1, 'M')
                         : guess_date_add_digits(&guess->date, token(guess, at), 0);
}

/* 01-01[-01], 01-Jan[-01] */
static bool take_separated(struct guess *guess, size_t *at)
{
    char separator = *token(guess, *at + 1).data;
    if (!guess_date_add_digits(&guess->date, token(guess, *at), 0))
        return false;
    if (*at + 2 < guess->tokens.count && !is_jump(token(guess, *at + 2))) {
        if (!add_month_or_digits(guess, *at + 2))
            return false;
        if (is(guess, *at + 3, separator)) {
            if (!add_month_or_digits(guess, *at + 4))
                return false;
            *at += 2;
        }
        (*at)++;
    }
    (*at)++;
    return true;
}

/* YYYYMMDD[HHMM[SS]], YYMMDD, HHMM, HHMMSS[.ss]: digits in a row. *ret_is: it was one of them. */
static bool take_row(struct guess *guess, size_t at, bool *ret_is)
{
    struct slice text = token(guess, at);
    const char *dot = memchr(text.data, '.', text.size);
    *ret_is = true;
    if (guess->date.count == 3 && (text.size == 2 || text.size == 4) && guess->hour == NONE &&
        !is(guess, at + 1, ':') && unit_of(token(guess, at + 1)) == NONE) {
        guess->hour = guess_whole(part(text, 0, 2));
        guess->minute = text.size == 4 ? guess_whole(part(text, 2, 2)) : guess->minute;
        return guess->hour != NONE && (text.size == 2 || guess->minute != NONE);
    }
    if (text.size == 6 || (text.size > 6 && dot == text.data + 6)) {
        if (guess->date.count == 0 && !dot)
            return guess_date_add_digits(&guess->date, part(text, 0, 2), 0) &&
                   guess_date_add_digits(&guess->date, part(text, 2, 2), 0) &&
                   guess_date_add_digits(&guess->date, part(text, 4, 2), 0);
        guess->hour = guess_whole(part(text, 0, 2));
        guess->minute = guess_whole(part(text, 2, 2));
        return guess->hour != NONE && guess->minute != NONE && take_seconds(guess, part(text, 4, text.size));
    }
    if (text.size == 8 || text.size == 12 || text.size == 14) {
        if (!guess_date_add_digits(&guess->date, part(text, 0, 4), 'Y') ||
            !guess_date_add_digits(&guess->date, part(text, 4, 2), 0) ||
            !guess_date_add_digits(&guess->date, part(text, 6, 2), 0))
            return false;
        if (text.size > 8) {
            guess->hour = guess_whole(part(text, 8, 2));
            guess->minute = guess_whole(part(text, 10, 2));
            guess->second = text.size > 12 ? guess_whole(part(text, 12, 2)) : guess->second;
        }
        return text.size == 8 ||
               (guess->hour != NONE && guess->minute != NONE && (text.size == 12 || guess->second != NONE));
    }
    *ret_is = false;
    return true;
}

static bool add_number(struct guess *guess, const struct number *number)
{
    bool is_year = number->whole > 100 || (number->whole == 100 && number->has_fraction);
    guess->date.has_century |= is_year;
    return guess_date_add(&guess->date, number->whole, is_year ? 'Y' : 0);
}

static bool take_number(struct guess *guess, size_t *at)
{
    struct slice text = token(guess, *at), next = token(guess, *at + 1);
    struct number number;
    bool is_row;
    if (!decimal(text, &number) || !take_row(guess, *at, &is_row))
        return false;
    if (is_row)
        return true;
    size_t unit = unit_at(guess, *at);
    if (unit != *at)
        return take_unit(guess, at, unit);
    if (is(guess, *at + 1, ':') && *at + 2 < guess->tokens.count)
        return take_clock(guess, at, number.whole);
    if (is(guess, *at + 1, '-') || is(guess, *at + 1, '/') || is(guess, *at + 1, '.'))
        return take_separated(guess, at);
    if (*at + 1 < guess->tokens.count && !is_jump(next)) { /* "12am", "2nd" */
        if (half_of(next) == NONE || number.whole >= 24)
            return guess_date_may_be_day(&guess->date, number.whole, number.has_fraction) &&
                   add_number(guess, &number);
        guess->hour = in_half(number.whole, half_of(next));
        (*at)++;
        return true;
    }
    int half = half_of(token(guess, *at + 2));
    if (half != NONE)
        guess->hour = in_half(number.whole, half);
    else if (!add_number(guess, &number))
        return false;
    *at += half != NONE ? 2 : 1;
    return true;
}

/* Jan-01[-99], "Jan of 01", or the month alone. */
static bool take_month(struct guess *guess, size_t *at, long this_year)
{
    if (!guess_date_add(&guess->date, month_of(token(guess, *at)) + 1, 'M'))
        return false;
    if (is(guess, *at + 1, '-') || is(guess, *at + 1, '/')) {
        char separator = *token(guess, *at + 1).data;
        if (!guess_date_add_digits(&guess->date, token(guess, *at + 2), 0))
            return false;
        if (is(guess, *at + 3, separator)) {
            if (!guess_date_add_digits(&guess->date, token(guess, *at + 4), 0))
                return false;
            *at += 2;
        }
        *at += 2;
    } else if (*at + 4 < guess->tokens.count && is(guess, *at + 1, ' ') && is(guess, *at + 3, ' ') &&
               place_in("of", token(guess, *at + 2)) != NONE) {
        long year = guess_whole(token(guess, *at + 4));
        if (year != NONE && !guess_date_add(&guess->date, guess_date_year(year, false, this_year), 'Y'))
            return false;
        guess->date.has_century |= year != NONE;
        *at += 4;
    }
    return true;
}

/* +HHMM, +HH:MM, +HH, and perhaps a name behind it in parentheses. */
static bool take_offset(struct guess *guess, size_t *at)
{
    long sign = is(guess, *at, '+') ? 1 : -1, hours, minutes = 0;
    struct slice text = token(guess, *at + 1);
    if (text.size == 4) {
        hours = guess_whole(part(text, 0, 2));
        minutes = guess_whole(part(text, 2, 2));
    } else if (is(guess, *at + 2, ':')) {
        hours = guess_whole(text);
        minutes = guess_whole(token(guess, *at + 3));
        *at += 2;
    } else {
        hours = text.size <= 2 ? guess_whole(text) : NONE;
    }
    if (hours == NONE || minutes == NONE || hours > 100000 || minutes > 100000)
        return false;
    guess->has_offset = true;
    guess->offset = sign * (hours * 3600 + minutes * 60);
    if (*at + 5 < guess->tokens.count && is_jump(token(guess, *at + 2)) && is(guess, *at + 3, '(') &&
        is(guess, *at + 5, ')') && token(guess, *at + 4).size >= 3 &&
        may_be_zone(guess, token(guess, *at + 4), true)) {
        guess->zone = token(guess, *at + 4);
        *at += 4;
    }
    (*at)++;
    return true;
}

/* "GMT+3" is not that GMT is three hours on, but that it is reached by them: the sign turns. */
static void take_zone(struct guess *guess, size_t at)
{
    guess->zone = token(guess, at);
    if (slice_equal(guess->zone, SLICE_LITERAL("z"))) {
        guess->has_offset = true;
        guess->offset = 0;
    }
    if (!is(guess, at + 1, '+') && !is(guess, at + 1, '-'))
        return;
    guess->tokens.items[at + 1] = is(guess, at + 1, '+') ? SLICE_LITERAL("-") : SLICE_LITERAL("+");
    guess->has_offset = false;
    if (is_utc(guess->zone))
        guess->zone.size = 0;
}

static bool take_token(struct guess *guess, size_t *at, long this_year)
{
    struct slice word = token(guess, *at);
    if (*word.data >= '0' && *word.data <= '9')
        return take_number(guess, at);
    if (weekday_of(word) != NONE) {
        guess->weekday = weekday_of(word);
        return true;
    }
    if (month_of(word) != NONE)
        return take_month(guess, at, this_year);
    if (half_of(word) != NONE) {
        if (guess->hour == NONE || guess->hour > 12)
            return false;
        guess->hour = in_half(guess->hour, half_of(word));
        return true;
    }
    if (may_be_zone(guess, word, false)) {
        take_zone(guess, *at);
        return true;
    }
    if (guess->hour != NONE && (is(guess, *at, '+') || is(guess, *at, '-')))
        return take_offset(guess, at);
    return is_jump(word);
}

/* --- the whole ------------------------------------------------------------------------------------- */

/* What is not said is today's, and the beginning of the day. */
static bool build(struct guess *guess, const struct datetime_fields *today, struct datetime *ret_datetime,
                  bool *ret_dated)
{
    long year, month, day;
    guess_date_resolve(&guess->date, &year, &month, &day);
    *ret_dated = year != NONE && month != NONE && day != NONE;
    bool has_day = day != NONE;
    year =
        year == NONE ? (long)today->year : guess_date_year(year, guess->date.has_century, (long)today->year);
    month = month == NONE ? (long)today->month : month;
    if (guess->zone.size && is_utc(guess->zone)) {
        guess->has_offset = true;
        guess->offset = 0;
    }
    if (year < 1 || year > 9999 || month < 1 || month > 12 || labs(guess->offset) >= 86400)
        return false;
    if (!has_day) {
        long last = (long)calendar_month_length(year, (unsigned)month);
        day = (long)today->day > last ? last : (long)today->day;
    }
    struct datetime_fields fields = {.year = year, .month = (unsigned)month};
    const struct {
        long value;
        unsigned *field;
    } rest[] = {{day, &fields.day},
                {guess->hour, &fields.hour},
                {guess->minute, &fields.minute},
                {guess->second, &fields.second},
                {guess->microsecond, &fields.microsecond}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        if (rest[i].value > 999999)
            return false;
        *rest[i].field = rest[i].value == NONE ? 0 : (unsigned)rest[i].value;
    }
    *ret_datetime = (struct datetime){.zone = guess->has_offset ? DATETIME_TZ_OFFSET : DATETIME_NAIVE,
                                      .offset = guess->has_offset ? (int32_t)guess->offset : 0};
    if (!datetime_of_fields(&fields, &ret_datetime->local))
        return false;
    if (guess->weekday != NONE && !has_day) {
        int from = (int)datetime_fields(ret_datetime).weekday;
        ret_datetime->local += (guess->weekday - from + 7) % 7 * DATETIME_DAY;
    }
    return datetime_in_range(ret_datetime->local);
}

int datetime_guess(struct slice text, const struct datetime *now, struct datetime *ret_datetime,
                   bool *ret_dated, struct error *err)
{
    const struct datetime_fields today = datetime_fields(now);
    struct guess guess = {.date = {.year_at = NONE, .month_at = NONE},
                          .hour = NONE,
                          .minute = NONE,
                          .second = NONE,
                          .microsecond = NONE,
                          .weekday = NONE};
    bool right = text.size && guess_split(&guess.tokens, text);
    for (size_t at = 0; right && at < guess.tokens.count; at++)
        right = take_token(&guess, &at, (long)today.year);
    bool any = guess.date.count || guess.hour != NONE || guess.minute != NONE || guess.second != NONE ||
               guess.weekday != NONE;
    if (!right || !any || !build(&guess, &today, ret_datetime, ret_dated))
        return error_set(err, ERROR_INVALID, "a text is no date");
    return 0;
}
