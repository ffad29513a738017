/* The built-in connectors as definitions of the control store: Airbyte's own ids where it has the connector,
 * else ids made of their names. */
#ifndef FIRTH_SUPERVISOR_DEFINITIONS_H
#define FIRTH_SUPERVISOR_DEFINITIONS_H

#include "connector/connector.h"
#include "control/definitions.h"

/* Put those that are not there or have changed. */
int definitions_put_built_ins(struct control *control, const struct connector_catalog *built_ins,
                              int64_t now_ms, struct error *err);

/* What is run: `image` ("x/y:1"), or `manifest`, a file, or the command that is there already. */
void definitions_set_program(struct control_definition *definition, const char *image, const char *manifest,
                             struct arena *arena);

#endif
