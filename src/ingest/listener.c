#include "ingest/listener.h"

#include "ingest/kafka/kafka.h"
#include "ingest/ports.h"
#include "ingest/session.h"
#include "ingest/webhook.h"

#include "base/file.h"
#include "json/json.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The process: a loop over the orders that come, in the one thread that starts and joins the others. */

enum { READ_CHUNK = 64 << 10, KAFKA_TOKEN_FILE_MAX = 4096, FIGURES_MS = 1000, TURN_NS = 200 * 1000 };

struct listener {
    struct ingest_sessions shared;
    struct ingest_webhook *webhook; /* NULL: it could not be opened, and `refused` says why */
    struct kafka *kafka;            /* NULL: nobody asked for it */
    struct error refused;
    struct buffer asked; /* the order that says where to listen: a port that is busy is tried again */
    struct ingest_session *sessions[INGEST_CAPTURES_MAX];
    size_t count;
    struct buffer orders;
    int spec_fd, signal_fd;
    struct push_figures figures; /* that were told last */
    bool started;                /* an order to start a capture has come; those to begin with come together */
    bool leaving;
};

/* --- orders ------------------------------------------------------------------------------------------- */

static const char *text_of(const struct json *doc, uint32_t object, const char *name, struct arena *arena)
{
    uint32_t at = json_get(doc, object, name);
    return json_is(doc, at, JSON_STRING) ? json_cstring(doc, at, arena) : NULL;
}

/* Who does not hear it is gone, and so are we soon. */
static void tell(struct listener *listener, const struct buffer *line)
{
    struct error unused;
    pthread_mutex_lock(&listener->shared.lock);
    file_write_all(listener->shared.events_fd, line->data, line->size, "the event pipe", &unused);
    pthread_mutex_unlock(&listener->shared.lock);
}

/* `lost`: the port it had before, and cannot have again; 0: there is none. */
static void tell_listening(struct listener *listener, const char *url, unsigned lost)
{
    struct buffer line;
    struct json_writer writer;
    buffer_init(&line, BUFFER_UNLIMITED);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_string(&writer, "listening", url);
    if (lost)
        json_member_u64(&writer, "lostPort", lost);
    json_end_object(&writer);
    buffer_byte(&line, '\n');
    tell(listener, &line);
    buffer_done(&line);
}

static void tell_figures(struct listener *listener)
{
    struct push_figures now;
    struct buffer line;
    ingest_figures(listener->shared.captures, &now);
    uint64_t sockets = now.values[PUSH_WEBSOCKETS], all = ingest_webhook_connections(listener->webhook);
    now.values[PUSH_HTTP] = all > sockets ? all - sockets : 0;
    if (memcmp(&now, &listener->figures, sizeof now) == 0)
        return;
    listener->figures = now;
    buffer_init(&line, BUFFER_UNLIMITED);
    push_figures_write(&line, &now);
    tell(listener, &line);
    buffer_done(&line);
}

/* The file's first line. */
static int read_token(const char *path, struct arena *arena, const char **ret_token, struct error *err)
{
    struct buffer text;
    buffer_init(&text, KAFKA_TOKEN_FILE_MAX);
    int result = file_read(path, KAFKA_TOKEN_FILE_MAX, &text, err);
    size_t size = result == 0 ? strcspn(buffer_cstr(&text), "\r\n") : 0;
    if (result == 0 && size == 0)
        result = error_set(err, ERROR_INVALID, "%s holds no token", path);
    if (result == 0)
        *ret_token = arena_strndup(arena, text.data, size);
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    return result < 0 ? error_wrap(err, "--ingest-kafka-token") : 0;
}

struct opening {
    struct listener *listener;
    struct ingest_webhook_options web;
    struct kafka_options kafka;
};

