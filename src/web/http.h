/* The HTTP server: libmicrohttpd wrapped, with a quick lane before it where it is asked for. It reads
 * requests, bounded in size and time, hands them to its callbacks and sends the answers; what a path means it
 * does not know.
 *
 * Callbacks come from one of HTTP_THREADS threads and must not block for long: each of these threads serves
 * many connections. A request whose answer takes longer is held (http_request_hold) and let go by any thread
 * (http_request_resume); until then it costs a socket and its memory. */
#ifndef FIRTH_SERVER_HTTP_H
#define FIRTH_SERVER_HTTP_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "web/wire.h"

enum {
    HTTP_THREADS = 2,
    HTTP_CONNECTIONS_MAX = 1024,    /* at once; further ones wait in the kernel's queue */
    HTTP_HEAD_MAX = 32 << 10,       /* bytes of a request's line and headers */
    HTTP_BODY_MAX = 16 << 20,       /* bytes of a request's body */
    HTTP_BODIES_MAX = 128 << 20,    /* bytes of all bodies that are held at once */
    HTTP_ANSWER_MAX = 256 << 20,    /* bytes of an answer */
    HTTP_CLIENT_MS = 30 * 1000,     /* a client's time to send a whole request, and to send none */
    HTTP_ANSWER_MS = 5 * 60 * 1000, /* a client's time to take an answer */
    HTTP_HEADERS_MAX = 8,           /* that an answer adds */
    HTTP_STREAM_MAX = 64 << 10,     /* bytes of a stream that wait for its client */
    HTTP_STREAM_END_MS = 500,       /* a client's time to take them when the stream ends */
    HTTP_ADDRESS_MAX = 64,          /* bytes of "[::1]:8000" */
};

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER,
    HTTP_METHOD_COUNT,
};
const char *http_method_name(enum http_method method); /* "GET" */

struct http_server;

/* One request and its answer. It lives from `head` to `done`, and belongs to one thread at a time. */
struct http_request {
    enum http_method method;
    const char *path;            /* percent-decoded; no query */
    char peer[HTTP_ADDRESS_MAX]; /* the client's address, without its port */
    bool near;                   /* both ends are loopback addresses: a program of this machine asks */
    struct slice body;
    struct arena arena;
    void *owner; /* the callbacks' */

    /* The answer: status is 0 until it is known. Header values are not owned. */
    unsigned status;
    const char *content_type;  /* NULL: application/json */
    const char *cache_control; /* NULL: no-store */
    struct buffer answer;
    struct {
        const char *name, *value;
    } headers[HTTP_HEADERS_MAX];
    size_t header_count;

    struct http_exchange *exchange; /* http.c's own */
};

/* NULL if it is not there. Of a header that comes twice, the first. */
const char *http_header(const struct http_request *request, const char *name);
/* The whole of a header that is a list: of one that comes several times all values, with commas between them.
 */
const char *http_header_list(struct http_request *request, const char *name);
/* Of the request's cookies. */
const char *http_cookie(const struct http_request *request, const char *name);
bool http_is_tls(const struct http_request *request);
/* Every header, in the order they came. */
typedef void http_header_take(void *context, const char *name, const char *value);
void http_headers(const struct http_request *request, http_header_take *take, void *context);
typedef void http_query_take(void *context, const char *name, const char *value);
void http_query_all(const struct http_request *request, http_query_take *take, void *context);
/* The `number`th value of that name in the query, from 0; NULL: there is none. */
const char *http_query(const struct http_request *request, const char *name, size_t number);
/* Both live as long as the request. A value with a line break is dropped. */
void http_answer_header(struct http_request *request, const char *name, const char *value);

enum http_next {
    HTTP_ANSWER, /* the answer is there */
    HTTP_READ,   /* only from `head`: the body is wanted */
    HTTP_LATER,  /* it was held */
    HTTP_STREAM, /* http_stream_begin was called: the head is there, the content comes bit by bit */
    HTTP_SWITCH, /* only from `head`: another protocol, with the headers that are set (`switched`) */
};

