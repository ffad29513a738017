/* FlattenFields and DpathFlattenFields. */
#include "transform.h"

#include <stdio.h>

/* --- FlattenFields ------------------------------------------------------------------------------- */

struct flatten_fields {
    bool lists;
};

static int flatten_compile(struct engine *engine, struct component component, void **ret_self,
                           struct error *err)
{
    (void)err;
    struct flatten_fields *self = arena_zalloc(&engine->arena, sizeof *self);
    struct component lists = component_get(component, "flatten_lists");
    self->lists = component_is_none(lists) || component_bool(component, "flatten_lists");
    *ret_self = self;
    return 0;
}

/* What is still to be looked at, the last first: the CDK's order, which names depend on. */
struct pending {
    struct tvalue value;
    struct slice name;
};
struct pile {
    struct arena *arena;
    struct pending *items;
    size_t count, capacity;
};

static void pile_push(struct pile *pile, struct tvalue value, struct slice name)
{
    if (pile->count == pile->capacity) {
        size_t capacity = pile->capacity ? pile->capacity * 2 : 32;
        struct pending *items = arena_alloc(pile->arena, capacity * sizeof *items);
        if (pile->count)
            memcpy(items, pile->items, pile->count * sizeof *items);
        pile->items = items;
        pile->capacity = capacity;
    }
    pile->items[pile->count++] = (struct pending){value, name};
}

static struct slice joined(struct arena *arena, struct slice parent, struct slice name)
{
    struct ttext text;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    ttext_slice(&text, parent);
    ttext_byte(&text, '.');
    ttext_slice(&text, name);
    return ttext_slice_of(&text);
}

static int flatten_run(const void *context, struct transformation_call *call, struct tvalue *value,
                       struct error *err)
{
    (void)err;
    const struct flatten_fields *self = context;
    struct arena *arena = call->arena;
    struct tvalue result = tvalue_dict(arena), item, old;
    struct pile pile = {.arena = arena};
    struct titer iter;
    bool always = false; /* after the first list every name has its parent's before it */
    pile_push(&pile, *value, SLICE_LITERAL("_"));
    while (pile.count > 0) {
        struct pending now = pile.items[--pile.count];
        if (tvalue_is_mapping(&now.value)) {
            titer_init(&iter, arena, now.value);
            while (titer_next(&iter, &item)) {
                if (item.kind != TVALUE_STRING)
                    continue;
                bool full = always || tdict_get(result.dict, &item, &old);
                pile_push(&pile, iter.of_key, full ? joined(arena, now.name, item.text) : item.text);
            }
        } else if (self->lists && tvalue_is_sequence(&now.value)) {
            titer_init(&iter, arena, now.value);
            always = always || tvalue_count(&now.value) > 0;
            for (size_t i = 0; titer_next(&iter, &item); i++) {
                char position[24];
                snprintf(position, sizeof position, "%zu", i);
                pile_push(&pile, item, joined(arena, now.name, slice_of(position)));
            }
        } else {
            tdict_set(arena, result.dict, tvalue_string(now.name), now.value);
        }
    }
    *value = result;
    return 0;
}

const struct transformation_class transformation_flatten = {"FlattenFields", flatten_compile, flatten_run};

/* --- DpathFlattenFields -------------------------------------------------------------------------- */

struct dpath_flatten {
    struct expressions path;
    bool delete_origin, replace_record, renames;
    struct expression prefix, suffix;
};

static int dpath_flatten_compile(struct engine *engine, struct component component, void **ret_self,
                                 struct error *err)
{
    struct dpath_flatten *self = arena_zalloc(&engine->arena, sizeof *self);
    struct component rename = component_get(component, "key_transformation");
    *ret_self = self;
    self->delete_origin = component_bool(component, "delete_origin_value");
    self->replace_record = component_bool(component, "replace_record");
    self->renames = !component_is_none(rename);
    if (self->renames && (expression_compile(engine, rename, "prefix", &self->prefix, err) != 0 ||
                          expression_compile(engine, rename, "suffix", &self->suffix, err) != 0))
        return -1;
    return expressions_compile(engine, component, "field_path", &self->path, err);
}

