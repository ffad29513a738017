/* Python's == and hash(): what is equal has the same hash, whatever its type. */
#include "base/hash.h"
#include "big.h"

#include <limits.h>

static int compare_mixed(const struct tvalue *integer, double number)
{
    /* Exactly: a double past 2^63 is an integer. */
    if (isinf(number))
        return number > 0 ? -1 : 1;
    struct arena arena;
    arena_init(&arena);
    double whole = trunc(number);
    struct tvalue other = integer_of_double(&arena, whole);
    int order = integer_compare(integer, &other);
    arena_done(&arena);
    if (order == 0 && number != whole)
        order = number > whole ? -1 : 1;
    return order;
}

bool tvalue_compare_numbers(const struct tvalue *a, const struct tvalue *b, int *ret_order)
{
    if (a->kind == TVALUE_FLOAT && b->kind == TVALUE_FLOAT) {
        if (isnan(a->number) || isnan(b->number))
            return false;
        *ret_order = (a->number > b->number) - (a->number < b->number);
    } else if (a->kind == TVALUE_FLOAT) {
        if (isnan(a->number))
            return false;
        *ret_order = -compare_mixed(b, a->number);
    } else if (b->kind == TVALUE_FLOAT) {
        if (isnan(b->number))
            return false;
        *ret_order = compare_mixed(a, b->number);
    } else {
        *ret_order = integer_compare(a, b);
    }
    return true;
}

struct equality {
    struct arena *arena;
    unsigned left; /* what it may still cost: one that stands in many places is compared in each of them */
};

static bool afford(struct equality *e, size_t bytes)
{
    size_t cost = bytes / TVALUE_STEP_BYTES;
    e->left = cost < e->left ? e->left - (unsigned)cost : 0;
    return e->left > 0;
}

static bool equal(struct equality *e, const struct tvalue *a, const struct tvalue *b, unsigned depth);

static bool sequences_equal(struct equality *e, const struct tvalue *a, const struct tvalue *b,
                            unsigned depth)
{
    size_t count = tvalue_count(a);
    if (count != tvalue_count(b))
        return false;
    struct titer left, right;
    struct tvalue x, y;
    titer_init(&left, e->arena, *a);
    titer_init(&right, e->arena, *b);
    while (titer_next(&left, &x) && titer_next(&right, &y)) {
        if (!equal(e, &x, &y, depth + 1))
            return false;
    }
    return true;
}

static bool mappings_equal(struct equality *e, const struct tvalue *a, const struct tvalue *b, unsigned depth)
{
    struct titer iter;
    struct tvalue key, other;
    if (tvalue_count(a) != tvalue_count(b))
        return false;
    titer_init(&iter, e->arena, *a);
    while (titer_next(&iter, &key)) {
        if (!tvalue_member(e->arena, b, &key, &other) || !equal(e, &iter.of_key, &other, depth + 1))
            return false;
    }
    return true;
}

static bool sets_equal(struct equality *e, const struct tvalue *a, const struct tvalue *b, unsigned depth)
{
    struct titer iter;
    struct tvalue item, other;
    if (tvalue_count(a) != tvalue_count(b))
        return false;
    titer_init(&iter, e->arena, *a);
    while (titer_next(&iter, &item)) {
        struct titer among;
        bool found = false;
        titer_init(&among, e->arena, *b);
        while (!found && titer_next(&among, &other))
            found = equal(e, &item, &other, depth + 1);
        if (!found)
            return false;
    }
    return true;
}

static bool durations_equal(const struct tvalue *a, const struct tvalue *b)
{
    if (a->kind == TVALUE_DURATION && b->kind == TVALUE_DURATION)
        return a->duration->years * 12 + a->duration->months ==
                   b->duration->years * 12 + b->duration->months &&
               a->duration->seconds == b->duration->seconds &&
               a->duration->microseconds == b->duration->microseconds;
    const struct tvalue *duration = a->kind == TVALUE_DURATION ? a : b;
    const struct tvalue *delta = a->kind == TVALUE_DURATION ? b : a;
    return delta->kind == TVALUE_TIMEDELTA && duration->duration->years == 0 &&
           duration->duration->months == 0 && duration->duration->seconds == delta->seconds &&
           duration->duration->microseconds == delta->at;
}

