/* `firth serve`: the daemon. */
#include "base/file.h"
#include "cli/data_dir.h"
#include "cli/images.h"
#include "cli/output.h"
#include "server/server.h"
#include "supervisor/daemon.h"
#include "supervisor/jobs.h"

#include <stdlib.h>

struct serve_options {
    const char *listen, *tls_cert, *tls_key, *client_timeout, *ask_timeout, *public_url;
    const char *ingest, *ingest_tls_cert, *ingest_tls_key;
    const char *ingest_kafka, *ingest_kafka_advertise, *ingest_kafka_token;
    bool ingest_open;
    bool no_http, allow_commands;
    struct option_number parallel, jobs, log_size;
    const char *stop_after, *retry_after, *commit_every, *stall_after, *discover_every;
};

static int read_options(const struct serve_options *options, struct daemon_options *daemon, struct error *err)
{
    if (options->listen && options->no_http)
        return error_set(err, ERROR_INVALID, "--listen and --no-http contradict each other");
    if (!options->tls_cert != !options->tls_key)
        return error_set(err, ERROR_INVALID, "--tls-cert and --tls-key need each other");
    daemon->children_max = (uint32_t)options->parallel.value;
    daemon->jobs_max = (uint32_t)options->jobs.value;
    daemon->log_bytes = options->log_size.value << 20;
    if (option_duration("--stop-after", options->stop_after, &daemon->stop_ms, err) < 0 ||
        option_duration("--retry-after", options->retry_after, &daemon->retry_ms, err) < 0 ||
        option_duration("--commit-every", options->commit_every, &daemon->commit_ms, err) < 0 ||
        option_duration("--stall-after", options->stall_after, &daemon->stall_ms, err) < 0 ||
        option_duration("--discover-every", options->discover_every, &daemon->discover_ms, err) < 0)
        return -1;
    return 0;
}

/* --- the API, which lives in the daemon ------------------------------------------------------------ */

struct api {
    struct server_options options;
    struct control *control;
    struct server *server; /* NULL until it is open */
};

static int on_open(void *context, struct daemon *daemon, uv_loop_t *loop, struct jobs *jobs,
                   struct error *err)
{
    struct api *api = context;
    api->options.daemon = daemon;
    api->server = server_open(loop, &api->options, api->control, jobs, err);
    if (!api->server)
        return -1;
    if (server_warning(api->server))
        log_warn(api->options.log, "%s", server_warning(api->server));
    return 0;
}

static void on_stopping(void *context)
{
    const struct api *api = context;
    server_stop(api->server);
}

static void on_close(void *context)
{
    struct api *api = context;
    server_close(api->server);
    api->server = NULL;
}

static const char *on_url(void *context)
{
    const struct api *api = context;
    return api->server ? server_url(api->server) : NULL;
}

static int read_api_options(const struct serve_options *options, const struct daemon_options *daemon,
                            struct server_options *ret_options, struct error *err)
{
    const char *wanted = options->listen ? options->listen : getenv("FIRTH_LISTEN"),
               *url = options->public_url ? options->public_url : getenv("FIRTH_PUBLIC_URL");
    if (url && !*url && !options->public_url)
        url = NULL; /* a variable that is empty is none */
    *ret_options = (struct server_options){.listen = wanted && *wanted ? wanted : SERVER_LISTEN_DEFAULT,
                                           .tls_cert = options->tls_cert,
                                           .tls_key = options->tls_key,
                                           .public_url = url,
                                           .program = daemon->program,
                                           .built_ins = daemon->built_ins,
                                           .image_words = daemon->image_words,
                                           .allow_commands = options->allow_commands,
                                           .data_dir = daemon->data_dir,
                                           .log = daemon->log};
    if (url && server_public_url_check(url, err) < 0)
        return -1;
    return option_duration("--client-timeout", options->client_timeout, &ret_options->client_ms, err) < 0
               ? -1
               : option_duration("--ask-timeout", options->ask_timeout, &ret_options->ask_ms, err);
}

