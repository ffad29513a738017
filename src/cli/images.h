/* The options of every command that may run an OCI image (struct command.images), and the engine they set up.
 */
#ifndef FIRTH_CLI_IMAGES_H
#define FIRTH_CLI_IMAGES_H

#include "cli/command.h"
#include "connector/oci.h"

struct image_options {
    const char *connectors, *engine, *pull, *network, *memory, *cpus;
};
extern const struct option_spec image_option_specs[];

/* Give the catalog its engine, by the options and, for what they leave open, by the environment.
 * ERROR_INVALID names the option or variable. The engine is freed by its owner, with connector_engine_free.
 */
int images_open(struct cli *cli, const struct image_options *options, struct connector_catalog *catalog,
                struct error *err);
/* Also legal after a failure of images_open. */
void images_close(struct cli *cli, struct connector_catalog *catalog);

#endif
