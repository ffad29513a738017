/* `firth task`: one session of one task, started by the supervisor; nothing for people. */
#include "cli/command.h"
#include "ingest/listener.h"
#include "task/task.h"

struct task_command {
    struct option_number spec_fd, events_fd;
};

static int run(struct cli *cli, int argc, char **argv)
{
    const struct task_command *options = cli->options;
    if (!options->spec_fd.given || !options->events_fd.given) {
        log_error(&cli->log,
                  "firth task is started by firth run and firth serve: it needs --spec-fd and --events-fd");
        return CLI_USAGE;
    }
    if (argc > 1 && strcmp(argv[1], "ingest") == 0)
        return ingest_main((int)options->spec_fd.value, (int)options->events_fd.value) ? CLI_FAILED : CLI_OK;
    return task_main((int)options->spec_fd.value, (int)options->events_fd.value) ? CLI_FAILED : CLI_OK;
}

static const struct option_spec options[] = {
    {.name = "spec-fd",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct task_command, spec_fd),
     .value = "N",
     .help = "descriptor to read the task's specification from",
     .max = INT32_MAX},
    {.name = "events-fd",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct task_command, events_fd),
     .value = "N",
     .help = "descriptor to report events on",
     .max = INT32_MAX},
    {0},
};

const struct command cli_task = {
    .name = "task",
    .arguments = "[ingest]",
    .operands_max = 1,
    .summary = "run one session of a task (started by firth run and firth serve)",
    .options = options,
    .options_size = sizeof(struct task_command),
    .hidden = true,
    .stops_itself = true,
    .run = run,
};