/* --- the daemon ------------------------------------------------------------------------------------ */

/* What was meant for the daemon alone is not for the processes that it starts. */
static char *take_from_environment(const char *name)
{
    const char *value = getenv(name);
    char *copy = value ? mem_strdup(value) : NULL;
    unsetenv(name);
    return copy;
}

static int serve_locked(const struct cli *cli, const struct daemon_options *options, struct api *api)
{
    const struct daemon_guest guest = {api, on_open, on_stopping, on_close, on_url};
    struct error err;
    mem_auto(control_close) struct control *control = control_open(options->data_dir, CONTROL_CHANGE, &err);
    if (!control)
        return cli_fail(cli, &err);
    auto_free char *notify = take_from_environment("NOTIFY_SOCKET");
    unsetenv("FIRTH_SECRET_KEY");
    unsetenv("FIRTH_SECRET_KEY_FILE");
    char task_key[CONTROL_TASK_KEY_SIZE];
    control_task_key(control, task_key);
    setenv("FIRTH_TASK_KEY", task_key, true);
    explicit_bzero(task_key, sizeof task_key);
    api->control = control;
    struct daemon_options daemon = *options;
    daemon.control = control;
    daemon.notify = notify;
    daemon.guest = api->options.listen ? &guest : NULL;
    return daemon_run(&daemon, &err) < 0 ? cli_fail(cli, &err) : CLI_OK;
}

enum { PLAN_MARGIN_MS = 2 * 60 * 1000 }; /* a pull gives up by itself before its process is given up */

/* Planning goes on in processes of their own, which run images as this one was told to. */
static int set_planning(const struct cli *cli, struct arena *arena, struct daemon_options *daemon,
                        struct error *err)
{
    uint64_t pull_ms;
    if (images_pull_timeout(cli->images, &pull_ms, err) < 0)
        return -1;
    daemon->plan_ms = pull_ms ? pull_ms + PLAN_MARGIN_MS : 0;
    daemon->image_words = images_words(cli->images, arena);
    return 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct error err;
    auto_free char *data_dir = file_absolute(cli->data_dir);
    struct daemon_options daemon = {
        .program = cli->program, .built_ins = cli->built_ins, .data_dir = data_dir, .log = &cli->log};
    const struct serve_options *given = cli->options;
    daemon.ingest = (struct supervisor_ingest){
        given->ingest,       given->ingest_tls_cert,        given->ingest_tls_key,     given->ingest_open,
        given->ingest_kafka, given->ingest_kafka_advertise, given->ingest_kafka_token, true};
    if (read_options(cli->options, &daemon, &err) < 0)
        return cli_usage(cli, &err);
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, &err);
    struct store_lock *lock = store ? store_lock_acquire(store, "firth serve", &err) : NULL;
    if (!lock) {
        if (store)
            data_dir_explain_busy(&err);
        return cli_fail(cli, &err);
    }
    struct arena arena;
    arena_init(&arena);
    struct api api = {0};
    const struct serve_options *options = cli->options;
    bool right = set_planning(cli, &arena, &daemon, &err) == 0 &&
                 read_api_options(options, &daemon, &api.options, &err) == 0;
    if (options->no_http)
        api.options.listen = NULL;
    int code = right ? serve_locked(cli, &daemon, &api) : cli_usage(cli, &err);
    arena_done(&arena);
    store_lock_release(lock);
    return code;
}

