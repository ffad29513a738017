#include "task/choice.h"

#include "protocol/airbyte_field.h"
#include "protocol/airbyte_mapper.h"
#include "task/mapping.h"

/* --- what is sent whatever was chosen ----------------------------------------------------------------- */

static struct catalog_path copy_path(struct arena *arena, struct airbyte_path path)
{
    const char **names = arena_alloc(arena, (path.count + 1) * sizeof *names);
    for (size_t i = 0; i < path.count; i++)
        names[i] = arena_strndup(arena, path.parts[i].data, path.parts[i].size);
    return (struct catalog_path){names, path.count};
}

/* A path that leads to no field would choose everything. */
static void add_path(struct arena *arena, struct catalog_path *fields, size_t *count,
                     struct airbyte_path path)
{
    if (path.count)
        fields[(*count)++] = copy_path(arena, path);
}

static struct task_binding_spec with_needed(const struct task_binding *binding, struct arena *arena)
{
    struct task_binding_spec spec = *binding->spec;
    const struct airbyte_configured_stream *configured = &binding->configured;
    const struct airbyte_stream *stream = &configured->stream;
    size_t most = spec.field_count + configured->primary_key_count + stream->primary_key_count + 2;
    struct catalog_path *fields = arena_alloc(arena, most * sizeof *fields);
    size_t count = spec.field_count;
    if (!spec.selects)
        return spec;
    if (count)
        memcpy(fields, spec.fields, count * sizeof *fields);
    add_path(arena, fields, &count, configured->cursor);
    add_path(arena, fields, &count, stream->default_cursor);
    for (size_t i = 0; i < configured->primary_key_count; i++)
        add_path(arena, fields, &count, configured->primary_key[i]);
    for (size_t i = 0; i < stream->primary_key_count; i++)
        add_path(arena, fields, &count, stream->primary_key[i]);
    spec.fields = fields;
    spec.field_count = count;
    return spec;
}

/* --- is it there ---------------------------------------------------------------------------------------- */

static struct airbyte_path path_of(struct arena *arena, struct catalog_path path)
{
    struct slice *parts = arena_alloc(arena, (path.count + 1) * sizeof *parts);
    for (size_t i = 0; i < path.count; i++)
        parts[i] = slice_of(path.names[i]);
    return (struct airbyte_path){parts, path.count};
}

static int check_path(const struct task_binding *binding, const struct json *schema, const char *what,
                      struct catalog_path path, bool through_lists, struct arena *arena, struct error *err)
{
    const char *problem = airbyte_field_problem(schema, 0, binding->spec->stream.name, path_of(arena, path),
                                                through_lists, arena);
    return problem ? error_set(err, ERROR_INVALID, "%s: %s", what, problem) : 0;
}

/* What the catalog of a client names was held against it when it was put, and is at each look at the source
 * (supervisor/schema_change.h). A schema that was asked for is seen here first. */
static int check_paths(const struct task_binding *binding, const struct json *schema, struct arena *arena,
                       struct error *err)
{
    const struct task_binding_spec *spec = binding->spec;
    const struct catalog_stream *wanted = &spec->stream;
    if (airbyte_field_open(schema, 0))
        return 0;
    if (wanted->cursor_field.count && !binding->configured.stream.source_defined_cursor &&
        check_path(binding, schema, "cursorField", wanted->cursor_field, false, arena, err) < 0)
        return -1;
    for (size_t i = 0; i < wanted->primary_key_count; i++)
        if (check_path(binding, schema, "primaryKey", wanted->primary_key[i], false, arena, err) < 0)
            return -1;
    for (size_t i = 0; i < spec->field_count && spec->selects; i++)
        if (check_path(binding, schema, "selectedFields", spec->fields[i], true, arena, err) < 0)
            return -1;
    return 0;
}

static int check_mappers(const struct task_binding *binding, const struct json *schema, struct arena *arena,
                         struct error *err)
{
    const struct airbyte_configured_stream *configured = &binding->configured;
    struct slice mapping = binding->spec->mapping;
    struct json doc;
    if (mapping.size == 0)
        return 0;
    if (json_parse_copy(arena, mapping.data, mapping.size, &doc, err) < 0 ||
        airbyte_mappers_fit(&doc, 0, schema, 0, configured->primary_key, configured->primary_key_count, arena,
                            err) < 0)
        return error_wrap(err, "the stream '%.200s'", binding->spec->stream.name);
    return 0;
}

static int check(const struct task *task, const struct task_binding *binding, struct error *err)
{
    struct slice text = binding->configured.stream.json_schema;
    struct arena arena;
    struct json schema;
    struct error unused;
    if (task->spec->kind != TASK_CONNECTION || task->spec->clear || text.size == 0)
        return 0;
    arena_init(&arena);
    int result = 0;
    if (json_parse_copy(&arena, text.data, text.size, &schema, &unused) == 0) {
        if (task->spec->catalog.size == 0)
            result = check_paths(binding, &schema, &arena, err);
        if (result == 0)
            result = check_mappers(binding, &schema, &arena, err);
    }
    arena_done(&arena);
    return result;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

int task_choice_take(struct task *task, struct task_binding *binding, struct error *err)
{
    if (check(task, binding, err) < 0)
        return -1;
    struct task_binding_spec spec = with_needed(binding, &task->arena);
    if (task_mapping_new(&spec, &task->arena, &binding->mapping, err) < 0)
        return -1;
    return binding->mapping
               ? task_mapping_select(binding->mapping, &binding->configured.stream, &task->arena, err)
               : 0;
}
