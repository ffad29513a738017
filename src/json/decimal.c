/* Taking a number literal apart. */
#include "json/decimal.h"

#include "json/number.h"

/* Takes the exponent in; `at` is behind the e. */
static void take_exponent(struct decimal *decimal, const char *at, const char *end)
{
    int64_t value = 0;
    decimal->exponent_negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    decimal->exponent = at;
    decimal->exponent_size = (uint32_t)(end - at);
    for (; at < end && value <= 2 * NUMBER_EXPONENT_MAX; at++)
        value = value * 10 + (*at - '0');
    decimal->scale += decimal->exponent_negative ? -value : value;
    if (decimal->scale > NUMBER_EXPONENT_MAX)
        decimal->scale = NUMBER_EXPONENT_MAX;
    else if (decimal->scale < -NUMBER_EXPONENT_MAX)
        decimal->scale = -NUMBER_EXPONENT_MAX;
}

/* The exponent's digit at the place `i` of `size`, with its sign; zeros stand before a shorter one. */
static int exponent_digit(const struct decimal *decimal, uint32_t i, uint32_t size)
{
    uint32_t before = size - decimal->exponent_size;
    int digit = i < before ? 0 : decimal->exponent[i - before] - '0';
    return decimal->exponent_negative ? -digit : digit;
}

int64_t decimal_apart(const struct decimal *a, const struct decimal *b)
{
    uint32_t size = a->exponent_size > b->exponent_size ? a->exponent_size : b->exponent_size;
    int64_t apart = 0;
    bool is_near = a->scale < NUMBER_EXPONENT_MAX && a->scale > -NUMBER_EXPONENT_MAX &&
                   b->scale < NUMBER_EXPONENT_MAX && b->scale > -NUMBER_EXPONENT_MAX;
    if (is_near)
        return a->scale - b->scale;
    /* From the first digit on; a difference that has become large stays so. */
    for (uint32_t i = 0; i < size; i++) {
        if (apart < 2 * NUMBER_EXPONENT_MAX && apart > -2 * NUMBER_EXPONENT_MAX)
            apart = apart * 10 + exponent_digit(a, i, size) - exponent_digit(b, i, size);
    }
    return apart + a->point - b->point;
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
    decimal.point = decimal.scale;
    if (at < end)
        take_exponent(&decimal, at + 1, end);
    return decimal;
}
