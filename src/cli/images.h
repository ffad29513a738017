/* The options of every command that may run an OCI image (struct command.images), and the engine they set up.
 */
#ifndef FIRTH_CLI_IMAGES_H
#define FIRTH_CLI_IMAGES_H

#include "cli/command.h"
#include "connector/oci.h"

struct image_options {
    const char *connectors, *engine, *pull, *pull_timeout, *network, *memory, *cpus;
};
extern const struct option_spec image_option_specs[];

/* Give the catalog its engine, by the options and, for what they leave open, by the environment.
 * ERROR_INVALID names the option or variable. The engine is freed by its owner, with connector_engine_free.
 */
int images_open(struct cli *cli, const struct image_options *options, struct connector_catalog *catalog,
                struct error *err);
/* --pull-timeout or its variable; 0: neither. */
int images_pull_timeout(const struct image_options *options, uint64_t *ret_ms, struct error *err);
/* The options that were given, as words for a command of our own: NULL-terminated, in the arena. */
const char *const *images_words(const struct image_options *options, struct arena *arena);
/* Also legal after a failure of images_open. */
void images_close(struct cli *cli, struct connector_catalog *catalog);

#endif
