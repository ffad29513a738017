/* Combining from text to text, for tests. */
#ifndef TESTS_TASK_COMBINER_TEST_H
#define TESTS_TASK_COMBINER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "task/combiner.h"

static inline struct schema *compile_for_combiner(const char *text)
{
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct schema *schema = NULL;
    if (schema_registry_add(registry, "test:schema", slice_of(text), &err) == 0)
        schema = schema_compile_with(registry, "test:schema",
                                     &(struct schema_options){.annotations = reduce_annotations}, &err);
    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

static inline struct combiner *make_combiner(const struct combiner_binding *bindings, size_t count,
                                             size_t memory, const char *folder)
{
    struct error err;
    struct combiner *combiner =
        combiner_new(bindings, count, &(struct combiner_options){memory, folder}, &err);
    if (!combiner)
        fail_msg("%s", err.message);
    return combiner;
}

#endif
