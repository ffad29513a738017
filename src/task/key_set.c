#include "task/key_set.h"

#include "base/hash.h"

enum { CAPACITY_MIN = 1024, CAPACITY_KEPT = 1 << 16 };

static const uint64_t seed_high = 0x9e3779b97f4a7c15, seed_low = 0xc2b2ae3d27d4eb4f;

void key_set_done(struct key_set *set)
{
    free(set->marks);
    *set = (struct key_set){0};
}

void key_set_clear(struct key_set *set)
{
    if (set->capacity > CAPACITY_KEPT) {
        key_set_done(set);
        return;
    }
    if (set->count)
        memset(set->marks, 0, set->capacity * sizeof *set->marks);
    set->count = 0;
}

static struct key_mark mark_of(uint32_t binding, struct slice packed)
{
    struct key_mark mark = {hash_xxh3(packed.data, packed.size, seed_high + binding),
                            hash_xxh3(packed.data, packed.size, seed_low - binding)};
    mark.low += mark.high == 0 && mark.low == 0;
    return mark;
}

/* Its place, or the free one where it would be. */
static struct key_mark *place_of(const struct key_set *set, struct key_mark mark)
{
    for (size_t at = mark.low & (set->capacity - 1);; at = (at + 1) & (set->capacity - 1)) {
        struct key_mark *place = &set->marks[at];
        if ((place->high == 0 && place->low == 0) || (place->high == mark.high && place->low == mark.low))
            return place;
    }
}

static void grow(struct key_set *set)
{
    struct key_set larger = {.capacity = set->capacity ? set->capacity * 2 : CAPACITY_MIN,
                             .count = set->count};
    larger.marks = mem_zalloc(larger.capacity * sizeof *larger.marks);
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->marks[i].high || set->marks[i].low)
            *place_of(&larger, set->marks[i]) = set->marks[i];
    }
    free(set->marks);
    *set = larger;
}

bool key_set_add(struct key_set *set, uint32_t binding, struct slice packed)
{
    struct key_mark mark = mark_of(binding, packed);
    if (set->count * 2 >= set->capacity)
        grow(set);
    struct key_mark *place = place_of(set, mark);
    if (place->high || place->low)
        return false;
    *place = mark;
    set->count++;
    return true;
}

bool key_set_has(const struct key_set *set, uint32_t binding, struct slice packed)
{
    if (set->count == 0)
        return false;
    const struct key_mark *place = place_of(set, mark_of(binding, packed));
    return place->high || place->low;
}
