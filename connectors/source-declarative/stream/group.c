/* GroupingPartitionRouter and UnionPartitionRouter. */
#include "router_parts.h"

#include "base/map.h"

/* --- grouping ------------------------------------------------------------------------------------ */

enum { SEEN_MAX = 1 << 22 };

struct grouping {
    struct engine *engine;
    struct partition_router *inner;
    size_t size;
    bool unique;
};

static int grouping_compile(struct engine *engine, struct component component, void **ret_self,
                            struct error *err)
{
    struct grouping *self = arena_zalloc(&engine->arena, sizeof *self);
    struct component unique = component_get(component, "deduplicate");
    int64_t size = 0;
    *ret_self = self;
    self->engine = engine;
    component_integer(component, "group_size", &size);
    if (size < 1) {
        error_set(err, ERROR_INVALID, "group_size must be 1 or more");
        return component_error(err, component);
    }
    self->size = (size_t)size;
    self->unique = component_is_none(unique) || component_bool(component, "deduplicate");
    return partition_router_compile(engine, component_get(component, "underlying_partition_router"),
                                    &self->inner, err);
}

struct gathering {
    const struct grouping *self;
    struct partitions batch;
    struct map seen; /* keys of partitions, no values */
    partition_sink *on_partition;
    void *context;
};

/* {"name": [value of each]}. */
static struct tvalue lists_of(struct arena *arena, const struct partitions *batch, bool extra)
{
    struct tvalue result = tvalue_dict(arena), key, value;
    for (size_t i = 0; i < batch->count; i++) {
        struct tvalue from = extra ? batch->items[i].extra_fields : batch->items[i].partition, known;
        struct titer iter;
        titer_init(&iter, arena, from);
        while (titer_next(&iter, &key)) {
            if (tdict_get(result.dict, &key, &known) || (!extra && i > 0))
                continue;
            struct tvalue list = tvalue_list(arena);
            for (size_t each = 0; each < batch->count; each++) {
                const struct stream_slice *slice = &batch->items[each];
                if (!tvalue_member(arena, extra ? &slice->extra_fields : &slice->partition, &key, &value))
                    value = tvalue_none();
                tlist_push(arena, list.list, value);
            }
            tdict_set(arena, result.dict, key, list);
        }
    }
    return result;
}

static int give_group(struct gathering *gathering, struct error *err)
{
    struct partitions *batch = &gathering->batch;
    struct arena arena;
    if (batch->count == 0)
        return 0;
    arena_init(&arena);
    struct stream_slice slice = stream_slice_make(&arena, lists_of(&arena, batch, false), tvalue_none(),
                                                  lists_of(&arena, batch, true));
    int result = gathering->on_partition(gathering->context, &slice, err);
    arena_done(&arena);
    batch->count = 0;
    arena_clear(&batch->arena);
    return result;
}

static bool seen_before(struct gathering *gathering, const struct stream_slice *slice)
{
    struct arena arena;
    arena_init(&arena);
    struct slice key = stream_slice_key(&arena, slice);
    bool seen = map_get(&gathering->seen, key) != NULL;
    if (!seen && gathering->seen.count < SEEN_MAX)
        map_set(&gathering->seen, key, gathering);
    arena_done(&arena);
    return seen;
}

static int on_inner(void *context, const struct stream_slice *slice, struct error *err)
{
    struct gathering *gathering = context;
    if (gathering->self->unique && seen_before(gathering, slice))
        return 0;
    if (partitions_keep(&gathering->batch, slice, err) != 0)
        return -1;
    return gathering->batch.count == gathering->self->size ? give_group(gathering, err) : 0;
}

static int grouping_walk(void *context, partition_sink *on_partition, void *sink_context, struct error *err)
{
    struct grouping *self = context;
    struct gathering gathering = {.self = self, .on_partition = on_partition, .context = sink_context};
    map_init(&gathering.seen);
    int result = partition_router_walk(self->inner, on_inner, &gathering, err);
    if (result == 0)
        result = give_group(&gathering, err);
    map_done(&gathering.seen);
    partitions_done(&gathering.batch);
    return result;
}

static int grouping_add(const void *context, struct scope *scope, const struct tvalue *stream_slice,
                        struct options *options, struct error *err)
{
    const struct grouping *self = context;
    return partition_router_add(self->inner, scope, *stream_slice, options, err);
}