static const char *open_kafka_at(void *context, const char *listen, struct error *err)
{
    struct opening *opening = context;
    opening->kafka.listen = listen;
    opening->listener->kafka = kafka_open(opening->listener->shared.captures, &opening->kafka, err);
    return opening->listener->kafka ? kafka_url(opening->listener->kafka) : NULL;
}

static const char *open_webhook_at(void *context, const char *listen, struct error *err)
{
    struct opening *opening = context;
    opening->web.listen = listen;
    opening->listener->webhook = ingest_webhook_open(opening->listener->shared.captures, &opening->web, err);
    return opening->listener->webhook ? ingest_webhook_url(opening->listener->webhook) : NULL;
}

static int open_kafka(struct listener *listener, const struct ingest_webhook_options *web, uint64_t wait_ms,
                      const struct json *doc, uint32_t object, struct arena *arena, unsigned *ret_lost)
{
    const char *asked = text_of(doc, object, "kafka", arena), *token = NULL, *url;
    const char *file = text_of(doc, object, "kafkaTokenFile", arena);
    struct opening opening = {.listener = listener};
    opening.kafka = (struct kafka_options){
        .advertise = text_of(doc, object, "kafkaAdvertise", arena),
        .tls_cert = web->tls_cert,
        .tls_key = web->tls_key,
        .data_dir = text_of(doc, object, "dataDir", arena),
        .open = web->open,
    };
    if (!asked)
        return 0;
    if (file && read_token(file, arena, &token, &listener->refused) < 0)
        return -1;
    opening.kafka.token = token;
    url = ingest_port_open(opening.kafka.data_dir, "kafka", asked, wait_ms, open_kafka_at, &opening, ret_lost,
                           &listener->refused);
    if (token)
        explicit_bzero((char *)token, strlen(token));
    if (!url)
        return error_wrap(&listener->refused, "--ingest-kafka");
    return 0;
}

/* Both, or neither: `refused` says why. */
static void open_listeners(struct listener *listener, const struct json *doc, uint32_t object,
                           uint64_t wait_ms, struct arena *arena)
{
    struct opening opening = {.listener = listener};
    unsigned lost, kafka_lost = 0;
    opening.web = (struct ingest_webhook_options){
        .tls_cert = text_of(doc, object, "cert", arena),
        .tls_key = text_of(doc, object, "key", arena),
        .open = json_is(doc, json_get(doc, object, "open"), JSON_TRUE),
    };
    const char *url = ingest_port_open(text_of(doc, object, "dataDir", arena), "http",
                                       text_of(doc, object, "address", arena), wait_ms, open_webhook_at,
                                       &opening, &lost, &listener->refused);
    if (!url || open_kafka(listener, &opening.web, wait_ms, doc, object, arena, &kafka_lost) < 0) {
        error_wrap(&listener->refused, "push captures cannot listen");
        /* Who has the port may go: a daemon's captures come again, with their backoff, and so do we. */
        listener->refused.retriable =
            listener->refused.code == ERROR_BUSY && json_is(doc, json_get(doc, object, "stay"), JSON_TRUE);
        ingest_webhook_close(listener->webhook, 0);
        listener->webhook = NULL;
        return;
    }
    tell_listening(listener, ingest_webhook_url(listener->webhook), lost);
    if (listener->kafka)
        tell_listening(listener, kafka_url(listener->kafka), kafka_lost);
}

static void open_again(struct listener *listener)
{
    struct arena arena;
    struct json doc;
    struct error unused;
    arena_init(&arena);
    if (json_parse_copy(&arena, listener->asked.data, listener->asked.size, &doc, &unused) == 0)
        open_listeners(listener, &doc, json_get(&doc, 0, "listen"), 0, &arena);
    arena_done(&arena);
}

static struct ingest_session *find(const struct listener *listener, const char *name)
{
    for (size_t i = 0; i < listener->count; i++) {
        if (strcmp(ingest_session_name(listener->sessions[i]), name) == 0 &&
            !ingest_session_ended(listener->sessions[i]))
            return listener->sessions[i];
    }
    return NULL;
}

