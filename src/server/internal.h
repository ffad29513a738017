/* What this folder's files share of the server. Private. */
#ifndef FIRTH_SERVER_INTERNAL_H
#define FIRTH_SERVER_INTERNAL_H

#include "base/clock.h"
#include "schema/schema.h"
#include "server/ask.h"
#include "server/auth.h"
#include "server/call.h"
#include "server/events.h"
#include "server/loop.h"
#include "server/server.h"
#include "server/settle.h"
#include "web/http.h"

#include <stdatomic.h>

#define SESSION_COOKIE "firth_session"

enum { SERVER_LATENCIES = 8 };

/* Counters of /metrics. */
struct server_counters {
    _Atomic uint64_t answers[6];                  /* by the first digit of the status */
    _Atomic uint64_t latencies[SERVER_LATENCIES]; /* by the bounds in metrics.c, the last: above all */
    _Atomic uint64_t microseconds;
};

struct server {
    struct server_options options;
    uv_loop_t *loop;
    struct control *control; /* the HTTP threads' */
    struct jobs *jobs;
    struct http_server *http;
    struct loop_inbox inbox;
    struct asks *asks;
    struct settles *settles;
    struct events *events;
    struct auth *auth;
    struct schema **request_schemas;    /* by route; NULL: it takes no body */
    struct buffer openapi[ROUTE_OTHER]; /* by enum route_family */
    struct server_counters counters;
    int64_t started_ms;
};

#endif
