/* The lane's threads and connections, as lane.c and lane_connection.c see them. */
#ifndef FIRTH_WEB_LANE_PARTS_H
#define FIRTH_WEB_LANE_PARTS_H

#include "web/lane.h"

enum { LANE_LEAVE_MS = 500, LANE_LEAVE_MAX = 4 << 20 /* bytes that are read away */ };

struct lane_connection {
    struct lane *lane;
    struct lane_connection *next, **at; /* of the lane's */
    struct sockaddr_storage peer;
    socklen_t peer_size;
    int fd;
    bool near;
    char address[HTTP_ADDRESS_MAX];
    bool readable;  /* something has come since it was looked at */
    bool silent;    /* nothing more comes: its end, once it was told, is no event again */
    bool leaving;   /* nothing more is sent; what comes is read away */
    unsigned looks; /* at a request that is not whole yet */
    bool last;      /* it ends with the answer that is being sent */
    uint64_t deadline_ms;
    struct lane_request *request; /* that is being answered */
    size_t sent;                  /* of its answer, once that is written */
    size_t away;                  /* bytes that were read away */
    bool answered;
};

struct lane {
    struct http_lanes *lanes;
    int epoll, wake;
    pthread_t thread;
    bool started;
    uint64_t now_ms, tick_ms;
    struct lane_connection *first;
    struct lane_request *free;
    size_t free_count;
    size_t held;     /* requests that wait for somebody; */
    size_t gathered; /* of these, such as go on together */
    size_t most;     /* that were held lately */
    uint64_t gathered_ms;
    int64_t date_s;
    char date[LANE_DATE_MAX];
    char peek[PLAIN_MAX];

    pthread_mutex_t lock; /* of what follows */
    struct lane_request *resumed, **resumed_last;
    struct lane_connection *arrived;
    bool closing;
    atomic_bool awake; /* it looks at these again before it sleeps */
};

struct http_lanes {
    struct http_server *server;
    int listener;
    uint64_t tick_ms;
    bool listening; /* the listener is among the first lane's descriptors */
    size_t turn;    /* whose connection comes next */
    _Atomic size_t connections;
    size_t count;
    struct lane lanes[];
};

/* --- lane_connection.c, in the lane's thread ------------------------------------------------------------ */

/* Its descriptor is among the lane's: EPOLL_CTL_ADD; or, with EPOLL_CTL_MOD, what is there is an event again.
 */
void lane_connection_watch(struct lane_connection *connection, int how);
/* Answer whatever has come, until it waits for somebody. It may have ended or been handed over afterwards. */
void lane_connection_serve(struct lane_connection *connection);
/* Send the answer to its request, or what is left of it, as far as the client takes it. False: it has ended.
 */
bool lane_connection_answer(struct lane_connection *connection);
bool lane_connection_send(struct lane_connection *connection);
/* Nothing more is sent. Who had sent more than was read is not reset, which might cost it an answer: it is
 * read until it has gone, or for a moment. True: it has ended. */
bool lane_connection_leave(struct lane_connection *connection, bool *ret_any);
/* Of one that is leaving. True: it has ended; *ret_any: there was something. */
bool lane_connection_read_away(struct lane_connection *connection, bool *ret_any);
/* To libmicrohttpd, from its first byte that was not taken. */
void lane_connection_hand_over(struct lane_connection *connection);
void lane_connection_end(struct lane_connection *connection);

#endif
