#include "task/task_spec.h"

#include "connector/oci.h"

/* The document comes from the same binary, so this reader is strict and its errors are short: it says
 * which field is not as task_spec_write writes it, and the first error wins. */
struct spec_reader {
    const struct json *doc;
    struct arena *arena;
    struct error *err;
    bool failed;
};

static void fail(struct spec_reader *reader, const char *name)
{
    if (!reader->failed)
        error_set(reader->err, ERROR_INVALID,
                  "the task's specification: '%s' is missing or not as it should be", name);
    reader->failed = true;
}

/* A string without NUL; NULL if absent and optional. */
static const char *get_string(struct spec_reader *reader, uint32_t object, const char *name, bool optional)
{
    uint32_t at = json_get(reader->doc, object, name);
    if (at == JSON_NONE && optional)
        return NULL;
    const char *text =
        json_is(reader->doc, at, JSON_STRING) ? json_cstring(reader->doc, at, reader->arena) : NULL;
    if (!text)
        fail(reader, name);
    return text ? text : "";
}

static uint64_t get_u64(struct spec_reader *reader, uint32_t object, const char *name, uint64_t max)
{
    uint32_t at = json_get(reader->doc, object, name);
    uint64_t value = 0;
    if (at == JSON_NONE || !json_to_u64(reader->doc, at, &value) || value > max)
        fail(reader, name);
    return value;
}

static bool get_bool(struct spec_reader *reader, uint32_t object, const char *name)
{
    uint32_t at = json_get(reader->doc, object, name);
    if (!json_is(reader->doc, at, JSON_TRUE) && !json_is(reader->doc, at, JSON_FALSE))
        fail(reader, name);
    return json_is(reader->doc, at, JSON_TRUE);
}

static uint32_t get_array(struct spec_reader *reader, uint32_t object, const char *name, uint32_t max)
{
    uint32_t at = json_get(reader->doc, object, name);
    if (!json_is(reader->doc, at, JSON_ARRAY) || json_count(reader->doc, at) > max) {
        fail(reader, name);
        return JSON_NONE;
    }
    return at;
}

/* Empty if absent. */
static struct slice get_raw(struct spec_reader *reader, uint32_t object, const char *name)
{
    uint32_t at = json_get(reader->doc, object, name);
    return at == JSON_NONE ? (struct slice){0} : json_raw(reader->doc, at);
}

/* NULL-terminated; NULL if absent. */
static const char *const *get_words(struct spec_reader *reader, uint32_t array, const char *name)
{
    if (array == JSON_NONE)
        return NULL;
    const char **words = arena_zalloc(reader->arena, (json_count(reader->doc, array) + 1) * sizeof *words);
    size_t count = 0;
    for (uint32_t at = json_first(reader->doc, array); at != JSON_NONE;
         at = json_next(reader->doc, array, at)) {
        words[count] = json_cstring(reader->doc, at, reader->arena);
        if (!words[count++])
            fail(reader, name);
    }
    return words;
}

static const struct connector_container *read_container(struct spec_reader *reader, uint32_t at)
{
    if (at == JSON_NONE)
        return NULL;
    struct connector_container *container = arena_zalloc(reader->arena, sizeof *container);
    container->engine = get_string(reader, at, "engine", false);
    container->options = get_words(reader, json_get(reader->doc, at, "options"), "options");
    container->image = get_string(reader, at, "image", false);
    container->id = get_string(reader, at, "id", false);
    container->memory = get_string(reader, at, "memory", true);
    container->other_architecture = get_string(reader, at, "otherArchitecture", true);
    if (!container->options)
        fail(reader, "options");
    return container;
}

static void read_endpoint(struct spec_reader *reader, const char *name, struct task_endpoint *endpoint)
{
    uint32_t at = json_get(reader->doc, 0, name), config = json_get(reader->doc, at, "config");
    struct connector_program *program = &endpoint->program;
    program->argv = get_words(reader, json_get(reader->doc, at, "argv"), "argv");
    program->env = get_words(reader, json_get(reader->doc, at, "env"), "env");
    program->folder = get_string(reader, at, "folder", true);
    program->label = get_string(reader, at, "label", false);
    program->built_in = get_bool(reader, at, "builtIn");
    program->container = read_container(reader, json_get(reader->doc, at, "container"));
    program->protocol = get_bool(reader, at, "flow") ? CONNECTOR_FLOW : CONNECTOR_AIRBYTE;
    endpoint->image = get_bool(reader, at, "image");
    uint32_t manifest = json_get(reader->doc, at, "manifest");
    if (json_is(reader->doc, manifest, JSON_OBJECT))
        program->manifest = json_raw(reader->doc, manifest);
    if (!program->argv || !program->argv[0] || !json_is(reader->doc, config, JSON_OBJECT))
        fail(reader, name);
    else
        endpoint->config = json_raw(reader->doc, config);
}

