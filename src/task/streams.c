#include "task/streams.h"

#include "protocol/airbyte_target.h"
#include "task/capture_key.h"
#include "task/choice.h"
#include "task/flow_bindings.h"
#include "task/materialize_bindings.h"

/* --- which stream -------------------------------------------------------------------------------- */

/* By name and namespace; by name alone if no namespace is asked for and one stream has that name. */
static const struct airbyte_stream *find_stream(const struct task *task, const struct catalog_stream *wanted,
                                                struct error *err)
{
    struct airbyte_stream_name name = {.name = slice_of(wanted->name)};
    struct error sought;
    bool namespace_wrong;
    if (wanted->namespace)
        name.namespace = slice_of(wanted->namespace);
    long found = airbyte_catalog_seek(&task->discovered, name, &namespace_wrong, &sought);
    if (found >= 0)
        return &task->discovered.streams[found];
    error_set(err, sought.code, "%s %s", task->spec->source.program.label, sought.message);
    return NULL;
}

/* --- how it is read ------------------------------------------------------------------------------ */

static struct airbyte_path copy_path(struct arena *arena, struct catalog_path path)
{
    struct slice *parts = arena_alloc(arena, (path.count + 1) * sizeof *parts);
    for (size_t i = 0; i < path.count; i++)
        parts[i] = slice_of(path.names[i]);
    return (struct airbyte_path){parts, path.count};
}

static int set_sync_mode(const struct task *task, struct task_binding *binding, struct error *err)
{
    const struct airbyte_stream *stream = &binding->configured.stream;
    const struct catalog_stream *wanted = &binding->spec->stream;
    enum catalog_sync_mode mode = wanted->sync_mode;
    bool has_cursor = stream->source_defined_cursor || binding->configured.cursor.count > 0;
    if (mode == CATALOG_SYNC_DEFAULT)
        mode = stream->incremental && (has_cursor || !stream->full_refresh) ? CATALOG_SYNC_INCREMENTAL
                                                                            : CATALOG_SYNC_FULL_REFRESH;
    binding->configured.sync_mode =
        mode == CATALOG_SYNC_INCREMENTAL ? AIRBYTE_INCREMENTAL : AIRBYTE_FULL_REFRESH;
    if (mode == CATALOG_SYNC_INCREMENTAL ? stream->incremental : stream->full_refresh || !stream->incremental)
        return 0;
    return error_set(
        err, ERROR_INVALID, "%s cannot read the stream '%s' in the sync mode '%s'; it can '%s'",
        task->spec->source.program.label, wanted->name, airbyte_sync_mode_name(binding->configured.sync_mode),
        airbyte_sync_mode_name(stream->incremental ? AIRBYTE_INCREMENTAL : AIRBYTE_FULL_REFRESH));
}

static bool destination_can(const struct task *task, enum airbyte_destination_sync_mode mode)
{
    return task->destination_modes & (1U << mode);
}

static void set_destination_mode(const struct task *task, struct task_binding *binding)
{
    struct airbyte_configured_stream *configured = &binding->configured;
    switch (binding->spec->stream.destination_sync_mode) {
    case CATALOG_DESTINATION_APPEND:
        configured->destination_sync_mode = AIRBYTE_APPEND;
        return;
    case CATALOG_DESTINATION_OVERWRITE:
        configured->destination_sync_mode = AIRBYTE_OVERWRITE;
        return;
    case CATALOG_DESTINATION_APPEND_DEDUP:
        configured->destination_sync_mode = AIRBYTE_APPEND_DEDUP;
        return;
    case CATALOG_DESTINATION_OVERWRITE_DEDUP:
        configured->destination_sync_mode = AIRBYTE_OVERWRITE_DEDUP;
        return;
    case CATALOG_DESTINATION_DEFAULT:
        break;
    }
    configured->destination_sync_mode = AIRBYTE_APPEND;
    if (task->spec->kind == TASK_CAPTURE)
        return;
    if (configured->sync_mode == AIRBYTE_FULL_REFRESH && destination_can(task, AIRBYTE_OVERWRITE))
        configured->destination_sync_mode = AIRBYTE_OVERWRITE;
    else if (configured->sync_mode == AIRBYTE_INCREMENTAL && configured->primary_key_count &&
             destination_can(task, AIRBYTE_APPEND_DEDUP))
        configured->destination_sync_mode = AIRBYTE_APPEND_DEDUP;
}

