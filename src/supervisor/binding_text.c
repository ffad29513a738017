#include "supervisor/binding_text.h"

#include "json/writer.h"

static void put(struct json_writer *writer, const char *stream, const struct catalog_collection *collection,
                bool disable)
{
    json_begin_object(writer);
    json_member_string(writer, "stream", stream);
    json_member_string(writer, "collection", collection->name);
    json_member_bool(writer, "enabled", !disable);
    json_end_object(writer);
}

const char *binding_text(const struct catalog_task *task, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    if (!task->capture && !task->materialization)
        return NULL;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; task->capture && i < task->capture->binding_count; i++) {
        const struct catalog_binding *binding = &task->capture->bindings[i];
        put(&writer, binding->name, binding->target, binding->disable);
    }
    for (size_t i = 0; task->materialization && i < task->materialization->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &task->materialization->bindings[i];
        put(&writer, binding->name, binding->source.collection, binding->disable);
    }
    json_end_array(&writer);
    const char *copy = arena_strdup(arena, buffer_cstr(&text));
    buffer_done(&text);
    return copy;
}
