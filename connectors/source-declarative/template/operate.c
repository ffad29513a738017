/* Python's arithmetic. */
#include "run.h"

#include <float.h>

static const char *const SIGNS[] = {"+", "-", "*", "/", "//", "%", "**"};

static int unsupported(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b)
{
    if (a->kind == TVALUE_UNDEFINED)
        return run_undefined(run, a);
    if (b->kind == TVALUE_UNDEFINED)
        return run_undefined(run, b);
    return run_type_error(run, "'%s' cannot be done with %s and %s", SIGNS[op], tvalue_type(a),
                          tvalue_type(b));
}

static int no_zero(struct run *run)
{
    return run_fail(run, "a division by zero");
}

/* --- floats -------------------------------------------------------------------------------------- */

static void divide_floats(double a, double b, double *ret_quotient, double *ret_remainder)
{
    double remainder = fmod(a, b), quotient = (a - remainder) / b;
    if (remainder != 0) {
        if ((b < 0) != (remainder < 0)) {
            remainder += b;
            quotient -= 1;
        }
    } else {
        remainder = copysign(0, b);
    }
    double floored = copysign(0, a / b);
    if (quotient != 0) {
        floored = floor(quotient);
        if (quotient - floored > 0.5)
            floored += 1;
    }
    *ret_quotient = floored;
    *ret_remainder = remainder;
}

static int power_of_floats(struct run *run, double a, double b, struct tvalue *ret_value)
{
    if (a == 0 && b < 0)
        return run_fail(run, "0 cannot be raised to a negative power");
    if (a < 0 && isfinite(b) && b != floor(b))
        return run_fail(run, "a root of a negative number is no real number");
    double power = pow(a, b);
    if (isinf(power) && isfinite(a) && isfinite(b))
        return run_fail(run, "a power is too large for a float");
    *ret_value = tvalue_float(power);
    return 0;
}

static int operate_floats(struct run *run, enum operator_kind op, double a, double b,
                          struct tvalue *ret_value)
{
    double quotient, remainder;
    switch (op) {
    case OP_ADD:
        *ret_value = tvalue_float(a + b);
        return 0;
    case OP_SUBTRACT:
        *ret_value = tvalue_float(a - b);
        return 0;
    case OP_MULTIPLY:
        *ret_value = tvalue_float(a * b);
        return 0;
    case OP_POWER:
        return power_of_floats(run, a, b, ret_value);
    default:
        break;
    }
    if (b == 0)
        return no_zero(run);
    divide_floats(a, b, &quotient, &remainder);
    *ret_value = tvalue_float(op == OP_DIVIDE ? a / b : op == OP_MODULO ? remainder : quotient);
    return 0;
}

/* --- integers ------------------------------------------------------------------------------------ */

static int power_of_integers(struct run *run, const struct tvalue *a, const struct tvalue *b,
                             struct tvalue *ret_value)
{
    if (integer_is_negative(b))
        return power_of_floats(run, integer_to_double(a), integer_to_double(b), ret_value);
    int64_t exponent;
    struct tvalue result = tvalue_int(1), base = *a;
    if (run_index(run, b, &exponent) < 0)
        return -1;
    bool small = a->kind != TVALUE_BIG && (a->kind == TVALUE_BOOL || (a->integer >= -1 && a->integer <= 1));
    if (small && exponent > 2)
        exponent = 2 + exponent % 2;
    while (exponent) {
        if (integer_digits(&base) > 2 * TEMPLATE_DIGITS_MAX ||
            integer_digits(&result) > 2 * TEMPLATE_DIGITS_MAX)
            return run_limit(run, "a power has more than %d digits", TEMPLATE_DIGITS_MAX);
        if (run_charge(run, 4 * TEMPLATE_DIGITS_MAX) < 0)
            return -1;
        if (exponent & 1)
            result = integer_multiply(run->arena, &result, &base);
        exponent >>= 1;
        if (exponent)
            base = integer_multiply(run->arena, &base, &base);
    }
    *ret_value = result;
    return 0;
}

/* Whether a double holds it exactly. */
static bool is_held(const struct tvalue *integer)
{
    const int64_t most = (int64_t)1 << DBL_MANT_DIG;
    return integer->kind == TVALUE_BOOL ||
           (integer->kind == TVALUE_INT && integer->integer >= -most && integer->integer <= most);
}

/* The double next to the quotient, as Python has it, which is not that of the doubles next to each. It is
 * written in as many digits as tell it apart from what lies between two doubles, and a last one that stands
 * for all that follow; the C library rounds that text correctly. (Between two doubles lies m * 2^e, m < 2^54;
 * what a / b differs from that by is at least the 2^54 * b-th part of it, or, where it is an integer, the
 * a-th.) */
