/* UUIDs, pointers, patterns, numbers in strings. */
#include "schema/format/forms.h"
#include "schema/regex.h"

bool form_uuid(struct slice text)
{
    if (text.size != 36)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text.data[i] != '-' : !char_is_hex(text.data[i]))
            return false;
    }
    return true;
}

bool form_json_pointer(struct slice text)
{
    if (text.size > 0 && text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '~' &&
            (i + 1 == text.size || (text.data[i + 1] != '0' && text.data[i + 1] != '1')))
            return false;
    }
    return true;
}

bool form_relative_json_pointer(struct slice text)
{
    size_t i = 0;
    while (i < text.size && char_is_digit(text.data[i]))
        i++;
    if (i == 0 || (i > 1 && text.data[0] == '0'))
        return false;
    if (i + 1 == text.size && text.data[i] == '#')
        return true;
    return form_json_pointer((struct slice){text.data + i, text.size - i});
}

bool form_regex(struct slice text)
{
    return regex_is_ecma(text);
}

/* A decimal number as JSON has it, but for a "+", leading zeros, and a point at either end. */
struct decimal {
    bool is_number;
    bool is_integral;
};

static struct decimal read_decimal(struct slice text)
{
    enum { EXPONENT_MAX = 1000000000 };
    struct decimal wrong = {false, false};
    const char *at = text.data, *end = at + text.size;
    int64_t digits = 0, places = 0, trailing_zeros = 0, exponent = 0;
    bool point = false, zero = true;
    at += at < end && (*at == '+' || *at == '-');
    for (; at < end && (char_is_digit(*at) || (*at == '.' && !point)); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        digits++;
        places += point;
        trailing_zeros = *at == '0' ? trailing_zeros + 1 : 0;
        zero &= *at == '0';
    }
    if (digits == 0)
        return wrong;
    if (at < end && (*at | 0x20) == 'e') {
        bool negative = ++at < end && *at == '-';
        at += at < end && (*at == '+' || *at == '-');
        if (at == end)
            return wrong;
        for (; at < end && char_is_digit(*at); at++)
            exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*at - '0') : exponent;
        exponent = negative ? -exponent : exponent;
    }
    return (struct decimal){at == end, zero || trailing_zeros + exponent >= places};
}

bool form_integer(struct slice text)
{
    struct decimal decimal = read_decimal(text);
    return decimal.is_number && decimal.is_integral;
}

bool form_number(struct slice text)
{
    return read_decimal(text).is_number || slice_is(text, "NaN") || slice_is(text, "Infinity") ||
           slice_is(text, "-Infinity");
}

bool form_sha256(struct slice text)
{
    static const char prefix[] = "sha256:";
    enum { PREFIX = sizeof prefix - 1, DIGITS = 64 };
    if (text.size != PREFIX + DIGITS || !slice_starts_with(text, prefix))
        return false;
    for (size_t i = PREFIX; i < text.size; i++) {
        if (!char_is_hex(text.data[i]))
            return false;
    }
    return true;
}
