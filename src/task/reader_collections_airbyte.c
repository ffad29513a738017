#include "protocol/airbyte.h"
#include "task/positions.h"
#include "task/sink.h"
#include "json/writer.h"

/* Collections as an Airbyte source would tell of them, for destinations that speak Airbyte's protocol: each
 * binding a stream, each document a RECORD, and what was read until then a STATE of its stream, which the
 * destination echoes once it has all of it. At least once. */

enum { DOCUMENTS_PER_STATE = 10000 };

/* One binding's stream. */
struct output {
    struct slice before; /* a RECORD up to what differs */
    uint64_t unsaved;    /* documents that no STATE covers yet */
};

struct reader {
    struct task_reader base;
    struct task_reader *collections;
    struct json_parser *parser;
    struct json line;
    struct airbyte_message message;
    struct arena arena; /* of one line */
    struct buffer text;
    struct task_positions positions;
    struct task_position_source *sources;
    struct output *outputs;
};

static struct reader *of(struct task_reader *base)
{
    return (struct reader *)base;
}

static const struct reader *of_const(const struct task_reader *base)
{
    return (const struct reader *)base;
}

/* --- what there is ----------------------------------------------------------------------------------- */

/* ["address","city"] of "/address/city". */
static struct airbyte_path path_of(struct slice pointer, struct arena *arena)
{
    struct slice *parts = arena_alloc(arena, (pointer.size + 1) * sizeof *parts);
    struct airbyte_path path = {parts, 0};
    const char *at = pointer.data, *end = pointer.data + pointer.size;
    while (at < end) {
        const char *from = ++at;
        while (at < end && *at != '/')
            at++;
        char *name = arena_strndup(arena, from, (size_t)(at - from)), *to = name;
        for (const char *in = name; *in; in++) {
            bool escape = *in == '~' && (in[1] == '0' || in[1] == '1');
            *to++ = !escape ? *in : in[1] == '0' ? '~' : '/';
            in += escape;
        }
        parts[path.count++] = (struct slice){name, (size_t)(to - name)};
    }
    return path;
}

static int offer(struct task *task, const struct task_binding_spec *spec, struct airbyte_stream *stream,
                 struct error *err)
{
    struct flow_collection collection;
    struct json *doc = arena_alloc(&task->arena, sizeof *doc);
    if (json_parse_copy(&task->arena, spec->flow_collection.data, spec->flow_collection.size, doc, err) < 0 ||
        flow_collection_read(doc, 0, &task->arena, &collection, err) < 0)
        return error_wrap(err, "the specification of %s", spec->collection);
    struct airbyte_path *key = arena_zalloc(&task->arena, (collection.key.count + 1) * sizeof *key);
    for (size_t i = 0; i < collection.key.count; i++)
        key[i] = path_of(collection.key.items[i], &task->arena);
    *stream = (struct airbyte_stream){
        .name = {.name = slice_of(spec->stream.name)},
        .json_schema =
            collection.raw_read_schema.size ? collection.raw_read_schema : collection.raw_write_schema,
        .incremental = true,
        .source_defined_cursor = true,
        .primary_key = key,
        .primary_key_count = collection.key.count,
    };
    if (spec->stream.namespace)
        stream->name.namespace = slice_of(spec->stream.namespace);
    return 0;
}

static int open_reader(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    struct task *task = base->task;
    size_t count = task->spec->binding_count;
    struct airbyte_stream *streams = arena_zalloc(&task->arena, (count + 1) * sizeof *streams);
    for (size_t i = 0; i < count; i++) {
        if (offer(task, &task->spec->bindings[i], &streams[i], err) < 0)
            return -1;
    }
    task->discovered = (struct airbyte_catalog){.streams = streams, .count = count};
    return reader->collections->class->open(reader->collections, err);
}

static bool always(const struct task_reader *base)
{
    return true;
}

/* --- where it goes on -------------------------------------------------------------------------------- */

