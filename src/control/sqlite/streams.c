#include "control/sqlite/streams.h"

#include "base/map.h"
#include "protocol/airbyte_mapper.h"
#include "json/writer.h"

static const char *namespace_of(const char *text)
{
    return text && *text ? text : NULL;
}

int streams_read(struct slice json, struct arena *arena, const struct control_stream **ret_streams,
                 size_t *ret_count, struct error *err)
{
    struct json doc;
    size_t count = 0;
    *ret_streams = NULL;
    *ret_count = 0;
    if (json.size == 0)
        return 0;
    if (json_parse_copy(arena, json.data, json.size, &doc, err) < 0)
        return error_wrap(err, "the streams of a job");
    struct control_stream *streams = arena_zalloc(arena, ((size_t)json_count(&doc, 0) + 1) * sizeof *streams);
    for (uint32_t at = json_first(&doc, 0); at != JSON_NONE; at = json_next(&doc, 0, at)) {
        streams[count].name = json_cstring(&doc, json_get(&doc, at, "name"), arena);
        streams[count].namespace = namespace_of(json_cstring(&doc, json_get(&doc, at, "namespace"), arena));
        count += streams[count].name != NULL;
    }
    *ret_streams = streams;
    *ret_count = count;
    return 0;
}

struct slice streams_write(const struct control_stream *streams, size_t count, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&writer);
        json_member_string(&writer, "name", streams[i].name);
        if (namespace_of(streams[i].namespace))
            json_member_string(&writer, "namespace", streams[i].namespace);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    struct slice copy = {arena_strndup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

int streams_selected(struct slice catalog, struct arena *arena, const struct control_stream **ret_streams,
                     size_t *ret_count, struct error *err)
{
    struct json doc;
    size_t count = 0;
    *ret_streams = NULL;
    *ret_count = 0;
    if (catalog.size == 0)
        return 0;
    if (json_parse_copy(arena, catalog.data, catalog.size, &doc, err) < 0)
        return error_wrap(err, "the connection's catalog");
    uint32_t list = json_get(&doc, 0, "streams");
    struct control_stream *streams =
        arena_zalloc(arena, ((size_t)json_count(&doc, list) + 1) * sizeof *streams);
    for (uint32_t at = json_first(&doc, list); at != JSON_NONE; at = json_next(&doc, list, at)) {
        uint32_t stream = json_get(&doc, at, "stream");
        if (json_is(&doc, json_get(&doc, json_get(&doc, at, "config"), "selected"), JSON_FALSE))
            continue;
        streams[count].name = json_cstring(&doc, json_get(&doc, stream, "name"), arena);
        streams[count].namespace =
            namespace_of(json_cstring(&doc, json_get(&doc, stream, "namespace"), arena));
        count += streams[count].name != NULL;
    }
    *ret_streams = streams;
    *ret_count = count;
    return 0;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool streams_have(const struct control_stream *streams, size_t count, const struct control_stream *stream)
{
    for (size_t i = 0; i < count; i++)
        if (same(streams[i].name, stream->name) && same(streams[i].namespace, stream->namespace))
            return true;
    return false;
}

static int check_stream(const struct json *doc, uint32_t at, struct map *seen, struct arena *arena,
                        struct error *err)
{
    uint32_t stream = json_get(doc, at, "stream");
    const char *name = json_cstring(doc, json_get(doc, stream, "name"), arena);
    const char *namespace = json_cstring(doc, json_get(doc, stream, "namespace"), arena);
    if (!name || !*name)
        return error_set(err, ERROR_INVALID, "a stream of the catalog has no name (stream.name)");
    const char *key = arena_printf(arena, "%s\n%s", namespace ? namespace : "", name);
    if (map_get(seen, slice_of(key)))
        return error_set(err, ERROR_INVALID, "the stream '%.200s' is in the catalog twice", name);
    map_set(seen, slice_of(key), seen);
    return airbyte_mappers_check(doc, at, arena, err) < 0 ? error_wrap(err, "the stream '%.200s'", name) : 0;
}

int streams_check(struct slice catalog, struct error *err)
{
    struct arena arena;
    struct json doc;
    struct map seen;
    if (catalog.size == 0)
        return 0;
    arena_init(&arena);
    map_init(&seen);
    int result = json_parse_copy(&arena, catalog.data, catalog.size, &doc, err);
    uint32_t list = result == 0 ? json_get(&doc, 0, "streams") : JSON_NONE;
    if (result == 0 && !json_is(&doc, list, JSON_ARRAY))
        result = error_set(err, ERROR_INVALID, "the catalog has no 'streams', which is a list");
    for (uint32_t at = result == 0 ? json_first(&doc, list) : JSON_NONE; at != JSON_NONE && result == 0;
         at = json_next(&doc, list, at))
        result = check_stream(&doc, at, &seen, &arena, err);
    if (result == 0 && json_count(&doc, list) > CONTROL_JOB_STREAMS_MAX)
        result = error_set(err, ERROR_LIMIT, "the catalog has %u streams; the limit is %d",
                           json_count(&doc, list), CONTROL_JOB_STREAMS_MAX);
    map_done(&seen);
    arena_done(&arena);
    return result;
}
