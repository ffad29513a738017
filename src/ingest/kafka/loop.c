#include "ingest/kafka/loop.h"

#include "base/hash.h"
#include "ingest/kafka/connection.h"
#include "ingest/kafka/cursors.h"
#include "ingest/kafka/fetch.h"
#include "ingest/kafka/groups.h"
#include "web/http.h"
#include "web/listen.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, SCRATCH = 64 << 10, ACCEPTS_MAX = 64, LATE_CHECK_MS = 1000 };

void kafka_watch(struct kafka *kafka, int fd, struct kafka_source *source, uint32_t events, bool first)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    epoll_ctl(kafka->epoll_fd, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

void kafka_unwatch(struct kafka *kafka, int fd)
{
    epoll_ctl(kafka->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void kafka_count(struct kafka *kafka, int64_t more)
{
    kafka->held += (size_t)more;
    atomic_fetch_add(ingest_held(kafka->captures), (size_t)more);
}

void kafka_exchange_free(struct kafka *kafka, struct kafka_exchange *exchange)
{
    if (exchange->release)
        exchange->release(exchange);
    kafka_count(kafka, -(int64_t)exchange->size);
    ingest_hold_done(&exchange->hold);
    if (exchange->api && exchange->api->stranger) /* it may be a password's */
        explicit_bzero(exchange->frame, exchange->size);
    free(exchange->frame);
    buffer_done(&exchange->answer);
    arena_done(&exchange->arena);
    free(exchange);
}

void kafka_resume(struct kafka *kafka, struct kafka_exchange *exchange)
{
    pthread_mutex_lock(&kafka->lock);
    bool first = !kafka->resumed;
    exchange->next_resumed = kafka->resumed;
    kafka->resumed = exchange;
    pthread_mutex_unlock(&kafka->lock);
    if (first)
        eventfd_write(kafka->wake_fd, 1);
}

/* --- what the loop waits for -------------------------------------------------------------------------- */

static void on_woken(struct kafka *kafka, struct kafka_source *source, uint32_t events)
{
    eventfd_t count;
    struct kafka_exchange *last, *first = NULL;
    (void)source, (void)events;
    eventfd_read(kafka->wake_fd, &count);
    pthread_mutex_lock(&kafka->lock);
    last = kafka->resumed;
    kafka->resumed = NULL;
    pthread_mutex_unlock(&kafka->lock);
    while (last) { /* in the order they came */
        struct kafka_exchange *next = last->next_resumed;
        last->next_resumed = first;
        first = last;
        last = next;
    }
    while (first) {
        struct kafka_exchange *next = first->next_resumed;
        enum kafka_next how = first->resumed(kafka, first);
        if (how != KAFKA_LATER)
            kafka_answered(kafka, first, how);
        first = next;
    }
}

static void on_connection(struct kafka *kafka, struct kafka_source *source, uint32_t events)
{
    (void)source, (void)events;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        int fd = kafka->connection_count < KAFKA_CONNECTIONS_MAX
                     ? accept4(kafka->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
                     : -1;
        if (fd < 0 && kafka->connection_count < KAFKA_CONNECTIONS_MAX && errno == EAGAIN)
            return;
        if (fd < 0) { /* no room, or no descriptor: those who wait are looked after in a second */
            kafka->deaf = true;
            kafka_watch(kafka, kafka->listen_fd, &kafka->listening, 0, false);
            return;
        }
        kafka_connection_accept(kafka, fd);
    }
}

static void hear_again(struct kafka *kafka)
{
    if (kafka->deaf)
        kafka_watch(kafka, kafka->listen_fd, &kafka->listening, EPOLLIN, false);
    kafka->deaf = false;
}

static void end_late(struct kafka *kafka)
{
    for (struct kafka_connection *each = kafka->connections, *next; each; each = next) {
        next = each->next;
        if (kafka_connection_late(kafka, each))
            kafka_connection_close(kafka, each);
    }
}

/* What is answered goes out, what is closed goes. */
static void end_turn(struct kafka *kafka)
{
    struct kafka_connection *each;
    if (kafka->paused && kafka->held < KAFKA_HELD_MAX / 2) {
        kafka->paused = false;
        for (struct kafka_connection *next = kafka->connections; (each = next);) {
            next = each->next;
            kafka_connection_go_on(kafka, each);
        }
    }
    while ((each = kafka->queued)) {
        kafka->queued = each->next_queued;
        each->queued = false;
        if (!each->closed)
            kafka_connection_go_on(kafka, each);
    }
    while ((each = kafka->dead)) {
        kafka->dead = each->next;
        kafka_connection_free(each);
    }
}

static bool leaving(struct kafka *kafka)
{
    pthread_mutex_lock(&kafka->lock);
    bool result = kafka->leaving;
    pthread_mutex_unlock(&kafka->lock);
    return result;
}

static int wait_ms(struct kafka *kafka)
{
    uint64_t until = kafka->now_ms + LATE_CHECK_MS, fetches = kafka_fetches_deadline(kafka->fetches),
             groups = kafka_groups_deadline(kafka->groups);
    /* With nobody there, nothing is to come of itself. */
    if (kafka->connection_count == 0 && !kafka->deaf && groups == UINT64_MAX)
        return -1;
    if (groups < until)
        until = groups;
    if (fetches < until)
        until = fetches;
    return until > kafka->now_ms ? (int)(until - kafka->now_ms) : 0;
}

static void turn(struct kafka *kafka)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(kafka->epoll_fd, events, EVENTS_MAX, wait_ms(kafka));
    uint64_t before = kafka->now_ms;
    kafka->now_ms = kafka_clock_ms();
    for (int i = 0; i < count; i++) {
        struct kafka_source *source = events[i].data.ptr;
        source->ready(kafka, source, events[i].events);
    }
    kafka_fetches_tick(kafka);
    kafka_groups_tick(kafka->groups, kafka->now_ms);
    if (kafka->now_ms / LATE_CHECK_MS != before / LATE_CHECK_MS) {
        end_late(kafka);
        hear_again(kafka);
    }
    end_turn(kafka);
}

static void *run(void *context)
{
    struct kafka *kafka = context;
    while (!leaving(kafka))
        turn(kafka);
    return NULL;
}

/* --- its life ----------------------------------------------------------------------------------------- */

/* "HOST:PORT" of --ingest-kafka-advertise. */
static int read_advertised(struct kafka *kafka, const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || colon == text || !string_to_u64(colon + 1, UINT16_MAX, &port) || port == 0)
        return error_set(err, ERROR_INVALID,
                         "'%.100s' is no address that Kafka clients can be told: write HOST:PORT", text);
    bool six = text[0] == '[' && colon[-1] == ']';
    kafka->advertised_host = mem_strndup(text + six, (size_t)(colon - text) - 2 * six);
    kafka->advertised_port = (int)port;
    return 0;
}

static int open_descriptors(struct kafka *kafka, const struct kafka_options *options, struct error *err)
{
    char address[HTTP_ADDRESS_MAX];
    kafka->listen_fd = listen_open(options->listen, address, sizeof address, err);
    if (kafka->listen_fd < 0)
        return -1;
    kafka->url = mem_printf("kafka://%s", address);
    kafka->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    kafka->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (kafka->epoll_fd < 0 || kafka->wake_fd < 0)
        return error_errno(err, errno, "cannot wait for Kafka clients");
    kafka->listening.ready = on_connection;
    kafka->woken.ready = on_woken;
    kafka_watch(kafka, kafka->listen_fd, &kafka->listening, EPOLLIN, true);
    kafka_watch(kafka, kafka->wake_fd, &kafka->woken, EPOLLIN, true);
    return 0;
}

static int begin(struct kafka *kafka, const struct kafka_options *options, struct error *err)
{
    if (options->advertise && read_advertised(kafka, options->advertise, err) < 0)
        return -1;
    if (options->tls_cert &&
        !(kafka->credentials = kafka_credentials_new(options->tls_cert, options->tls_key, err)))
        return -1;
    kafka->store = store_open(options->data_dir, &(struct store_options){.read_only = true}, err);
    if (!kafka->store || !(kafka->commits = kafka_commits_open(options->data_dir, kafka_commits_done, err)) ||
        open_descriptors(kafka, options, err) < 0)
        return -1;
    int failed = pthread_create(&kafka->thread, NULL, run, kafka);
    if (failed)
        return error_errno(err, failed, "cannot start a thread for Kafka clients");
    kafka->started = true;
    return 0;
}

struct kafka *kafka_open(struct ingest_captures *captures, const struct kafka_options *options,
                         struct error *err)
{
    struct kafka *kafka = mem_zalloc(sizeof *kafka);
    *kafka = (struct kafka){.captures = captures,
                            .workers = ingest_workers_new(),
                            .data_dir = mem_strdup(options->data_dir),
                            .token = options->token ? mem_strdup(options->token) : NULL,
                            .open = options->open,
                            .client_ms = options->client_ms ? options->client_ms : KAFKA_CLIENT_MS,
                            .listen_fd = -1,
                            .epoll_fd = -1,
                            .wake_fd = -1,
                            .scratch = mem_alloc(SCRATCH),
                            .now_ms = kafka_clock_ms()};
    kafka->worker = ingest_workers_take(kafka->workers);
    kafka->cursors = kafka_cursors_new();
    kafka->fetches = kafka_fetches_new();
    kafka->groups = kafka_groups_new(&(struct kafka_group_calls){
        .context = kafka, .joined = kafka_group_joined, .synced = kafka_group_synced});
    pthread_mutex_init(&kafka->lock, NULL);
    snprintf(kafka->cluster, sizeof kafka->cluster, "firth-%016llx",
             (unsigned long long)hash_xxh3(options->data_dir, strlen(options->data_dir), 0));
    if (begin(kafka, options, err) == 0)
        return kafka;
    kafka_close(kafka, 0);
    return NULL;
}

const char *kafka_url(const struct kafka *kafka)
{
    return kafka->url;
}

/* In the place of the loop, whose thread has ended: the last answers, whose pushes are all done. */
static void drain(struct kafka *kafka, uint64_t grace_ms)
{
    uint64_t end = kafka_clock_ms() + grace_ms;
    kafka_unwatch(kafka, kafka->listen_fd);
    kafka->draining = true;
    kafka_fetches_end(kafka);
    kafka_groups_end(kafka->groups);
    for (struct kafka_connection *each = kafka->connections, *next; each; each = next) {
        next = each->next;
        kafka_connection_go_on(kafka, each);
    }
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        bool busy = false;
        kafka->now_ms = kafka_clock_ms();
        on_woken(kafka, &kafka->woken, 0);
        end_turn(kafka);
        for (struct kafka_connection *each = kafka->connections; each; each = each->next)
            busy |= each->first || each->sent < each->out.size;
        if (!busy || kafka->now_ms >= end)
            break;
        int count = epoll_wait(kafka->epoll_fd, events, EVENTS_MAX, (int)(end - kafka->now_ms));
        for (int i = 0; i < count; i++) {
            struct kafka_source *source = events[i].data.ptr;
            if (source != &kafka->woken)
                source->ready(kafka, source, events[i].events);
        }
    }
    while (kafka->connections)
        kafka_connection_close(kafka, kafka->connections);
    kafka_commits_stop(kafka->commits);
    on_woken(kafka, &kafka->woken, 0); /* what nobody waits for any more */
    end_turn(kafka);
}

void kafka_close(struct kafka *kafka, uint64_t grace_ms)
{
    if (!kafka)
        return;
    if (kafka->started) {
        pthread_mutex_lock(&kafka->lock);
        kafka->leaving = true;
        pthread_mutex_unlock(&kafka->lock);
        eventfd_write(kafka->wake_fd, 1);
        pthread_join(kafka->thread, NULL);
        drain(kafka, grace_ms);
    }
    int fds[] = {kafka->listen_fd, kafka->epoll_fd, kafka->wake_fd};
    kafka_fetches_free(kafka, kafka->fetches);
    kafka_cursors_free(kafka->cursors);
    kafka_groups_free(kafka->groups);
    kafka_commits_close(kafka->commits);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    kafka_credentials_free(kafka->credentials);
    if (kafka->store)
        store_close(kafka->store);
    if (kafka->token)
        explicit_bzero(kafka->token, strlen(kafka->token));
    ingest_workers_give(kafka->workers, kafka->worker);
    ingest_workers_free(kafka->workers);
    pthread_mutex_destroy(&kafka->lock);
    free(kafka->token);
    free(kafka->data_dir);
    free(kafka->url);
    free(kafka->advertised_host);
    free(kafka->scratch);
    free(kafka);
}
