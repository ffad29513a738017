#include "ingest/websocket.h"

#include "base/clock.h"
#include "ingest/frames.h"
#include "ingest/message.h"
#include "ingest/request.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The loop: what sockets are ready for, what is told of pushes, what is to happen at a time. */

enum {
    EVENTS_AT_ONCE = 256,
    TICK_MS = 10, /* between two looks at all sockets, however much there is to see */
    FROM_MAX = INT32_MAX,
};

/* A socket that has shaken hands, on its way to the loop. */
struct arrival {
    struct arrival *next;
    struct http_request *http;
    struct http_wire *wire;
};

struct ingest_websocket {
    struct ingest_sockets sockets;
    struct ingest_watch watch;
    bool open;
    bool available;
    struct error missing; /* unless it is available */

    bool left; /* the loop's: `sockets.leaving` was seen */

    /* Under sockets.lock. */
    struct arrival *arrivals;
    bool changed;         /* a capture is gone */
    bool closing;         /* sockets are dropped */
    bool over;            /* the loop has ended: nobody takes arrivals */
    pthread_cond_t ended; /* `over` */
};

/* --- the handshake ------------------------------------------------------------------------------------ */

bool ingest_websocket_asked(struct http_request *http)
{
    return ingest_handshake_asked(http);
}

static enum http_next refuse(struct http_request *http, unsigned status, const char *why,
                             const char **ret_why)
{
    http->status = status;
    *ret_why = why;
    return HTTP_ANSWER;
}

/* By its path as any request's, or as Flow had it, /ingest/COLLECTION. */
static enum ingest_found find(struct ingest_captures *captures, const char *path,
                              struct ingest_socket_plan *plan, struct ingest_capture **ret_capture,
                              size_t *ret_binding)
{
    static const char ROOT[] = "/ingest/";
    plan->path = path;
    enum ingest_found found = ingest_find(captures, path, ret_capture, ret_binding);
    if (found != INGEST_NONE || !string_starts_with(path, ROOT))
        return found;
    plan->path = path + sizeof ROOT - 1;
    plan->by_collection = true;
    return ingest_find_collection(captures, plan->path, ret_capture, ret_binding);
}

/* An id under which its messages are known again after a reconnect, and how many were sent before. */
static unsigned read_id(struct http_request *http, const struct catalog_ingest *options,
                        struct ingest_socket_plan *plan, const char **ret_why)
{
    const char *id = http_header(http, options->id_header), *from = http_query(http, "from", 0);
    *ret_why = "a websocket has one id, and one 'from': in the header or in the query, once";
    if (http_query(http, "id", id ? 0 : 1) || http_query(http, "from", 1))
        return 400;
    if (!id)
        id = http_query(http, "id", 0);
    plan->id = id && *id ? arena_strdup(&http->arena, id) : NULL;
    *ret_why = "the id of a websocket must be at most 200 bytes of UTF-8";
    if (plan->id && (strlen(id) > 200 || !utf8_valid(id, strlen(id))))
        return 400;
    *ret_why = "'from' is the number of messages that were acknowledged before";
    return from && !string_to_u64(from, FROM_MAX, &plan->from) ? 400 : 0;
}

static unsigned allow(const struct ingest_websocket *websocket, struct http_request *http,
                      const struct ingest_capture *capture, size_t binding, struct ingest_socket_plan *plan,
                      const char **ret_why)
{
    struct ingest_handshake handshake;
    unsigned status = ingest_handshake_read(http, &handshake, ret_why);
    if (status)
        return status;
    *ret_why = "a websocket pushes to one resource: /ingest/CAPTURE/RESOURCE";
    if (binding == capture->binding_count)
        return 404;
    const struct catalog_ingest *options = &capture->bindings[binding].options;
    if ((status = ingest_request_allowed(http, options, handshake.token, websocket->open, ret_why)))
        return status;
    *ret_why = "this resource takes signed requests alone, and a websocket is not signed";
    if (options->signature.provider)
        return 403;
    if ((status = read_id(http, options, plan, ret_why)))
        return status;
    ingest_request_origin(http, options, NULL, &plan->origin);
    plan->format = handshake.format;
    plan->message_max = options->body_max;
    plan->serial = capture->serial;
    return 0;
}

enum http_next ingest_websocket_head(struct ingest_websocket *websocket, struct http_request *http,
                                     const char **ret_why)
{
    struct ingest_capture *capture;
    size_t binding;
    if (!websocket->available)
        return refuse(http, 501, websocket->missing.message, ret_why);
    struct ingest_socket_plan *plan = arena_zalloc(&http->arena, sizeof *plan);
    enum ingest_found found = find(websocket->sockets.captures, http->path, plan, &capture, &binding);
    if (found == INGEST_AWAY)
        return refuse(http, 503, "the capture is being changed or started again; try again", ret_why);
    if (found == INGEST_NONE)
        return refuse(http, 404, "no push capture has this path", ret_why);
    unsigned status = allow(websocket, http, capture, binding, plan, ret_why);
    ingest_release(capture);
    if (status)
        return refuse(http, status, *ret_why, ret_why);
    http->owner = plan;
    http->status = 101;
    return HTTP_SWITCH;
}

