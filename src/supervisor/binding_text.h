/* What a task of a catalog moves, for people: a deploy keeps it beside the task's name, so that who shows it
 * needs neither the key nor the catalog (control_task.bindings). */
#ifndef FIRTH_SUPERVISOR_BINDING_TEXT_H
#define FIRTH_SUPERVISOR_BINDING_TEXT_H

#include "catalog/compare.h"

/* A JSON array of {"stream", "collection", "enabled"}: the resource's name, and what is written of a capture,
 * read of a materialization. NULL of a connection. */
const char *binding_text(const struct catalog_task *task, struct arena *arena);

#endif
