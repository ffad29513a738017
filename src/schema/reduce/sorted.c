/* Arrays as sets and maps: their elements in the order of a key. */
#include "schema/reduce/reducer.h"

#include <stdlib.h>

static const struct key_part whole = {.pointer = "", .absent = {.at = JSON_NONE}};
const struct key sorted_natural = {.parts = (struct key_part *)(uintptr_t)&whole, .count = 1};

struct order {
    const struct key *key;
    const struct json *doc;
};

/* Elements of one key keep their order. */
static int compare(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int result = key_compare(order->key, order->doc, x, order->doc, y);
    return result ? result : (x > y) - (x < y);
}

/* Arrays should come sorted, and cost a pass to look then. */
struct sorted sorted_open(struct reducer *r, const struct key *key, const struct json *doc, uint32_t array)
{
    struct sorted sorted = {.doc = doc, .count = json_count(doc, array)};
    struct order order = {key, doc};
    bool in_order = true;
    sorted.first = reduce_push(r, sorted.count);
    uint32_t *elements = r->stack + sorted.first, i = 0;
    for (uint32_t e = json_first(doc, array); e != JSON_NONE; e = json_next(doc, array, e), i++) {
        elements[i] = e;
        in_order = in_order && (i == 0 || compare(&elements[i - 1], &elements[i], &order) < 0);
    }
    if (!in_order)
        qsort_r(elements, sorted.count, sizeof *elements, compare, &order);
    return sorted;
}

bool sorted_has(const struct reducer *r, const struct sorted *sorted, const struct key *key,
                const struct json *other, uint32_t element)
{
    uint32_t low = 0, high = sorted->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = key_compare(key, sorted->doc, sorted_at(r, sorted, middle), other, element);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
