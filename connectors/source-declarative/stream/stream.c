/* Streams: from the manifest, and what is known of them without reading. */
#include "stream_parts.h"

#include "base/map.h"
#include "json/writer.h"

static bool gate_takes(void *context, const struct record *record)
{
    struct declared_stream *stream = context;
    return cursor_takes(stream->cursor, record);
}

static void leave_cursor(void *context)
{
    cursor_done(context);
}

/* "a", ["a", "b"], [["a", "b"], ["c"]]: each a pointer. */
static void compile_primary_key(struct declared_stream *stream)
{
    struct arena *arena = &stream->engine->arena;
    struct component key = component_get(stream->where, "primary_key");
    size_t count = component_is_none(key) ? 0 : component_count(key);
    const char **pointers = arena_zalloc(arena, (count + 1) * sizeof *pointers);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct component item = component_at(key, i);
        const struct json *doc = &item.manifest->doc;
        struct buffer pointer;
        buffer_init(&pointer, TEMPLATE_TEXT_MAX);
        if (json_is(doc, item.at, JSON_STRING)) {
            struct slice name = json_string(doc, item.at, arena);
            if (name.size > 0)
                json_pointer_push(&pointer, name);
        }
        for (uint32_t e = json_first(doc, item.at); e != JSON_NONE; e = json_next(doc, item.at, e))
            json_pointer_push(&pointer, json_string(doc, e, arena));
        if (pointer.size > 0)
            pointers[used++] = arena_strdup(arena, buffer_cstr(&pointer));
        buffer_done(&pointer);
    }
    stream->primary_key = pointers;
}

/* Is a parent's record to hold the children's first page? */
static bool reads_lazily(struct component router)
{
    if (component_is_none(router) || !component_is(router, "SubstreamPartitionRouter"))
        return false;
    struct component parents = component_get(router, "parent_stream_configs");
    for (size_t i = 0; !component_is_none(parents) && i < component_count(parents); i++) {
        struct component pointer = component_get(component_at(parents, i), "lazy_read_pointer");
        if (!component_is_none(pointer) && component_count(pointer) > 0)
            return true;
    }
    return false;
}

/* Only until there is a state: the page does not know what is new. */
static bool is_lazy(void *context)
{
    const struct declared_stream *stream = context;
    return stream->state.size == 0 || slice_is(stream->state, "{}") || slice_is(stream->state, "null");
}

static int check_lazy(struct declared_stream *stream, struct component retriever, struct error *err)
{
    struct component incremental = component_get(stream->where, "incremental_sync");
    struct component decoder = component_get(retriever, "decoder");
    const char *wrong = NULL;
    if (!component_is_none(decoder) && !component_is(decoder, "JsonDecoder"))
        wrong = "a decoder that is not JsonDecoder";
    else if (component_is_none(incremental))
        return 0;
    else if (!component_is(incremental, "DatetimeBasedCursor"))
        wrong = "a cursor that is not DatetimeBasedCursor";
    else if (!component_is_none(component_get(incremental, "step")) ||
             !component_is_none(component_get(incremental, "cursor_granularity")))
        wrong = "step and cursor_granularity: there is one slice for each parent";
    if (!wrong)
        return 0;
    error_set(err, ERROR_INVALID, "lazy_read_pointer does not go with %s", wrong);
    return component_error(err, retriever);
}

/* Windows may be split where there is a cursor to do it. */
static int compile_splitting(struct declared_stream *stream, struct component retriever,
                             struct pages_hooks *hooks, struct error *err)
{
    struct component splitting = component_get(retriever, "request_window_splitting");
    if (component_is_none(splitting))
        return 0;
    struct slice least = component_text(splitting, "min_split_window");
    hooks->split_slice = stream_split_slice;
    stream->has_least_split = least.size > 0;
    if (!stream->has_least_split || duration_parse(least, &stream->least_split, err) == 0)
        return 0;
    error_wrap(err, "min_split_window");
    return component_error(err, splitting);
}

static int compile_retriever(struct declared_stream *stream, struct error *err)
{
    struct engine *engine = stream->engine;
    struct component retriever = component_get(stream->where, "retriever");
    bool is_async = component_is(retriever, "AsyncRetriever");
    if (!is_async && !component_is(retriever, "SimpleRetriever")) {
        error_set(err, ERROR_UNSUPPORTED, "it is no retriever that Firth has");
        return component_error(err, retriever);
    }
    if (partition_router_compile(engine, component_get(retriever, "partition_router"), &stream->router,
                                 err) != 0 ||
        cursor_compile(engine, component_get(stream->where, "incremental_sync"),
                       !partition_router_is_single(stream->router), stream->name, &stream->cursor, err) != 0)
        return -1;
    engine_on_free(engine, leave_cursor, stream->cursor);
    bool feed = cursor_is_data_feed(stream->cursor), client = cursor_is_client_side(stream->cursor);
    stream->gate = (struct record_gate){gate_takes, stream};
    struct pages_settings settings = {
        .stream_name = stream->name,
        .transformations = component_get(stream->where, "transformations"),
        .client_side = client ? &stream->gate : NULL,
        .post_filter = feed ? &stream->gate : NULL,
        .hooks =
            {
                .add_options = stream_add_options,
                .is_old = feed ? stream_is_old : NULL,
                .reduce_slice = stream_reduce_slice,
                .context = stream,
            },
    };
    if (!is_async && reads_lazily(component_get(retriever, "partition_router"))) {
        if (check_lazy(stream, retriever, err) != 0)
            return -1;
        settings.hooks.is_lazy = is_lazy;
    }
    if (!is_async && compile_splitting(stream, retriever, &settings.hooks, err) != 0)
        return -1;
    return is_async ? async_retriever_compile(engine, retriever, &settings, &stream->async, err)
                    : pages_compile(engine, retriever, &settings, &stream->pages, err);
}