/* The first match, and all paths that match. */
struct origin {
    struct arena *arena;
    struct tvalue first;
    struct path *paths;
    size_t count, capacity;
};

static int on_origin(void *context, const struct slice *path, size_t count, struct tvalue value,
                     struct error *err)
{
    (void)err;
    struct origin *origin = context;
    if (origin->count == 0)
        origin->first = value;
    if (origin->count == origin->capacity) {
        size_t capacity = origin->capacity ? origin->capacity * 2 : 8;
        struct path *paths = arena_alloc(origin->arena, capacity * sizeof *paths);
        if (origin->count)
            memcpy(paths, origin->paths, origin->count * sizeof *paths);
        origin->paths = paths;
        origin->capacity = capacity;
    }
    origin->paths[origin->count++] =
        (struct path){arena_dup(origin->arena, path, count * sizeof *path), count};
    return 0;
}

static int affix(const struct expression *expression, struct transformation_call *call,
                 struct slice *ret_text, struct error *err)
{
    *ret_text = SLICE_LITERAL("");
    if (expression_is_absent(expression))
        return 0;
    return expression_text(expression, &call->scope, call->arena, ret_text, err);
}

static int renamed(const struct dpath_flatten *self, struct transformation_call *call, struct tvalue *members,
                   struct error *err)
{
    struct slice prefix, suffix;
    struct tvalue result = tvalue_dict(call->arena), key;
    struct titer iter;
    if (affix(&self->prefix, call, &prefix, err) != 0 || affix(&self->suffix, call, &suffix, err) != 0)
        return -1;
    titer_init(&iter, call->arena, *members);
    while (titer_next(&iter, &key)) {
        struct ttext text;
        ttext_init(&text, call->arena, TEMPLATE_TEXT_MAX);
        ttext_slice(&text, prefix);
        tvalue_str(&text, &key);
        ttext_slice(&text, suffix);
        tdict_set(call->arena, result.dict, tvalue_string(ttext_slice_of(&text)), iter.of_key);
    }
    *members = result;
    return 0;
}

static bool has_conflict(struct arena *arena, const struct tvalue *record, const struct tvalue *members)
{
    struct titer iter;
    struct tvalue key, old;
    titer_init(&iter, arena, *members);
    while (titer_next(&iter, &key)) {
        if (tvalue_member(arena, record, &key, &old))
            return true;
    }
    return false;
}

static int dpath_flatten_run(const void *context, struct transformation_call *call, struct tvalue *value,
                             struct error *err)
{
    const struct dpath_flatten *self = context;
    struct arena *arena = call->arena;
    struct origin origin = {.arena = arena};
    struct path path;
    if (expressions_path(&self->path, &call->scope, arena, &path, err) != 0 ||
        value_glob(arena, value, path.segments, path.count, on_origin, &origin, err) != 0)
        return -1;
    struct tvalue members = origin.first, key;
    if (origin.count == 0 || !tvalue_is_mapping(&members))
        return 0;
    if (self->renames && renamed(self, call, &members, err) != 0)
        return -1;
    bool replace = self->replace_record && tvalue_true(&members);
    if (!replace && has_conflict(arena, value, &members))
        return 0;
    struct titer iter;
    titer_init(&iter, arena, members); /* before what it walks is taken out of the record */
    if (replace) {
        *value = tvalue_dict(arena);
    } else {
        for (size_t i = 0; self->delete_origin && i < origin.count; i++)
            value_remove_path(arena, value, origin.paths[i].segments, origin.paths[i].count);
        value_own(arena, value);
    }
    while (titer_next(&iter, &key))
        tdict_set(arena, value->dict, key, iter.of_key);
    return 0;
}

const struct transformation_class transformation_dpath_flatten = {"DpathFlattenFields", dpath_flatten_compile,
                                                                  dpath_flatten_run};
