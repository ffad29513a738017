#include "task/task_spec.h"

#include "connector/oci.h"
#include "json/writer.h"

static void write_words(struct json_writer *writer, const char *name, const char *const *words)
{
    if (!words)
        return;
    json_put_key(writer, name);
    json_begin_array(writer);
    for (; *words; words++)
        json_put_string(writer, *words);
    json_end_array(writer);
}

static void write_container(struct json_writer *writer, const struct connector_container *container)
{
    json_put_key(writer, "container");
    json_begin_object(writer);
    json_member_string(writer, "engine", container->engine);
    write_words(writer, "options", container->options);
    json_member_string(writer, "image", container->image);
    json_member_string(writer, "id", container->id);
    if (container->memory)
        json_member_string(writer, "memory", container->memory);
    if (container->other_architecture)
        json_member_string(writer, "otherArchitecture", container->other_architecture);
    json_end_object(writer);
}

static void write_endpoint(struct json_writer *writer, const char *name, const struct task_endpoint *endpoint)
{
    const struct connector_program *program = &endpoint->program;
    json_put_key(writer, name);
    json_begin_object(writer);
    write_words(writer, "argv", program->argv);
    write_words(writer, "env", program->env);
    if (program->folder)
        json_member_string(writer, "folder", program->folder);
    json_member_string(writer, "label", program->label);
    json_member_bool(writer, "builtIn", program->built_in);
    json_member_bool(writer, "flow", program->protocol == CONNECTOR_FLOW);
    if (program->container)
        write_container(writer, program->container);
    if (program->manifest.size)
        json_member_raw(writer, "manifest", program->manifest);
    json_member_raw(writer, "config", endpoint->config);
    json_member_bool(writer, "image", endpoint->image);
    json_end_object(writer);
}

static void write_path(struct json_writer *writer, struct catalog_path path)
{
    json_begin_array(writer);
    for (size_t i = 0; i < path.count; i++)
        json_put_string(writer, path.names[i]);
    json_end_array(writer);
}

static void write_paths(struct json_writer *writer, const char *name, const struct catalog_path *paths,
                        size_t count)
{
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        write_path(writer, paths[i]);
    json_end_array(writer);
}

static void write_stream(struct json_writer *writer, const struct catalog_stream *stream)
{
    json_member_string(writer, "stream", stream->name);
    if (stream->namespace)
        json_member_string(writer, "namespace", stream->namespace);
    json_member_u64(writer, "syncMode", stream->sync_mode);
    json_member_u64(writer, "destinationSyncMode", stream->destination_sync_mode);
    if (stream->cursor_field.count) {
        json_put_key(writer, "cursorField");
        write_path(writer, stream->cursor_field);
    }
    if (stream->primary_key_count)
        write_paths(writer, "primaryKey", stream->primary_key, stream->primary_key_count);
}

static void write_binding(struct json_writer *writer, enum task_kind kind,
                          const struct task_binding_spec *binding)
{
    json_begin_object(writer);
    write_stream(writer, &binding->stream);
    if (kind == TASK_CONNECTION) {
        json_member_bool(writer, "startOver", binding->start_over);
        json_member_bool(writer, "replace", binding->replace);
        if (binding->alias)
            json_member_string(writer, "alias", binding->alias);
        if (binding->selects)
            write_paths(writer, "fields", binding->fields, binding->field_count);
        if (binding->mapping.size)
            json_member_raw(writer, "mapping", binding->mapping);
    } else if (kind == TASK_CAPTURE) {
        json_member_string(writer, "collection", binding->collection);
        write_words(writer, "key", binding->key);
        json_member_string(writer, "schema", binding->schema_uri);
        json_put_key(writer, "journal");
        json_begin_object(writer);
        json_member_bool(writer, "zstd", binding->journal.compression == STORE_COMPRESSION_ZSTD);
        json_member_u64(writer, "segmentBytes", binding->journal.segment_bytes);
        json_member_u64(writer, "retainBytes", binding->journal.retain_bytes);
        json_member_u64(writer, "retainMs", binding->journal.retain_ms);
        json_end_object(writer);
        if (binding->quarantine)
            json_member_string(writer, "quarantine", binding->quarantine);
        json_member_u64(writer, "backfill", binding->backfill);
        json_member_bool(writer, "inferred", binding->inferred);
        if (binding->resource.size)
            json_member_raw(writer, "resource", binding->resource);
        if (binding->flow_collection.size)
            json_member_raw(writer, "flowCollection", binding->flow_collection);
    } else if (kind == TASK_MATERIALIZATION) {
        json_member_string(writer, "collection", binding->collection);
        write_words(writer, "key", binding->key);
        json_member_string(writer, "schema", binding->schema_uri);
        json_member_u64(writer, "backfill", binding->backfill);
        json_member_bool(writer, "inferred", binding->inferred);
        json_member_raw(writer, "resource", binding->resource);
        json_member_raw(writer, "flowCollection", binding->flow_collection);
        json_member_raw(writer, "materialize", binding->materialize);
    }
    json_end_object(writer);
}

