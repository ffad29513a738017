/* Python's comparisons, and `in`. */
#include "run.h"

/* The order of two values of one kind; -1 with a TypeError for those that have none. *ret_order 2: neither
 * (NaN). */
static int order_of(struct run *run, const struct tvalue *a, const struct tvalue *b, unsigned depth,
                    int *ret_order)
{
    if (tvalue_is_number(a) && tvalue_is_number(b)) {
        if (!tvalue_compare_numbers(a, b, ret_order))
            *ret_order = 2;
        return 0;
    }
    if (a->kind == b->kind && (a->kind == TVALUE_STRING || a->kind == TVALUE_BYTES)) {
        *ret_order = slice_compare(a->text, b->text);
        *ret_order = (*ret_order > 0) - (*ret_order < 0);
        return 0;
    }
    if (a->kind == b->kind &&
        (a->kind == TVALUE_DATETIME || a->kind == TVALUE_DATE || a->kind == TVALUE_TIME)) {
        if ((a->datetime->zone == DATETIME_NAIVE) != (b->datetime->zone == DATETIME_NAIVE))
            return run_type_error(run, "dates with and without a time zone cannot be compared");
        int64_t x = datetime_utc(a->datetime), y = datetime_utc(b->datetime);
        *ret_order = (x > y) - (x < y);
        return 0;
    }
    if (a->kind == TVALUE_TIMEDELTA && b->kind == TVALUE_TIMEDELTA) {
        *ret_order =
            a->seconds != b->seconds ? (a->seconds > b->seconds ? 1 : -1) : (a->at > b->at) - (a->at < b->at);
        return 0;
    }
    bool sequences = tvalue_is_sequence(a) && tvalue_is_sequence(b) &&
                     (a->kind == TVALUE_TUPLE) == (b->kind == TVALUE_TUPLE);
    if (!sequences || depth > TEMPLATE_NESTING_MAX) {
        if (b->kind == TVALUE_UNDEFINED && a->kind != TVALUE_UNDEFINED)
            return run_undefined(run, b);
        if (a->kind == TVALUE_UNDEFINED)
            return run_undefined(run, a);
        return run_type_error(run, "%s and %s cannot be compared", tvalue_type(a), tvalue_type(b));
    }
    struct titer left, right;
    struct tvalue x, y;
    titer_init(&left, run->arena, *a);
    titer_init(&right, run->arena, *b);
    while (titer_next(&left, &x)) {
        if (!titer_next(&right, &y)) {
            *ret_order = 1;
            return 0;
        }
        if (run_step(run) < 0)
            return -1;
        bool same;
        if (run_equal(run, &x, &y, &same) < 0)
            return -1;
        if (!same)
            return order_of(run, &x, &y, depth + 1, ret_order);
    }
    *ret_order = titer_next(&right, &y) ? -1 : 0;
    return 0;
}

int run_less(struct run *run, const struct tvalue *a, const struct tvalue *b, bool *ret_less)
{
    int order;
    if (order_of(run, a, b, 0, &order) < 0)
        return -1;
    *ret_less = order == -1;
    return 0;
}

static bool is_subset(struct run *run, const struct tvalue *a, const struct tvalue *b)
{
    bool found = true;
    for (uint32_t i = 0; i < a->list->count && found; i++)
        found = run_contains(run, b, &a->list->items[i], &found) == 0 && found;
    return found;
}

static bool compare_sets(struct run *run, enum operator_kind op, const struct tvalue *a,
                         const struct tvalue *b)
{
    if (op == OP_GREATER || op == OP_GREATER_EQUAL) {
        const struct tvalue *other = a;
        a = b;
        b = other;
    }
    bool proper = op == OP_LESS || op == OP_GREATER;
    return is_subset(run, a, b) && (!proper || a->list->count < b->list->count);
}

int run_compare(struct run *run, enum operator_kind op, const struct tvalue *a, const struct tvalue *b,
                bool *ret_truth)
{
    int order = 0;
    switch (op) {
    case OP_EQUAL:
    case OP_UNEQUAL:
        if (run_equal(run, a, b, ret_truth) < 0)
            return -1;
        *ret_truth = *ret_truth == (op == OP_EQUAL);
        return 0;
    case OP_IN:
    case OP_NOT_IN:
        if (run_contains(run, b, a, ret_truth) < 0)
            return -1;
        *ret_truth = *ret_truth == (op == OP_IN);
        return 0;
    default:
        break;
    }
    if (a->kind == TVALUE_SET && b->kind == TVALUE_SET) {
        *ret_truth = compare_sets(run, op, a, b);
        return 0;
    }
    if (order_of(run, a, b, 0, &order) < 0)
        return -1;
    *ret_truth = (op == OP_LESS && order == -1) || (op == OP_GREATER && order == 1) ||
                 (op == OP_LESS_EQUAL && order <= 0) ||
                 (op == OP_GREATER_EQUAL && (order == 0 || order == 1));
    return 0;
}

int run_contains(struct run *run, const struct tvalue *container, const struct tvalue *item, bool *ret_truth)
{
    struct titer iter;
    struct tvalue element;
    uint64_t hash;
    bool by_hash = tvalue_is_mapping(container) || container->kind == TVALUE_SET ||
                   (container->kind == TVALUE_VIEW && container->id == TVALUE_VIEW_KEYS);
    *ret_truth = false;
    if (by_hash && run_key(run, item) < 0)
        return -1;
    if (by_hash && !tvalue_hash(run->arena, item, &hash))
        return run_type_error(run, "a value of type %s cannot be a key", tvalue_type(item));
    if (tvalue_is_mapping(container)) {
        *ret_truth = tvalue_member(run->arena, container, item, &element);
        return 0;
    }
    if (container->kind == TVALUE_STRING) {
        if (item->kind != TVALUE_STRING)
            return run_type_error(run, "'in' a str needs a str, not %s", tvalue_type(item));
        *ret_truth = item->text.size == 0 ||
                     memmem(container->text.data, container->text.size, item->text.data, item->text.size);
        return 0;
    }
    if (container->kind == TVALUE_NAMESPACE || !titer_init(&iter, run->arena, *container))
        return run_type_error(run, "'in' cannot be done with a value of type %s", tvalue_type(container));
    while (!*ret_truth && titer_next(&iter, &element)) {
        if (run_step(run) < 0 || run_equal(run, &element, item, ret_truth) < 0)
            return -1;
    }
    return 0;
}