static void wake(struct ingest_websocket *websocket)
{
    eventfd_write(websocket->sockets.wake, 1);
}

static void turn_away(struct arrival *arrival)
{
    http_request_give_back(arrival->http);
    free(arrival);
}

void ingest_websocket_switched(struct ingest_websocket *websocket, struct http_request *http,
                               struct http_wire *wire)
{
    struct arrival *arrival = mem_zalloc(sizeof *arrival);
    *arrival = (struct arrival){.http = http, .wire = wire};
    pthread_mutex_lock(&websocket->sockets.lock);
    bool over = websocket->over;
    if (!over) {
        arrival->next = websocket->arrivals;
        websocket->arrivals = arrival;
    }
    pthread_mutex_unlock(&websocket->sockets.lock);
    if (over)
        turn_away(arrival);
    else
        wake(websocket);
}

/* --- the loop ----------------------------------------------------------------------------------------- */

static bool is_there(struct ingest_websocket *websocket, const struct ingest_socket_plan *plan)
{
    struct ingest_capture *capture;
    size_t binding;
    if (!ingest_message_find(websocket->sockets.captures, plan, &capture, &binding))
        return false;
    ingest_release(capture);
    return true;
}

static void receive(struct ingest_websocket *websocket, struct arrival *arrival)
{
    struct error unused; /* the library was there when hands were shaken */
    if (ingest_socket_open(&websocket->sockets, arrival->http, arrival->wire, arrival->http->owner, &unused) <
        0)
        turn_away(arrival);
    else
        free(arrival);
}

/* Those whose capture is not the one that allowed them; when we leave, all. */
static void end_sockets(struct ingest_websocket *websocket)
{
    struct ingest_socket *socket = websocket->sockets.first;
    for (; socket; socket = ingest_socket_next(socket)) {
        if (websocket->left || !is_there(websocket, ingest_socket_plan(socket)))
            ingest_socket_end_here(socket);
    }
    websocket->sockets.next_ms = 0;
}

static void drop_sockets(struct ingest_websocket *websocket)
{
    for (struct ingest_socket *socket = websocket->sockets.first, *next; socket; socket = next) {
        next = ingest_socket_next(socket);
        ingest_socket_drop(socket);
    }
}

/* What others have put under the lock. */
static void take_orders(struct ingest_websocket *websocket)
{
    struct ingest_sockets *sockets = &websocket->sockets;
    eventfd_t count;
    eventfd_read(sockets->wake, &count);
    pthread_mutex_lock(&sockets->lock);
    struct ingest_message *told = sockets->told;
    struct arrival *arrivals = websocket->arrivals;
    /* An arrival may have missed that its capture has gone, or that we leave. */
    bool end = websocket->changed || arrivals || atomic_load(&sockets->leaving) != websocket->left;
    bool closing = websocket->closing;
    websocket->left = atomic_load(&sockets->leaving);
    sockets->told = NULL;
    websocket->arrivals = NULL;
    websocket->changed = false;
    pthread_mutex_unlock(&sockets->lock);
    ingest_sockets_told(told);
    while (arrivals) {
        struct arrival *arrival = arrivals;
        arrivals = arrival->next;
        receive(websocket, arrival);
    }
    if (end)
        end_sockets(websocket);
    if (closing)
        drop_sockets(websocket);
}

static void tick(struct ingest_sockets *sockets)
{
    uint64_t soonest = sockets->now_ms + TICK_MS;
    sockets->next_ms = UINT64_MAX;
    for (struct ingest_socket *socket = sockets->first, *next; socket; socket = next) {
        next = ingest_socket_next(socket);
        ingest_socket_tick(socket);
    }
    if (sockets->next_ms < soonest)
        sockets->next_ms = soonest;
}

static void set_now(struct ingest_sockets *sockets)
{
    sockets->now_ms = clock_monotonic_ns(&clock_system) / 1000000;
}

static int wait_ms(const struct ingest_sockets *sockets)
{
    if (sockets->next_ms <= sockets->now_ms)
        return 0;
    uint64_t wait = sockets->next_ms - sockets->now_ms;
    return wait > INT32_MAX ? -1 : (int)wait;
}

