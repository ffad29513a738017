/* Plain scalars by the core schema of YAML 1.2, with JSON as the aim: a number keeps its text if that is
 * JSON, is rewritten if it is not, and is refused if JSON has nothing like it. */
#include "yaml/items.h"

static bool is_one_of(struct slice text, const char *const *words)
{
    for (; *words; words++) {
        if (slice_is(text, *words))
            return true;
    }
    return false;
}

static size_t digits(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - from);
}

/* The parts of [-+]? digits [. digits] [e [-+] digits]. */
struct number_parts {
    bool negative, signed_plus, point;
    struct slice whole, fraction, exponent; /* exponent with its e and sign */
};

static bool split_number(struct slice text, struct number_parts *ret_parts)
{
    struct number_parts parts = {0};
    const char *at = text.data, *end = text.data + text.size;
    if (at < end && (*at == '-' || *at == '+')) {
        parts.negative = *at == '-';
        parts.signed_plus = *at == '+';
        at++;
    }
    parts.whole = (struct slice){at, digits(at, end)};
    at += parts.whole.size;
    if (at < end && *at == '.') {
        parts.point = true;
        at++;
        parts.fraction = (struct slice){at, digits(at, end)};
        at += parts.fraction.size;
    }
    if (parts.whole.size + parts.fraction.size == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *from = at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        size_t count = digits(at, end);
        if (count == 0)
            return false;
        at += count;
        parts.exponent = (struct slice){from, (size_t)(at - from)};
    }
    *ret_parts = parts;
    return at == end;
}

/* Is it a decimal number? `*ret_json` is then its JSON: its own text where that is possible. A number with
 * leading zeros is not taken for one: it is a postal code or another name made of digits, and a number
 * could not keep it. */
static bool decimal(struct slice text, struct arena *arena, struct slice *ret_json)
{
    struct number_parts parts;
    if (!split_number(text, &parts) || (parts.whole.size > 1 && parts.whole.data[0] == '0'))
        return false;
    bool is_json = !parts.signed_plus && parts.whole.size && (!parts.point || parts.fraction.size);
    if (is_json) {
        *ret_json = text;
        return true;
    }
    char *json = arena_alloc(arena, text.size + 4);
    size_t size = 0;
    if (parts.negative)
        json[size++] = '-';
    struct slice whole = parts.whole.size ? parts.whole : SLICE_LITERAL("0");
    memcpy(json + size, whole.data, whole.size);
    size += whole.size;
    if (parts.point) {
        struct slice fraction = parts.fraction.size ? parts.fraction : SLICE_LITERAL("0");
        json[size++] = '.';
        memcpy(json + size, fraction.data, fraction.size);
        size += fraction.size;
    }
    if (parts.exponent.size)
        memcpy(json + size, parts.exponent.data, parts.exponent.size);
    *ret_json = (struct slice){json, size + parts.exponent.size};
    return true;
}

/* 0x1F and 0o17. 1: it is, and fits; 0: it is no such number; -1: more than 64 bits. */
static int radix(struct slice text, uint64_t *ret_value)
{
    if (text.size < 3 || text.data[0] != '0' || (text.data[1] != 'x' && text.data[1] != 'o'))
        return 0;
    unsigned base = text.data[1] == 'x' ? 16 : 8;
    uint64_t value = 0;
    bool too_large = false;
    for (size_t i = 2; i < text.size; i++) {
        char c = text.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base)
            return 0;
        too_large |= value > UINT64_MAX / base;
        value = value * base + digit;
    }
    *ret_value = value;
    return too_large ? -1 : 1;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"true", "True", "TRUE", NULL};
static const char *const falses[] = {"false", "False", "FALSE", NULL};

