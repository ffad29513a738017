#include "protocol/airbyte_catalog.h"

#include "base/map.h"

static const char *const sync_modes[AIRBYTE_SYNC_MODE_MAX] = {"full_refresh", "incremental"};
static const char *const destination_sync_modes[AIRBYTE_DESTINATION_SYNC_MODE_MAX] = {
    "append", "overwrite", "append_dedup", "overwrite_dedup", "update", "soft_delete",
};

static int parse_name(struct slice name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (slice_is(name, names[i]))
            return i;
    return -1;
}

const char *airbyte_sync_mode_name(enum airbyte_sync_mode mode)
{
    return (unsigned)mode < AIRBYTE_SYNC_MODE_MAX ? sync_modes[mode] : "unknown";
}

int airbyte_sync_mode_parse(struct slice name)
{
    return parse_name(name, sync_modes, AIRBYTE_SYNC_MODE_MAX);
}

const char *airbyte_destination_sync_mode_name(enum airbyte_destination_sync_mode mode)
{
    return (unsigned)mode < AIRBYTE_DESTINATION_SYNC_MODE_MAX ? destination_sync_modes[mode] : "unknown";
}

int airbyte_destination_sync_mode_parse(struct slice name)
{
    return parse_name(name, destination_sync_modes, AIRBYTE_DESTINATION_SYNC_MODE_MAX);
}

unsigned airbyte_destination_modes(const struct json *spec, struct arena *arena)
{
    static const char *const members[] = {"supported_destination_sync_modes", "firth_destination_sync_modes"};
    unsigned modes = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        uint32_t list = json_get(spec, 0, members[i]);
        for (uint32_t at = json_first(spec, list); at != JSON_NONE; at = json_next(spec, list, at)) {
            int mode = json_is(spec, at, JSON_STRING)
                           ? airbyte_destination_sync_mode_parse(json_string(spec, at, arena))
                           : -1;
            modes |= mode < 0 ? 0 : 1U << mode;
        }
    }
    return modes;
}

/* --- reading ------------------------------------------------------------------------------------- */

/* What every reading function below needs. */
struct reader {
    const struct json *doc;
    struct arena *arena;
    struct error *err;
};

static int wrong(const struct reader *reader, uint32_t at, const char *field, const char *expected)
{
    if (at == JSON_NONE)
        return error_set(reader->err, ERROR_PROTOCOL, "%s is missing: expected %s", field, expected);
    struct slice raw = json_raw(reader->doc, at);
    size_t cut = utf8_cut(raw.data, raw.size, 60);
    return error_set(reader->err, ERROR_PROTOCOL, "%s must be %s, got %.*s%s", field, expected, (int)cut,
                     raw.data, cut < raw.size ? "…" : "");
}

/* The member, with null as absent. */
static uint32_t member(const struct reader *reader, uint32_t object, const char *name)
{
    uint32_t at = json_get(reader->doc, object, name);
    return json_is(reader->doc, at, JSON_NULL) ? JSON_NONE : at;
}

static int read_flag(const struct reader *reader, uint32_t object, const char *name, bool *ret_flag)
{
    uint32_t at = member(reader, object, name);
    if (at != JSON_NONE && !json_is(reader->doc, at, JSON_TRUE) && !json_is(reader->doc, at, JSON_FALSE))
        return wrong(reader, at, name, "true or false");
    *ret_flag = json_is(reader->doc, at, JSON_TRUE);
    return 0;
}

static int read_path_at(const struct reader *reader, uint32_t at, const char *name,
                        struct airbyte_path *ret_path)
{
    uint32_t count = json_count(reader->doc, at), filled = 0;
    if (!json_is(reader->doc, at, JSON_ARRAY) || count > AIRBYTE_PATH_MAX)
        return wrong(reader, at, name, "a path: an array of at most 256 strings");
    struct slice *parts = arena_alloc(reader->arena, count * sizeof *parts);
    for (uint32_t e = json_first(reader->doc, at); e != JSON_NONE; e = json_next(reader->doc, at, e)) {
        if (!json_is(reader->doc, e, JSON_STRING))
            return wrong(reader, e, name, "a path: an array of strings");
        parts[filled++] = json_string(reader->doc, e, reader->arena);
    }
    *ret_path = (struct airbyte_path){parts, count};
    return 0;
}

static int read_path(const struct reader *reader, uint32_t object, const char *name,
                     struct airbyte_path *ret_path)
{
    uint32_t at = member(reader, object, name);
    return at == JSON_NONE ? 0 : read_path_at(reader, at, name, ret_path);
}

