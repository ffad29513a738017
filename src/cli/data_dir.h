/* The data directory: opening it for commands that only look, and who holds it. */
#ifndef FIRTH_CLI_DATA_DIR_H
#define FIRTH_CLI_DATA_DIR_H

#include "cli/command.h"
#include "store/store.h"

/* cli->data_dir read-only, or NULL with an error that says what to do when there is none yet. */
struct store *data_dir_open(const struct cli *cli, struct error *err);

/* Is it there, and of a version that this program knows? For commands that look elsewhere in it. */
int data_dir_check(const struct cli *cli, struct error *err);

/* The lock's ERROR_BUSY, which names who holds it, with what to do about it. */
void data_dir_explain_busy(struct error *err);

#endif
