/* Who listens, and that each is told what it wants to hear. */
#include "server/events.h"

#include "control/applications.h"
#include "control/connections.h"
#include "control/settings.h"
#include "server/handlers.h"
#include "server/internal.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { EVENT_MAX = 64 << 10 };

static const struct slice beat_text = SLICE_LITERAL(": \n\n"),
                          reset_text = SLICE_LITERAL("event: reset\ndata: {}\n\n"),
                          ready_text = SLICE_LITERAL("retry: 2000\nevent: ready\ndata: {}\n\n");

/* In its request's arena. */
struct listener {
    struct listener *next, **at; /* at NULL: its stream has ended */
    struct http_request *http;
    const char *token;    /* that it was admitted by; NULL: the password, */
    const char *password; /* whose hash it was then; NULL: the well-known one */
    bool jobs, tasks;
    char connections[EVENTS_CONNECTIONS_MAX][CONTROL_UUID_SIZE];
    size_t connection_count;
};

struct events {
    struct server *server;
    struct watch watch;
    uv_timer_t beat; /* while somebody listens */
    uint64_t beat_ms;
    bool closed, released;
    struct buffer text; /* the loop's */

    pthread_mutex_t lock; /* of what follows; requests of listeners are there while it is held */
    struct listener *first;
    size_t count;
    bool closing;
};

/* --- leaving ------------------------------------------------------------------------------------------ */

static void take_out(struct events *events, struct listener *listener)
{
    assert(listener->at);
    *listener->at = listener->next;
    if (listener->next)
        listener->next->at = listener->at;
    listener->at = NULL;
    events->count--;
}

void events_leave(struct events *events, struct listener *listener)
{
    pthread_mutex_lock(&events->lock);
    if (listener->at)
        take_out(events, listener);
    pthread_mutex_unlock(&events->lock);
}

/* Under the lock. */
static void dismiss(struct events *events, struct listener *listener, struct slice last)
{
    take_out(events, listener);
    http_stream_end(listener->http, last);
}

static void put(struct events *events, struct listener *listener, struct slice text)
{
    if (!http_stream_put(listener->http, text))
        dismiss(events, listener, reset_text);
}

/* --- what is told, in the loop's thread ----------------------------------------------------------------- */

static bool wants_connection(const struct listener *listener, const char *connection)
{
    for (size_t i = 0; i < listener->connection_count; i++) {
        if (strcmp(listener->connections[i], connection) == 0)
            return true;
    }
    return false;
}

static void tell_job(struct events *events, const char *connection, bool all)
{
    const struct slice text = {events->text.data, events->text.size};
    pthread_mutex_lock(&events->lock);
    for (struct listener *listener = events->first, *next; listener && !events->text.overflowed;
         listener = next) {
        next = listener->next;
        if ((all && listener->jobs) || wants_connection(listener, connection))
            put(events, listener, text);
    }
    pthread_mutex_unlock(&events->lock);
}

static void on_job(void *context, const struct job_news *news)
{
    struct events *events = context;
    buffer_clear(&events->text);
    event_job(&events->text, news);
    tell_job(events, news->connection, true);
}

static void on_progress(void *context, const struct job_progress *progress)
{
    struct events *events = context;
    buffer_clear(&events->text);
    event_progress(&events->text, progress);
    tell_job(events, progress->job.connection, false);
}

static void tell_tasks(struct events *events, struct slice text)
{
    pthread_mutex_lock(&events->lock);
    for (struct listener *listener = events->first, *next; listener; listener = next) {
        next = listener->next;
        if (listener->tasks)
            put(events, listener, text);
    }
    pthread_mutex_unlock(&events->lock);
}

static void on_task(void *context, const struct task_news *news)
{
    struct events *events = context;
    buffer_clear(&events->text);
    event_task(&events->text, news);
    tell_tasks(events, (struct slice){events->text.data, events->text.size});
}

static void on_tasks(void *context)
{
    tell_tasks(context, SLICE_LITERAL("event: tasks\ndata: {}\n\n"));
}

