#include "base/hash.h"
#include "protocol/flow_resource.h"
#include "task/fields.h"
#include "task/flow_bindings.h"
#include "task/materialize_key.h"
#include "task/sink_materialize.h"

/* What a materialization is: its bindings with their backfill counters, what of each the connector takes, and
 * the specification made of that; what was applied last, and what is kept of it.
 *
 * A binding's counter is the catalog's, unless a change of the schema forced a backfill: then the counter
 * that was forced holds until the catalog's own changes. Kept for that, by binding:
 * {"id","catalog","counter", "disabled"}, where `id` stands for its collection and resource. */

enum { OLD_COUNTERS_MAX = 1024 }; /* of bindings that went: they are in every commit */

/* --- reading --------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, struct slice part)
{
    uint64_t size = part.size;
    hash = hash_xxh3(&size, sizeof size, hash);
    return hash_xxh3(part.data, part.size, hash);
}

/* Another program, config, binding or schema is another version. */
static void set_version(struct materialize_sink *sink)
{
    const struct task_spec *spec = sink->base.task->spec;
    uint64_t hash = mix(2, slice_of(spec->name));
    for (size_t i = 0; spec->destination.program.argv[i]; i++)
        hash = mix(hash, slice_of(spec->destination.program.argv[i]));
    hash = mix(hash, spec->destination.config);
    for (size_t i = 0; i < spec->binding_count; i++) {
        hash = mix(hash, spec->bindings[i].resource);
        hash = mix(hash, spec->bindings[i].flow_collection);
        hash = mix(hash, spec->bindings[i].materialize);
        hash = hash_xxh3(&spec->bindings[i].backfill, sizeof spec->bindings[i].backfill, hash);
    }
    snprintf(sink->version, sizeof sink->version, "%016llx", (unsigned long long)hash);
}

static int read_binding(struct materialize_sink *sink, const struct json *saved, size_t index,
                        struct error *err)
{
    struct task *task = sink->base.task;
    const struct task_binding_spec *spec = &task->spec->bindings[index];
    struct materialize_binding *binding = &sink->planned[index];
    struct flow_collection *collection = arena_zalloc(&task->arena, sizeof *collection);
    struct json *doc = arena_alloc(&task->arena, sizeof *doc);
    binding->spec = spec;
    binding->collection = collection;
    binding->resource = spec->resource;
    if (json_parse_copy(&task->arena, spec->flow_collection.data, spec->flow_collection.size, doc, err) < 0 ||
        flow_collection_read(doc, 0, &task->arena, collection, err) < 0 ||
        task_source_spec_read(spec->materialize, &task->arena, &binding->source, err) < 0)
        return error_wrap(err, "the specification of %s", spec->collection);
    binding->id = task_materialize_id(spec->collection, spec->resource, &task->arena);
    binding->backfill = task_materialize_counter(saved, binding->id, spec->backfill);
    return 0;
}

int materialize_plan_read(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    const struct task_spec *spec = task->spec;
    struct json *saved = arena_alloc(&task->arena, sizeof *saved);
    const char *text = task->checkpoint.materialize.bindings;
    if (json_parse_copy(&task->arena, text, strlen(text), saved, err) < 0)
        return error_wrap(err, "the checkpoint");
    sink->planned_count = spec->binding_count;
    sink->planned = arena_zalloc(&task->arena, (spec->binding_count + 1) * sizeof *sink->planned);
    sink->enabled = arena_zalloc(&task->arena, (spec->binding_count + 1) * sizeof *sink->enabled);
    for (size_t i = 0; i < spec->binding_count; i++) {
        if (read_binding(sink, saved, i, err) < 0)
            return -1;
    }
    set_version(sink);
    return task_materialize_last_read(&task->checkpoint, spec->destination.config, &task->arena, &sink->last,
                                      err);
}

/* --- what was applied before ------------------------------------------------------------------------- */

