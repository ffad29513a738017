/* What a catalog asks of Airbyte connectors, as far as it can be told without one that is not our own: the
 * configs, roles and streams of built-in connectors, resources, names of images that look like a slip. */
#ifndef FIRTH_CLI_ENDPOINT_CHECK_H
#define FIRTH_CLI_ENDPOINT_CHECK_H

#include "catalog/catalog.h"
#include "connector/connector.h"

/* Add to *errors what is wrong, each at its place. Runs built-in connectors for their spec and, where a
 * source's config is right, its streams. No message holds a value of a config. */
void endpoint_check(const struct connector_catalog *built_ins, const struct catalog *catalog,
                    struct catalog_errors *errors);

#endif
