#include "ingest/webhook_parts.h"

#include "ingest/body.h"
#include "ingest/decode.h"
#include "ingest/request.h"
#include "ingest/websocket.h"
#include "json/writer.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A request's way: the head (where to, who, how), the body (signed, decoded, parsed, valid), the push, the
 * answer. What the head is refused for, the body is not waited for. */

enum {
    CONNECTIONS_MAX = 16384,
    DESCRIPTORS_KEPT = 1024, /* for what is no connection: captures have files */
    HEAD_MAX = 16 << 10,
    DRAIN_MAX = 1 << 20, /* bytes of a body that is read for nothing */
};

void webhook_answer(struct http_request *http, unsigned status, struct slice text)
{
    http->status = status;
    buffer_append(&http->answer, text.data, text.size);
    if (status == 503 || status == 429)
        http_answer_header(http, "Retry-After", arena_printf(&http->arena, "%d", INGEST_RETRY_SECONDS));
}

enum http_next webhook_refuse(struct http_request *http, unsigned status, const char *why)
{
    webhook_answer(http, status, ingest_answer_error(&http->arena, "%s", why));
    return HTTP_ANSWER;
}

enum http_next webhook_answer_count(struct http_request *http, size_t count, bool duplicate)
{
    struct json_writer writer;
    http->status = 200;
    json_writer_init(&writer, &http->answer);
    json_begin_object(&writer);
    json_member_u64(&writer, "published", duplicate ? 0 : count);
    if (duplicate)
        json_member_bool(&writer, "duplicate", true);
    json_end_object(&writer);
    return HTTP_ANSWER;
}

/* --- the head ----------------------------------------------------------------------------------------- */

bool webhook_is_root(const char *path)
{
    return strcmp(path, "/ingest") == 0;
}

const char *webhook_not_found(enum ingest_found found)
{
    return found == INGEST_AWAY ? "the capture is being changed or started again; try again"
                                : "no push capture has this path";
}

/* A browser asks before it sends. */
static enum http_next preflight(struct http_request *http, const struct catalog_ingest *options)
{
    const char *headers = http_header_list(http, "Access-Control-Request-Headers");
    if (!ingest_request_cors(http, options))
        return webhook_refuse(http, 403, "this origin may not push here ('corsOrigins')");
    http_answer_header(http, "Access-Control-Allow-Methods", "POST, PUT, OPTIONS");
    if (headers)
        http_answer_header(http, "Access-Control-Allow-Headers", headers);
    http_answer_header(http, "Access-Control-Max-Age", "600");
    http->status = 204;
    return HTTP_ANSWER;
}

/* 0: nothing is against it. `options` are the binding's, or the capture's. */
static enum http_next check_head(const struct ingest_webhook *webhook, struct http_request *http,
                                 const struct catalog_ingest *options)
{
    const char *why, *length = http_header(http, "Content-Length");
    uint64_t size;
    if (http->method == HTTP_OPTIONS)
        return preflight(http, options);
    ingest_request_cors(http, options); /* also of a refusal: without it a page cannot read why */
    if (http->method != HTTP_POST && http->method != HTTP_PUT) {
        http_answer_header(http, "Allow", "POST, PUT, OPTIONS");
        return webhook_refuse(http, 405, "documents are pushed by POST or PUT");
    }
    unsigned status = ingest_request_allowed(http, options, NULL, webhook->open, &why);
    if (status)
        return webhook_refuse(http, status, why);
    if (ingest_format_of(http_header(http, "Content-Type")) == INGEST_FORMATS)
        return webhook_refuse(
            http, 415,
            "the Content-Type is none that is taken: application/json, application/x-ndjson, text/csv with a "
            "header, text/tab-separated-values, application/x-www-form-urlencoded");
    if (length && string_to_u64(length, UINT64_MAX, &size) && size > options->body_max)
        return webhook_refuse(http, 413, "the request's body is larger than 'maxBodyBytes'");
    return HTTP_READ;
}

