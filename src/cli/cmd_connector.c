/* firth connector NAME VERB …: a built-in connector as a program of its own. */
#include "base/file.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run_image.h"
#include "connectors/registry.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

struct connector_options {
    const char *config, *catalog, *state, *manifest;
    bool debug;
};

static const struct option_spec specs[] = {
    {"config", 0, OPTION_STRING, offsetof(struct connector_options, config), "FILE",
     "the connector's configuration, JSON; for all but spec"},
    {"catalog", 0, OPTION_STRING, offsetof(struct connector_options, catalog), "FILE",
     "the configured catalog, for read and write"},
    {"state", 0, OPTION_STRING, offsetof(struct connector_options, state), "FILE",
     "where to go on, for read: the states that an earlier one emitted"},
    {"manifest-path", 0, OPTION_STRING, offsetof(struct connector_options, manifest), "FILE",
     "the low-code manifest that 'declarative' runs"},
    {"debug", 0, OPTION_FLAG, offsetof(struct connector_options, debug), NULL,
     "accepted, since Airbyte's development kit has it"},
    {NULL},
};

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
    error_set(&err, ERROR_NOT_FOUND,
              "there is no built-in connector '%s'%s%s%s 'firth connectors' lists them",
              option_show(name, shown), near ? "; did you mean " : ";", near ? near : "", near ? "?" : "");
    arena_done(&arena);
    return cli_fail(cli, &err);
}

/* No built-in's name has these. */
static bool is_image(const char *name)
{
    return strpbrk(name, "/:@") != NULL;
}

static int run_as_image(struct cli *cli, int argc, char **argv)
{
    const struct connector_options *given = cli->options;
    const struct run_image image = {
        .image = argv[1],
        .verb = argc > 2 ? argv[2] : NULL,
        .config = given->config,
        .catalog = given->catalog,
        .state = given->state,
    };
    return run_image(cli, &image);
}

/* The program beside this one, else one on PATH. Returns only if there is none. */
static int run_elsewhere(struct cli *cli, const struct firth_connector_class *class_, char **words)
{
    struct error err;
    auto_free char *name = mem_printf("firth-%s", class_->name);
    auto_free char *beside = file_resolve(cli->built_ins->program, name);
    signal(SIGPIPE, SIG_DFL);
    words[0] = name;
    execv(beside, words);
    if (errno == ENOENT)
        execvp(name, words);
    if (errno == ENOENT)
        error_set(&err, ERROR_NOT_FOUND,
                  "%s is a program of its own, %s, which is neither beside this one nor on PATH: it is built "
                  "where its library is, which scripts/setup fetches",
                  class_->name, name);
    else
        error_errno(&err, errno, "cannot run %s", beside);
    return cli_fail(cli, &err);
}

static int run_connector(struct cli *cli, int argc, char **argv)
{
    const struct connector_options *given = cli->options;
    struct error err;
    const char *stands_for = is_image(argv[1]) ? connector_built_in_for(cli->built_ins, argv[1]) : NULL;
    if (is_image(argv[1]) && !stands_for)
        return run_as_image(cli, argc, argv);
    if (stands_for)
        log_info(&cli->log,
                 "the image %s is run by the built-in %s; --connectors image runs the image itself", argv[1],
                 stands_for);
    const struct firth_connector_class *class_ = connectors_find(stands_for ? stands_for : argv[1]);
    if (!class_)
        return unknown_connector(cli, argv[1]);
    if (argc < 3 && (given->config || given->catalog || given->state)) {
        error_set(&err, ERROR_INVALID, "%s needs a verb: spec, check%s", class_->name,
                  class_->source.read ? ", discover or read" : " or write");
        return cli_usage(cli, &err);
    }
    /* What the connector understands, without Firth's own options. */
    enum { WORDS_MAX = 2 + 2 * 4 };
    char config[] = "--config", catalog[] = "--catalog", state[] = "--state", manifest[] = "--manifest-path";
    const struct {
        char *name;
        const char *value;
    } options[] = {{config, given->config},
                   {catalog, given->catalog},
                   {state, given->state},
                   {manifest, given->manifest}};
    char *words[WORDS_MAX + 1] = {(char *)(uintptr_t)class_->name, argc > 2 ? argv[2] : NULL};
    int count = argc > 2 ? 2 : 1;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (options[i].value) {
            words[count++] = options[i].name;
            words[count++] = (char *)(uintptr_t)options[i].value;
        }
    }
    if (connectors_is_elsewhere(class_))
        return run_elsewhere(cli, class_, words);
    signal(SIGPIPE, SIG_DFL); /* from here on it is a connector's process, which has its own ways */
    return firth_connector_main(class_, count, words);
}

const struct command cli_connector = {
    .name = "connector",
    .arguments = "NAME|IMAGE [spec|check|discover|read|write]",
    .summary = "run a connector by itself",
    .help =
        "With a verb, a built-in connector speaks Airbyte's protocol: one JSON message a line on standard\n"
        "output. Without one it speaks Flow's: requests on standard input, a line each.\n"
        "\n"
        "  firth connector source-faker spec\n"
        "  firth connector source-faker check    --config config.json\n"
        "  firth connector source-faker discover --config config.json\n"
        "  firth connector source-faker read     --config config.json --catalog catalog.json\n"
        "  firth connector destination-local-json write --config config.json --catalog catalog.json\n"
        "\n"
        "A manifest of Airbyte's low-code language is run by the built-in named declarative:\n"
        "\n"
        "  firth connector declarative --manifest-path manifest.yaml discover --config config.json\n"
        "\n"
        "An image of Airbyte's is run with the same words. One that speaks Flow's protocol takes no verb: "
        "its\n"
        "requests come on standard input.\n"
        "\n"
        "  firth connector airbyte/source-github:2.1.5 discover --config config.json\n"
        "\n"
        "Exit status: 0 done (and of a check, whatever its answer), 1 failed, 2 the command line is wrong,\n"
        "3 a config, catalog or state is wrong or not there. A TRACE message says why it failed.\n",
    .options = specs,
    .options_size = sizeof(struct connector_options),
    .operands_min = 1,
    .operands_max = 2,
    .images = true,
    .stops_itself = true,
    .run = run_connector,
};