static bool is_disabled(const struct json *saved, uint32_t at)
{
    return json_is(saved, json_get(saved, at, "disabled"), JSON_TRUE);
}

bool materialize_plan_is_applied(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    const char *text = task->checkpoint.materialize.bindings;
    struct json saved;
    struct error err;
    if (sink->last.unfinished || !sink->last.spec || !slice_is(sink->last.version, sink->version) ||
        json_parse_copy(&task->arena, text, strlen(text), &saved, &err) < 0 ||
        json_count(&saved, 0) < sink->planned_count)
        return false;
    size_t next = 0, index = 0;
    for (uint32_t at = json_first(&saved, 0); index < sink->planned_count;
         at = json_next(&saved, 0, at), index++) {
        struct materialize_binding *binding = &sink->planned[index];
        binding->disabled = is_disabled(&saved, at);
        if (binding->disabled)
            continue;
        if (next == sink->last.applied.count)
            return false;
        const struct flow_materialize_binding *last = &sink->last.applied.items[next++];
        if (!last->field_selection || last->resource_path.count == 0 || last->backfill != binding->backfill)
            return false;
        binding->resource = last->raw_resource_config;
        binding->resource_path = last->resource_path;
        binding->selection = *last->field_selection;
        binding->delta_updates = last->delta_updates;
        binding->ser_policy = last->ser_policy;
    }
    return next == sink->last.applied.count && materialize_plan_finish(sink, &err) == 0;
}

/* --- naming ------------------------------------------------------------------------------------------ */

int materialize_plan_name(struct materialize_sink *sink, struct slice raw_resource_schema, struct error *err)
{
    for (size_t i = 0; i < sink->planned_count; i++) {
        struct materialize_binding *binding = &sink->planned[i];
        if (binding->source.from_source &&
            flow_resource_make(raw_resource_schema, binding->spec->resource, &sink->base.task->arena,
                               &binding->resource, err) < 0)
            return error_wrap(err, "%s: the binding of %s", sink->base.label, binding->spec->collection);
    }
    return 0;
}

/* Its resource by the path, once the connector has told it: a catalog may give the resource no name. */
static const char *name_of(const struct materialize_binding *binding, struct arena *arena)
{
    if (binding->resource_path.count)
        return task_flow_binding_name(binding->spec->collection, binding->resource_path, arena);
    return arena_printf(arena, "%s to %s", binding->spec->collection, binding->spec->stream.name);
}

/* --- validating -------------------------------------------------------------------------------------- */

int materialize_plan_check(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    for (size_t i = 0; i < sink->planned_count; i++) {
        const struct materialize_binding *binding = &sink->planned[i];
        const struct fields_input input = {.binding = name_of(binding, &task->arena),
                                           .collection = binding->collection,
                                           .wanted = &binding->source.fields};
        if (fields_check(&input, &task->arena, err) < 0)
            return -1;
    }
    return 0;
}

void materialize_plan_advise(struct materialize_sink *sink, struct error *err)
{
    struct arena *arena = &sink->base.task->arena;
    for (size_t i = 0; i < sink->planned_count; i++) {
        const struct materialize_binding *binding = &sink->planned[i];
        const struct fields_input input = {.binding = name_of(binding, arena),
                                           .collection = binding->collection,
                                           .wanted = &binding->source.fields};
        if (!binding->disabled && strstr(err->message, binding->spec->collection))
            fields_advise(&input, arena, err);
    }
}

