/* Arithmetic with dates and durations. */
#include "run.h"

static struct tvalue delta_of_us(int64_t microseconds)
{
    int64_t seconds = microseconds / 1000000, rest = microseconds % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    return tvalue_timedelta(seconds, (uint32_t)rest);
}

static int delta_of_seconds(struct run *run, long double seconds, struct tvalue *ret_value)
{
    if (!(fabsl(seconds) < 86400.0L * 1000000000))
        return run_fail(run, "a duration is longer than a thousand million days");
    long double whole = floorl(seconds);
    long long microseconds = llrintl((seconds - whole) * 1000000);
    *ret_value =
        tvalue_timedelta((int64_t)whole + (microseconds == 1000000), (uint32_t)(microseconds % 1000000));
    return 0;
}

static long double seconds_of(const struct tvalue *delta)
{
    return (long double)delta->seconds + (long double)delta->at / 1000000;
}

static struct duration duration_of(const struct tvalue *value)
{
    if (value->kind == TVALUE_DURATION)
        return *value->duration;
    return (struct duration){.seconds = value->seconds, .microseconds = value->at};
}

static struct tvalue value_of_duration(struct run *run, const struct duration *duration)
{
    return (struct tvalue){.kind = TVALUE_DURATION,
                           .duration = arena_dup(run->arena, duration, sizeof *duration)};
}

static bool is_delta(const struct tvalue *value)
{
    return value->kind == TVALUE_TIMEDELTA || value->kind == TVALUE_DURATION;
}

static struct duration sum_of(const struct duration *a, const struct duration *b)
{
    struct duration sum = {.years = a->years + b->years,
                           .months = a->months + b->months,
                           .seconds = a->seconds + b->seconds,
                           .microseconds = a->microseconds + b->microseconds,
                           .is_duration = a->is_duration || b->is_duration};
    if (sum.microseconds >= 1000000) {
        sum.microseconds -= 1000000;
        sum.seconds++;
    }
    return sum;
}

/* delta + delta, delta - delta. */
static int add_deltas(struct run *run, const struct tvalue *a, const struct tvalue *b, int sign,
                      struct tvalue *ret_value)
{
    struct duration left = duration_of(a), right = duration_of(b);
    if (sign < 0)
        right = duration_negate(&right);
    struct duration sum = sum_of(&left, &right);
    if (llabs(sum.seconds) >= INT64_C(86400) * 1000000000)
        return run_fail(run, "a duration is longer than a thousand million days");
    *ret_value = a->kind == TVALUE_DURATION || b->kind == TVALUE_DURATION
                     ? value_of_duration(run, &sum)
                     : tvalue_timedelta(sum.seconds, sum.microseconds);
    return 0;
}

/* date or datetime +- delta; dates only know whole days. */
static int move(struct run *run, const struct tvalue *when, const struct tvalue *delta, int sign,
                struct tvalue *ret_value)
{
    struct duration duration = duration_of(delta);
    struct datetime moved;
    struct error err;
    duration.is_duration = delta->kind == TVALUE_DURATION;
    if (when->kind == TVALUE_DATE) {
        int64_t days = duration.seconds / 86400 - (duration.seconds % 86400 < 0);
        duration.seconds = days * 86400;
        duration.microseconds = 0;
    }
    if (duration_add(when->datetime, &duration, sign, &moved, &err) < 0)
        return run_error(run, &err);
    *ret_value = datetime_from(run, moved);
    ret_value->kind = when->kind;
    return 0;
}

static int difference(struct run *run, const struct tvalue *a, const struct tvalue *b,
                      struct tvalue *ret_value)
{
    bool naive = a->datetime->zone == DATETIME_NAIVE;
    if (a->kind == TVALUE_DATETIME && naive != (b->datetime->zone == DATETIME_NAIVE))
        return run_type_error(run, "dates with and without a time zone cannot be subtracted");
    *ret_value = delta_of_us(datetime_utc(a->datetime) - datetime_utc(b->datetime));
    return 0;
}

