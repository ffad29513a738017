#include "base/map.h"

#include "base/hash.h"

#include <stdlib.h>

/* Open addressing over indices into the entries array; slot value 0 is empty, otherwise entry + 1.
 * Removed entries stay behind as tombstones until the next rebuild. */

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_done(struct map *map)
{
    for (size_t i = 0; i < map->used; i++)
        free((char *)map->entries[i].key.data);
    free(map->entries);
    free(map->index);
    *map = (struct map){0};
}

static size_t slot_of(const struct map *map, struct slice key)
{
    size_t slot = hash_xxh3(key.data, key.size, 0) & (map->index_size - 1);
    while (map->index[slot]) {
        const struct map_entry *entry = &map->entries[map->index[slot] - 1];
        if (entry->key.data && slice_equal(entry->key, key))
            return slot;
        slot = (slot + 1) & (map->index_size - 1);
    }
    return slot;
}

static void rebuild(struct map *map, size_t index_size)
{
    size_t live = 0;
    for (size_t i = 0; i < map->used; i++) {
        if (map->entries[i].key.data)
            map->entries[live++] = map->entries[i];
    }
    map->used = live;
    free(map->index);
    map->index = mem_zalloc(index_size * sizeof *map->index);
    map->index_size = index_size;
    for (size_t i = 0; i < live; i++)
        map->index[slot_of(map, map->entries[i].key)] = (uint32_t)(i + 1);
}

void *map_get(const struct map *map, struct slice key)
{
    if (map->index_size == 0)
        return NULL;
    uint32_t at = map->index[slot_of(map, key)];
    return at ? map->entries[at - 1].value : NULL;
}

void *map_set(struct map *map, struct slice key, void *value)
{
    if ((map->used + 1) * 2 > map->index_size) {
        size_t size = map->index_size ? map->index_size : 16;
        rebuild(map, (map->count + 1) * 2 > size / 2 ? size * 2 : size);
    }
    size_t slot = slot_of(map, key);
    if (map->index[slot]) {
        struct map_entry *entry = &map->entries[map->index[slot] - 1];
        void *old = entry->value;
        entry->value = value;
        return old;
    }
    map->entries = mem_grow(map->entries, &map->capacity, map->used + 1, sizeof *map->entries);
    map->entries[map->used] = (struct map_entry){{mem_strndup(key.data, key.size), key.size}, value};
    map->index[slot] = (uint32_t)++map->used;
    map->count++;
    return NULL;
}

void *map_remove(struct map *map, struct slice key)
{
    if (map->index_size == 0)
        return NULL;
    uint32_t at = map->index[slot_of(map, key)];
    if (!at)
        return NULL;
    struct map_entry *entry = &map->entries[at - 1];
    void *old = entry->value;
    free((char *)entry->key.data);
    *entry = (struct map_entry){0};
    map->count--;
    return old;
}

struct map_entry *map_next(const struct map *map, size_t *at)
{
    while (*at < map->used) {
        struct map_entry *entry = &map->entries[(*at)++];
        if (entry->key.data)
            return entry;
    }
    return NULL;
}
