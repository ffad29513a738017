/* Waiting, for a moment, until a job is where a client expects it: running after it was started, over after
 * it was cancelled. Private to this folder. */
#ifndef FIRTH_SERVER_SETTLE_H
#define FIRTH_SERVER_SETTLE_H

#include "server/call.h"
#include "server/loop.h"

enum settle_for { SETTLE_BEGUN, SETTLE_OVER };

enum {
    SETTLE_BEGUN_MS = 1000, /* a job that has room begins long before */
    SETTLE_OVER_MS = 4000,  /* clients give up after five seconds */
    SETTLE_STEP_MS = 10,
};

struct settles;
struct settles *settles_new(uv_loop_t *loop, struct loop_inbox *inbox, struct control *control);
/* In the loop's thread: whoever waits goes on. */
void settles_close(struct settles *settles);
/* Nobody waits any more: freed once the loop has closed its handle. */
void settles_release(struct settles *settles);

/* Hold the call until the job is there, or cannot be (for SETTLE_BEGUN: there is no room for it), or the time
 * is up; then `then` goes on. To be returned. */
enum http_next settle(struct call *call, int64_t job, enum settle_for what,
                      enum http_next (*then)(struct call *call));

#endif
