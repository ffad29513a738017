#include "cli/command.h"

#include <string.h>

const struct command *const cli_commands[] = {
    &cli_connector,
    &cli_connectors,
    &cli_help,
    &cli_version,
    NULL,
};

const struct command *cli_command_find(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    }
    return NULL;
}