static void reap(struct listener *listener)
{
    size_t kept = 0;
    for (size_t i = 0; i < listener->count; i++) {
        if (ingest_session_ended(listener->sessions[i]))
            ingest_session_free(listener->sessions[i]);
        else
            listener->sessions[kept++] = listener->sessions[i];
    }
    listener->count = kept;
}

static void start(struct listener *listener, const struct json *doc, uint32_t spec, struct arena *arena)
{
    struct error err;
    const char *name = text_of(doc, spec, "name", arena);
    reap(listener);
    if (!listener->webhook && listener->refused.retriable)
        open_again(listener);
    if (!listener->webhook)
        err = listener->refused;
    else if (listener->count == INGEST_CAPTURES_MAX)
        error_set(&err, ERROR_LIMIT, "more than %d push captures in one process", INGEST_CAPTURES_MAX);
    else if ((listener->sessions[listener->count] =
                  ingest_session_start(&listener->shared, json_raw(doc, spec), &err))) {
        listener->count++;
        listener->started = true;
        return;
    }
    ingest_sessions_refuse(&listener->shared, name ? name : "", &err);
}

static void stop(struct listener *listener, const struct json *doc, struct arena *arena)
{
    const char *name = text_of(doc, 0, "stop", arena);
    struct ingest_session *session = name ? find(listener, name) : NULL;
    if (session)
        ingest_session_stop(session, json_is(doc, json_get(doc, 0, "now"), JSON_TRUE));
    /* What is found no more has its paths until the session ends: they go with it, or at once. */
    if (name && json_is(doc, json_get(doc, 0, "forget"), JSON_TRUE))
        ingest_captures_forget(listener->shared.captures, name);
}

/* The supervisor is the same binary: a line that is no order is a bug of ours, and the end. */
static void take_order(struct listener *listener, const char *text, size_t size)
{
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    if (json_parse_copy(&arena, text, size, &doc, &err) < 0) {
        fprintf(stderr, "firth task ingest: %s\n", err.message);
        exit(1);
    }
    uint32_t where = json_get(&doc, 0, "listen"), spec = json_get(&doc, 0, "start");
    if (where != JSON_NONE && listener->asked.size == 0) {
        buffer_append(&listener->asked, text, size);
        open_listeners(listener, &doc, where, INGEST_PORT_WAIT_MS, &arena);
    } else if (spec != JSON_NONE) {
        start(listener, &doc, spec, &arena);
    } else if (json_is(&doc, json_get(&doc, 0, "leave"), JSON_TRUE)) {
        ingest_webhook_leave(listener->webhook);
    } else {
        stop(listener, &doc, &arena);
    }
    arena_done(&arena);
}

static void take_orders(struct listener *listener)
{
    struct buffer *orders = &listener->orders;
    size_t begin = 0;
    const char *newline;
    while ((newline = memchr(orders->data + begin, '\n', orders->size - begin))) {
        size_t end = (size_t)(newline - orders->data);
        take_order(listener, orders->data + begin, end - begin);
        explicit_bzero(orders->data + begin, end - begin);
        begin = end + 1;
    }
    buffer_consume(orders, begin);
}

static void read_orders(struct listener *listener)
{
    struct buffer *orders = &listener->orders;
    if (!buffer_reserve(orders, READ_CHUNK)) {
        fprintf(stderr, "firth task ingest: an order is longer than %d bytes\n", INGEST_LINE_MAX);
        exit(1);
    }
    ssize_t got = read(listener->spec_fd, orders->data + orders->size, orders->capacity - orders->size);
    if (got > 0) {
        orders->size += (size_t)got;
        take_orders(listener);
        struct pollfd more = {.fd = listener->spec_fd, .events = POLLIN};
        if (listener->started && orders->size == 0 && poll(&more, 1, 0) == 0)
            ingest_captures_settle(listener->shared.captures);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        listener->leaving = true;
    }
}

