#include "task/rename.h"

#include "task/mapping.h"
#include "json/writer.h"

#include <assert.h>

/* A copy of a line in progress: `at` is the first byte of the source not copied yet. */
struct copy {
    struct buffer *out;
    const struct json *line;
    uint32_t at;
};

static void copy_until(struct copy *copy, uint32_t offset)
{
    buffer_append(copy->out, copy->line->source + copy->at, offset - copy->at);
    copy->at = offset;
}

static void replace_value(struct copy *copy, uint32_t node, struct slice text)
{
    struct slice raw = json_raw(copy->line, node);
    copy_until(copy, (uint32_t)(raw.data - copy->line->source));
    json_escape(copy->out, text);
    copy->at += (uint32_t)raw.size;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The member of the value at `node`, with the comma that parts it from the one before it or else after it. */
static void remove_member(struct copy *copy, uint32_t node)
{
    const char *source = copy->line->source;
    struct slice key = json_raw(copy->line, node - 1), value = json_raw(copy->line, node);
    uint32_t from = (uint32_t)(key.data - source), end = (uint32_t)(value.data - source + value.size);
    uint32_t before = from - 1;
    assert(json_is(copy->line, node - 1, JSON_KEY));
    while (is_blank(source[before]))
        before--;
    if (source[before] == ',') {
        from = before;
    } else {
        while (is_blank(source[end]) || source[end] == ',')
            end++;
    }
    copy_until(copy, from);
    copy->at = end;
}

/* A record's data as the stream's mapping has it; false: it does not go on. */
static bool replace_data(struct copy *copy, uint32_t node, const struct task_mapping *mapping,
                         struct arena *arena)
{
    struct slice raw = json_raw(copy->line, node);
    copy_until(copy, (uint32_t)(raw.data - copy->line->source));
    copy->at += (uint32_t)raw.size;
    return task_mapping_write(mapping, copy->line, node, copy->out, arena);
}

static struct slice text_of(const struct json *line, uint32_t at, struct arena *arena)
{
    return json_is(line, at, JSON_STRING) ? json_string(line, at, arena) : (struct slice){0};
}

/* `object` names a stream by its members `key` and "namespace". Its bytes are ahead of copy->at. False: a
 * record that does not go on. */
static bool rename_in(struct copy *copy, const struct airbyte_message *message, uint32_t object,
                      const char *key, struct task_lookup *lookup, struct arena *arena)
{
    const struct json *line = copy->line;
    uint32_t name = json_get(line, object, key), namespace = json_get(line, object, "namespace");
    if (!json_is(line, name, JSON_STRING))
        return true;
    struct task_binding *binding = task_lookup_find(
        lookup, (struct airbyte_stream_name){text_of(line, name, arena), text_of(line, namespace, arena)});
    if (!binding)
        return true;
    uint32_t data = binding->mapping && message->type == AIRBYTE_RECORD ? message->record.data : JSON_NONE;
    struct airbyte_stream_name to = lookup->side == TASK_LOOKUP_SOURCE ? binding->target : binding->source;
    if (namespace == JSON_NONE && to.namespace.size) {
        copy_until(copy, (uint32_t)(json_raw(line, object).data - line->source) + 1);
        buffer_str(copy->out, "\"namespace\":");
        json_escape(copy->out, to.namespace);
        buffer_byte(copy->out, ',');
    }
    /* Each in its place, whatever the order of the members. */
    for (uint32_t from = 0;;) {
        const uint32_t nodes[] = {name, namespace, data};
        uint32_t nearest = JSON_NONE;
        for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
            if (nodes[i] >= from && nodes[i] < nearest)
                nearest = nodes[i];
        if (nearest == JSON_NONE)
            break;
        if (nearest == namespace && !to.namespace.size)
            remove_member(copy, namespace);
        else if (nearest != data)
            replace_value(copy, nearest, nearest == name ? to.name : to.namespace);
        else if (!replace_data(copy, data, binding->mapping, arena))
            return false;
        from = nearest + 1;
    }
    return true;
}

bool task_rename(struct buffer *out, const struct json *line, const struct airbyte_message *message,
                 struct task_lookup *lookup)
{
    struct copy copy = {.out = out, .line = line};
    struct arena arena;
    bool goes_on = true;
    arena_init(&arena);
    if (message->type == AIRBYTE_RECORD) {
        goes_on = rename_in(&copy, message, message->payload, "stream", lookup, &arena);
    } else if (message->type == AIRBYTE_STATE && message->state.type == AIRBYTE_STATE_STREAM) {
        uint32_t stream = json_get(line, message->payload, "stream");
        rename_in(&copy, message, json_get(line, stream, "stream_descriptor"), "name", lookup, &arena);
    } else if (message->type == AIRBYTE_STATE && message->state.type == AIRBYTE_STATE_GLOBAL) {
        uint32_t states = json_get(line, message->state.global, "stream_states");
        for (uint32_t at = json_first(line, states); at != JSON_NONE; at = json_next(line, states, at))
            rename_in(&copy, message, json_get(line, at, "stream_descriptor"), "name", lookup, &arena);
    }
    copy_until(&copy, line->size);
    arena_done(&arena);
    return goes_on;
}
