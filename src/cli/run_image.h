/* `firth connector IMAGE …`: an image as a program of its own, with our standard descriptors as its. */
#ifndef FIRTH_CLI_RUN_IMAGE_H
#define FIRTH_CLI_RUN_IMAGE_H

#include "cli/command.h"

struct run_image {
    const char *image;
    const char *verb;                     /* NULL: Flow's protocol on stdin and stdout */
    const char *config, *catalog, *state; /* files, or NULL */
};

/* Returns its exit code, or ours (enum cli_exit) if it could not be run. */
int run_image(struct cli *cli, const struct run_image *what);

#endif