struct flow_materialize_request materialize_plan_validate(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    struct flow_materialize_validate_binding *bindings =
        arena_zalloc(&task->arena, (sink->planned_count + 1) * sizeof *bindings);
    size_t count = 0;
    for (size_t i = 0; i < sink->planned_count; i++) {
        const struct materialize_binding *binding = &sink->planned[i];
        if (binding->disabled)
            continue;
        const struct fields_input input = {.binding = binding->spec->stream.name,
                                           .collection = binding->collection,
                                           .wanted = &binding->source.fields};
        bindings[count++] = (struct flow_materialize_validate_binding){
            .raw_resource_config = binding->resource,
            .collection = binding->collection,
            .raw_field_config = fields_config(&binding->source.fields, &task->arena),
            .backfill = binding->backfill,
            .group_by = fields_group_by(&input, &task->arena),
        };
    }
    return (struct flow_materialize_request){.type = FLOW_MATERIALIZE_VALIDATE,
                                             .validate = {.name = slice_of(task->spec->name),
                                                          .connector_type = task->spec->destination.image
                                                                                ? FLOW_MATERIALIZE_IMAGE
                                                                                : FLOW_MATERIALIZE_LOCAL,
                                                          .raw_config = task->spec->destination.config,
                                                          .bindings = {bindings, count},
                                                          .last_materialization = sink->last.spec,
                                                          .last_version = sink->last.version}};
}

/* The endpoint has something that the collection's schema does not fit any more. 1: validate again; 0: go on
 * without the binding; -1. */
static int take_incompatible(struct materialize_sink *sink, struct materialize_binding *binding,
                             struct error *err)
{
    struct task *task = sink->base.task;
    switch (binding->source.on_incompatible) {
    case CATALOG_INCOMPATIBLE_BACKFILL:
        if (sink->validations >= MATERIALIZE_VALIDATIONS_MAX)
            return error_wrap(err, "%s: a backfill did not mend it", sink->base.label);
        binding->backfill++;
        task_report_logf(task->report, LOG_WARN, "%s; it is materialized anew (backfill counter %u)",
                         err->message, binding->backfill);
        return 1;
    case CATALOG_INCOMPATIBLE_DISABLE_BINDING:
        binding->disabled = true;
        task_report_logf(task->report, LOG_WARN,
                         "%s; the binding is disabled (onIncompatibleSchemaChange: disableBinding) until the "
                         "catalog changes",
                         err->message);
        return 0;
    case CATALOG_INCOMPATIBLE_DISABLE_TASK:
        return error_wrap(
            err, "the materialization is not run (onIncompatibleSchemaChange: disableTask) until the "
                 "catalog changes");
    case CATALOG_INCOMPATIBLE_ABORT:
        break;
    }
    return error_wrap(err, "raise the binding's 'backfill', or have it done with onIncompatibleSchemaChange: "
                           "backfill");
}

static void tell_notes(struct task *task, const struct buffer *notes)
{
    struct slice rest = {notes->data, notes->size};
    while (rest.size) {
        size_t size = (size_t)((const char *)memchr(rest.data, '\n', rest.size) - rest.data);
        task_report_logf(task->report, LOG_WARN, "%.*s", (int)size, rest.data);
        rest = (struct slice){rest.data + size + 1, rest.size - size - 1};
    }
}

/* The rows that are there have another key: those of today's documents would be others beside them. */
static bool has_other_key(const struct materialize_sink *sink, const struct materialize_binding *binding,
                          struct flow_texts fields, bool selected, struct error *err)
{
    struct arena *arena = &sink->base.task->arena;
    const struct task_materialize_key key = {.binding = name_of(binding, arena),
                                             .collection = binding->collection,
                                             .resource_path = binding->resource_path,
                                             .backfill = binding->backfill,
                                             .delta_updates = binding->delta_updates,
                                             .fields = fields,
                                             .selected = selected};
    return task_materialize_key_changed(&sink->last, &key, arena, err);
}

