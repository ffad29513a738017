/* What capture and materialization connectors that speak Flow's protocol say of a catalog. */
#ifndef FIRTH_CLI_FLOW_CHECK_H
#define FIRTH_CLI_FLOW_CHECK_H

#include "cli/endpoint_check.h"

/* For each of both that is not disabled and of a local command that speaks Flow's protocol: its config and
 * resources by the schemas of its `spec`, then, of a catalog that loaded, its `validate`; for a
 * materialization also whether the fields that are wanted can be had. Adds to *errors what is wrong, each at
 * its place, without a value of a config. How much is asked is the check's depth: ENDPOINT_CHECK_ALL
 * everything, less nothing, since a run asks by itself before it begins. */
void flow_check(const struct endpoint_check *check, const struct catalog *catalog, bool loaded,
                struct catalog_errors *errors);

/* What the capture's connector, of which the spec is known, says to `validate`. */
int flow_check_validate(const struct connector_program *program, const struct catalog *catalog,
                        const struct catalog_capture *capture, struct slice config_schema,
                        const char *data_dir, struct error *err);

#endif
