#include "flow.h"

/* What a binding names: a stream, and how it is read or written. */

/* --- reading ---------------------------------------------------------------------------------------- */

/* Both "updated_at" and ["meta", "updated_at"] name a path. */
static bool read_path(const struct json *doc, uint32_t at, struct arena *arena, struct airbyte_path *ret_path)
{
    struct slice *parts = arena_zalloc(arena, ((size_t)json_count(doc, at) + 1) * sizeof *parts);
    size_t count = 0;
    if (json_is(doc, at, JSON_STRING))
        parts[count++] = json_string(doc, at, arena);
    else if (!json_is(doc, at, JSON_ARRAY))
        return false;
    for (uint32_t part = json_first(doc, at); part != JSON_NONE; part = json_next(doc, at, part)) {
        if (!json_is(doc, part, JSON_STRING))
            return false;
        parts[count++] = json_string(doc, part, arena);
    }
    *ret_path = (struct airbyte_path){parts, count};
    return true;
}

static bool read_key(const struct json *doc, uint32_t at, struct arena *arena, struct flow_resource *resource)
{
    struct airbyte_path *paths = arena_zalloc(arena, ((size_t)json_count(doc, at) + 1) * sizeof *paths);
    if (!json_is(doc, at, JSON_ARRAY))
        return false;
    for (uint32_t part = json_first(doc, at); part != JSON_NONE; part = json_next(doc, at, part)) {
        if (!read_path(doc, part, arena, &paths[resource->primary_key_count++]))
            return false;
    }
    resource->primary_key = paths;
    return true;
}

/* A misspelt member would be ignored in silence; one that is like none of these is the connector's own. */
static int check_members(const struct json *doc, struct arena *arena, struct error *err)
{
    static const char *const known[] = {"stream",
                                        "name",
                                        "table",
                                        "namespace",
                                        "schema",
                                        "syncMode",
                                        "cursorField",
                                        "primaryKey",
                                        "deltaUpdates",
                                        "delta_updates",
                                        "additional_table_create_sql",
                                        "mode",
                                        "priority",
                                        "advanced",
                                        "backfill"};
    enum { KNOWN = sizeof known / sizeof *known };
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        const char *name = json_cstring(doc, key, arena);
        bool ours = false;
        for (size_t i = 0; i < KNOWN && !ours; i++)
            ours = strcmp(name, known[i]) == 0;
        const char *nearest = ours ? NULL : string_nearest(name, known, KNOWN);
        if (nearest)
            return error_set(err, ERROR_INVALID, "unknown member '%.64s' in the resource; did you mean '%s'?",
                             name, nearest);
    }
    return 0;
}

/* The first of the members that is there and no null; JSON_NONE: none. */
static uint32_t member(const struct json *doc, const char *const *names)
{
    for (; *names; names++) {
        uint32_t at = json_get(doc, 0, *names);
        if (at != JSON_NONE && !json_is(doc, at, JSON_NULL))
            return at;
    }
    return JSON_NONE;
}
#define MEMBER(doc, ...) member((doc), (const char *const[]){__VA_ARGS__, NULL})

static int read_mode(const struct json *doc, uint32_t at, struct flow_resource *resource, struct error *err)
{
    int mode = json_is(doc, at, JSON_STRING) ? airbyte_sync_mode_parse(json_inner(doc, at)) : -1;
    struct slice shown = json_raw(doc, at);
    if (mode < 0)
        return error_set(err, ERROR_INVALID, "'syncMode' is %.*s, but it must be full_refresh or incremental",
                         (int)utf8_cut(shown.data, shown.size, 64), shown.data);
    resource->mode = (enum airbyte_sync_mode)mode;
    resource->has_mode = true;
    return 0;
}

/* In our spelling, and in the one of Estuary's materializations. */
static int read_delta_updates(const struct json *doc, struct flow_resource *resource, struct error *err)
{
    uint32_t ours = MEMBER(doc, "deltaUpdates"), theirs = MEMBER(doc, "delta_updates");
    uint32_t at = ours != JSON_NONE ? ours : theirs;
    if (ours != JSON_NONE && theirs != JSON_NONE && !json_equal(doc, ours, doc, theirs))
        return error_set(
            err, ERROR_INVALID,
            "the resource has 'deltaUpdates' and 'delta_updates', which do not agree; one is enough");
    if (at != JSON_NONE && !json_is(doc, at, JSON_TRUE) && !json_is(doc, at, JSON_FALSE))
        return error_set(err, ERROR_INVALID, "'%s' in the resource must be true or false",
                         at == ours ? "deltaUpdates" : "delta_updates");
    resource->delta_updates = json_is(doc, at, JSON_TRUE);
    return 0;
}

