/* Partition routers: the table of classes, lists, and products of several routers. */
#include "router_parts.h"

#include <stdlib.h>

static const struct router_class *const CLASSES[] = {&router_grouping, &router_list, &router_substream,
                                                     &router_union};

static const struct router_class *class_of(struct component component)
{
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        if (component_is(component, CLASSES[i]->type_name))
            return CLASSES[i];
    }
    return NULL;
}

int partition_router_compile(struct engine *engine, struct component component,
                             struct partition_router **ret_router, struct error *err)
{
    struct partition_router *router = arena_zalloc(&engine->arena, sizeof *router);
    size_t count = component_is_none(component) ? 0 : component_count(component);
    router->engine = engine;
    *ret_router = router;
    if (count == 0)
        return 0;
    if (count > 1) {
        router->class = &router_product;
        return router->class->compile(engine, component, &router->self, err);
    }
    struct component only = component_at(component, 0);
    router->class = class_of(only);
    if (!router->class) {
        error_set(err, ERROR_UNSUPPORTED, "it is no partition router that Firth has");
        return component_error(err, only);
    }
    return router->class->compile(engine, only, &router->self, err);
}

bool partition_router_is_single(const struct partition_router *router)
{
    return !router->class;
}

int partition_router_walk(struct partition_router *router, partition_sink *on_partition, void *context,
                          struct error *err)
{
    if (router->class)
        return router->class->walk(router->self, on_partition, context, err);
    struct arena arena;
    arena_init(&arena);
    struct stream_slice slice = stream_slice_make(&arena, tvalue_none(), tvalue_none(), tvalue_none());
    int result = on_partition(context, &slice, err);
    arena_done(&arena);
    return result;
}

int partition_router_add(const struct partition_router *router, struct scope *scope,
                         struct tvalue stream_slice, struct options *options, struct error *err)
{
    if (!router->class || !router->class->add || !tvalue_is_mapping(&stream_slice))
        return 0;
    return router->class->add(router->self, scope, &stream_slice, options, err);
}

int partition_router_set_state(struct partition_router *router, const struct json *state, uint32_t at,
                               struct error *err)
{
    if (!router->class || !router->class->set_state)
        return 0;
    return router->class->set_state(router->self, state, at, err);
}

int partition_router_state(struct partition_router *router, struct arena *arena, struct tvalue *ret_state,
                           struct error *err)
{
    *ret_state = tvalue_none();
    if (!router->class || !router->class->state)
        return 0;
    return router->class->state(router->self, arena, ret_state, err);
}

/* --- what several share -------------------------------------------------------------------------- */

void partitions_done(struct partitions *partitions)
{
    free(partitions->items);
    arena_done(&partitions->arena);
}

