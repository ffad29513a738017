#include "dynamic_http.h"

#include "source-declarative/page/pages.h"
#include "source-declarative/stream/async.h"
#include "source-declarative/stream/router.h"

struct resolving {
    struct engine *engine;
    const struct dynamic_stream *dynamic;
    struct partition_router *router;
    struct pages *pages;
    struct async_retriever *async; /* instead of pages */
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

/* One after the other: which streams there are is a matter of few jobs. */
static int read_job(struct resolving *resolving, const struct stream_slice *slice, struct error *err)
{
    struct async_watch watch = {0};
    mem_auto(async_job_free) struct async_job *job = NULL;
    if (async_job_run(resolving->async, slice, &watch, &job, err) != 0)
        return -1;
    if (watch.troubled) {
        *err = watch.trouble;
        return -1;
    }
    return job ? async_job_read(job, NULL, on_record, resolving, err) : 0;
}

static int on_partition(void *context, const struct stream_slice *partition, struct error *err)
{
    struct resolving *resolving = context;
    struct stream_slice slice = stream_slice_copy(&resolving->engine->arena, partition);
    resolving->slice = slice.value;
    return resolving->async ? read_job(resolving, &slice, err)
                            : pages_read(resolving->pages, slice.value, NULL, on_record, resolving, err);
}

int dynamic_stream_make_http(struct engine *engine, const struct dynamic_stream *dynamic,
                             struct component resolver, const char *name, struct stream_components *streams,
                             struct error *err)
{
    struct component retriever = component_get(resolver, "retriever");
    struct component requester = component_get(retriever, "requester");
    bool is_async = component_is(retriever, "AsyncRetriever");
    if (!is_async && !component_is(retriever, "SimpleRetriever")) {
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
    if (!is_async && !component_is_none(requester))
        engine_keep_answers(engine, requester);
    if (partition_router_compile(engine, component_get(retriever, "partition_router"), &resolving->router,
                                 err) != 0)
        return -1;
    int compiled = is_async ? async_retriever_compile(engine, retriever, &settings, &resolving->async, err)
                            : pages_compile(engine, retriever, &settings, &resolving->pages, err);
    return compiled == 0 ? partition_router_walk(resolving->router, on_partition, resolving, err) : -1;
}