/* Of Estuary's resources: what would not be done must not be passed over. */
static int check_table_sql(const struct json *doc, struct error *err)
{
    uint32_t at = MEMBER(doc, "additional_table_create_sql");
    if (at == JSON_NONE || (json_is(doc, at, JSON_STRING) && !json_inner(doc, at).size))
        return 0;
    return error_set(
        err, ERROR_INVALID,
        "'additional_table_create_sql' in the resource: SQL of a catalog's own is not run; leave it out, and "
        "run it once by hand when the table is there");
}

int flow_resource_read(struct slice raw, struct arena *arena, struct flow_resource *ret_resource,
                       struct error *err)
{
    struct json doc;
    struct flow_resource resource = {0};
    if (!raw.size)
        return error_set(err, ERROR_INVALID, "a binding has no resourceConfig");
    if (json_parse_copy(arena, raw.data, raw.size, &doc, err) < 0)
        return error_wrap(err, "a resource");
    if (check_members(&doc, arena, err) < 0)
        return -1;
    uint32_t name = MEMBER(&doc, "stream", "table", "name"), space = MEMBER(&doc, "namespace", "schema"),
             mode = MEMBER(&doc, "syncMode"), cursor = MEMBER(&doc, "cursorField"),
             key = MEMBER(&doc, "primaryKey");
    if (!json_is(&doc, name, JSON_STRING) || !json_inner(&doc, name).size)
        return error_set(err, ERROR_INVALID, "the resource must name a stream: {stream: NAME}");
    resource.stream = json_cstring(&doc, name, arena);
    if (json_is(&doc, space, JSON_STRING) && json_inner(&doc, space).size)
        resource.name_space = json_cstring(&doc, space, arena);
    if (mode != JSON_NONE && read_mode(&doc, mode, &resource, err) < 0)
        return -1;
    if (cursor != JSON_NONE && !read_path(&doc, cursor, arena, &resource.cursor))
        return error_set(err, ERROR_INVALID, "'cursorField' must be a field's name or a list of names");
    if (key != JSON_NONE && !read_key(&doc, key, arena, &resource))
        return error_set(err, ERROR_INVALID,
                         "'primaryKey' must be a list of fields, such as [id] or [[address, id]]");
    if (read_delta_updates(&doc, &resource, err) < 0 || check_table_sql(&doc, err) < 0)
        return -1;
    *ret_resource = resource;
    return 0;
}

/* --- which stream ------------------------------------------------------------------------------------ */

static int unknown_stream(const struct firth_catalog *offered, const struct flow_resource *resource,
                          struct arena *arena, struct error *err)
{
    const char **names = arena_zalloc(arena, (offered->count + 1) * sizeof *names);
    const char *all = "";
    for (size_t i = 0; i < offered->count; i++) {
        names[i] = offered->streams[i].name;
        if (i < 10)
            all = arena_printf(arena, "%s%s%.64s", all, i ? ", " : "", names[i]);
    }
    const char *near = string_nearest(resource->stream, names, offered->count);
    if (near && strcmp(near, resource->stream) != 0)
        return error_set(err, ERROR_INVALID, "there is no stream '%s'; did you mean '%s'?", resource->stream,
                         near);
    return error_set(err, ERROR_INVALID, "there is no stream '%s'%s%s%s; there %s %zu: %s%s",
                     resource->stream, resource->name_space ? " in the namespace '" : "",
                     resource->name_space ? resource->name_space : "", resource->name_space ? "'" : "",
                     offered->count == 1 ? "is" : "are", offered->count, all,
                     offered->count > 10 ? ", …" : "");
}

/* By name and namespace; by name alone if no namespace is given and one stream has that name. */
static const struct firth_stream *find(const struct firth_catalog *offered,
                                       const struct flow_resource *resource, struct arena *arena,
                                       struct error *err)
{
    const struct firth_stream *found = NULL;
    for (size_t i = 0; i < offered->count; i++) {
        const struct firth_stream *stream = &offered->streams[i];
        const char *space = stream->name_space ? stream->name_space : "";
        if (strcmp(stream->name, resource->stream) != 0)
            continue;
        if (strcmp(space, resource->name_space ? resource->name_space : "") == 0)
            return stream;
        if (found && !resource->name_space) {
            error_set(err, ERROR_INVALID,
                      "there is a stream '%s' in more than one namespace ('%s', '%s'): say which with "
                      "'namespace'",
                      stream->name, found->name_space ? found->name_space : "", space);
            return NULL;
        }
        if (!resource->name_space)
            found = stream;
    }
    if (!found)
        unknown_stream(offered, resource, arena, err);
    return found;
}