static const struct option_spec options[] = {
    {.name = "listen",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, listen),
     .value = "HOST:PORT",
     .help = "where the API is reached (FIRTH_LISTEN, 127.0.0.1:8000); port 0: any that is free"},
    {.name = "no-http",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_options, no_http),
     .help = "without the API"},
    {.name = "tls-cert",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, tls_cert),
     .value = "FILE",
     .help = "the API by HTTPS: its certificate, PEM"},
    {.name = "tls-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, tls_key),
     .value = "FILE",
     .help = "and that certificate's key, PEM"},
    {.name = "public-url",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, public_url),
     .value = "URL",
     .help = "the API's own address in its answers (FIRTH_PUBLIC_URL, else as each request asks for it)"},
    {.name = "allow-commands",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_options, allow_commands),
     .help =
         "who has the password may add connectors that are commands, so may run programs of this machine"},
    {.name = "ingest",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest),
     .value = "HOST:PORT",
     .help = "where push captures are reached (127.0.0.1:8080); port 0: any that is free"},
    {.name = "ingest-tls-cert",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest_tls_cert),
     .value = "FILE",
     .help = "push captures by HTTPS: the certificate, PEM"},
    {.name = "ingest-tls-key",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest_tls_key),
     .value = "FILE",
     .help = "and its key, PEM"},
    {.name = "ingest-open",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct serve_options, ingest_open),
     .help = "push captures take documents from other machines without a token"},
    {.name = "ingest-kafka",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest_kafka),
     .value = "HOST:PORT",
     .help = "serve Kafka clients there: push captures' collections are topics, and collections are read"},
    {.name = "ingest-kafka-advertise",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest_kafka_advertise),
     .value = "HOST:PORT",
     .help = "what Kafka clients are told to connect to (where they did)"},
    {.name = "ingest-kafka-token",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ingest_kafka_token),
     .value = "FILE",
     .help = "holds the password by which Kafka clients read; without it this machine's alone may"},
    {.name = "client-timeout",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, client_timeout),
     .value = "DURATION",
     .help = "how long a client of the API may take to send a request (30s)"},
    {.name = "ask-timeout",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, ask_timeout),
     .value = "DURATION",
     .help = "how long a connector that the API asks may take to answer (5m); three times that to discover"},
    {.name = "parallel",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct serve_options, parallel),
     .value = "N",
     .help = "tasks that run at the same time (64); the others wait for their turn",
     .min = 1,
     .max = 1024},
    {.name = "jobs",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct serve_options, jobs),
     .value = "N",
     .help = "connections of the API that are synced at the same time (16); the others wait",
     .min = 1,
     .max = JOBS_RUNNING_MAX},
    {.name = "stop-after",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, stop_after),
     .value = "DURATION",
     .help = "how long tasks may take to finish their transactions when they are to stop (30s)"},
    {.name = "retry-after",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, retry_after),
     .value = "DURATION",
     .help = "delay before the first retry of a failed task (1s); it doubles up to 5m"},
    {.name = "commit-every",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, commit_every),
     .value = "DURATION",
     .help = "commit what waits after so long at most (1s)"},
    {.name = "stall-after",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, stall_after),
     .value = "DURATION",
     .help = "a connector that says nothing for so long has failed (3h)"},
    {.name = "discover-every",
     .kind = OPTION_STRING,
     .offset = offsetof(struct serve_options, discover_every),
     .value = "DURATION",
     .help = "how often the connectors of captures with autoDiscover are asked what there is (2h)"},
    {.name = "log-size",
     .kind = OPTION_NUMBER,
     .offset = offsetof(struct serve_options, log_size),
     .value = "MIB",
     .help = "how much is kept of each task's log, in MiB (10)",
     .min = 1,
     .max = 1 << 20},
    {0},
};

const struct command cli_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "run what is deployed, until it is stopped",
    .help =
        "The daemon: it runs every task of the catalogs that 'firth deploy' gave it, at its interval or\n"
        "schedule, and again when it failed. It stays in the foreground and logs to standard error; what\n"
        "tasks say goes to their logs ('firth logs'). SIGTERM lets every task finish its transaction and\n"
        "stops, a second one stops at once, SIGHUP reads what is deployed anew and tries again what failed.\n"
        "\n"
        "  firth deploy flow.yaml && firth serve\n",
    .options = options,
    .options_size = sizeof(struct serve_options),
    .images = true,
    .stops_itself = true,
    .run = run,
};