static int read_paths(const struct reader *reader, uint32_t object, const char *name,
                      const struct airbyte_path **ret_paths, size_t *ret_count)
{
    uint32_t at = member(reader, object, name);
    if (at == JSON_NONE)
        return 0;
    if (!json_is(reader->doc, at, JSON_ARRAY) || json_count(reader->doc, at) > AIRBYTE_PATH_MAX)
        return wrong(reader, at, name, "an array of at most 256 paths");
    struct airbyte_path *paths = arena_alloc(reader->arena, json_count(reader->doc, at) * sizeof *paths);
    size_t count = 0;
    for (uint32_t e = json_first(reader->doc, at); e != JSON_NONE; e = json_next(reader->doc, at, e))
        if (read_path_at(reader, e, name, &paths[count++]) < 0)
            return -1;
    *ret_paths = paths;
    *ret_count = count;
    return 0;
}

static int read_name(const struct reader *reader, uint32_t at, struct airbyte_stream_name *ret_name)
{
    if (airbyte_read_descriptor(reader->doc, at, "a stream of the catalog", reader->arena, ret_name,
                                reader->err) < 0)
        return -1;
    if (ret_name->name.size == 0)
        return error_set(reader->err, ERROR_PROTOCOL, "a stream of the catalog has an empty name");
    return 0;
}

/* What follows the stream's name; errors get it as context from the caller. */
static int read_stream_fields(const struct reader *reader, uint32_t at, struct airbyte_stream *stream)
{
    uint32_t schema = member(reader, at, "json_schema"), modes = member(reader, at, "supported_sync_modes");
    if (!json_is(reader->doc, schema, JSON_OBJECT))
        return wrong(reader, schema, "json_schema", "an object");
    stream->json_schema = json_raw(reader->doc, schema);
    if (modes != JSON_NONE && !json_is(reader->doc, modes, JSON_ARRAY))
        return wrong(reader, modes, "supported_sync_modes", "an array of sync modes");
    for (uint32_t e = json_first(reader->doc, modes); e != JSON_NONE; e = json_next(reader->doc, modes, e)) {
        stream->full_refresh |= json_string_is(reader->doc, e, "full_refresh");
        stream->incremental |= json_string_is(reader->doc, e, "incremental");
    }
    if (read_flag(reader, at, "source_defined_cursor", &stream->source_defined_cursor) < 0 ||
        read_flag(reader, at, "is_resumable", &stream->is_resumable) < 0 ||
        read_flag(reader, at, "is_file_based", &stream->is_file_based) < 0 ||
        read_path(reader, at, "default_cursor_field", &stream->default_cursor) < 0 ||
        read_paths(reader, at, "source_defined_primary_key", &stream->primary_key,
                   &stream->primary_key_count) < 0)
        return -1;
    stream->raw = json_raw(reader->doc, at);
    return 0;
}

static int read_stream(const struct reader *reader, uint32_t at, struct airbyte_stream *ret_stream)
{
    struct airbyte_stream stream = {0};
    if (read_name(reader, at, &stream.name) < 0)
        return -1;
    if (read_stream_fields(reader, at, &stream) < 0)
        return error_wrap(reader->err, "stream %.*s", SLICE_ARGS(stream.name.name));
    *ret_stream = stream;
    return 0;
}

static int read_id(const struct reader *reader, uint32_t object, const char *name, int64_t *ret_id,
                   bool *ret_any)
{
    uint32_t at = member(reader, object, name);
    if (at == JSON_NONE)
        return 0;
    if (!json_to_i64(reader->doc, at, ret_id))
        return wrong(reader, at, name, "a 64-bit integer");
    *ret_any = true;
    return 0;
}

static int read_modes(const struct reader *reader, uint32_t at, struct airbyte_configured_stream *stream)
{
    uint32_t sync = member(reader, at, "sync_mode"),
             destination = member(reader, at, "destination_sync_mode");
    int mode = json_is(reader->doc, sync, JSON_STRING)
                   ? airbyte_sync_mode_parse(json_string(reader->doc, sync, reader->arena))
                   : -1;
    if (mode < 0)
        return wrong(reader, sync, "sync_mode", "\"full_refresh\" or \"incremental\"");
    stream->sync_mode = (enum airbyte_sync_mode)mode;
    if (destination == JSON_NONE)
        return 0;
    mode = json_is(reader->doc, destination, JSON_STRING)
               ? airbyte_destination_sync_mode_parse(json_string(reader->doc, destination, reader->arena))
               : -1;
    if (mode < 0)
        return wrong(reader, destination, "destination_sync_mode",
                     "append, overwrite, append_dedup, overwrite_dedup, update or soft_delete");
    stream->destination_sync_mode = (enum airbyte_destination_sync_mode)mode;
    return 0;
}