static int compile_delegating(struct declared_stream *stream, struct error *err)
{
    struct engine *engine = stream->engine;
    if (declared_stream_compile(engine, component_get(stream->where, "full_refresh_stream"), &stream->full,
                                err) != 0 ||
        declared_stream_compile(engine, component_get(stream->where, "incremental_stream"),
                                &stream->incremental, err) != 0)
        return -1;
    stream->active = stream->full;
    return 0;
}

int declared_stream_compile(struct engine *engine, struct component component,
                            struct declared_stream **ret_stream, struct error *err)
{
    struct declared_stream *stream = arena_zalloc(&engine->arena, sizeof *stream);
    struct slice name = component_text(component, "name");
    *stream = (struct declared_stream){.engine = engine, .where = component, .parents = tvalue_none()};
    stream->name = arena_strndup(&engine->arena, name.data ? name.data : "", name.size);
    *ret_stream = stream;
    if (component_is(component, "StateDelegatingStream"))
        return compile_delegating(stream, err);
    stream->active = stream;
    compile_primary_key(stream);
    if (schema_loader_compile(engine, component_get(component, "schema_loader"), stream->name,
                              &stream->loader, err) != 0)
        return -1;
    return compile_retriever(stream, err);
}

const char *declared_stream_name(const struct declared_stream *stream)
{
    return stream->name;
}
const char *const *declared_stream_primary_key(const struct declared_stream *stream)
{
    return stream->active->primary_key;
}
const char *declared_stream_cursor(const struct declared_stream *stream)
{
    return cursor_field(stream->active->cursor);
}
bool declared_stream_cursor_is_free(const struct declared_stream *stream)
{
    return cursor_field_is_free(stream->active->cursor);
}
bool declared_stream_delegates(const struct declared_stream *stream)
{
    return stream->full != NULL;
}
int declared_stream_schema(struct declared_stream *stream, const struct json **ret_schema, struct error *err)
{
    return schema_loader_load(stream->active->loader, ret_schema, err);
}

/* --- states -------------------------------------------------------------------------------------- */

static int apply_state(struct declared_stream *stream, struct error *err)
{
    struct json *doc = arena_zalloc(&stream->engine->arena, sizeof *doc);
    if (stream->state.size == 0)
        return 0;
    if (json_parse_copy(&stream->engine->arena, stream->state.data, stream->state.size, doc, err) != 0)
        return error_wrap(err, "the state of stream %s", stream->name);
    if (cursor_set_state(stream->cursor, doc, 0, err) != 0)
        return -1;
    uint32_t parents = json_get(doc, 0, "parent_state");
    if (json_is(doc, parents, JSON_OBJECT))
        stream->parents = tvalue_json(&stream->engine->arena, doc, parents);
    return partition_router_set_state(stream->router, doc, 0, err);
}

int declared_stream_set_state(struct declared_stream *stream, struct slice state, struct error *err)
{
    if (stream->full) {
        if (stream_delegate(stream, &state, err) != 0)
            return -1;
        return state.size == 0 ? 0 : declared_stream_set_state(stream->active, state, err);
    }
    if (state.size > 0 && state_migrate(stream->engine, stream->where, &state, err) != 0)
        return -1;
    stream->state = (struct slice){
        arena_strndup(&stream->engine->arena, state.size ? state.data : "", state.size), state.size};
    return apply_state(stream, err);
}

int declared_stream_set_reached(struct declared_stream *stream, const struct json *value, uint32_t at,
                                struct error *err)
{
    /* With a state it is the incremental one that is read. */
    const struct declared_stream *reading = stream->full ? stream->incremental : stream;
    struct arena *arena = &stream->engine->arena;
    struct tvalue state = cursor_state_at(reading->cursor, arena, tvalue_json(arena, value, at));
    struct buffer text;
    if (!tvalue_is_mapping(&state))
        return 0;
    buffer_init(&text, RECORD_SIZE_MAX);
    int result = value_write(&text, &state, err);
    if (result == 0)
        result = declared_stream_set_state(stream, (struct slice){text.data, text.size}, err);
    buffer_done(&text);
    return result;
}

int stream_begin_parents(struct declared_stream *stream, struct error *err)
{
    if (tvalue_is_mapping(&stream->parents))
        return 0;
    return partition_router_state(stream->router, &stream->engine->arena, &stream->parents, err);
}

int stream_restart(struct declared_stream *stream, struct error *err)
{
    stream->finished = false;
    if (!stream->was_read) {
        stream->was_read = true;
        return 0;
    }
    cursor_reset(stream->cursor);
    return apply_state(stream, err);
}

int declared_stream_state(struct declared_stream *stream, struct arena *arena, struct tvalue *ret_state,
                          struct error *err)
{
    stream = stream->active;
    struct tvalue parents = stream->parents;
    /* Until then parents may be ahead of what was read of their children. */
    if (stream->finished && partition_router_state(stream->router, arena, &parents, err) != 0)
        return -1;
    return cursor_state(stream->cursor, parents, arena, ret_state, err);
}
