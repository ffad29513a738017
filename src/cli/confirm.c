#include "cli/confirm.h"

#include <unistd.h>

static bool says_yes(const char *question)
{
    char answer[64];
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin) &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}

int cli_confirm(const struct cli *cli, bool yes, const char *question, const char *done)
{
    if (yes)
        return CLI_OK;
    if (cli->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        log_error(&cli->log, "nothing was %s: there is nobody to ask; --yes does it without asking", done);
        return CLI_FAILED;
    }
    if (says_yes(question))
        return CLI_OK;
    log_info(&cli->log, "nothing was %s", done);
    return CLI_FAILED;
}
