#include "cli/confirm.h"

#include "cli/output.h"
#include "cli/prompt.h"

#include <unistd.h>

int cli_confirm(const struct cli *cli, bool yes, const char *question, const char *done)
{
    struct error err;
    if (yes)
        return CLI_OK;
    if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        error_set(&err, ERROR_INVALID, "nothing was %s: there is nobody to ask; --yes does it without asking",
                  done);
        cli_fail(cli, &err);
        return CLI_FAILED;
    }
    struct prompt prompt;
    prompt_init(&prompt, cli->terminal);
    int answer = prompt_yes(&prompt, question, false, &err);
    prompt_done(&prompt);
    if (answer == 1)
        return CLI_OK;
    log_info(&cli->log, "nothing was %s", done);
    return CLI_FAILED;
}
