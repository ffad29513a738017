#include "big.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIMB = 1000000000, LIMB_DIGITS = 9, SMALL_LIMBS = 3 };

/* Either kind as sign and limbs; those of a small one are in `small`. */
struct parts {
    bool negative;
    uint32_t count;
    const uint32_t *limbs;
    uint32_t small[SMALL_LIMBS];
};

static void parts_of(const struct tvalue *value, struct parts *parts)
{
    if (value->kind == TVALUE_BIG) {
        *parts = (struct parts){value->big->negative, value->big->count, value->big->limbs, {0}};
        return;
    }
    int64_t integer = value->kind == TVALUE_BOOL ? value->boolean : value->integer;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    parts->negative = integer < 0;
    parts->count = 0;
    for (; rest; rest /= LIMB)
        parts->small[parts->count++] = (uint32_t)(rest % LIMB);
    parts->limbs = parts->small;
}

static struct big *big_new(struct arena *arena, uint32_t limbs)
{
    struct big *big = arena_alloc(arena, sizeof *big + (size_t)limbs * sizeof *big->limbs);
    big->negative = false;
    big->count = limbs;
    return big;
}

static struct tvalue normal(struct big *big)
{
    while (big->count && big->limbs[big->count - 1] == 0)
        big->count--;
    if (big->count <= SMALL_LIMBS) {
        unsigned __int128 value = 0;
        for (uint32_t i = big->count; i-- > 0;)
            value = value * LIMB + big->limbs[i];
        if (value <= (unsigned __int128)INT64_MAX + big->negative)
            return tvalue_int(big->negative ? (int64_t)(0 - (uint64_t)value) : (int64_t)value);
    }
    return (struct tvalue){.kind = TVALUE_BIG, .big = big};
}

static int compare_limbs(const struct parts *a, const struct parts *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

static struct big *add_limbs(struct arena *arena, const struct parts *a, const struct parts *b)
{
    uint32_t count = (a->count > b->count ? a->count : b->count) + 1, carry = 0;
    struct big *sum = big_new(arena, count);
    for (uint32_t i = 0; i < count; i++) {
        carry += (i < a->count ? a->limbs[i] : 0) + (i < b->count ? b->limbs[i] : 0);
        sum->limbs[i] = carry % LIMB;
        carry /= LIMB;
    }
    return sum;
}

/* a >= b */
static struct big *subtract_limbs(struct arena *arena, const struct parts *a, const struct parts *b)
{
    struct big *rest = big_new(arena, a->count);
    int64_t borrow = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        int64_t limb = (int64_t)a->limbs[i] - (i < b->count ? b->limbs[i] : 0) - borrow;
        borrow = limb < 0;
        rest->limbs[i] = (uint32_t)(limb + (borrow ? LIMB : 0));
    }
    return rest;
}

static struct tvalue add_parts(struct arena *arena, const struct parts *a, const struct parts *b)
{
    struct big *sum;
    if (a->negative == b->negative) {
        sum = add_limbs(arena, a, b);
        sum->negative = a->negative;
    } else if (compare_limbs(a, b) >= 0) {
        sum = subtract_limbs(arena, a, b);
        sum->negative = a->negative;
    } else {
        sum = subtract_limbs(arena, b, a);
        sum->negative = b->negative;
    }
    return normal(sum);
}

static bool is_small(const struct tvalue *value, int64_t *ret_integer)
{
    if (value->kind == TVALUE_BIG)
        return false;
    *ret_integer = value->kind == TVALUE_BOOL ? value->boolean : value->integer;
    return true;
}

struct tvalue integer_add(struct arena *arena, const struct tvalue *a, const struct tvalue *b)
{
    int64_t x, y, sum;
    if (is_small(a, &x) && is_small(b, &y) && !__builtin_add_overflow(x, y, &sum))
        return tvalue_int(sum);
    struct parts left, right;
    parts_of(a, &left);
    parts_of(b, &right);
    return add_parts(arena, &left, &right);
}

struct tvalue integer_subtract(struct arena *arena, const struct tvalue *a, const struct tvalue *b)
{
    int64_t x, y, rest;
    if (is_small(a, &x) && is_small(b, &y) && !__builtin_sub_overflow(x, y, &rest))
        return tvalue_int(rest);
    struct parts left, right;
    parts_of(a, &left);
    parts_of(b, &right);
    right.negative = !right.negative;
    return add_parts(arena, &left, &right);
}