int partitions_keep(void *context, const struct stream_slice *slice, struct error *err)
{
    struct partitions *partitions = context;
    if (partitions->count == PARTITIONS_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d partitions would have to be kept", PARTITIONS_MAX);
    partitions->items =
        mem_grow(partitions->items, &partitions->capacity, partitions->count + 1, sizeof *partitions->items);
    partitions->items[partitions->count++] = stream_slice_copy(&partitions->arena, slice);
    return 0;
}

int router_add_value(const struct request_option *option, struct slice field, struct scope *scope,
                     const struct tvalue *stream_slice, struct options *options, struct error *err)
{
    struct tvalue value;
    if (!option || !tvalue_member_name(options->arena, stream_slice, field, &value) || !tvalue_true(&value))
        return 0;
    return request_option_set(option, scope, value, options, err);
}

int router_text(struct engine *engine, struct component component, const char *field, struct slice *ret_text,
                struct error *err)
{
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    *ret_text = SLICE_LITERAL("");
    if (expression_compile(engine, component, field, &expression, err) != 0)
        return -1;
    return expression_is_absent(&expression)
               ? 0
               : expression_text(&expression, &scope, &engine->arena, ret_text, err);
}

/* --- ListPartitionRouter ------------------------------------------------------------------------- */

struct list_router {
    struct engine *engine;
    struct slice field;
    struct expression text; /* values, where they are one string */
    struct tvalue values;   /* else */
    struct request_option *option;
};

static int list_compile(struct engine *engine, struct component component, void **ret_self, struct error *err)
{
    struct list_router *self = arena_zalloc(&engine->arena, sizeof *self);
    struct component values = component_get(component, "values");
    *ret_self = self;
    self->engine = engine;
    self->values = tvalue_json(&engine->arena, &values.manifest->doc, values.at);
    if (self->values.kind == TVALUE_STRING &&
        expression_compile(engine, component, "values", &self->text, err) != 0)
        return -1;
    if (router_text(engine, component, "cursor_field", &self->field, err) != 0)
        return -1;
    return request_option_compile(engine, component, "request_option", &self->option, err);
}

static int list_walk_in(struct list_router *self, struct arena *arena, partition_sink *on_partition,
                        void *context, struct error *err)
{
    struct tvalue values = self->values, item;
    struct titer iter;
    struct scope scope;
    scope_init(&scope, self->engine);
    if (!expression_is_absent(&self->text) &&
        expression_string(&self->text, &scope, arena, &values, err) != 0)
        return -1;
    if (!titer_init(&iter, arena, values)) {
        error_set(err, ERROR_INVALID, "values is no list but a %s", tvalue_type(&values));
        return component_error(err, self->text.where);
    }
    while (titer_next(&iter, &item)) {
        struct tvalue partition = tvalue_dict(arena);
        tdict_set(arena, partition.dict, tvalue_string(self->field), item);
        struct stream_slice slice = stream_slice_make(arena, partition, tvalue_none(), tvalue_none());
        if (on_partition(context, &slice, err) != 0)
            return -1;
    }
    return 0;
}

static int list_walk(void *self, partition_sink *on_partition, void *context, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    int result = list_walk_in(self, &arena, on_partition, context, err);
    arena_done(&arena);
    return result;
}

static int list_add(const void *context, struct scope *scope, const struct tvalue *stream_slice,
                    struct options *options, struct error *err)
{
    const struct list_router *self = context;
    return router_add_value(self->option, self->field, scope, stream_slice, options, err);
}

const struct router_class router_list = {
    .type_name = "ListPartitionRouter", .compile = list_compile, .walk = list_walk, .add = list_add};

/* --- products ------------------------------------------------------------------------------------ */

struct product_router {
    size_t count;
    struct partition_router *routers[];
};

static int product_compile(struct engine *engine, struct component list, void **ret_self, struct error *err)
{
    size_t count = component_count(list);
    struct product_router *self = arena_zalloc(&engine->arena, sizeof *self + count * sizeof *self->routers);
    for (size_t i = 0; i < count; i++) {
        if (partition_router_compile(engine, component_at(list, i), &self->routers[self->count++], err) != 0)
            return -1;
    }
    *ret_self = self;
    return 0;
}

/* Where we are in the product: a partition of each router. */
struct combining {
    const struct product_router *self;
    struct partitions *kept; /* of all routers but the first */
    const struct stream_slice **chosen;
    partition_sink *on_partition;
    void *context;
};

static void merge(struct arena *arena, struct tdict *into, const struct tvalue *from)
{
    struct titer iter;
    struct tvalue key;
    titer_init(&iter, arena, *from);
    while (titer_next(&iter, &key))
        tdict_set(arena, into, key, iter.of_key);
}

static int give_combined(struct combining *combining, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct tvalue partition = tvalue_dict(&arena), extra = tvalue_dict(&arena);
    for (size_t i = combining->self->count; i-- > 0;) { /* the first router's names count */
        merge(&arena, partition.dict, &combining->chosen[i]->partition);
        merge(&arena, extra.dict, &combining->chosen[i]->extra_fields);
    }
    struct stream_slice slice = stream_slice_make(&arena, partition, tvalue_none(), extra);
    int result = combining->on_partition(combining->context, &slice, err);
    arena_done(&arena);
    return result;
}

static int combine_from(struct combining *combining, size_t router, struct error *err)
{
    if (router == combining->self->count)
        return give_combined(combining, err);
    for (size_t i = 0; i < combining->kept[router].count; i++) {
        combining->chosen[router] = &combining->kept[router].items[i];
        if (combine_from(combining, router + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int on_first(void *context, const struct stream_slice *slice, struct error *err)
{
    struct combining *combining = context;
    combining->chosen[0] = slice;
    return combine_from(combining, 1, err);
}

static int product_walk(void *context, partition_sink *on_partition, void *sink_context, struct error *err)
{
    const struct product_router *self = context;
    struct combining combining = {.self = self, .on_partition = on_partition, .context = sink_context};
    combining.kept = mem_zalloc(self->count * sizeof *combining.kept);
    combining.chosen = mem_zalloc(self->count * sizeof *combining.chosen);
    int result = 0;
    for (size_t i = 1; result == 0 && i < self->count; i++)
        result = partition_router_walk(self->routers[i], partitions_keep, &combining.kept[i], err);
    if (result == 0)
        result = partition_router_walk(self->routers[0], on_first, &combining, err);
    for (size_t i = 0; i < self->count; i++)
        partitions_done(&combining.kept[i]);
    free(combining.kept);
    free(combining.chosen);
    return result;
}

static int product_add(const void *context, struct scope *scope, const struct tvalue *stream_slice,
                       struct options *options, struct error *err)
{
    const struct product_router *self = context;
    for (size_t i = 0; i < self->count; i++) {
        if (partition_router_add(self->routers[i], scope, *stream_slice, options, err) != 0)
            return -1;
    }
    return 0;
}

const struct router_class router_product = {
    .compile = product_compile, .walk = product_walk, .add = product_add};
