/* Plain scalars as PyYAML reads them, which is YAML 1.1 with small differences of its own: for files that
 * were written for it. Dates stay text: JSON has none. */
#include "yaml/items.h"

static bool is_word(struct slice text, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(text, *words))
            return true;
    return false;
}

/* Digits of the base, and underscores, up to the end; at least one byte. */
static bool all_digits(struct slice text, unsigned base)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (c != '_' && digit >= base)
            return false;
    }
    return text.size > 0;
}

static struct slice behind(struct slice text, size_t size)
{
    return (struct slice){text.data + size, text.size - size};
}

/* -1: more than 64 bits. */
static int value_of(struct slice digits, unsigned base, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.data[i];
        if (c == '_')
            continue;
        unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        if (value > (UINT64_MAX - digit) / base)
            return -1;
        value = value * base + digit;
    }
    *ret_value = value;
    return 0;
}

/* 0b101, 017, 0x1f, and 1:30:00 to the base of sixty. `text` has no sign. 1: it is; -1: too large. */
static int based_integer(struct slice text, uint64_t *ret_value)
{
    if (text.size > 2 && text.data[0] == '0' && text.data[1] == 'b' && all_digits(behind(text, 2), 2))
        return value_of(behind(text, 2), 2, ret_value) < 0 ? -1 : 1;
    if (text.size > 2 && text.data[0] == '0' && text.data[1] == 'x' && all_digits(behind(text, 2), 16))
        return value_of(behind(text, 2), 16, ret_value) < 0 ? -1 : 1;
    if (text.size > 1 && text.data[0] == '0' && all_digits(behind(text, 1), 8))
        return value_of(behind(text, 1), 8, ret_value) < 0 ? -1 : 1;
    const char *colon = memchr(text.data, ':', text.size);
    size_t first = colon ? (size_t)(colon - text.data) : 0;
    uint64_t value;
    if (first == 0 || text.data[0] < '1' || text.data[0] > '9' ||
        !all_digits((struct slice){text.data, first}, 10))
        return 0;
    if (value_of((struct slice){text.data, first}, 10, &value) < 0)
        return -1;
    for (struct slice rest = behind(text, first); rest.size > 0;) {
        size_t size = 1;
        while (size < rest.size && size < 3 && rest.data[size] >= '0' && rest.data[size] <= '9')
            size++;
        if (rest.data[0] != ':' || size == 1 || (size == 3 && rest.data[1] > '5'))
            return 0;
        uint64_t part = size == 2 ? (uint64_t)(rest.data[1] - '0')
                                  : (uint64_t)(rest.data[1] - '0') * 10 + (uint64_t)(rest.data[2] - '0');
        if (value > (UINT64_MAX - part) / 60)
            return -1;
        value = value * 60 + part;
        rest = behind(rest, size);
    }
    *ret_value = value;
    return 1;
}

/* 12_000, and 1.5e+3, which needs its point and its exponent's sign: as JSON, without underscores. */
static bool decimal(struct slice text, bool negative, bool has_sign, struct arena *arena,
                    struct slice *ret_json)
{
    char *json = arena_alloc(arena, text.size + 4);
    size_t size = 0, at = 0, start;
    bool begins_with_point = text.size > 1 && text.data[0] == '.' && !has_sign;
    char first = text.size ? text.data[begins_with_point] : '\0';
    if (first < '0' || first > '9')
        return false;
    if (negative)
        json[size++] = '-';
    start = size;
    for (; at < text.size && (text.data[at] == '_' || (text.data[at] >= '0' && text.data[at] <= '9')); at++) {
        bool leading = text.data[at] == '0' && size == start;
        if (text.data[at] != '_' && !leading)
            json[size++] = text.data[at];
    }
    if (size == start)
        json[size++] = '0';
    if (at == text.size) {
        if (text.data[0] == '0' && text.size > 1)
            return false; /* 08: not even octal */
        *ret_json = (struct slice){json, size};
        return true;
    }
    if (text.data[at++] != '.')
        return false;
    json[size++] = '.';
    start = size;
    for (; at < text.size && (text.data[at] == '_' || (text.data[at] >= '0' && text.data[at] <= '9')); at++)
        if (text.data[at] != '_')
            json[size++] = text.data[at];
    if (size == start)
        json[size++] = '0';
    if (at < text.size) {
        struct slice exponent = behind(text, at);
        if (exponent.size < 3 || (exponent.data[0] | 0x20) != 'e' ||
            (exponent.data[1] != '-' && exponent.data[1] != '+') ||
            memchr(exponent.data, '_', exponent.size) || !all_digits(behind(exponent, 2), 10))
            return false;
        memcpy(json + size, exponent.data, exponent.size);
        size += exponent.size;
    }
    *ret_json = (struct slice){json, size};
    return true;
}

int yaml_resolve_plain_1_1(const struct yaml_reporter *reporter, struct arena *arena, struct yaml_item *item)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
    static const char *const falses[] = {"no",    "No",  "NO",  "false", "False",
                                         "FALSE", "off", "Off", "OFF",   NULL};
    static const char *const unreal[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                         "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
    struct slice text = item->text;
    item->kind = YAML_LITERAL;
    if (is_word(text, nulls)) {
        item->text = SLICE_LITERAL("null");
        return 0;
    }
    if (is_word(text, trues) || is_word(text, falses)) {
        item->text = is_word(text, trues) ? SLICE_LITERAL("true") : SLICE_LITERAL("false");
        return 0;
    }
    if (is_word(text, unreal)) {
        item->text = SLICE_LITERAL("null");
        return yaml_problem(reporter, item->at,
                            "%.*s is a number that JSON does not have; put it in quotes if text is meant",
                            SLICE_ARGS(text));
    }
    bool negative = text.data[0] == '-', has_sign = negative || text.data[0] == '+';
    uint64_t value;
    int based = based_integer(behind(text, has_sign), &value);
    if (based < 0)
        return yaml_problem(
            reporter, item->at,
            "this number has more than 64 bits; write it in decimal, or in quotes if text is meant");
    if (based > 0)
        item->text = slice_of(arena_printf(arena, "%s%llu", negative ? "-" : "", (unsigned long long)value));
    else if (!decimal(behind(text, has_sign), negative, has_sign, arena, &item->text))
        item->kind = YAML_STRING;
    return 0;
}
