#include "task/kept_config.h"

#include "base/fault.h"
#include "control/secret.h"
#include "task/conversation.h"
#include "task/ledger.h"
#include "task/sink.h"
#include "json/writer.h"

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

/* `was` with the members of `now`: they replace those of their name, or come last. */
static void merge(struct json_writer *writer, const struct json *was, const struct json *now, uint32_t at)
{
    struct arena arena;
    arena_init(&arena);
    json_begin_object(writer);
    for (uint32_t key = json_first_key(was, 0); key != JSON_NONE; key = json_next_key(was, 0, key)) {
        uint32_t newer = json_get_slice(now, at, json_string(was, key, &arena));
        json_put_key_of(writer, was, key);
        if (newer != JSON_NONE)
            json_put_value(writer, now, newer);
        else
            json_put_value(writer, was, json_value(key));
    }
    for (uint32_t key = json_first_key(now, at); key != JSON_NONE; key = json_next_key(now, at, key)) {
        if (json_get_slice(was, 0, json_string(now, key, &arena)) != JSON_NONE)
            continue;
        json_put_key_of(writer, now, key);
        json_put_value(writer, now, json_value(key));
    }
    json_end_object(writer);
    arena_done(&arena);
}

static int seal(struct task *task, enum task_side side, struct slice config, struct error *err)
{
    struct task_saved_config *saved = &task->checkpoint.configs[side];
    struct secret_key key;
    struct buffer sealed;
    if (load_key(task, &key, err) < 0)
        return -1;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    secret_seal_text(&key, config, &sealed);
    saved->identity = task->given[side];
    saved->sealed = arena_strdup(&task->checkpoint.arena, buffer_cstr(&sealed));
    buffer_done(&sealed);
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
    struct slice said = json_raw(line, config);
    struct json was;
    struct buffer text;
    struct json_writer writer;
    if (said.size > TASK_CONFIG_MAX)
        return error_set(err, ERROR_LIMIT, "%s changed its config to one of %zu bytes; the limit is %d",
                         endpoint->program.label, said.size, TASK_CONFIG_MAX);
    if (json_parse_copy(&task->arena, endpoint->config.data, endpoint->config.size, &was, err) < 0)
        return error_wrap(err, "the config of %s", endpoint->program.label);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    merge(&writer, &was, line, config);
    struct slice merged = {arena_dup(&task->arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
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
    task_report_config(task->report, side == TASK_DESTINATION, said);
    task_report_logf(task->report, LOG_INFO, "%s changed its config, which is kept", endpoint->program.label);
    return 0;
}

/* --- and going on with it ------------------------------------------------------------------------ */

static int adopt(struct task *task, enum task_side side, struct error *err)
{
    struct task_saved_config *saved = &task->checkpoint.configs[side];
    struct secret_key key;
    struct buffer plain;
    struct json doc;
    if (saved->identity != task->given[side]) {
        saved->sealed = NULL;
        return 0;
    }
    if (load_key(task, &key, err) < 0)
        return -1;
    buffer_init(&plain, BUFFER_UNLIMITED);
    int result = secret_unseal_text(&key, slice_of(saved->sealed), &plain, err);
    secret_key_done(&key);
    if (result == 0 && json_parse_copy(&task->arena, plain.data, plain.size, &doc, err) < 0)
        result = -1;
    if (result == 0) {
        use(task, side, (struct slice){doc.source, doc.size});
        task_report_config(task->report, side == TASK_DESTINATION, (struct slice){doc.source, doc.size});
    }
    if (plain.size)
        explicit_bzero(plain.data, plain.size);
    buffer_done(&plain);
    return result;
}

int task_config_adopt(struct task *task, struct error *err)
{
    for (int side = 0; side < TASK_SIDE_MAX; side++) {
        const struct task_endpoint *endpoint = task->endpoints[side];
        if (!endpoint->program.argv || !endpoint->program.argv[0])
            continue;
        task->given[side] = conversation_identity(endpoint);
        if (task->checkpoint.configs[side].sealed && adopt(task, (enum task_side)side, err) < 0)
            return error_wrap(err, "the config that %s has changed", endpoint->program.label);
    }
    return 0;
}
