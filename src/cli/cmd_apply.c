/* `firth apply`: settings, workspaces, definitions, sources, destinations and connections from a YAML file
 * into the control store, all or nothing. What is there already under its id, or its name, becomes as the
 * file says; what the file does not have stays, unless --prune says otherwise. */
#include "cli/apply.h"

#include "base/file.h"
#include "cli/confirm.h"
#include "cli/output.h"
#include "control/workspaces.h"
#include "store/store.h"
#include "supervisor/definitions.h"
#include "supervisor/leftovers.h"
#include "supervisor/talk.h"
#include "task/connection_state.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct apply_options {
    bool dry_run, prune, yes;
};

static int apply_list(struct apply *apply, const char *name,
                      int (*one)(struct apply *apply, uint32_t at, struct error *err), struct error *err)
{
    uint32_t list = json_get(apply->doc, 0, name);
    if (list == JSON_NONE || json_is(apply->doc, list, JSON_NULL))
        return 0;
    if (!json_is(apply->doc, list, JSON_ARRAY))
        return error_set(err, ERROR_INVALID, "'%s' must be a list", name), apply_place(apply, list, err);
    for (uint32_t at = json_first(apply->doc, list); at != JSON_NONE; at = json_next(apply->doc, list, at))
        if (one(apply, at, err) < 0)
            return -1;
    return 0;
}

