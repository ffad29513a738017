/* One capture: what its connector finds, against the bindings that it has. */
#include "cli/cmd_autodiscover.h"
#include "cli/cmd_discover_files.h"
#include "connector/connector.h"
#include "json/writer.h"

#include <stdlib.h>

/* --- asking ---------------------------------------------------------------------------------------- */

static int resolve(struct discovery *discovery, struct error *err)
{
    const struct catalog_endpoint *endpoint = &discovery->capture->endpoint;
    struct connector_spec wanted = {.protocol = CONNECTOR_AIRBYTE,
                                    .role = CONNECTOR_SOURCE,
                                    .image = endpoint->image,
                                    .command = endpoint->command,
                                    .env = endpoint->env,
                                    .folder = endpoint->folder};
    if (endpoint->kind != CATALOG_ENDPOINT_CONNECTOR && endpoint->kind != CATALOG_ENDPOINT_LOCAL)
        return error_set(err, ERROR_UNSUPPORTED, "a push capture has nothing to discover");
    if (endpoint->kind == CATALOG_ENDPOINT_LOCAL && endpoint->protocol == CATALOG_PROTOCOL_FLOW)
        wanted.protocol = CONNECTOR_FLOW;
    if (connector_resolve(discovery->cli->built_ins, &wanted, &discovery->arena, &discovery->program, err) <
        0)
        return -1;
    discovery->image = endpoint->image;
    discovery->config = discovery->config_text = endpoint->config;
    return 0;
}

int autodiscover_ask(struct discovery *discovery, struct error *err)
{
    return resolve(discovery, err) < 0 || discover_spec(discovery, err) < 0 ||
                   discover_streams(discovery, err) < 0
               ? error_wrap(err, "%s", discovery->name)
               : 0;
}

/* --- its streams ----------------------------------------------------------------------------------- */

/* Does a person keep this collection by another key than it was made with? Then it is theirs. */
static bool is_kept_by_hand(const struct recorded *recorded, const struct catalog_collection *target)
{
    return recorded->key && !discover_same_key(recorded->key, recorded->key_count, target);
}

/* By stream: does the source itself name the key? Where it names none, or none that its schema can have, or a
 * person has chosen another, a binding keeps the key that its collection has. */
static int own_keys(struct autodiscovery *work, struct discovery *discovery, const ptrdiff_t *bindings,
                    bool **ret_own, struct error *err)
{
    struct record record;
    bool *own = arena_zalloc(&discovery->arena, discovery->stream_count + 1);
    if (discover_read_record_of(discovery, &work->overlay.files, &record, err) < 0)
        return -1;
    for (size_t i = 0; i < discovery->stream_count; i++) {
        struct discover_stream *stream = &discovery->streams[i];
        const struct catalog_collection *target =
            bindings[i] < 0 ? NULL : discovery->capture->bindings[bindings[i]].target;
        const struct recorded recorded = discover_recorded(discovery, &record, stream);
        own[i] = stream->key_count > 0 && !stream->guessed_key;
        stream->found_key = true;
        if (!target)
            continue;
        own[i] = own[i] && !is_kept_by_hand(&recorded, target) &&
                 (stream->resource.data || discover_key_is_possible(discovery, stream));
        if (!own[i])
            discover_take_key(discovery, stream, target);
    }
    *ret_own = own;
    return 0;
}

