#include "task/config_keeper.h"

#include "store/store.h"
#include "task/sealed_config.h"

#include <poll.h>
#include <unistd.h>

enum {
    BUSY_WAIT_MS = 5000, /* for a session that is about to end */
    BUSY_STEP_MS = 50,
};

/* --- what was kept --------------------------------------------------------------------------------- */

/* The task's checkpoint as it is now, an empty one if it has none. */
static int load(const struct config_keeper *keeper, struct task_checkpoint *checkpoint, struct error *err)
{
    const struct store_options look = {.read_only = true};
    struct slice saved = {0};
    mem_auto(store_close) struct store *store = store_open(keeper->data_dir, &look, err);
    if (!store || store_checkpoint_get(store, keeper->task, keeper->arena, &saved, err) < 0)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    return task_checkpoint_load(checkpoint, saved, err);
}

static struct store_writer *open_writer(struct store *store, const struct config_keeper *keeper,
                                        struct slice *ret_saved, struct error *err)
{
    for (int waited = 0;; waited += BUSY_STEP_MS) {
        struct store_writer *writer = store_writer_open(store, keeper->task, ret_saved, err);
        if (writer || err->code != ERROR_BUSY || waited >= BUSY_WAIT_MS)
            return writer;
        poll(NULL, 0, BUSY_STEP_MS);
    }
}

/* The token that a session has exchanged is the session's, until it ends. */
static int check_free(const struct config_keeper *keeper, struct error *err)
{
    struct slice unused;
    mem_auto(store_close) struct store *store = store_open(keeper->data_dir, NULL, err);
    mem_auto(store_writer_close) struct store_writer *writer =
        store ? store_writer_open(store, keeper->task, &unused, err) : NULL;
    if (!writer && store && err->code == ERROR_BUSY)
        return error_set(
            err, ERROR_BUSY,
            "%s is being run, and its connector %s exchanges tokens that are good once: it is not "
            "asked meanwhile, for that would take the token away from the run",
            keeper->task, keeper->label);
    return writer ? 0 : -1;
}

static int take_kept(struct config_keeper *keeper, const struct task_checkpoint *checkpoint,
                     const struct task_endpoint *endpoint, struct error *err)
{
    const struct task_saved_config *saved = &checkpoint->configs[keeper->side];
    struct secret_key key;
    if (!saved->sealed || !sealed_config_is_of(saved, endpoint))
        return 0;
    if (check_free(keeper, err) < 0 || secret_task_key_load(keeper->data_dir, &key, err) < 0)
        return -1;
    int result = sealed_config_get(checkpoint, keeper->side, &key, keeper->arena, &keeper->config, err);
    secret_key_done(&key);
    return result < 0 ? error_wrap(err, "the config that %s has changed", keeper->label) : 0;
}

int config_keeper_open(struct config_keeper *keeper, const char *data_dir, const char *task,
                       enum task_side side, const struct connector_program *program, struct slice config,
                       struct arena *arena, struct error *err)
{
    const struct task_endpoint endpoint = {.program = *program, .config = config};
    struct task_checkpoint checkpoint;
    *keeper = (struct config_keeper){.data_dir = data_dir,
                                     .task = task,
                                     .label = program->label,
                                     .side = side,
                                     .given = sealed_config_identity(config),
                                     .config = config,
                                     .arena = arena};
    if (!data_dir || access(data_dir, F_OK) != 0)
        return 0;
    task_checkpoint_init(&checkpoint);
    int result = load(keeper, &checkpoint, err);
    if (result == 0)
        result = take_kept(keeper, &checkpoint, &endpoint, err);
    task_checkpoint_done(&checkpoint);
    return result;
}

/* --- keeping --------------------------------------------------------------------------------------- */

static int commit(const struct config_keeper *keeper, struct store_writer *writer,
                  struct task_checkpoint *checkpoint, struct slice saved, struct error *err)
{
    struct secret_key key;
    struct buffer text;
    if (task_checkpoint_load(checkpoint, saved, err) < 0 ||
        secret_task_key_load(keeper->data_dir, &key, err) < 0)
        return -1;
    sealed_config_put(checkpoint, keeper->side, keeper->given, &key, keeper->config);
    secret_key_done(&key);
    if (!checkpoint->existed)
        checkpoint->complete = true; /* no session was cut short */
    buffer_init(&text, STORE_CHECKPOINT_MAX);
    task_checkpoint_write(checkpoint, &text);
    int result = store_commit(writer, (struct slice){text.data, text.size}, err);
    buffer_done(&text);
    return result;
}

static int save(const struct config_keeper *keeper, struct error *err)
{
    struct slice saved;
    struct task_checkpoint checkpoint;
    mem_auto(store_close) struct store *store = store_open(keeper->data_dir, NULL, err);
    mem_auto(store_writer_close) struct store_writer *writer =
        store ? open_writer(store, keeper, &saved, err) : NULL;
    if (!writer)
        return -1;
    task_checkpoint_init(&checkpoint);
    int result = commit(keeper, writer, &checkpoint, saved, err);
    task_checkpoint_done(&checkpoint);
    return result;
}

int config_keeper_change(struct config_keeper *keeper, struct slice said, struct error *err)
{
    struct json now;
    struct slice merged;
    if (json_parse_copy(keeper->arena, said.data, said.size, &now, err) < 0 ||
        sealed_config_merge(keeper->label, keeper->config, &now, 0, keeper->arena, &merged, err) < 0)
        return -1;
    if (slice_equal(merged, keeper->config))
        return 0;
    keeper->config = merged;
    return keeper->data_dir && save(keeper, err) < 0
               ? error_wrap(err, "the config that %s changed (a token was exchanged) cannot be kept",
                            keeper->label)
               : 0;
}

int config_keeper_on_config(void *keeper, struct slice said, struct error *err)
{
    return config_keeper_change(keeper, said, err);
}

int config_keeper_on_flow_config(void *keeper, const struct json *line, uint32_t config, struct error *err)
{
    return config_keeper_change(keeper, json_raw(line, config), err);
}
