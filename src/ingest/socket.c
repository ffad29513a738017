#include "ingest/socket.h"

#include "ingest/frames.h"
#include "ingest/message.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { WAITING_MOST = 64 /* messages that are read before the first of them is taken */ };

enum state { OPEN, ENDING, LINGERING, OVER };

struct ingest_socket {
    struct ingest_sockets *sockets;
    struct ingest_socket *next, **at;
    struct ingest_socket *next_told; /* while `is_told` */
    bool is_told;
    struct http_request *http;
    const struct ingest_socket_plan *plan;
    struct frames *frames;
    struct ingest_csv csv;
    struct arena header; /* csv's */
    struct http_wire *wire;
    unsigned watched; /* epoll's events; 0: it is not in it */
    enum state state;

    struct buffer text;                          /* of the message that comes */
    uint64_t received, durable, acknowledged;    /* messages */
    struct ingest_message *first, **last, *turn; /* not settled; `turn`: the first that waits, or NULL */
    size_t waiting, pushed, pushed_bytes;
    bool failed;        /* what comes behind is not acknowledged */
    bool dropped;       /* what waits is not taken any more: we end it, not the client */
    bool ended;         /* the close is among what is to be sent */
    struct slice error; /* of the message that was refused; no data: none was */

    uint64_t heard_ms, pinged_ms; /* anything; 0: it was not asked since */
    uint64_t begun_ms;            /* the message that comes */
    uint64_t moved_ms;            /* when some of what waits to be sent was; 0: nothing waits */
    uint64_t later_ms, linger_ms; /* 0: not */
};

/* The clock has to be looked at then. */
static uint64_t at_ms(struct ingest_socket *socket, uint64_t delay_ms)
{
    uint64_t at = socket->sockets->now_ms + delay_ms;
    if (at < socket->sockets->next_ms)
        socket->sockets->next_ms = at;
    return at;
}

/* --- messages ----------------------------------------------------------------------------------------- */

void ingest_sockets_count(struct ingest_sockets *sockets, int64_t more)
{
    sockets->bytes += (size_t)more;
    atomic_fetch_add(ingest_held(sockets->captures), (size_t)more);
}

static void on_more(void *context, const char *bytes, size_t size)
{
    struct ingest_socket *socket = context;
    struct ingest_sockets *sockets = socket->sockets;
    if (sockets->bytes + size > SOCKETS_BYTES_MAX) {
        ingest_socket_end(socket, FRAMES_TRY_LATER, "too many messages at once; try again");
        return;
    }
    if (socket->text.size == 0)
        socket->begun_ms = sockets->now_ms;
    ingest_sockets_count(sockets, (int64_t)size);
    buffer_append(&socket->text, bytes, size);
}

static bool on_message(void *context, bool text)
{
    struct ingest_socket *socket = context;
    if (!text) {
        ingest_socket_end(socket, FRAMES_UNSUPPORTED, "documents come in text messages");
        return false;
    }
    struct ingest_message *message =
        ingest_message_new(socket->sockets, socket, ++socket->received, &socket->text);
    *socket->last = message;
    socket->last = &message->next;
    if (!socket->turn)
        socket->turn = message;
    return ++socket->waiting < WAITING_MOST;
}

static void refuse(struct ingest_socket *socket, struct ingest_message *message,
                   const struct ingest_problem *problem)
{
    socket->error = ingest_message_error(message, problem);
    ingest_socket_end(socket, problem->status == 413 ? FRAMES_TOO_LARGE : FRAMES_PROTOCOL,
                      "a message was refused; nothing behind it was kept");
}

static bool has_room(const struct ingest_socket *socket, const struct ingest_message *message)
{
    return socket->pushed == 0 ||
           (socket->pushed < SOCKET_WINDOW_PUSHES &&
            socket->pushed_bytes + ingest_message_weight(message) <= SOCKET_WINDOW_BYTES);
}

