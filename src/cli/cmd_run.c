/* `firth run`: the tasks of one catalog in the foreground. */
#include "base/file.h"
#include "cli/catalog_file.h"
#include "cli/data_dir.h"
#include "cli/progress.h"
#include "cli/run_events.h"
#include "store/store.h"
#include "supervisor/plan.h"

#include <limits.h>
#include <unistd.h>

struct run_options {
    struct option_list tasks;
    bool once;
    const char *retry_after, *commit_every, *stall_after;
    const char *ingest, *ingest_tls_cert, *ingest_tls_key;
    const char *ingest_kafka, *ingest_kafka_advertise, *ingest_kafka_token;
    bool ingest_open;
    struct option_number parallel;
};

/* One of the two is used: the display for people, or JSON lines. */
struct listener {
    struct progress *progress;
    struct run_events json;
};

static void on_skipped(void *context, const char *message)
{
    const struct cli *cli = context;
    log_warn(&cli->log, "%s", message);
}

/* What a session's specification is made of anew. */
struct refresh {
    const struct catalog *catalog;
    struct catalog_snapshot *snapshot; /* the files as they were when the run began */
    struct plan_options plan;
};

static bool refresh(void *context, const struct supervisor_task *supervised, struct buffer *spec)
{
    const struct refresh *refresh = context;
    const struct catalog_task task = {.materialization =
                                          catalog_materialization(refresh->catalog, supervised->name)};
    return plan_is_inferred(&task) &&
           plan_refresh(refresh->snapshot, refresh->catalog->file, supervised->name, &refresh->plan, spec);
}

static int supervise(struct cli *cli, const struct catalog *catalog, struct catalog_snapshot *snapshot,
                     const char *data_dir, struct listener *listener, struct output *output)
{
    struct refresh again = {.catalog = catalog, .snapshot = snapshot};
    const struct run_options *options = cli->options;
    struct error err;
    struct supervisor_options supervision = {
        .program = cli->program,
        .data_dir = data_dir,
        .once = options->once,
        .ingest = {options->ingest, options->ingest_tls_cert, options->ingest_tls_key, options->ingest_open,
                   options->ingest_kafka, options->ingest_kafka_advertise, options->ingest_kafka_token,
                   false},
        .refresh = refresh,
        .refresh_context = &again,
        .children_max = (uint32_t)options->parallel.value};
    uint64_t commit_ms = 0, stall_ms = 0;
    if (option_duration("--retry-after", options->retry_after, &supervision.retry_ms, &err) < 0 ||
        option_duration("--commit-every", options->commit_every, &commit_ms, &err) < 0 ||
        option_duration("--stall-after", options->stall_after, &stall_ms, &err) < 0)
        return cli_usage(cli, &err);
    supervision.events = cli->json ? run_events(&listener->json) : progress_events(listener->progress);
    mem_auto(supervisor_free) struct supervisor *supervisor = supervisor_new(&supervision);
    const struct plan_options plan = {.built_ins = cli->built_ins,
                                      .data_dir = data_dir,
                                      .commit_ms = commit_ms,
                                      .once = options->once,
                                      .stall_ms = stall_ms,
                                      .only = options->tasks.items,
                                      .only_count = options->tasks.count};
    again.plan = plan;
    if (plan_catalog(supervisor, catalog, &plan, on_skipped, cli, &err) < 0)
        return cli_fail(cli, &err);

    struct supervisor_summary summary;
    if (!cli->json)
        progress_begin(listener->progress, supervisor);
    int result = supervisor_run(supervisor, &summary, &err);
    if (!cli->json)
        progress_finish(listener->progress, output);
    if (result < 0)
        return cli_fail(cli, &err);
    if (summary.failed)
        return CLI_FAILED;
    return summary.interrupted ? CLI_INTERRUPTED : CLI_OK;
}

