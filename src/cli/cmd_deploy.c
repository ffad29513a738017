/* `firth deploy`: give the daemon a catalog to run. */
#include "base/fault.h"
#include "base/file.h"
#include "catalog/snapshot.h"
#include "cli/catalog_file.h"
#include "cli/cmd_discover.h"
#include "cli/confirm.h"
#include "store/store.h"
#include "supervisor/deploy.h"
#include "supervisor/talk.h"
#include "json/writer.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct deploy_options {
    bool yes, prune, dry_run, undo_discovered;
    const char *name;
};

/* What the daemon made of it. */
struct daemon_answer {
    bool running;
    bool accepted;
    char error[512];
};

/* --- the plan, printed --------------------------------------------------------------------------- */

static void print_differences(struct output *output, unsigned differences)
{
    const char *before = "";
    for (unsigned i = 0; i < CATALOG_DIFFERENCES; i++) {
        if (!(differences & 1U << i))
            continue;
        output_printf(output, "%s%s", before, catalog_difference_name(i));
        before = ", ";
    }
}

static void print_entry(struct output *output, const struct deploy_entry *entry, int width, bool color)
{
    static const struct {
        const char *sign, *color;
    } looks[DEPLOY_ACTION_COUNT] = {[DEPLOY_ADD] = {"+", "\033[32m"},
                                    [DEPLOY_CHANGE] = {"~", "\033[33m"},
                                    [DEPLOY_REMOVE] = {"-", "\033[31m"},
                                    [DEPLOY_LEAVE] = {"!", ""}};
    if (entry->action == DEPLOY_NONE)
        return;
    output_printf(output, "  %s%s %-*s%s  ", color ? looks[entry->action].color : "",
                  looks[entry->action].sign, width, entry->name, color ? "\033[0m" : "");
    switch (entry->action) {
    case DEPLOY_ADD:
        output_printf(output, "%s, %s", entry->kind, entry->enabled ? entry->schedule : "disabled");
        break;
    case DEPLOY_CHANGE:
        print_differences(output, entry->differences);
        break;
    case DEPLOY_REMOVE:
        output_printf(output, "%s; what it captured stays", entry->kind);
        break;
    default:
        output_str(output, "no longer in the catalog, goes on: --prune removes it");
        break;
    }
    output_str(output, "\n");
}

static void print_plan(const struct cli *cli, const struct deploy *deploy, struct output *output)
{
    int width = 0;
    for (size_t i = 0; i < deploy->entry_count; i++) {
        size_t size = strlen(deploy->entries[i].name);
        if (deploy->entries[i].action != DEPLOY_NONE && (int)size > width && size < 60)
            width = (int)size;
    }
    for (size_t i = 0; i < deploy->entry_count; i++)
        print_entry(output, &deploy->entries[i], width, cli->terminal);
    output_printf(output, "%zu to add, %zu to change, %zu to remove, %zu unchanged\n",
                  deploy->counts[DEPLOY_ADD], deploy->counts[DEPLOY_CHANGE], deploy->counts[DEPLOY_REMOVE],
                  deploy->counts[DEPLOY_NONE]);
    if (deploy->discovered && deploy->undone_count)
        output_str(output, "autoDiscover has changed what is deployed since it was deployed last: 'firth "
                           "autodiscover' brings the catalog up to it\n");
    else if (deploy->discovered && deploy->counts[DEPLOY_CHANGE])
        output_str(output,
                   "autoDiscover has changed what is deployed since it was deployed last; this catalog "
                   "has all of that too\n");
    for (size_t i = 0; i < deploy->undone_count; i++)
        output_printf(output, "  would be undone: this catalog's %s\n", deploy->undone[i]);
}

