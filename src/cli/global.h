/* The options that every command takes, before or after its name. */
#ifndef FIRTH_CLI_GLOBAL_H
#define FIRTH_CLI_GLOBAL_H

#include "cli/options.h"

struct global_options {
    const char *data_dir;
    int output; /* 0 text, 1 json */
    bool no_color;
    const char *log_level;
    bool help, version;
};
extern const struct option_spec global_option_specs[];

struct cli;
/* `firth --help`. */
int help_overview(const struct cli *cli, int fd);
/* `firth NAME --help`. */
struct command;
int help_command(const struct cli *cli, const struct command *command);
int help_version(const struct cli *cli);
/* ERROR_INVALID "unknown command …", with the nearest name. */
int help_unknown_command(const char *name, struct error *err);

#endif