static int run_locked(struct cli *cli, const struct catalog *catalog, struct catalog_snapshot *snapshot)
{
    const struct run_options *options = cli->options;
    struct error err;
    auto_free char *data_dir = file_absolute(cli->data_dir);
    char who[PATH_MAX + 16];
    snprintf(who, sizeof who, "firth run %s", catalog->file);
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, &err);
    struct store_lock *lock = store ? store_lock_acquire(store, who, &err) : NULL;
    if (!lock) {
        data_dir_explain_busy(&err);
        return cli_fail(cli, &err);
    }
    struct output output;
    output_init(&output, STDOUT_FILENO);
    struct listener listener = {.json = {.output = &output, .level = cli->log.level}};
    if (cli->json)
        output_mind_reader(&output);
    else
        listener.progress = progress_new(cli, options->once);
    int code = supervise(cli, catalog, snapshot, data_dir, &listener, &output);
    progress_free(listener.progress);
    code = output_finish(&output, cli, code);
    store_lock_release(lock);
    return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    const struct run_options *options = cli->options;
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_new();
    const struct catalog_file file = {.options = catalog_snapshot_recording(snapshot),
                                      .tasks = &options->tasks};
    struct catalog *catalog;
    int code = catalog_file_need(cli, argv[1], &file, &catalog);
    if (code != CLI_OK)
        return code;
    code = run_locked(cli, catalog, snapshot);
    catalog_free(catalog);
    return code;
}

static const struct option_spec options[] = {
    {.name = "task",
     .kind = OPTION_LIST,
     .offset = offsetof(struct run_options, tasks),
     .value = "NAME",
     .help = "run this task only (may be repeated)"},
    {.name = "once",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct run_options, once),
     .help = "one session of each task, then end; materializations last; exit code 1 if any failed"},
    {.name = "retry-after",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, retry_after),
     .value = "DURATION",
     .help = "delay before the first retry of a failed task; it doubles up to 5m (default 1s)"},
    {.name = "commit-every",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, commit_every),
     .value = "DURATION",
     .help = "commit what waits after so long at most (default 1s); less is fresher, more is faster"},
    {.name = "stall-after",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, stall_after),
     .value = "DURATION",
     .help = "a connector that says nothing for so long has failed (default 3h)"},
    {.name = "ingest",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest),
     .value = "HOST:PORT",
     .help = "where push captures are reached (127.0.0.1:8080); port 0: any that is free"},
    {.name = "ingest-tls-cert",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest_tls_cert),
     .value = "FILE",
     .help = "push captures by HTTPS: the certificate, PEM"},
    {.name = "ingest-tls-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest_tls_key),
     .value = "FILE",
     .help = "and its key, PEM"},
    {.name = "ingest-open",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct run_options, ingest_open),
     .help = "push captures take documents from other machines without a token"},
    {.name = "ingest-kafka",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest_kafka),
     .value = "HOST:PORT",
     .help = "serve Kafka clients there: push captures' collections are topics, and collections are read"},
    {.name = "ingest-kafka-advertise",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest_kafka_advertise),
     .value = "HOST:PORT",
     .help = "what Kafka clients are told to connect to (where they did)"},
    {.name = "ingest-kafka-token",
     .kind = OPTION_STRING,
     .offset = offsetof(struct run_options, ingest_kafka_token),
     .value = "FILE",
     .help = "holds the password by which Kafka clients read; without it this machine's alone may"},
    {.name = "parallel",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct run_options, parallel),
     .value = "N",
     .help = "tasks that run at the same time (default 8)",
     .min = 1,
     .max = SUPERVISOR_TASKS_MAX},
    {0},
};

const struct command cli_run = {
    .name = "run",
    .arguments = "CATALOG",
    .summary = "run a catalog's captures, connections and materializations",
    .help = "Each task is a process of its own. A capture runs again at its interval, a connection at its\n"
            "schedule; what fails and may succeed later is retried, with growing delays. Ctrl-C lets every\n"
            "task finish its transaction and stops; a second Ctrl-C stops at once. Whatever stops it, the\n"
            "next run goes on from the last commit.\n"
            "\n"
            "  firth run flow.yaml\n"
            "  firth run flow.yaml --task acmeCo/faker --once\n"
            "  firth run flow.yaml --once -o json | jq .event\n",
    .options = options,
    .options_size = sizeof(struct run_options),
    .images = true,
    .operands_min = 1,
    .operands_max = 1,
    .stops_itself = true,
    .run = run,
};
