/* A number literal taken apart: sign, significant digits where they stand in the text, exponent. No digit is
 * copied; zeros at either end are left out, so that equal values have equal parts. Private to this folder. */
#ifndef FIRTH_JSON_DECIMAL_H
#define FIRTH_JSON_DECIMAL_H

#include "base/text.h"

/* value = (-1)^negative * 0.d1 d2 … dn * 10^scale. Zero: digits == 0 and nothing else set. */
struct decimal {
    bool negative;
    const char *first; /* the first significant digit; a decimal point may stand among the digits */
    uint32_t digits;
    int64_t scale;        /* beyond +-NUMBER_EXPONENT_MAX: that; two such are told apart by decimal_apart */
    int64_t point;        /* the scale without the exponent */
    const char *exponent; /* its digits … */
    uint32_t exponent_size;
    bool exponent_negative;
};

struct decimal decimal_of(struct slice text);

/* The scale of a less that of b, neither of them zero; exactly but for differences beyond
 * NUMBER_EXPONENT_MAX, whose sign is right. */
int64_t decimal_apart(const struct decimal *a, const struct decimal *b);

/* The digit at *at, which moves on, over a decimal point too. */
static inline unsigned decimal_next(const char **at)
{
    if (**at == '.')
        ++*at;
    return (unsigned)(*(*at)++ - '0');
}

/* Where the ones are in 0.d1…dn * 10^scale: the power of ten of the last digit. */
static inline int64_t decimal_exponent(const struct decimal *decimal)
{
    return decimal->scale - (int64_t)decimal->digits;
}

/* The digits as an integer; at most DECIMAL_U64_DIGITS of them. */
enum { DECIMAL_U64_DIGITS = 19 };
static inline uint64_t decimal_integer(const struct decimal *decimal)
{
    uint64_t digits = 0;
    const char *at = decimal->first;
    for (uint32_t i = 0; i < decimal->digits; i++)
        digits = digits * 10 + decimal_next(&at);
    return digits;
}

/* 5^0 to 5^27, those that 63 bits hold. */
enum { DECIMAL_FIVES = 27 };
extern const uint64_t decimal_fives[DECIMAL_FIVES + 1];

/* The nearest double of one that is not zero; false if that would be infinite. */
bool decimal_to_double(const struct decimal *decimal, double *ret_value);

#endif
