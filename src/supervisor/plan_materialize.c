/* The specification of a materialization. */
#include "supervisor/planner.h"

#include "task/fields.h"
#include "task/flow_collection.h"
#include "task/source_spec.h"

enum {
    COMMIT_BYTES = 64 << 20, /* a transaction of an endpoint costs more than one of the store's: it may be */
    COMMIT_MS = 5000,        /* larger, and last longer */
    BATCH_INTERVAL_MS = 60 * 1000,
};

static struct slice take(struct buffer *text, struct arena *arena)
{
    struct slice copy = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return copy;
}

static struct slice collection_text(struct planner *planner, const struct catalog_collection *collection)
{
    struct flow_collection flow;
    struct buffer text;
    task_flow_collection(planner->catalog, collection, planner->arena, &flow);
    fields_add_time(&flow, planner->arena);
    buffer_init(&text, BUFFER_UNLIMITED);
    flow_collection_write(&text, &flow);
    return take(&text, planner->arena);
}

static struct slice source_text(struct planner *planner,
                                const struct catalog_materialization_binding *binding)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    task_source_spec_write(&writer, binding);
    return take(&text, planner->arena);
}

/* --- to a destination of Airbyte's: a binding is a stream ------------------------------------------- */

/* Of a collection of the source capture: the stream is called as its table would be. */
static struct slice stream_resource(struct planner *planner,
                                    const struct catalog_materialization_binding *binding)
{
    struct buffer text;
    struct json_writer writer;
    struct json target;
    struct error unused;
    if (!binding->from_source ||
        json_parse_copy(planner->arena, binding->resource.data, binding->resource.size, &target, &unused) < 0)
        return binding->resource;
    uint32_t schema = json_get(&target, 0, "schema");
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_raw(&writer, "stream", json_raw(&target, json_get(&target, 0, "table")));
    if (schema != JSON_NONE)
        json_member_raw(&writer, "namespace", json_raw(&target, schema));
    if (json_is(&target, json_get(&target, 0, "deltaUpdates"), JSON_TRUE))
        json_member_string(&writer, "destinationSyncMode", "append");
    json_end_object(&writer);
    return take(&text, planner->arena);
}

/* What is there is never overwritten: a session is a part of what goes on. */
static int read_destination_mode(struct planner *planner, struct slice resource,
                                 struct catalog_stream *stream, struct error *err)
{
    struct json doc;
    if (json_parse_copy(planner->arena, resource.data, resource.size, &doc, err) < 0)
        return -1;
    uint32_t at = json_get(&doc, 0, "destinationSyncMode");
    if (at == JSON_NONE || json_is(&doc, at, JSON_NULL))
        return 0;
    const char *mode = json_cstring(&doc, at, planner->arena);
    if (mode && strcmp(mode, "append") == 0)
        stream->destination_sync_mode = CATALOG_DESTINATION_APPEND;
    else if (mode && strcmp(mode, "append_dedup") == 0)
        stream->destination_sync_mode = CATALOG_DESTINATION_APPEND_DEDUP;
    else
        return error_set(err, ERROR_INVALID,
                         "'destinationSyncMode' is '%.64s', but in a materialization it must be append or "
                         "append_dedup",
                         mode ? mode : "no text");
    return 0;
}

static int plan_stream(struct planner *planner, const struct catalog_materialization_binding *binding,
                       struct task_binding_spec *planned, struct error *err)
{
    planned->resource = stream_resource(planner, binding);
    if (plan_resource(planned->resource, planner->arena, &planned->stream, err) < 0)
        return -1;
    return read_destination_mode(planner, planned->resource, &planned->stream, err);
}

/* --- the specification ------------------------------------------------------------------------------- */

static int plan_binding(struct planner *planner, const struct catalog_materialization_binding *binding,
                        enum connector_protocol protocol, struct task_binding_spec *planned,
                        struct error *err)
{
    const struct catalog_collection *collection = binding->source.collection;
    *planned = (struct task_binding_spec){
        .stream = {.name = binding->name},
        .collection = collection->name,
        .key = planner_words(collection->key, collection->key_count, planner->arena),
        .schema_uri = collection->read_schema_uri,
        .backfill = binding->backfill,
        .inferred = collection->inferred,
        .resource = binding->resource,
        .flow_collection = collection_text(planner, collection),
        .materialize = source_text(planner, binding),
    };
    return protocol == CONNECTOR_FLOW ? 0 : plan_stream(planner, binding, planned, err);
}

int planner_materialization(struct planner *planner, const struct catalog_materialization *materialization,
                            struct error *err)
{
    struct task_spec spec = planner_spec(planner, TASK_MATERIALIZATION, materialization->name);
    size_t count = materialization->binding_count, uri_count = 0;
    if (planner_endpoint(planner, &materialization->endpoint, materialization->name, CONNECTOR_DESTINATION,
                         CONNECTOR_FLOW, materialization->log_level, &spec.destination, err) < 0)
        return -1;
    struct task_binding_spec *bindings = arena_zalloc(planner->arena, (count + 1) * sizeof *bindings);
    const char **names = arena_zalloc(planner->arena, (count + 1) * sizeof *names);
    const char **uris = arena_zalloc(planner->arena, (2 * count + 1) * sizeof *uris);
    for (size_t i = 0; i < count; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        if (binding->disable)
            continue;
        if (plan_binding(planner, binding, spec.destination.program.protocol, &bindings[spec.binding_count],
                         err) < 0)
            return planner_at(&binding->place, err);
        uris[uri_count++] = binding->source.collection->write_schema_uri;
        uris[uri_count++] = binding->source.collection->read_schema_uri;
        names[spec.binding_count++] = binding->source.collection->name;
    }
    spec.bindings = bindings;
    spec.log_level = materialization->log_level;
    spec.once = planner->options->once;
    spec.triggers = materialization->triggers;
    spec.commit.bytes = COMMIT_BYTES;
    if (!planner->options->commit_ms)
        spec.commit.time_ms = COMMIT_MS;
    spec.schemas =
        catalog_schemas_needed(planner->catalog, uris, uri_count, planner->arena, &spec.schema_count);
    /* Destinations of Airbyte's say what they have at the end of their input at the latest, which therefore
     * has to come: a session is a batch. */
    bool batches = spec.destination.program.protocol == CONNECTOR_AIRBYTE;
    spec.once |= batches;
    return planner_finish(planner, &spec, names,
                          (struct supervisor_schedule){.interval_ms = batches ? BATCH_INTERVAL_MS : 0}, err);
}