static int apply_settings(struct apply *apply, struct error *err)
{
    uint32_t settings = json_get(apply->doc, 0, "settings");
    if (settings == JSON_NONE || json_is(apply->doc, settings, JSON_NULL))
        return 0;
    if (!json_is(apply->doc, settings, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "'settings' must be a mapping"),
               apply_place(apply, settings, err);
    for (uint32_t key = json_first_key(apply->doc, settings); key != JSON_NONE;
         key = json_next_key(apply->doc, settings, key))
        if (apply_setting(apply, key, err) < 0)
            return -1;
    return 0;
}

static int apply_all(struct apply *apply, bool prune, struct error *err)
{
    static const char members[] =
        "settings any, workspaces any, definitions any, sources any, destinations any, connections any";
    if (apply_only(apply, 0, "the file", members, err) < 0 ||
        definitions_put_built_ins(apply->control, apply->cli->built_ins, apply->now_ms, err) < 0 ||
        apply_settings(apply, err) < 0 || apply_list(apply, "workspaces", apply_workspace, err) < 0 ||
        control_workspace_home(apply->control, apply->arena, &apply->home, err) < 0 ||
        apply_list(apply, "definitions", apply_definition, err) < 0 ||
        apply_list(apply, "sources", apply_source, err) < 0 ||
        apply_list(apply, "destinations", apply_destination, err) < 0 ||
        apply_list(apply, "connections", apply_connection, err) < 0)
        return -1;
    return prune ? apply_prune(apply, err) : 0;
}

/* What becomes of what. */
static int show_plan(struct apply *apply)
{
    struct output output;
    output_init(&output, STDOUT_FILENO);
    output_write(&output, apply->plan.data, apply->plan.size);
    return output_finish(&output, apply->cli, CLI_OK);
}

/* The changes are made, and can still be taken back: what they are is known exactly. */
static int decide(struct apply *apply, const struct apply_options *options, struct error *err)
{
    const struct cli *cli = apply->cli;
    size_t changes = apply->counts[APPLY_NEW] + apply->counts[APPLY_CHANGED] + apply->counts[APPLY_GONE];
    int code = show_plan(apply);
    if (code == CLI_OK && !options->dry_run && apply->counts[APPLY_GONE])
        code = cli_confirm(cli, options->yes, "remove what the file does not have?", "applied");
    if (code != CLI_OK || options->dry_run || changes == 0) {
        control_rollback(apply->control);
    } else {
        /* Before they are there: no sync of theirs may find the state of the deleted one. */
        if (apply->again_count &&
            connection_states_drop(cli->data_dir, apply->again, apply->again_count, err) < 0) {
            control_rollback(apply->control);
            return cli_fail(cli, err);
        }
        if (control_commit(apply->control, err) < 0)
            return cli_fail(cli, err);
        if (apply->counts[APPLY_GONE] &&
            leftovers_drop(apply->control, cli->data_dir, &(struct control_connection_filter){0}, err) < 0)
            log_warn(&cli->log, "the state of a deleted connection stays until 'firth serve' starts: %s",
                     err->message);
        talk_wake(cli->data_dir);
    }
    if (code == CLI_OK)
        log_info(&cli->log, "%s%zu new, %zu changed, %zu removed, %zu as they were",
                 options->dry_run ? "would be: " : "", apply->counts[APPLY_NEW], apply->counts[APPLY_CHANGED],
                 apply->counts[APPLY_GONE], apply->counts[APPLY_SAME]);
    return code;
}

static int apply_file(struct apply *apply, const struct apply_options *options)
{
    struct error err;
    if (control_begin(apply->control, &err) < 0)
        return cli_fail(apply->cli, &err);
    if (apply_all(apply, options->prune, &err) == 0)
        return decide(apply, options, &err);
    control_rollback(apply->control);
    return cli_fail(apply->cli, &err);
}

/* A dry run where there is no data directory makes one for itself. */
static char *make_folder(const struct cli *cli, struct error *err)
{
    const struct apply_options *options = cli->options;
    const char *folder = getenv("TMPDIR");
    if (!options->dry_run || file_exists(cli->data_dir))
        return mem_strdup(cli->data_dir);
    char *path = mem_printf("%s/firth-apply-XXXXXX", folder && *folder ? folder : "/tmp");
    if (mkdtemp(path))
        return path;
    error_errno(err, errno, "cannot make a folder for the dry run in %s",
                folder && *folder ? folder : "/tmp");
    free(path);
    return NULL;
}

static int apply_in(struct apply *apply, const char *folder)
{
    struct error err;
    /* The store is made, if there is none yet. */
    mem_auto(store_close) struct store *store = store_open(folder, NULL, &err);
    mem_auto(control_close) struct control *control =
        store ? control_open(folder, CONTROL_CHANGE, &err) : NULL;
    apply->control = control;
    return control ? apply_file(apply, apply->cli->options) : cli_fail(apply->cli, &err);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct yaml_document file;
    struct arena arena;
    struct error err;
    (void)argc;
    arena_init(&arena);
    struct apply apply = {.cli = cli, .file = &file, .arena = &arena, .now_ms = clock_wall_ms(&clock_system)};
    map_init(&apply.named);
    buffer_init(&apply.plan, BUFFER_UNLIMITED);
    bool right = yaml_load(&arena, argv[1], NULL, NULL, &file, &err) == 0;
    apply.doc = &file.json;
    auto_free char *folder = right ? make_folder(cli, &err) : NULL;
    int code = folder ? apply_in(&apply, folder) : cli_fail(cli, &err);
    if (folder && strcmp(folder, cli->data_dir) != 0 && file_remove_tree(folder, &err) < 0)
        log_warn(&cli->log, "%s", err.message);
    buffer_done(&apply.plan);
    free(apply.again);
    schema_free(apply.catalogs);
    map_done(&apply.named);
    arena_done(&arena);
    return code;
}

static const struct option_spec options[] = {
    {.name = "dry-run",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct apply_options, dry_run),
     .help = "show what would change, and change nothing"},
    {.name = "prune",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct apply_options, prune),
     .help = "remove what the file does not have"},
    {.name = "yes",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct apply_options, yes),
     .help = "remove it without asking"},
    {0},
};

const struct command cli_apply = {
    .name = "apply",
    .arguments = "FILE",
    .summary = "bring connections and what they are made of to what a file says",
    .help = "The file has settings and lists of workspaces, definitions, sources, destinations and "
            "connections, as\n"
            "'firth export' writes them. All of it is applied, or, if anything is wrong, nothing. What has "
            "no id\n"
            "gets one of its name, so that a file may be applied again and again. A line tells each change: "
            "+ new,\n"
            "~ changed, - removed. A config may name environment variables: password: ${PASSWORD}; one that "
            "is not\n"
            "set stands for what is there already.\n"
            "\n"
            "  firth export --file connections.yaml\n"
            "  firth apply connections.yaml\n",
    .options = options,
    .options_size = sizeof(struct apply_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
