#include "cli/command.h"

#include <string.h>

// clang-format off
const struct command *const cli_commands[] = {
    &cli_discover,
    &cli_autodiscover,
    &cli_check,
    &cli_run,
    &cli_deploy,
    &cli_serve,
    &cli_password,
    &cli_apply,
    &cli_export,
    &cli_job,
    &cli_read,
    &cli_status,
    &cli_drop,
    &cli_logs,
    &cli_test,
    &cli_validate,
    &cli_combine,
    &cli_infer,
    &cli_connectors,
    &cli_connector,
    &cli_manifest,
    &cli_plan,
    &cli_ask,
    &cli_task,
    &cli_help,
    &cli_version,
    NULL,
};
// clang-format on

const struct command *cli_command_find(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    }
    return NULL;
}
