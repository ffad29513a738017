/* `firth manifest` in its parts. Private to cmd_manifest*.c. */
#ifndef FIRTH_CLI_CMD_MANIFEST_H
#define FIRTH_CLI_CMD_MANIFEST_H

#include "cli/command.h"

struct manifest_options {
    const char *config, *stream, *state;
    struct option_number pages, slices, limit;
};

/* `test`: an enum cli_exit. */
int manifest_test(struct cli *cli, const char *path, const struct manifest_options *options);

#endif
