/* firth connector NAME VERB …: a built-in connector as a program of its own. */
#include "cli/command.h"
#include "cli/output.h"
#include "connectors/registry.h"

#include <signal.h>

static int unknown_connector(struct cli *cli, const char *name)
{
    struct arena arena;
    struct error err;
    char shown[OPTION_SHOWN_MAX];
    arena_init(&arena);
    size_t count = cli->built_ins->count;
    const char **names = arena_zalloc(&arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = cli->built_ins->items[i].name;
    const char *near = string_nearest(name, names, count);
    error_set(&err, ERROR_INVALID, "there is no built-in connector '%s'%s%s%s; 'firth connectors' lists them",
              option_show(name, shown), near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    arena_done(&arena);
    return cli_usage(cli, &err);
}

static int run_connector(struct cli *cli, int argc, char **argv)
{
    struct error err;
    if (argc < 2) {
        error_set(&err, ERROR_INVALID,
                  "'firth connector' needs a connector's name; 'firth connectors' lists them");
        return cli_usage(cli, &err);
    }
    const struct firth_connector_class *class_ = connectors_find(argv[1]);
    if (!class_)
        return unknown_connector(cli, argv[1]);
    signal(SIGPIPE, SIG_DFL); /* from here on it is a connector's process, which has its own ways */
    return firth_connector_main(class_, argc - 1, argv + 1);
}

const struct command cli_connector = {
    .name = "connector",
    .arguments = "NAME spec|check|discover|read|write [--config FILE] [--catalog FILE] [--state FILE]",
    .summary = "run a built-in connector by itself",
    .help = "A built-in connector speaks Airbyte's protocol: one JSON message a line on standard output.\n"
            "\n"
            "  firth connector source-faker spec\n"
            "  firth connector source-faker check    --config config.json\n"
            "  firth connector source-faker discover --config config.json\n"
            "  firth connector source-faker read     --config config.json --catalog catalog.json\n"
            "  firth connector destination-local-json write --config config.json --catalog catalog.json\n"
            "\n"
            "Exit status: 0 done, 1 failed (a TRACE message says why), 2 the command line is wrong.\n",
    .operands_min = 1,
    .operands_max = -1,
    .raw = true,
    .run = run_connector,
};