/* Push what waits, in its order, as far as there is room. */
static void take_waiting(struct ingest_socket *socket)
{
    struct ingest_problem problem;
    while (socket->turn && !socket->dropped && !socket->later_ms && has_room(socket, socket->turn)) {
        struct ingest_message *message = socket->turn;
        switch (ingest_message_take(message, socket->plan, &socket->csv, &problem)) {
        case INGEST_TAKEN:
            socket->turn = message->next;
            socket->waiting--;
            if (message->state == MESSAGE_PUSHED) {
                socket->pushed++;
                socket->pushed_bytes += ingest_message_weight(message);
            }
            break;
        case INGEST_LATER:
            socket->later_ms = at_ms(socket, SOCKET_FULL_MS);
            break;
        case INGEST_TOO_OFTEN:
            socket->later_ms = at_ms(socket, 1000 - socket->sockets->now_ms % 1000);
            break;
        case INGEST_CHANGED:
            ingest_socket_end_here(socket);
            break;
        case INGEST_REFUSED:
            ingest_count(socket->sockets->captures, PUSH_REFUSED, 1);
            refuse(socket, message, &problem);
            break;
        }
    }
}

static void free_first(struct ingest_socket *socket)
{
    struct ingest_message *message = socket->first;
    socket->first = message->next;
    if (!socket->first)
        socket->last = &socket->first;
    if (socket->turn == message)
        socket->turn = message->next;
    ingest_message_free(message);
}