static int load_state(struct reader *reader, const struct task_binding *binding, struct error *err)
{
    struct slice state = airbyte_states_stream(reader->base.task->checkpoint.states, binding->source);
    struct arena arena;
    struct json doc;
    if (state.size == 0)
        return 0;
    arena_init(&arena);
    int result = json_parse_copy(&arena, state.data, state.size, &doc, err);
    if (result == 0)
        result = task_positions_load(&reader->positions, &doc, 0, err);
    arena_done(&arena);
    return result < 0 ? error_wrap(err, "the checkpoint") : 0;
}

static void prepare_output(struct reader *reader, const struct task_binding *binding)
{
    struct task *task = reader->base.task;
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "type", "RECORD");
    json_put_key(&writer, "record");
    json_begin_object(&writer);
    json_member_slice(&writer, "stream", binding->source.name);
    if (binding->source.namespace.size)
        json_member_slice(&writer, "namespace", binding->source.namespace);
    json_end_object(&writer);
    json_end_object(&writer);
    text.size -= 2; /* both ends follow the data */
    reader->outputs[binding->index].before =
        (struct slice){arena_dup(&task->arena, text.data, text.size), text.size};
    buffer_done(&text);
    reader->sources[binding->index] = (struct task_position_source){
        binding->spec->collection,
        slice_of(arena_printf(&task->arena, "materialize/%s/%s.v%u", task->spec->name,
                              binding->spec->stream.name, binding->spec->backfill))};
}

static int begin(struct task_reader *base, struct error *err)
{
    struct reader *reader = of(base);
    struct task *task = base->task;
    reader->outputs = arena_zalloc(&task->arena, (task->binding_count + 1) * sizeof *reader->outputs);
    reader->sources = arena_zalloc(&task->arena, (task->binding_count + 1) * sizeof *reader->sources);
    for (size_t i = 0; i < task->binding_count; i++)
        prepare_output(reader, &task->bindings[i]);
    task_positions_init(&reader->positions, reader->sources, task->binding_count);
    task->positions = &reader->positions;
    for (size_t i = 0; i < task->binding_count; i++) {
        if (load_state(reader, &task->bindings[i], err) < 0)
            return -1;
    }
    return reader->collections->class->begin(reader->collections, err);
}

/* --- messages ---------------------------------------------------------------------------------------- */

static int take_line(struct reader *reader, struct task_binding *binding, enum task_item_type type,
                     struct task_item *item, struct error *err)
{
    arena_clear(&reader->arena);
    if (json_parse(reader->parser, reader->text.data, reader->text.size, &reader->line, err) < 0 ||
        airbyte_decode(&reader->line, &reader->arena, &reader->message, err) < 0)
        return error_wrap(err, "a document of %s", binding->spec->collection);
    *item = (struct task_item){.type = type,
                               .binding = binding,
                               .raw = {reader->text.data, reader->text.size},
                               .line = &reader->line,
                               .message = &reader->message};
    return 1;
}

static int put_record(struct reader *reader, struct task_item *item, struct error *err)
{
    struct task_binding *binding = item->binding;
    struct output *output = &reader->outputs[binding->index];
    uint64_t number = item->number;
    buffer_clear(&reader->text);
    buffer_append(&reader->text, output->before.data, output->before.size);
    buffer_printf(&reader->text, ",\"emitted_at\":%lld,\"data\":", (long long)binding->newest_ms);
    buffer_append(&reader->text, item->raw.data, item->raw.size);
    buffer_str(&reader->text, "}}");
    output->unsaved++;
    if (take_line(reader, binding, TASK_ITEM_DOCUMENT, item, err) < 0)
        return -1;
    item->document = reader->message.record.data;
    item->number = item->line_number = number;
    return 1;
}

