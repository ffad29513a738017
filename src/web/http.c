#include "web/exchange.h"

#include "base/clock.h"
#include "web/head.h"
#include "web/lane.h"
#include "web/listen.h"
#include "web/tls_files.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { DISCARD_FACTOR = 4 };

/* One socket, from its beginning to its end. */
struct connection {
    struct http_peer *peer;
    bool near;
    char address[HTTP_ADDRESS_MAX];
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000;
}

/* What is so of all its requests, and asked of the system once. By the socket's own addresses, whatever
 * headers say. */
static void know_addresses(const struct http_server *server, struct MHD_Connection *connection, int fd,
                           struct connection *own)
{
    struct sockaddr_storage peer, here;
    socklen_t peer_size = sizeof peer, here_size = sizeof here;
    const union MHD_ConnectionInfo *info =
        server->api.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr)
        listen_format(info->client_addr, false, own->address, sizeof own->address);
    own->near = fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 &&
                getsockname(fd, (struct sockaddr *)&here, &here_size) == 0 &&
                listen_is_near((const struct sockaddr *)&peer, (const struct sockaddr *)&here);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **own,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            server->api.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        int fd = info ? info->connect_fd : -1;
        struct connection *new = mem_zalloc(sizeof *new);
        know_addresses(server, connection, fd, new);
        new->peer = http_peers_add(server->peers, fd);
        *own = new;
    } else if (*own) {
        http_peers_remove(server->peers, ((struct connection *)*own)->peer);
        free(*own);
        *own = NULL;
    }
}

size_t http_connections(struct http_server *server)
{
    return http_peers_count(server->peers) + (server->lanes ? http_lanes_connections(server->lanes) : 0);
}

/* --- a request ---------------------------------------------------------------------------------------- */

void http_exchange_count(struct http_server *server, int more)
{
    pthread_mutex_lock(&server->lock);
    server->active += (size_t)more;
    if (more < 0)
        pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

bool http_exchange_room(struct http_server *server, size_t size)
{
    if (atomic_fetch_add(server->bodies, size) + size <= server->bodies_max)
        return true;
    atomic_fetch_sub(server->bodies, size);
    return false;
}

static enum http_method method_of(const char *name)
{
    for (enum http_method method = 0; method < HTTP_OTHER; method++) {
        if (strcmp(http_method_name(method), name) == 0)
            return method;
    }
    return HTTP_OTHER;
}

/* Of the request's line, before anything is decoded: a NUL would end our strings early. */
static void *on_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct http_exchange *exchange = mem_zalloc(sizeof *exchange);
    const union MHD_ConnectionInfo *info =
        server->api.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->server = server;
    exchange->connection = connection;
    const struct connection *own = info ? info->socket_context : NULL;
    if (own) {
        exchange->peer = own->peer;
        exchange->request.near = own->near;
        memcpy(exchange->request.peer, own->address, sizeof own->address);
    }
    exchange->bad_path = strstr(uri, "%00") != NULL;
    exchange->request.exchange = exchange;
    arena_init(&exchange->request.arena);
    buffer_init(&exchange->request.answer, HTTP_ANSWER_MAX);
    buffer_init(&exchange->body, server->body_max);
    http_exchange_count(server, 1);
    return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *server = context;
    struct http_exchange *exchange = *own;
    (void)connection, (void)code;
    if (!exchange)
        return;
    *own = NULL;
    http_peers_expect(server->peers, exchange->peer, server->client_ms);
    if (exchange->known)
        server->callbacks.done(server->callbacks.context, &exchange->request);
    atomic_fetch_sub(server->bodies, exchange->counted);
    if (exchange->body.data) /* it may hold secrets */
        explicit_bzero(exchange->body.data, exchange->body.capacity);
    buffer_done(&exchange->body);
    stream_done(&exchange->stream);
    buffer_done(&exchange->request.answer);
    arena_done(&exchange->request.arena);
    free(exchange);
    http_exchange_count(server, -1);
}

/* Its content is there, or is to be asked for. */
static enum MHD_Result send_response(struct http_exchange *exchange, struct MHD_Response *response,
                                     bool typed)
{
    struct http_request *request = &exchange->request;
    struct http_server *server = exchange->server;
    const struct mhd_api *api = &server->api;
    if (typed)
        api->add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                 request->content_type ? request->content_type : "application/json");
    api->add_response_header(response, "X-Content-Type-Options", "nosniff");
    api->add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                             request->cache_control ? request->cache_control : "no-store");
    for (size_t i = 0; i < request->header_count; i++)
        api->add_response_header(response, request->headers[i].name, request->headers[i].value);
    if (atomic_load(&server->quiet))
        api->add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange->stage = STAGE_ANSWERED;
    http_peers_expect(server->peers, exchange->peer, HTTP_ANSWER_MS);
    enum MHD_Result result = api->queue_response(exchange->connection, request->status, response);
    api->destroy_response(response);
    return result;
}

