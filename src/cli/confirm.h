/* A question before something that cannot be taken back. */
#ifndef FIRTH_CLI_CONFIRM_H
#define FIRTH_CLI_CONFIRM_H

#include "cli/command.h"

/* Ask "QUESTION [y/N] " on the terminal. CLI_OK: yes, or `yes` was given beforehand. CLI_FAILED, and "nothing
 * was DONE" is said, for any other answer, or if there is nobody to ask: then also that --yes does it. */
int cli_confirm(const struct cli *cli, bool yes, const char *question, const char *done);

#endif
