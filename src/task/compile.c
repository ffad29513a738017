#include "task/streams.h"

#include "task/inferred.h"
#include "task/redaction.h"

#include "schema/reduce/reduce.h"
#include "schema/shape/shape.h"

static void compile_stream(struct task *task, struct task_binding *binding)
{
    struct slice source = binding->configured.stream.json_schema;
    if (source.size == 0)
        return;
    char uri[64];
    snprintf(uri, sizeof uri, "stream:/%zu", binding->index);
    struct error why;
    if (schema_registry_add(task->schemas, uri, source, &why) == 0)
        binding->schema = schema_compile(task->schemas, uri, &why);
    if (!binding->schema)
        task_report_logf(task->report, LOG_WARN,
                         "stream '%s': its records are not validated: its schema does not compile: %s",
                         binding->spec->stream.name, why.message);
}

/* What stands for a part of the key that a document lacks: the schema's default. */
static int set_defaults(struct task *task, struct task_binding *binding, struct error *err)
{
    mem_auto(shape_free) struct shape *shape = shape_of_schema(task->schemas, binding->spec->schema_uri, err);
    if (!shape)
        return -1;
    for (size_t i = 0; i < binding->key.count; i++) {
        struct shape_location location = shape_locate(shape, binding->key.parts[i].pointer, &task->arena);
        if (!location.shape || !location.shape->fallback)
            continue;
        const struct json *value = shape_values_json(location.shape->fallback);
        struct slice raw = json_raw(value, 0);
        struct json *copy = arena_alloc(&task->arena, sizeof *copy);
        if (json_parse_copy(&task->arena, raw.data, raw.size, copy, err) < 0)
            return error_wrap(err, "the default of '%s'", binding->key.parts[i].pointer);
        key_set_absent(&binding->key, i, (struct key_value){copy, 0});
    }
    return 0;
}

int task_streams_compile(struct task *task, struct error *err)
{
    bool collections = task->spec->kind != TASK_CONNECTION;
    const struct schema_options options = {
        .annotations = task->spec->kind == TASK_MATERIALIZATION ? reduce_annotations : redact_annotations,
        .assert_formats = true}; /* of collections, as Flow does: docs/decisions/0057-formats.md */
    task->schemas = schema_registry_new(collections ? SCHEMA_DRAFT_2020_12 : SCHEMA_DRAFT_7);
    for (size_t i = 0; i < task->spec->schema_count; i++) {
        if (schema_registry_add(task->schemas, task->spec->schemas[i].uri, task->spec->schemas[i].source,
                                err) < 0)
            return error_wrap(err, "schema %s", task->spec->schemas[i].uri);
    }
    for (size_t i = 0; i < task->binding_count; i++) {
        struct task_binding *binding = &task->bindings[i];
        if (!collections) {
            compile_stream(task, binding);
            continue;
        }
        binding->key = key_compile(binding->spec->key, &task->arena);
        binding->schema = schema_compile_with(task->schemas, binding->spec->schema_uri, &options, err);
        if (!binding->schema)
            return error_wrap(err, "the schema of %s", binding->spec->collection);
        if (task->spec->kind == TASK_CAPTURE &&
            (set_defaults(task, binding, err) < 0 || task_redaction_prepare(task, binding, err) < 0 ||
             task_inferred_open(task, binding, err) < 0))
            return error_wrap(err, "the schema of %s", binding->spec->collection);
    }
    return 0;
}
