/* What a materialization's binding is told of its source: which documents, and which of their fields. One
 * JSON object in the task's specification. */
#ifndef FIRTH_TASK_SOURCE_SPEC_H
#define FIRTH_TASK_SOURCE_SPEC_H

#include "catalog/catalog.h"
#include "json/writer.h"

struct task_source_spec {
    struct catalog_source source; /* without its collection */
    struct catalog_fields fields;
    enum catalog_on_incompatible on_incompatible;
    uint32_t priority;
    bool from_source; /* the binding's resource says what it is to be called, see catalog.h */
};

void task_source_spec_write(struct json_writer *writer,
                            const struct catalog_materialization_binding *binding);
/* Strings live in the arena. ERROR_INVALID for what this program does not write. */
int task_source_spec_read(struct slice json, struct arena *arena, struct task_source_spec *ret_spec,
                          struct error *err);

#endif
