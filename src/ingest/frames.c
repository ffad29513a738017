#include "ingest/frames.h"

#include "base/library.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <wslay/wslay.h>

enum { FIN_TEXT = 0x81, FIN_CLOSE = 0x88, FIN_PING = 0x89, SHORT_MAX = 125, MEDIUM = 126, LONG = 127 };

struct wslay_api {
    typeof(wslay_event_context_server_init) *event_context_server_init;
    typeof(wslay_event_context_free) *event_context_free;
    typeof(wslay_event_config_set_no_buffering) *event_config_set_no_buffering;
    typeof(wslay_event_config_set_max_recv_msg_length) *event_config_set_max_recv_msg_length;
    typeof(wslay_event_recv) *event_recv;
    typeof(wslay_event_send) *event_send;
    typeof(wslay_event_queue_close) *event_queue_close;
    typeof(wslay_event_shutdown_read) *event_shutdown_read;
    typeof(wslay_event_want_read) *event_want_read;
    typeof(wslay_event_get_close_received) *event_get_close_received;
    typeof(wslay_event_set_error) *event_set_error;
};

struct frames {
    struct wslay_api api;
    wslay_event_context_ptr wslay;
    struct frames_callbacks callbacks;
    struct http_wire *wire;
    struct buffer out;
    struct buffer answers; /* what wslay wants to have sent: pongs, and a close at the end */
    size_t sent;           /* of `out` */
    size_t max, size;      /* bytes of a message: that it may have, and that came so far */
    size_t turn;           /* bytes that may still be read in this one */
    bool data;             /* the frame at hand is of a message; else a control frame */
    bool text;             /* and its message is a text */
    bool heard;            /* in this turn */
    bool broken;           /* a frame was none, for which wslay closes without a code */
    bool bad_reason;       /* the client's close says what is no UTF-8 */
    bool over;             /* the client sends no more, though it may still listen */
    bool gone;             /* the socket has ended, or failed */
};

#define FUNCTION(name)                                   \
    {                                                    \
        "wslay_" #name, offsetof(struct wslay_api, name) \
    }

static int load(struct wslay_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libwslay.so.1", "libwslay.dylib", "libwslay.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(event_context_server_init),
        FUNCTION(event_context_free),
        FUNCTION(event_config_set_no_buffering),
        FUNCTION(event_config_set_max_recv_msg_length),
        FUNCTION(event_recv),
        FUNCTION(event_send),
        FUNCTION(event_queue_close),
        FUNCTION(event_shutdown_read),
        FUNCTION(event_want_read),
        FUNCTION(event_get_close_received),
        FUNCTION(event_set_error),
    };
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

bool frames_available(struct error *err)
{
    struct wslay_api unused;
    return load(&unused, err) == 0;
}

/* --- what wslay asks ---------------------------------------------------------------------------------- */

/* The end of the turn is told as the end of what is there: what waits in the socket wakes us again. */
static ssize_t on_read(wslay_event_context_ptr wslay, uint8_t *bytes, size_t size, int flags, void *context)
{
    struct frames *frames = context;
    ssize_t got = 0;
    (void)flags;
    if (frames->turn == 0) {
        frames->api.event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    do
        got = http_wire_read(frames->wire, bytes, size < frames->turn ? size : frames->turn);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        frames->turn -= (size_t)got;
        frames->heard = true;
        return got;
    }
    bool later = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    frames->over = frames->over || got == 0;
    frames->gone = frames->gone || (got < 0 && !later);
    frames->api.event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t size, int flags,
                        void *context)
{
    struct frames *frames = context;
    (void)wslay, (void)flags;
    buffer_append(&frames->answers, bytes, size);
    return (ssize_t)size;
}

static void on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame,
                     void *context)
{
    struct frames *frames = context;
    (void)wslay;
    frames->data = frame->opcode == WSLAY_CONTINUATION_FRAME || frame->opcode == WSLAY_TEXT_FRAME ||
                   frame->opcode == WSLAY_BINARY_FRAME;
    if (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME) {
        frames->text = frame->opcode == WSLAY_TEXT_FRAME;
        frames->size = 0;
    }
    /* wslay looks at the frame alone when it does not gather the message itself. */
    if (frames->data && frame->payload_length > frames->max - frames->size)
        frames_end(frames, FRAMES_TOO_LARGE, "the message is too large");
    /* A code is two bytes; wslay takes one byte as none. */
    if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
        frames_end(frames, FRAMES_PROTOCOL, NULL);
}

static void on_chunk(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *chunk,
                     void *context)
{
    struct frames *frames = context;
    if (!frames->data || chunk->data_length == 0 || !frames->api.event_want_read(wslay))
        return;
    frames->size += chunk->data_length;
    frames->callbacks.more(frames->callbacks.context, (const char *)chunk->data, chunk->data_length);
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message,
                       void *context)
{
    struct frames *frames = context;
    /* wslay looks at a reason that comes in one piece alone. */
    if (message->opcode == WSLAY_CONNECTION_CLOSE && message->msg_length > 2)
        frames->bad_reason = !utf8_valid((const char *)message->msg + 2, message->msg_length - 2);
    if ((message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME) &&
        frames->api.event_want_read(wslay) &&
        !frames->callbacks.message(frames->callbacks.context, frames->text))
        frames->turn = 0;
}

