/* The frames of one websocket (RFC 6455), the server's side, on a wire. What comes is
 * wslay's to read: masks, fragments, control frames between them, UTF-8, limits; a ping is answered, a breach
 * of the protocol ends it with the right code. What goes is gathered here and sent as the socket takes it.
 *
 * Not safe for threads: one owns it. Private to this folder. */
#ifndef FIRTH_INGEST_FRAMES_H
#define FIRTH_INGEST_FRAMES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "web/wire.h"

enum {
    FRAMES_TURN = 256 << 10,   /* bytes read at once, so that others have their turn */
    FRAMES_UNSENT = 256 << 10, /* bytes that wait to be sent; a client that takes none is past it no client */
    FRAMES_REASON_MAX = 123,   /* bytes of what a close says */
};

/* Codes of closing (RFC 6455 §7.4, and IANA's registry). */
enum {
    FRAMES_GOING_AWAY = 1001,
    FRAMES_PROTOCOL = 1002,
    FRAMES_UNSUPPORTED = 1003,
    FRAMES_NO_UTF8 = 1007,
    FRAMES_POLICY = 1008,
    FRAMES_TOO_LARGE = 1009,
    FRAMES_INTERNAL = 1011,
    FRAMES_RESTART = 1012,
    FRAMES_TRY_LATER = 1013,
};

struct frames;

struct frames_callbacks {
    void *context;
    /* More of a message has come. */
    void (*more)(void *context, const char *bytes, size_t size);
    /* And now it is whole. False: enough for this turn. */
    bool (*message)(void *context, bool text);
};

/* NULL if the library is not installed. `wire` stays the caller's; `answer` is what is sent before any
 * frame. A message of more than `max` bytes ends it. */
struct frames *frames_new(struct http_wire *wire, struct slice answer, size_t max,
                          const struct frames_callbacks *callbacks, struct error *err);
void frames_free(struct frames *frames);
/* Can there be websockets at all? */
bool frames_available(struct error *err);

enum frames_state {
    FRAMES_OPEN,   /* more may come */
    FRAMES_ENDING, /* nothing more is read: the client has ended, or broken the protocol, or frames_end */
    FRAMES_GONE,   /* the socket has failed */
};

/* Read what is there, up to FRAMES_TURN, or a little past the message that was enough. *ret_heard: there was
 * anything. */
enum frames_state frames_read(struct frames *frames, bool *ret_heard);
/* Is there something to read that the socket does not tell of? */
bool frames_has_more(const struct frames *frames);

/* Each is put behind what waits; nothing is sent before frames_flush. */
void frames_text(struct frames *frames, struct slice text);
void frames_ping(struct frames *frames);
/* Read no more, and close with this code, unless something ended it before. `reason` may be NULL. */
void frames_end(struct frames *frames, unsigned code, const char *reason);
/* What the close, and what else wslay answers, is made of now; after it no text is sent any more. To be
 * called in FRAMES_ENDING once all texts are there, and otherwise after each frames_read. */
void frames_answer(struct frames *frames);
/* Did the client close, so that nothing of it is to be waited for? */
bool frames_closed_by_client(const struct frames *frames);

/* Bytes that wait to be sent. */
size_t frames_unsent(const struct frames *frames);
/* Send what the socket takes; false: it is of no use any more. */
bool frames_flush(struct frames *frames);

#endif