static enum MHD_Result send_answer(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    struct http_server *server = exchange->server;
    const struct mhd_api *api = &server->api;
    if (request->answer.overflowed) {
        buffer_clear(&request->answer);
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    assert(request->status);
    size_t size = request->answer.size;
    char *bytes = buffer_steal(&request->answer);
    struct MHD_Response *response = api->create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    return send_response(exchange, response, size > 0);
}

/* --- an answer that goes on ---------------------------------------------------------------------------- */

static enum MHD_Result send_stream(struct http_exchange *exchange)
{
    struct MHD_Response *response = stream_response(&exchange->stream);
    return response ? send_response(exchange, response, true) : MHD_NO;
}

static enum MHD_Result refuse(struct http_exchange *exchange, unsigned status, const char *why)
{
    exchange->request.status = status;
    exchange->server->callbacks.refused(exchange->server->callbacks.context, &exchange->request, why);
    return send_answer(exchange);
}

static enum MHD_Result go_on(struct http_exchange *exchange, enum http_next next)
{
    return next == HTTP_ANSWER   ? send_answer(exchange)
           : next == HTTP_STREAM ? send_stream(exchange)
                                 : MHD_YES;
}

static bool has_body(const struct http_request *request)
{
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return http_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) || (length && strcmp(length, "0") != 0);
}

/* A connection that is closed on what was sent is reset, and the answer lost. */
static bool is_drained(const struct http_request *request)
{
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t size;
    return length && string_to_u64(length, UINT64_MAX, &size) &&
           size <= request->exchange->server->drain_max && !http_header(request, MHD_HTTP_HEADER_EXPECT);
}

static enum MHD_Result switch_protocol(struct http_exchange *exchange, const char *version)
{
    if (has_body(&exchange->request))
        return refuse(exchange, MHD_HTTP_BAD_REQUEST, "a request for another protocol has no body");
    if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
        return refuse(exchange, MHD_HTTP_BAD_REQUEST, "protocols are switched by HTTP/1.1 alone");
    return http_exchange_switch(exchange) ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_head(struct http_exchange *exchange, const char *url, const char *method,
                                 const char *version)
{
    struct http_server *server = exchange->server;
    struct http_request *request = &exchange->request;
    request->method = method_of(method);
    request->path = url;
    exchange->known = true;
    exchange->stage = STAGE_READING;
    if (exchange->bad_path)
        return refuse(exchange, MHD_HTTP_BAD_REQUEST, "the path or the query holds a NUL (%00)");
    const char *why;
    unsigned fault = http_head_fault(request, &why);
    if (fault)
        return refuse(exchange, fault, why);
    enum http_next next = server->callbacks.head(server->callbacks.context, request);
    if (next == HTTP_SWITCH)
        return switch_protocol(exchange, version);
    /* An answer that is sent now ends the connection: good for whoever would send a large body for nothing.
     */
    if (next != HTTP_READ && has_body(request) && !is_drained(request))
        return send_answer(exchange);
    if (next != HTTP_READ) {
        exchange->stage = STAGE_REFUSED;
        return MHD_YES;
    }
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t size;
    if (length && (!string_to_u64(length, UINT64_MAX, &size) || size > server->body_max))
        return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the request's body is too large");
    return MHD_YES;
}

/* What is too much is read on and forgotten, so that the client hears why; far too much is cut off. */
static enum MHD_Result take_body(struct http_exchange *exchange, const char *bytes, size_t size)
{
    struct http_server *server = exchange->server;
    exchange->received += size;
    if (exchange->received > DISCARD_FACTOR * server->body_max)
        return MHD_NO;
    if (exchange->refuse)
        return MHD_YES;
    exchange->counted += size;
    if (atomic_fetch_add(server->bodies, size) + size > server->bodies_max)
        exchange->refuse = MHD_HTTP_SERVICE_UNAVAILABLE;
    else
        buffer_append(&exchange->body, bytes, size);
    if (exchange->body.overflowed)
        exchange->refuse = MHD_HTTP_CONTENT_TOO_LARGE;
    return MHD_YES;
}

static enum MHD_Result take_end(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    http_peers_expect(server->peers, exchange->peer, 0);
    if (exchange->refuse == MHD_HTTP_CONTENT_TOO_LARGE)
        return refuse(exchange, exchange->refuse, "the request's body is too large");
    if (exchange->refuse)
        return refuse(exchange, exchange->refuse, "too many large requests at once; try again");
    exchange->request.body = (struct slice){exchange->body.data, exchange->body.size};
    return go_on(exchange, server->callbacks.whole(server->callbacks.context, &exchange->request));
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **own)
{
    struct http_server *server = context;
    struct http_exchange *exchange = *own;
    (void)connection;
    if (!exchange)
        return MHD_NO;
    if (exchange->stage == STAGE_NEW)
        return take_head(exchange, url, method, version);
    if (exchange->stage == STAGE_REFUSED && *upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (exchange->stage == STAGE_REFUSED)
        return send_answer(exchange);
    if (exchange->stage == STAGE_READING) {
        if (*upload_size == 0)
            return take_end(exchange);
        enum MHD_Result result = take_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return result;
    }
    if (exchange->stage == STAGE_SWITCHED) /* it was given back */
        return MHD_NO;
    if (exchange->stage == STAGE_HELD)
        return go_on(exchange, server->callbacks.resumed(server->callbacks.context, &exchange->request));
    return MHD_YES;
}

/* --- its life ----------------------------------------------------------------------------------------- */

static __attribute__((format(printf, 2, 0))) void on_log(void *context, const char *format, va_list arguments)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->lock);
    vsnprintf(server->said, sizeof server->said, format, arguments);
    string_one_line(server->said);
    pthread_mutex_unlock(&server->lock);
}