static void print_json(const struct deploy *deploy, const char *file, bool applied,
                       const struct daemon_answer *daemon, struct output *output)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 64 << 20);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "deployment", deploy->name);
    json_member_string(&writer, "catalog", file);
    json_member_bool(&writer, "applied", applied);
    json_member_bool(&writer, "daemon", daemon->running);
    json_put_key(&writer, "tasks");
    json_begin_array(&writer);
    for (size_t i = 0; i < deploy->entry_count; i++) {
        const struct deploy_entry *entry = &deploy->entries[i];
        json_begin_object(&writer);
        json_member_string(&writer, "task", entry->name);
        json_member_string(&writer, "kind", entry->kind);
        json_member_string(&writer, "action", deploy_action_name(entry->action));
        json_member_string(&writer, "schedule", entry->schedule);
        json_member_bool(&writer, "enabled", entry->enabled);
        json_put_key(&writer, "differences");
        json_begin_array(&writer);
        for (unsigned bit = 0; bit < CATALOG_DIFFERENCES; bit++) {
            if (entry->differences & 1U << bit)
                json_put_string(&writer, catalog_difference_name(bit));
        }
        json_end_array(&writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_put_key(&writer, "undone");
    json_begin_array(&writer);
    for (size_t i = 0; i < deploy->undone_count; i++)
        json_put_string(&writer, deploy->undone[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    output_write(output, text.data, text.size);
    buffer_done(&text);
}

/* --- asking -------------------------------------------------------------------------------------- */

/* CLI_OK: go on. */
static int ask(const struct cli *cli)
{
    const struct deploy_options *options = cli->options;
    return cli_confirm(cli, options->yes, "deploy this?", "deployed");
}

/* --- the daemon ---------------------------------------------------------------------------------- */

/* Connected before the commit: if we are killed behind it, the daemon sees the connection end and looks. */
static int call_daemon(const char *data_dir, struct error *err)
{
    struct buffer answer;
    int fd = talk_connect(data_dir, err);
    if (fd < 0)
        return err->code == ERROR_NOT_FOUND ? -2 : -1;
    buffer_init(&answer, TALK_REQUEST_MAX);
    int result = talk_ask(fd, "{\"do\":\"deploying\"}", &answer, err);
    buffer_done(&answer);
    if (result == 0)
        return fd;
    close(fd);
    return -1;
}

static void tell_daemon(int fd, struct daemon_answer *ret_answer)
{
    struct buffer text;
    struct arena arena;
    struct json answer;
    struct error err;
    buffer_init(&text, TALK_ANSWER_MAX);
    arena_init(&arena);
    if (talk_ask(fd, "{\"do\":\"reload\"}", &text, &err) < 0 ||
        json_parse_copy(&arena, text.data, text.size, &answer, &err) < 0) {
        snprintf(ret_answer->error, sizeof ret_answer->error, "%.500s", err.message);
    } else {
        uint32_t error = json_get(&answer, 0, "error");
        ret_answer->accepted = json_is(&answer, json_get(&answer, 0, "ok"), JSON_TRUE);
        if (json_is(&answer, error, JSON_STRING))
            snprintf(ret_answer->error, sizeof ret_answer->error, "%.500s",
                     json_cstring(&answer, error, &arena));
    }
    arena_done(&arena);
    buffer_done(&text);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void who(char *text, size_t size)
{
    char host[256] = "";
    const struct passwd *user = getpwuid(getuid());
    gethostname(host, sizeof host - 1);
    snprintf(text, size, "%s@%s", user ? user->pw_name : "?", *host ? host : "?");
}

static int apply(const struct cli *cli, const struct deploy *deploy, struct control *control,
                 const char *data_dir, const char *file, struct slice snapshot,
                 struct daemon_answer *ret_answer)
{
    struct error err;
    char by[512];
    who(by, sizeof by);
    auto_close int daemon = call_daemon(data_dir, &err);
    if (daemon == -1)
        return cli_fail(cli, &err);
    if (deploy_apply(deploy, control, file, by, snapshot, &err) < 0)
        return cli_fail(cli, &err);
    fault_point("deploy.after-commit");
    ret_answer->running = daemon >= 0;
    if (daemon >= 0)
        tell_daemon(daemon, ret_answer);
    if (daemon >= 0 && !ret_answer->accepted) {
        log_error(&cli->log, "deployed, but the daemon could not take it over: %s", ret_answer->error);
        return CLI_IO;
    }
    return CLI_OK;
}

static void print_end(const struct deploy *deploy, const struct daemon_answer *answer, struct output *output)
{
    output_str(output, answer->running
                           ? "deployed; the daemon runs it\n"
                           : "deployed; no daemon runs: it takes effect when 'firth serve' starts\n");
    (void)deploy;
}

static int finish(const struct cli *cli, const struct deploy *deploy, struct control *control,
                  const char *data_dir, const char *file, struct slice snapshot)
{
    const struct deploy_options *options = cli->options;
    struct daemon_answer answer = {0};
    struct output output;
    bool applied = false, wanted = deploy_changes_something(deploy) && !options->dry_run;
    int code = CLI_OK;
    output_init(&output, STDOUT_FILENO);
    if (!cli->json) {
        print_plan(cli, deploy, &output);
        output_flush(&output);
    }
    if (wanted && deploy->undone_count && !options->undo_discovered) {
        struct error err;
        error_set(
            &err, ERROR_INVALID,
            "this would undo what autoDiscover has changed (%s%s): bring the catalog up to it with 'firth "
            "autodiscover %s', or undo it with --undo-discovered",
            deploy->undone[0], deploy->undone_count > 1 ? ", …" : "", file);
        output_flush(&output);
        return output_finish(&output, cli, cli_fail(cli, &err));
    }
    if (wanted && (code = ask(cli)) == CLI_OK) {
        code = apply(cli, deploy, control, data_dir, file, snapshot, &answer);
        applied = code == CLI_OK;
    }
    if (cli->json)
        print_json(deploy, file, applied, &answer, &output);
    else if (applied)
        print_end(deploy, &answer, &output);
    else if (!wanted)
        output_str(&output, options->dry_run ? "nothing was deployed (--dry-run)\n" : "nothing to deploy\n");
    return output_finish(&output, cli, code);
}

static void on_skipped(void *context, const char *message)
{
    const struct cli *cli = context;
    log_warn(&cli->log, "%s", message);
}

/* A dry run makes nothing, not even a data directory. */
static int open_control(const struct cli *cli, const char *data_dir, struct control **ret_control,
                        struct error *err)
{
    const struct deploy_options *options = cli->options;
    auto_free char *path = mem_printf("%s/control.db", data_dir);
    *ret_control = NULL;
    if (options->dry_run && !file_exists(path))
        return 0;
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, err);
    if (!store)
        return -1;
    *ret_control = control_open(data_dir, CONTROL_CHANGE, err);
    return *ret_control ? 0 : -1;
}

static int deploy_catalog(const struct cli *cli, const struct catalog *catalog, const char *name,
                          const char *file, struct slice snapshot)
{
    const struct deploy_options *options = cli->options;
    auto_free char *data_dir = file_absolute(cli->data_dir);
    const struct plan_options plan = {.built_ins = cli->built_ins, .data_dir = data_dir};
    struct control *control;
    struct deploy deploy;
    struct error err;
    if (open_control(cli, data_dir, &control, &err) < 0)
        return cli_fail(cli, &err);
    plan_tell_skipped(catalog, on_skipped, (void *)cli);
    int code = deploy_plan(&deploy, control, catalog, name, options->prune, &plan, &err) < 0
                   ? cli_fail(cli, &err)
                   : finish(cli, &deploy, control, data_dir, file, snapshot);
    deploy_done(&deploy);
    control_close(control);
    return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    const struct deploy_options *options = cli->options;
    struct catalog *catalog;
    struct buffer text;
    struct error err;
    mem_auto(catalog_snapshot_free) struct catalog_snapshot *snapshot = catalog_snapshot_new();
    const struct catalog_file wanted = {.options = catalog_snapshot_recording(snapshot),
                                        .depth = ENDPOINT_CHECK_CONFIGS};
    int code = catalog_file_need(cli, argv[1], &wanted, &catalog);
    if (code != CLI_OK)
        return code;
    discover_keep_records(catalog, argv[1], wanted.options->files);
    char real[PATH_MAX];
    auto_free char *file = realpath(argv[1], real) ? mem_strdup(real) : file_absolute(argv[1]);
    const char *name = options->name ? options->name : file;
    buffer_init(&text, CATALOG_SNAPSHOT_MAX + (1 << 20));
    if (!*name || strlen(name) > CONTROL_NAME_MAX || !utf8_valid(name, strlen(name))) {
        error_set(&err, ERROR_INVALID, "--name must be a text of 1 to %d bytes", CONTROL_NAME_MAX);
        code = cli_usage(cli, &err);
    } else if (catalog_snapshot_write(snapshot, argv[1], &text, &err) < 0) {
        code = cli_fail(cli, &err);
    } else {
        code = deploy_catalog(cli, catalog, name, file, (struct slice){text.data, text.size});
    }
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    catalog_free(catalog);
    return code;
}

static const struct option_spec options[] = {
    {.name = "yes",
     .letter = 'y',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct deploy_options, yes),
     .help = "do not ask"},
    {.name = "prune",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct deploy_options, prune),
     .help = "remove tasks that an earlier deploy of this catalog brought and that it no longer has"},
    {.name = "dry-run",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct deploy_options, dry_run),
     .help = "show the plan, change nothing"},
    {.name = "undo-discovered",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct deploy_options, undo_discovered),
     .help = "also if it undoes what autoDiscover has changed of what is deployed"},
    {.name = "name",
     .kind = OPTION_STRING,
     .offset = offsetof(struct deploy_options, name),
     .value = "NAME",
     .help = "what this deployment is known by, instead of the catalog's path"},
    {0},
};

const struct command cli_deploy = {
    .name = "deploy",
    .arguments = "CATALOG",
    .summary = "give the daemon a catalog's tasks to run",
    .help =
        "Compares the catalog with what is deployed, shows what would change, and asks. A running daemon\n"
        "takes it over at once and restarts only tasks that changed; otherwise it takes effect when\n"
        "'firth serve' starts. The daemon keeps a copy of the files, encrypted: later changes to them do\n"
        "nothing until they are deployed.\n"
        "\n"
        "  firth deploy flow.yaml\n"
        "  firth deploy flow.yaml --yes --prune --name production\n",
    .options = options,
    .options_size = sizeof(struct deploy_options),
    .images = true,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
