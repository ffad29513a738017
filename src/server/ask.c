#include "server/ask.h"

#include "json/writer.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_FD = 3, ANSWER_FD = 4, READ_CHUNK = 64 << 10, WORDS_MAX = 64 };

struct asks {
    uv_loop_t *loop;
    struct loop_inbox *inbox;
    struct asks_options options;
    atomic_int counts[2]; /* questions that are not done: connectors', our own */
    struct ask_child *children;
    bool closing, released;
};

struct ask_child {
    struct asks *asks;
    struct ask_child *next, **at;
    struct ask *ask; /* NULL: it is done */
    uv_process_t process;
    uv_pipe_t request_pipe, answer_pipe;
    uv_timer_t deadline;
    uv_poll_t client;
    bool watches; /* `client` is there */
    uv_write_t write;
    bool exited, silent, died;
    unsigned open_handles;
};

const char *ask_verb_name(enum ask_verb verb)
{
    static const char *const names[] = {"spec", "check", "discover"};
    return names[verb];
}

/* --- the end of one ----------------------------------------------------------------------------------- */

static void free_if_over(struct asks *asks)
{
    if (asks->released && !asks->children)
        free(asks);
}

static void answer(struct asks *asks, struct ask *ask)
{
    atomic_fetch_sub(&asks->counts[ask->own], 1);
    ask->done(ask);
}

static void on_closed(uv_handle_t *handle)
{
    struct ask_child *child = handle->data;
    struct asks *asks = child->asks;
    if (--child->open_handles > 0)
        return;
    *child->at = child->next;
    if (child->next)
        child->next->at = child->at;
    free(child);
    free_if_over(asks);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct ask_child *child)
{
    close_handle((uv_handle_t *)&child->process);
    close_handle((uv_handle_t *)&child->request_pipe);
    close_handle((uv_handle_t *)&child->answer_pipe);
    close_handle((uv_handle_t *)&child->deadline);
    if (child->watches)
        close_handle((uv_handle_t *)&child->client);
}

/* The first reason counts. */
static void fail(struct ask *ask, enum error_code code, const char *message)
{
    if (ask->failed)
        return;
    ask->failed = true;
    error_set(&ask->error, code, "%s", message);
}

static void finish(struct ask_child *child)
{
    struct ask *ask = child->ask;
    child->ask = NULL;
    close_all(child);
    if (ask)
        answer(child->asks, ask);
}

static void finish_if_over(struct ask_child *child)
{
    if (!child->exited || !child->silent)
        return;
    struct ask *ask = child->ask;
    if (ask && (ask->may_be_empty ? ask->answer.size == 0 && child->died : !ask_answered(ask)))
        fail(ask, ERROR_CONNECTOR, "the process that asked the connector died");
    finish(child);
}

static void kill_group(struct ask_child *child)
{
    if (!child->exited)
        kill(-child->process.pid, SIGKILL);
}

static void on_exited(uv_process_t *process, int64_t status, int signal)
{
    struct ask_child *child = process->data;
    (void)status;
    child->exited = true;
    child->died = signal != 0;
    uv_timer_stop(&child->deadline);
    finish_if_over(child);
}

static void on_deadline(uv_timer_t *timer)
{
    struct ask_child *child = timer->data;
    const struct ask *ask = child->ask;
    char text[256];
    snprintf(text, sizeof text, "%.160s did not answer within %llu s, and was ended",
             ask->what ? ask->what : "the connector", (unsigned long long)uv_timer_get_repeat(timer) / 1000);
    fail(child->ask, ERROR_CONNECTOR, text);
    kill_group(child);
}

/* Nobody waits any more. Half a connection is none: a client that asks no more does not listen either. */
static void on_client(uv_poll_t *client, int status, int events)
{
    struct ask_child *child = client->data;
    (void)status, (void)events;
    uv_poll_stop(client);
    if (child->ask)
        fail(child->ask, ERROR_CANCELLED, "the client has gone");
    kill_group(child);
}

static void watch_client(struct ask_child *child)
{
    if (child->ask->client < 0 || uv_poll_init(child->asks->loop, &child->client, child->ask->client) < 0)
        return;
    child->watches = true;
    child->client.data = child;
    child->open_handles++;
    uv_poll_start(&child->client, UV_DISCONNECT, on_client);
}

/* --- its life ----------------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct ask_child *child = handle->data;
    struct buffer *answer = &child->ask->answer;
    (void)suggested;
    bool room = buffer_reserve(answer, READ_CHUNK);
    *ret_room = room ? uv_buf_init(answer->data + answer->size, (unsigned)(answer->capacity - answer->size))
                     : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct ask_child *child = stream->data;
    (void)room;
    if (got > 0)
        child->ask->answer.size += (size_t)got;
    if (got >= 0)
        return;
    uv_read_stop(stream);
    if (got != UV_EOF) {
        fail(child->ask, ERROR_LIMIT, "the connector's answer is too long");
        kill_group(child);
    }
    child->silent = true;
    finish_if_over(child);
}

static void on_written(uv_write_t *write, int status)
{
    struct ask_child *child = write->data;
    (void)status; /* one that died before it had read all of it is seen by its exit */
    close_handle((uv_handle_t *)&child->request_pipe);
}

