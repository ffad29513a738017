#include "task/checkpoint.h"

#include "json/writer.h"

enum { VERSION = 1 };

void task_checkpoint_init(struct task_checkpoint *checkpoint)
{
    *checkpoint = (struct task_checkpoint){.states = airbyte_states_new()};
    task_flow_saved_init(&checkpoint->flow);
    task_materialize_saved_init(&checkpoint->materialize);
    arena_init(&checkpoint->arena);
    map_init(&checkpoint->by_name);
}

void task_checkpoint_done(struct task_checkpoint *checkpoint)
{
    airbyte_states_free(checkpoint->states);
    task_flow_saved_done(&checkpoint->flow);
    task_materialize_saved_done(&checkpoint->materialize);
    map_done(&checkpoint->by_name);
    free(checkpoint->streams);
    arena_done(&checkpoint->arena);
}

struct task_saved_stream *task_checkpoint_stream(struct task_checkpoint *checkpoint,
                                                 struct airbyte_stream_name name)
{
    /* "name\0namespace\0": both are C strings of ours later. */
    size_t size = name.name.size + name.namespace.size + 2;
    char *key = arena_zalloc(&checkpoint->arena, size);
    if (name.name.size)
        memcpy(key, name.name.data, name.name.size);
    if (name.namespace.size)
        memcpy(key + name.name.size + 1, name.namespace.data, name.namespace.size);
    struct task_saved_stream *stream = map_get(&checkpoint->by_name, (struct slice){key, size});
    if (stream)
        return stream;
    stream = arena_zalloc(&checkpoint->arena, sizeof *stream);
    stream->name = key;
    stream->namespace = key + name.name.size + 1;
    stream->target = "";
    map_set(&checkpoint->by_name, (struct slice){key, size}, stream);
    checkpoint->streams = mem_grow(checkpoint->streams, &checkpoint->stream_capacity,
                                   checkpoint->stream_count + 1, sizeof(struct task_saved_stream *));
    checkpoint->streams[checkpoint->stream_count++] = stream;
    return stream;
}

static const char *const marks_names[] = {
    [TASK_SOURCE] = "sourceMarks", [TASK_DESTINATION] = "destinationMarks"};

static void write_marks(const struct task_checkpoint *checkpoint, struct json_writer *writer)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        const struct task_saved_marks *marks = &checkpoint->marks[side];
        if (!marks->pointers)
            continue;
        json_put_key(writer, marks_names[side]);
        json_begin_object(writer);
        json_member_u64(writer, "of", marks->identity);
        json_member_raw(writer, "pointers", slice_of(marks->pointers));
        json_end_object(writer);
    }
}

static const char *const config_names[] = {
    [TASK_SOURCE] = "sourceConfig", [TASK_DESTINATION] = "destinationConfig"};

static void write_configs(const struct task_checkpoint *checkpoint, struct json_writer *writer)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        const struct task_saved_config *config = &checkpoint->configs[side];
        if (!config->sealed)
            continue;
        json_put_key(writer, config_names[side]);
        json_begin_object(writer);
        json_member_u64(writer, "of", config->identity);
        json_member_string(writer, "sealed", config->sealed);
        json_end_object(writer);
    }
}