/* --- the loop ----------------------------------------------------------------------------------------- */

static void take_signals(struct listener *listener)
{
    struct signalfd_siginfo signal;
    while (read(listener->signal_fd, &signal, sizeof signal) == sizeof signal)
        listener->leaving = true;
}

static void stop_all(struct listener *listener)
{
    ingest_webhook_leave(listener->webhook);
    for (size_t i = 0; i < listener->count; i++)
        ingest_session_stop(listener->sessions[i], false);
}

/* Tells the figures when it is time; until then, ms. */
static int figures_due(struct listener *listener, uint64_t *told_ms)
{
    uint64_t now_ms = clock_monotonic_ns(&clock_system) / 1000000;
    if (now_ms - *told_ms >= FIGURES_MS) {
        tell_figures(listener);
        *told_ms = now_ms;
    }
    return (int)(*told_ms + FIGURES_MS - now_ms);
}

static void loop(struct listener *listener)
{
    bool stopped = false;
    uint64_t told_ms = 0;
    while (!listener->leaving || listener->count > 0) {
        if (listener->leaving && !stopped)
            stop_all(listener);
        stopped = listener->leaving;
        struct pollfd fds[] = {{.fd = listener->signal_fd, .events = POLLIN},
                               {.fd = listener->shared.ended, .events = POLLIN},
                               {.fd = listener->leaving ? -1 : listener->spec_fd, .events = POLLIN}};
        eventfd_t count;
        if (poll(fds, sizeof fds / sizeof *fds, figures_due(listener, &told_ms)) < 0)
            continue;
        take_signals(listener);
        if (fds[1].revents) {
            eventfd_read(listener->shared.ended, &count);
            reap(listener);
        }
        if (fds[2].revents)
            read_orders(listener);
    }
    tell_figures(listener);
}

/* --- the process -------------------------------------------------------------------------------------- */

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file past the limit is an error of the write */
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Ten thousand idle connections are to cost no more than their memory. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The kernel's own; glibc's headers have none of it yet. */
struct turns {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline, period;
};

/* All threads from here on wait for a disk or a client most of the time, and others wait for them: short
 * turns, and each of them soon. It takes nothing from other processes; on a busy machine a commit takes a
 * third (Linux 6.12, which does not ask for a right). */
static void take_short_turns(void)
{
    if (sched_getscheduler(0) != SCHED_OTHER)
        return; /* somebody has decided otherwise */
    struct turns turns = {.size = sizeof turns, .nice = getpriority(PRIO_PROCESS, 0), .runtime_ns = TURN_NS};
    syscall(SYS_sched_setattr, 0, &turns, 0);
}

int ingest_main(int spec_fd, int events_fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct listener *listener = mem_zalloc(sizeof *listener);
    listener->spec_fd = spec_fd;
    listener->signal_fd = open_signals();
    listener->shared = (struct ingest_sessions){.captures = ingest_captures_new(),
                                                .events_fd = events_fd,
                                                .ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    pthread_mutex_init(&listener->shared.lock, NULL);
    buffer_init(&listener->orders, INGEST_LINE_MAX);
    buffer_init(&listener->asked, INGEST_LINE_MAX);
    allow_descriptors();
    take_short_turns();
    bool right = listener->signal_fd >= 0 && listener->shared.ended >= 0;
    if (right)
        loop(listener);
    kafka_close(listener->kafka, INGEST_GRACE_MS);
    ingest_webhook_close(listener->webhook, INGEST_GRACE_MS);
    ingest_captures_free(listener->shared.captures);
    buffer_done(&listener->orders);
    buffer_done(&listener->asked);
    pthread_mutex_destroy(&listener->shared.lock);
    if (listener->signal_fd >= 0)
        close(listener->signal_fd);
    if (listener->shared.ended >= 0)
        close(listener->shared.ended);
    free(listener);
    return !right;
}
