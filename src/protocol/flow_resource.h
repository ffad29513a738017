/* The config of a resource made by name alone: a connector's schema of resources marks where the table, the
 * schema and the choice of delta updates go (x-collection-name, x-schema-name, x-delta-updates). */
#ifndef FIRTH_PROTOCOL_FLOW_RESOURCE_H
#define FIRTH_PROTOCOL_FLOW_RESOURCE_H

#include "json/json.h"

/* `target`: {"table", "schema"?, "deltaUpdates"?}, as the catalog writes it for a collection of a source
 * capture. *ret_resource lives in the arena. ERROR_INVALID if the connector has no place for something that
 * is wanted; what was wanted and what to write instead is in the message. */
int flow_resource_make(struct slice raw_schema, struct slice target, struct arena *arena,
                       struct slice *ret_resource, struct error *err);

#endif
