/* sum: exact, in decimal. Integers stay integers and fit 64 bits, with or without sign; a number with a
 * fraction or an exponent makes the sum one, a number in a string makes it a string. So the order of adding
 * does not matter, as it would with binary floating point. */
#include "schema/reduce/reducer.h"

enum {
    SUM_DIGITS_MAX = 1024,         /* of a sum, from the first to the last that is not 0 */
    SUM_EXPONENT_MAX = 1000000000, /* of what is added: more counts as this, and is too much anyway */
    SUM_PLAIN_MAX = 21,            /* digits that a fraction's integral part is written out to */
    SUM_PLAIN_MIN = -6             /* and zeros behind its point */
};

/* (-1)^negative * digits * 10^exponent; no zero at either end, none at all for 0. */
struct term {
    bool negative, is_fraction, is_text;
    int64_t exponent;
    uint32_t count;
    uint8_t digits[SUM_DIGITS_MAX + 1]; /* values, not characters; one more for a carry */
};

static const char *const expects_numbers = "sum strategy expects numbers";
static const char *const overflows = "sum strategy encountered a numeric overflow";

static void strip(struct term *term)
{
    uint32_t zeros = 0;
    while (term->count > 0 && term->digits[term->count - 1] == 0) {
        term->count--;
        term->exponent++;
    }
    while (zeros < term->count && term->digits[zeros] == 0)
        zeros++;
    term->count -= zeros;
    memmove(term->digits, term->digits + zeros, term->count);
    if (term->count == 0) {
        term->negative = false;
        term->exponent = 0;
    }
}

/* The number behind the e: its value; false if it is none. */
static bool parse_exponent(struct slice text, size_t at, int64_t *ret_value)
{
    bool negative = at < text.size && text.data[at] == '-';
    at += negative || (at < text.size && text.data[at] == '+');
    int64_t value = 0;
    size_t first = at;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        value = value < SUM_EXPONENT_MAX ? value * 10 + (text.data[at] - '0') : SUM_EXPONENT_MAX;
    *ret_value = negative ? -value : value;
    return at > first && at == text.size;
}

enum parsed { PARSED, NOT_A_NUMBER, TOO_LONG };

