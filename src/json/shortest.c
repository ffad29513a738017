/* Is a number the one that its double is printed as? With up to 15 digits it always is. With 16 or 17 the
 * double, in units of the number's last digit, is a fraction of 128 bits whose denominator is a power of two,
 * which answers exactly; what does not fit there is printed and read by the C library. */
#include "json/decimal.h"
#include "json/number.h"

#include <math.h>
#include <stdio.h>

enum {
    ALWAYS_HELD = 15, /* digits that every normal double keeps */
    EVER_HELD = 17,   /* that tell any two doubles apart */
    MANTISSA = 53,
};

/* --- by the C library ----------------------------------------------------------------------------------- */

/* The double with so many significant digits: is it this number? */
static bool is_printed_as(double value, unsigned digits, struct slice number)
{
    char text[40];
    int size = snprintf(text, sizeof text, "%.*e", (int)digits - 1, value);
    return number_compare(number, (struct slice){text, (size_t)size}) == 0;
}

static bool reads_back(double value, unsigned digits)
{
    char text[40];
    double back;
    int size = snprintf(text, sizeof text, "%.*e", (int)digits - 1, value);
    return number_to_double((struct slice){text, (size_t)size}, &back) && back == value;
}

/* --- by integers ---------------------------------------------------------------------------------------- */

/* A positive double in units of 10^-places: scaled / 2^shift. */
struct units {
    unsigned __int128 scaled;
    uint64_t power, mantissa; /* scaled = mantissa * power; power = 5^places */
    unsigned shift;
};

static bool to_units(double value, unsigned places, struct units *ret_units)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), MANTISSA);
    int shift = MANTISSA - exponent - (int)places;
    enum { SHIFT_MAX = 67 }; /* reads_back_in_units: 17 digits are 57 bits */
    if (shift < 1 || shift > SHIFT_MAX)
        return false;
    uint64_t power = decimal_fives[places];
    *ret_units = (struct units){(unsigned __int128)mantissa * power, power, mantissa, (unsigned)shift};
    return true;
}

/* The next integer; of two as near the even one, as the C library prints. */
static uint64_t round_units(const struct units *units)
{
    unsigned __int128 half = (unsigned __int128)1 << (units->shift - 1);
    unsigned __int128 rest = units->scaled & (2 * half - 1);
    uint64_t whole = (uint64_t)(units->scaled >> units->shift);
    return whole + (rest > half || (rest == half && whole & 1));
}

/* The same with one digit less. */
static uint64_t round_tens(const struct units *units)
{
    uint64_t whole = (uint64_t)(units->scaled >> units->shift), tens = whole / 10, digit = whole % 10;
    bool more = (units->scaled & (((unsigned __int128)1 << units->shift) - 1)) != 0;
    return (tens + (digit > 5 || (digit == 5 && (more || tens & 1)))) * 10;
}

/* Is the double the nearest to this number of units? Not asked of a power of two, whose neighbours are not
 * equally far away. */
static bool reads_back_in_units(const struct units *units, uint64_t number)
{
    unsigned __int128 wanted = (unsigned __int128)number << (units->shift + 1), is = 2 * units->scaled;
    unsigned __int128 apart = wanted > is ? wanted - is : is - wanted;
    return apart < units->power || (apart == units->power && !(units->mantissa & 1));
}

/* --- both ----------------------------------------------------------------------------------------------- */

bool number_is_held(struct slice text, double *ret_value)
{
    struct decimal decimal = decimal_of(text);
    struct units units;
    int64_t exponent = decimal_exponent(&decimal);
    if (decimal.digits == 0)
        return number_to_double(text, ret_value);
    if (!decimal_to_double(&decimal, ret_value))
        return false;
    if (decimal.digits <= ALWAYS_HELD && decimal.scale > -299)
        return true;
    if (decimal.digits > EVER_HELD || *ret_value == 0)
        return false;
    if (decimal.digits > ALWAYS_HELD && exponent <= 0 && exponent >= -DECIMAL_FIVES &&
        to_units(fabs(*ret_value), (unsigned)-exponent, &units) &&
        units.mantissa != UINT64_C(1) << (MANTISSA - 1))
        return round_units(&units) == decimal_integer(&decimal) &&
               !reads_back_in_units(&units, round_tens(&units));
    return is_printed_as(*ret_value, decimal.digits, text) &&
           (decimal.digits == 1 || !reads_back(*ret_value, decimal.digits - 1));
}
