#include "protocol/airbyte_catalog.h"

#include "json/writer.h"

static void put_path(struct json_writer *writer, struct airbyte_path path)
{
    json_begin_array(writer);
    for (size_t i = 0; i < path.count; i++)
        json_put_slice(writer, path.parts[i]);
    json_end_array(writer);
}

static void put_paths(struct json_writer *writer, const char *name, const struct airbyte_path *paths,
                      size_t count)
{
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        put_path(writer, paths[i]);
    json_end_array(writer);
}

static void put_stream(struct json_writer *writer, const struct airbyte_stream *stream)
{
    if (stream->raw.size) {
        json_put_raw(writer, stream->raw);
        return;
    }
    json_begin_object(writer);
    json_member_slice(writer, "name", stream->name.name);
    if (stream->name.namespace.size)
        json_member_slice(writer, "namespace", stream->name.namespace);
    json_member_raw(writer, "json_schema",
                    stream->json_schema.size ? stream->json_schema : SLICE_LITERAL("{}"));
    json_put_key(writer, "supported_sync_modes");
    json_begin_array(writer);
    if (stream->full_refresh)
        json_put_string(writer, airbyte_sync_mode_name(AIRBYTE_FULL_REFRESH));
    if (stream->incremental)
        json_put_string(writer, airbyte_sync_mode_name(AIRBYTE_INCREMENTAL));
    json_end_array(writer);
    if (stream->source_defined_cursor)
        json_member_bool(writer, "source_defined_cursor", true);
    if (stream->default_cursor.count) {
        json_put_key(writer, "default_cursor_field");
        put_path(writer, stream->default_cursor);
    }
    if (stream->primary_key_count)
        put_paths(writer, "source_defined_primary_key", stream->primary_key, stream->primary_key_count);
    if (stream->is_resumable)
        json_member_bool(writer, "is_resumable", true);
    if (stream->is_file_based)
        json_member_bool(writer, "is_file_based", true);
    json_end_object(writer);
}

void airbyte_catalog_write(struct buffer *out, const struct airbyte_catalog *catalog)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "streams");
    json_begin_array(&writer);
    for (size_t i = 0; i < catalog->count; i++)
        put_stream(&writer, &catalog->streams[i]);
    json_end_array(&writer);
    json_end_object(&writer);
}

static void put_configured(struct json_writer *writer, const struct airbyte_configured_stream *stream)
{
    json_begin_object(writer);
    json_put_key(writer, "stream");
    put_stream(writer, &stream->stream);
    json_member_string(writer, "sync_mode", airbyte_sync_mode_name(stream->sync_mode));
    json_member_string(writer, "destination_sync_mode",
                       airbyte_destination_sync_mode_name(stream->destination_sync_mode));
    if (stream->cursor.count) {
        json_put_key(writer, "cursor_field");
        put_path(writer, stream->cursor);
    }
    if (stream->primary_key_count)
        put_paths(writer, "primary_key", stream->primary_key, stream->primary_key_count);
    if (stream->has_generation) {
        json_member_i64(writer, "generation_id", stream->generation_id);
        json_member_i64(writer, "minimum_generation_id", stream->minimum_generation_id);
        json_member_i64(writer, "sync_id", stream->sync_id);
    }
    if (stream->include_files)
        json_member_bool(writer, "include_files", true);
    json_end_object(writer);
}

void airbyte_configured_catalog_write(struct buffer *out, const struct airbyte_configured_catalog *catalog)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "streams");
    json_begin_array(&writer);
    for (size_t i = 0; i < catalog->count; i++)
        put_configured(&writer, &catalog->streams[i]);
    json_end_array(&writer);
    json_end_object(&writer);
}