static int start(struct http_server *server, const char *certificate, const char *key, struct error *err)
{
    bool lanes = server->lane_count > 0 && !certificate; /* then connections come from there */
    const struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
                                         {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
                                         {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITY},
                                         {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem from[] = {
        {lanes ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, server->listener, NULL},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     MHD_USE_ITC | (certificate ? MHD_USE_TLS : 0) | (lanes ? MHD_USE_NO_LISTEN_SOCKET : 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the daemon's loop's */
    server->daemon = server->api.start_daemon(
        flags, 0, NULL, NULL, on_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        server->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, server->head_max,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_URI_LOG_CALLBACK, on_line, server, MHD_OPTION_ARRAY, certificate ? tls : tls + 3,
        MHD_OPTION_ARRAY, from, MHD_OPTION_END);
    bool right = server->daemon && http_peers_watch(server->peers);
    if (right && lanes)
        right = (server->lanes = http_lanes_open(server, server->listener, server->lane_count));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (right)
        return 0;
    return error_set(err, certificate ? ERROR_INVALID : ERROR_IO, "cannot start the HTTP server%s%s",
                     *server->said ? ": " : "", server->said);
}

static int start_with_files(struct http_server *server, const struct http_options *options, struct error *err)
{
    struct tls_files files;
    if (!options->tls_cert)
        return start(server, NULL, NULL, err);
    int result = tls_files_read(options->tls_cert, options->tls_key, &files, err);
    if (result == 0) {
        result = start(server, buffer_cstr(&files.cert), buffer_cstr(&files.key), err);
        tls_files_warn(&files, options->tls_cert, clock_wall_ms(&clock_system) / 1000, server->warning,
                       sizeof server->warning);
    }
    tls_files_done(&files);
    return result;
}

struct http_server *http_open(const struct http_options *options, struct error *err)
{
    struct http_server *server = mem_zalloc(sizeof *server);
    char address[HTTP_ADDRESS_MAX];
    pthread_condattr_t monotonic;
    server->callbacks = options->callbacks;
    server->client_ms = options->client_ms ? options->client_ms : HTTP_CLIENT_MS;
    server->body_max = options->body_max ? options->body_max : HTTP_BODY_MAX;
    server->bodies = options->bodies ? options->bodies : &server->own_bodies;
    server->bodies_max = options->bodies_max ? options->bodies_max : HTTP_BODIES_MAX;
    server->head_max = options->head_max ? options->head_max : HTTP_HEAD_MAX;
    server->drain_max = options->drain_max;
    server->lane_count = options->lanes;
    server->connections_max = options->connections_max ? options->connections_max : HTTP_CONNECTIONS_MAX;
    server->peers = http_peers_new(server->client_ms);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->listener = -1;
    if (mhd_api_load(&server->api, err) < 0 ||
        (server->listener = listen_open(options->listen, address, sizeof address, err)) < 0 ||
        start_with_files(server, options, err) < 0) {
        if (server->listener >= 0 && !server->daemon)
            close(server->listener);
        server->listener = -1;
        http_close(server, 0);
        return NULL;
    }
    snprintf(server->url, sizeof server->url, "%s://%s", options->tls_cert ? "https" : "http", address);
    return server;
}

const char *http_url(const struct http_server *server)
{
    return server->url;
}

const char *http_warning(const struct http_server *server)
{
    return *server->warning ? server->warning : NULL;
}

void http_quiesce(struct http_server *server)
{
    if (atomic_exchange(&server->quiet, true))
        return;
    if (server->lanes) {
        http_lanes_quiesce(server->lanes);
        return;
    }
    int listener = server->api.quiesce_daemon(server->daemon);
    if (listener >= 0)
        close(listener);
}

/* Until no request is under way, or the time is up. */
static void wait_for_answers(struct http_server *server, uint64_t grace_ms)
{
    uint64_t end = now_ms() + grace_ms;
    const struct timespec until = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000) * 1000000};
    pthread_mutex_lock(&server->lock);
    while (server->active > 0 && pthread_cond_timedwait(&server->changed, &server->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&server->lock);
}

void http_close(struct http_server *server, uint64_t grace_ms)
{
    if (!server)
        return;
    if (server->daemon) {
        http_quiesce(server);
        wait_for_answers(server, grace_ms);
        http_lanes_close(server->lanes);
        server->lanes = NULL;
        server->api.stop_daemon(server->daemon);
    }
    http_peers_free(server->peers);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
