#include "ingest/ids.h"

#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>

/* 128 bits of an id stand for it: two in ten million of them meet with a chance of one in 10^24. A ring holds
 * them in the order they came, a table of places in the ring finds them. */

struct id {
    uint64_t low, high;
};

struct ingest_ids {
    struct id *ring;
    uint32_t *table; /* a place in the ring, from 1; 0: free */
    size_t window, count, next;
    size_t capacity; /* of the ring as it is: it grows up to the window */
    size_t mask;
};

enum { CAPACITY_FIRST = 256 };

static struct id id_of(struct slice scope, struct slice id)
{
    uint64_t of_scope = hash_xxh3(scope.data, scope.size, 0);
    return (struct id){hash_xxh3(id.data, id.size, of_scope),
                       hash_xxh3(id.data, id.size, of_scope ^ 0x9e3779b97f4a7c15)};
}

/* Where it is in the table, or where it would go. */
static size_t seek(const struct ingest_ids *ids, struct id id)
{
    size_t at = id.low & ids->mask;
    while (ids->table[at]) {
        const struct id *there = &ids->ring[ids->table[at] - 1];
        if (there->low == id.low && there->high == id.high)
            break;
        at = (at + 1) & ids->mask;
    }
    return at;
}

/* A table for the ring's capacity, at most half full. */
static void index_all(struct ingest_ids *ids)
{
    size_t size = 2;
    while (size < 2 * ids->capacity)
        size *= 2;
    free(ids->table);
    ids->table = mem_zalloc(size * sizeof *ids->table);
    ids->mask = size - 1;
    for (size_t i = 0; i < ids->count; i++)
        ids->table[seek(ids, ids->ring[i])] = (uint32_t)i + 1;
}

struct ingest_ids *ingest_ids_new(size_t window)
{
    assert(window > 0 && window < UINT32_MAX);
    struct ingest_ids *ids = mem_zalloc(sizeof *ids);
    ids->window = window;
    ids->capacity = window < CAPACITY_FIRST ? window : CAPACITY_FIRST;
    ids->ring = mem_alloc(ids->capacity * sizeof *ids->ring);
    index_all(ids);
    return ids;
}

void ingest_ids_free(struct ingest_ids *ids)
{
    if (!ids)
        return;
    free(ids->ring);
    free(ids->table);
    free(ids);
}

/* Take an entry out and close the gap: each that follows goes to where it would be without it. */
static void forget(struct ingest_ids *ids, size_t at)
{
    ids->table[at] = 0;
    for (size_t i = (at + 1) & ids->mask; ids->table[i]; i = (i + 1) & ids->mask) {
        uint32_t place = ids->table[i];
        ids->table[i] = 0;
        ids->table[seek(ids, ids->ring[place - 1])] = place;
    }
}

static void make_room(struct ingest_ids *ids)
{
    if (ids->count == ids->window) {
        forget(ids, seek(ids, ids->ring[ids->next]));
        return;
    }
    if (ids->count == ids->capacity) {
        ids->capacity = 2 * ids->capacity < ids->window ? 2 * ids->capacity : ids->window;
        ids->ring = mem_realloc(ids->ring, ids->capacity * sizeof *ids->ring);
        index_all(ids);
    }
    ids->count++;
}

bool ingest_ids_add(struct ingest_ids *ids, struct slice scope, struct slice id)
{
    struct id own = id_of(scope, id);
    if (ids->table[seek(ids, own)])
        return false;
    make_room(ids);
    ids->ring[ids->next] = own;
    ids->table[seek(ids, own)] = (uint32_t)ids->next + 1;
    ids->next = ids->next + 1 == ids->window ? 0 : ids->next + 1;
    return true;
}

bool ingest_ids_has(const struct ingest_ids *ids, struct slice scope, struct slice id)
{
    return ids->table[seek(ids, id_of(scope, id))] != 0;
}

size_t ingest_ids_count(const struct ingest_ids *ids)
{
    return ids->count;
}
