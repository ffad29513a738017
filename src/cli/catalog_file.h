/* A catalog as commands take it: loaded, what it asks of built-in connectors checked, its errors printed. */
#ifndef FIRTH_CLI_CATALOG_FILE_H
#define FIRTH_CLI_CATALOG_FILE_H

#include "catalog/catalog.h"
#include "cli/output.h"

/* catalog_load, then endpoint_check. NULL with *errors (at least one) and *err, the first. */
struct catalog *catalog_file_load(const struct cli *cli, const char *path, struct catalog_errors *errors,
                                  struct error *err);

/* The same, read with options (catalog/snapshot.h). */
struct catalog *catalog_file_load_with(const struct cli *cli, const char *path,
                                       const struct catalog_options *options, struct catalog_errors *errors,
                                       struct error *err);

/* The whole for a command: load, or print what is wrong. CLI_OK or the exit code. */
int catalog_file_need(const struct cli *cli, const char *path, const struct catalog_options *options,
                      struct catalog **ret_catalog);

/* A line for each error; with `excerpts` the line of the file and a caret below. */
void catalog_file_print_errors(const struct catalog_errors *errors, bool excerpts, struct output *output);

#endif
