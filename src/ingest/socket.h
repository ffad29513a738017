/* One websocket that pushes to one resource. Each message is a push of its own: kept whole or not at all,
 * acknowledged in the order they came, once it is durable, by {"Processed":N}, the number of messages so far.
 *
 *   open       messages come, wait for their turn, are pushed, are told
 *   ending     nothing more is read; what was pushed is waited for, then acknowledged, then the close is sent
 *   lingering  the close is sent: the client is given the time to read it
 *   over       the socket is of no use; pushes that are under way are waited for
 *
 * All of it belongs to the loop's thread (websocket.c), but for the pushes' `done`. Private to this folder.
 */
#ifndef FIRTH_INGEST_SOCKET_H
#define FIRTH_INGEST_SOCKET_H

#include "ingest/handshake.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SOCKET_WINDOW_BYTES = 1 << 20, /* of one socket's pushes that are under way; one is always taken */
    SOCKET_WINDOW_PUSHES = 256,    /* the same, counted */
    SOCKETS_BYTES_MAX = 256 << 20, /* of all sockets' messages */
    SOCKET_SILENCE_MS =
        30 * 1000,       /* then it is asked whether it lives, and after as long again it is ended */
    SOCKET_FULL_MS = 20, /* until a capture that had no room is asked again */
    SOCKET_LINGER_MS = 2000,
};

/* What the handshake has settled. Lives as long as the HTTP request that it was. */
struct ingest_socket_plan {
    const char *path; /* by which its capture is found, or its collection */
    bool by_collection;
    uint64_t serial; /* of the capture that allowed it: another one under that path is to be asked anew */
    enum ingest_format format;
    size_t message_max;
    struct ingest_origin origin;
    const char *id; /* of its messages: ID/NUMBER; NULL: they have none */
    uint64_t from;  /* messages that were sent before, under that id */
};

/* What all sockets share. */
struct ingest_sockets {
    struct ingest_captures *captures;
    struct ingest_workers *workers;
    pthread_t thread;
    int poll; /* an epoll; each socket is its event's data */
    int wake; /* an eventfd: something was put under the lock */
    uint64_t silence_ms;
    uint64_t now_ms;  /* monotonic, as of this turn of the loop */
    uint64_t next_ms; /* when sockets have to look at the clock again; UINT64_MAX: none has to */
    size_t bytes;     /* of all messages */
    struct ingest_socket *first;
    size_t count;

    atomic_bool leaving;         /* sockets are to be closed */
    pthread_mutex_t lock;        /* of what follows */
    struct ingest_message *told; /* whose `done` was called elsewhere */
};

struct ingest_socket;
/* `http` is given back at its end. -1: nothing was done. */
int ingest_socket_open(struct ingest_sockets *sockets, struct http_request *http, struct http_wire *wire,
                       const struct ingest_socket_plan *plan, struct error *err);
struct ingest_socket *ingest_socket_next(const struct ingest_socket *socket);
const struct ingest_socket_plan *ingest_socket_plan(const struct ingest_socket *socket);

/* So many bytes more, or less, are received and held. */
void ingest_sockets_count(struct ingest_sockets *sockets, int64_t more);

/* Their `done` was called, in whichever order. Each socket of theirs may be freed. */
void ingest_sockets_told(struct ingest_message *told);

/* Each may free the socket. */
void ingest_socket_ready(struct ingest_socket *socket, unsigned events); /* of epoll */
/* Look at the clock, and at what else may have changed. */
void ingest_socket_tick(struct ingest_socket *socket);
/* Close it with this code, when what it has pushed is told. It begins with the next tick, and frees nothing.
 */
void ingest_socket_end(struct ingest_socket *socket, unsigned code, const char *why);
/* Because its capture is not the one any more that allowed it, or because all leave. */
void ingest_socket_end_here(struct ingest_socket *socket);
/* At once. */
void ingest_socket_drop(struct ingest_socket *socket);

#endif
