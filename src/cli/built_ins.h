/* The registry of built-in connectors (connectors/registry.h, a layer above src/connector) as the catalog
 * that src/connector resolves names against. */
#ifndef FIRTH_CLI_BUILT_INS_H
#define FIRTH_CLI_BUILT_INS_H

#include "connector/connector.h"

/* The items go to the arena; `program` is borrowed. */
void built_ins_catalog(const char *program, struct arena *arena, struct connector_catalog *ret_catalog);

#endif