static int configure(struct task *task, struct task_binding *binding, const struct airbyte_stream *stream,
                     struct error *err)
{
    const struct catalog_stream *wanted = &binding->spec->stream;
    struct airbyte_configured_stream *configured = &binding->configured;
    *configured = (struct airbyte_configured_stream){.stream = *stream};
    configured->cursor = wanted->cursor_field.count && !stream->source_defined_cursor
                             ? copy_path(&task->arena, wanted->cursor_field)
                             : stream->default_cursor;
    configured->primary_key = stream->primary_key;
    configured->primary_key_count = stream->primary_key_count;
    if (wanted->primary_key_count) {
        struct airbyte_path *key = arena_alloc(&task->arena, wanted->primary_key_count * sizeof *key);
        for (size_t i = 0; i < wanted->primary_key_count; i++)
            key[i] = copy_path(&task->arena, wanted->primary_key[i]);
        configured->primary_key = key;
        configured->primary_key_count = wanted->primary_key_count;
    }
    if (set_sync_mode(task, binding, err) < 0)
        return -1;
    set_destination_mode(task, binding);

    binding->source = stream->name;
    binding->target = stream->name;
    if (task->spec->kind == TASK_CONNECTION || binding->spec->alias)
        binding->target =
            airbyte_target(&(struct airbyte_target_rule){task->spec->prefix, task->spec->namespace},
                           stream->name, binding->spec->alias, &task->arena);
    return task_choice_take(task, binding, err);
}

static int check_targets(struct task *task, struct error *err)
{
    struct map seen;
    int result = 0;
    if (task->spec->kind != TASK_CONNECTION)
        return 0;
    map_init(&seen);
    for (size_t i = 0; i < task->binding_count && result == 0; i++) {
        const struct task_binding *binding = &task->bindings[i];
        struct slice key = airbyte_target_key(binding->target, &task->arena);
        const struct task_binding *other = map_get(&seen, key);
        if (other)
            result = airbyte_targets_collide(binding->target, other->source, binding->source, err);
        map_set(&seen, key, &task->bindings[i]);
    }
    map_done(&seen);
    return result;
}

/* --- where it goes on ---------------------------------------------------------------------------- */

/* From its first record on, as far as its states tell: a source whose state is of all streams, or not of any,
 * may go on with one that is not this stream's own. */
static bool reads_all(const struct task *task, const struct task_binding *binding)
{
    const struct airbyte_states *states = task->checkpoint.states;
    return airbyte_states_stream(states, binding->source).size == 0 &&
           (binding->configured.sync_mode == AIRBYTE_FULL_REFRESH || !airbyte_states_are_shared(states));
}

/* A stream starts over: as a new generation, if the destination is to be rid of the older one. */
static void set_generation(const struct task *task, struct task_binding *binding, bool resumes)
{
    struct airbyte_configured_stream *configured = &binding->configured;
    struct task_saved_stream *saved = binding->saved;
    bool replaces = configured->sync_mode == AIRBYTE_FULL_REFRESH &&
                    (configured->destination_sync_mode == AIRBYTE_OVERWRITE ||
                     configured->destination_sync_mode == AIRBYTE_OVERWRITE_DEDUP);
    /* What is to start over does so once a job, whatever becomes of its attempts. */
    bool starts_over = binding->spec->start_over && task->fresh;
    /* Until the stream is complete, in whichever job: the next one goes on with a refresh that failed. */
    if (binding->spec->start_over)
        saved->replacing = binding->spec->replace;
    bool replaces_all = replaces && !binding->spec->start_over;
    replaces |= saved->replacing;
    if (saved->generation == 0 || starts_over || (replaces_all && !resumes) ||
        (saved->replacing && reads_all(task, binding)))
        saved->generation++;
    configured->has_generation = true;
    configured->generation_id = saved->generation;
    configured->minimum_generation_id = replaces ? saved->generation : 0;
    configured->sync_id = (int64_t)task->checkpoint.session;
}

