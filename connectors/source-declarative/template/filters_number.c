/* abs, int, float, round. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

static int filter_abs(struct run *run, const struct tvalue *self, const struct tvalue *a,
                      struct tvalue *ret_value)
{
    (void)a;
    if (self->kind == TVALUE_TIMEDELTA)
        return run_negate(run, self, self->seconds < 0, ret_value);
    if (!tvalue_is_number(self))
        return run_type_error(run, "abs() needs a number, not %s", tvalue_type(self));
    return run_negate(
        run, self, self->kind == TVALUE_FLOAT ? signbit(self->number) : integer_is_negative(self), ret_value);
}

static int filter_int(struct run *run, const struct tvalue *self, const struct tvalue *a,
                      struct tvalue *ret_value)
{
    int64_t base = 10;
    double number;
    if (!is_absent(&a[1]) && run_index(run, &a[1], &base) < 0)
        return -1;
    if (self->kind == TVALUE_UNDEFINED)
        return run_undefined(run, self);
    if (self->kind == TVALUE_FLOAT && isinf(self->number))
        return run_fail(run, "an infinite number has no integer");
    if (base != 0 && (base < 2 || base > 36))
        base = 37; /* no digits then */
    bool converts = tvalue_is_number(self) || self->kind == TVALUE_STRING;
    if (converts && !(self->kind == TVALUE_FLOAT && isnan(self->number)) &&
        (self->kind != TVALUE_STRING || base <= 36) &&
        run_to_integer(run, self, (unsigned)base, ret_value) == 0)
        return 0;
    /* "42.23" is 42 */
    run->failure = TEMPLATE_RENDERED;
    if (converts && run_to_float(run, self, &number) == 0 && isfinite(number)) {
        *ret_value = integer_of_double(run->arena, trunc(number));
        return 0;
    }
    run->failure = TEMPLATE_RENDERED;
    *ret_value = is_absent(&a[0]) ? tvalue_int(0) : a[0];
    return 0;
}

static int filter_float(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    double number;
    if (self->kind == TVALUE_UNDEFINED)
        return run_undefined(run, self);
    if (run_to_float(run, self, &number) == 0) {
        *ret_value = tvalue_float(number);
        return 0;
    }
    if (self->kind == TVALUE_BIG)
        return -1;
    run->failure = TEMPLATE_RENDERED;
    *ret_value = is_absent(&a[0]) ? tvalue_float(0) : a[0];
    return 0;
}

/* To an even multiple of the power of ten where both are as near. */
static struct tvalue round_integer(struct run *run, const struct tvalue *value, int64_t digits)
{
    struct tvalue power = tvalue_int(1), ten = tvalue_int(10), two = tvalue_int(2), quotient, rest, doubled;
    for (int64_t i = 0; i < digits; i++)
        power = integer_multiply(run->arena, &power, &ten);
    integer_divide(run->arena, value, &power, &quotient, &rest);
    doubled = integer_multiply(run->arena, &rest, &two);
    int order = integer_compare(&doubled, &power);
    struct tvalue half, odd, one = tvalue_int(1);
    integer_divide(run->arena, &quotient, &two, &half, &odd);
    if (order > 0 || (order == 0 && tvalue_true(&odd)))
        quotient = integer_add(run->arena, &quotient, &one);
    return integer_multiply(run->arena, &quotient, &power);
}

/* Python's round() of a float: the decimal number nearest to it, correctly. */
static double round_float(double number, int64_t digits)
{
    char text[1024];
    if (!isfinite(number) || digits > 323)
        return number;
    if (digits < -308)
        return copysign(0, number);
    if (digits >= 0) {
        snprintf(text, sizeof text, "%.*f", (int)digits, number);
        return strtod(text, NULL);
    }
    double power = pow(10, (double)-digits);
    return rint(number / power) * power;
}

static int round_value(struct run *run, const struct tvalue *value, const struct tvalue *precision,
                       struct tvalue *ret_value)
{
    int64_t digits = 0;
    enum { DIGITS_MAX = 400 };
    if (!tvalue_is_number(value))
        return run_type_error(run, "round() needs a number, not %s", tvalue_type(value));
    if (precision->kind != TVALUE_NONE && run_index(run, precision, &digits) < 0)
        return -1;
    if (value->kind == TVALUE_FLOAT && precision->kind != TVALUE_NONE) {
        *ret_value = tvalue_float(round_float(value->number, digits));
        return 0;
    }
    struct tvalue zero = tvalue_int(0);
    if (value->kind == TVALUE_FLOAT) {
        struct tvalue whole = tvalue_float(rint(value->number));
        return run_to_integer(run, &whole, 10, ret_value);
    }
    if (digits < -DIGITS_MAX)
        *ret_value = zero;
    else
        *ret_value = digits < 0 ? round_integer(run, value, -digits) : integer_add(run->arena, value, &zero);
    return 0;
}

static int filter_round(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    struct tvalue precision = is_absent(&a[0]) ? tvalue_int(0) : a[0], ten = tvalue_int(10), power, scaled,
                  whole;
    struct slice method = SLICE_LITERAL("common");
    if (!is_absent(&a[1]) && a[1].kind == TVALUE_STRING)
        method = a[1].text;
    if ((!is_absent(&a[1]) && a[1].kind != TVALUE_STRING) ||
        (!slice_is(method, "common") && !slice_is(method, "ceil") && !slice_is(method, "floor")))
        return run_fail(run, "round's method is one of common, ceil and floor");
    if (slice_is(method, "common"))
        return round_value(run, self, &precision, ret_value);
    if (run_operate(run, OP_POWER, &ten, &precision, &power) < 0 ||
        run_operate(run, OP_MULTIPLY, self, &power, &scaled) < 0)
        return -1;
    if (!tvalue_is_number(&scaled))
        return run_type_error(run, "round() needs a number, not %s", tvalue_type(self));
    whole = scaled;
    if (scaled.kind == TVALUE_FLOAT) {
        struct tvalue rounded =
            tvalue_float(slice_is(method, "ceil") ? ceil(scaled.number) : floor(scaled.number));
        if (run_to_integer(run, &rounded, 10, &whole) < 0)
            return -1;
    }
    return run_operate(run, OP_DIVIDE, &whole, &power, ret_value);
}

const struct filter filters_number[] = {
    {{.name = "abs", .function = filter_abs}},
    {{.name = "int", .function = filter_int, .parameters = {"default", "base"}}},
    {{.name = "float", .function = filter_float, .parameters = {"default"}}},
    {{.name = "round", .function = filter_round, .parameters = {"precision", "method"}}},
    {{.name = NULL}},
};