static int grouping_set_state(void *context, const struct json *state, uint32_t at, struct error *err)
{
    struct grouping *self = context;
    return partition_router_set_state(self->inner, state, at, err);
}

static int grouping_state(void *context, struct arena *arena, struct tvalue *ret_state, struct error *err)
{
    struct grouping *self = context;
    return partition_router_state(self->inner, arena, ret_state, err);
}

const struct router_class router_grouping = {
    .type_name = "GroupingPartitionRouter",
    .compile = grouping_compile,
    .walk = grouping_walk,
    .add = grouping_add,
    .set_state = grouping_set_state,
    .state = grouping_state,
};

/* --- union --------------------------------------------------------------------------------------- */

struct union_router {
    struct slice field;
    size_t count;
    struct partition_router *routers[];
};

static int union_compile(struct engine *engine, struct component component, void **ret_self,
                         struct error *err)
{
    struct component list = component_get(component, "partition_routers");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    struct union_router *self = arena_zalloc(&engine->arena, sizeof *self + count * sizeof *self->routers);
    *ret_self = self;
    if (router_text(engine, component, "partition_field", &self->field, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (partition_router_compile(engine, component_at(list, i), &self->routers[self->count++], err) != 0)
            return -1;
    }
    return 0;
}

struct uniting {
    const struct union_router *self;
    struct map seen;
    partition_sink *on_partition;
    void *context;
};

/* Each value of the field once, whichever router it comes from first. */
static int on_united(void *context, const struct stream_slice *slice, struct error *err)
{
    struct uniting *uniting = context;
    struct arena arena;
    struct tvalue value;
    arena_init(&arena);
    int result = 0;
    if (!tvalue_member_name(&arena, &slice->partition, uniting->self->field, &value)) {
        result = error_set(err, ERROR_INVALID, "a partition of the union has no field \"%.*s\"",
                           SLICE_ARGS(uniting->self->field));
    } else {
        struct slice key = partition_key(&arena, &value);
        if (!map_get(&uniting->seen, key)) {
            struct tvalue partition = tvalue_dict(&arena);
            if (uniting->seen.count < SEEN_MAX)
                map_set(&uniting->seen, key, uniting);
            tdict_set(&arena, partition.dict, tvalue_string(uniting->self->field), value);
            struct stream_slice only =
                stream_slice_make(&arena, partition, tvalue_none(), slice->extra_fields);
            result = uniting->on_partition(uniting->context, &only, err);
        }
    }
    arena_done(&arena);
    return result;
}

static int union_walk(void *context, partition_sink *on_partition, void *sink_context, struct error *err)
{
    const struct union_router *self = context;
    struct uniting uniting = {.self = self, .on_partition = on_partition, .context = sink_context};
    int result = 0;
    map_init(&uniting.seen);
    for (size_t i = 0; result == 0 && i < self->count; i++)
        result = partition_router_walk(self->routers[i], on_united, &uniting, err);
    map_done(&uniting.seen);
    return result;
}

/* The parents of all, which have names of their own. */
static int union_set_state(void *context, const struct json *state, uint32_t at, struct error *err)
{
    struct union_router *self = context;
    for (size_t i = 0; i < self->count; i++) {
        const struct partition_router *router = self->routers[i];
        if (router->class && router->class->set_state &&
            router->class->set_state(router->self, state, at, err) != 0)
            return -1;
    }
    return 0;
}

static int union_state(void *context, struct arena *arena, struct tvalue *ret_state, struct error *err)
{
    struct union_router *self = context;
    *ret_state = tvalue_dict(arena);
    for (size_t i = 0; i < self->count; i++) {
        struct tvalue state, name;
        struct titer iter;
        if (partition_router_state(self->routers[i], arena, &state, err) != 0)
            return -1;
        if (!tvalue_is_mapping(&state) || !titer_init(&iter, arena, state))
            continue;
        while (titer_next(&iter, &name))
            tdict_set(arena, ret_state->dict, name, iter.of_key);
    }
    return 0;
}

const struct router_class router_union = {
    .type_name = "UnionPartitionRouter",
    .compile = union_compile,
    .walk = union_walk,
    .set_state = union_set_state,
    .state = union_state,
};