static void write_limits(struct json_writer *writer, const struct task_spec *spec)
{
    json_put_key(writer, "commit");
    json_begin_object(writer);
    json_member_u64(writer, "bytes", spec->commit.bytes);
    json_member_u64(writer, "timeMs", spec->commit.time_ms);
    json_member_u64(writer, "idleMs", spec->commit.idle_ms);
    json_end_object(writer);
    json_put_key(writer, "limits");
    json_begin_object(writer);
    json_member_u64(writer, "lineMax", spec->limits.line_max);
    json_member_u64(writer, "memoryMax", spec->limits.memory_max);
    json_member_u64(writer, "filesMax", spec->limits.files_max);
    json_member_u64(writer, "stallMs", spec->limits.stall_ms);
    json_member_u64(writer, "exitMs", spec->limits.exit_ms);
    json_member_u64(writer, "stopMs", spec->limits.stop_ms);
    json_end_object(writer);
}

void task_spec_write(struct buffer *out, const struct task_spec *spec)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", TASK_SPEC_VERSION);
    json_member_string(&writer, "kind", task_kind_name(spec->kind));
    json_member_string(&writer, "name", spec->name);
    json_member_string(&writer, "dataDir", spec->data_dir);
    if (spec->kind != TASK_MATERIALIZATION)
        write_endpoint(&writer, "source", &spec->source);
    if (spec->kind != TASK_CONNECTION)
        json_member_bool(&writer, "once", spec->once);
    if (spec->kind == TASK_CAPTURE)
        json_member_bool(&writer, "push", spec->push);
    if (spec->kind == TASK_MATERIALIZATION) {
        write_endpoint(&writer, "destination", &spec->destination);
        if (spec->triggers.size)
            json_member_raw(&writer, "triggers", spec->triggers);
    }
    if (spec->kind == TASK_CONNECTION) {
        write_endpoint(&writer, "destination", &spec->destination);
        json_member_bool(&writer, "allStreams", spec->all_streams);
        json_member_string(&writer, "prefix", spec->prefix);
        if (spec->namespace)
            json_member_string(&writer, "namespace", spec->namespace);
        json_member_u64(&writer, "syncId", spec->sync_id);
        if (spec->catalog.size)
            json_member_raw(&writer, "catalog", spec->catalog);
        json_member_bool(&writer, "clear", spec->clear);
        json_member_bool(&writer, "discover", spec->discover);
    }
    json_put_key(&writer, "bindings");
    json_begin_array(&writer);
    for (size_t i = 0; i < spec->binding_count; i++)
        write_binding(&writer, spec->kind, &spec->bindings[i]);
    json_end_array(&writer);
    json_put_key(&writer, "schemas");
    json_begin_array(&writer);
    for (size_t i = 0; i < spec->schema_count; i++) {
        json_begin_object(&writer);
        json_member_string(&writer, "uri", spec->schemas[i].uri);
        json_member_raw(&writer, "schema", spec->schemas[i].source);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    write_limits(&writer, spec);
    json_member_u64(&writer, "intervalMs", spec->interval_ms);
    json_member_string(&writer, "logLevel", log_level_name(spec->log_level));
    if (spec->redact_salt)
        json_member_string(&writer, "redactSalt", spec->redact_salt);
    json_end_object(&writer);
}