static int divide_integers(struct run *run, const struct tvalue *a, const struct tvalue *b,
                           struct tvalue *ret_value)
{
    if (is_held(a) && is_held(b)) {
        *ret_value = tvalue_float(integer_to_double(a) / integer_to_double(b));
        return 0;
    }
    bool negative = integer_is_negative(a) != integer_is_negative(b);
    struct tvalue divisor = integer_is_negative(b) ? integer_negate(run->arena, b) : *b;
    struct tvalue dividend = integer_is_negative(a) ? integer_negate(run->arena, a) : *a, quotient, rest;
    size_t zeros = 2 * integer_digits(b) + 40, digits = integer_digits(a) + zeros;
    if (run_charge(run, 2 * digits) < 0)
        return -1;
    run->steps += (unsigned)(digits * integer_digits(b) / 1000);
    struct ttext text;
    ttext_init(&text, run->arena, SIZE_MAX);
    integer_text(&text, &dividend);
    for (size_t i = 0; i < zeros; i++)
        ttext_byte(&text, '0');
    dividend = integer_of_digits(run->arena, ttext_slice_of(&text), false);
    integer_divide(run->arena, &dividend, &divisor, &quotient, &rest);
    ttext_init(&text, run->arena, SIZE_MAX);
    integer_text(&text, &quotient);
    ttext_printf(&text, "%de-%zu", tvalue_true(&rest), zeros + 1);
    ttext_byte(&text, '\0');
    double value = strtod(text.data, NULL);
    if (isinf(value))
        return run_fail(run, "a quotient is too large for a float");
    *ret_value = tvalue_float(negative ? -value : value);
    return 0;
}

static int operate_integers(struct run *run, enum operator_kind op, const struct tvalue *a,
                            const struct tvalue *b, struct tvalue *ret_value)
{
    struct tvalue quotient, remainder;
    if (integer_digits(a) + integer_digits(b) > 4 * TEMPLATE_DIGITS_MAX)
        return run_limit(run, "an integer has more than %d digits", 2 * TEMPLATE_DIGITS_MAX);
    if ((a->kind == TVALUE_BIG || b->kind == TVALUE_BIG) &&
        (run_charge(run, integer_digits(a) + integer_digits(b)) < 0 || run_step(run) < 0))
        return -1;
    switch (op) {
    case OP_ADD:
        *ret_value = integer_add(run->arena, a, b);
        return 0;
    case OP_SUBTRACT:
        *ret_value = integer_subtract(run->arena, a, b);
        return 0;
    case OP_MULTIPLY:
        *ret_value = integer_multiply(run->arena, a, b);
        return 0;
    case OP_POWER:
        return power_of_integers(run, a, b, ret_value);
    default:
        break;
    }
    if (!tvalue_true(b))
        return no_zero(run);
    if (op == OP_DIVIDE)
        return divide_integers(run, a, b, ret_value);
    run->steps += (unsigned)(integer_digits(a) * integer_digits(b) / 1000);
    integer_divide(run->arena, a, b, &quotient, &remainder);
    *ret_value = op == OP_MODULO ? remainder : quotient;
    return 0;
}

static int operate_numbers(struct run *run, enum operator_kind op, const struct tvalue *a,
                           const struct tvalue *b, struct tvalue *ret_value)
{
    if (a->kind != TVALUE_FLOAT && b->kind != TVALUE_FLOAT)
        return operate_integers(run, op, a, b, ret_value);
    double x = tvalue_to_double(a), y = tvalue_to_double(b);
    if ((isinf(x) && a->kind == TVALUE_BIG) || (isinf(y) && b->kind == TVALUE_BIG))
        return run_fail(run, "an integer is too large for a float");
    return operate_floats(run, op, x, y, ret_value);
}

/* --- texts and lists ----------------------------------------------------------------------------- */

static int add_texts(struct run *run, const struct tvalue *a, const struct tvalue *b,
                     struct tvalue *ret_value)
{
    struct tvalue left = *a, right = *b;
    bool safe = (a->flags | b->flags) & TVALUE_SAFE;
    if (safe && (run_escape(run, a, &left) < 0 || run_escape(run, b, &right) < 0))
        return -1;
    struct ttext text;
    run_text_init(run, &text);
    ttext_slice(&text, left.text);
    ttext_slice(&text, right.text);
    if (run_text(run, &text, ret_value) < 0)
        return -1;
    ret_value->kind = a->kind;
    ret_value->flags = safe ? TVALUE_SAFE : 0;
    return 0;
}

static int add_lists(struct run *run, const struct tvalue *a, const struct tvalue *b,
                     struct tvalue *ret_value)
{
    struct tvalue sum, more;
    if (run_to_list(run, a, &sum) < 0 || run_to_list(run, b, &more) < 0)
        return -1;
    for (uint32_t i = 0; i < more.list->count; i++) {
        if (run_push(run, sum.list, more.list->items[i]) < 0)
            return -1;
    }
    sum.kind = a->kind == TVALUE_TUPLE ? TVALUE_TUPLE : TVALUE_LIST;
    *ret_value = sum;
    return 0;
}