static bool same_kind_equal(struct equality *e, const struct tvalue *a, const struct tvalue *b,
                            unsigned depth)
{
    switch (a->kind) {
    case TVALUE_UNDEFINED:
    case TVALUE_NONE:
        return true;
    case TVALUE_STRING:
    case TVALUE_BYTES:
        return a->text.size == b->text.size && afford(e, a->text.size) && slice_equal(a->text, b->text);
    case TVALUE_TUPLE:
        return sequences_equal(e, a, b, depth);
    case TVALUE_SET:
        return sets_equal(e, a, b, depth);
    case TVALUE_DATETIME:
    case TVALUE_TIME:
        return (a->datetime->zone == DATETIME_NAIVE) == (b->datetime->zone == DATETIME_NAIVE) &&
               datetime_utc(a->datetime) == datetime_utc(b->datetime);
    case TVALUE_DATE:
        return a->datetime->local == b->datetime->local;
    case TVALUE_TIMEDELTA:
        return a->seconds == b->seconds && a->at == b->at;
    case TVALUE_VIEW:
        return a->id == b->id && a->id != TVALUE_VIEW_VALUES && sets_equal(e, a, b, depth);
    default:
        return a->pointer == b->pointer;
    }
}

static bool equal(struct equality *e, const struct tvalue *a, const struct tvalue *b, unsigned depth)
{
    if (depth > TVALUE_DEPTH_MAX || e->left == 0)
        return false;
    e->left -= depth > 0;
    if (tvalue_is_number(a) && tvalue_is_number(b)) {
        int order;
        return tvalue_compare_numbers(a, b, &order) && order == 0;
    }
    if (tvalue_is_list(a) && tvalue_is_list(b))
        return sequences_equal(e, a, b, depth);
    if (a->kind == TVALUE_DURATION || b->kind == TVALUE_DURATION)
        return durations_equal(a, b);
    if (tvalue_is_mapping(a) && tvalue_is_mapping(b)) {
        /* A record is equal to records alone. */
        bool a_is_record = a->kind == TVALUE_OBJECT && !a->object->has_dict_methods;
        bool b_is_record = b->kind == TVALUE_OBJECT && !b->object->has_dict_methods;
        return a_is_record == b_is_record && mappings_equal(e, a, b, depth);
    }
    return a->kind == b->kind && same_kind_equal(e, a, b, depth);
}

bool tvalue_equal_within(struct arena *arena, const struct tvalue *a, const struct tvalue *b, unsigned *left)
{
    struct equality e = {arena, *left};
    bool same = equal(&e, a, b, 0);
    *left = e.left;
    return same;
}

bool tvalue_equal(struct arena *arena, const struct tvalue *a, const struct tvalue *b)
{
    unsigned left = UINT_MAX;
    return tvalue_equal_within(arena, a, b, &left);
}

static uint64_t hash_number(const struct tvalue *value)
{
    int64_t integer;
    double number;
    if (value->kind == TVALUE_FLOAT) {
        number = value->number;
        if (!(number >= -9223372036854775808.0 && number < 9223372036854775808.0 && number == trunc(number)))
            return hash_xxh3(&number, sizeof number, 1);
        integer = (int64_t)number;
    } else if (value->kind == TVALUE_BIG) {
        number = integer_to_double(value);
        return hash_xxh3(&number, sizeof number, 1);
    } else {
        integer = value->kind == TVALUE_BOOL ? value->boolean : value->integer;
    }
    return hash_xxh3(&integer, sizeof integer, 0);
}

bool tvalue_hash(struct arena *arena, const struct tvalue *value, uint64_t *ret_hash)
{
    int64_t number;
    switch (value->kind) {
    case TVALUE_STRING:
    case TVALUE_BYTES:
        *ret_hash = hash_xxh3(value->text.data, value->text.size, value->kind);
        return true;
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
    case TVALUE_FLOAT:
        *ret_hash = hash_number(value);
        return true;
    case TVALUE_TUPLE:
        *ret_hash = value->list->count;
        for (uint32_t i = 0; i < value->list->count; i++) {
            uint64_t pair[2] = {*ret_hash, 0};
            if (!tvalue_hash(arena, &value->list->items[i], &pair[1]))
                return false;
            *ret_hash = hash_xxh3(pair, sizeof pair, 0);
        }
        return true;
    case TVALUE_LIST:
    case TVALUE_JSON_LIST:
    case TVALUE_DICT:
    case TVALUE_JSON_DICT:
    case TVALUE_SET:
    case TVALUE_VIEW:
        return false;
    case TVALUE_OBJECT:
        *ret_hash = TVALUE_OBJECT;
        return value->object->has_dict_methods;
    case TVALUE_DATETIME:
    case TVALUE_TIME:
    case TVALUE_DATE:
        number = datetime_utc(value->datetime);
        *ret_hash = hash_xxh3(&number, sizeof number, 2);
        return true;
    default: /* equal values of these are few: they may share one */
        *ret_hash = value->kind == TVALUE_TIMEDELTA ? (uint64_t)value->seconds : value->kind;
        return true;
    }
}
