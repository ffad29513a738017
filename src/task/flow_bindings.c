#include "task/flow_bindings.h"

#include "task/capture_key.h"

struct slice task_flow_name(struct flow_texts path, struct arena *arena)
{
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    for (size_t i = 0; i < path.count; i++) {
        if (i > 0)
            buffer_byte(&name, '/');
        buffer_append(&name, path.items[i].data, path.items[i].size);
    }
    struct slice copy = {arena_strndup(arena, buffer_cstr(&name), name.size), name.size};
    buffer_done(&name);
    return copy;
}

const char *task_flow_binding_name(const char *collection, struct flow_texts path, struct arena *arena)
{
    return arena_printf(arena, "%s to %s", collection, task_flow_name(path, arena).data);
}

static void resolve(struct task *task, struct task_binding *binding)
{
    const struct task_binding_spec *spec = binding->spec;
    struct slice name = task_flow_name(task->resource_paths[binding->index], &task->arena);
    binding->source = (struct airbyte_stream_name){.name = name};
    binding->target = binding->source;
    /* A group's checkpoint covers its documents for good, as an incremental stream's state does. */
    binding->configured = (struct airbyte_configured_stream){
        .stream = {.name = {.name = name}, .incremental = true}, .sync_mode = AIRBYTE_INCREMENTAL};
    binding->progress_name = spec->collection;
    task->progress[binding->index] = (struct task_binding_progress){.name = spec->collection,
                                                                    .stream = spec->stream.name,
                                                                    .row_estimate = -1,
                                                                    .byte_estimate = -1,
                                                                    .lag_ms = -1};
    binding->saved = task_checkpoint_stream(&task->checkpoint, binding->source);
    binding->saved->in_use = true;
    task_capture_key_note(task, binding);
    binding->saved->backfill = spec->backfill;
    binding->saved->target = arena_strdup(&task->checkpoint.arena, spec->collection);
}

int task_flow_resolve(struct task *task, struct error *err)
{
    size_t count = task->spec->binding_count;
    if (count == 0)
        return error_set(err, ERROR_INVALID, "there is nothing to read: no binding is enabled");
    task->bindings = arena_zalloc(&task->arena, count * sizeof *task->bindings);
    task->progress = arena_zalloc(&task->arena, count * sizeof *task->progress);
    task->fresh = !task->checkpoint.existed || task->checkpoint.complete;
    task->checkpoint.session += task->fresh;
    task->checkpoint.complete = false;
    for (size_t i = 0; i < count; i++) {
        task->bindings[i].spec = &task->spec->bindings[i];
        task->bindings[i].index = i;
        resolve(task, &task->bindings[i]);
    }
    task->binding_count = count;
    return 0;
}
