/* Firth's own API: what is declared and inferred of a collection, from the catalog that a task was deployed
 * with, read in a process of ask.h. */
#include "catalog/snapshot.h"
#include "server/handlers.h"
#include "server/internal.h"

static void on_done(struct ask *ask)
{
    http_request_resume(((struct call *)ask->owner)->http);
}

static enum http_next go_on(struct call *call)
{
    struct ask *ask = call->state;
    struct json payload;
    struct error err;
    int result = ask_read(ask, call->arena, &payload, &err);
    ask_done(ask);
    if (result < 0)
        return call_error(call, &err);
    call->http->status = 200;
    json_writer_init(&call->out, &call->http->answer);
    json_put_value(&call->out, &payload, 0);
    return HTTP_ANSWER;
}

static enum http_next begin(struct call *call, struct slice snapshot, const char *name)
{
    struct ask *ask = arena_zalloc(call->arena, sizeof *ask);
    ask_init_collection(ask, snapshot, name, call->server->options.data_dir);
    ask->owner = call;
    ask->done = on_done;
    ask->client = http_request_socket(call->http);
    call->state = ask;
    /* It is held first: the answer may come before this returns. */
    enum http_next next = call_hold(call, go_on);
    if (ask_start(call->server->asks, ask))
        return next;
    ask->failed = true;
    error_set(&ask->error, ERROR_CANCELLED, "%d questions are under way already: try again", ASKS_MAX);
    http_request_resume(call->http);
    return next;
}

int call_task_snapshot(struct call *call, const char *task, struct buffer *ret_text, struct error *err)
{
    struct control_task *tasks;
    size_t count, at = 0;
    if (control_tasks(call->control, call->arena, &tasks, &count, err) < 0)
        return -1;
    while (at < count && strcmp(tasks[at].name, task) != 0)
        at++;
    if (at == count)
        return error_set(err, ERROR_NOT_FOUND, "no task of this name is deployed");
    return control_snapshot(call->control, tasks[at].snapshot, ret_text, err);
}

enum http_next firth_collection(struct call *call)
{
    const char *name = http_query(call->http, "name", 0), *task = http_query(call->http, "task", 0);
    struct buffer snapshot;
    struct error err;
    if (!name || !*name)
        return call_invalid(call, "name", "name: a collection's name is wanted");
    if (!task || !*task)
        return call_invalid(call, "task", "task: the name of a task that was deployed with it is wanted");
    buffer_init(&snapshot, CATALOG_SNAPSHOT_MAX + 1);
    enum http_next next = call_task_snapshot(call, task, &snapshot, &err) < 0
                              ? call_error_of(call, &err, "deployed task", task)
                              : begin(call, (struct slice){snapshot.data, snapshot.size}, name);
    if (snapshot.data)
        explicit_bzero(snapshot.data, snapshot.capacity);
    buffer_done(&snapshot);
    return next;
}
