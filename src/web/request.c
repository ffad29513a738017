/* What callbacks ask of a request and do with it. */
#include "web/lane.h"

#include <assert.h>
#include <strings.h>

const char *http_method_name(enum http_method method)
{
    static const char *const names[HTTP_METHOD_COUNT] = {"GET",   "HEAD",   "POST",    "PUT",
                                                         "PATCH", "DELETE", "OPTIONS", "OTHER"};
    return names[method];
}

/* --- what it says --------------------------------------------------------------------------------------- */

const char *http_header(const struct http_request *request, const char *name)
{
    if (request->exchange->lane)
        return lane_request_header(request->exchange->lane, name);
    return request->exchange->server->api.lookup_connection_value(request->exchange->connection,
                                                                  MHD_HEADER_KIND, name);
}

struct listing {
    const char *name;
    struct buffer text;
};

static void take_listed(void *context, const char *name, const char *value)
{
    struct listing *listing = context;
    if (strcasecmp(name, listing->name) != 0)
        return;
    buffer_str(&listing->text, listing->text.size ? ", " : "");
    buffer_str(&listing->text, value);
}

const char *http_header_list(struct http_request *request, const char *name)
{
    struct listing listing = {.name = name};
    if (!http_header(request, name))
        return NULL;
    buffer_init(&listing.text, BUFFER_UNLIMITED);
    http_headers(request, take_listed, &listing);
    const char *copy = arena_strndup(&request->arena, listing.text.data, listing.text.size);
    buffer_done(&listing.text);
    return copy;
}

const char *http_cookie(const struct http_request *request, const char *name)
{
    if (request->exchange->lane) /* plain requests have neither cookies nor a query */
        return NULL;
    return request->exchange->server->api.lookup_connection_value(request->exchange->connection,
                                                                  MHD_COOKIE_KIND, name);
}

bool http_is_tls(const struct http_request *request)
{
    return string_starts_with(request->exchange->server->url, "https:");
}

struct taking {
    http_header_take *take;
    void *context;
};

static enum MHD_Result on_value(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const struct taking *taking = context;
    (void)kind;
    taking->take(taking->context, name, value ? value : "");
    return MHD_YES;
}

static void take_all(const struct http_request *request, enum MHD_ValueKind kind, http_header_take *take,
                     void *context)
{
    struct taking taking = {take, context};
    request->exchange->server->api.get_connection_values(request->exchange->connection, kind, on_value,
                                                         &taking);
}

void http_headers(const struct http_request *request, http_header_take *take, void *context)
{
    if (request->exchange->lane)
        lane_request_headers(request->exchange->lane, take, context);
    else
        take_all(request, MHD_HEADER_KIND, take, context);
}

void http_query_all(const struct http_request *request, http_query_take *take, void *context)
{
    if (!request->exchange->lane)
        take_all(request, MHD_GET_ARGUMENT_KIND, take, context);
}

struct wanted_argument {
    const char *name, *value;
    size_t number;
};

static enum MHD_Result on_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct wanted_argument *wanted = context;
    (void)kind;
    if (strcmp(name, wanted->name) != 0 || wanted->number-- > 0)
        return MHD_YES;
    wanted->value = value ? value : "";
    return MHD_NO;
}

const char *http_query(const struct http_request *request, const char *name, size_t number)
{
    struct wanted_argument wanted = {.name = name, .number = number};
    if (request->exchange->lane)
        return NULL;
    request->exchange->server->api.get_connection_values(request->exchange->connection, MHD_GET_ARGUMENT_KIND,
                                                         on_argument, &wanted);
    return wanted.value;
}

void http_answer_header(struct http_request *request, const char *name, const char *value)
{
    assert(request->header_count < HTTP_HEADERS_MAX);
    if (strpbrk(value, "\r\n"))
        return;
    request->headers[request->header_count].name = name;
    request->headers[request->header_count++].value = value;
}

/* --- its answer waits ----------------------------------------------------------------------------------- */

bool http_request_room(struct http_request *request, size_t more)
{
    struct http_exchange *exchange = request->exchange;
    struct http_server *server = exchange->server;
    size_t before = atomic_fetch_add(server->bodies, more);
    if (before + more > server->bodies_max && before > exchange->counted) {
        atomic_fetch_sub(server->bodies, more);
        return false;
    }
    exchange->counted += more;
    return true;
}

int http_request_lane(const struct http_request *request)
{
    return request->exchange->lane ? lane_request_lane(request->exchange->lane) : -1;
}

void http_request_hold(struct http_request *request)
{
    request->exchange->stage = STAGE_HELD;
    if (!request->exchange->lane)
        request->exchange->server->api.suspend_connection(request->exchange->connection);
}

void http_request_resume(struct http_request *request)
{
    if (request->exchange->lane)
        http_lane_resume(request->exchange->lane);
    else
        request->exchange->server->api.resume_connection(request->exchange->connection);
}

int http_request_socket(const struct http_request *request)
{
    const struct http_exchange *exchange = request->exchange;
    if (exchange->lane)
        return -1;
    const union MHD_ConnectionInfo *info =
        exchange->server->api.get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

void http_stream_begin(struct http_request *request)
{
    struct http_exchange *exchange = request->exchange;
    struct http_server *server = exchange->server;
    exchange->stream.api = &server->api;
    exchange->stream.connection = exchange->connection;
    exchange->stream.peers = server->peers;
    exchange->stream.peer = exchange->peer;
    exchange->stream.client_ms = server->client_ms;
    stream_begin(&exchange->stream);
}

bool http_stream_put(struct http_request *request, struct slice bytes)
{
    return stream_put(&request->exchange->stream, bytes);
}

void http_stream_end(struct http_request *request, struct slice last)
{
    stream_end(&request->exchange->stream, last);
}

/* --- it leaves HTTP ------------------------------------------------------------------------------------- */

/* libmicrohttpd would do this itself (MHD_ALLOW_UPGRADE), but its relay between TLS and a socket of ours has
 * buffers of four bytes, where a connection's memory is all given to the answer's head. A connection that is
 * suspended is not looked at: so its socket and its session may be used by another. */
bool http_exchange_switch(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    const union MHD_ConnectionInfo *info =
        server->api.get_connection_info(exchange->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    bool tls = http_is_tls(&exchange->request);
    struct error err;
    if (tls && !info)
        return false;
    exchange->wire =
        http_wire_new(http_request_socket(&exchange->request), tls ? info->tls_session : NULL, &err);
    if (!exchange->wire)
        return false;
    exchange->stage = STAGE_SWITCHED;
    http_peers_expect(server->peers, exchange->peer, 0);
    server->api.suspend_connection(exchange->connection);
    server->callbacks.switched(server->callbacks.context, &exchange->request, exchange->wire);
    return true;
}

void http_switch_answer(const struct http_request *request, struct buffer *out)
{
    buffer_str(out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n");
    for (size_t i = 0; i < request->header_count; i++)
        buffer_printf(out, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    buffer_str(out, "\r\n");
}

void http_request_give_back(struct http_request *request)
{
    struct http_exchange *exchange = request->exchange;
    http_wire_free(exchange->wire);
    exchange->server->api.resume_connection(exchange->connection);
}