/* What is told is counted, as far as it is so of everything before it. */
static void settle(struct ingest_socket *socket)
{
    while (socket->first && socket->first->state == MESSAGE_TOLD) {
        enum ingest_result result = socket->first->result;
        socket->failed = socket->failed || (result != INGEST_DURABLE && result != INGEST_DUPLICATE);
        if (!socket->failed)
            socket->durable = socket->first->number;
        free_first(socket);
    }
    if (socket->failed)
        ingest_socket_end_here(socket);
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* One frame for all that has become durable: a client that reads slowly hears less often, not later. */
static void acknowledge(struct ingest_socket *socket)
{
    char text[64];
    if (socket->durable == socket->acknowledged)
        return;
    snprintf(text, sizeof text, "{\"Processed\":%llu}", (unsigned long long)socket->durable);
    frames_text(socket->frames, slice_of(text));
    socket->acknowledged = socket->durable;
}

/* All that it can still be told, and the close. */
static void say_end(struct ingest_socket *socket)
{
    acknowledge(socket);
    if (socket->error.size)
        frames_text(socket->frames, socket->error);
    frames_answer(socket->frames);
    socket->ended = true;
}

/* What has come whole is pushed all the same. */
static void set_over(struct ingest_socket *socket)
{
    socket->state = OVER;
}

static void flush(struct ingest_socket *socket)
{
    size_t before = frames_unsent(socket->frames);
    if (!frames_flush(socket->frames)) {
        set_over(socket);
        return;
    }
    if (frames_unsent(socket->frames) == 0)
        socket->moved_ms = 0;
    else if (!socket->moved_ms || frames_unsent(socket->frames) < before)
        socket->moved_ms = socket->sockets->now_ms;
    if (!socket->ended || frames_unsent(socket->frames) > 0 || socket->state != ENDING)
        return;
    /* What the client has sent meanwhile is read before the socket is closed: else it is reset, and what we
     * have told is lost. */
    http_wire_end(socket->wire);
    socket->state = LINGERING;
    socket->linger_ms = at_ms(socket, SOCKET_LINGER_MS);
}

/* --- its life ----------------------------------------------------------------------------------------- */

struct ingest_socket *ingest_socket_next(const struct ingest_socket *socket)
{
    return socket->next;
}

const struct ingest_socket_plan *ingest_socket_plan(const struct ingest_socket *socket)
{
    return socket->plan;
}

static void free_socket(struct ingest_socket *socket)
{
    struct http_request *http = socket->http;
    *socket->at = socket->next;
    if (socket->next)
        socket->next->at = socket->at;
    socket->sockets->count--;
    ingest_count(socket->sockets->captures, PUSH_WEBSOCKETS, -1);
    while (socket->first)
        free_first(socket);
    ingest_sockets_count(socket->sockets, -(int64_t)socket->text.size);
    if (socket->text.data)
        explicit_bzero(socket->text.data, socket->text.capacity);
    buffer_done(&socket->text);
    frames_free(socket->frames);
    arena_done(&socket->header);
    free(socket);
    http_request_give_back(http);
}

static bool is_paused(const struct ingest_socket *socket)
{
    return socket->turn || frames_unsent(socket->frames) > FRAMES_UNSENT ||
           (socket->pushed > 0 && socket->sockets->bytes > SOCKETS_BYTES_MAX / 2);
}

static void watch(struct ingest_socket *socket)
{
    struct epoll_event event = {.data.ptr = socket};
    if (socket->state == LINGERING || (socket->state == OPEN && !is_paused(socket)))
        event.events |= EPOLLIN;
    if (socket->state != OVER && frames_unsent(socket->frames) > 0)
        event.events |= EPOLLOUT;
    /* Without a wish it is not in it: that its peer has gone would be told again and again. */
    if (event.events == socket->watched)
        return;
    int how = !socket->watched ? EPOLL_CTL_ADD : event.events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    if (epoll_ctl(socket->sockets->poll, how, http_wire_fd(socket->wire), &event) < 0)
        set_over(socket);
    else
        socket->watched = event.events;
}

static void set_heard(struct ingest_socket *socket)
{
    socket->heard_ms = socket->sockets->now_ms;
    socket->pinged_ms = 0;
}

static void read_frames(struct ingest_socket *socket)
{
    bool heard;
    enum frames_state state = frames_read(socket->frames, &heard);
    if (heard)
        set_heard(socket);
    if (state == FRAMES_GONE) {
        set_over(socket);
        return;
    }
    if (state == FRAMES_OPEN)
        frames_answer(socket->frames);
    else if (socket->state == OPEN)
        socket->state = ENDING;
}

/* Whatever can go on, does. May free the socket. */
static void service(struct ingest_socket *socket)
{
    bool again;
    do {
        settle(socket);
        take_waiting(socket);
        settle(socket);
        again = socket->state == OPEN && !is_paused(socket) && frames_has_more(socket->frames);
        if (again)
            read_frames(socket);
    } while (again);
    if (socket->state == OPEN && frames_unsent(socket->frames) == 0)
        acknowledge(socket);
    if (socket->state == ENDING && !socket->ended && socket->pushed == 0 &&
        (socket->dropped || !socket->turn))
        say_end(socket);
    if (socket->state != OVER)
        flush(socket);
    /* With what waited sent, what has become durable meanwhile has its turn. */
    if (socket->state == OPEN && frames_unsent(socket->frames) == 0 &&
        socket->durable != socket->acknowledged) {
        acknowledge(socket);
        flush(socket);
    }
    watch(socket);
    if (socket->state == OVER && socket->watched) {
        epoll_ctl(socket->sockets->poll, EPOLL_CTL_DEL, http_wire_fd(socket->wire), NULL);
        socket->watched = 0;
    }
    if (socket->state == OVER && socket->pushed == 0 && (socket->dropped || !socket->turn))
        free_socket(socket);
}

int ingest_socket_open(struct ingest_sockets *sockets, struct http_request *http, struct http_wire *wire,
                       const struct ingest_socket_plan *plan, struct error *err)
{
    struct ingest_socket *socket = mem_zalloc(sizeof *socket);
    const struct frames_callbacks callbacks = {.context = socket, .more = on_more, .message = on_message};
    struct buffer answer;
    buffer_init(&answer, BUFFER_UNLIMITED);
    http_switch_answer(http, &answer);
    socket->frames =
        frames_new(wire, (struct slice){answer.data, answer.size}, plan->message_max, &callbacks, err);
    buffer_done(&answer);
    if (!socket->frames) {
        free(socket);
        return -1;
    }
    socket->sockets = sockets;
    socket->http = http;
    socket->plan = plan;
    socket->wire = wire;
    socket->last = &socket->first;
    socket->received = socket->durable = socket->acknowledged = plan->from;
    socket->csv =
        (struct ingest_csv){.separator = plan->format == INGEST_TSV ? '\t' : ',', .arena = &socket->header};
    socket->heard_ms = sockets->now_ms;
    at_ms(socket, sockets->silence_ms);
    arena_init(&socket->header);
    buffer_init(&socket->text, BUFFER_UNLIMITED); /* frames_new has the limit */
    socket->next = sockets->first;
    socket->at = &sockets->first;
    if (socket->next)
        socket->next->at = &socket->next;
    sockets->first = socket;
    sockets->count++;
    ingest_count(sockets->captures, PUSH_WEBSOCKETS, 1);
    service(socket);
    return 0;
}

/* --- what happens to it ------------------------------------------------------------------------------- */

/* Its client has read what we said, or says something still. */
static void linger(struct ingest_socket *socket)
{
    char unread[4096];
    ssize_t got;
    do
        got = http_wire_read(socket->wire, unread, sizeof unread);
    while (got > 0);
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        set_over(socket);
}

void ingest_socket_ready(struct ingest_socket *socket, unsigned events)
{
    if (socket->state == LINGERING)
        linger(socket);
    else if (socket->state == OPEN && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !is_paused(socket))
        read_frames(socket);
    else if (events & (EPOLLHUP | EPOLLERR))
        set_over(socket);
    service(socket);
}

/* Each socket goes on once for all that it was told. */
void ingest_sockets_told(struct ingest_message *told)
{
    struct ingest_socket *sockets = NULL;
    for (; told; told = told->next_told) {
        struct ingest_socket *socket = told->socket;
        told->state = MESSAGE_TOLD;
        socket->pushed--;
        socket->pushed_bytes -= ingest_message_weight(told);
        if (socket->is_told)
            continue;
        socket->is_told = true;
        socket->next_told = sockets;
        sockets = socket;
    }
    while (sockets) {
        struct ingest_socket *socket = sockets;
        sockets = socket->next_told;
        socket->is_told = false;
        service(socket);
    }
}

void ingest_socket_end(struct ingest_socket *socket, unsigned code, const char *why)
{
    if (socket->state == OPEN) {
        frames_end(socket->frames, code, why);
        socket->state = ENDING;
    }
    socket->dropped = true;
}

void ingest_socket_end_here(struct ingest_socket *socket)
{
    if (atomic_load(&socket->sockets->leaving))
        ingest_socket_end(socket, FRAMES_GOING_AWAY, "the listener stops");
    else
        ingest_socket_end(socket, FRAMES_RESTART, "the capture is being changed or started again");
}

void ingest_socket_drop(struct ingest_socket *socket)
{
    set_over(socket);
    socket->dropped = true;
    service(socket);
}

/* --- time --------------------------------------------------------------------------------------------- */

/* Is it time? If not, it is looked at again then. */
static bool is_due(struct ingest_socket *socket, uint64_t when_ms)
{
    uint64_t now = socket->sockets->now_ms;
    if (when_ms <= now)
        return true;
    at_ms(socket, when_ms - now);
    return false;
}

/* Is it alive? While we do not read it, it cannot say. */
static void tick_silence(struct ingest_socket *socket)
{
    uint64_t silence = socket->sockets->silence_ms;
    if (is_paused(socket)) {
        set_heard(socket);
        socket->begun_ms = socket->heard_ms;
    }
    if (socket->pinged_ms && is_due(socket, socket->pinged_ms + silence)) {
        set_over(socket);
    } else if (socket->text.size > 0 && is_due(socket, socket->begun_ms + silence)) {
        ingest_socket_end(socket, FRAMES_POLICY, "the message takes too long");
    } else if (!socket->pinged_ms && is_due(socket, socket->heard_ms + silence)) {
        frames_ping(socket->frames);
        socket->pinged_ms = socket->sockets->now_ms;
        at_ms(socket, silence);
    }
}

void ingest_socket_tick(struct ingest_socket *socket)
{
    if (socket->moved_ms && is_due(socket, socket->moved_ms + socket->sockets->silence_ms))
        set_over(socket);
    if (socket->later_ms && is_due(socket, socket->later_ms))
        socket->later_ms = 0;
    if (socket->state == LINGERING && is_due(socket, socket->linger_ms))
        set_over(socket);
    if (socket->state == OPEN)
        tick_silence(socket);
    service(socket);
}
