#include "web/lane_parts.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    FREE_MAX = 256, /* requests kept for reuse */
    LOOKS_MAX = 2,  /* at a request that is not whole yet */
    TURNS_MAX = 32, /* requests of one connection, before the others' turn */
};

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
    atomic_fetch_sub(server->bodies, own->exchange.counted);
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

void lane_connection_end(struct lane_connection *connection)
{
    if (connection->request)
        give_request_back(connection);
    close(connection->fd);
    forget(connection);
}

void lane_connection_hand_over(struct lane_connection *connection)
{
    struct http_server *server = connection->lane->lanes->server;
    epoll_ctl(connection->lane->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    server->api.add_connection(server->daemon, connection->fd, (const struct sockaddr *)&connection->peer,
                               connection->peer_size);
    forget(connection);
}

/* --- answers -------------------------------------------------------------------------------------------- */

bool lane_connection_read_away(struct lane_connection *connection, bool *ret_any)
{
    struct lane *lane = connection->lane;
    ssize_t got;
    *ret_any = false;
    do {
        got = recv(connection->fd, lane->peek, sizeof lane->peek, MSG_TRUNC);
        *ret_any |= got > 0;
        connection->away += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && connection->away < LANE_LEAVE_MAX) || (got < 0 && errno == EINTR));
    if (got < 0 && errno == EAGAIN)
        return false;
    lane_connection_end(connection);
    return true;
}

bool lane_connection_leave(struct lane_connection *connection, bool *ret_any)
{
    shutdown(connection->fd, SHUT_WR);
    connection->leaving = true;
    connection->deadline_ms = connection->lane->now_ms + LANE_LEAVE_MS;
    return lane_connection_read_away(connection, ret_any);
}

static const char *date_of(struct lane *lane)
{
    int64_t now = clock_wall_ms(&clock_system) / 1000;
    if (now != lane->date_s)
        lane_request_date(now, lane->date, sizeof lane->date);
    lane->date_s = now;
    return lane->date;
}

bool lane_connection_send(struct lane_connection *connection)
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
            lane_connection_end(connection);
            return false;
        }
        connection->sent += (size_t)sent;
    }
    bool last = connection->last, any;
    give_request_back(connection);
    connection->deadline_ms = connection->lane->now_ms + connection->lane->lanes->server->client_ms;
    if (last)
        lane_connection_leave(connection, &any);
    return !last;
}

bool lane_connection_answer(struct lane_connection *connection)
{
    struct lane *lane = connection->lane;
    struct lane_request *own = connection->request;
    connection->last = atomic_load(&lane->lanes->server->quiet);
    connection->answered = true;
    connection->sent = 0;
    connection->deadline_ms = lane->now_ms + HTTP_ANSWER_MS;
    lane_request_write(own, date_of(lane), connection->last);
    return lane_connection_send(connection);
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
    own->head = *head; /* what is wiped at its end */
    http_exchange_count(server, 1);
    if (!take_bytes(connection->fd, own->text, size)) { /* the system has lost what it had shown */
        own->exchange.counted = head->body;
        lane_connection_end(connection);
        return false;
    }
    lane_request_begin(own, server);
    request->near = connection->near;
    memcpy(request->peer, connection->address, sizeof request->peer);
    enum http_next next = server->callbacks.head(server->callbacks.context, request);
    if (next == HTTP_READ) {
        request->body = (struct slice){own->text + head->head, head->body};
        next = server->callbacks.whole(server->callbacks.context, request);
    }
    assert(next == HTTP_ANSWER || next == HTTP_LATER);
    if (next == HTTP_ANSWER)
        return lane_connection_answer(connection);
    connection->lane->held++;
    if (connection->lane->gathered++ == 0)
        connection->lane->gathered_ms = connection->lane->now_ms;
    return true;
}

void lane_connection_watch(struct lane_connection *connection, int how)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(connection->lane->epoll, how, connection->fd, &event) < 0)
        lane_connection_end(connection);
}

void lane_connection_serve(struct lane_connection *connection)
{
    struct lane *lane = connection->lane;
    struct http_server *server = lane->lanes->server;
    struct plain_head head;
    for (unsigned turn = 0; connection->readable && !connection->request; turn++) {
        if (turn == TURNS_MAX) { /* what is there is an event again */
            lane_connection_watch(connection, EPOLL_CTL_MOD);
            return;
        }
        ssize_t got = recv(connection->fd, lane->peek, sizeof lane->peek, MSG_PEEK);
        if (got < 0 && errno == EINTR)
            continue;
        connection->readable = false;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            lane_connection_end(connection);
            return;
        }
        enum plain_found found =
            plain_read(lane->peek, (size_t)got, server->head_max, server->body_max, &head);
        bool full = (size_t)got == sizeof lane->peek;
        if (found == PLAIN_MORE && !full && ++connection->looks < LOOKS_MAX)
            return;
        connection->looks = 0;
        if (found != PLAIN_WHOLE || !http_exchange_room(server, head.body)) {
            lane_connection_hand_over(connection);
            return;
        }
        connection->readable = full || connection->silent || (size_t)got > head.head + head.body;
        explicit_bzero(lane->peek, (size_t)got); /* tokens */
        if (!answer(connection, &head))
            return;
    }
}
