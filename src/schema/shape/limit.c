/* Keeping a shape within its limits: wide and deep objects become maps. */
#include "schema/shape/tree.h"

#include <stdlib.h>

/* A named location: the last property or tuple element of its parent when its turn comes. */
struct named {
    struct shape *parent;
    uint32_t depth;
    bool in_tuple;
};

struct gathering {
    struct named *items;
    size_t count, capacity;
    uint32_t deepest;
};

static void name(struct gathering *g, struct shape *parent, uint32_t depth, bool in_tuple)
{
    g->items = mem_grow(g->items, &g->capacity, g->count + 1, sizeof *g->items);
    g->items[g->count++] = (struct named){parent, depth, in_tuple};
    if (depth > g->deepest)
        g->deepest = depth;
}

/* Each before those below it, members by name: at any one depth in the order of the pointers. */
static void gather(struct gathering *g, struct shape *shape, uint32_t depth)
{
    for (uint32_t i = 0; i < shape->property_count; i++) {
        name(g, shape, depth + 1, false);
        gather(g, shape->properties[i].shape, depth + 1);
    }
    for (uint32_t i = 0; i < shape->tuple_count; i++) {
        name(g, shape, depth + 1, true);
        gather(g, shape->tuple[i], depth + 1);
    }
    for (uint32_t i = 0; i < shape->pattern_count; i++)
        gather(g, shape->patterns[i].shape, depth + 1);
    if (shape->additional)
        gather(g, shape->additional, depth + 1);
    if (shape->items)
        gather(g, shape->items, depth + 1);
}

void shape_property_squash_last(struct shape *shape)
{
    const struct shape_property *last = &shape->properties[shape->property_count - 1];
    struct slice text = {last->name, last->size};
    bool matched = false;
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        if (!shape_pattern_matches(&shape->patterns[i], text))
            continue;
        matched = true;
        shape_union(shape->patterns[i].shape, last->shape);
    }
    if (!matched && shape->additional)
        shape_union(shape->additional, last->shape);
    shape->overflowed = shape->additional != NULL;
    shape_property_drop_last(shape);
}

static void squash_element(struct shape *shape)
{
    struct shape *last = shape->tuple[--shape->tuple_count];
    if (shape->items)
        shape_union(shape->items, last);
    shape_free(last);
}

/* What is below says no more than its types. */
static bool open_below(struct shape *shape)
{
    bool says = shape->property_count || shape->pattern_count || shape->additional || shape->tuple_count ||
                shape->items;
    if (says) {
        shape_open_objects(shape);
        shape_open_arrays(shape);
    }
    return says;
}

/* `left` more levels of named locations are allowed below the shape; below these come the other members of
 * the last, and below them nothing. */
static bool cut(struct shape *shape, uint32_t left)
{
    bool changed = false;
    for (; left == 0 && shape->property_count > 0; changed = true)
        shape_property_squash_last(shape);
    for (; left == 0 && shape->tuple_count > 0; changed = true)
        squash_element(shape);
    for (uint32_t i = 0; i < shape->property_count; i++)
        changed |= cut(shape->properties[i].shape, left - 1);
    for (uint32_t i = 0; i < shape->tuple_count; i++)
        changed |= cut(shape->tuple[i], left - 1);
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        struct shape *below = shape->patterns[i].shape;
        changed |= left == 0 ? open_below(below) : cut(below, left - 1);
    }
    if (shape->additional)
        changed |= left == 0 ? open_below(shape->additional) : cut(shape->additional, left - 1);
    if (shape->items)
        changed |= left == 0 ? open_below(shape->items) : cut(shape->items, left - 1);
    return changed;
}

static void sort(struct shape *shape)
{
    if (shape->unsorted)
        shape_properties_sort(shape);
    for (uint32_t i = 0; i < shape->property_count; i++)
        sort(shape->properties[i].shape);
    for (uint32_t i = 0; i < shape->tuple_count; i++)
        sort(shape->tuple[i]);
    for (uint32_t i = 0; i < shape->pattern_count; i++)
        sort(shape->patterns[i].shape);
    if (shape->additional)
        sort(shape->additional);
    if (shape->items)
        sort(shape->items);
}

/* Those of one depth keep their order. */
static struct named *by_depth(const struct gathering *g)
{
    size_t *start = mem_zalloc((g->deepest + 2U) * sizeof *start);
    struct named *sorted = mem_alloc(g->count * sizeof *sorted);
    for (size_t i = 0; i < g->count; i++)
        start[g->items[i].depth + 1]++;
    for (uint32_t depth = 0; depth <= g->deepest; depth++)
        start[depth + 1] += start[depth];
    for (size_t i = 0; i < g->count; i++)
        sorted[start[g->items[i].depth]++] = g->items[i];
    free(start);
    return sorted;
}

bool shape_limit(struct shape *shape, struct shape_limits limits)
{
    uint32_t locations = limits.locations ? limits.locations : shape->complexity;
    uint32_t depth = limits.depth ? limits.depth : SHAPE_DEPTH_DEFAULT;
    locations = locations ? locations : SHAPE_LOCATIONS_DEFAULT;
    locations = locations < SHAPE_LOCATIONS_MAX ? locations : SHAPE_LOCATIONS_MAX;
    shape->grown = 0;
    sort(shape);
    bool changed = cut(shape, depth < SHAPE_DEPTH_MAX ? depth : SHAPE_DEPTH_MAX);
    struct gathering g = {.count = 0};
    gather(&g, shape, 0);
    if (g.count > locations) {
        auto_free struct named *sorted = by_depth(&g);
        changed = true;
        /* Whatever is named below one that goes has gone before: no parent here is freed. */
        for (size_t i = g.count; i-- > locations;) {
            if (sorted[i].in_tuple)
                squash_element(sorted[i].parent);
            else
                shape_property_squash_last(sorted[i].parent);
        }
    }
    free(g.items);
    return changed;
}