void task_checkpoint_write(const struct task_checkpoint *checkpoint, struct buffer *out)
{
    buffer_clear(out);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", VERSION);
    json_member_u64(&writer, "session", checkpoint->session);
    json_member_bool(&writer, "complete", checkpoint->complete);
    struct buffer states;
    buffer_init(&states, BUFFER_UNLIMITED);
    airbyte_states_write(&states, checkpoint->states);
    json_member_raw(&writer, "airbyte", (struct slice){states.data, states.size});
    buffer_done(&states);
    if (*checkpoint->flow.version || !flow_state_is_empty(checkpoint->flow.state)) {
        json_put_key(&writer, "flow");
        task_flow_saved_write(&checkpoint->flow, &writer);
    }
    if (checkpoint->source_checked)
        json_member_u64(&writer, "sourceChecked", checkpoint->source_checked);
    if (checkpoint->destination_checked)
        json_member_u64(&writer, "destinationChecked", checkpoint->destination_checked);
    write_marks(checkpoint, &writer);
    write_configs(checkpoint, &writer);
    if (checkpoint->redact_salt)
        json_member_string(&writer, "redactSalt", checkpoint->redact_salt);
    if (task_materialize_saved_any(&checkpoint->materialize)) {
        json_put_key(&writer, "materialize");
        task_materialize_saved_write(&checkpoint->materialize, &writer);
    }
    json_put_key(&writer, "streams");
    json_begin_array(&writer);
    for (size_t i = 0; i < checkpoint->stream_count; i++) {
        const struct task_saved_stream *stream = checkpoint->streams[i];
        json_begin_object(&writer);
        json_member_string(&writer, "name", stream->name);
        if (*stream->namespace)
            json_member_string(&writer, "namespace", stream->namespace);
        json_member_string(&writer, "target", stream->target);
        if (stream->key)
            json_member_string(&writer, "key", stream->key);
        json_member_u64(&writer, "backfill", stream->backfill);
        json_member_i64(&writer, "generation", stream->generation);
        if (stream->replacing)
            json_member_bool(&writer, "replacing", true);
        json_member_u64(&writer, "documents", stream->documents);
        json_member_u64(&writer, "bytes", stream->bytes);
        json_member_u64(&writer, "invalid", stream->invalid);
        if (stream->idle)
            json_member_bool(&writer, "idle", true);
        if (stream->backfill_begun_ms)
            json_member_i64(&writer, "backfillBegun", stream->backfill_begun_ms);
        if (stream->backfill_completed_ms)
            json_member_i64(&writer, "backfillCompleted", stream->backfill_completed_ms);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

static int corrupt(struct error *err, const char *what)
{
    return error_set(err, ERROR_CORRUPT, "the checkpoint: '%s' is missing or not as this program writes it",
                     what);
}

static int load_stream(struct task_checkpoint *checkpoint, const struct json *doc, uint32_t at,
                       struct error *err)
{
    uint32_t name = json_get(doc, at, "name"), namespace = json_get(doc, at, "namespace"),
             target = json_get(doc, at, "target");
    if (!json_is(doc, name, JSON_STRING) || !json_is(doc, target, JSON_STRING))
        return corrupt(err, "streams/name");
    struct airbyte_stream_name key = {.name = json_string(doc, name, &checkpoint->arena)};
    if (json_is(doc, namespace, JSON_STRING))
        key.namespace = json_string(doc, namespace, &checkpoint->arena);
    struct task_saved_stream *stream = task_checkpoint_stream(checkpoint, key);
    stream->target = json_cstring(doc, target, &checkpoint->arena);
    stream->key = json_cstring(doc, json_get(doc, at, "key"), &checkpoint->arena);
    const struct {
        const char *name;
        uint64_t *value;
    } counters[] = {{"backfill", &stream->backfill},
                    {"documents", &stream->documents},
                    {"bytes", &stream->bytes},
                    {"invalid", &stream->invalid}};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        uint32_t counter = json_get(doc, at, counters[i].name);
        if (counter == JSON_NONE || !json_to_u64(doc, counter, counters[i].value))
            return corrupt(err, counters[i].name);
    }
    stream->idle = json_is(doc, json_get(doc, at, "idle"), JSON_TRUE);
    stream->replacing = json_is(doc, json_get(doc, at, "replacing"), JSON_TRUE);
    uint32_t generation = json_get(doc, at, "generation");
    if (generation == JSON_NONE || !json_to_i64(doc, generation, &stream->generation))
        return corrupt(err, "generation");
    uint32_t begun = json_get(doc, at, "backfillBegun"), completed = json_get(doc, at, "backfillCompleted");
    if ((begun != JSON_NONE && !json_to_i64(doc, begun, &stream->backfill_begun_ms)) ||
        (completed != JSON_NONE && !json_to_i64(doc, completed, &stream->backfill_completed_ms)))
        return corrupt(err, "backfillBegun");
    return 0;
}

/* Not there, or not as expected: then the connector is asked again. */
static void load_marks(struct task_checkpoint *checkpoint, const struct json *doc)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        struct task_saved_marks *marks = &checkpoint->marks[side];
        uint32_t at = json_get(doc, 0, marks_names[side]), pointers = json_get(doc, at, "pointers");
        if (!json_is(doc, pointers, JSON_ARRAY) ||
            !json_to_u64(doc, json_get(doc, at, "of"), &marks->identity))
            continue;
        struct slice raw = json_raw(doc, pointers);
        marks->pointers = arena_strndup(&checkpoint->arena, raw.data, raw.size);
    }
}

