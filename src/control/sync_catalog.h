/* What a connection's syncCatalog may not ask for. */
#ifndef FIRTH_CONTROL_SYNC_CATALOG_H
#define FIRTH_CONTROL_SYNC_CATALOG_H

#include "base/error.h"
#include "json/json.h"

/* Of the streams that are selected. ERROR_INVALID names the first that is read incrementally and overwrites:
 * each sync would replace all that was synced before by what is new. *ret_number is its place in the list,
 * from 0; *ret_node its destinationSyncMode. What has another shape than a catalog's is not judged here. */
int control_sync_catalog_check(const struct json *doc, uint32_t catalog, size_t *ret_number,
                               uint32_t *ret_node, struct error *err);

#endif
