#include "web/peers.h"

#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Its deadline is the client's: the time at which it must have sent its request or taken its answer. */
struct http_peer {
    struct http_peer *next, **at;
    int fd;
    uint64_t deadline_ms; /* monotonic; 0: it is our turn */
};

struct http_peers {
    uint64_t client_ms;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct http_peer *first;
    size_t count;
    bool closing;
    pthread_t watcher;
    bool watched;
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000;
}

struct http_peers *http_peers_new(uint64_t client_ms)
{
    struct http_peers *peers = mem_zalloc(sizeof *peers);
    pthread_condattr_t monotonic;
    peers->client_ms = client_ms;
    pthread_mutex_init(&peers->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&peers->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return peers;
}

void http_peers_free(struct http_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    peers->closing = true;
    pthread_cond_broadcast(&peers->changed);
    pthread_mutex_unlock(&peers->lock);
    if (peers->watched)
        pthread_join(peers->watcher, NULL);
    pthread_cond_destroy(&peers->changed);
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

/* --- those that take too long -------------------------------------------------------------------------- */

/* End those that are overdue; when to look again. Under the lock no socket is closed, so that each descriptor
 * is still the peer's. */
static uint64_t end_overdue(struct http_peers *peers)
{
    uint64_t now = now_ms(), next = now + peers->client_ms;
    for (struct http_peer *peer = peers->first; peer; peer = peer->next) {
        if (!peer->deadline_ms)
            continue;
        if (peer->deadline_ms <= now) {
            shutdown(peer->fd, SHUT_RDWR);
            peer->deadline_ms = 0;
        } else if (peer->deadline_ms < next) {
            next = peer->deadline_ms;
        }
    }
    return next;
}

static void *watch(void *context)
{
    struct http_peers *peers = context;
    pthread_mutex_lock(&peers->lock);
    while (!peers->closing) {
        if (!peers->first) {
            pthread_cond_wait(&peers->changed, &peers->lock);
            continue;
        }
        uint64_t next = end_overdue(peers);
        const struct timespec until = {.tv_sec = (time_t)(next / 1000),
                                       .tv_nsec = (long)(next % 1000) * 1000000};
        pthread_cond_timedwait(&peers->changed, &peers->lock, &until);
    }
    pthread_mutex_unlock(&peers->lock);
    return NULL;
}

bool http_peers_watch(struct http_peers *peers)
{
    peers->watched = pthread_create(&peers->watcher, NULL, watch, peers) == 0;
    return peers->watched;
}

/* --- peers --------------------------------------------------------------------------------------------- */

struct http_peer *http_peers_add(struct http_peers *peers, int fd)
{
    struct http_peer *peer = mem_zalloc(sizeof *peer);
    peer->fd = fd;
    peer->deadline_ms = now_ms() + peers->client_ms;
    pthread_mutex_lock(&peers->lock);
    peer->next = peers->first;
    peer->at = &peers->first;
    if (peer->next)
        peer->next->at = &peer->next;
    peers->first = peer;
    peers->count++;
    pthread_cond_broadcast(&peers->changed);
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void http_peers_remove(struct http_peers *peers, struct http_peer *peer)
{
    pthread_mutex_lock(&peers->lock);
    *peer->at = peer->next;
    if (peer->next)
        peer->next->at = peer->at;
    peers->count--;
    pthread_cond_broadcast(&peers->changed);
    pthread_mutex_unlock(&peers->lock);
    free(peer);
}

void http_peers_expect(struct http_peers *peers, struct http_peer *peer, uint64_t ms)
{
    if (!peer)
        return;
    pthread_mutex_lock(&peers->lock);
    peer->deadline_ms = ms ? now_ms() + ms : 0;
    if (ms && ms < peers->client_ms) /* sooner than the watcher looks by itself */
        pthread_cond_broadcast(&peers->changed);
    pthread_mutex_unlock(&peers->lock);
}

size_t http_peers_count(struct http_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    size_t count = peers->count;
    pthread_mutex_unlock(&peers->lock);
    return count;
}