/* It is over when it is to leave, and nothing is left. True then, for good. */
static bool is_over(struct ingest_websocket *websocket)
{
    if (!websocket->left || websocket->sockets.count > 0)
        return false;
    pthread_mutex_lock(&websocket->sockets.lock);
    websocket->over = !websocket->arrivals;
    bool over = websocket->over;
    pthread_cond_broadcast(&websocket->ended);
    pthread_mutex_unlock(&websocket->sockets.lock);
    return over;
}

static void *run(void *context)
{
    struct ingest_websocket *websocket = context;
    struct ingest_sockets *sockets = &websocket->sockets;
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!is_over(websocket)) {
        int count = epoll_wait(sockets->poll, events, EVENTS_AT_ONCE, wait_ms(sockets));
        bool woken = false;
        set_now(sockets);
        /* Sockets first: what is told may free those that are ready. */
        for (int i = 0; i < count; i++) {
            woken = woken || !events[i].data.ptr;
            if (events[i].data.ptr)
                ingest_socket_ready(events[i].data.ptr, events[i].events);
        }
        if (woken)
            take_orders(websocket);
        if (sockets->next_ms <= sockets->now_ms)
            tick(sockets);
    }
    return NULL;
}

/* --- its life ----------------------------------------------------------------------------------------- */

static void on_gone(void *context)
{
    struct ingest_websocket *websocket = context;
    pthread_mutex_lock(&websocket->sockets.lock);
    websocket->changed = true;
    pthread_mutex_unlock(&websocket->sockets.lock);
    wake(websocket);
}

static int start(struct ingest_websocket *websocket, struct error *err)
{
    struct ingest_sockets *sockets = &websocket->sockets;
    struct epoll_event wake = {.events = EPOLLIN};
    sigset_t all, before;
    sockets->poll = epoll_create1(EPOLL_CLOEXEC);
    sockets->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sockets->poll < 0 || sockets->wake < 0 ||
        epoll_ctl(sockets->poll, EPOLL_CTL_ADD, sockets->wake, &wake) < 0)
        return error_errno(err, errno, "cannot watch websockets");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the listener's loop's */
    int failed = pthread_create(&sockets->thread, NULL, run, websocket);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_errno(err, failed, "cannot start a thread for websockets");
    return 0;
}

struct ingest_websocket *ingest_websocket_open(struct ingest_captures *captures,
                                               struct ingest_workers *workers, bool open, uint64_t silence_ms,
                                               struct error *err)
{
    struct ingest_websocket *websocket = mem_zalloc(sizeof *websocket);
    struct ingest_sockets *sockets = &websocket->sockets;
    pthread_condattr_t monotonic;
    *sockets = (struct ingest_sockets){.captures = captures,
                                       .workers = workers,
                                       .poll = -1,
                                       .wake = -1,
                                       .silence_ms = silence_ms ? silence_ms : SOCKET_SILENCE_MS,
                                       .next_ms = UINT64_MAX};
    set_now(sockets);
    websocket->open = open;
    websocket->available = frames_available(&websocket->missing);
    websocket->watch = (struct ingest_watch){.gone = on_gone, .context = websocket};
    pthread_mutex_init(&sockets->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&websocket->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(websocket, err) < 0) {
        ingest_websocket_free(websocket);
        return NULL;
    }
    ingest_captures_watch(captures, &websocket->watch);
    return websocket;
}

void ingest_websocket_leave(struct ingest_websocket *websocket)
{
    atomic_store(&websocket->sockets.leaving, true);
    wake(websocket);
}

/* Until the loop is over, or the time is up. */
static void wait_for_end(struct ingest_websocket *websocket, uint64_t grace_ms)
{
    uint64_t end = clock_monotonic_ns(&clock_system) / 1000000 + grace_ms;
    const struct timespec until = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000};
    pthread_mutex_lock(&websocket->sockets.lock);
    while (!websocket->over &&
           pthread_cond_timedwait(&websocket->ended, &websocket->sockets.lock, &until) == 0)
        continue;
    websocket->closing = true;
    pthread_mutex_unlock(&websocket->sockets.lock);
    wake(websocket);
}

void ingest_websocket_end(struct ingest_websocket *websocket, uint64_t grace_ms)
{
    if (!websocket)
        return;
    ingest_websocket_leave(websocket);
    wait_for_end(websocket, grace_ms);
    ingest_captures_unwatch(websocket->sockets.captures, &websocket->watch);
    pthread_join(websocket->sockets.thread, NULL);
}

void ingest_websocket_free(struct ingest_websocket *websocket)
{
    if (!websocket)
        return;
    struct ingest_sockets *sockets = &websocket->sockets;
    if (sockets->poll >= 0)
        close(sockets->poll);
    if (sockets->wake >= 0)
        close(sockets->wake);
    pthread_cond_destroy(&websocket->ended);
    pthread_mutex_destroy(&sockets->lock);
    free(websocket);
}
