/* From a catalog's collection to what connectors of Flow's are told of it. */
#ifndef FIRTH_TASK_FLOW_COLLECTION_H
#define FIRTH_TASK_FLOW_COLLECTION_H

#include "catalog/catalog.h"
#include "protocol/flow.h"

/* Fill the CollectionSpec; its strings are in the arena or the catalog's. Schemas are bundled: what they
 * refer to in other documents is in their $defs under its URI. Projections are the declared ones and one for
 * each location that the read schema names, the key's and the root (flow_document) among them. */
void task_flow_collection(const struct catalog *catalog, const struct catalog_collection *collection,
                          struct arena *arena, struct flow_collection *ret_collection);

#endif
