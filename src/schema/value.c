/* Hashing values; numbers, exactly, the short ones in machine words. */
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

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xd6e8feb86659fd93ULL);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t string_hash(const struct json *doc, uint32_t at)
{
    if (!json_escaped(doc, at)) {
        struct slice text = json_inner(doc, at);
        return json_key_hash(text.data, text.size);
    }
    struct arena arena;
    arena_init(&arena);
    struct slice text = json_string(doc, at, &arena);
    uint64_t hash = json_key_hash(text.data, text.size);
    arena_done(&arena);
    return hash;
}

uint64_t value_hash(const struct json *doc, uint32_t at)
{
    enum json_tag tag = json_tag(doc, at);
    uint64_t hash = tag;
    switch (tag) {
    case JSON_INTEGER:
    case JSON_NUMBER:
        return mix(JSON_NUMBER, number_hash(json_raw(doc, at)));
    case JSON_STRING:
    case JSON_KEY:
        return mix(JSON_STRING, string_hash(doc, at));
    case JSON_ARRAY:
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
            hash = mix(hash + 1, value_hash(doc, e));
        return hash;
    case JSON_OBJECT: /* a sum: the order of members does not matter */
        for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k))
            hash += mix(json_hash_of_key(doc, k), value_hash(doc, json_value(k)));
        return mix(hash, tag);
    default:
        return mix(tag, tag);
    }
}

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
