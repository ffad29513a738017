/* What capture and materialization connectors that speak Flow's protocol say of a catalog: `firth check`
 * starts them and asks. */
#ifndef FIRTH_CLI_FLOW_CHECK_H
#define FIRTH_CLI_FLOW_CHECK_H

#include "catalog/catalog.h"
#include "connector/connector.h"

/* For each of both that is not disabled, of a local command that speaks Flow's protocol and is there: its
 * config and resources by the schemas of its `spec`, then its `validate`; for a materialization also whether
 * the fields that are wanted can be had. Adds to *errors what is wrong, each
 * at its place, without a value of a config. A command that is not there is left for the run. */
void flow_check(const struct connector_catalog *built_ins, const struct catalog *catalog,
                struct catalog_errors *errors);

#endif
