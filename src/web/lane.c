#include "web/lane.h"

#include "base/clock.h"
#include "web/listen.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    TICK_MS = 1000,    /* between looks at who takes too long */
    FREE_MAX = 256,    /* requests kept for reuse */
    LOOKS_MAX = 2,     /* at a request that is not whole yet */
    ACCEPTS_MAX = 256, /* in one go */
    DATE_SIZE = 32,
};

struct lane_connection {
    struct lane *lane;
    struct lane_connection *next, **at; /* of the lane's */
    struct sockaddr_storage peer;
    socklen_t peer_size;
    int fd;
    bool near;
    char address[HTTP_ADDRESS_MAX];
    bool readable;  /* something has come since it was looked at */
    unsigned looks; /* at a request that is not whole yet */
    bool last;      /* it ends with the answer that is being sent */
    uint64_t deadline_ms;
    struct lane_request *request; /* that is being answered */
    size_t sent;                  /* of its answer, once that is written */
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
    int64_t date_s;
    char date[DATE_SIZE];
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
    struct lane lanes[HTTP_THREADS];
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

/* --- connections ---------------------------------------------------------------------------------------- */

static void forget(struct lane_connection *connection)
{
    *connection->at = connection->next;
    if (connection->next)
        connection->next->at = connection->at;
    atomic_fetch_sub(&connection->lane->lanes->connections, 1);
    free(connection);
}

static void give_request_back(struct lane_connection *connection)
{
    struct lane *lane = connection->lane;
    struct lane_request *own = connection->request;
    struct http_server *server = lane->lanes->server;
    connection->request = NULL;
    connection->answered = false;
    if (own->exchange.known)
        server->callbacks.done(server->callbacks.context, &own->exchange.request);
    atomic_fetch_sub(&server->bodies, own->exchange.counted);
    lane_request_end(own);
    if (lane->free_count < FREE_MAX) {
        own->next = lane->free;
        lane->free = own;
        lane->free_count++;
    } else {
        lane_request_free(own);
    }
    http_exchange_count(server, -1);
}

static void end(struct lane_connection *connection)
{
    if (connection->request)
        give_request_back(connection);
    close(connection->fd);
    forget(connection);
}

/* From its first byte that was not taken. */
static void hand_over(struct lane_connection *connection)
{
    struct http_server *server = connection->lane->lanes->server;
    epoll_ctl(connection->lane->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    server->api.add_connection(server->daemon, connection->fd, (const struct sockaddr *)&connection->peer,
                               connection->peer_size);
    forget(connection);
}

/* --- answers -------------------------------------------------------------------------------------------- */

static const char *date_of(struct lane *lane)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now = clock_wall_ms(&clock_system) / 1000;
    struct tm tm;
    time_t seconds = (time_t)now;
    if (now == lane->date_s || !gmtime_r(&seconds, &tm))
        return lane->date;
    lane->date_s = now;
    snprintf(lane->date, sizeof lane->date, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    return lane->date;
}

/* As much as the client takes. False: the connection has ended. */
static bool send_on(struct lane_connection *connection)
{
    const struct buffer *out = &connection->request->out;
    while (connection->sent < out->size) {
        ssize_t sent =
            send(connection->fd, out->data + connection->sent, out->size - connection->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return true;
        if (sent < 0) {
            end(connection);
            return false;
        }
        connection->sent += (size_t)sent;
    }
    bool last = connection->last;
    give_request_back(connection);
    connection->deadline_ms = connection->lane->now_ms + connection->lane->lanes->server->client_ms;
    if (last) {
        shutdown(connection->fd, SHUT_WR);
        end(connection);
    }
    return !last;
}

static bool send_answer(struct lane_connection *connection)
{
    struct lane *lane = connection->lane;
    struct lane_request *own = connection->request;
    connection->last = atomic_load(&lane->lanes->server->quiet);
    connection->answered = true;
    connection->sent = 0;
    connection->deadline_ms = lane->now_ms + HTTP_ANSWER_MS;
    lane_request_write(own, date_of(lane), connection->last);
    return send_on(connection);
}

/* --- requests ------------------------------------------------------------------------------------------- */

static struct lane_request *new_request(struct lane *lane)
{
    struct lane_request *own = lane->free;
    if (own) {
        lane->free = own->next;
        lane->free_count--;
        return own;
    }
    own = mem_zalloc(sizeof *own);
    arena_init(&own->exchange.request.arena);
    buffer_init(&own->exchange.request.answer, HTTP_ANSWER_MAX);
    buffer_init(&own->out, BUFFER_UNLIMITED);
    return own;
}

/* Take what was looked at from the socket. */
static bool take_bytes(int fd, char *text, size_t size)
{
    for (size_t taken = 0; taken < size;) {
        ssize_t got = recv(fd, text + taken, size - taken, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        taken += (size_t)got;
    }
    return true;
}

/* False: the connection has ended. */
static bool answer(struct lane_connection *connection, const struct plain_head *head)
{
    struct http_server *server = connection->lane->lanes->server;
    struct lane_request *own = new_request(connection->lane);
    struct http_request *request = &own->exchange.request;
    size_t size = head->head + head->body;
    own->text = arena_alloc(&request->arena, size + 1);
    own->connection = connection;
    connection->request = own;
    connection->deadline_ms = 0;
    own->text[size] = 0;
    http_exchange_count(server, 1);
    if (!take_bytes(connection->fd, own->text, size)) { /* the system has lost what it had shown */
        own->exchange.counted = head->body;
        end(connection);
        return false;
    }
    lane_request_begin(own, server, head);
    request->near = connection->near;
    memcpy(request->peer, connection->address, sizeof request->peer);
    enum http_next next = server->callbacks.head(server->callbacks.context, request);
    if (next == HTTP_READ) {
        request->body = (struct slice){own->text + head->head, head->body};
        next = server->callbacks.whole(server->callbacks.context, request);
    }
    assert(next == HTTP_ANSWER || next == HTTP_LATER);
    return next == HTTP_LATER || send_answer(connection);
}

/* Whatever has come, until it waits for somebody. */
static void serve(struct lane_connection *connection)
{
    struct lane *lane = connection->lane;
    struct http_server *server = lane->lanes->server;
    struct plain_head head;
    while (connection->readable && !connection->request) {
        ssize_t got = recv(connection->fd, lane->peek, sizeof lane->peek, MSG_PEEK);
        if (got < 0 && errno == EINTR)
            continue;
        connection->readable = false;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            end(connection);
            return;
        }
        enum plain_found found =
            plain_read(lane->peek, (size_t)got, server->head_max, server->body_max, &head);
        bool full = (size_t)got == sizeof lane->peek;
        if (found == PLAIN_MORE && !full && ++connection->looks < LOOKS_MAX)
            return;
        connection->looks = 0;
        if (found != PLAIN_WHOLE || !http_exchange_room(server, head.body)) {
            hand_over(connection);
            return;
        }
        connection->readable = full || (size_t)got > head.head + head.body;
        if (!answer(connection, &head))
            return;
    }
}

/* --- who comes ------------------------------------------------------------------------------------------ */

static void accept_one(struct http_lanes *lanes, int fd, const struct sockaddr_storage *peer, socklen_t size)
{
    struct lane *lane = &lanes->lanes[lanes->turn++ % HTTP_THREADS];
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
        bool room = http_connections(lanes->server) < lanes->server->connections_max;
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
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    connection->next = lane->first;
    connection->at = &lane->first;
    if (connection->next)
        connection->next->at = &connection->next;
    lane->first = connection;
    connection->deadline_ms = lane->now_ms + lane->lanes->server->client_ms;
    if (epoll_ctl(lane->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        end(connection);
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
        enum http_next how = server->callbacks.resumed(server->callbacks.context, &resumed->exchange.request);
        assert(how == HTTP_ANSWER), (void)how;
        if (send_answer(connection))
            serve(connection);
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
            hand_over(connection);
        else if (connection->deadline_ms && connection->deadline_ms <= lane->now_ms)
            end(connection);
    }
    if (lane == &lane->lanes->lanes[0] && !atomic_load(&lane->lanes->server->quiet))
        listen_on(lane->lanes, true);
}

static void take_event(struct lane *lane, const struct epoll_event *event)
{
    struct lane_connection *connection = event->data.ptr;
    eventfd_t count;
    if (event->data.ptr == lane) {
        eventfd_read(lane->wake, &count);
    } else if (event->data.ptr == lane->lanes) {
        accept_all(lane->lanes);
    } else {
        connection->readable |= (event->events & ~(uint32_t)EPOLLOUT) != 0;
        if (!connection->answered || send_on(connection))
            serve(connection);
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

static void *run(void *context)
{
    struct lane *lane = context;
    struct epoll_event events[EVENTS];
    lane->now_ms = now_ms();
    tick(lane);
    do {
        int count = epoll_wait(lane->epoll, events, EVENTS, wait_ms(lane));
        atomic_store(&lane->awake, true);
        lane->now_ms = now_ms();
        for (int i = 0; i < count; i++)
            take_event(lane, &events[i]);
        if (lane->tick_ms <= lane->now_ms)
            tick(lane);
    } while (!take_brought(lane));
    while (lane->first)
        end(lane->first);
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

struct http_lanes *http_lanes_open(struct http_server *server, int listener)
{
    struct http_lanes *lanes = mem_zalloc(sizeof *lanes);
    bool right = true;
    lanes->server = server;
    lanes->listener = listener;
    lanes->tick_ms = server->client_ms / 2 < TICK_MS ? server->client_ms / 2 + 1 : TICK_MS;
    for (size_t i = 0; i < HTTP_THREADS; i++)
        right &= begin(lanes, &lanes->lanes[i]);
    for (size_t i = 0; i < HTTP_THREADS && right; i++) {
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
    for (size_t i = 0; i < HTTP_THREADS; i++) {
        if (lanes->lanes[i].started)
            stop(&lanes->lanes[i]);
    }
    for (size_t i = 0; i < HTTP_THREADS; i++)
        done(&lanes->lanes[i]);
    close(lanes->listener);
    free(lanes);
}