static int load_configs(struct task_checkpoint *checkpoint, const struct json *doc, struct error *err)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        struct task_saved_config *config = &checkpoint->configs[side];
        uint32_t at = json_get(doc, 0, config_names[side]);
        if (at == JSON_NONE)
            continue;
        config->sealed = json_cstring(doc, json_get(doc, at, "sealed"), &checkpoint->arena);
        if (!config->sealed || !json_to_u64(doc, json_get(doc, at, "of"), &config->identity))
            return corrupt(err, config_names[side]);
    }
    return 0;
}

int task_checkpoint_load(struct task_checkpoint *checkpoint, struct slice saved, struct error *err)
{
    if (saved.size == 0)
        return 0;
    /* A source's own state is kept as it came: a duplicate key in it is its business. */
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct json doc;
    if (json_parse(parser, saved.data, saved.size, &doc, err) < 0) {
        err->code = ERROR_CORRUPT;
        return error_wrap(err, "the checkpoint");
    }
    uint64_t version = 0;
    uint32_t at = json_get(&doc, 0, "version"), states = json_get(&doc, 0, "airbyte");
    if (at == JSON_NONE || !json_to_u64(&doc, at, &version))
        return corrupt(err, "version");
    if (version != VERSION)
        return error_set(err, ERROR_UNSUPPORTED,
                         "the checkpoint has version %llu, this program reads version %d",
                         (unsigned long long)version, VERSION);
    /* Not there, or not as expected: then it is checked again. */
    json_to_u64(&doc, json_get(&doc, 0, "sourceChecked"), &checkpoint->source_checked);
    json_to_u64(&doc, json_get(&doc, 0, "destinationChecked"), &checkpoint->destination_checked);
    load_marks(checkpoint, &doc);
    if (load_configs(checkpoint, &doc, err) < 0)
        return -1;
    checkpoint->redact_salt = json_cstring(&doc, json_get(&doc, 0, "redactSalt"), &checkpoint->arena);
    at = json_get(&doc, 0, "session");
    if (at == JSON_NONE || !json_to_u64(&doc, at, &checkpoint->session))
        return corrupt(err, "session");
    checkpoint->complete = json_is(&doc, json_get(&doc, 0, "complete"), JSON_TRUE);
    if (states == JSON_NONE)
        return corrupt(err, "airbyte");
    if (airbyte_states_load(checkpoint->states, &doc, states, err) < 0) {
        err->code = ERROR_CORRUPT;
        return error_wrap(err, "the checkpoint");
    }
    uint32_t flow = json_get(&doc, 0, "flow");
    if (flow != JSON_NONE && task_flow_saved_load(&checkpoint->flow, &doc, flow, err) < 0)
        return -1;
    uint32_t materialize = json_get(&doc, 0, "materialize");
    if (materialize != JSON_NONE &&
        task_materialize_saved_load(&checkpoint->materialize, &doc, materialize, err) < 0)
        return -1;
    uint32_t streams = json_get(&doc, 0, "streams");
    if (!json_is(&doc, streams, JSON_ARRAY))
        return corrupt(err, "streams");
    for (at = json_first(&doc, streams); at != JSON_NONE; at = json_next(&doc, streams, at)) {
        if (load_stream(checkpoint, &doc, at, err) < 0)
            return -1;
    }
    checkpoint->existed = true;
    return 0;
}
