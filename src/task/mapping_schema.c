/* What mapping does to a stream's schema, cursor and key. */
#include "task/mapping_parts.h"

#include "json/writer.h"

static bool has_name(const struct json *doc, uint32_t list, struct slice name)
{
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at))
        if (json_is(doc, at, JSON_STRING) && json_text_is(doc, at, name))
            return true;
    return false;
}

/* --- what was chosen ----------------------------------------------------------------------------- */

static void put_schema(struct json_writer *writer, const struct json *doc, uint32_t at,
                       const struct mapping_field *field);

static void put_properties(struct json_writer *writer, const struct json *doc, uint32_t properties,
                           const struct mapping_field *field)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE;
         key = json_next_key(doc, properties, key)) {
        const struct mapping_field *inner = mapping_field_of(field, doc, key);
        if (!inner)
            continue;
        json_put_key_of(writer, doc, key);
        put_schema(writer, doc, json_value(key), inner);
    }
    json_end_object(writer);
}

static void put_required(struct json_writer *writer, const struct json *doc, uint32_t list,
                         const struct mapping_field *field)
{
    json_begin_array(writer);
    for (size_t i = 0; i < field->count; i++)
        if (has_name(doc, list, field->fields[i].name))
            json_put_slice(writer, field->fields[i].name);
    json_end_array(writer);
}

/* Behind keywords other than these nothing is looked for: a schema may allow more than there is. */
static void put_schema(struct json_writer *writer, const struct json *doc, uint32_t at,
                       const struct mapping_field *field)
{
    if (field->whole || !json_is(doc, at, JSON_OBJECT)) {
        json_put_value(writer, doc, at);
        return;
    }
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        uint32_t value = json_value(key);
        json_put_key_of(writer, doc, key);
        if (json_text_is(doc, key, SLICE_LITERAL("properties")) && json_is(doc, value, JSON_OBJECT))
            put_properties(writer, doc, value, field);
        else if (json_text_is(doc, key, SLICE_LITERAL("required")) && json_is(doc, value, JSON_ARRAY))
            put_required(writer, doc, value, field);
        else if (json_text_is(doc, key, SLICE_LITERAL("items")))
            put_schema(writer, doc, value, field);
        else
            json_put_value(writer, doc, value);
    }
    json_end_object(writer);
}

static void keep(struct airbyte_stream *stream, struct buffer *text, struct arena *arena)
{
    stream->json_schema = (struct slice){arena_dup(arena, text->data, text->size), text->size};
    stream->raw = (struct slice){0};
    buffer_done(text);
}

static int parse(const struct airbyte_stream *stream, struct arena *arena, struct json *ret_doc,
                 struct error *err)
{
    if (json_parse_copy(arena, stream->json_schema.data, stream->json_schema.size, ret_doc, err) == 0)
        return 0;
    return error_wrap(err, "the schema of the stream '%.*s'", SLICE_ARGS(stream->name.name));
}

int task_mapping_select(const struct task_mapping *mapping, struct airbyte_stream *stream,
                        struct arena *arena, struct error *err)
{
    struct json doc;
    struct buffer text;
    struct json_writer writer;
    if (!mapping->selects || stream->json_schema.size == 0)
        return 0;
    if (parse(stream, arena, &doc, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    put_schema(&writer, &doc, 0, &mapping->chosen);
    keep(stream, &text, arena);
    return 0;
}

/* --- mappers ------------------------------------------------------------------------------------- */

struct column {
    struct slice name;
    uint32_t value; /* of the schema's properties; JSON_NONE: a hash */
};

struct columns {
    struct column *items;
    size_t count;
};

static size_t find(const struct columns *columns, struct slice name)
{
    size_t i = 0;
    while (i < columns->count && !slice_equal(columns->items[i].name, name))
        i++;
    return i;
}

static void take_away(struct columns *columns, size_t at)
{
    columns->count--;
    memmove(&columns->items[at], &columns->items[at + 1], (columns->count - at) * sizeof *columns->items);
}

static void map(struct columns *columns, const struct airbyte_mapper *mapper)
{
    size_t at = find(columns, mapper->field), taken = find(columns, mapper->target);
    if (mapper->type == AIRBYTE_MAPPER_FILTER || at == columns->count)
        return;
    if (mapper->type == AIRBYTE_MAPPER_REMOVE) {
        take_away(columns, at);
        return;
    }
    if (mapper->type == AIRBYTE_MAPPER_HASH)
        columns->items[at].value = JSON_NONE;
    columns->items[at].name = mapper->target;
    if (taken < columns->count && taken != at)
        take_away(columns, taken);
}

static void put_columns(struct json_writer *writer, const struct json *doc, const struct columns *columns)
{
    json_begin_object(writer);
    for (size_t i = 0; i < columns->count; i++) {
        json_put_key_slice(writer, columns->items[i].name);
        if (columns->items[i].value == JSON_NONE)
            json_put_raw(writer, SLICE_LITERAL("{\"type\":[\"null\",\"string\"]}"));
        else
            json_put_value(writer, doc, columns->items[i].value);
    }
    json_end_object(writer);
}

static void put_mapped_required(struct json_writer *writer, const struct json *doc, uint32_t list,
                                const struct task_mapping *mapping, struct arena *arena)
{
    size_t count = 0;
    struct column *items = arena_alloc(arena, ((size_t)json_count(doc, list) + 1) * sizeof *items);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at))
        if (json_is(doc, at, JSON_STRING))
            items[count++] = (struct column){.name = json_string(doc, at, arena)};
    struct columns names = {items, count};
    for (size_t i = 0; i < mapping->mapper_count; i++)
        map(&names, &mapping->mappers[i]);
    json_begin_array(writer);
    for (size_t i = 0; i < names.count; i++)
        json_put_slice(writer, names.items[i].name);
    json_end_array(writer);
}