static int configure(const struct firth_stream *stream, const struct flow_resource *resource,
                     struct airbyte_configured_stream *ret_configured, struct error *err)
{
    bool has_cursor = !stream->cursor_is_free || stream->cursor || resource->cursor.count;
    bool incremental = resource->has_mode ? resource->mode == AIRBYTE_INCREMENTAL
                                          : stream->sync_modes & FIRTH_INCREMENTAL &&
                                                (has_cursor || !(stream->sync_modes & FIRTH_FULL_REFRESH));
    if (!(stream->sync_modes & (incremental ? FIRTH_INCREMENTAL : FIRTH_FULL_REFRESH)))
        return error_set(err, ERROR_INVALID, "the stream '%s' cannot be read in the syncMode %s, only in %s",
                         stream->name, incremental ? "incremental" : "full_refresh",
                         incremental ? "full_refresh" : "incremental");
    *ret_configured = (struct airbyte_configured_stream){.stream = {.name = {.name = slice_of(stream->name)}},
                                                         .sync_mode = incremental ? AIRBYTE_INCREMENTAL
                                                                                  : AIRBYTE_FULL_REFRESH,
                                                         .cursor = resource->cursor,
                                                         .primary_key = resource->primary_key,
                                                         .primary_key_count = resource->primary_key_count};
    if (stream->name_space)
        ret_configured->stream.name.namespace = slice_of(stream->name_space);
    return 0;
}

int flow_resources_select(const struct firth_catalog *offered, const struct flow_resource *resources,
                          size_t count, struct arena *arena, struct airbyte_configured_catalog *ret_catalog,
                          const struct firth_stream ***ret_streams, struct error *err)
{
    struct airbyte_configured_stream *asked = arena_zalloc(arena, (count + 1) * sizeof *asked);
    const struct firth_stream **streams = arena_zalloc(arena, (count + 1) * sizeof *streams);
    for (size_t i = 0; i < count; i++) {
        streams[i] = find(offered, &resources[i], arena, err);
        if (!streams[i] || configure(streams[i], &resources[i], &asked[i], err) < 0)
            return -1;
        for (size_t k = 0; k < i; k++) {
            if (streams[k] == streams[i])
                return error_set(err, ERROR_INVALID, "two bindings are of the stream '%s'", streams[i]->name);
        }
    }
    *ret_catalog = (struct airbyte_configured_catalog){.streams = asked, .count = count};
    *ret_streams = streams;
    return 0;
}

int flow_resources_offer(struct firth_host *host, const void *config, const struct flow_resource *resources,
                         size_t count, struct firth_catalog *offered, struct firth_error *err)
{
    struct sdk_stream_name *names = mem_zalloc((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = (struct sdk_stream_name){resources[i].stream, resources[i].name_space};
    int result = sdk_catalog_offer(host, config, names, count, offered, err);
    free(names);
    return result;
}

/* --- the schema -------------------------------------------------------------------------------------- */

const char *flow_resource_name(const struct firth_connector_class *class_)
{
    return class_->source.resource_name ? class_->source.resource_name : "stream";
}

void flow_resource_schema(struct buffer *out, const struct firth_connector_class *class_)
{
    bool source = class_->source.read != NULL;
    const char *name = flow_resource_name(class_);
    buffer_printf(out,
                  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
                  "\"required\":[\"%s\"],\"properties\":{\"%s\":{\"type\":\"string\",\"order\":0,"
                  "\"title\":\"Stream\",\"description\":",
                  name, name);
    buffer_str(out,
               source ? "\"The stream to read.\"" : "\"The stream to write.\",\"x-collection-name\":true");
    buffer_str(out, "},\"namespace\":{\"type\":[\"string\",\"null\"],\"order\":1,\"title\":\"Namespace\","
                    "\"description\":\"Where the stream is, if there are several places.\"");
    buffer_str(out, source ? "}" : ",\"x-schema-name\":true}");
    if (source)
        buffer_str(out, ",\"syncMode\":{\"type\":[\"string\",\"null\"],\"order\":2,\"title\":\"Sync Mode\","
                        "\"description\":\"Only what is new, or all of it each time.\","
                        "\"enum\":[\"incremental\",\"full_refresh\",null]},"
                        "\"cursorField\":{\"type\":[\"string\",\"array\",\"null\"],\"order\":3,"
                        "\"items\":{\"type\":\"string\"},\"title\":\"Cursor Field\","
                        "\"description\":\"The field that tells what is new, where the source has none of "
                        "its own.\"},"
                        "\"primaryKey\":{\"type\":[\"array\",\"null\"],\"order\":4,"
                        "\"title\":\"Primary Key\",\"description\":\"The fields that identify a record, "
                        "where the source has none of its own.\"}");
    else
        buffer_str(out, ",\"deltaUpdates\":{\"type\":\"boolean\",\"order\":2,\"title\":\"Delta Updates\","
                        "\"description\":\"Append what is new instead of updating what is there.\","
                        "\"x-delta-updates\":true}");
    if (source && class_->source.resource_properties) {
        buffer_byte(out, ',');
        buffer_str(out, class_->source.resource_properties);
    }
    buffer_str(out, "}}");
}