static enum http_next head_of_websocket(const struct ingest_webhook *webhook, struct http_request *http)
{
    const char *why;
    enum http_next next = ingest_websocket_head(webhook->websocket, http, &why);
    return next == HTTP_ANSWER ? webhook_refuse(http, http->status, why) : next;
}

static enum http_next head(void *context, struct http_request *http)
{
    const struct ingest_webhook *webhook = context;
    struct ingest_capture *capture;
    size_t binding;
    if (ingest_websocket_asked(http))
        return head_of_websocket(webhook, http);
    if (webhook_is_root(http->path)) { /* whom it concerns, its body says */
        if (http->method == HTTP_POST || http->method == HTTP_PUT)
            return HTTP_READ;
        http_answer_header(http, "Allow", "POST, PUT");
        return webhook_refuse(http, 405, "documents are pushed by POST or PUT");
    }
    enum ingest_found found = ingest_find(webhook->captures, http->path, &capture, &binding);
    if (found != INGEST_FOUND)
        return webhook_refuse(http, found == INGEST_AWAY ? 503 : 404, webhook_not_found(found));
    const struct catalog_ingest *options =
        binding < capture->binding_count ? &capture->bindings[binding].options : &capture->options;
    enum http_next next = check_head(webhook, http, options);
    ingest_release(capture);
    return next;
}

/* --- the body ----------------------------------------------------------------------------------------- */

/* Is it large, as it came or decoded? */
static bool takes_long(struct webhook_request *request)
{
    struct http_request *http = request->http;
    const char *encodings = http_header_list(http, "Content-Encoding");
    struct error err;
    if (http->body.size >= INGEST_LARGE || !encodings)
        return http->body.size >= INGEST_LARGE;
    request->decoded.max = INGEST_LARGE;
    request->is_decoded = ingest_decode(encodings, http->body, &request->decoded, &request->body, &err) == 0;
    if (request->is_decoded)
        return false;
    buffer_done(&request->decoded);
    buffer_init(&request->decoded, CATALOG_INGEST_BODY_MAX);
    return err.code == ERROR_LIMIT;
}

/* In the slow thread: the request was held, and is let go with its answer or its push. */
static void take_slowly(void *context, struct ingest_slow_item *item)
{
    struct webhook_request *request =
        (struct webhook_request *)((char *)item - offsetof(struct webhook_request, item));
    if (webhook_take(context, request) == HTTP_LATER)
        return;
    request->answered = true;
    http_request_resume(request->http);
}

static enum http_next whole(void *context, struct http_request *http)
{
    struct ingest_webhook *webhook = context;
    struct webhook_request *request = arena_zalloc(&http->arena, sizeof *request);
    request->http = http;
    buffer_init(&request->decoded, CATALOG_INGEST_BODY_MAX);
    http->owner = request;
    if (!takes_long(request))
        return webhook_take(webhook, request);
    request->slow = true;
    http_request_hold(http);
    if (ingest_slow_put(webhook->slow, &request->item))
        return HTTP_LATER;
    webhook_refuse(http, 503, webhook_not_found(INGEST_AWAY));
    request->answered = true;
    http_request_resume(http);
    return HTTP_LATER;
}

/* --- the answer --------------------------------------------------------------------------------------- */

static enum http_next resumed(void *context, struct http_request *http)
{
    const struct webhook_request *request = http->owner;
    (void)context;
    if (request->answered)
        return HTTP_ANSWER;
    switch (request->result) {
    case INGEST_DURABLE:
        return webhook_answer_count(http, request->push.count, false);
    case INGEST_DUPLICATE:
        return webhook_answer_count(http, 0, true);
    case INGEST_FULL:
        return webhook_refuse(http, 503, "too much waits to be written; try again");
    case INGEST_STOPPED:
    case INGEST_OUT_OF_ORDER: /* these of pushes with a sequence alone */
    case INGEST_OLD_EPOCH:
    case INGEST_DUPLICATE_OLD:
        break;
    }
    return webhook_refuse(
        http, 503,
        "the capture ended before the documents were known to be durable; try again, with the same "
        "id if it has one");
}

