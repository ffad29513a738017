/* States on their way back: a destination confirms each STATE, in order, once everything before it is
 * durable. Pure bookkeeping; what is due is appended to a buffer. */
#ifndef FIRTH_SDK_ECHO_H
#define FIRTH_SDK_ECHO_H

#include "base/buffer.h"

enum { SDK_ECHO_ALL_STREAMS = -1, SDK_ECHO_NO_STREAM = -2 };

struct sdk_echo_state {
    size_t size; /* of its line in `lines` */
    long stream; /* the one that it is about, SDK_ECHO_ALL_STREAMS (GLOBAL, LEGACY) or SDK_ECHO_NO_STREAM */
};

struct sdk_echo {
    struct buffer lines; /* the waiting lines, one after another */
    struct sdk_echo_state *states;
    size_t first, count, capacity; /* states[first..count) wait */
    size_t taken;                  /* bytes at the start of `lines` that are done with */
    size_t stream_count;
    bool *held; /* streams whose states wait for the end of the stream */
    bool any_held;
};

void sdk_echo_init(struct sdk_echo *echo, size_t stream_count, size_t max);
void sdk_echo_done(struct sdk_echo *echo);
void sdk_echo_hold(struct sdk_echo *echo, size_t stream);
/* The buffer to which the caller appends one whole line, before sdk_echo_added. */
static inline struct buffer *sdk_echo_line(struct sdk_echo *echo)
{
    return &echo->lines;
}
/* false: the waiting states do not fit their limit any more. */
bool sdk_echo_added(struct sdk_echo *echo, size_t size, long stream);
/* Would a commit now release anything? */
bool sdk_echo_waits_for_commit(const struct sdk_echo *echo);
size_t sdk_echo_waiting(const struct sdk_echo *echo);
/* After a commit: move the lines to `out` up to the first that is held. */
void sdk_echo_release(struct sdk_echo *echo, struct buffer *out);
/* At the end, every finish done: move what may go; the states of streams with keep_back set are dropped, and
 * so are states of all streams if any is kept back. */
void sdk_echo_release_all(struct sdk_echo *echo, const bool *keep_back, struct buffer *out);

#endif