static struct catalog_path read_path(struct spec_reader *reader, uint32_t array)
{
    return (struct catalog_path){get_words(reader, array, "path"), json_count(reader->doc, array)};
}

/* 0 if it is absent. */
static size_t read_paths(struct spec_reader *reader, uint32_t array, const struct catalog_path **ret_paths)
{
    size_t count = 0;
    struct catalog_path *paths =
        arena_zalloc(reader->arena, ((size_t)json_count(reader->doc, array) + 1) * sizeof *paths);
    for (uint32_t at = json_first(reader->doc, array); at != JSON_NONE;
         at = json_next(reader->doc, array, at))
        paths[count++] = read_path(reader, at);
    *ret_paths = count ? paths : NULL;
    return count;
}

static void read_stream(struct spec_reader *reader, uint32_t object, struct catalog_stream *stream)
{
    stream->name = get_string(reader, object, "stream", false);
    stream->namespace = get_string(reader, object, "namespace", true);
    stream->sync_mode = (enum catalog_sync_mode)get_u64(reader, object, "syncMode", CATALOG_SYNC_INCREMENTAL);
    stream->destination_sync_mode = (enum catalog_destination_sync_mode)get_u64(
        reader, object, "destinationSyncMode", CATALOG_DESTINATION_OVERWRITE_DEDUP);
    stream->cursor_field = read_path(reader, json_get(reader->doc, object, "cursorField"));
    stream->primary_key_count =
        read_paths(reader, json_get(reader->doc, object, "primaryKey"), &stream->primary_key);
}

static void read_binding(struct spec_reader *reader, enum task_kind kind, uint32_t object,
                         struct task_binding_spec *binding)
{
    read_stream(reader, object, &binding->stream);
    if (kind == TASK_CONNECTION) {
        binding->start_over = get_bool(reader, object, "startOver");
        binding->replace = get_bool(reader, object, "replace");
        binding->alias = get_string(reader, object, "alias", true);
        uint32_t fields = json_get(reader->doc, object, "fields");
        binding->selects = fields != JSON_NONE;
        binding->field_count = read_paths(reader, fields, &binding->fields);
        binding->mapping = get_raw(reader, object, "mapping");
        return;
    }
    binding->collection = get_string(reader, object, "collection", false);
    binding->key = get_words(reader, json_get(reader->doc, object, "key"), "key");
    if (!binding->key)
        fail(reader, "key");
    binding->schema_uri = get_string(reader, object, "schema", false);
    binding->backfill = (uint32_t)get_u64(reader, object, "backfill", UINT32_MAX);
    binding->inferred = json_is(reader->doc, json_get(reader->doc, object, "inferred"), JSON_TRUE);
    binding->resource = get_raw(reader, object, "resource");
    binding->flow_collection = get_raw(reader, object, "flowCollection");
    binding->materialize = get_raw(reader, object, "materialize");
    if (kind == TASK_MATERIALIZATION)
        return;
    uint32_t journal = json_get(reader->doc, object, "journal");
    binding->journal = (struct store_journal_options){
        .compression = get_bool(reader, journal, "zstd") ? STORE_COMPRESSION_ZSTD : STORE_COMPRESSION_NONE,
        .segment_bytes = get_u64(reader, journal, "segmentBytes", UINT64_MAX),
        .retain_bytes = get_u64(reader, journal, "retainBytes", UINT64_MAX),
        .retain_ms = get_u64(reader, journal, "retainMs", UINT64_MAX),
    };
    binding->quarantine = get_string(reader, object, "quarantine", true);
}

static void read_bindings(struct spec_reader *reader, struct task_spec *spec)
{
    uint32_t list = get_array(reader, 0, "bindings", TASK_BINDINGS_MAX);
    struct task_binding_spec *bindings =
        arena_zalloc(reader->arena, json_count(reader->doc, list) * sizeof *bindings + 1);
    for (uint32_t at = json_first(reader->doc, list); at != JSON_NONE; at = json_next(reader->doc, list, at))
        read_binding(reader, spec->kind, at, &bindings[spec->binding_count++]);
    spec->bindings = bindings;
}

