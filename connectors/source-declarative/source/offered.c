/* The streams of a manifest, by name; and whose answers are kept because others are made from them. */
#include "offered.h"

#include "dynamic_http.h"

/* --- parents ----------------------------------------------------------------------------------------- */

/* Unless the manifest says that it must not be so. */
static void keep_answers(struct engine *engine, struct component stream)
{
    static const char *const either[] = {"full_refresh_stream", "incremental_stream"};
    if (component_is(stream, "StateDelegatingStream")) {
        for (size_t i = 0; i < sizeof either / sizeof *either; i++)
            keep_answers(engine, component_get(stream, either[i]));
        return;
    }
    struct component requester = component_get(component_get(stream, "retriever"), "requester");
    if (!component_is_none(requester) && component_is_none(component_get(requester, "use_cache")))
        engine_keep_answers(engine, requester);
}

static void keep_parent(const struct offered *offered, struct component parent)
{
    struct slice name = component_text(parent, "name");
    keep_answers(offered->engine, parent);
    if (!name.data)
        return;
    for (size_t i = 0; i < offered->count; i++) {
        if (slice_is(name, offered->items[i].name))
            keep_answers(offered->engine, offered->items[i].where);
    }
}

static void keep_parents(const struct offered *offered, struct component routers)
{
    for (size_t i = 0; i < component_count(routers); i++) {
        struct component router = component_at(routers, i);
        struct component configs = component_get(router, "parent_stream_configs");
        for (size_t k = 0; k < component_count(configs); k++)
            keep_parent(offered, component_get(component_at(configs, k), "stream"));
        keep_parents(offered, component_get(router, "partition_routers"));
        keep_parents(offered, component_get(router, "underlying_partition_router"));
    }
}

/* Answers to a parent's requests are asked for by each of its children, and by itself. */
static void keep_all_parents(const struct offered *offered)
{
    for (size_t i = 0; i < offered->count; i++)
        keep_parents(offered,
                     component_get(component_get(offered->items[i].where, "retriever"), "partition_router"));
}

/* --- streams ----------------------------------------------------------------------------------------- */

struct offered_stream *offered_find(const struct offered *offered, const char *name)
{
    for (size_t i = 0; i < offered->count; i++) {
        if (strcmp(offered->items[i].name, name) == 0)
            return &offered->items[i];
    }
    return NULL;
}

static void add(struct offered *offered, struct component where, const char *origin)
{
    struct engine *engine = offered->engine;
    struct slice text = component_text(where, "name");
    const char *name = arena_strndup(&engine->arena, text.data ? text.data : "", text.size);
    struct offered_stream stream = {where, name, origin, NULL};
    struct offered_stream *same = offered_find(offered, name);
    if (same) {
        engine_log(engine, ENGINE_WARN, "there are two streams %s; the last one counts", name);
        *same = stream;
        return;
    }
    if (offered->count == offered->capacity) {
        offered->capacity = offered->capacity ? offered->capacity * 2 : 64;
        struct offered_stream *items = arena_alloc(&engine->arena, offered->capacity * sizeof *items);
        if (offered->count > 0)
            memcpy(items, offered->items, offered->count * sizeof *items);
        offered->items = items;
    }
    offered->items[offered->count++] = stream;
}

int offered_written(struct offered *offered, struct error *err)
{
    struct stream_components written = {0};
    if (offered->has_written)
        return 0;
    if (stream_components_written(offered->engine, &written, err) != 0)
        return -1;
    for (size_t i = 0; i < written.count; i++)
        add(offered, written.items[i], NULL);
    keep_all_parents(offered);
    offered->has_written = true;
    return 0;
}

/* Two that are made may not have one name: their items say the same. */
static int add_made(struct offered *offered, const struct stream_components *made, struct component resolver,
                    const char *origin, struct error *err)
{
    for (size_t i = 0; i < made->count; i++) {
        struct slice name = component_text(made->items[i], "name");
        const char *text = arena_strndup(&offered->engine->arena, name.data ? name.data : "", name.size);
        struct offered_stream *same = offered_find(offered, text);
        if (same && same->origin)
            return error_set(
                err, component_is(resolver, "ConfigComponentsResolver") ? ERROR_INVALID : ERROR_PROTOCOL,
                "dynamic streams make two streams of the name %.200s", text);
        add(offered, made->items[i], origin);
    }
    return 0;
}

static int add_dynamic(struct offered *offered, struct component definition, size_t position,
                       struct error *err)
{
    struct engine *engine = offered->engine;
    struct component resolver = component_get(definition, "components_resolver");
    struct slice name = component_text(definition, "name");
    const char *origin = name.data ? arena_strndup(&engine->arena, name.data, name.size)
                                   : arena_printf(&engine->arena, "dynamic_stream_%zu", position);
    struct stream_components made = {0};
    struct dynamic_stream *dynamic;
    if (dynamic_stream_compile(engine, definition, &dynamic, err) != 0)
        return -1;
    int result = component_is(resolver, "HttpComponentsResolver")
                     ? dynamic_stream_make_http(engine, dynamic, resolver, origin, &made, err)
                     : dynamic_stream_make_all(dynamic, &made, err);
    return result == 0 ? add_made(offered, &made, resolver, origin, err) : -1;
}

int offered_all(struct offered *offered, struct error *err)
{
    if (offered->has_all)
        return 0;
    if (offered_written(offered, err) != 0)
        return -1;
    struct component list = component_get(offered->engine->root, "dynamic_streams");
    for (size_t i = 0; i < component_count(list); i++)
        if (add_dynamic(offered, component_at(list, i), i, err) != 0)
            return -1;
    keep_all_parents(offered);
    offered->has_all = true;
    return 0;
}

int offered_stream_compile(struct engine *engine, struct offered_stream *stream, struct error *err)
{
    if (stream->stream)
        return 0;
    return declared_stream_compile(engine, stream->where, &stream->stream, err);
}
