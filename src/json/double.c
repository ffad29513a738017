/* Number literals to the nearest double: short ones by one exact multiplication or division (Clinger), those
 * of up to 19 digits by one of 128 bits, the others by the C library in its C locale, from at most as many
 * digits as can matter. */
#include "json/decimal.h"
#include "json/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* No halfway point between two doubles has more significant digits. */
enum { DIGITS_THAT_MATTER = 770 };

const uint64_t decimal_fives[DECIMAL_FIVES + 1] = {1,
                                                   5,
                                                   25,
                                                   125,
                                                   625,
                                                   3125,
                                                   15625,
                                                   78125,
                                                   390625,
                                                   1953125,
                                                   9765625,
                                                   48828125,
                                                   244140625,
                                                   1220703125,
                                                   6103515625,
                                                   30517578125,
                                                   152587890625,
                                                   762939453125,
                                                   3814697265625,
                                                   19073486328125,
                                                   95367431640625,
                                                   476837158203125,
                                                   2384185791015625,
                                                   11920928955078125,
                                                   59604644775390625,
                                                   298023223876953125,
                                                   1490116119384765625,
                                                   7450580596923828125};

static bool to_double_slow(const struct decimal *decimal, double *ret_value)
{
    char text[DIGITS_THAT_MATTER + 64], *to = text;
    const char *from = decimal->first;
    if (decimal->negative)
        *to++ = '-';
    *to++ = '.';
    uint32_t digits = decimal->digits < DIGITS_THAT_MATTER ? decimal->digits : DIGITS_THAT_MATTER;
    for (uint32_t i = 0; i < digits; i++)
        *to++ = (char)('0' + decimal_next(&from));
    if (digits < decimal->digits)
        *to++ = '1'; /* whatever follows, it is more than nothing and decides only a tie */
    snprintf(to, 32, "e%lld", (long long)decimal->scale);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant in both glibc and musl */
    if (!c_locale)
        return false;
    double value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (isinf(value))
        return false;
    *ret_value = value;
    return true;
}

/* digits / 10^places by division of integers: every bit of the quotient that decides is there, and whether
 * anything is behind it. The result is far from the ends of the range, so it is normal. */
static double divide(uint64_t digits, unsigned places)
{
    enum { MANTISSA = 53 };
    uint64_t power = decimal_fives[places];
    int up = __builtin_clzll(digits), power_up = __builtin_clzll(power);
    unsigned __int128 dividend = (unsigned __int128)(digits << up) << 63;
    uint64_t divisor = power << power_up;
    uint64_t quotient = (uint64_t)(dividend / divisor), rest = (uint64_t)(dividend % divisor);
    int spare = 64 - __builtin_clzll(quotient) - MANTISSA;
    uint64_t mantissa = quotient >> spare, behind = quotient << (64 - spare), half = UINT64_C(1) << 63;
    mantissa += behind > half || (behind == half && (rest || mantissa & 1));
    return ldexp((double)mantissa, spare - 63 + power_up - up - (int)places);
}

bool decimal_to_double(const struct decimal *decimal, double *ret_value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t exponent = decimal_exponent(decimal);
    double value;
    if (decimal->digits <= 15 && exponent >= -22 && exponent <= 22) {
        value = (double)decimal_integer(decimal);
        value = exponent < 0 ? value / power[-exponent] : value * power[exponent];
    } else if (decimal->digits <= DECIMAL_U64_DIGITS && exponent <= 0 && exponent >= -DECIMAL_FIVES) {
        value = divide(decimal_integer(decimal), (unsigned)-exponent);
    } else {
        return to_double_slow(decimal, ret_value);
    }
    *ret_value = decimal->negative ? -value : value;
    return true;
}

bool number_to_double(struct slice text, double *ret_value)
{
    struct decimal decimal = decimal_of(text);
    if (decimal.digits != 0)
        return decimal_to_double(&decimal, ret_value);
    *ret_value = *text.data == '-' ? -0.0 : 0.0;
    return true;
}
