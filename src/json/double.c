/* Number literals to the nearest double: short ones by one exact multiplication or division (Clinger), the
 * others by the C library in its C locale, from at most as many digits as can matter. */
#include "json/decimal.h"
#include "json/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* No halfway point between two doubles has more significant digits. */
enum { DIGITS_THAT_MATTER = 770 };

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

bool number_to_double(struct slice text, double *ret_value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal decimal = decimal_of(text);
    if (decimal.digits == 0) {
        *ret_value = *text.data == '-' ? -0.0 : 0.0;
        return true;
    }
    int64_t exponent = decimal_exponent(&decimal);
    if (decimal.digits > 15 || exponent < -22 || exponent > 22)
        return to_double_slow(&decimal, ret_value);
    uint64_t digits = 0;
    const char *at = decimal.first;
    for (uint32_t i = 0; i < decimal.digits; i++)
        digits = digits * 10 + decimal_next(&at);
    double value = (double)digits;
    value = exponent < 0 ? value / power[-exponent] : value * power[exponent];
    *ret_value = decimal.negative ? -value : value;
    return true;
}