static int map_schema(const struct task_mapping *mapping, struct airbyte_stream *stream, struct arena *arena,
                      struct error *err)
{
    struct json doc;
    struct buffer text;
    struct json_writer writer;
    if (stream->json_schema.size == 0)
        return 0;
    if (parse(stream, arena, &doc, err) < 0)
        return -1;
    uint32_t properties = json_get(&doc, 0, "properties");
    struct columns columns = {
        .items = arena_alloc(arena, ((size_t)json_count(&doc, properties) + 1) * sizeof *columns.items)};
    for (uint32_t key = json_first_key(&doc, properties); key != JSON_NONE;
         key = json_next_key(&doc, properties, key))
        columns.items[columns.count++] = (struct column){json_string(&doc, key, arena), json_value(key)};
    for (size_t i = 0; i < mapping->mapper_count; i++)
        map(&columns, &mapping->mappers[i]);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        uint32_t value = json_value(key);
        json_put_key_of(&writer, &doc, key);
        if (value == properties && json_is(&doc, value, JSON_OBJECT))
            put_columns(&writer, &doc, &columns);
        else if (json_text_is(&doc, key, SLICE_LITERAL("required")) && json_is(&doc, value, JSON_ARRAY))
            put_mapped_required(&writer, &doc, value, mapping, arena);
        else
            json_put_value(&writer, &doc, value);
    }
    json_end_object(&writer);
    keep(stream, &text, arena);
    return 0;
}

/* A path begins with a column. */
static struct airbyte_path map_path(const struct task_mapping *mapping, struct airbyte_path path,
                                    struct arena *arena)
{
    if (path.count == 0)
        return path;
    struct slice *parts = arena_dup(arena, path.parts, path.count * sizeof *parts);
    for (size_t i = 0; i < mapping->mapper_count; i++) {
        const struct airbyte_mapper *mapper = &mapping->mappers[i];
        bool renames = mapper->type == AIRBYTE_MAPPER_RENAME || mapper->type == AIRBYTE_MAPPER_HASH;
        if (renames && slice_equal(parts[0], mapper->field))
            parts[0] = mapper->target;
    }
    return (struct airbyte_path){parts, path.count};
}

static const struct airbyte_path *map_paths(const struct task_mapping *mapping,
                                            const struct airbyte_path *paths, size_t count,
                                            struct arena *arena)
{
    struct airbyte_path *mapped = arena_alloc(arena, (count + 1) * sizeof *mapped);
    for (size_t i = 0; i < count; i++)
        mapped[i] = map_path(mapping, paths[i], arena);
    return mapped;
}

int task_mapping_configure(const struct task_mapping *mapping, struct airbyte_configured_stream *configured,
                           struct arena *arena, struct error *err)
{
    struct airbyte_stream *stream = &configured->stream;
    if (mapping->mapper_count == 0)
        return 0;
    stream->raw = (struct slice){0};
    stream->default_cursor = map_path(mapping, stream->default_cursor, arena);
    stream->primary_key = map_paths(mapping, stream->primary_key, stream->primary_key_count, arena);
    configured->cursor = map_path(mapping, configured->cursor, arena);
    configured->primary_key =
        map_paths(mapping, configured->primary_key, configured->primary_key_count, arena);
    return map_schema(mapping, stream, arena, err);
}