static int take_binding(struct materialize_sink *sink, struct materialize_binding *binding,
                        const struct flow_validated_binding *validated, struct error *err)
{
    struct task *task = sink->base.task;
    struct fields_input input = {.collection = binding->collection,
                                 .wanted = &binding->source.fields,
                                 .case_insensitive = validated->case_insensitive_fields};
    if (validated->resource_path.count == 0)
        return error_set(err, ERROR_PROTOCOL, "%s validated the binding of %s without a resourcePath",
                         sink->base.label, binding->spec->collection);
    if (flow_validated_constraints(validated, &task->arena, &input.constraints, err) < 0)
        return error_wrap(err, "%s", sink->base.label);
    binding->resource_path = validated->resource_path;
    input.binding = name_of(binding, &task->arena);
    binding->delta_updates = validated->delta_updates;
    binding->ser_policy = validated->ser_policy;
    struct buffer notes;
    buffer_init(&notes, BUFFER_UNLIMITED);
    input.notes = &notes;
    enum fields_outcome outcome = fields_select(&input, &task->arena, &binding->selection, err);
    tell_notes(task, &notes);
    buffer_done(&notes);
    switch (outcome) {
    case FIELDS_SELECTED:
        return has_other_key(sink, binding, binding->selection.keys, true, err)
                   ? take_incompatible(sink, binding, err)
                   : 0;
    case FIELDS_INCOMPATIBLE:
        return take_incompatible(sink, binding, err);
    case FIELDS_CONFLICT: /* a connector may forbid a key that the table has no column of */
        if (has_other_key(sink, binding, fields_group_by(&input, &task->arena), false, err))
            return take_incompatible(sink, binding, err);
        break;
    }
    return -1;
}

int materialize_plan_take(struct materialize_sink *sink, const struct flow_materialize_validated *validated,
                          struct error *err)
{
    size_t next = 0, asked = 0;
    bool again = false;
    for (size_t i = 0; i < sink->planned_count; i++)
        asked += !sink->planned[i].disabled;
    if (validated->bindings.count != asked)
        return error_set(err, ERROR_PROTOCOL, "%s validated %zu bindings of %zu", sink->base.label,
                         validated->bindings.count, asked);
    sink->validations++;
    for (size_t i = 0; i < sink->planned_count; i++) {
        if (sink->planned[i].disabled)
            continue;
        int taken = take_binding(sink, &sink->planned[i], &validated->bindings.items[next++], err);
        if (taken < 0)
            return -1;
        again |= taken > 0;
    }
    return again ? 1 : materialize_plan_finish(sink, err);
}

/* --- the specification ------------------------------------------------------------------------------- */

static struct slice prefixed(const char *prefix, struct slice name, struct arena *arena)
{
    return slice_of(arena_printf(arena, "%s%.*s", prefix, SLICE_ARGS(name)));
}

static int check_path(const struct materialize_sink *sink, const struct flow_materialize_binding *bindings,
                      size_t index, struct error *err)
{
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    struct slice own = flow_state_key(bindings[index].resource_path, 0, &arena);
    for (size_t i = 0; i < index && result == 0; i++) {
        if (slice_equal(own, flow_state_key(bindings[i].resource_path, 0, &arena)))
            result = error_set(err, ERROR_INVALID,
                               "%s takes the resources of two bindings, of %.*s and of %.*s, for one and the "
                               "same (%.*s): each must be another",
                               sink->base.label, SLICE_ARGS(bindings[i].collection->name),
                               SLICE_ARGS(bindings[index].collection->name), SLICE_ARGS(own));
    }
    arena_done(&arena);
    return result;
}

static struct flow_materialize_binding make_binding(struct materialize_sink *sink,
                                                    const struct materialize_binding *binding)
{
    struct arena *arena = &sink->base.task->arena;
    struct slice key = flow_state_key(binding->resource_path, binding->backfill, arena);
    return (struct flow_materialize_binding){
        .raw_resource_config = binding->resource,
        .resource_path = binding->resource_path,
        .collection = binding->collection,
        .raw_partition_selector = SLICE_LITERAL("{}"),
        .priority = binding->source.priority,
        .field_selection = &binding->selection,
        .delta_updates = binding->delta_updates,
        .journal_read_suffix =
            prefixed(arena_printf(arena, "materialize/%s/", sink->base.task->spec->name), key, arena),
        .backfill = binding->backfill,
        .state_key = key,
        .ser_policy = binding->ser_policy,
    };
}

