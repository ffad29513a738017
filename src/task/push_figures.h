/* What the process of all push captures has done, and what there is in it just now; it tells the supervisor:
 * {"figures":{"durable":17,…}}, a line on the event pipe. */
#ifndef FIRTH_TASK_PUSH_FIGURES_H
#define FIRTH_TASK_PUSH_FIGURES_H

#include "base/text.h"
#include "json/json.h"

enum push_figure {
    /* Pushes (a request, a message, a batch) by what became of them, since the process began. */
    PUSH_DURABLE,
    PUSH_DUPLICATE, /* kept before */
    PUSH_REFUSED,   /* invalid, not allowed, too large, too often, out of order */
    PUSH_FULL,      /* too much waited: each try of them */
    PUSH_STOPPED,   /* the capture ended before they were durable */
    PUSH_RESULTS,

    PUSH_WAITING = PUSH_RESULTS, /* taken, and not durable yet */
    PUSH_WAITING_BYTES,
    PUSH_HTTP, /* connections that are open; a websocket is none of HTTP */
    PUSH_WEBSOCKETS,
    PUSH_KAFKA,
    PUSH_FIGURES,
};

struct push_figures {
    uint64_t values[PUSH_FIGURES];
};

const char *push_figure_name(enum push_figure figure); /* "waiting bytes" */
/* The line, newline included. */
void push_figures_write(struct buffer *out, const struct push_figures *figures);
/* False: the line is none of these. A figure that it does not have is 0. */
bool push_figures_read(const struct json *line, struct push_figures *ret_figures);

#endif
