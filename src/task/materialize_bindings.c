#include "task/materialize_bindings.h"

#include "task/positions.h"

static void resolve(struct task *task, struct task_binding *binding)
{
    const struct task_binding_spec *spec = binding->spec;
    struct airbyte_stream_name name = {.name = slice_of(spec->stream.name),
                                       .namespace = slice_of(spec->collection)};
    binding->source = binding->target = name;
    binding->configured = (struct airbyte_configured_stream){.stream = {.name = name, .incremental = true},
                                                             .sync_mode = AIRBYTE_INCREMENTAL};
    binding->progress_name = spec->collection;
    task->progress[binding->index] = (struct task_binding_progress){.name = spec->collection,
                                                                    .stream = spec->stream.name,
                                                                    .row_estimate = -1,
                                                                    .byte_estimate = -1,
                                                                    .lag_ms = -1};
    binding->saved = task_checkpoint_stream(&task->checkpoint, name);
    binding->saved->in_use = true;
    /* The endpoint knows better than our record what it has committed. */
    const struct task_position_total *total = &task->positions->totals[binding->index];
    if (total->known &&
        (total->documents != binding->saved->documents || total->bytes != binding->saved->bytes)) {
        task->checkpoint.idle_changed = true;
        binding->recovered = total->documents > binding->saved->documents;
        binding->saved->documents = total->documents;
        binding->saved->bytes = total->bytes;
    }
    binding->saved->backfill = spec->backfill;
    binding->saved->target = arena_strdup(&task->checkpoint.arena, spec->stream.name);
}

/* A binding that went, or was replaced by another, keeps its place and is nobody's business meanwhile. */
static void note_idle(struct task_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->stream_count; i++) {
        struct task_saved_stream *stream = checkpoint->streams[i];
        checkpoint->idle_changed |= stream->idle == stream->in_use;
        stream->idle = !stream->in_use;
    }
}

int task_materialize_resolve(struct task *task, struct error *err)
{
    size_t count = task->enabled_count;
    task->bindings = arena_zalloc(&task->arena, (count + 1) * sizeof *task->bindings);
    task->progress = arena_zalloc(&task->arena, (count + 1) * sizeof *task->progress);
    task->fresh = true;
    task->checkpoint.session++;
    task->checkpoint.complete = false;
    for (size_t i = 0; i < count; i++) {
        task->bindings[i].spec = &task->spec->bindings[task->enabled[i]];
        task->bindings[i].index = i;
        resolve(task, &task->bindings[i]);
    }
    task->binding_count = count;
    note_idle(&task->checkpoint);
    return 0;
}
