#include "ingest/webhook.h"

#include "ingest/body.h"
#include "ingest/decode.h"
#include "ingest/request.h"
#include "ingest/slow.h"
#include "ingest/websocket.h"
#include "json/writer.h"

#include <assert.h>
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
    LANES_MAX = 4,
    DRAIN_MAX = 1 << 20, /* bytes of a body that is read for nothing */
};

struct ingest_webhook {
    struct ingest_captures *captures;
    struct ingest_workers *workers;
    struct ingest_websocket *websocket;
    struct http_server *http;
    struct ingest_slow *slow;
    bool open;
    /* Of each lane: pushes that go to their capture together, which is found until then; NULL: none. */
    struct gathered {
        struct ingest_capture *capture;
        struct ingest_push *first, **last;
    } gathered[LANES_MAX];
};

struct request {
    struct ingest_push push; /* first: a push is its request */
    struct http_request *http;
    enum ingest_result result;
    struct buffer decoded;
    struct slice body;            /* if `is_decoded` */
    bool is_decoded;              /* already, to see how large it is */
    bool slow, answered;          /* it is understood by the slow thread; it needs no push */
    struct ingest_slow_item item; /* of that thread's */
};

static void answer(struct http_request *http, unsigned status, struct slice text)
{
    http->status = status;
    buffer_append(&http->answer, text.data, text.size);
    if (status == 503 || status == 429)
        http_answer_header(http, "Retry-After", arena_printf(&http->arena, "%d", INGEST_RETRY_SECONDS));
}

static enum http_next refuse(struct http_request *http, unsigned status, const char *why)
{
    answer(http, status, ingest_answer_error(&http->arena, "%s", why));
    return HTTP_ANSWER;
}

/* --- the head ----------------------------------------------------------------------------------------- */

/* The bare form: {"collection":[…]} to whichever capture has these. */
static bool is_root(const char *path)
{
    return strcmp(path, "/ingest") == 0;
}

static const char *not_found(enum ingest_found found)
{
    return found == INGEST_AWAY ? "the capture is being changed or started again; try again"
                                : "no push capture has this path";
}

/* A browser asks before it sends. */
static enum http_next preflight(struct http_request *http, const struct catalog_ingest *options)
{
    const char *headers = http_header_list(http, "Access-Control-Request-Headers");
    if (!ingest_request_cors(http, options))
        return refuse(http, 403, "this origin may not push here ('corsOrigins')");
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
        return refuse(http, 405, "documents are pushed by POST or PUT");
    }
    unsigned status = ingest_request_allowed(http, options, NULL, webhook->open, &why);
    if (status)
        return refuse(http, status, why);
    if (ingest_format_of(http_header(http, "Content-Type")) == INGEST_FORMATS)
        return refuse(
            http, 415,
            "the Content-Type is none that is taken: application/json, application/x-ndjson, text/csv, "
            "text/tab-separated-values, application/x-www-form-urlencoded");
    if (length && string_to_u64(length, UINT64_MAX, &size) && size > options->body_max)
        return refuse(http, 413, "the request's body is larger than 'maxBodyBytes'");
    return HTTP_READ;
}

static enum http_next head_of_websocket(const struct ingest_webhook *webhook, struct http_request *http)
{
    const char *why;
    enum http_next next = ingest_websocket_head(webhook->websocket, http, &why);
    return next == HTTP_ANSWER ? refuse(http, http->status, why) : next;
}

static enum http_next head(void *context, struct http_request *http)
{
    const struct ingest_webhook *webhook = context;
    struct ingest_capture *capture;
    size_t binding;
    if (ingest_websocket_asked(http))
        return head_of_websocket(webhook, http);
    if (is_root(http->path)) { /* whom it concerns, its body says */
        if (http->method == HTTP_POST || http->method == HTTP_PUT)
            return HTTP_READ;
        http_answer_header(http, "Allow", "POST, PUT");
        return refuse(http, 405, "documents are pushed by POST or PUT");
    }
    enum ingest_found found = ingest_find(webhook->captures, http->path, &capture, &binding);
    if (found != INGEST_FOUND)
        return refuse(http, found == INGEST_AWAY ? 503 : 404, not_found(found));
    const struct catalog_ingest *options =
        binding < capture->binding_count ? &capture->bindings[binding].options : &capture->options;
    enum http_next next = check_head(webhook, http, options);
    ingest_release(capture);
    return next;
}

/* --- the push ----------------------------------------------------------------------------------------- */

static void on_done(struct ingest_push *push, enum ingest_result result)
{
    struct request *request = (struct request *)push;
    request->result = result;
    http_request_resume(request->http);
}

