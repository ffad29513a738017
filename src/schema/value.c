/* Numbers, exactly, the short ones in machine words. */
#include "schema/value.h"

#include "json/number.h"

enum { SMALL_DIGITS_MAX = 18 };

static const int64_t powers[SMALL_DIGITS_MAX + 1] = {1,
                                                     10,
                                                     100,
                                                     1000,
                                                     10000,
                                                     100000,
                                                     1000000,
                                                     10000000,
                                                     100000000,
                                                     1000000000,
                                                     10000000000,
                                                     100000000000,
                                                     1000000000000,
                                                     10000000000000,
                                                     100000000000000,
                                                     1000000000000000,
                                                     10000000000000000,
                                                     100000000000000000,
                                                     1000000000000000000};

/* -?digits[.digits] with few digits as mantissa * 10^-scale; false for all else. */
static inline bool small_decimal(struct slice text, int64_t *ret_mantissa, int *ret_scale)
{
    if (text.size > SMALL_DIGITS_MAX)
        return false;
    const char *at = text.data, *end = at + text.size, *point = NULL;
    bool negative = *at == '-';
    int64_t mantissa = 0;
    for (at += negative; at < end; at++) {
        if (*at >= '0' && *at <= '9')
            mantissa = mantissa * 10 + (*at - '0');
        else if (*at == '.')
            point = at + 1;
        else
            return false;
    }
    *ret_mantissa = negative ? -mantissa : mantissa;
    *ret_scale = point ? (int)(end - point) : 0;
    return true;
}

struct number_plan number_plan_of(struct slice text)
{
    struct number_plan plan = {.text = text, .scale = -1};
    int scale;
    if (small_decimal(text, &plan.mantissa, &scale))
        plan.scale = (int8_t)scale;
    plan.is_zero = plan.scale >= 0 && plan.mantissa == 0;
    return plan;
}

void number_plan_enclose(const struct number_plan *plan, int64_t *ret_floor, int64_t *ret_ceiling)
{
    int64_t unit = powers[plan->scale], quotient = plan->mantissa / unit, rest = plan->mantissa % unit;
    *ret_floor = quotient - (rest < 0);
    *ret_ceiling = quotient + (rest > 0);
}

int number_plan_compare(struct slice text, const struct number_plan *plan)
{
    int64_t mantissa;
    int scale;
    if (plan->scale < 0 || !small_decimal(text, &mantissa, &scale))
        return number_compare(text, plan->text);
    if (scale == plan->scale)
        return mantissa < plan->mantissa ? -1 : mantissa > plan->mantissa;
    __int128 a = (__int128)mantissa * powers[plan->scale], b = (__int128)plan->mantissa * powers[scale];
    return a < b ? -1 : a > b;
}

bool number_plan_divides(struct slice text, const struct number_plan *plan)
{
    int64_t mantissa;
    int scale;
    if (plan->scale < 0 || !small_decimal(text, &mantissa, &scale))
        return number_is_multiple(text, plan->text);
    if (scale == plan->scale)
        return mantissa % plan->mantissa == 0;
    if (scale < plan->scale)
        return (__int128)mantissa * powers[plan->scale - scale] % plan->mantissa == 0;
    return mantissa % ((__int128)plan->mantissa * powers[scale - plan->scale]) == 0;
}