static struct slice resource_of(struct discovery *discovery, const struct discover_stream *stream)
{
    struct json_writer writer;
    struct buffer text;
    if (stream->resource.data)
        return stream->resource;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "stream", stream->name);
    if (stream->namespace)
        json_member_string(&writer, "namespace", stream->namespace);
    json_member_string(&writer, "syncMode", stream->incremental ? "incremental" : "full_refresh");
    json_end_object(&writer);
    struct slice copy = {arena_strndup(&discovery->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

static struct evolve_stream *streams_of(struct autodiscovery *work, struct discovery *discovery,
                                        struct error *err)
{
    const ptrdiff_t *bindings = discover_bindings(discovery);
    bool *own;
    if (own_keys(work, discovery, bindings, &own, err) < 0)
        return NULL;
    const char ***keys = arena_alloc(&discovery->arena, (discovery->stream_count + 1) * sizeof *keys);
    bool *unwanted = arena_zalloc(&discovery->arena, discovery->stream_count + 1);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        keys[i] = discovery->streams[i].key;
        unwanted[i] = !discovery->streams[i].chosen;
    }
    discover_prepare(discovery);
    struct evolve_stream *streams =
        arena_zalloc(&discovery->arena, (discovery->stream_count + 1) * sizeof *streams);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        const struct discover_stream *stream = &discovery->streams[i];
        streams[i] = (struct evolve_stream){
            .label = stream->label,
            .collection = arena_printf(&discovery->arena, "%s%s", discovery->prefix, stream->collection),
            .key = (const char *const *)stream->key,
            .key_count = stream->key_count,
            .own_key = own[i] && stream->key == keys[i], /* one that cannot be a key was replaced */
            .note = stream->note,
            .schema = stream->schema,
            .resource = resource_of(discovery, stream),
            .binding = bindings[i],
            .unwanted = unwanted[i],
        };
    }
    return streams;
}

/* --- the whole ------------------------------------------------------------------------------------- */

static void note_changes(struct autodiscovery *work, const struct catalog_capture *capture,
                         const struct evolve_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct evolve_change *change = &plan->changes[i];
        struct autodiscover_change told = {
            .capture = arena_strdup(&work->arena, capture->name),
            .kind = change->kind,
            .collection = arena_strdup(&work->arena, change->collection),
            .stream = change->stream ? arena_strdup(&work->arena, change->stream->label) : NULL,
            .old = change->kind == EVOLVE_RECREATE ? arena_strdup(&work->arena, change->old->name) : NULL,
            .text = evolve_describe(change, capture, &work->arena)};
        work->changes =
            mem_grow(work->changes, &work->change_capacity, work->change_count + 1, sizeof *work->changes);
        work->changes[work->change_count++] = told;
    }
}

static int change(struct autodiscovery *work, struct discovery *discovery, struct error *err)
{
    const struct catalog_capture *capture = discovery->capture;
    struct evolve_plan plan;
    if (autodiscover_ask(discovery, err) < 0)
        return -1;
    struct evolve_stream *streams = streams_of(work, discovery, err);
    if (!streams ||
        evolve_plan(work->catalog, capture, streams, discovery->stream_count, &work->arena, &plan, err) < 0 ||
        evolve_apply(work->catalog, capture, &plan, &work->overlay, &work->arena, err) < 0)
        return -1;
    note_changes(work, capture, &plan);
    if (plan.count == 0)
        return 0;
    if (autodiscover_load(work, err) < 0)
        return -1;
    discovery->catalog = work->catalog;
    discovery->capture = catalog_capture(work->catalog, discovery->name);
    return autodiscover_record(work, discovery, err);
}

void autodiscover_begin(struct autodiscovery *work, const char *name, struct discovery *ret_discovery)
{
    static const struct discover_options none = {.yes = true};
    const char *slash = strrchr(name, '/'), *folder = strrchr(work->path, '/');
    *ret_discovery = (struct discovery){.cli = work->cli,
                                        .options = &none,
                                        .file = work->path,
                                        .base = slash ? slash + 1 : name,
                                        .catalog = work->catalog,
                                        .capture = catalog_capture(work->catalog, name),
                                        .name = name};
    arena_init(&ret_discovery->arena);
    prompt_init(&ret_discovery->prompt, false);
    ret_discovery->folder =
        folder ? arena_strndup(&ret_discovery->arena, work->path, (size_t)(folder - work->path) + 1) : "";
    ret_discovery->prefix =
        slash ? arena_strndup(&ret_discovery->arena, name, (size_t)(slash - name) + 1) : "";
}

void autodiscover_end(struct discovery *discovery)
{
    prompt_done(&discovery->prompt);
    arena_done(&discovery->arena);
}

int autodiscover_capture(struct autodiscovery *work, const char *name, struct error *err)
{
    struct discovery discovery;
    autodiscover_begin(work, name, &discovery);
    int result = change(work, &discovery, err);
    autodiscover_end(&discovery);
    return result;
}
