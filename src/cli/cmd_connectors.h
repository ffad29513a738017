/* `firth connectors` in its parts. Private to cmd_connectors*.c. */
#ifndef FIRTH_CLI_CMD_CONNECTORS_H
#define FIRTH_CLI_CMD_CONNECTORS_H

#include "cli/command.h"
#include "control/definitions.h"

struct connectors_options {
    const char *image, *command, *manifest;
    int kind; /* 0: by the name; else enum control_side + 1 */
};

/* Each an enum cli_exit. */
int connectors_add(struct cli *cli, const char *name);
int connectors_remove(struct cli *cli, const char *name);

/* Members of an object that is open: what runs it. */
struct json_writer;
void connectors_write_custom(struct json_writer *writer, const struct control_definition *definition);

#endif
