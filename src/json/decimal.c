/* Taking a number literal apart. */
#include "json/decimal.h"

#include "json/number.h"

/* The exponent's value, kept within +-NUMBER_EXPONENT_MAX. `at` is behind the e. */
static int64_t exponent_of(const char *at, const char *end)
{
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    int64_t value = 0;
    for (; at < end; at++) {
        value = value * 10 + (*at - '0');
        if (value > NUMBER_EXPONENT_MAX)
            value = NUMBER_EXPONENT_MAX;
    }
    return negative ? -value : value;
}

struct decimal decimal_of(struct slice text)
{
    const char *at = text.data, *end = text.data + text.size;
    struct decimal decimal = {.negative = *at == '-'};
    at += decimal.negative;
    const char *first = NULL, *last = NULL, *point = NULL;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            point = at;
        } else if (*at != '0') {
            if (!first)
                first = at;
            last = at;
        }
    }
    if (!first)
        return (struct decimal){0};
    const char *ones = point ? point : at; /* behind the digit of the ones */
    bool point_inside = point && point > first && point < last;
    decimal.first = first;
    decimal.digits = (uint32_t)(last - first) + 1 - point_inside;
    decimal.scale = first < ones ? ones - first : -(first - ones - 1);
    if (at < end)
        decimal.scale += exponent_of(at + 1, end);
    return decimal;
}
