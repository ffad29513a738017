/* The quick lane: connections whose requests are plain (plain.h) are read and answered here, by a loop of our
 * own. It looks at what has come before it takes it; with the first request that is not plain, or does not
 * come at once, the connection goes to libmicrohttpd, which sees all of it. So whatever is odd, slow or
 * hostile is in one place, and the plain costs a third (docs/decisions/0093-quick-lane.md). Private to this
 * folder.
 *
 * A thread waits for its connections' edges and for requests that are let go. A connection whose request is
 * held is not read. */
#ifndef FIRTH_WEB_LANE_H
#define FIRTH_WEB_LANE_H

#include "web/exchange.h"
#include "web/plain.h"

enum { LANE_DATE_MAX = 32 };

struct http_lanes;
struct lane_connection;

struct lane_request {
    struct http_exchange exchange; /* first */
    struct lane_connection *connection;
    struct lane_request *next; /* of those that were let go, or of those that are free */
    char *text;                /* in the arena; names, values and the path end in NUL */
    struct plain_head head;
    struct buffer out; /* the answer as it is sent */
};

/* Takes the listener over. NULL: there is no thread, or no descriptor, for it. */
struct http_lanes *http_lanes_open(struct http_server *server, int listener, unsigned count);
size_t http_lanes_connections(const struct http_lanes *lanes);
/* No further connections. */
void http_lanes_quiesce(struct http_lanes *lanes);
/* Every connection ends. Every held request was let go. NULL is allowed. */
void http_lanes_close(struct http_lanes *lanes);
/* http_request_lane. */
int lane_request_lane(const struct lane_request *own);
/* http_request_resume. */
void http_lane_resume(struct lane_request *own);

/* --- lane_request.c ------------------------------------------------------------------------------------- */

/* `head` and `text` are there. */
void lane_request_begin(struct lane_request *own, struct http_server *server);
const char *lane_request_header(const struct lane_request *own, const char *name);
void lane_request_headers(const struct lane_request *own, http_header_take *take, void *context);
/* The answer into `out`; `date` is what the header of that name says. */
void lane_request_write(struct lane_request *own, const char *date, bool last);
/* "Sun, 06 Nov 1994 08:49:37 GMT", of seconds since 1970. */
void lane_request_date(int64_t seconds, char *text, size_t size);
/* What it held is wiped and gone; it may be begun again. */
void lane_request_end(struct lane_request *own);
void lane_request_free(struct lane_request *own);

#endif