/* --- its life ----------------------------------------------------------------------------------------- */

struct frames *frames_new(struct http_wire *wire, struct slice answer, size_t max,
                          const struct frames_callbacks *callbacks, struct error *err)
{
    static const struct wslay_event_callbacks CALLBACKS = {.recv_callback = on_read,
                                                           .send_callback = on_write,
                                                           .on_frame_recv_start_callback = on_frame,
                                                           .on_frame_recv_chunk_callback = on_chunk,
                                                           .on_msg_recv_callback = on_message};
    struct wslay_api api;
    if (load(&api, err) < 0)
        return NULL;
    struct frames *frames = mem_zalloc(sizeof *frames);
    *frames = (struct frames){.api = api, .callbacks = *callbacks, .wire = wire, .max = max};
    buffer_init(&frames->answers, BUFFER_UNLIMITED);
    buffer_init(&frames->out, BUFFER_UNLIMITED); /* who has FRAMES_UNSENT waiting is not read */
    buffer_append(&frames->out, answer.data, answer.size);
    if (api.event_context_server_init(&frames->wslay, &CALLBACKS, frames) != 0)
        abort(); /* out of memory */
    api.event_config_set_no_buffering(frames->wslay, 1);
    api.event_config_set_max_recv_msg_length(frames->wslay, max);
    return frames;
}

void frames_free(struct frames *frames)
{
    if (!frames)
        return;
    frames->api.event_context_free(frames->wslay);
    buffer_done(&frames->out);
    buffer_done(&frames->answers);
    free(frames);
}

/* --- reading ------------------------------------------------------------------------------------------ */

enum frames_state frames_read(struct frames *frames, bool *ret_heard)
{
    frames->turn = FRAMES_TURN;
    frames->heard = false;
    int failed = frames->api.event_recv(frames->wslay);
    *ret_heard = frames->heard;
    if (frames->gone)
        return FRAMES_GONE;
    frames->broken = frames->broken || (failed && !frames->over);
    return frames->api.event_want_read(frames->wslay) ? FRAMES_OPEN : FRAMES_ENDING;
}

bool frames_has_more(const struct frames *frames)
{
    return http_wire_has_more(frames->wire);
}

bool frames_closed_by_client(const struct frames *frames)
{
    return frames->api.event_get_close_received(frames->wslay);
}

/* --- sending ------------------------------------------------------------------------------------------ */

static void put(struct frames *frames, unsigned char first, struct slice text)
{
    const uint64_t size = text.size;
    unsigned char head[10] = {first};
    size_t length = 2, bytes = size <= SHORT_MAX ? 0 : size <= UINT16_MAX ? 2 : 8;
    head[1] = (unsigned char)(bytes == 0 ? size : bytes == 2 ? MEDIUM : LONG);
    for (size_t i = 0; i < bytes; i++)
        head[length++] = (unsigned char)(size >> (8 * (bytes - 1 - i)));
    buffer_append(&frames->out, head, length);
    buffer_append(&frames->out, text.data, text.size);
}

void frames_text(struct frames *frames, struct slice text)
{
    put(frames, FIN_TEXT, text);
}

void frames_ping(struct frames *frames)
{
    put(frames, FIN_PING, (struct slice){0});
}

void frames_end(struct frames *frames, unsigned code, const char *reason)
{
    size_t size = reason ? utf8_cut(reason, strlen(reason), FRAMES_REASON_MAX) : 0;
    frames->api.event_queue_close(frames->wslay, (uint16_t)code, (const uint8_t *)reason, size);
    frames->api.event_shutdown_read(frames->wslay);
}

/* wslay's close with the right code, where it has none or a wrong one. A client's own reason is not said
 * back. */
static void put_close(struct frames *frames, const unsigned char *payload, size_t size)
{
    char bytes[SHORT_MAX];
    memcpy(bytes, payload, size);
    if (frames->bad_reason || (frames->broken && size == 0)) {
        const unsigned code = frames->bad_reason ? FRAMES_NO_UTF8 : FRAMES_PROTOCOL;
        bytes[0] = (char)(code >> 8);
        bytes[1] = (char)code;
        size = 2;
    } else if (size > 2 && frames_closed_by_client(frames)) {
        size = 2;
    }
    put(frames, FIN_CLOSE, (struct slice){bytes, size});
}

void frames_answer(struct frames *frames)
{
    frames->api.event_send(frames->wslay);
    const unsigned char *at = (const unsigned char *)frames->answers.data;
    for (const unsigned char *end = at + frames->answers.size; at < end;) {
        size_t size = at[1]; /* control frames are short */
        if (at[0] == FIN_CLOSE)
            put_close(frames, at + 2, size);
        else
            buffer_append(&frames->out, at, 2 + size);
        at += 2 + size;
    }
    if (frames->answers.size)
        buffer_done(&frames->answers);
}

size_t frames_unsent(const struct frames *frames)
{
    return frames->out.size - frames->sent;
}

bool frames_flush(struct frames *frames)
{
    while (frames_unsent(frames) > 0) {
        ssize_t sent = http_wire_write(frames->wire, frames->out.data + frames->sent, frames_unsent(frames));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        frames->sent += (size_t)sent;
    }
    frames->sent = 0;
    buffer_done(&frames->out); /* of ten thousand that are idle none is to have one */
    return true;
}