static enum http_next answer_count(struct http_request *http, size_t count, bool duplicate)
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

/* Everything that the request touches is allowed to it, and signed for it. */
static unsigned check_binding(const struct ingest_webhook *webhook, struct http_request *http,
                              const struct ingest_binding *binding, const char **ret_why)
{
    unsigned status = ingest_request_allowed(http, &binding->options, NULL, webhook->open, ret_why);
    if (status)
        return status;
    if (!ingest_request_signed(http, &binding->options, webhook->http, ret_why))
        return 401;
    if (ingest_rate_allows(binding, ingest_request_second()))
        return 0;
    *ret_why = "more requests than 'maxRequestsPerSecond'";
    return 429;
}

/* Before any document is looked at: who may not push hears nothing of schemas. What comes for one resource is
 * within its own limit, as if it had come alone. */
static int check_named(const struct ingest_webhook *webhook, struct http_request *http,
                       const struct ingest_capture *capture, const struct json *doc,
                       struct ingest_problem *problem)
{
    const char *why;
    assert(capture);
    bool *seen = arena_zalloc(&http->arena, capture->binding_count + 1);
    size_t *sizes = arena_zalloc(&http->arena, (capture->binding_count + 1) * sizeof *sizes);
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        size_t at = ingest_binding_of(capture, json_string(doc, key, &http->arena));
        if (at == capture->binding_count)
            continue;
        const struct ingest_binding *binding = &capture->bindings[at];
        unsigned status = seen[at] ? 0 : check_binding(webhook, http, binding, &why);
        if (status)
            return ingest_problem_set(problem, status, ingest_answer_error(&http->arena, "%s", why));
        seen[at] = true;
        sizes[at] += json_raw(doc, json_value(key)).size;
        if (sizes[at] > binding->options.body_max)
            return ingest_problem_set(
                problem, 413,
                ingest_answer_error(&http->arena,
                                    "what the request has for '%.200s' is larger than the "
                                    "resource's 'maxBodyBytes'",
                                    binding->name));
    }
    return 0;
}

/* Decode the body; *ret_body may be changed in place. */
static int decode(struct request *request, const struct catalog_ingest *options, struct slice *ret_body,
                  struct ingest_problem *problem)
{
    struct http_request *http = request->http;
    struct error err;
    *ret_body = request->body;
    request->decoded.max = options->body_max;
    if (!request->is_decoded && ingest_decode(http_header_list(http, "Content-Encoding"), http->body,
                                              &request->decoded, ret_body, &err) < 0)
        return ingest_problem_set(problem,
                                  err.code == ERROR_UNSUPPORTED ? 415
                                  : err.code == ERROR_LIMIT     ? 413
                                                                : 400,
                                  ingest_answer_error(&http->arena, "%s", err.message));
    if (request->decoded.capacity && !http_request_room(http, request->decoded.capacity))
        return ingest_problem_set(
            problem, 503, ingest_answer_error(&http->arena, "too many large requests at once; try again"));
    if (ret_body->size > options->body_max)
        return ingest_problem_set(
            problem, 413,
            ingest_answer_error(&http->arena, "the request's body is larger than 'maxBodyBytes'"));
    if (ret_body->size == 0)
        return ingest_problem_set(problem, 400, ingest_answer_error(&http->arena, "the request has no body"));
    return 0;
}

static int take_one(const struct ingest_webhook *webhook, struct request *request,
                    struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                    struct ingest_batch *batch, struct ingest_problem *problem)
{
    struct http_request *http = request->http;
    const struct catalog_ingest *options = &capture->bindings[binding].options;
    struct slice body;
    const char *why;
    unsigned status = check_binding(webhook, http, &capture->bindings[binding], &why);
    if (status)
        return ingest_problem_set(problem, status, ingest_answer_error(&http->arena, "%s", why));
    if (decode(request, options, &body, problem) < 0)
        return -1;
    struct ingest_origin origin;
    ingest_request_origin(http, options, NULL, &origin);
    batch->origin = &origin;
    int result = ingest_body(worker, capture, binding, ingest_format_of(http_header(http, "Content-Type")),
                             (char *)body.data, body.size, batch, problem);
    batch->origin = NULL;
    return result;
}

