/* The first byte says in which pieces the rest comes to a websocket. Whatever it is:
 * - a message is not larger than it may be, and a text is UTF-8;
 * - what is answered are whole frames, not masked, none of them behind a close. */
#include "ingest/frames.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096, INPUT_MAX = 32 << 10 };

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void on_more(void *context, const char *bytes, size_t size)
{
    buffer_append(context, bytes, size);
}

static bool on_message(void *context, bool text)
{
    struct buffer *message = context;
    must(message->size <= MESSAGE_MAX);
    must(!text || utf8_valid(message->data ? message->data : "", message->size));
    bool more = message->size % 2;
    buffer_clear(message);
    return more;
}

static void check_answers(const unsigned char *at, size_t size)
{
    bool closed = false;
    for (const unsigned char *end = at + size; at < end;) {
        must(!closed && end - at >= 2 && (at[0] & 0xf0) == 0x80 && at[1] <= 125 && end - at >= 2 + at[1]);
        closed = (at[0] & 0x0f) == 8;
        must(closed || (at[0] & 0x0f) == 10);
        must(!closed || at[1] == 0 || (at[1] >= 2 && utf8_valid((const char *)at + 4, at[1] - 2U)));
        at += 2 + at[1];
    }
}

/* All that is answered, up to the end. */
static void read_answers(int fd, struct buffer *out)
{
    ssize_t got;
    while (buffer_reserve(out, 4096) && (got = read(fd, out->data + out->size, 4096)) > 0)
        out->size += (size_t)got;
}

static enum frames_state go_on(struct frames *frames)
{
    bool heard = true;
    enum frames_state state = FRAMES_OPEN;
    while (heard && state == FRAMES_OPEN)
        state = frames_read(frames, &heard);
    frames_answer(frames);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer message, answers;
    struct error err;
    int ends[2];
    if (size < 2 || size > INPUT_MAX)
        return 0;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    buffer_init(&message, BUFFER_UNLIMITED);
    buffer_init(&answers, BUFFER_UNLIMITED);
    const struct frames_callbacks callbacks = {&message, on_more, on_message};
    struct http_wire *wire = http_wire_new(ends[0], NULL, &err);
    struct frames *frames = frames_new(wire, (struct slice){0}, MESSAGE_MAX, &callbacks, &err);
    must(frames != NULL);
    size_t piece = (size_t)data[0] * data[0] + 1;
    enum frames_state state = FRAMES_OPEN;
    for (size_t at = 1; at < size && state == FRAMES_OPEN; at += piece) {
        size_t count = size - at < piece ? size - at : piece;
        must(write(ends[1], data + at, count) == (ssize_t)count);
        state = go_on(frames);
    }
    shutdown(ends[1], SHUT_WR);
    if (state == FRAMES_OPEN)
        must(go_on(frames) == FRAMES_ENDING);
    must(frames_unsent(frames) <= 2 * INPUT_MAX && frames_flush(frames));
    frames_free(frames);
    http_wire_free(wire);
    close(ends[0]);
    read_answers(ends[1], &answers);
    check_answers((const unsigned char *)answers.data, answers.size);
    close(ends[1]);
    buffer_done(&answers);
    buffer_done(&message);
    return 0;
}
