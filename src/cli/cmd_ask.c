/* `firth ask`: one question to a connector for the API, started by the daemon; nothing for people. */
#include "cli/output.h"
#include "server/ask.h"

struct ask_command {
    struct option_number request_fd, answer_fd;
};

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct ask_command *options = cli->options;
    struct error err;
    if (!options->request_fd.given || !options->answer_fd.given) {
        error_set(&err, ERROR_INVALID,
                  "firth ask is started by firth serve: it needs --request-fd and --answer-fd");
        return cli_usage(cli, &err);
    }
    return ask_main(cli->built_ins, (int)options->request_fd.value, (int)options->answer_fd.value, &err) < 0
               ? cli_fail(cli, &err)
               : CLI_OK;
}

static const struct option_spec options[] = {
    {.name = "request-fd",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct ask_command, request_fd),
     .value = "N",
     .help = "descriptor to read the question from",
     .max = INT32_MAX},
    {.name = "answer-fd",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct ask_command, answer_fd),
     .value = "N",
     .help = "descriptor to answer on",
     .max = INT32_MAX},
    {0},
};

const struct command cli_ask = {
    .name = "ask",
    .arguments = "",
    .summary = "ask a connector for the API (started by firth serve)",
    .options = options,
    .options_size = sizeof(struct ask_command),
    .hidden = true,
    .images = true,
    .run = run,
};
