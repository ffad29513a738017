/* Bounds and formats that change rarely: lengths go by powers of two, numbers by powers of ten, so that a
 * shape settles after few documents. */
#include "schema/shape/tree.h"
#include "json/number.h"

/* --- lengths ---------------------------------------------------------------------------------------- */

uint32_t shape_power_below(uint32_t count)
{
    return count == 0 ? 0 : 1U << (31 - __builtin_clz(count));
}

uint32_t shape_power_above(uint32_t count)
{
    if (count <= 1)
        return count;
    return count > 1U << 31 ? UINT32_MAX : 1U << (32 - __builtin_clz(count - 1));
}

/* --- numbers ---------------------------------------------------------------------------------------- */

enum { POWER_TEXT_MAX = 48, PLAIN_POWER_MAX = 40 };

/* sign * 10^power as a bound: digits as far as people read them. */
static void set_power(struct shape_bound *bound, bool negative, int64_t power)
{
    char text[POWER_TEXT_MAX], *to = text;
    if (negative)
        *to++ = '-';
    *to++ = '1';
    if (power <= PLAIN_POWER_MAX) {
        memset(to, '0', (size_t)power);
        to += power;
    } else {
        to += snprintf(to, 8, "e%d", (int)power);
    }
    shape_bound_set(bound, (struct slice){text, (size_t)(to - text)});
}

/* The number's bound away from 0 (`outward`) or towards it: a power of ten, 0 for what is below 1 when going
 * inward, none past power_max. */
static void set_bound(struct shape_bound *bound, struct slice number, bool outward, int64_t power_max)
{
    int64_t below, above;
    bool negative = number.data[0] == '-';
    if (!number_decade(number, &below, &above) || (!outward && below < 0)) {
        shape_bound_set(bound, SLICE_LITERAL("0"));
        return;
    }
    int64_t power = outward ? (above < 0 ? 0 : above) : below;
    if (power <= power_max)
        set_power(bound, negative, power);
    else if (outward)
        shape_bound_clear(bound);
    else
        set_power(bound, negative, power_max);
}

/* "+5" of a string is 5. */
static struct slice without_plus(struct slice number)
{
    return number.data[0] == '+' ? (struct slice){number.data + 1, number.size - 1} : number;
}

bool shape_bound_lower(struct shape_bound *minimum, struct slice number, int64_t power_max)
{
    number = without_plus(number);
    if (!minimum->text || number_plan_compare(number, minimum->plan) >= 0)
        return false;
    set_bound(minimum, number, number.data[0] == '-', power_max);
    return true;
}

bool shape_bound_raise(struct shape_bound *maximum, struct slice number, int64_t power_max)
{
    number = without_plus(number);
    if (!maximum->text || number_plan_compare(number, maximum->plan) <= 0)
        return false;
    set_bound(maximum, number, number.data[0] != '-', power_max);
    return true;
}

void shape_bound_start(struct shape_bound *minimum, struct shape_bound *maximum, struct slice number,
                       int64_t power_max)
{
    number = without_plus(number);
    set_bound(minimum, number, number.data[0] == '-', power_max);
    set_bound(maximum, number, number.data[0] != '-', power_max);
}