struct tvalue integer_negate(struct arena *arena, const struct tvalue *a)
{
    struct tvalue zero = tvalue_int(0);
    return integer_subtract(arena, &zero, a);
}

struct tvalue integer_multiply(struct arena *arena, const struct tvalue *a, const struct tvalue *b)
{
    int64_t x, y, product;
    if (is_small(a, &x) && is_small(b, &y) && !__builtin_mul_overflow(x, y, &product))
        return tvalue_int(product);
    struct parts left, right;
    parts_of(a, &left);
    parts_of(b, &right);
    struct big *result = big_new(arena, left.count + right.count + 1);
    memset(result->limbs, 0, result->count * sizeof *result->limbs);
    for (uint32_t i = 0; i < left.count; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < right.count || carry; j++) {
            uint64_t limb = result->limbs[i + j] + carry;
            if (j < right.count)
                limb += (uint64_t)left.limbs[i] * right.limbs[j];
            result->limbs[i + j] = (uint32_t)(limb % LIMB);
            carry = limb / LIMB;
        }
    }
    result->negative = left.negative != right.negative;
    return normal(result);
}

/* The largest factor with factor * b <= the remainder, which has at most one limb more than b. */
static uint32_t quotient_limb(const uint32_t *remainder, uint32_t size, const struct parts *b,
                              uint32_t *scratch)
{
    uint32_t low = 0, high = LIMB - 1;
    while (low < high) {
        uint32_t factor = low + (high - low + 1) / 2;
        uint64_t carry = 0;
        for (uint32_t i = 0; i < size; i++) {
            carry += i < b->count ? (uint64_t)factor * b->limbs[i] : 0;
            scratch[i] = (uint32_t)(carry % LIMB);
            carry /= LIMB;
        }
        int order = carry ? 1 : 0;
        for (uint32_t i = size; !order && i-- > 0;) {
            if (scratch[i] != remainder[i])
                order = scratch[i] > remainder[i] ? 1 : -1;
        }
        if (order > 0)
            high = factor - 1;
        else
            low = factor;
    }
    return low;
}

/* Schoolbook division of magnitudes. */
static void divide_limbs(struct arena *arena, const struct parts *a, const struct parts *b,
                         struct big **ret_quotient, struct big **ret_remainder)
{
    uint32_t size = b->count + 1;
    struct big *quotient = big_new(arena, a->count), *remainder = big_new(arena, size);
    uint32_t *scratch = arena_alloc(arena, size * sizeof *scratch);
    memset(remainder->limbs, 0, size * sizeof *remainder->limbs);
    for (uint32_t i = a->count; i-- > 0;) {
        memmove(remainder->limbs + 1, remainder->limbs, (size - 1) * sizeof *remainder->limbs);
        remainder->limbs[0] = a->limbs[i];
        uint32_t factor = quotient_limb(remainder->limbs, size, b, scratch);
        quotient->limbs[i] = factor;
        int64_t carry = 0;
        for (uint32_t j = 0; j < size; j++) {
            int64_t limb = (int64_t)remainder->limbs[j] + carry -
                           (j < b->count ? (int64_t)((uint64_t)factor * b->limbs[j]) : 0);
            carry = limb / LIMB;
            limb %= LIMB;
            if (limb < 0) {
                limb += LIMB;
                carry--;
            }
            remainder->limbs[j] = (uint32_t)limb;
        }
    }
    *ret_quotient = quotient;
    *ret_remainder = remainder;
}