static int scale(struct run *run, enum operator_kind op, const struct tvalue *delta,
                 const struct tvalue *number, struct tvalue *ret_value)
{
    long double seconds = seconds_of(delta);
    if (op == OP_MULTIPLY) {
        return delta_of_seconds(run, seconds * (long double)tvalue_to_double(number), ret_value);
    }
    if (!tvalue_true(number))
        return run_fail(run, "a division by zero");
    if (op == OP_FLOOR_DIVIDE) {
        long double us = floorl(seconds * 1000000 / (long double)tvalue_to_double(number));
        return delta_of_seconds(run, us / 1000000, ret_value);
    }
    return delta_of_seconds(run, seconds / (long double)tvalue_to_double(number), ret_value);
}

/* delta / delta, // and %. */
static int ratio(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                 struct tvalue *ret_value)
{
    long double x = seconds_of(a), y = seconds_of(b);
    if (y == 0)
        return run_fail(run, "a division by zero");
    if (op == OP_DIVIDE) {
        *ret_value = tvalue_float((double)(x / y));
        return 0;
    }
    long double quotient = floorl(x / y);
    if (op == OP_MODULO)
        return delta_of_seconds(run, x - quotient * y, ret_value);
    *ret_value = integer_of_double(run->arena, (double)quotient);
    return 0;
}

static int scale_duration(struct run *run, const struct tvalue *duration, const struct tvalue *number,
                          struct tvalue *ret_value)
{
    double factor = tvalue_to_double(number);
    struct duration scaled = *duration->duration;
    struct tvalue delta = tvalue_timedelta(scaled.seconds, scaled.microseconds), product = delta;
    if (scale(run, OP_MULTIPLY, &delta, number, &product) < 0)
        return -1;
    scaled.years *= factor;
    scaled.months *= factor;
    scaled.seconds = product.seconds;
    scaled.microseconds = product.at;
    *ret_value = value_of_duration(run, &scaled);
    return 0;
}

static bool is_date(const struct tvalue *value)
{
    return value->kind == TVALUE_DATETIME || value->kind == TVALUE_DATE;
}

/* What is no operation of these kinds leaves *ret_done false. */
int run_operate_time(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                     struct tvalue *ret_value, bool *ret_done)
{
    *ret_done = true;
    if (op == OP_ADD && is_date(a) && is_delta(b))
        return move(run, a, b, 1, ret_value);
    if (op == OP_ADD && is_delta(a) && is_date(b))
        return move(run, b, a, 1, ret_value);
    if (op == OP_SUBTRACT && is_date(a) && is_delta(b))
        return move(run, a, b, -1, ret_value);
    if (op == OP_SUBTRACT && is_date(a) && a->kind == b->kind)
        return difference(run, a, b, ret_value);
    if ((op == OP_ADD || op == OP_SUBTRACT) && is_delta(a) && is_delta(b))
        return add_deltas(run, a, b, op == OP_ADD ? 1 : -1, ret_value);
    bool division = op == OP_DIVIDE || op == OP_FLOOR_DIVIDE;
    if (a->kind == TVALUE_TIMEDELTA && tvalue_is_number(b) &&
        (op == OP_MULTIPLY || op == OP_DIVIDE || (division && b->kind != TVALUE_FLOAT)))
        return scale(run, op, a, b, ret_value);
    if (op == OP_MULTIPLY && tvalue_is_number(a) && b->kind == TVALUE_TIMEDELTA)
        return scale(run, op, b, a, ret_value);
    if (op == OP_MULTIPLY && a->kind == TVALUE_DURATION && tvalue_is_number(b) && b->kind != TVALUE_FLOAT)
        return scale_duration(run, a, b, ret_value);
    if (op == OP_MULTIPLY && b->kind == TVALUE_DURATION && tvalue_is_number(a) && a->kind != TVALUE_FLOAT)
        return scale_duration(run, b, a, ret_value);
    if (a->kind == TVALUE_TIMEDELTA && b->kind == TVALUE_TIMEDELTA && (division || op == OP_MODULO))
        return ratio(run, op, a, b, ret_value);
    *ret_done = false;
    return 0;
}
