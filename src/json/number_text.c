/* Numbers written in one way each: as text for people, and as bytes in their order. */
#include "json/number.h"

#include "json/decimal.h"

#include <inttypes.h>

/* Written without an exponent where that takes no more zeros than these. */
enum { LEADING_ZEROS_MAX = 5, TRAILING_ZEROS_MAX = 40 };

static void put_digits(struct buffer *out, const char **at, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        buffer_byte(out, (char)('0' + decimal_next(at)));
}

static void put_zeros(struct buffer *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        buffer_byte(out, '0');
}

static void put_plain(struct buffer *out, const struct decimal *decimal)
{
    const char *at = decimal->first;
    int64_t digits = decimal->digits, whole = decimal->scale;
    if (whole <= 0) {
        buffer_str(out, "0.");
        put_zeros(out, -whole);
        put_digits(out, &at, digits);
    } else if (whole >= digits) {
        put_digits(out, &at, digits);
        put_zeros(out, whole - digits);
    } else {
        put_digits(out, &at, whole);
        buffer_byte(out, '.');
        put_digits(out, &at, digits - whole);
    }
}

void number_put_shortest(struct buffer *out, struct slice text)
{
    struct decimal decimal = decimal_of(text);
    if (!decimal.digits) {
        buffer_byte(out, '0');
        return;
    }
    if (decimal.scale <= -NUMBER_EXPONENT_MAX || decimal.scale >= NUMBER_EXPONENT_MAX) {
        buffer_append(out, text.data, text.size); /* its exponent is not known as a number */
        return;
    }
    if (decimal.negative)
        buffer_byte(out, '-');
    if (decimal.scale >= -LEADING_ZEROS_MAX && decimal_exponent(&decimal) <= TRAILING_ZEROS_MAX) {
        put_plain(out, &decimal);
        return;
    }
    const char *at = decimal.first;
    put_digits(out, &at, 1);
    if (decimal.digits > 1) {
        buffer_byte(out, '.');
        put_digits(out, &at, decimal.digits - 1);
    }
    buffer_printf(out, "e%" PRId64, decimal.scale - 1);
}

void number_put_ordered(struct buffer *out, struct slice text)
{
    enum { NEGATIVE = 1, ZERO, POSITIVE };
    struct decimal decimal = decimal_of(text);
    const char *at = decimal.first;
    buffer_byte(out, (char)(!decimal.digits ? ZERO : decimal.negative ? NEGATIVE : POSITIVE));
    if (!decimal.digits)
        return;
    /* The larger magnitude first where it is negative: all bytes turned round, and one behind them that is
     * above every digit, since fewer digits are then more. */
    const unsigned char turn = decimal.negative ? 0xff : 0;
    uint64_t scale = (uint64_t)decimal.scale ^ (UINT64_C(1) << 63);
    for (int shift = 56; shift >= 0; shift -= 8)
        buffer_byte(out, (char)((unsigned char)(scale >> shift) ^ turn));
    for (uint32_t i = 0; i < decimal.digits; i++)
        buffer_byte(out, (char)((unsigned char)('0' + decimal_next(&at)) ^ turn));
    if (decimal.negative)
        buffer_byte(out, (char)0xff);
}