static int set_state(struct task *task, struct task_binding *binding, struct error *err)
{
    struct airbyte_states *states = task->checkpoint.states;
    struct task_saved_stream *saved = binding->saved =
        task_checkpoint_stream(&task->checkpoint, binding->source);
    if (saved->in_use)
        return error_set(err, ERROR_INVALID, "the stream '%.*s' is bound twice: to '%s' and to '%s'",
                         SLICE_ARGS(binding->source.name), saved->target, binding->progress_name);
    saved->in_use = true;
    task_capture_key_note(task, binding);
    /* The default of a stream never seen is 0, and it has no state to lose. */
    if (saved->backfill != binding->spec->backfill || (binding->spec->start_over && task->fresh))
        airbyte_states_reset_stream(states, binding->source);
    else if (*saved->target && strcmp(saved->target, binding->progress_name) != 0 &&
             airbyte_states_stream(states, binding->source).size > 0)
        task_report_logf(
            task->report, LOG_WARN,
            "the stream '%.*s' went to %s and goes to %s now, from where it was: raise its binding's "
            "'backfill' to have all of it there",
            SLICE_ARGS(binding->source.name), saved->target, binding->progress_name);
    saved->backfill = binding->spec->backfill;
    saved->target = arena_strdup(&task->checkpoint.arena, binding->progress_name);
    /* A full refresh begins at the beginning, unless it goes on with one that was cut short. A state that
     * is not this stream's own (a LEGACY blob) may be another's as well and stays. */
    bool refresh = binding->configured.sync_mode == AIRBYTE_FULL_REFRESH;
    if (refresh && (task->fresh || !binding->configured.stream.is_resumable) &&
        airbyte_states_stream(states, binding->source).size)
        airbyte_states_reset_stream(states, binding->source);
    if (task->spec->kind != TASK_CAPTURE)
        set_generation(task, binding,
                       !task->fresh && airbyte_states_stream(states, binding->source).size > 0);
    return 0;
}

static const struct task_binding_spec *specs_of_all(struct task *task)
{
    struct task_binding_spec *specs =
        arena_zalloc(&task->arena, (task->discovered.count + 1) * sizeof *specs);
    for (size_t i = 0; i < task->discovered.count; i++) {
        struct airbyte_stream_name name = task->discovered.streams[i].name;
        specs[i].stream.name = arena_strndup(&task->arena, name.name.data, name.name.size);
        if (name.namespace.size)
            specs[i].stream.namespace = arena_strndup(&task->arena, name.namespace.data, name.namespace.size);
    }
    return specs;
}

int task_streams_resolve(struct task *task, struct error *err)
{
    if (task->spec->kind == TASK_MATERIALIZATION &&
        task->spec->destination.program.protocol == CONNECTOR_FLOW)
        return task_materialize_resolve(task, err);
    if (task->spec->source.program.protocol == CONNECTOR_FLOW)
        return task_flow_resolve(task, err);
    const struct task_binding_spec *specs = task->spec->bindings;
    size_t count = task->spec->binding_count;
    if (task->spec->all_streams) {
        specs = specs_of_all(task);
        count = task->discovered.count;
    }
    if (count == 0)
        return error_set(err, ERROR_INVALID, "there is nothing to read: %s",
                         task->spec->all_streams ? "the source offers no stream" : "no binding is enabled");
    task->bindings = arena_zalloc(&task->arena, count * sizeof *task->bindings);
    task->progress = arena_zalloc(&task->arena, count * sizeof *task->progress);
    task->fresh = task->spec->sync_id ? task->checkpoint.session != task->spec->sync_id
                                      : !task->checkpoint.existed || task->checkpoint.complete;
    task->checkpoint.session =
        task->spec->sync_id ? task->spec->sync_id : task->checkpoint.session + task->fresh;
    task->checkpoint.complete = false;
    for (size_t i = 0; i < count; i++) {
        struct task_binding *binding = &task->bindings[i];
        binding->spec = &specs[i];
        binding->index = i;
        const struct airbyte_stream *stream = find_stream(task, &specs[i].stream, err);
        if (!stream || configure(task, binding, stream, err) < 0)
            return -1;
        binding->progress_name = specs[i].collection ? specs[i].collection
                                                     : arena_strndup(&task->arena, binding->target.name.data,
                                                                     binding->target.name.size);
        task->progress[i] = (struct task_binding_progress){.name = binding->progress_name,
                                                           .stream = specs[i].stream.name,
                                                           .row_estimate = -1,
                                                           .byte_estimate = -1,
                                                           .lag_ms = -1};
        if (set_state(task, binding, err) < 0)
            return -1;
    }
    task->binding_count = count;
    return check_targets(task, err);
}
