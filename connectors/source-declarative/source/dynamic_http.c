#include "dynamic_http.h"

#include "source-declarative/page/pages.h"
#include "source-declarative/stream/router.h"

struct resolving {
    struct engine *engine;
    const struct dynamic_stream *dynamic;
    struct partition_router *router;
    struct pages *pages;
    struct stream_components *streams;
    struct tvalue slice; /* that is read */
};

static int add_options(void *context, struct scope *scope, struct tvalue stream_slice,
                       struct options *options, struct error *err)
{
    const struct resolving *resolving = context;
    return partition_router_add(resolving->router, scope, stream_slice, options, err);
}

/* The record goes when the next one comes; the stream stays as long as the engine. */
static int on_record(void *context, struct record *record, struct error *err)
{
    const struct resolving *resolving = context;
    struct tvalue values = value_copy(&resolving->engine->arena, &record->data);
    return dynamic_stream_make(resolving->dynamic, values, resolving->slice, resolving->streams, err);
}

static int on_partition(void *context, const struct stream_slice *partition, struct error *err)
{
    struct resolving *resolving = context;
    resolving->slice = stream_slice_copy(&resolving->engine->arena, partition).value;
    return pages_read(resolving->pages, resolving->slice, NULL, on_record, resolving, err);
}

int dynamic_stream_make_http(struct engine *engine, const struct dynamic_stream *dynamic,
                             struct component resolver, const char *name, struct stream_components *streams,
                             struct error *err)
{
    struct component retriever = component_get(resolver, "retriever");
    struct component requester = component_get(retriever, "requester");
    if (!component_is(retriever, "SimpleRetriever")) {
        error_set(err, ERROR_UNSUPPORTED, "it is no retriever that Firth has for dynamic streams");
        return component_error(err, retriever);
    }
    /* Compiled things live as long as the engine, and point here. */
    struct resolving *resolving = arena_zalloc(&engine->arena, sizeof *resolving);
    *resolving = (struct resolving){.engine = engine, .dynamic = dynamic, .streams = streams};
    struct pages_settings settings = {
        .stream_name = name,
        .transformations = {resolver.manifest, JSON_NONE},
        .hooks = {.add_options = add_options, .context = resolving},
    };
    if (!component_is_none(requester))
        engine_keep_answers(engine, requester);
    if (partition_router_compile(engine, component_get(retriever, "partition_router"), &resolving->router,
                                 err) != 0 ||
        pages_compile(engine, retriever, &settings, &resolving->pages, err) != 0)
        return -1;
    return partition_router_walk(resolving->router, on_partition, resolving, err);
}
