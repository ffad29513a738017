/* The command line: one table of subcommands, one file each.
 *
 * A command is a const struct command in its cmd_x.c: its words, its options and its function. main.c
 * parses the global options, which may stand before and after the command's name, and the command's own
 * from the same table that `--help` prints, so the two cannot differ. To add one: write cmd_x.c, declare
 * its struct at the end of this file, add it to the list in commands.c and to meson.build. */
#ifndef FIRTH_CLI_COMMAND_H
#define FIRTH_CLI_COMMAND_H

#include "base/log.h"
#include "cli/options.h"
#include "connector/connector.h"

/* Exit codes, the same for every command (documented in docs/cli.md). */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,       /* the work was done and the answer is no: violations, a task that failed */
    CLI_USAGE = 2,        /* the command line is wrong */
    CLI_INVALID = 3,      /* a catalog, config or schema is wrong */
    CLI_BUSY = 4,         /* another Firth holds the data directory */
    CLI_IO = 5,           /* the machine refused: disk, memory, network */
    CLI_INTERRUPTED = 130 /* stopped by Ctrl-C or SIGTERM */
};

/* What main knows when it calls a command. */
struct cli {
    const char *program;                       /* path of this binary, to run it again */
    const struct connector_catalog *built_ins; /* never NULL */
    const struct command *command;             /* the one that runs */
    const void *options;                       /* the command's parsed options: its struct of options_size */
    struct log log;                            /* to stderr */
    bool json;                                 /* -o json */
    bool terminal;         /* stdout and stderr are terminals and NO_COLOR / TERM=dumb do not say otherwise */
    bool color_error;      /* as terminal, for stderr alone: messages */
    const char *data_dir;  /* --data-dir, FIRTH_DATA_DIR, .firth */
    char *engine_data_dir; /* the same as an absolute path, for commands that may run images */
    const struct image_options *images; /* of those commands, as given */
};

struct command {
    const char *name;
    const char *arguments; /* operands of the usage line: "COLLECTION", "[FILE]" */
    const char *summary;   /* one line for `firth --help`: lower case, no full stop */
    const char *help;      /* what `--help` adds below the options: what it does, examples; may be NULL */
    const struct option_spec *options; /* its own options, ends with a NULL name; NULL: none */
    size_t options_size;               /* of the struct that they fill, zeroed before; see cli->options */
    int operands_min, operands_max;    /* checked by main; operands_max -1: no limit */
    bool hidden;                       /* not in `firth --help` (firth task) */
    bool images;                       /* it may run OCI images: takes their options too (cli/images.h) */
    bool stops_itself; /* SIGINT and SIGTERM are its own; other commands end at once with CLI_INTERRUPTED */
    /* argv[0] is the command's name, then come the operands, then NULL. Returns an enum cli_exit. */
    int (*run)(struct cli *cli, int argc, char **argv);
};

/* In the order of `firth --help`; NULL-terminated. */
extern const struct command *const cli_commands[];

const struct command *cli_command_find(const char *name); /* NULL if there is none */

/* Each is in its own file, cmd_<name>.c. */
extern const struct command cli_apply;
extern const struct command cli_autodiscover;
extern const struct command cli_ask;
extern const struct command cli_check;
extern const struct command cli_combine;
extern const struct command cli_connector;
extern const struct command cli_connectors;
extern const struct command cli_deploy;
extern const struct command cli_drop;
extern const struct command cli_discover;
extern const struct command cli_export;
extern const struct command cli_help;
extern const struct command cli_infer;
extern const struct command cli_job;
extern const struct command cli_logs;
extern const struct command cli_manifest;
extern const struct command cli_password;
extern const struct command cli_plan;
extern const struct command cli_read;
extern const struct command cli_run;
extern const struct command cli_serve;
extern const struct command cli_status;
extern const struct command cli_task;
extern const struct command cli_test;
extern const struct command cli_validate;
extern const struct command cli_version; /* cmd_help.c */

#endif