static int read_configured_fields(const struct reader *reader, uint32_t at,
                                  struct airbyte_configured_stream *stream)
{
    if (read_modes(reader, at, stream) < 0 || read_path(reader, at, "cursor_field", &stream->cursor) < 0 ||
        read_paths(reader, at, "primary_key", &stream->primary_key, &stream->primary_key_count) < 0 ||
        read_id(reader, at, "generation_id", &stream->generation_id, &stream->has_generation) < 0 ||
        read_id(reader, at, "minimum_generation_id", &stream->minimum_generation_id,
                &stream->has_generation) < 0 ||
        read_id(reader, at, "sync_id", &stream->sync_id, &stream->has_generation) < 0 ||
        read_flag(reader, at, "include_files", &stream->include_files) < 0)
        return -1;
    return 0;
}

static int read_configured(const struct reader *reader, uint32_t at,
                           struct airbyte_configured_stream *ret_stream)
{
    struct airbyte_configured_stream stream = {0};
    if (read_stream(reader, member(reader, at, "stream"), &stream.stream) < 0)
        return -1;
    if (read_configured_fields(reader, at, &stream) < 0)
        return error_wrap(reader->err, "stream %.*s", SLICE_ARGS(stream.stream.name.name));
    *ret_stream = stream;
    return 0;
}

/* The "streams" array, bounded. */
static int read_streams_array(const struct reader *reader, uint32_t at, uint32_t *ret_streams)
{
    uint32_t streams = json_is(reader->doc, at, JSON_OBJECT) ? member(reader, at, "streams") : JSON_NONE;
    if (!json_is(reader->doc, streams, JSON_ARRAY))
        return wrong(reader, streams, "streams", "an array");
    if (json_count(reader->doc, streams) > AIRBYTE_STREAMS_MAX)
        return error_set(reader->err, ERROR_LIMIT, "the catalog has %u streams, the limit is %d",
                         json_count(reader->doc, streams), AIRBYTE_STREAMS_MAX);
    *ret_streams = streams;
    return 0;
}

/* Remember the name; an error if it was there. */
static int add_name(struct map *names, struct airbyte_stream_name name, struct error *err)
{
    static char present;
    struct buffer key;
    buffer_init(&key, BUFFER_UNLIMITED);
    uint64_t size = name.namespace.size;
    buffer_append(&key, &size, sizeof size);
    buffer_append(&key, name.namespace.data, name.namespace.size);
    buffer_append(&key, name.name.data, name.name.size);
    bool twice = map_set(names, (struct slice){key.data, key.size}, &present) != NULL;
    buffer_done(&key);
    if (twice)
        return error_set(err, ERROR_PROTOCOL, "the catalog has two streams %.*s%s%.*s",
                         SLICE_ARGS(name.namespace), name.namespace.size ? "." : "", SLICE_ARGS(name.name));
    return 0;
}

int airbyte_catalog_read(const struct json *doc, uint32_t at, struct arena *arena,
                         struct airbyte_catalog *ret_catalog, struct error *err)
{
    const struct reader reader = {doc, arena, err};
    uint32_t streams = JSON_NONE;
    if (read_streams_array(&reader, at, &streams) < 0)
        return -1;
    struct airbyte_catalog catalog = {arena_alloc(arena, json_count(doc, streams) * sizeof *catalog.streams),
                                      0};
    struct map names;
    map_init(&names);
    int result = 0;
    for (uint32_t e = json_first(doc, streams); e != JSON_NONE && result == 0;
         e = json_next(doc, streams, e)) {
        result = read_stream(&reader, e, &catalog.streams[catalog.count]);
        if (result == 0)
            result = add_name(&names, catalog.streams[catalog.count++].name, err);
    }
    map_done(&names);
    if (result == 0)
        *ret_catalog = catalog;
    return result;
}

int airbyte_configured_catalog_read(const struct json *doc, uint32_t at, struct arena *arena,
                                    struct airbyte_configured_catalog *ret_catalog, struct error *err)
{
    const struct reader reader = {doc, arena, err};
    uint32_t streams = JSON_NONE;
    if (read_streams_array(&reader, at, &streams) < 0)
        return -1;
    struct airbyte_configured_catalog catalog = {
        arena_alloc(arena, json_count(doc, streams) * sizeof *catalog.streams), 0};
    struct map names;
    map_init(&names);
    int result = 0;
    for (uint32_t e = json_first(doc, streams); e != JSON_NONE && result == 0;
         e = json_next(doc, streams, e)) {
        result = read_configured(&reader, e, &catalog.streams[catalog.count]);
        if (result == 0)
            result = add_name(&names, catalog.streams[catalog.count++].stream.name, err);
    }
    map_done(&names);
    if (result == 0)
        *ret_catalog = catalog;
    return result;
}

long airbyte_catalog_find(const struct airbyte_catalog *catalog, struct airbyte_stream_name name)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (airbyte_stream_name_equal(catalog->streams[i].name, name))
            return (long)i;
    return -1;
}

long airbyte_configured_catalog_find(const struct airbyte_configured_catalog *catalog,
                                     struct airbyte_stream_name name)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (airbyte_stream_name_equal(catalog->streams[i].stream.name, name))
            return (long)i;
    return -1;
}
