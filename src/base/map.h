/* A hash map from byte strings to pointers, in insertion order. Keys are copied. Values are not owned. */
#ifndef FIRTH_BASE_MAP_H
#define FIRTH_BASE_MAP_H

#include "base/text.h"

struct map_entry {
    struct slice key; /* NUL-terminated as well */
    void *value;
};

struct map {
    struct map_entry *entries; /* insertion order; removed entries have key.data == NULL */
    size_t count;              /* live entries */
    size_t used;               /* slots of `entries` in use, removed ones included */
    size_t capacity;
    uint32_t *index;
    size_t index_size; /* a power of two, 0 while empty */
};

void map_init(struct map *map);
void map_done(struct map *map);
/* The value, or NULL. */
void *map_get(const struct map *map, struct slice key);
/* Insert or replace; returns the value replaced, or NULL. */
void *map_set(struct map *map, struct slice key, void *value);
/* Remove; returns the value that was there, or NULL. */
void *map_remove(struct map *map, struct slice key);
/* Iterate: for (size_t at = 0; (entry = map_next(map, &at));) */
struct map_entry *map_next(const struct map *map, size_t *at);

#endif
