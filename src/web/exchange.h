/* A request on its way, and the server it is of, as http.c and request.c see them. Private to these. */
#ifndef FIRTH_WEB_EXCHANGE_H
#define FIRTH_WEB_EXCHANGE_H

#include "web/http.h"
#include "web/mhd.h"
#include "web/peers.h"
#include "web/stream.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LOG_MAX = 512, HTTP_WARNING_MAX = 512 };

enum stage { STAGE_NEW, STAGE_REFUSED, STAGE_READING, STAGE_HELD, STAGE_SWITCHED, STAGE_ANSWERED };

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_peer *peer;
    struct http_request request;
    struct buffer body;
    struct stream stream;
    size_t counted;  /* bytes of the body in server->bodies */
    size_t received; /* of the body, kept or not */
    enum stage stage;
    bool known;                /* `head` was called */
    struct http_wire *wire;    /* of one that has left HTTP */
    bool bad_path;             /* the request's line holds what no path of ours does */
    unsigned refuse;           /* the status, once the body has come */
    struct lane_request *lane; /* where it is (lane.h); NULL: libmicrohttpd has its connection */
};

struct http_server {
    struct mhd_api api;
    struct http_callbacks callbacks;
    struct MHD_Daemon *daemon;
    char url[HTTP_ADDRESS_MAX + 16];
    char warning[HTTP_WARNING_MAX]; /* "": none */
    uint64_t client_ms;
    size_t body_max, bodies_max;
    unsigned connections_max;
    size_t head_max, drain_max;
    struct http_peers *peers;
    _Atomic size_t own_bodies, *bodies; /* bytes */
    atomic_bool quiet;
    int listener;
    unsigned lane_count;
    struct http_lanes *lanes; /* NULL: libmicrohttpd has every connection */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t active;      /* requests that were begun */
    char said[LOG_MAX]; /* libmicrohttpd's last words while it starts */
};

/* So many more requests are under way. */
void http_exchange_count(struct http_server *server, int more);
/* Is there room for so much of a body? Then it is counted in `bodies`. */
bool http_exchange_room(struct http_server *server, size_t size);

/* Its connection leaves HTTP: `switched` has been called. False: it cannot. */
bool http_exchange_switch(struct http_exchange *exchange);

#endif
