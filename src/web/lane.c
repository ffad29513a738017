#include "web/lane_parts.h"

#include "base/clock.h"
#include "web/listen.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS = 32,       /* in one go: requests that were let go do not wait for more */
    TICK_MS = 1000,    /* between looks at who takes too long */
    ACCEPTS_MAX = 256, /* in one go */
    GATHER_MAX = 64,   /* requests that are enough to go on together */
    GATHER_MS = 2,     /* that the first of them waits, at most */
    FORGET = 16,       /* this part of the most that was held, with each time that they go */
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000;
}

/* --- waking --------------------------------------------------------------------------------------------- */

/* Something was brought. Once for however much comes while it does not sleep. */
static void rouse(struct lane *lane)
{
    if (!atomic_exchange(&lane->awake, true))
        eventfd_write(lane->wake, 1);
}

void http_lane_resume(struct lane_request *own)
{
    struct lane *lane = own->connection->lane;
    own->next = NULL;
    pthread_mutex_lock(&lane->lock);
    *lane->resumed_last = own;
    lane->resumed_last = &own->next;
    pthread_mutex_unlock(&lane->lock);
    rouse(lane);
}

/* --- who comes ------------------------------------------------------------------------------------------ */

static void accept_one(struct http_lanes *lanes, int fd, const struct sockaddr_storage *peer, socklen_t size)
{
    struct lane *lane = &lanes->lanes[lanes->turn++ % lanes->count];
    struct lane_connection *connection = mem_zalloc(sizeof *connection);
    struct sockaddr_storage here;
    socklen_t here_size = sizeof here;
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    listen_format((const struct sockaddr *)peer, false, connection->address, sizeof connection->address);
    connection->near = getsockname(fd, (struct sockaddr *)&here, &here_size) == 0 &&
                       listen_is_near((const struct sockaddr *)peer, (const struct sockaddr *)&here);
    connection->lane = lane;
    connection->fd = fd;
    connection->peer = *peer;
    connection->peer_size = size;
    atomic_fetch_add(&lanes->connections, 1);
    pthread_mutex_lock(&lane->lock);
    connection->next = lane->arrived;
    lane->arrived = connection;
    pthread_mutex_unlock(&lane->lock);
    rouse(lane);
}

static void listen_on(struct http_lanes *lanes, bool listening)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lanes};
    if (lanes->listening != listening)
        epoll_ctl(lanes->lanes[0].epoll, listening ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, lanes->listener, &event);
    lanes->listening = listening;
}

/* Past the limit, or without a descriptor, who comes waits in the kernel's queue until the next tick. */
static void accept_all(struct http_lanes *lanes)
{
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        size_t connections = http_peers_count(lanes->server->peers) + atomic_load(&lanes->connections);
        bool room = connections < lanes->server->connections_max;
        int fd = room
                     ? accept4(lanes->listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
                     : -1;
        if (fd >= 0) {
            accept_one(lanes, fd, &peer, size);
            continue;
        }
        if (!room || (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED))
            listen_on(lanes, false);
        return;
    }
}

static void begin_arrived(struct lane *lane, struct lane_connection *connection)
{
    connection->next = lane->first;
    connection->at = &lane->first;
    if (connection->next)
        connection->next->at = &connection->next;
    lane->first = connection;
    connection->deadline_ms = lane->now_ms + lane->lanes->server->client_ms;
    lane_connection_watch(connection, EPOLL_CTL_ADD);
}

/* --- what goes on together ------------------------------------------------------------------------------ */

int lane_request_lane(const struct lane_request *own)
{
    const struct lane *lane = own->connection->lane;
    return (int)(lane - lane->lanes->lanes);
}

/* What is made durable together costs less the more there is, as long as there are others to be read and
 * answered meanwhile: so half of those that are under way. */
static bool is_enough(struct lane *lane)
{
    if (lane->most < lane->held)
        lane->most = lane->held;
    return lane->gathered >= GATHER_MAX || 2 * lane->gathered >= lane->most ||
           lane->now_ms - lane->gathered_ms >= GATHER_MS;
}

static void go_together(struct lane *lane)
{
    const struct http_callbacks *callbacks = &lane->lanes->server->callbacks;
    lane->gathered = 0;
    lane->most -= (lane->most + FORGET - 1) / FORGET;
    if (callbacks->together)
        callbacks->together(callbacks->context, (unsigned)(lane - lane->lanes->lanes));
}

/* --- the loop ------------------------------------------------------------------------------------------- */

/* What others have brought. True: it is the end. */
static bool take_brought(struct lane *lane)
{
    struct http_server *server = lane->lanes->server;
    pthread_mutex_lock(&lane->lock);
    struct lane_request *resumed = lane->resumed, *next;
    struct lane_connection *arrived = lane->arrived, *then;
    lane->resumed = NULL;
    lane->resumed_last = &lane->resumed;
    lane->arrived = NULL;
    bool closing = lane->closing;
    pthread_mutex_unlock(&lane->lock);
    for (; arrived; arrived = then) {
        then = arrived->next;
        begin_arrived(lane, arrived);
    }
    for (; resumed; resumed = next) {
        struct lane_connection *connection = resumed->connection;
        next = resumed->next;
        lane->held--;
        enum http_next how = server->callbacks.resumed(server->callbacks.context, &resumed->exchange.request);
        assert(how == HTTP_ANSWER), (void)how;
        if (lane_connection_answer(connection))
            lane_connection_serve(connection);
    }
    return closing;
}

/* Who is silent for too long, or takes no answer, is ended; a request that does not come at once is
 * another's. */
