#include "cli/confirm.h"

#include "cli/prompt.h"

#include <unistd.h>

int cli_confirm(const struct cli *cli, bool yes, const char *question, const char *done)
{
    if (yes)
        return CLI_OK;
    if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        log_error(&cli->log, "nothing was %s: there is nobody to ask; --yes does it without asking", done);
        return CLI_FAILED;
    }
    struct prompt prompt;
    struct error err;
    prompt_init(&prompt, cli->terminal);
    int answer = prompt_yes(&prompt, question, false, &err);
    prompt_done(&prompt);
    if (answer == 1)
        return CLI_OK;
    log_info(&cli->log, "nothing was %s", done);
    return CLI_FAILED;
}
