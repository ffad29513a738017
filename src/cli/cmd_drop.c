/* `firth drop`: throw away what a task has committed, so that it begins anew. */
#include "cli/confirm.h"
#include "cli/data_dir.h"
#include "cli/output.h"
#include "task/checkpoint.h"
#include "task/notes.h"

struct drop_options {
    bool yes;
};

static const struct option_spec specs[] = {
    {"yes", 'y', OPTION_FLAG, offsetof(struct drop_options, yes), NULL, "do not ask"},
    {NULL},
};

/* What there is of the task; a damaged store cannot say it, and that is no reason not to go on. */
static const char *describe(struct store *store, const char *task, struct arena *arena)
{
    struct store_journal_info *journals;
    size_t count, collections = 0;
    uint64_t documents = 0;
    struct error ignored;
    char text[32];
    if (store_list(store, NULL, arena, &journals, &count, &ignored) < 0)
        return "its state and its documents";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(journals[i].writer, task) != 0 || task_notes_is(journals[i].collection))
            continue;
        if (journals[i].damage)
            return "its state and its documents";
        collections++;
        documents += journals[i].end - journals[i].first;
    }
    if (collections == 0)
        return "its state (it has no documents)";
    string_human_count(documents, text, sizeof text);
    return arena_printf(arena, "its state and %s document%s in %zu collection%s", text,
                        documents == 1 ? "" : "s", collections, collections == 1 ? "" : "s");
}

/* There are tasks of which only documents are left. */
static bool is_listed(struct store *store, const char *task, struct arena *arena)
{
    struct store_task_info *tasks;
    size_t count;
    struct error ignored;
    if (store_list_tasks(store, arena, &tasks, &count, &ignored) < 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tasks[i].task, task) == 0)
            return true;
    }
    return false;
}

static void suggest(struct store *store, const char *task, struct arena *arena, struct error *err)
{
    struct store_task_info *tasks;
    size_t count;
    struct error ignored;
    if (store_list_tasks(store, arena, &tasks, &count, &ignored) < 0)
        return;
    const char **names = arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = tasks[i].task;
    const char *nearest = string_nearest(task, names, count);
    if (nearest)
        error_set(err, ERROR_NOT_FOUND, "the task %s has committed nothing; did you mean %s?", task, nearest);
}

/* What others make of it that it is gone. A state that cannot be read says nothing. */
static const char *consequence(struct slice state, bool documents)
{
    struct task_checkpoint checkpoint;
    struct error ignored;
    task_checkpoint_init(&checkpoint);
    bool materialized = state.size && task_checkpoint_load(&checkpoint, state, &ignored) == 0 &&
                        task_materialize_saved_any(&checkpoint.materialize);
    task_checkpoint_done(&checkpoint);
    if (materialized)
        return "; what it has at its endpoint stays: most connectors want those tables dropped before it is "
               "materialized anew";
    return documents
               ? "; materializations that have read of its documents stop until their 'backfill' is raised"
               : "";
}

static int drop(const struct cli *cli, struct store *store, const char *task, struct arena *arena)
{
    const struct drop_options *options = cli->options;
    struct error err;
    struct slice state = {0};
    const char *what = describe(store, task, arena);
    const char *question = arena_printf(arena, "%s: throw away %s?", task, what);
    if (store_checkpoint_get(store, task, arena, &state, &err) < 0 && err.code == ERROR_NOT_FOUND &&
        !is_listed(store, task, arena)) {
        suggest(store, task, arena, &err);
        return cli_fail(cli, &err);
    }
    int code = cli_confirm(cli, options->yes, question, "dropped");
    if (code != CLI_OK)
        return code;
    if (store_drop_task(store, task, &err) < 0)
        return cli_fail(cli, &err);
    log_info(&cli->log, "%s: %s thrown away; its next session begins anew%s", task, what,
             consequence(state, strstr(what, "document") && !strstr(what, "no documents")));
    return CLI_OK;
}

static int run_drop(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    struct error err;
    struct arena arena;
    mem_auto(store_close) struct store *look = data_dir_open(cli, &err); /* it makes none */
    mem_auto(store_close) struct store *store = look ? store_open(cli->data_dir, NULL, &err) : NULL;
    struct store_lock *lock = store ? store_lock_acquire(store, "firth drop", &err) : NULL;
    if (!lock) {
        data_dir_explain_busy(&err);
        return cli_fail(cli, &err);
    }
    arena_init(&arena);
    int code = drop(cli, store, argv[1], &arena);
    arena_done(&arena);
    store_lock_release(lock);
    return code;
}

const struct command cli_drop = {
    .name = "drop",
    .arguments = "TASK",
    .summary = "throw away a task's state and the documents it wrote",
    .help =
        "The task's next session begins anew. Documents that other tasks wrote to the same collections stay. "
        "Nothing is\n"
        "read, so this also helps where files are damaged. No task may run meanwhile.\n"
        "\n"
        "  firth drop acmeCo/faker\n",
    .options = specs,
    .options_size = sizeof(struct drop_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_drop,
};
