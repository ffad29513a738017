/* Exact questions about number literals of any size. Nothing is expanded: memory is bounded by names, time is
 * linear in the text (number_is_multiple: see there). */
#include "json/number.h"

#include "json/decimal.h"
#include "json/hash.h"

#include <stdlib.h>

static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
    int64_t apart = decimal_apart(a, b);
    if (apart != 0)
        return apart < 0 ? -1 : 1;
    const char *x = a->first, *y = b->first;
    uint32_t common = a->digits < b->digits ? a->digits : b->digits;
    for (uint32_t i = 0; i < common; i++) {
        unsigned left = decimal_next(&x), right = decimal_next(&y);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (a->digits > b->digits) - (a->digits < b->digits);
}

int number_compare(struct slice a, struct slice b)
{
    struct decimal x = decimal_of(a), y = decimal_of(b);
    int x_sign = x.digits ? x.negative ? -1 : 1 : 0;
    int y_sign = y.digits ? y.negative ? -1 : 1 : 0;
    if (x_sign != y_sign || x_sign == 0)
        return (x_sign > y_sign) - (x_sign < y_sign);
    return x_sign * compare_magnitude(&x, &y);
}

bool number_is_integer(struct slice text)
{
    struct decimal decimal = decimal_of(text);
    return decimal.digits == 0 || decimal_exponent(&decimal) >= 0;
}