static void read_schemas(struct spec_reader *reader, struct task_spec *spec)
{
    uint32_t list = get_array(reader, 0, "schemas", UINT32_MAX);
    struct catalog_schema_document *schemas =
        arena_zalloc(reader->arena, json_count(reader->doc, list) * sizeof *schemas + 1);
    for (uint32_t at = json_first(reader->doc, list); at != JSON_NONE;
         at = json_next(reader->doc, list, at)) {
        uint32_t schema = json_get(reader->doc, at, "schema");
        if (schema == JSON_NONE) {
            fail(reader, "schemas");
            return;
        }
        schemas[spec->schema_count].uri = get_string(reader, at, "uri", false);
        schemas[spec->schema_count++].source = json_raw(reader->doc, schema);
    }
    spec->schemas = schemas;
}

static void read_limits(struct spec_reader *reader, struct task_spec *spec)
{
    uint32_t commit = json_get(reader->doc, 0, "commit"), limits = json_get(reader->doc, 0, "limits");
    spec->commit = (struct task_commit_policy){.bytes = get_u64(reader, commit, "bytes", UINT64_MAX),
                                               .time_ms = get_u64(reader, commit, "timeMs", INT32_MAX),
                                               .idle_ms = get_u64(reader, commit, "idleMs", INT32_MAX)};
    spec->limits = (struct connector_limits){
        .line_max = get_u64(reader, limits, "lineMax", SIZE_MAX),
        .memory_max = get_u64(reader, limits, "memoryMax", UINT64_MAX),
        .files_max = (uint32_t)get_u64(reader, limits, "filesMax", UINT32_MAX),
        .stall_ms = get_u64(reader, limits, "stallMs", UINT64_MAX),
        .exit_ms = get_u64(reader, limits, "exitMs", UINT64_MAX),
        .stop_ms = get_u64(reader, limits, "stopMs", UINT64_MAX),
    };
}

int task_spec_read(struct slice json, struct arena *arena, struct task_spec *ret_spec, struct error *err)
{
    struct json doc;
    if (json_parse_copy(arena, json.data, json.size, &doc, err) < 0)
        return error_wrap(err, "the task's specification");
    struct spec_reader reader = {.doc = &doc, .arena = arena, .err = err};
    uint64_t version = get_u64(&reader, 0, "version", UINT64_MAX);
    if (!reader.failed && version != TASK_SPEC_VERSION)
        return error_set(err, ERROR_UNSUPPORTED,
                         "the task's specification has version %llu, this program reads %d",
                         (unsigned long long)version, TASK_SPEC_VERSION);
    struct task_spec spec = {.kind = TASK_KIND_MAX};
    const char *kind = get_string(&reader, 0, "kind", false);
    for (int i = 0; i < TASK_KIND_MAX; i++) {
        if (strcmp(kind, task_kind_name((enum task_kind)i)) == 0)
            spec.kind = (enum task_kind)i;
    }
    if (spec.kind == TASK_KIND_MAX)
        fail(&reader, "kind");
    spec.name = get_string(&reader, 0, "name", false);
    spec.data_dir = get_string(&reader, 0, "dataDir", false);
    if (spec.kind == TASK_MATERIALIZATION) {
        read_endpoint(&reader, "destination", &spec.destination);
        spec.source.program.label = "collections";
        spec.triggers = get_raw(&reader, 0, "triggers");
    } else {
        read_endpoint(&reader, "source", &spec.source);
    }
    if (spec.kind != TASK_CONNECTION)
        spec.once = get_bool(&reader, 0, "once");
    if (spec.kind == TASK_CAPTURE)
        spec.push = get_bool(&reader, 0, "push");
    if (spec.kind == TASK_CONNECTION) {
        read_endpoint(&reader, "destination", &spec.destination);
        spec.all_streams = get_bool(&reader, 0, "allStreams");
        spec.prefix = get_string(&reader, 0, "prefix", false);
        spec.namespace = get_string(&reader, 0, "namespace", true);
        spec.sync_id = get_u64(&reader, 0, "syncId", INT64_MAX);
        spec.catalog = get_raw(&reader, 0, "catalog");
        spec.clear = get_bool(&reader, 0, "clear");
        spec.discover = get_bool(&reader, 0, "discover");
    }
    read_bindings(&reader, &spec);
    read_schemas(&reader, &spec);
    read_limits(&reader, &spec);
    spec.interval_ms = get_u64(&reader, 0, "intervalMs", UINT64_MAX);
    const char *level = get_string(&reader, 0, "logLevel", true);
    spec.log_level = level && log_level_parse(level) >= 0 ? (enum log_level)log_level_parse(level) : LOG_INFO;
    spec.redact_salt = get_string(&reader, 0, "redactSalt", true);
    if (reader.failed)
        return -1;
    *ret_spec = spec;
    return 0;
}