/* The capture of a bare request: that of its first collection. 0, or -1 with *problem. */
static int find_by_body(const struct ingest_webhook *webhook, struct http_request *http,
                        const struct json *doc, struct ingest_capture **ret_capture,
                        struct ingest_problem *problem)
{
    uint32_t key = json_is(doc, 0, JSON_OBJECT) ? json_first_key(doc, 0) : JSON_NONE;
    size_t binding;
    if (key == JSON_NONE)
        return ingest_problem_set(problem, 400,
                                  ingest_answer_error(&http->arena,
                                                      "a request to /ingest is an object of collections, "
                                                      "{\"acmeCo/orders\":[…]}"));
    struct slice name = json_string(doc, key, &http->arena);
    enum ingest_found found = ingest_find_collection(
        webhook->captures, arena_strndup(&http->arena, name.data, name.size), ret_capture, &binding);
    if (found == INGEST_FOUND)
        return 0;
    return ingest_problem_set(
        problem, found == INGEST_AWAY ? 503 : 404,
        ingest_answer_error(&http->arena, "%s",
                            found == INGEST_AWAY ? not_found(found) : "no push capture has this collection"));
}

static int take_many(const struct ingest_webhook *webhook, struct request *request,
                     struct ingest_worker *worker, struct ingest_capture **capture,
                     struct ingest_batch *batch, struct ingest_problem *problem)
{
    struct http_request *http = request->http;
    const struct catalog_ingest defaults = {.body_max = CATALOG_INGEST_BODY_DEFAULT};
    struct slice body;
    if (decode(request, *capture ? &(*capture)->options : &defaults, &body, problem) < 0)
        return -1;
    const struct json *doc =
        ingest_parse(worker, (char *)body.data, body.size, "the request's body", &http->arena, problem);
    if (!doc || (!*capture && find_by_body(webhook, http, doc, capture, problem) < 0))
        return -1;
    assert(*capture); /* find_by_body has found it */
    if (check_named(webhook, http, *capture, doc, problem) < 0)
        return -1;
    struct catalog_ingest all = (*capture)->options;
    for (size_t i = 0; i < (*capture)->binding_count; i++)
        all.metadata |= (*capture)->bindings[i].options.metadata;
    struct ingest_origin origin;
    ingest_request_origin(http, &all, *capture, &origin);
    batch->origin = &origin;
    int result = ingest_body_by_collection(worker, *capture, doc, batch, problem);
    batch->origin = NULL;
    return result;
}

/* The id that makes a request's second coming known. */
static int set_id(struct request *request, const struct ingest_capture *capture,
                  const struct ingest_batch *batch, struct ingest_problem *problem)
{
    uint32_t scope = batch->documents[0].binding;
    assert(capture);
    request->push.id_scope = ingest_batch_scope(capture, batch, false, &request->http->arena);
    const char *header =
        request->push.id_scope ? capture->options.id_header : capture->bindings[scope].options.id_header;
    const char *id = http_header(request->http, header);
    if (!id || !*id)
        return 0;
    if (strlen(id) > INGEST_ID_MAX || !utf8_valid(id, strlen(id)))
        return ingest_problem_set(problem, 400,
                                  ingest_answer_error(&request->http->arena,
                                                      "the header %s must be at most %d bytes of UTF-8",
                                                      header, INGEST_ID_MAX));
    request->push.id = slice_of(id);
    request->push.scope = scope;
    request->push.id_scope_before = ingest_batch_scope(capture, batch, true, &request->http->arena);
    return 0;
}

/* Those of a lane, in its thread. */
static void together(void *context, unsigned lane)
{
    struct ingest_webhook *webhook = context;
    struct gathered *gathered = &webhook->gathered[lane];
    struct ingest_capture *capture = gathered->capture;
    gathered->capture = NULL;
    if (!capture)
        return;
    ingest_push_all(capture, gathered->first);
    ingest_release(capture);
}

/* The capture is the lane's until then. */
static void gather(struct ingest_webhook *webhook, unsigned lane, struct ingest_push *push,
                   struct ingest_capture *capture)
{
    struct gathered *gathered = &webhook->gathered[lane];
    if (gathered->capture && gathered->capture != capture)
        together(webhook, lane);
    if (gathered->capture)
        ingest_release(capture); /* it has been found for those before */
    else
        gathered->last = &gathered->first;
    gathered->capture = capture;
    push->next = NULL;
    *gathered->last = push;
    gathered->last = &push->next;
}

/* Releases the capture. */
static enum http_next push(struct ingest_webhook *webhook, struct request *request,
                           struct ingest_capture *capture, const struct ingest_batch *batch)
{
    int lane = http_request_lane(request->http);
    request->push.documents = batch->documents;
    request->push.count = batch->count;
    request->push.bytes = batch->bytes;
    request->push.done = on_done;
    if (!request->slow)
        http_request_hold(request->http);
    if (!request->slow && lane >= 0) {
        gather(webhook, (unsigned)lane, &request->push, capture);
    } else {
        ingest_push(capture, &request->push);
        ingest_release(capture);
    }
    return HTTP_LATER;
}