static int repeat(struct run *run, const struct tvalue *what, const struct tvalue *times,
                  struct tvalue *ret_value)
{
    int64_t count;
    if (times->kind == TVALUE_BIG)
        return run_fail(run, "a text or list cannot be repeated so often");
    if (run_index(run, times, &count) < 0)
        return -1;
    if (count < 0)
        count = 0;
    if (what->kind == TVALUE_STRING || what->kind == TVALUE_BYTES) {
        struct ttext text;
        if (what->text.size && (uint64_t)count > TEMPLATE_TEXT_MAX / what->text.size)
            return run_limit(run, "it makes a text of more than %d MiB", TEMPLATE_TEXT_MAX >> 20);
        run_text_init(run, &text);
        for (int64_t i = 0; what->text.size && i < count; i++)
            ttext_slice(&text, what->text);
        if (run_text(run, &text, ret_value) < 0)
            return -1;
        ret_value->kind = what->kind;
        ret_value->flags = what->flags;
        return 0;
    }
    struct tvalue once, list = tvalue_list(run->arena);
    if (run_to_list(run, what, &once) < 0)
        return -1;
    for (int64_t i = 0; once.list->count && i < count; i++) {
        for (uint32_t j = 0; j < once.list->count; j++) {
            if (run_push(run, list.list, once.list->items[j]) < 0)
                return -1;
        }
    }
    list.kind = what->kind == TVALUE_TUPLE ? TVALUE_TUPLE : TVALUE_LIST;
    *ret_value = list;
    return 0;
}

static bool is_text(const struct tvalue *value)
{
    return value->kind == TVALUE_STRING || value->kind == TVALUE_BYTES;
}

static bool can_repeat(const struct tvalue *value)
{
    return is_text(value) || tvalue_is_sequence(value);
}

static bool counts(const struct tvalue *value)
{
    return tvalue_is_integer(value) || value->kind == TVALUE_BOOL;
}

static int subtract_sets(struct run *run, const struct tvalue *a, const struct tvalue *b,
                         struct tvalue *ret_value)
{
    struct tvalue rest = tvalue_list(run->arena);
    bool found;
    for (uint32_t i = 0; i < a->list->count; i++) {
        if (run_contains(run, b, &a->list->items[i], &found) < 0 ||
            (!found && run_push(run, rest.list, a->list->items[i]) < 0))
            return -1;
    }
    rest.kind = TVALUE_SET;
    *ret_value = rest;
    return 0;
}

int run_operate(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                struct tvalue *ret_value)
{
    bool done = false;
    if (tvalue_is_number(a) && tvalue_is_number(b))
        return operate_numbers(run, op, a, b, ret_value);
    if (op == OP_MODULO && a->kind == TVALUE_STRING)
        return run_format_percent(run, a, b, ret_value);
    if (op == OP_ADD && is_text(a) && a->kind == b->kind)
        return add_texts(run, a, b, ret_value);
    if (op == OP_ADD && tvalue_is_sequence(a) && tvalue_is_sequence(b) &&
        (a->kind == TVALUE_TUPLE) == (b->kind == TVALUE_TUPLE))
        return add_lists(run, a, b, ret_value);
    if (op == OP_MULTIPLY && can_repeat(a) && counts(b))
        return repeat(run, a, b, ret_value);
    if (op == OP_MULTIPLY && can_repeat(b) && counts(a))
        return repeat(run, b, a, ret_value);
    if (op == OP_SUBTRACT && a->kind == TVALUE_SET && b->kind == TVALUE_SET)
        return subtract_sets(run, a, b, ret_value);
    if (run_operate_time(run, op, a, b, ret_value, &done) < 0)
        return -1;
    return done ? 0 : unsupported(run, op, a, b);
}

int run_negate(struct run *run, const struct tvalue *value, bool negative, struct tvalue *ret_value)
{
    struct tvalue zero = tvalue_int(0), minus = tvalue_int(-1);
    switch (value->kind) {
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
        *ret_value = negative ? integer_negate(run->arena, value) : integer_add(run->arena, value, &zero);
        return 0;
    case TVALUE_FLOAT:
        *ret_value = tvalue_float(negative ? -value->number : value->number);
        return 0;
    case TVALUE_TIMEDELTA:
    case TVALUE_DURATION:
        *ret_value = *value;
        return negative ? run_operate(run, OP_MULTIPLY, value, &minus, ret_value) : 0;
    default:
        return run_bad_operand(run, value, negative ? "'-'" : "'+'");
    }
}
