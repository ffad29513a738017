#include "task/key_set.h"

#include "base/clock.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { CAPACITY_MIN = 1024, CAPACITY_KEPT = 1 << 16 };

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

/* SipHash-2-4 of 128 bits, with a secret key that each binding varies: whoever chooses keys, and however
 * regular they are, does not choose their marks. (A seed of XXH3 is no more than added to a short key: that
 * made one binding's 256 another's 258.) */
static struct key_mark mark_of(const struct key_set *set, uint32_t binding, struct slice packed)
{
    struct key_mark mark;
    unsigned char secret[sizeof set->secret];
    static_assert(sizeof mark == crypto_shorthash_siphashx24_BYTES, "a mark is a hash");
    static_assert(sizeof secret == crypto_shorthash_siphashx24_KEYBYTES, "the secret is its key");
    memcpy(secret, set->secret, sizeof secret);
    for (size_t i = 0; i < sizeof binding; i++)
        secret[i] ^= (unsigned char)(binding >> 8 * i);
    crypto_shorthash_siphashx24((unsigned char *)&mark, (const unsigned char *)packed.data, packed.size,
                                secret);
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
    if (set->capacity)
        memcpy(larger.secret, set->secret, sizeof larger.secret);
    else
        random_bytes(larger.secret, sizeof larger.secret);
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
    if (set->count * 2 >= set->capacity)
        grow(set);
    struct key_mark mark = mark_of(set, binding, packed);
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
    const struct key_mark *place = place_of(set, mark_of(set, binding, packed));
    return place->high || place->low;
}
