#include "supervisor/job_streams.h"

#include "json/writer.h"

struct builder {
    const struct json *doc;
    const struct control_job *job;
    struct arena *arena;
    struct task_binding_spec *bindings;
    struct control_stream *streams;
    size_t count;
    struct json_writer writer; /* of the catalog in the protocol's spelling */
    bool schemas;              /* every stream has one */
};

static const char *get_string(const struct builder *builder, uint32_t object, const char *name)
{
    return json_cstring(builder->doc, json_get(builder->doc, object, name), builder->arena);
}

static struct catalog_path read_path(const struct builder *builder, uint32_t list)
{
    const struct json *doc = builder->doc;
    const char **names = arena_zalloc(builder->arena, ((size_t)json_count(doc, list) + 1) * sizeof *names);
    size_t count = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at))
        if ((names[count] = json_cstring(doc, at, builder->arena)))
            count++;
    return (struct catalog_path){names, count};
}

static size_t read_paths(const struct builder *builder, uint32_t list, const struct catalog_path **ret_paths)
{
    const struct json *doc = builder->doc;
    struct catalog_path *paths =
        arena_zalloc(builder->arena, ((size_t)json_count(doc, list) + 1) * sizeof *paths);
    size_t count = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        paths[count] = read_path(builder, at);
        count += paths[count].count > 0;
    }
    *ret_paths = paths;
    return count;
}

/* --- modes --------------------------------------------------------------------------------------- */

static int read_mode(const char *what, const char *name, const char *const *names, size_t count,
                     const char *stream, int *ret_mode, struct error *err)
{
    *ret_mode = 0;
    if (!name)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_mode = (int)i + 1;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "the stream '%.200s' has the %s '%.40s', which cannot be synced",
                     stream, what, name);
}

static int read_modes(const struct builder *builder, uint32_t config, struct catalog_stream *stream,
                      struct error *err)
{
    static const char *const modes[] = {"full_refresh", "incremental"};
    static const char *const destination_modes[] = {"append", "overwrite", "append_dedup", "overwrite_dedup"};
    int mode, destination_mode;
    if (read_mode("sync mode", get_string(builder, config, "syncMode"), modes, 2, stream->name, &mode, err) <
            0 ||
        read_mode("destination sync mode", get_string(builder, config, "destinationSyncMode"),
                  destination_modes, 4, stream->name, &destination_mode, err) < 0)
        return -1;
    stream->sync_mode = (enum catalog_sync_mode)mode;
    stream->destination_sync_mode = (enum catalog_destination_sync_mode)destination_mode;
    return 0;
}

/* --- columns ------------------------------------------------------------------------------------- */

/* The chosen fields; the task adds those that cursor and key are, which it may have to ask the source for. */
static void read_fields(const struct builder *builder, uint32_t config, struct task_binding_spec *binding)
{
    const struct json *doc = builder->doc;
    uint32_t list = json_get(doc, config, "selectedFields");
    if (!json_is(doc, json_get(doc, config, "fieldSelectionEnabled"), JSON_TRUE) ||
        !json_is(doc, list, JSON_ARRAY))
        return;
    size_t count = 0;
    struct catalog_path *fields =
        arena_zalloc(builder->arena, ((size_t)json_count(doc, list) + 1) * sizeof *fields);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        fields[count] = read_path(builder, json_get(doc, at, "fieldPath"));
        count += fields[count].count > 0;
    }
    binding->selects = true;
    binding->fields = fields;
    binding->field_count = count;
}

/* What the task has to do with records, as the config has it; it was checked when the connection was put, and
 * is again when the task reads it. */
static void read_mapping(const struct builder *builder, uint32_t config, struct task_binding_spec *binding)
{
    static const char *const names[] = {"mappers", "hashedFields"};
    struct buffer text;
    struct json_writer writer;
    size_t count = 0;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t list = json_get(builder->doc, config, names[i]);
        if (json_count(builder->doc, list) == 0)
            continue;
        json_put_key(&writer, names[i]);
        json_put_value(&writer, builder->doc, list);
        count++;
    }
    json_end_object(&writer);
    if (count)
        binding->mapping = (struct slice){arena_dup(builder->arena, text.data, text.size), text.size};
    buffer_done(&text);
}

/* --- the catalog --------------------------------------------------------------------------------- */