/* --- whether they are there, and still may ask ------------------------------------------------------------
 */

/* The client has closed its side. One that went without a word is found when it does not take the next beat.
 */
static bool has_gone(const struct listener *listener)
{
    char byte;
    int fd = http_request_socket(listener->http);
    return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool may_listen(const struct events *events, const struct listener *listener)
{
    const struct server *server = events->server;
    const char *application, *password = NULL;
    struct error err;
    struct arena arena;
    arena_init(&arena);
    int found = listener->token
                    ? control_token_find(server->control, slice_of(listener->token),
                                         clock_wall_ms(&clock_system), &arena, &application, &err)
                    : control_setting_get(server->control, AUTH_PASSWORD_SETTING, &arena, &password, &err);
    /* A store that refuses just now says nothing about who may. */
    bool may =
        found < 0 ? err.code != ERROR_NOT_FOUND : listener->token || same_text(password, listener->password);
    arena_done(&arena);
    return may;
}

/* Under the lock. */
static void look(struct events *events)
{
    for (struct listener *listener = events->first, *next; listener; listener = next) {
        next = listener->next;
        if (has_gone(listener) || !may_listen(events, listener))
            dismiss(events, listener, (struct slice){0});
    }
}

void events_look(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    look(events);
    pthread_mutex_unlock(&events->lock);
}

static void on_beat(uv_timer_t *timer)
{
    struct events *events = timer->data;
    pthread_mutex_lock(&events->lock);
    look(events);
    for (struct listener *listener = events->first, *next; listener; listener = next) {
        next = listener->next;
        put(events, listener, beat_text);
    }
    if (!events->first)
        uv_timer_stop(timer);
    pthread_mutex_unlock(&events->lock);
}

/* --- listening -------------------------------------------------------------------------------------------
 */

/* "jobs,tasks,connection:ID". False: answered. */
static bool take_topics(struct call *call, struct listener *listener)
{
    const char *topics = http_query(call->http, "topic", 0);
    for (const char *at = topics; at && *at; at += strspn(at, ",")) {
        struct slice topic = {at, strcspn(at, ",")};
        at += topic.size;
        static const char prefix[] = "connection:";
        bool names = slice_starts_with(topic, prefix);
        struct slice id = {topic.data + (names ? sizeof prefix - 1 : 0),
                           names ? topic.size - (sizeof prefix - 1) : 0};
        if (slice_is(topic, "jobs")) {
            listener->jobs = true;
        } else if (slice_is(topic, "tasks")) {
            listener->tasks = true;
        } else if (names && listener->connection_count < EVENTS_CONNECTIONS_MAX &&
                   control_uuid_parse(id, listener->connections[listener->connection_count])) {
            listener->connection_count++;
        } else {
            call_invalid(
                call, "topic",
                "topic: jobs, tasks, or connection: and an id is wanted, not '%.*s'; %d connections at most",
                topic.size < 64 ? (int)topic.size : 64, topic.data, EVENTS_CONNECTIONS_MAX);
            return false;
        }
    }
    if (listener->jobs || listener->tasks || listener->connection_count)
        return true;
    call_invalid(call, "topic", "topic: jobs, tasks, connection:ID, or several with commas between them");
    return false;
}

/* What is not there says nothing, and its listener would wait for ever. False: answered. */
static bool check_connections(struct call *call, const struct listener *listener)
{
    for (size_t i = 0; i < listener->connection_count; i++) {
        const char *id = listener->connections[i];
        struct control_connection connection;
        struct error err;
        if (control_connection_get(call->control, id, true, call->arena, &connection, &err) < 0) {
            call_error_of(call, &err, "connection", id);
            return false;
        }
    }
    return true;
}

static bool remember_who(struct call *call, struct listener *listener)
{
    const char *token = call_token(call);
    struct error err;
    if (token) {
        listener->token = arena_strdup(call->arena, token);
        return true;
    }
    if (control_setting_get(call->control, AUTH_PASSWORD_SETTING, call->arena, &listener->password, &err) ==
        0)
        return true;
    call_error(call, &err);
    return false;
}

struct beginning {
    struct loop_item item;
    struct events *events;
};

/* In the loop's thread: somebody listens. */
static void on_beginning(struct loop_item *item, bool closing)
{
    struct beginning *beginning = (struct beginning *)item; /* its first member */
    struct events *events = beginning->events;
    if (!closing && !uv_is_active((uv_handle_t *)&events->beat))
        uv_timer_start(&events->beat, on_beat, events->beat_ms, events->beat_ms);
    free(beginning);
}

/* False: there is no room, or the daemon stops. */
static bool add(struct events *events, struct listener *listener)
{
    pthread_mutex_lock(&events->lock);
    if (events->count == EVENTS_LISTENERS_MAX)
        look(events);
    bool room = events->count < EVENTS_LISTENERS_MAX && !events->closing;
    if (room) {
        http_stream_begin(listener->http);
        http_stream_put(listener->http, ready_text);
        listener->next = events->first;
        listener->at = &events->first;
        if (listener->next)
            listener->next->at = &listener->next;
        events->first = listener;
        events->count++;
    }
    pthread_mutex_unlock(&events->lock);
    return room;
}

enum http_next firth_events(struct call *call)
{
    struct events *events = call->server->events;
    struct listener *listener = arena_zalloc(call->arena, sizeof *listener);
    listener->http = call->http;
    if (!take_topics(call, listener) || !check_connections(call, listener) || !remember_who(call, listener))
        return HTTP_ANSWER;
    call->http->status = 200;
    call->http->content_type = "text/event-stream";
    if (!add(events, listener))
        return call_fail(call, 503, "%d pages listen already, or Firth is being stopped: ask without events",
                         EVENTS_LISTENERS_MAX);
    call->listener = listener;
    struct beginning *beginning = mem_zalloc(sizeof *beginning);
    *beginning = (struct beginning){.item.act = on_beginning, .events = events};
    loop_inbox_put(&call->server->inbox, &beginning->item);
    return HTTP_STREAM;
}

/* --- its life ----------------------------------------------------------------------------------------------
 */

struct events *events_new(struct server *server)
{
    struct events *events = mem_zalloc(sizeof *events);
    uint64_t half_ms = server->options.client_ms / 2;
    events->server = server;
    events->beat_ms = half_ms && half_ms < EVENTS_BEAT_MS ? half_ms : EVENTS_BEAT_MS;
    events->watch = (struct watch){events, on_job, on_progress, on_task, on_tasks};
    pthread_mutex_init(&events->lock, NULL);
    buffer_init(&events->text, EVENT_MAX);
    uv_timer_init(server->loop, &events->beat);
    events->beat.data = events;
    if (server->jobs)
        jobs_watch(server->jobs, &events->watch);
    if (server->options.daemon)
        daemon_watch(server->options.daemon, &events->watch);
    return events;
}

static void free_if_over(struct events *events)
{
    if (!events->closed || !events->released)
        return;
    buffer_done(&events->text);
    pthread_mutex_destroy(&events->lock);
    free(events);
}

static void on_closed(uv_handle_t *handle)
{
    struct events *events = handle->data;
    events->closed = true;
    free_if_over(events);
}

void events_close(struct events *events)
{
    if (!events)
        return;
    const struct server *server = events->server;
    if (server->jobs)
        jobs_watch(server->jobs, NULL);
    if (server->options.daemon)
        daemon_watch(server->options.daemon, NULL);
    pthread_mutex_lock(&events->lock);
    events->closing = true;
    while (events->first)
        dismiss(events, events->first, (struct slice){0});
    pthread_mutex_unlock(&events->lock);
    uv_close((uv_handle_t *)&events->beat, on_closed);
}

void events_release(struct events *events)
{
    if (!events)
        return;
    events->released = true;
    free_if_over(events);
}
