#include "task/connection_state.h"

#include "store/store.h"
#include "task/checkpoint.h"

#include <stdio.h>

void connection_task_name(const char *connection, char ret_name[64])
{
    snprintf(ret_name, 64, "connections/%.40s", connection);
}

/* An empty one if there is none. */
static int load(struct store *store, const char *task, struct task_checkpoint *checkpoint, struct error *err)
{
    struct arena arena;
    struct slice saved = {0};
    arena_init(&arena);
    int result = store_checkpoint_get(store, task, &arena, &saved, err);
    if (result < 0 && err->code == ERROR_NOT_FOUND)
        result = 0;
    if (result == 0)
        result = task_checkpoint_load(checkpoint, saved, err);
    arena_done(&arena);
    return result;
}

int connection_state_read(const char *data_dir, const char *connection, struct buffer *out, struct error *err)
{
    char name[64];
    struct task_checkpoint checkpoint;
    const struct store_options look = {.read_only = true};
    mem_auto(store_close) struct store *store = store_open(data_dir, &look, err);
    if (!store)
        return -1;
    connection_task_name(connection, name);
    task_checkpoint_init(&checkpoint);
    int result = load(store, name, &checkpoint, err);
    if (result == 0)
        airbyte_states_write(out, checkpoint.states);
    task_checkpoint_done(&checkpoint);
    return result;
}

static int replace(struct task_checkpoint *checkpoint, struct slice states, struct error *err)
{
    struct arena arena;
    struct json doc;
    arena_init(&arena);
    int result = json_parse_copy(&arena, states.data, states.size, &doc, err);
    if (result == 0)
        result = airbyte_states_load(checkpoint->states, &doc, 0, err);
    arena_done(&arena);
    /* Who sets a state has the rows before it at the destination: a refresh that was cut short is undone. */
    for (size_t i = 0; i < checkpoint->stream_count; i++)
        checkpoint->streams[i]->replacing = false;
    return result < 0 ? error_wrap(err, "the state") : 0;
}

int connection_state_write(const char *data_dir, const char *connection, struct slice states,
                           struct error *err)
{
    char name[64];
    struct task_checkpoint checkpoint;
    struct buffer text;
    if (states.size > CONNECTION_STATE_MAX)
        return error_set(err, ERROR_LIMIT, "the state has %zu bytes; the limit is %d", states.size,
                         CONNECTION_STATE_MAX);
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, err);
    if (!store)
        return -1;
    connection_task_name(connection, name);
    task_checkpoint_init(&checkpoint);
    buffer_init(&text, STORE_CHECKPOINT_MAX);
    int result = load(store, name, &checkpoint, err);
    if (result == 0)
        result = replace(&checkpoint, states, err);
    if (result == 0) {
        task_checkpoint_write(&checkpoint, &text);
        result = store_checkpoint_set(store, name, (struct slice){text.data, text.size}, err);
    }
    buffer_done(&text);
    task_checkpoint_done(&checkpoint);
    return result;
}

int connection_states_drop(const char *data_dir, const char *const *connections, size_t count,
                           struct error *err)
{
    char name[64];
    struct error failed;
    int result = 0;
    mem_auto(store_close) struct store *store = store_open(data_dir, NULL, err);
    if (!store)
        return -1;
    for (size_t i = 0; i < count; i++) {
        connection_task_name(connections[i], name);
        if (store_drop_task(store, name, &failed) == 0 || failed.code == ERROR_NOT_FOUND || result < 0)
            continue;
        *err = failed;
        result = -1;
    }
    return result;
}
