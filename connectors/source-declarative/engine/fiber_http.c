/* Requests in fibers: a fiber sleeps while its transfer runs. */
#include "scheduler.h"

#include <assert.h>
#include <stdlib.h>

/* A transfer's tag. */
struct transfer_wait {
    struct fiber_signal signal;
    bool ended;
};

bool fibers_poll(struct fibers *fibers, int timeout_ms)
{
    struct http_client *client = fibers->settings.client;
    if (!client || http_running(client) == 0)
        return false;
    /* Only the first wait is long: what has ended besides is taken at once. */
    struct http_transfer *transfer;
    while ((transfer = http_poll(client, timeout_ms))) {
        struct transfer_wait *wait = http_transfer_tag(transfer);
        timeout_ms = 0;
        if (!wait)
            continue;
        wait->ended = true;
        fiber_wake_all(&wait->signal);
    }
    return true;
}

int fiber_http(struct fibers *fibers, const struct http_request *request, struct http_transfer **ret_transfer,
               struct error *err)
{
    if (fibers->cancelled)
        return error_set(err, ERROR_CANCELLED, "stopped");
    struct transfer_wait wait = {{NULL, NULL}, false};
    mem_auto(http_transfer_free) struct http_transfer *transfer =
        http_start(fibers->settings.client, request, &wait);
    while (!wait.ended)
        if (fiber_wait(fibers, &wait.signal, err) < 0)
            return -1;
    *ret_transfer = transfer;
    transfer = NULL;
    return 0;
}

/* --- bodies that are read as they come ------------------------------------------------------------------ */

enum { BODY_AHEAD_MAX = 256 << 10 }; /* bytes that wait for the reader; then the server waits */

struct fiber_body_reader {
    struct fibers *fibers;
    struct transfer_wait wait; /* its signal is given when bytes come, too */
    struct http_transfer *transfer;
    struct buffer ahead;
    size_t taken; /* of `ahead` */
    bool paused;
};

static enum http_sinking take_piece(void *context, const struct http_response *response, struct slice bytes)
{
    (void)response;
    struct fiber_body_reader *reader = context;
    size_t waiting = reader->ahead.size - reader->taken;
    if (waiting > 0 && waiting + bytes.size > BODY_AHEAD_MAX) {
        reader->paused = true;
        return HTTP_PAUSE;
    }
    buffer_consume(&reader->ahead, reader->taken);
    reader->taken = 0;
    buffer_append(&reader->ahead, bytes.data, bytes.size);
    fiber_wake_all(&reader->wait.signal);
    return HTTP_GO_ON;
}

int fiber_http_open(struct fibers *fibers, const struct http_request *request,
                    struct fiber_body_reader **ret_reader, struct error *err)
{
    if (fibers->cancelled)
        return error_set(err, ERROR_CANCELLED, "stopped");
    mem_auto(fiber_http_close) struct fiber_body_reader *reader = mem_zalloc(sizeof *reader);
    reader->fibers = fibers;
    buffer_init(&reader->ahead, BUFFER_UNLIMITED); /* a piece beyond BODY_AHEAD_MAX at most */
    struct http_request own = *request;
    own.sink = take_piece;
    own.context = reader;
    assert(!request->read);
    reader->transfer = http_start(fibers->settings.client, &own, &reader->wait);
    while (!reader->wait.ended && reader->ahead.size == 0)
        if (fiber_wait(fibers, &reader->wait.signal, err) < 0)
            return -1;
    *ret_reader = reader;
    reader = NULL;
    return 0;
}

struct http_transfer *fiber_http_transfer(const struct fiber_body_reader *reader)
{
    return reader->transfer;
}

int64_t fiber_http_read(struct fiber_body_reader *reader, char *bytes, size_t size, struct error *err)
{
    while (reader->ahead.size == reader->taken) {
        if (reader->wait.ended)
            return http_transfer_error(reader->transfer, err);
        if (reader->paused) {
            reader->paused = false;
            http_resume(reader->transfer);
            continue;
        }
        if (fiber_wait(reader->fibers, &reader->wait.signal, err) < 0)
            return -1;
    }
    size_t there = reader->ahead.size - reader->taken, count = there < size ? there : size;
    memcpy(bytes, reader->ahead.data + reader->taken, count);
    reader->taken += count;
    return (int64_t)count;
}

void fiber_http_close(struct fiber_body_reader *reader)
{
    if (!reader)
        return;
    http_transfer_free(reader->transfer);
    buffer_done(&reader->ahead);
    free(reader);
}
