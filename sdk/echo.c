#include "echo.h"

#include "base/memory.h"

#include <stdlib.h>

void sdk_echo_init(struct sdk_echo *echo, size_t stream_count, size_t max)
{
    *echo = (struct sdk_echo){.stream_count = stream_count, .held = mem_zalloc(stream_count * sizeof(bool))};
    buffer_init(&echo->lines, max);
}

void sdk_echo_done(struct sdk_echo *echo)
{
    buffer_done(&echo->lines);
    free(echo->states);
    free(echo->held);
}

void sdk_echo_hold(struct sdk_echo *echo, size_t stream)
{
    echo->any_held = echo->held[stream] = true;
}

bool sdk_echo_added(struct sdk_echo *echo, size_t size, long stream)
{
    if (echo->lines.overflowed)
        return false;
    echo->states = mem_grow(echo->states, &echo->capacity, echo->count + 1, sizeof *echo->states);
    echo->states[echo->count++] = (struct sdk_echo_state){size, stream};
    return true;
}

static bool is_held(const struct sdk_echo *echo, const struct sdk_echo_state *state)
{
    if (state->stream == SDK_ECHO_ALL_STREAMS)
        return echo->any_held;
    return state->stream >= 0 && echo->held[state->stream];
}

size_t sdk_echo_waiting(const struct sdk_echo *echo)
{
    return echo->count - echo->first;
}

bool sdk_echo_waits_for_commit(const struct sdk_echo *echo)
{
    return sdk_echo_waiting(echo) && !is_held(echo, &echo->states[echo->first]);
}

static void take(struct sdk_echo *echo, struct buffer *out)
{
    size_t size = echo->states[echo->first++].size;
    if (out)
        buffer_append(out, echo->lines.data + echo->taken, size);
    echo->taken += size;
}

static void tidy(struct sdk_echo *echo)
{
    if (echo->first == echo->count)
        echo->first = echo->count = 0;
    /* Moving what is left costs less than what was taken: linear over all. */
    if (echo->taken > echo->lines.size / 2) {
        buffer_consume(&echo->lines, echo->taken);
        echo->taken = 0;
    }
}

void sdk_echo_release(struct sdk_echo *echo, struct buffer *out)
{
    while (sdk_echo_waits_for_commit(echo))
        take(echo, out);
    tidy(echo);
}

void sdk_echo_release_all(struct sdk_echo *echo, const bool *keep_back, struct buffer *out)
{
    bool any_kept = false;
    for (size_t i = 0; i < echo->stream_count; i++)
        any_kept |= keep_back[i];
    while (sdk_echo_waiting(echo)) {
        long stream = echo->states[echo->first].stream;
        bool kept = stream == SDK_ECHO_ALL_STREAMS ? any_kept : stream >= 0 && keep_back[stream];
        take(echo, kept ? NULL : out);
    }
    tidy(echo);
}