void integer_divide(struct arena *arena, const struct tvalue *a, const struct tvalue *b,
                    struct tvalue *ret_quotient, struct tvalue *ret_remainder)
{
    int64_t x, y;
    if (is_small(a, &x) && is_small(b, &y) && !(x == INT64_MIN && y == -1)) {
        int64_t quotient = x / y, remainder = x % y;
        if (remainder && (remainder < 0) != (y < 0)) {
            quotient--;
            remainder += y;
        }
        *ret_quotient = tvalue_int(quotient);
        *ret_remainder = tvalue_int(remainder);
        return;
    }
    struct parts left, right;
    parts_of(a, &left);
    parts_of(b, &right);
    struct big *quotient, *remainder;
    divide_limbs(arena, &left, &right, &quotient, &remainder);
    quotient->negative = left.negative != right.negative;
    remainder->negative = left.negative;
    *ret_quotient = normal(quotient);
    *ret_remainder = normal(remainder);
    bool rest = !(ret_remainder->kind == TVALUE_INT && ret_remainder->integer == 0);
    if (rest && left.negative != right.negative) {
        struct tvalue one = tvalue_int(1);
        *ret_quotient = integer_subtract(arena, ret_quotient, &one);
        *ret_remainder = integer_add(arena, ret_remainder, b);
    }
}

int integer_compare(const struct tvalue *a, const struct tvalue *b)
{
    int64_t x, y;
    if (is_small(a, &x) && is_small(b, &y))
        return (x > y) - (x < y);
    struct parts left, right;
    parts_of(a, &left);
    parts_of(b, &right);
    if (left.negative != right.negative)
        return left.negative ? -1 : 1;
    int order = compare_limbs(&left, &right);
    return left.negative ? -order : order;
}

bool integer_is_negative(const struct tvalue *a)
{
    int64_t x;
    return is_small(a, &x) ? x < 0 : a->big->negative;
}

size_t integer_digits(const struct tvalue *a)
{
    return a->kind == TVALUE_BIG ? (size_t)a->big->count * LIMB_DIGITS : 19;
}

double integer_to_double(const struct tvalue *a)
{
    int64_t x;
    if (is_small(a, &x))
        return (double)x;
    /* More than 320 digits are infinite; the C library rounds the text correctly. */
    if (a->big->count > 36)
        return a->big->negative ? -HUGE_VAL : HUGE_VAL;
    char text[36 * LIMB_DIGITS + 2], *to = text;
    if (a->big->negative)
        *to++ = '-';
    for (uint32_t i = a->big->count; i-- > 0;)
        to += snprintf(to, LIMB_DIGITS + 1, "%09u", a->big->limbs[i]);
    return strtod(text, NULL);
}

struct tvalue integer_of_double(struct arena *arena, double number)
{
    if (number >= -9223372036854775808.0 && number < 9223372036854775808.0)
        return tvalue_int((int64_t)number);
    char text[DBL_MAX_10_EXP + 4];
    snprintf(text, sizeof text, "%.0f", fabs(number));
    return integer_of_digits(arena, slice_of(text), number < 0);
}

struct tvalue integer_of_digits(struct arena *arena, struct slice digits, bool negative)
{
    while (digits.size > 1 && *digits.data == '0') {
        digits.data++;
        digits.size--;
    }
    uint32_t count = (uint32_t)((digits.size + LIMB_DIGITS - 1) / LIMB_DIGITS);
    if (digits.size <= 18) {
        int64_t value = 0;
        for (size_t i = 0; i < digits.size; i++)
            value = value * 10 + (digits.data[i] - '0');
        return tvalue_int(negative ? -value : value);
    }
    struct big *big = big_new(arena, count);
    size_t end = digits.size;
    for (uint32_t i = 0; i < count; i++) {
        size_t start = end > LIMB_DIGITS ? end - LIMB_DIGITS : 0;
        uint32_t limb = 0;
        for (size_t at = start; at < end; at++)
            limb = limb * 10 + (uint32_t)(digits.data[at] - '0');
        big->limbs[i] = limb;
        end = start;
    }
    big->negative = negative;
    return normal(big);
}

void integer_text(struct ttext *out, const struct tvalue *a)
{
    int64_t x;
    if (is_small(a, &x)) {
        char text[24], *at = text + sizeof text;
        uint64_t rest = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
        do
            *--at = (char)('0' + rest % 10);
        while (rest /= 10);
        if (x < 0)
            *--at = '-';
        ttext_add(out, at, (size_t)(text + sizeof text - at));
        return;
    }
    if (a->big->negative)
        ttext_byte(out, '-');
    char limb[16];
    for (uint32_t i = a->big->count; i-- > 0;) {
        int size = snprintf(limb, sizeof limb, i + 1 == a->big->count ? "%u" : "%09u", a->big->limbs[i]);
        ttext_add(out, limb, (size_t)size);
    }
}
