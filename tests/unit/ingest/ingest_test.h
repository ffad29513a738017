/* A capture of one binding, without the task that would run it: enough to read, check and refuse bodies. Also
 * for the fuzz target. */
#ifndef FIRTH_TEST_INGEST_H
#define FIRTH_TEST_INGEST_H

#include "ingest/body.h"

#include <stdlib.h>

struct ingest_test {
    struct arena arena;
    struct schema_registry *registry;
    struct task_binding_spec spec;
    struct task_binding task;
    struct ingest_binding binding;
    struct ingest_capture capture;
    struct ingest_workers *workers;
    struct ingest_worker *worker;
};

/* Aborts if the schema is none: it is the test's own. */
static inline void ingest_test_init(struct ingest_test *test, const char *schema, const char *key)
{
    struct error err;
    *test = (struct ingest_test){.registry = schema_registry_new(SCHEMA_DRAFT_2020_12)};
    arena_init(&test->arena);
    const char **keys = arena_zalloc(&test->arena, 2 * sizeof *keys);
    keys[0] = key;
    test->spec = (struct task_binding_spec){.collection = "acmeCo/pushed", .schema_uri = "test:schema"};
    test->task = (struct task_binding){.spec = &test->spec, .key = key_compile(keys, &test->arena)};
    if (schema_registry_add(test->registry, "test:schema", slice_of(schema), &err) < 0 ||
        !(test->task.schema = schema_compile(test->registry, "test:schema", &err)) ||
        !(test->binding.shape = shape_of_schema(test->registry, "test:schema", &err)))
        abort();
    test->binding.task = &test->task;
    test->binding.name = "pushed";
    test->capture =
        (struct ingest_capture){.name = "acmeCo/in", .bindings = &test->binding, .binding_count = 1};
    test->workers = ingest_workers_new();
    test->worker = ingest_workers_take(test->workers);
}

static inline void ingest_test_done(struct ingest_test *test)
{
    ingest_workers_give(test->workers, test->worker);
    ingest_workers_free(test->workers);
    shape_free((struct shape *)test->binding.shape);
    schema_free(test->task.schema);
    schema_registry_free(test->registry);
    arena_done(&test->arena);
}

#endif