static bool take_room(void *context, size_t more)
{
    return http_request_room(context, more);
}

static enum http_next take(struct ingest_webhook *webhook, struct request *request)
{
    struct http_request *http = request->http;
    struct ingest_capture *capture = NULL;
    struct ingest_problem problem;
    size_t binding = 0;
    enum ingest_found found = INGEST_FOUND;
    if (!is_root(http->path))
        found = ingest_find(webhook->captures, http->path, &capture, &binding);
    if (found != INGEST_FOUND)
        return refuse(http, 503, not_found(INGEST_AWAY));
    struct ingest_batch batch = {.arena = &http->arena};
    struct ingest_worker *worker = ingest_workers_take(webhook->workers);
    struct ingest_room room = {.take = take_room, .context = http};
    worker->room = &room;
    int result = capture && binding < capture->binding_count
                     ? take_one(webhook, request, worker, capture, binding, &batch, &problem)
                     : take_many(webhook, request, worker, &capture, &batch, &problem);
    worker->room = NULL;
    ingest_workers_give(webhook->workers, worker);
    assert(capture || result < 0);
    if (result == 0 && batch.count > 0)
        result = set_id(request, capture, &batch, &problem);
    if (result == 0 && capture && is_root(http->path))
        ingest_request_cors(http, &capture->bindings[batch.count ? batch.documents[0].binding : 0].options);
    if (result == 0 && batch.count > 0)
        return push(webhook, request, capture, &batch);
    if (capture)
        ingest_release(capture);
    if (result == 0)
        return answer_count(http, 0, false);
    answer(http, problem.status, problem.answer);
    return HTTP_ANSWER;
}

/* Is it large, as it came or decoded? */
static bool takes_long(struct request *request)
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
    struct request *request = (struct request *)((char *)item - offsetof(struct request, item));
    if (take(context, request) == HTTP_LATER)
        return;
    request->answered = true;
    http_request_resume(request->http);
}

static enum http_next whole(void *context, struct http_request *http)
{
    struct ingest_webhook *webhook = context;
    struct request *request = arena_zalloc(&http->arena, sizeof *request);
    request->http = http;
    buffer_init(&request->decoded, CATALOG_INGEST_BODY_MAX);
    http->owner = request;
    if (!takes_long(request))
        return take(webhook, request);
    request->slow = true;
    http_request_hold(http);
    if (ingest_slow_put(webhook->slow, &request->item))
        return HTTP_LATER;
    refuse(http, 503, not_found(INGEST_AWAY));
    request->answered = true;
    http_request_resume(http);
    return HTTP_LATER;
}

/* --- the answer --------------------------------------------------------------------------------------- */

static enum http_next resumed(void *context, struct http_request *http)
{
    const struct request *request = http->owner;
    (void)context;
    if (request->answered)
        return HTTP_ANSWER;
    switch (request->result) {
    case INGEST_DURABLE:
        return answer_count(http, request->push.count, false);
    case INGEST_DUPLICATE:
        return answer_count(http, 0, true);
    case INGEST_FULL:
        return refuse(http, 503, "too much waits to be written; try again");
    case INGEST_STOPPED:
    case INGEST_OUT_OF_ORDER: /* these of pushes with a sequence alone */
    case INGEST_OLD_EPOCH:
    case INGEST_DUPLICATE_OLD:
        break;
    }
    return refuse(http, 503,
                  "the capture ended before the documents were known to be durable; try again, with the same "
                  "id if it has one");
}

static void refused(void *context, struct http_request *http, const char *why)
{
    (void)context;
    answer(http, http->status, ingest_answer_error(&http->arena, "%s", why));
}

static void switched(void *context, struct http_request *http, struct http_wire *wire)
{
    const struct ingest_webhook *webhook = context;
    ingest_websocket_switched(webhook->websocket, http, wire);
}

static void done(void *context, struct http_request *http)
{
    const struct ingest_webhook *webhook = context;
    struct request *request = http->owner;
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
    return cores < 1 ? 1 : cores > LANES_MAX ? LANES_MAX : (unsigned)cores;
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
                                                    .together = together},
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
    ingest_websocket_close(webhook->websocket, grace_ms);
    ingest_slow_end(webhook->slow);
    http_close(webhook->http, grace_ms);
    ingest_slow_free(webhook->slow);
    ingest_workers_free(webhook->workers);
    free(webhook);
}