int yaml_resolve_plain(const struct yaml_reporter *reporter, struct arena *arena, struct yaml_item *item)
{
    static const char *const unreal[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                         "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
    struct slice text = item->text;
    item->kind = YAML_LITERAL;
    if (is_one_of(text, nulls)) {
        item->text = SLICE_LITERAL("null");
    } else if (is_one_of(text, trues)) {
        item->text = SLICE_LITERAL("true");
    } else if (is_one_of(text, falses)) {
        item->text = SLICE_LITERAL("false");
    } else if (is_one_of(text, unreal)) {
        item->text = SLICE_LITERAL("null");
        return yaml_problem(reporter, item->at,
                            "%.*s is a number that JSON does not have; put it in quotes if text is meant",
                            SLICE_ARGS(text));
    } else if (!decimal(text, arena, &item->text)) {
        uint64_t value = 0;
        int is_radix = radix(text, &value);
        if (is_radix == 0) {
            item->kind = YAML_STRING;
            return 0;
        }
        const char *json = arena_printf(arena, "%llu", (unsigned long long)value);
        item->text = slice_of(json);
        if (is_radix < 0)
            return yaml_problem(
                reporter, item->at,
                "this number has more than 64 bits; write it in decimal, or in quotes if text is meant");
    }
    return 0;
}

/* --- explicit tags --------------------------------------------------------------------------------- */

const char *yaml_tag_name(enum yaml_tag tag)
{
    static const char *const names[] = {
        [YAML_TAG_NONE] = "",     [YAML_TAG_NULL] = "!!null",   [YAML_TAG_BOOL] = "!!bool",
        [YAML_TAG_INT] = "!!int", [YAML_TAG_FLOAT] = "!!float",
    };
    return names[tag];
}

const char *yaml_tag_wants(enum yaml_tag tag)
{
    static const char *const names[] = {
        [YAML_TAG_NONE] = "",
        [YAML_TAG_NULL] = "null, ~ or nothing",
        [YAML_TAG_BOOL] = "true or false",
        [YAML_TAG_INT] = "a whole number",
        [YAML_TAG_FLOAT] = "a number",
    };
    return names[tag];
}

/* Without the leading zeros of its whole part, which JSON does not have: "-007" is -7. */
static struct slice without_zeros(struct slice text, struct arena *arena)
{
    size_t sign = text.size && (text.data[0] == '-' || text.data[0] == '+'), zeros = sign;
    while (zeros + 1 < text.size && text.data[zeros] == '0' && text.data[zeros + 1] >= '0' &&
           text.data[zeros + 1] <= '9')
        zeros++;
    if (zeros == sign)
        return text;
    char *shorter = arena_alloc(arena, text.size);
    memcpy(shorter, text.data, sign);
    memcpy(shorter + sign, text.data + zeros, text.size - zeros);
    return (struct slice){shorter, sign + text.size - zeros};
}

static bool resolve_number(bool whole, struct slice text, struct arena *arena, struct slice *ret_json)
{
    struct number_parts parts;
    uint64_t value;
    if (radix(text, &value) == 1) {
        *ret_json = slice_of(arena_printf(arena, "%llu", (unsigned long long)value));
        return true;
    }
    return split_number(text, &parts) && !(whole && (parts.point || parts.exponent.size)) &&
           decimal(without_zeros(text, arena), arena, ret_json);
}

bool yaml_resolve_tag(enum yaml_tag tag, struct slice text, struct arena *arena, struct slice *ret_json)
{
    switch (tag) {
    case YAML_TAG_NULL:
        *ret_json = SLICE_LITERAL("null");
        return is_one_of(text, nulls);
    case YAML_TAG_BOOL:
        *ret_json = is_one_of(text, trues) ? SLICE_LITERAL("true") : SLICE_LITERAL("false");
        return is_one_of(text, trues) || is_one_of(text, falses);
    case YAML_TAG_INT:
    case YAML_TAG_FLOAT:
        return resolve_number(tag == YAML_TAG_INT, text, arena, ret_json);
    case YAML_TAG_NONE:
        break;
    }
    return false;
}