static void refused(void *context, struct http_request *http, const char *why)
{
    (void)context;
    webhook_answer(http, http->status, ingest_answer_error(&http->arena, "%s", why));
}

static void switched(void *context, struct http_request *http, struct http_wire *wire)
{
    const struct ingest_webhook *webhook = context;
    ingest_websocket_switched(webhook->websocket, http, wire);
}

static void done(void *context, struct http_request *http)
{
    const struct ingest_webhook *webhook = context;
    struct webhook_request *request = http->owner;
    if (http->status >= 400 && http->status < 500)
        ingest_count(webhook->captures, PUSH_REFUSED, 1);
    if (!request || http->status == 101)
        return;
    if (request->decoded.data)
        explicit_bzero(request->decoded.data, request->decoded.capacity);
    buffer_done(&request->decoded);
}

/* --- its life ----------------------------------------------------------------------------------------- */

/* As many as there are descriptors for: who comes past them waits, and nothing fails for want of one. */
static unsigned connections_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= CONNECTIONS_MAX + DESCRIPTORS_KEPT)
        return CONNECTIONS_MAX;
    rlim_t kept = limit.rlim_cur / 2 < DESCRIPTORS_KEPT ? limit.rlim_cur / 2 : DESCRIPTORS_KEPT;
    return (unsigned)(limit.rlim_cur - kept);
}

/* Who sends, and who makes durable, need cores too. */
static unsigned lanes(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN) / 2;
    return cores < 1 ? 1 : cores > WEBHOOK_LANES_MAX ? WEBHOOK_LANES_MAX : (unsigned)cores;
}

struct ingest_webhook *ingest_webhook_open(struct ingest_captures *captures,
                                           const struct ingest_webhook_options *options, struct error *err)
{
    struct ingest_webhook *webhook = mem_zalloc(sizeof *webhook);
    *webhook =
        (struct ingest_webhook){.captures = captures, .workers = ingest_workers_new(), .open = options->open};
    const struct http_options http = {.listen = options->listen,
                                      .tls_cert = options->tls_cert,
                                      .tls_key = options->tls_key,
                                      .callbacks = {.context = webhook,
                                                    .head = head,
                                                    .whole = whole,
                                                    .resumed = resumed,
                                                    .refused = refused,
                                                    .done = done,
                                                    .switched = switched,
                                                    .together = webhook_together},
                                      .body_max = CATALOG_INGEST_BODY_MAX,
                                      .bodies_max = INGEST_HELD_MAX,
                                      .bodies = ingest_held(captures),
                                      .client_ms = options->client_ms,
                                      .connections_max = connections_max(),
                                      .head_max = HEAD_MAX,
                                      .drain_max = DRAIN_MAX,
                                      .lanes = lanes()};
    webhook->websocket =
        ingest_websocket_open(captures, webhook->workers, options->open, options->silence_ms, err);
    webhook->slow = webhook->websocket ? ingest_slow_new(take_slowly, webhook, err) : NULL;
    webhook->http = webhook->slow ? http_open(&http, err) : NULL;
    if (webhook->http)
        return webhook;
    ingest_webhook_close(webhook, 0);
    return NULL;
}

const char *ingest_webhook_url(const struct ingest_webhook *webhook)
{
    return http_url(webhook->http);
}

size_t ingest_webhook_connections(const struct ingest_webhook *webhook)
{
    return webhook ? http_connections(webhook->http) : 0;
}

void ingest_webhook_leave(struct ingest_webhook *webhook)
{
    if (webhook)
        ingest_websocket_leave(webhook->websocket);
}

void ingest_webhook_close(struct ingest_webhook *webhook, uint64_t grace_ms)
{
    if (!webhook)
        return;
    ingest_websocket_end(webhook->websocket, grace_ms);
    ingest_slow_end(webhook->slow);
    http_close(webhook->http, grace_ms);
    ingest_slow_free(webhook->slow);
    ingest_websocket_free(webhook->websocket);
    ingest_workers_free(webhook->workers);
    free(webhook);
}
