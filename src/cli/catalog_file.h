/* A catalog as commands take it: loaded, its connectors asked about it, its errors printed. */
#ifndef FIRTH_CLI_CATALOG_FILE_H
#define FIRTH_CLI_CATALOG_FILE_H

#include "catalog/catalog.h"
#include "cli/endpoint_check.h"
#include "cli/output.h"

/* How a command wants its catalog; all zero: from the disk, with built-in connectors asked. */
struct catalog_file {
    const struct catalog_options *options; /* how to read it (catalog/snapshot.h), or NULL */
    enum endpoint_check_depth depth;
    const struct option_list *tasks; /* whose connectors are asked; NULL or empty: all */
    struct catalog_errors *notes;    /* of endpoint_check; NULL: not told */
};

/* catalog_load, then endpoint_check. NULL with *errors (at least one). `file` may be NULL. */
struct catalog *catalog_file_load(const struct cli *cli, const char *path, const struct catalog_file *file,
                                  struct catalog_errors *errors);

/* The whole for a command: load, or tell what is wrong, all of it, on standard error. CLI_OK or the exit
 * code. */
int catalog_file_need(const struct cli *cli, const char *path, const struct catalog_file *file,
                      struct catalog **ret_catalog);

/* For people a line for each error, on a terminal with the line of the file and a caret below; with -o json
 * {"ok":false,"error":{…},"errors":[{"file","line","column","message"}…],"omitted":N}, `error` being the
 * first. Returns the exit code. */
int catalog_file_tell(const struct cli *cli, const struct catalog_errors *errors, int fd);

#endif