int materialize_plan_finish(struct materialize_sink *sink, struct error *err)
{
    struct task *task = sink->base.task;
    struct flow_materialize_binding *bindings =
        arena_zalloc(&task->arena, (sink->planned_count + 1) * sizeof *bindings);
    sink->enabled_count = 0;
    for (size_t i = 0; i < sink->planned_count; i++) {
        if (sink->planned[i].disabled)
            continue;
        bindings[sink->enabled_count] = make_binding(sink, &sink->planned[i]);
        if (check_path(sink, bindings, sink->enabled_count, err) < 0)
            return -1;
        sink->enabled[sink->enabled_count++] = i;
    }
    struct slice name = slice_of(task->spec->name);
    sink->spec = (struct flow_materialize_spec){
        .name = name,
        .connector_type = task->spec->destination.image ? FLOW_MATERIALIZE_IMAGE : FLOW_MATERIALIZE_LOCAL,
        .raw_config = task->spec->destination.config,
        .bindings = {bindings, sink->enabled_count},
        .inactive_bindings = task_materialize_last_inactive(
            &sink->last, (struct flow_materialize_bindings){bindings, sink->enabled_count}, &task->arena),
        .raw_shard_template = flow_shard_template(prefixed("materialize/", name, &task->arena), &task->arena),
        .raw_recovery_log_template =
            flow_journal_template(prefixed("recovery/materialize/", name, &task->arena), &task->arena),
    };
    return 0;
}

/* --- saving ------------------------------------------------------------------------------------------ */

static void put_binding(struct json_writer *writer, const struct materialize_binding *binding)
{
    json_begin_object(writer);
    json_member_string(writer, "id", binding->id);
    json_member_u64(writer, "catalog", binding->spec->backfill);
    json_member_u64(writer, "counter", binding->backfill);
    json_member_bool(writer, "disabled", binding->disabled);
    json_end_object(writer);
}

static bool is_planned(const struct materialize_sink *sink, const struct json *saved, uint32_t at)
{
    uint32_t id = json_get(saved, at, "id");
    for (size_t i = 0; i < sink->planned_count; i++) {
        if (json_is(saved, id, JSON_STRING) && json_string_is(saved, id, sink->planned[i].id))
            return true;
    }
    return false;
}

/* The counters of the plan, and behind them those of bindings that it has no more: one that comes back goes
 * on with the counter that it had. */
static void save_bindings(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    const char *old_text = task->checkpoint.materialize.bindings;
    struct json old;
    struct error unused;
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; i < sink->planned_count; i++)
        put_binding(&writer, &sink->planned[i]);
    if (json_parse_copy(&task->arena, old_text, strlen(old_text), &old, &unused) == 0) {
        size_t left = OLD_COUNTERS_MAX;
        for (uint32_t at = json_first(&old, 0); at != JSON_NONE && left; at = json_next(&old, 0, at)) {
            if (is_planned(sink, &old, at))
                continue;
            json_put_raw(&writer, json_raw(&old, at));
            left--;
        }
    }
    json_end_array(&writer);
    task_materialize_saved_set(&task->checkpoint.materialize.bindings, (struct slice){text.data, text.size});
    buffer_done(&text);
}

void materialize_plan_begin(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    save_bindings(sink);
    task_materialize_last_begin(&task->checkpoint.materialize, &sink->last, &sink->spec,
                                slice_of(sink->version), &task->arena);
}

void materialize_plan_save(struct materialize_sink *sink)
{
    struct task *task = sink->base.task;
    save_bindings(sink);
    task_materialize_last_end(&task->checkpoint.materialize, &sink->spec, &task->arena);
}