/* Only the binding's own journals: the state is its stream's. */
static int put_state(struct reader *reader, struct task_binding *binding, struct task_item *item,
                     struct error *err)
{
    struct json_writer writer;
    buffer_clear(&reader->text);
    json_writer_init(&writer, &reader->text);
    json_begin_object(&writer);
    json_member_string(&writer, "type", "STATE");
    json_put_key(&writer, "state");
    json_begin_object(&writer);
    json_member_string(&writer, "type", "STREAM");
    json_put_key(&writer, "stream");
    json_begin_object(&writer);
    json_put_key(&writer, "stream_descriptor");
    json_begin_object(&writer);
    json_member_slice(&writer, "name", binding->source.name);
    if (binding->source.namespace.size)
        json_member_slice(&writer, "namespace", binding->source.namespace);
    json_end_object(&writer);
    json_put_key(&writer, "stream_state");
    task_positions_write_of(&reader->positions, binding->index, &writer);
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
    reader->outputs[binding->index].unsaved = 0;
    return take_line(reader, binding, TASK_ITEM_CHECKPOINT, item, err);
}

/* A stream of which so many documents are not covered; NULL: none. */
static struct task_binding *find_unsaved(const struct reader *reader, uint64_t limit)
{
    struct task *task = reader->base.task;
    for (size_t i = 0; i < task->binding_count && reader->outputs; i++) {
        if (reader->outputs[i].unsaved >= limit)
            return &task->bindings[i];
    }
    return NULL;
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    struct reader *reader = of(base);
    struct task_binding *due = find_unsaved(reader, DOCUMENTS_PER_STATE);
    if (due)
        return put_state(reader, due, item, err);
    int got = reader->collections->class->next(reader->collections, item, err);
    if (got > 0)
        return put_record(reader, item, err);
    if (got == 0 && (due = find_unsaved(reader, 1)))
        return put_state(reader, due, item, err);
    return got;
}

/* --- the rest is the collections' --------------------------------------------------------------------- */

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    return of(base)->collections->class->pollfds(of(base)->collections, fds);
}

static int timeout_ms(const struct task_reader *base)
{
    return of_const(base)->collections->class->timeout_ms(of_const(base)->collections);
}

static int service(struct task_reader *base, struct error *err)
{
    return of(base)->collections->class->service(of(base)->collections, err);
}

/* What was read is covered by a state before it ends. */
static bool ended(const struct task_reader *base)
{
    const struct reader *reader = of_const(base);
    return reader->collections->class->ended(reader->collections) && !find_unsaved(reader, 1);
}

static int result(struct task_reader *base, struct error *err)
{
    return 0;
}

static void stop(struct task_reader *base)
{
    of(base)->collections->class->stop(of(base)->collections);
}

static void no_kill(struct task_reader *base) {}

static void close_reader(struct task_reader *base)
{
    struct reader *reader = of(base);
    reader->collections->class->close(reader->collections);
    json_parser_free(reader->parser);
    arena_done(&reader->arena);
    buffer_done(&reader->text);
    if (reader->positions.sources)
        task_positions_done(&reader->positions);
    free(reader);
}

struct task_reader *task_reader_collections_airbyte_new(struct task *task)
{
    static const struct task_reader_class class = {
        .name = "collections",
        .open = open_reader,
        .ready = always,
        .begin = begin,
        .pollfds = pollfds,
        .timeout_ms = timeout_ms,
        .service = service,
        .next = next,
        .ended = ended,
        .result = result,
        .stop = stop,
        .kill = no_kill,
        .close = close_reader,
    };
    struct reader *reader = mem_zalloc(sizeof *reader);
    reader->base = (struct task_reader){.class = &class, .task = task, .label = "collections"};
    reader->collections = task_reader_collections_new(task);
    reader->parser = json_parser_new(
        (struct json_limits){.size_max = 65U << 20, .depth_max = JSON_LIMITS_DEFAULT.depth_max + 2},
        JSON_DUPLICATES_LAST_WINS);
    arena_init(&reader->arena);
    buffer_init(&reader->text, BUFFER_UNLIMITED);
    return &reader->base;
}