static void tick(struct lane *lane)
{
    struct lane_connection *connection = lane->first, *next;
    lane->tick_ms = lane->now_ms + lane->lanes->tick_ms;
    for (; connection; connection = next) {
        next = connection->next;
        if (connection->looks)
            lane_connection_hand_over(connection);
        else if (connection->deadline_ms && connection->deadline_ms <= lane->now_ms)
            lane_connection_end(connection);
    }
    if (lane == &lane->lanes->lanes[0] && !atomic_load(&lane->lanes->server->quiet))
        listen_on(lane->lanes, true);
}

static void take_event(struct lane *lane, const struct epoll_event *event)
{
    struct lane_connection *connection = event->data.ptr;
    eventfd_t count;
    bool any;
    if (event->data.ptr == lane) {
        eventfd_read(lane->wake, &count);
    } else if (event->data.ptr == lane->lanes) {
        accept_all(lane->lanes);
    } else if (connection->leaving) {
        lane_connection_read_away(connection, &any);
    } else {
        connection->readable |= (event->events & ~(uint32_t)EPOLLOUT) != 0;
        connection->silent |= (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (!connection->answered || lane_connection_send(connection))
            lane_connection_serve(connection);
    }
}

/* Where nothing was brought, it is roused by what is from here on. */
static int wait_ms(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool brought = lane->resumed || lane->arrived || lane->closing;
    atomic_store(&lane->awake, brought);
    pthread_mutex_unlock(&lane->lock);
    lane->now_ms = now_ms();
    return brought || lane->tick_ms <= lane->now_ms ? 0 : (int)(lane->tick_ms - lane->now_ms);
}

/* All connections end; those that were sending have a moment to hear of it. */
static void leave_all(struct lane *lane)
{
    struct epoll_event events[EVENTS];
    uint64_t until_ms = lane->now_ms + LANE_LEAVE_MS;
    if (lane == &lane->lanes->lanes[0])
        listen_on(lane->lanes, false);
    for (struct lane_connection *each = lane->first, *next; each; each = next) {
        bool any = false;
        next = each->next;
        if (each->leaving)
            continue;
        if (each->request || (!lane_connection_leave(each, &any) && !any))
            lane_connection_end(each);
    }
    while (lane->first && (lane->now_ms = now_ms()) < until_ms) {
        int count = epoll_wait(lane->epoll, events, EVENTS, (int)(until_ms - lane->now_ms));
        for (int i = 0; i < count; i++)
            take_event(lane, &events[i]);
    }
    while (lane->first)
        lane_connection_end(lane->first);
}

static void *run(void *context)
{
    struct lane *lane = context;
    struct epoll_event events[EVENTS];
    lane->now_ms = now_ms();
    tick(lane);
    do {
        int wait = wait_ms(lane), count = epoll_wait(lane->epoll, events, EVENTS, lane->gathered ? 0 : wait);
        atomic_store(&lane->awake, true);
        lane->now_ms = now_ms();
        for (int i = 0; i < count; i++)
            take_event(lane, &events[i]);
        if (lane->gathered && (count <= 0 || is_enough(lane))) /* or there is nothing else to do */
            go_together(lane);
        if (lane->tick_ms <= lane->now_ms)
            tick(lane);
    } while (!take_brought(lane));
    if (lane->gathered)
        go_together(lane);
    leave_all(lane);
    return NULL;
}

/* --- its life ------------------------------------------------------------------------------------------- */

static bool begin(struct http_lanes *lanes, struct lane *lane)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
    lane->lanes = lanes;
    lane->resumed_last = &lane->resumed;
    pthread_mutex_init(&lane->lock, NULL);
    lane->epoll = epoll_create1(EPOLL_CLOEXEC);
    lane->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return lane->epoll >= 0 && lane->wake >= 0 &&
           epoll_ctl(lane->epoll, EPOLL_CTL_ADD, lane->wake, &event) == 0;
}

struct http_lanes *http_lanes_open(struct http_server *server, int listener, unsigned count)
{
    struct http_lanes *lanes = mem_zalloc(sizeof *lanes + count * sizeof *lanes->lanes);
    bool right = true;
    lanes->server = server;
    lanes->count = count;
    lanes->listener = listener;
    lanes->tick_ms = server->client_ms / 2 < TICK_MS ? server->client_ms / 2 + 1 : TICK_MS;
    for (size_t i = 0; i < lanes->count; i++)
        right &= begin(lanes, &lanes->lanes[i]);
    for (size_t i = 0; i < lanes->count && right; i++) {
        struct lane *lane = &lanes->lanes[i];
        lane->started = right = pthread_create(&lane->thread, NULL, run, lane) == 0;
    }
    if (right)
        return lanes;
    http_lanes_close(lanes);
    return NULL;
}

size_t http_lanes_connections(const struct http_lanes *lanes)
{
    return atomic_load(&lanes->connections);
}

void http_lanes_quiesce(struct http_lanes *lanes)
{
    /* Others may be about to use the descriptor: it is closed with them. */
    shutdown(lanes->listener, SHUT_RD);
}

static void stop(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->closing = true;
    pthread_mutex_unlock(&lane->lock);
    rouse(lane);
    pthread_join(lane->thread, NULL);
}

static void done(struct lane *lane)
{
    while (lane->free) {
        struct lane_request *own = lane->free;
        lane->free = own->next;
        lane_request_free(own);
    }
    if (lane->epoll >= 0)
        close(lane->epoll);
    if (lane->wake >= 0)
        close(lane->wake);
    pthread_mutex_destroy(&lane->lock);
}

void http_lanes_close(struct http_lanes *lanes)
{
    if (!lanes)
        return;
    for (size_t i = 0; i < lanes->count; i++) {
        if (lanes->lanes[i].started)
            stop(&lanes->lanes[i]);
    }
    for (size_t i = 0; i < lanes->count; i++)
        done(&lanes->lanes[i]);
    close(lanes->listener);
    free(lanes);
}