/* |text| as an integer of at most 64 bits. */
static bool to_magnitude(const struct decimal *decimal, uint64_t *ret_value)
{
    if (decimal->digits == 0) {
        *ret_value = 0;
        return true;
    }
    if (decimal_exponent(decimal) < 0 || decimal->scale > 20)
        return false;
    uint64_t value = 0;
    const char *at = decimal->first;
    for (int64_t i = 0; i < decimal->scale; i++) {
        unsigned digit = i < decimal->digits ? decimal_next(&at) : 0;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool number_to_u64(struct slice text, uint64_t *ret_value)
{
    struct decimal decimal = decimal_of(text);
    return !decimal.negative && to_magnitude(&decimal, ret_value);
}

bool number_to_i64(struct slice text, int64_t *ret_value)
{
    struct decimal decimal = decimal_of(text);
    uint64_t magnitude;
    if (!to_magnitude(&decimal, &magnitude) || magnitude > (uint64_t)INT64_MAX + decimal.negative)
        return false;
    *ret_value = (int64_t)(decimal.negative ? 0 - magnitude : magnitude);
    return true;
}

bool number_decade(struct slice text, int64_t *ret_below, int64_t *ret_above)
{
    struct decimal decimal = decimal_of(text);
    if (decimal.digits == 0)
        return false;
    *ret_below = decimal.scale - 1;
    *ret_above = decimal.digits == 1 && *decimal.first == '1' ? decimal.scale - 1 : decimal.scale;
    return true;
}

uint64_t number_hash(struct slice text, uint64_t seed)
{
    struct decimal decimal = decimal_of(text);
    uint64_t sign_and_scale = (uint64_t)decimal.scale << 1 | decimal.negative;
    uint64_t hash = json_hash_fold(seed ^ JSON_HASH_A, sign_and_scale ^ JSON_HASH_B);
    hash = json_hash_fold(hash ^ JSON_HASH_A, decimal.digits ^ JSON_HASH_SIZE);
    const char *at = decimal.first;
    for (uint32_t rest = decimal.digits; rest > 0;) {
        uint32_t count = rest < DECIMAL_U64_DIGITS ? rest : DECIMAL_U64_DIGITS;
        rest -= count;
        uint64_t digits = 0;
        while (count-- > 0)
            digits = digits * 10 + decimal_next(&at);
        hash = json_hash_fold(hash ^ JSON_HASH_A, digits ^ JSON_HASH_B);
    }
    return hash;
}

/* --- multiples ----------------------------------------------------------------------------------- */

/* A divisor of many digits, in limbs of nine decimal digits, least first; the remainder has its size + 1. */
enum { LIMB = 1000000000 };

struct division {
    uint32_t *divisor, *remainder;
    size_t limbs;
};

/* The digits of the decimal as limbs. */
static void limbs_of(const struct decimal *decimal, uint32_t *limbs, size_t count)
{
    memset(limbs, 0, count * sizeof *limbs);
    const char *at = decimal->first;
    for (uint32_t i = decimal->digits; i-- > 0;) {
        static const uint32_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
        limbs[i / 9] += decimal_next(&at) * power[i % 9];
    }
}

static int compare_limbs(const uint32_t *a, const uint32_t *b, size_t count)
{
    while (count-- > 0) {
        if (a[count] != b[count])
            return a[count] < b[count] ? -1 : 1;
    }
    return 0;
}

/* remainder = (remainder * 10 + digit) mod divisor. */
static void divide_digit(struct division *division, unsigned digit)
{
    uint32_t *rest = division->remainder, carry = digit;
    for (size_t i = 0; i <= division->limbs; i++) {
        uint64_t value = (uint64_t)rest[i] * 10 + carry;
        rest[i] = (uint32_t)(value % LIMB);
        carry = (uint32_t)(value / LIMB);
    }
    while (rest[division->limbs] || compare_limbs(rest, division->divisor, division->limbs) >= 0) {
        int64_t borrow = 0;
        for (size_t i = 0; i <= division->limbs; i++) {
            int64_t value = (int64_t)rest[i] - (i < division->limbs ? division->divisor[i] : 0) - borrow;
            borrow = value < 0;
            rest[i] = (uint32_t)(value + borrow * LIMB);
        }
    }
}

/* Is a * 10^zeros divisible by b, all taken as integers? */
static bool divides_big(const struct decimal *a, const struct decimal *b, int64_t zeros)
{
    size_t limbs = (b->digits + 8U) / 9;
    auto_free uint32_t *memory = mem_zalloc((2 * limbs + 1) * sizeof *memory);
    struct division division = {.divisor = memory, .remainder = memory + limbs, .limbs = limbs};
    limbs_of(b, division.divisor, limbs);
    const char *at = a->first;
    for (uint32_t i = 0; i < a->digits; i++)
        divide_digit(&division, decimal_next(&at));
    for (int64_t i = 0; i < zeros; i++)
        divide_digit(&division, 0);
    for (size_t i = 0; i <= limbs; i++) {
        if (division.remainder[i])
            return false;
    }
    return true;
}

static bool divides_small(const struct decimal *a, uint64_t divisor, int64_t zeros)
{
    uint64_t rest = 0;
    const char *at = a->first;
    for (int64_t i = 0; i < a->digits + zeros; i++) {
        unsigned digit = i < a->digits ? decimal_next(&at) : 0;
        rest = (uint64_t)(((unsigned __int128)rest * 10 + digit) % divisor);
    }
    return rest == 0;
}

bool number_is_multiple(struct slice a, struct slice b)
{
    struct decimal x = decimal_of(a), y = decimal_of(b);
    if (x.digits == 0)
        return true;
    if (y.digits == 0)
        return false;
    /* a = X * 10^i, b = Y * 10^j, neither X nor Y ending in 0. With i < j, a / b is no integer: Y * 10^(j-i)
     * would have to divide X. Else Y must divide X * 10^(i-j); more zeros than Y has bits cannot help. */
    int64_t zeros = decimal_apart(&x, &y) - (int64_t)x.digits + (int64_t)y.digits;
    if (zeros < 0)
        return false;
    int64_t useful = (int64_t)y.digits * 4;
    if (zeros > useful)
        zeros = useful;
    if (y.digits <= 19) {
        uint64_t divisor = 0;
        const char *at = y.first;
        for (uint32_t i = 0; i < y.digits; i++)
            divisor = divisor * 10 + decimal_next(&at);
        return divides_small(&x, divisor, zeros);
    }
    if (((uint64_t)x.digits + (uint64_t)zeros) * y.digits > NUMBER_MULTIPLE_WORK_MAX)
        return false;
    return divides_big(&x, &y, zeros);
}