/* A stream as the source said it, from the API's spelling to the protocol's. */
static void write_stream(struct builder *builder, uint32_t stream)
{
    static const struct {
        const char *api, *protocol;
    } names[] = {{"name", "name"},
                 {"namespace", "namespace"},
                 {"jsonSchema", "json_schema"},
                 {"supportedSyncModes", "supported_sync_modes"},
                 {"sourceDefinedCursor", "source_defined_cursor"},
                 {"defaultCursorField", "default_cursor_field"},
                 {"sourceDefinedPrimaryKey", "source_defined_primary_key"},
                 {"isResumable", "is_resumable"},
                 {"isFileBased", "is_file_based"}};
    const struct json *doc = builder->doc;
    uint32_t schema = json_get(doc, stream, "jsonSchema");
    builder->schemas &= json_is(doc, schema, JSON_OBJECT) && json_count(doc, schema) > 0 &&
                        json_is(doc, json_get(doc, stream, "supportedSyncModes"), JSON_ARRAY);
    json_begin_object(&builder->writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t at = json_get(doc, stream, names[i].api);
        bool broken = at == schema && !json_is(doc, schema, JSON_OBJECT);
        if (at == JSON_NONE || json_is(doc, at, JSON_NULL) || broken)
            continue;
        json_put_key(&builder->writer, names[i].protocol);
        json_put_value(&builder->writer, doc, at);
    }
    /* What a client left out: enough to clear the stream. */
    if (!json_is(doc, schema, JSON_OBJECT))
        json_member_raw(&builder->writer, "json_schema", SLICE_LITERAL("{}"));
    if (json_get(doc, stream, "supportedSyncModes") == JSON_NONE)
        json_member_raw(&builder->writer, "supported_sync_modes", SLICE_LITERAL("[\"full_refresh\"]"));
    json_end_object(&builder->writer);
}

/* --- bindings ------------------------------------------------------------------------------------ */

static bool job_has(const struct control_job *job, const struct control_stream *stream)
{
    for (size_t i = 0; i < job->stream_count; i++) {
        const char *namespace = job->streams[i].namespace;
        if (strcmp(job->streams[i].name, stream->name) == 0 &&
            strcmp(namespace ? namespace : "", stream->namespace ? stream->namespace : "") == 0)
            return true;
    }
    return false;
}

static int add_stream(struct builder *builder, uint32_t at, struct error *err)
{
    const struct control_job *job = builder->job;
    uint32_t stream = json_get(builder->doc, at, "stream"), config = json_get(builder->doc, at, "config");
    struct control_stream name = {.name = get_string(builder, stream, "name"),
                                  .namespace = get_string(builder, stream, "namespace")};
    if (name.namespace && !*name.namespace)
        name.namespace = NULL;
    if (!name.name || json_is(builder->doc, json_get(builder->doc, config, "selected"), JSON_FALSE))
        return 0;
    bool chosen = job->type != CONTROL_JOB_SYNC && job_has(job, &name);
    if (job->type == CONTROL_JOB_CLEAR && !chosen)
        return 0;
    struct task_binding_spec *binding = &builder->bindings[builder->count];
    binding->stream.name = name.name;
    binding->stream.namespace = name.namespace;
    binding->stream.cursor_field = read_path(builder, json_get(builder->doc, config, "cursorField"));
    binding->stream.primary_key_count =
        read_paths(builder, json_get(builder->doc, config, "primaryKey"), &binding->stream.primary_key);
    if (read_modes(builder, config, &binding->stream, err) < 0)
        return -1;
    const char *alias = get_string(builder, config, "aliasName");
    binding->alias = alias && *alias ? alias : NULL;
    read_fields(builder, config, binding);
    read_mapping(builder, config, binding);
    binding->start_over = chosen;
    binding->replace = chosen && !job->merge;
    if (job->type ==
        CONTROL_JOB_CLEAR) { /* whatever it is synced with: what is there is replaced by nothing */
        binding->stream.sync_mode = CATALOG_SYNC_FULL_REFRESH;
        binding->stream.destination_sync_mode = CATALOG_DESTINATION_OVERWRITE;
        binding->replace = true;
    }
    builder->streams[builder->count++] = name;
    write_stream(builder, stream);
    return 0;
}

int job_streams_build(struct slice catalog, const struct control_job *job, struct arena *arena,
                      struct task_spec *spec, const struct control_stream **ret_streams, struct error *err)
{
    struct json doc;
    struct buffer text;
    if (json_parse_copy(arena, catalog.size ? catalog.data : "{}", catalog.size ? catalog.size : 2, &doc,
                        err) < 0)
        return error_wrap(err, "the connection's catalog");
    uint32_t list = json_get(&doc, 0, "streams");
    size_t most = json_count(&doc, list);
    struct builder builder = {.doc = &doc,
                              .job = job,
                              .arena = arena,
                              .bindings = arena_zalloc(arena, (most + 1) * sizeof *builder.bindings),
                              .streams = arena_zalloc(arena, (most + 1) * sizeof *builder.streams),
                              .schemas = true};
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&builder.writer, &text);
    json_begin_object(&builder.writer);
    json_put_key(&builder.writer, "streams");
    json_begin_array(&builder.writer);
    int result = 0;
    for (uint32_t at = json_first(&doc, list); at != JSON_NONE && result == 0; at = json_next(&doc, list, at))
        result = add_stream(&builder, at, err);
    if (result == 0 && builder.count == 0)
        result = error_set(err, ERROR_INVALID, "the connection selects no stream of this job any more");
    if (result == 0) {
        json_end_array(&builder.writer);
        json_end_object(&builder.writer);
        spec->bindings = builder.bindings;
        spec->binding_count = builder.count;
        /* A client may leave schemas out: then the source is asked. */
        if (builder.schemas || job->type == CONTROL_JOB_CLEAR)
            spec->catalog = (struct slice){arena_dup(arena, text.data, text.size), text.size};
        *ret_streams = builder.streams;
    }
    buffer_done(&text);
    return result;
}