/* A JSON number, and in a string also a leading plus, leading zeros, and a point at either end. */
static enum parsed parse(struct slice text, struct term *term)
{
    size_t at = 0, any = 0;
    bool point = false;
    term->negative = text.size > 0 && text.data[0] == '-';
    at += term->negative || (text.size > 0 && text.data[0] == '+');
    term->count = 0;
    term->exponent = 0;
    int64_t zeros = 0; /* behind the digits so far: they count if another digit follows */
    for (; at < text.size && (text.data[at] | 0x20) != 'e'; at++) {
        char c = text.data[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return NOT_A_NUMBER;
        any++;
        term->exponent -= point;
        if (c == '0') {
            zeros += term->count > 0;
            continue;
        }
        if (term->count + zeros >= SUM_DIGITS_MAX)
            return TOO_LONG;
        memset(term->digits + term->count, 0, (size_t)zeros);
        term->count += (uint32_t)zeros;
        zeros = 0;
        term->digits[term->count++] = (uint8_t)(c - '0');
    }
    int64_t exponent = 0;
    if (any == 0 || (at < text.size && !parse_exponent(text, at + 1, &exponent)))
        return NOT_A_NUMBER;
    term->exponent += zeros + exponent;
    strip(term);
    return PARSED;
}

/* --- adding --------------------------------------------------------------------------------------- */

/* The term's digits as they stand from 10^(low + width - 1) down to 10^low. */
static void align(const struct term *term, int64_t low, uint32_t width, uint8_t *out)
{
    memset(out, 0, width);
    if (term->count)
        memcpy(out + width - (term->exponent - low) - term->count, term->digits, term->count);
}

static void add_digits(uint8_t *x, const uint8_t *y, uint32_t width)
{
    unsigned carry = 0;
    for (uint32_t i = width; i-- > 0;) {
        unsigned digit = x[i] + y[i] + carry;
        carry = digit >= 10;
        x[i] = (uint8_t)(digit - 10 * carry);
    }
}

/* x >= y */
static void subtract_digits(uint8_t *x, const uint8_t *y, uint32_t width)
{
    int borrow = 0;
    for (uint32_t i = width; i-- > 0;) {
        int digit = x[i] - y[i] - borrow;
        borrow = digit < 0;
        x[i] = (uint8_t)(digit + 10 * borrow);
    }
}

/* x += y. False if that has too many digits. */
static bool add(struct term *x, const struct term *y)
{
    uint8_t a[SUM_DIGITS_MAX + 1], b[SUM_DIGITS_MAX + 1];
    x->is_fraction |= y->is_fraction;
    x->is_text |= y->is_text;
    if (y->count == 0)
        return true;
    if (x->count == 0)
        x->exponent = y->exponent;
    int64_t low = x->exponent < y->exponent ? x->exponent : y->exponent;
    int64_t x_high = x->exponent + x->count, y_high = y->exponent + y->count;
    int64_t width = (x_high > y_high ? x_high : y_high) - low + 1; /* one for a carry */
    if (width > SUM_DIGITS_MAX)
        return false;
    align(x, low, (uint32_t)width, a);
    align(y, low, (uint32_t)width, b);
    uint8_t *large = a, *small = b;
    if (x->negative == y->negative) {
        add_digits(a, b, (uint32_t)width);
    } else {
        if (memcmp(a, b, (size_t)width) < 0) {
            large = b;
            small = a;
            x->negative = y->negative;
        }
        subtract_digits(large, small, (uint32_t)width);
    }
    memcpy(x->digits, large, (size_t)width);
    x->count = (uint32_t)width;
    x->exponent = low;
    strip(x);
    return true;
}

/* --- writing -------------------------------------------------------------------------------------- */

static void put_digits(const struct term *term, uint32_t from, uint32_t to, struct buffer *out)
{
    for (uint32_t i = from; i < to; i++)
        buffer_byte(out, i < term->count ? (char)('0' + term->digits[i]) : '0');
}

/* One text for each value: 12.5, 3.0, 2.0e+25. A string is written out at any length, and without ".0". */
static void format(const struct term *term, struct buffer *out)
{
    int64_t point = term->exponent + term->count; /* digits before it */
    bool plain = term->count == 0 || (point <= SUM_PLAIN_MAX && point > SUM_PLAIN_MIN) ||
                 (term->is_text && point <= SUM_DIGITS_MAX && point > -SUM_DIGITS_MAX);
    if (term->negative)
        buffer_byte(out, '-');
    if (!plain) {
        put_digits(term, 0, 1, out);
        buffer_byte(out, '.');
        put_digits(term, 1, term->count > 1 ? term->count : 2, out);
        buffer_printf(out, "e%+lld", (long long)(point - 1));
        return;
    }
    if (point > 0)
        put_digits(term, 0, (uint32_t)point, out);
    else
        buffer_byte(out, '0');
    if (term->exponent < 0) {
        buffer_byte(out, '.');
        for (int64_t i = point; i < 0; i++)
            buffer_byte(out, '0');
        put_digits(term, point > 0 ? (uint32_t)point : 0, term->count, out);
    } else if (!term->is_text && term->is_fraction) {
        buffer_str(out, ".0");
    }
}

/* --- integers ------------------------------------------------------------------------------------- */

static bool fits(__int128 value)
{
    return value >= INT64_MIN && value <= UINT64_MAX;
}

static bool integer_of(struct slice text, __int128 *ret_value)
{
    enum { DIGITS_MAX = 20 };
    bool negative = text.data[0] == '-';
    __int128 value = 0;
    if (text.size - negative > DIGITS_MAX)
        return false;
    for (size_t i = negative; i < text.size; i++)
        value = value * 10 + (text.data[i] - '0');
    *ret_value = negative ? -value : value;
    return fits(*ret_value);
}

static bool sum_integers(struct reducer *r, uint32_t left, uint32_t right)
{
    __int128 x, y;
    if (!integer_of(json_raw(r->left, left), &x) || !integer_of(json_raw(r->right, right), &y) ||
        !fits(x + y))
        return reduce_fail(r, right, overflows);
    if (x + y < 0)
        json_put_i64(&r->writer, (int64_t)(x + y));
    else
        json_put_u64(&r->writer, (uint64_t)(x + y));
    return true;
}

/* --- the strategy --------------------------------------------------------------------------------- */

static enum parsed read_term(struct reducer *r, int side, const struct json *doc, uint32_t at,
                             struct term *term)
{
    struct slice text;
    term->is_text = json_is(doc, at, JSON_STRING);
    term->is_fraction = json_is(doc, at, JSON_NUMBER);
    if (!term->is_text)
        return json_is_number(doc, at) ? parse(json_raw(doc, at), term) : NOT_A_NUMBER;
    text = json_inner(doc, at);
    if (json_escaped(doc, at)) {
        struct buffer *room = &r->text[side];
        buffer_clear(room);
        if (!buffer_reserve(room, text.size))
            return TOO_LONG;
        text = (struct slice){room->data, json_unescape(text.data, text.size, room->data)};
    }
    return parse(text, term);
}

bool reduce_sum(struct reducer *r, uint32_t left, uint32_t right)
{
    struct term x, y;
    if (json_is(r->left, left, JSON_INTEGER) && json_is(r->right, right, JSON_INTEGER))
        return sum_integers(r, left, right);
    enum parsed x_parsed = read_term(r, 0, r->left, left, &x),
                y_parsed = read_term(r, 1, r->right, right, &y);
    if (x_parsed == NOT_A_NUMBER || y_parsed == NOT_A_NUMBER)
        return reduce_fail(r, right, expects_numbers);
    if (x_parsed != PARSED || y_parsed != PARSED || !add(&x, &y))
        return reduce_fail(r, right, overflows);
    struct buffer *text = &r->text[0];
    buffer_clear(text);
    format(&x, text);
    struct slice sum = {text->data, text->size};
    if (x.is_text)
        json_put_slice(&r->writer, sum);
    else
        json_put_raw(&r->writer, sum);
    return true;
}