static int spawn(struct ask_child *child)
{
    const struct asks_options *options = &child->asks->options;
    char *argv[WORDS_MAX] = {
        (char *)options->program, (char *)"ask", (char *)"--request-fd", (char *)"3",
        (char *)"--answer-fd",    (char *)"4",   (char *)"--data-dir",   (char *)options->data_dir};
    size_t count = 0;
    while (argv[count])
        count++;
    for (size_t i = 0; options->image_words && options->image_words[i] && count < WORDS_MAX - 1; i++)
        argv[count++] = (char *)options->image_words[i];
    uv_stdio_container_t stdio[ANSWER_FD + 1] = {
        [0] = {.flags = UV_IGNORE},
        [1] = {.flags = UV_IGNORE},
        [2] = {.flags = UV_INHERIT_FD, .data.fd = 2},
        [REQUEST_FD] = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                        .data.stream = (uv_stream_t *)&child->request_pipe},
        [ANSWER_FD] = {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                       .data.stream = (uv_stream_t *)&child->answer_pipe},
    };
    const uv_process_options_t how = {.file = options->program,
                                      .args = argv,
                                      .stdio = stdio,
                                      .stdio_count = ANSWER_FD + 1,
                                      .exit_cb = on_exited,
                                      .flags = UV_PROCESS_DETACHED};
    return uv_spawn(child->asks->loop, &child->process, &how);
}

static struct ask_child *new_child(struct asks *asks, struct ask *ask)
{
    struct ask_child *child = mem_zalloc(sizeof *child);
    child->asks = asks;
    child->ask = ask;
    child->next = asks->children;
    child->at = &asks->children;
    if (child->next)
        child->next->at = &child->next;
    asks->children = child;
    uv_pipe_init(asks->loop, &child->request_pipe, 0);
    uv_pipe_init(asks->loop, &child->answer_pipe, 0);
    uv_timer_init(asks->loop, &child->deadline);
    child->request_pipe.data = child->answer_pipe.data = child->process.data = child->deadline.data =
        child->write.data = child;
    child->open_handles = 4;
    return child;
}

static void on_item(struct loop_item *item, bool closing)
{
    struct ask *ask = (struct ask *)item; /* its first member */
    struct asks *asks = ask->asks;
    if (closing || asks->closing) {
        fail(ask, ERROR_CANCELLED, "Firth is being stopped");
        answer(asks, ask);
        return;
    }
    struct ask_child *child = new_child(asks, ask);
    int failed = spawn(child);
    if (failed) {
        char text[128];
        snprintf(text, sizeof text, "cannot start a process to ask the connector in: %s",
                 uv_strerror(failed));
        fail(ask, ERROR_IO, text);
        child->exited = true;
        finish(child);
        return;
    }
    uv_buf_t bytes = uv_buf_init(ask->request.data, (unsigned)ask->request.size);
    if (uv_write(&child->write, (uv_stream_t *)&child->request_pipe, &bytes, 1, on_written) < 0)
        close_handle((uv_handle_t *)&child->request_pipe);
    uv_read_start((uv_stream_t *)&child->answer_pipe, on_room, on_read);
    uint64_t limit_ms = asks->options.limit_ms * ask->times;
    uv_timer_start(&child->deadline, on_deadline, limit_ms, limit_ms);
    watch_client(child);
}

struct asks *asks_new(uv_loop_t *loop, struct loop_inbox *inbox, const struct asks_options *options)
{
    struct asks *asks = mem_zalloc(sizeof *asks);
    asks->loop = loop;
    asks->inbox = inbox;
    asks->options = *options;
    if (!asks->options.limit_ms)
        asks->options.limit_ms = ASK_MS;
    return asks;
}

void asks_close(struct asks *asks)
{
    asks->closing = true;
    for (struct ask_child *child = asks->children; child; child = child->next) {
        if (child->ask)
            fail(child->ask, ERROR_CANCELLED, "Firth is being stopped");
        kill_group(child);
        finish(child);
    }
}

void asks_release(struct asks *asks)
{
    asks->released = true;
    free_if_over(asks);
}

unsigned asks_under_way(struct asks *asks)
{
    return (unsigned)(atomic_load(&asks->counts[false]) + atomic_load(&asks->counts[true]));
}

bool ask_start(struct asks *asks, struct ask *ask)
{
    atomic_int *count = &asks->counts[ask->own];
    if (atomic_fetch_add(count, 1) >= ASKS_MAX) {
        atomic_fetch_sub(count, 1);
        return false;
    }
    ask->asks = asks;
    ask->item.act = on_item;
    loop_inbox_put(asks->inbox, &ask->item);
    return true;
}
