#include "task/kept_config.h"

#include "base/fault.h"
#include "control/secret.h"
#include "task/conversation.h"
#include "task/ledger.h"
#include "task/sealed_config.h"
#include "task/sink.h"

#include <stdlib.h>

static const char key_variable[] = "FIRTH_TASK_KEY";

void task_config_init(struct task *task)
{
    const char *given = getenv(key_variable);
    task->key = given && *given ? mem_strdup(given) : NULL;
    unsetenv(key_variable);
}

void task_config_done(struct task *task)
{
    if (task->key)
        explicit_bzero(task->key, strlen(task->key));
    free(task->key);
    task->key = NULL;
}

/* The daemon's, else the data directory's own. */
static int load_key(const struct task *task, struct secret_key *ret_key, struct error *err)
{
    return task->key ? secret_task_key_read(task->key, ret_key, err)
                     : secret_task_key_load(task->spec->data_dir, ret_key, err);
}

/* --- keeping ------------------------------------------------------------------------------------- */

static int seal(struct task *task, enum task_side side, struct slice config, struct error *err)
{
    struct secret_key key;
    if (load_key(task, &key, err) < 0)
        return -1;
    sealed_config_put(&task->checkpoint, side, task->given[side], &key, config);
    secret_key_done(&key);
    return 0;
}

/* The session goes on with it, and masks what is new in it. */
static void use(struct task *task, enum task_side side, struct slice config)
{
    struct task_endpoint *endpoint = task->endpoints[side];
    const char *pointers = task->checkpoint.marks[side].pointers;
    endpoint->config = config;
    connector_secrets_add(task->secrets, config, NULL);
    connector_secrets_add(task->all, config, NULL);
    connector_secrets_add_marked(task->all, config, SLICE_LITERAL("[\"\"]"));
    if (pointers)
        connector_secrets_add_marked(task->secrets, config, slice_of(pointers));
}

static int save(struct task *task, struct error *err)
{
    if (task->sink)
        return task->sink->class->save(task->sink, err);
    return task->ledger ? task_ledger_commit(task->ledger, err) : 0;
}

int task_config_change(struct task *task, enum task_side side, const struct json *line, uint32_t config,
                       struct error *err)
{
    struct task_endpoint *endpoint = task->endpoints[side];
    struct slice merged;
    if (sealed_config_merge(endpoint->program.label, endpoint->config, line, config, &task->arena, &merged,
                            err) < 0)
        return -1;
    if (slice_equal(merged, endpoint->config))
        return 0; /* it says what is so already */
    use(task, side, merged);
    /* It works with this config: it says so itself. */
    uint64_t *checked =
        side == TASK_SOURCE ? &task->checkpoint.source_checked : &task->checkpoint.destination_checked;
    if (*checked)
        *checked = conversation_identity(endpoint);
    if (seal(task, side, merged, err) < 0 || save(task, err) < 0)
        return error_wrap(err, "the config that %s changed", endpoint->program.label);
    fault_point("task.config.kept");
    task_report_config(task->report, side == TASK_DESTINATION, json_raw(line, config));
    task_report_logf(task->report, LOG_INFO, "%s changed its config, which is kept", endpoint->program.label);
    return 0;
}

/* --- and going on with it ------------------------------------------------------------------------ */

static int adopt(struct task *task, enum task_side side, struct error *err)
{
    struct task_saved_config *saved = &task->checkpoint.configs[side];
    struct secret_key key;
    struct slice config;
    if (!sealed_config_is_of(saved, task->endpoints[side])) {
        saved->sealed = NULL;
        return 0;
    }
    if (load_key(task, &key, err) < 0)
        return -1;
    int result = sealed_config_get(&task->checkpoint, side, &key, &task->arena, &config, err);
    secret_key_done(&key);
    if (result == 0) {
        use(task, side, config);
        task_report_config(task->report, side == TASK_DESTINATION, config);
    }
    return result;
}

int task_config_adopt(struct task *task, struct error *err)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        const struct task_endpoint *endpoint = task->endpoints[side];
        if (!endpoint->program.argv || !endpoint->program.argv[0])
            continue;
        task->given[side] = sealed_config_identity(endpoint->config);
        if (task->checkpoint.configs[side].sealed && adopt(task, (enum task_side)side, err) < 0)
            return error_wrap(err, "the config that %s has changed", endpoint->program.label);
    }
    return 0;
}
