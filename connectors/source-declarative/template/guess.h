/* Dates however people write them, taken apart: tokens, and the numbers of which a date is made. Private to
 * guess.c, guess_tokens.c and guess_date.c. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_GUESS_H
#define FIRTH_DECLARATIVE_TEMPLATE_GUESS_H

#include "datetime.h"

enum { GUESS_TOKENS_MAX = 64, GUESS_NONE = -1 };

struct guess_tokens {
    char text[DATETIME_GUESS_MAX + 1]; /* tokens lie in it: a comma in a number becomes a dot */
    struct slice items[GUESS_TOKENS_MAX];
    size_t count;
};

/* Words, numbers, blanks (each " ") and other characters. False: too many, or too long. */
bool guess_split(struct guess_tokens *tokens, struct slice text);

/* int() of digits: GUESS_NONE if there is anything else. What is longer than any date is no number here. */
long guess_whole(struct slice text);

/* Up to three numbers in their order, and which of them is known to be what. GUESS_NONE: none is. */
struct guess_date {
    long items[3];
    int count, year_at, month_at;
    bool has_century;
};

/* `label`: 'Y', 'M', or 0 if it is not known. False: more than three, or set already, or no number. */
bool guess_date_add(struct guess_date *date, long value, char label);
/* As it is written: three digits and more are a year. */
bool guess_date_add_digits(struct guess_date *date, struct slice text, char label);
/* May this, or a little more than it, still be the day? */
bool guess_date_may_be_day(const struct guess_date *date, long value, bool has_fraction);
/* Two digits are a year within fifty of this one. */
long guess_date_year(long year, bool has_century, long this_year);
/* By what is known, by size and by order. GUESS_NONE: not said. */
void guess_date_resolve(const struct guess_date *date, long *ret_year, long *ret_month, long *ret_day);

#endif
