/* The command line: one table of subcommands, one file each. */
#ifndef FIRTH_CLI_COMMAND_H
#define FIRTH_CLI_COMMAND_H

#include "base/log.h"
#include "connector/connector.h"

/* Exit codes, the same for every command (documented in docs/cli.md). */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,       /* the work was done and the answer is no: violations, a task that failed */
    CLI_USAGE = 2,        /* the command line is wrong */
    CLI_INVALID = 3,      /* a catalog, config or schema is wrong */
    CLI_BUSY = 4,         /* another Firth holds the data directory */
    CLI_IO = 5,           /* the machine refused: disk, memory, network */
    CLI_INTERRUPTED = 130 /* stopped by Ctrl-C */
};

/* What main knows when it calls a command. */
struct cli {
    const char *program;  /* path of this binary, to run it again */
    const struct connector_catalog *built_ins;
    struct log log;       /* to stderr */
    bool json;            /* -o json */
    bool terminal;        /* stdout and stderr are terminals and NO_COLOR / TERM=dumb do not say otherwise */
    const char *data_dir; /* --data-dir, FIRTH_DATA_DIR, .firth */
};

struct command {
    const char *name;
    const char *arguments; /* "CATALOG [--task NAME] [--once]" */
    const char *summary;   /* one line for `firth --help` */
    const char *help;      /* what `firth NAME --help` adds below usage, summary: options, examples */
    bool hidden;           /* not in `firth --help` (firth task) */
    /* argv[0] is the command's name; global options have been taken out. Returns an enum cli_exit. */
    int (*run)(struct cli *cli, int argc, char **argv);
};

/* In the order of `firth --help`; ends with a NULL name. */
extern const struct command cli_commands[];

#endif
