/* The locations of a shape. */
#include "schema/shape/tree.h"

const char *const shape_exists_names[] = {"must", "may", "implicit", "cannot"};

static const struct shape anything = {.types = SHAPE_ANY, .max_length = UINT32_MAX, .max_items = UINT32_MAX};
static const struct shape nothing = {.max_length = UINT32_MAX, .max_items = UINT32_MAX};

/* Does a child exist, whose parent does as `parent_exists` says? `certain`: wherever the parent is of `type`,
 * the child is there. */
static enum shape_exists child_exists(const struct shape *parent, enum shape_exists parent_exists,
                                      unsigned type, const struct shape *child, bool certain)
{
    if (child->types == 0 || !(parent->types & type) || parent_exists == SHAPE_CANNOT)
        return SHAPE_CANNOT;
    if (parent_exists == SHAPE_IMPLICIT)
        return SHAPE_IMPLICIT;
    return certain && parent->types == type && parent_exists == SHAPE_MUST ? SHAPE_MUST : SHAPE_MAY;
}

static bool element_is_certain(const struct shape *parent, uint32_t position)
{
    return position < parent->min_items;
}

/* --- all -------------------------------------------------------------------------------------------- */

struct listing {
    struct arena *arena;
    struct shape_location *items;
    size_t count, capacity;
};

static const char *extend(struct arena *arena, const char *pointer, struct slice token)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_printf(&out, "%s/", pointer);
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] == '~' || token.data[i] == '/')
            buffer_str(&out, token.data[i] == '~' ? "~0" : "~1");
        else
            buffer_byte(&out, token.data[i]);
    }
    const char *text = arena_strndup(arena, out.data, out.size);
    buffer_done(&out);
    return text;
}

static void list(struct listing *listing, struct shape_location location);

static void list_child(struct listing *listing, const struct shape_location *parent, struct slice token,
                       bool is_pattern, enum shape_exists exists, const struct shape *shape)
{
    list(listing, (struct shape_location){extend(listing->arena, parent->pointer, token),
                                          parent->is_pattern || is_pattern, exists, shape});
}

static void list_elements(struct listing *listing, const struct shape_location *location)
{
    const struct shape *shape = location->shape;
    for (uint32_t i = 0; i < shape->tuple_count; i++) {
        char token[16];
        snprintf(token, sizeof token, "%u", i);
        list_child(listing, location, slice_of(token), false,
                   i >= shape->max_items ? SHAPE_CANNOT
                                         : child_exists(shape, location->exists, SHAPE_ARRAY, shape->tuple[i],
                                                        element_is_certain(shape, i)),
                   shape->tuple[i]);
    }
    if (shape->items && shape->items->types != 0)
        list_child(listing, location, slice_of("-"), true,
                   child_exists(shape, location->exists, SHAPE_ARRAY, shape->items, false), shape->items);
}

static void list_members(struct listing *listing, const struct shape_location *location)
{
    const struct shape *shape = location->shape;
    for (uint32_t i = 0; i < shape->property_count; i++) {
        const struct shape_property *property = &shape->properties[i];
        list_child(listing, location, (struct slice){property->name, property->size}, false,
                   child_exists(shape, location->exists, SHAPE_OBJECT, property->shape, property->required),
                   property->shape);
    }
    for (uint32_t i = 0; i < shape->pattern_count; i++) {
        const struct shape *other = shape->patterns[i].shape;
        list_child(listing, location, slice_of(shape->patterns[i].source), true,
                   child_exists(shape, location->exists, SHAPE_OBJECT, other, false), other);
    }
    if (shape->additional && shape->additional->types != 0)
        list_child(listing, location, slice_of("*"), true,
                   child_exists(shape, location->exists, SHAPE_OBJECT, shape->additional, false),
                   shape->additional);
}

static void list(struct listing *listing, struct shape_location location)
{
    listing->items = mem_grow(listing->items, &listing->capacity, listing->count + 1, sizeof *listing->items);
    listing->items[listing->count++] = location;
    list_members(listing, &location);
    list_elements(listing, &location);
}

const struct shape_location *shape_locations(const struct shape *shape, struct arena *arena,
                                             size_t *ret_count)
{
    struct listing listing = {.arena = arena};
    list(&listing, (struct shape_location){"", false, shape->types ? SHAPE_MUST : SHAPE_CANNOT, shape});
    const struct shape_location *copy =
        arena_dup(arena, listing.items, listing.count * sizeof *listing.items);
    *ret_count = listing.count;
    mem_free_cleanup(&listing.items);
    return copy;
}

/* --- one -------------------------------------------------------------------------------------------- */

static void step_into_object(struct shape_location *at, struct slice name)
{
    const struct shape *parent = at->shape, *child = parent->additional;
    const struct shape_property *property = shape_property(parent, name);
    if (property) {
        at->exists = child_exists(parent, at->exists, SHAPE_OBJECT, property->shape, property->required);
        at->shape = property->shape;
        return;
    }
    for (uint32_t i = 0; i < parent->pattern_count; i++) {
        if (!shape_pattern_matches(&parent->patterns[i], name))
            continue;
        at->shape = parent->patterns[i].shape;
        at->exists = child_exists(parent, at->exists, SHAPE_OBJECT, at->shape, false);
        return;
    }
    at->shape = child ? child : &anything;
    at->exists = child_exists(parent, at->exists, SHAPE_OBJECT, at->shape, false);
    if (!child && at->exists != SHAPE_CANNOT)
        at->exists = SHAPE_IMPLICIT;
}

static void step_into_array(struct shape_location *at, uint32_t position)
{
    const struct shape *parent = at->shape, *child = parent->items;
    if (position < parent->tuple_count)
        child = parent->tuple[position];
    at->shape = child ? child : &anything;
    at->exists =
        child_exists(parent, at->exists, SHAPE_ARRAY, at->shape, element_is_certain(parent, position));
    if (position >= parent->max_items)
        at->exists = SHAPE_CANNOT;
    else if (!child && at->exists == SHAPE_MAY)
        at->exists = SHAPE_IMPLICIT;
}

void shape_step(struct shape_location *at, const struct key_step *step)
{
    bool object = at->shape->types & SHAPE_OBJECT,
         array = (at->shape->types & SHAPE_ARRAY) && step->position != JSON_NONE;
    if (object && array && !shape_property(at->shape, step->name)) { /* either, so nothing is known */
        at->shape = &anything;
        at->exists = at->exists == SHAPE_CANNOT ? SHAPE_CANNOT : SHAPE_IMPLICIT;
    } else if (object) {
        step_into_object(at, step->name);
    } else if (array) {
        step_into_array(at, step->position);
    } else {
        at->shape = &nothing;
        at->exists = SHAPE_CANNOT;
    }
}

struct shape_location shape_locate(const struct shape *shape, const char *pointer, struct arena *arena)
{
    const char *const pointers[] = {pointer, NULL};
    struct key key = key_compile(pointers, arena);
    struct shape_location at = {pointer, false, shape->types ? SHAPE_MUST : SHAPE_CANNOT, shape};
    for (size_t i = 0; i < key.parts[0].step_count; i++)
        shape_step(&at, &key.parts[0].steps[i]);
    return at;
}

const char *shape_field(const struct shape_location *location)
{
    if (location->is_pattern)
        return NULL;
    return *location->pointer ? location->pointer + 1 : "flow_document";
}
