#include "parts.h"

#include <math.h>

/* As in the CDK, three kinds of failure count on their own, one within the other: those whose wait a strategy
 * gives, within those of rate limits, within all others. A failure of an outer kind begins the inner ones
 * anew. */
double retry_next(struct retry_state *state, const struct error_handler *handler, bool rate_limited,
                  double asked, uint64_t now_ms)
{
    enum retry_kind kind = asked >= 0 ? RETRY_ASKED : rate_limited ? RETRY_LIMITED : RETRY_PLAIN;
    for (unsigned inner = 0; inner < kind; inner++)
        state->tries[inner] = 0;
    if (state->tries[kind]++ >= (unsigned)error_handler_max_retries(handler))
        return -1;
    if (kind == RETRY_ASKED)
        return fmin(asked + 1, REQUEST_WAIT_MAX);
    double seconds = fmin(ldexp(1, (int)state->tries[kind] - 1), REQUEST_WAIT_MAX);
    if (kind == RETRY_LIMITED)
        return seconds;
    double left = error_handler_max_seconds(handler) - (double)(now_ms - state->start_ms) / 1000;
    return left <= 0 ? -1 : fmin(seconds, left);
}
