#include "ingest/body.h"
#include "ingest/decode.h"
#include "ingest/request.h"
#include "ingest/webhook_parts.h"

#include <assert.h>

/* From a request's body, signed, decoded, parsed and valid, to its push. */

static void on_done(struct ingest_push *push, enum ingest_result result)
{
    struct webhook_request *request = (struct webhook_request *)push;
    request->result = result;
    http_request_resume(request->http);
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
static int decode(struct webhook_request *request, const struct catalog_ingest *options,
                  struct slice *ret_body, struct ingest_problem *problem)
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

static int take_one(const struct ingest_webhook *webhook, struct webhook_request *request,
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
    return ingest_problem_set(problem, found == INGEST_AWAY ? 503 : 404,
                              ingest_answer_error(&http->arena, "%s",
                                                  found == INGEST_AWAY
                                                      ? webhook_not_found(found)
                                                      : "no push capture has this collection"));
}

static int take_many(const struct ingest_webhook *webhook, struct webhook_request *request,
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
static int set_id(struct webhook_request *request, const struct ingest_capture *capture,
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

void webhook_together(void *context, unsigned lane)
{
    struct ingest_webhook *webhook = context;
    struct webhook_gathered *gathered = &webhook->gathered[lane];
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
    struct webhook_gathered *gathered = &webhook->gathered[lane];
    if (gathered->capture && gathered->capture != capture)
        webhook_together(webhook, lane);
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
static enum http_next push(struct ingest_webhook *webhook, struct webhook_request *request,
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

enum http_next webhook_take(struct ingest_webhook *webhook, struct webhook_request *request)
{
    struct http_request *http = request->http;
    struct ingest_capture *capture = NULL;
    struct ingest_problem problem;
    size_t binding = 0;
    enum ingest_found found = INGEST_FOUND;
    if (!webhook_is_root(http->path))
        found = ingest_find(webhook->captures, http->path, &capture, &binding);
    if (found != INGEST_FOUND)
        return webhook_refuse(http, 503, webhook_not_found(INGEST_AWAY));
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
    if (result == 0 && capture && webhook_is_root(http->path))
        ingest_request_cors(http, &capture->bindings[batch.count ? batch.documents[0].binding : 0].options);
    if (result == 0 && batch.count > 0)
        return push(webhook, request, capture, &batch);
    if (capture)
        ingest_release(capture);
    if (result == 0)
        return webhook_answer_count(http, 0, false);
    webhook_answer(http, problem.status, problem.answer);
    return HTTP_ANSWER;
}