struct http_callbacks {
    void *context;
    /* The head has come: HTTP_ANSWER or HTTP_READ. */
    enum http_next (*head)(void *context, struct http_request *request);
    /* The body has. */
    enum http_next (*whole)(void *context, struct http_request *request);
    /* It was held and is let go: again in one of the server's threads. */
    enum http_next (*resumed)(void *context, struct http_request *request);
    /* Answer what the server itself refuses: fill in the rest of the answer to the status that is set (400,
     * 413, 501, 503). */
    void (*refused)(void *context, struct http_request *request, const char *why);
    /* It was answered, or the client went; freed afterwards. */
    void (*done)(void *context, struct http_request *request);
    /* After HTTP_SWITCH: the connection is the callbacks', in any one thread at a time, until
     * http_request_give_back. They begin with the answer (http_switch_answer). How long a client may take is
     * not looked at any more. What the client has sent behind its request without having heard the answer is
     * lost. */
    void (*switched)(void *context, struct http_request *request, struct http_wire *wire);
    /* NULL, or: requests of a lane (http_request_lane) that `whole` has held back go on now, together. In the
     * lane's thread, which sees to it that nobody waits long for that. */
    void (*together)(void *context, unsigned lane);
};

struct http_options {
    const char *listen;             /* "127.0.0.1:8000", "[::1]:0", ":8000" (every address) */
    const char *tls_cert, *tls_key; /* PEM files, both or neither */
    struct http_callbacks callbacks;
    uint64_t client_ms; /* 0: HTTP_CLIENT_MS */
    /* 0: HTTP_BODY_MAX, HTTP_BODIES_MAX, HTTP_CONNECTIONS_MAX. */
    size_t body_max, bodies_max;
    /* Where the bytes of bodies are counted, with whatever else is held in their place; NULL: of its own. */
    _Atomic size_t *bodies;
    unsigned connections_max;
    /* Bytes of a request's line and headers; 0: HTTP_HEAD_MAX. libmicrohttpd clears so much after each
     * request. */
    size_t head_max;
    /* A body up to this is read though its head is refused already, so that the connection stays and the
     * answer is not lost with it; a larger one, or with 0 any, ends the connection. */
    size_t drain_max;
    /* Threads for many small requests: those that are plain are read and answered by a loop of our own
     * (lane.h). Callbacks neither stream nor switch them. 0: none, as always with TLS. */
    unsigned lanes;
};

/* Is it an address that only this machine reaches? ERROR_INVALID for what is no address. */
int http_listen_is_local(const char *listen, bool *ret_local, struct error *err);

/* Callbacks may come before it returns. An error for people: who has the port, what is wrong with the
 * certificate. */
struct http_server *http_open(const struct http_options *options, struct error *err);
/* "http://127.0.0.1:8000", with the port that was got. */
const char *http_url(const struct http_server *server);
/* What its clients will object to, for people, though it serves: a certificate out of its time. NULL:
 * nothing. */
const char *http_warning(const struct http_server *server);
size_t http_connections(struct http_server *server);
/* No further connections, and connections end with the answer to the request at hand. */
void http_quiesce(struct http_server *server);
/* Every held request was let go. What is being answered has `grace_ms` left. NULL is allowed. */
void http_close(struct http_server *server, uint64_t grace_ms);

/* Is there room for `more` bytes that the request comes to hold beside its body? They are counted with all
 * bodies until it is done. One request alone has room for whatever its own limits allow. */
bool http_request_room(struct http_request *request, size_t more);
/* Which lane's it is, below http_options.lanes; -1: of none. */
int http_request_lane(const struct http_request *request);
/* In a callback, before anybody else hears of the request; then return HTTP_LATER. */
void http_request_hold(struct http_request *request);
/* Once for each hold, from any thread. The request is not the caller's any more. */
void http_request_resume(struct http_request *request);
/* The text of the answer to a request that switches: 101, and its headers. */
void http_switch_answer(const struct http_request *request, struct buffer *out);
/* Once, from any thread, after `switched`: the connection ends, its wire is freed, `done` follows. */
void http_request_give_back(struct http_request *request);

/* --- an answer that goes on ------------------------------------------------------------------------------
 */

/* In a callback; then return HTTP_STREAM. Its client may take its time as long as nothing waits for it; what
 * waits it has to take within `client_ms`. */
void http_stream_begin(struct http_request *request);
/* From any thread, from http_stream_begin until `done` returns, which is for the caller to see to. False: so
 * much waits already that these bytes have no room; none of them was taken. */
bool http_stream_put(struct http_request *request, struct slice bytes);
/* Likewise, once: the stream ends behind these bytes, for which there is always room. */
void http_stream_end(struct http_request *request, struct slice last);

/* The client's socket, which stays open for as long as the request is held, and of a stream until `done`; -1:
 * not known. To watch, and for nothing else. */
int http_request_socket(const struct http_request *request);

#endif
