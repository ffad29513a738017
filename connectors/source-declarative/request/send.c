/* A request until it is settled: cache, budget, transfer, error handler, wait, again. */
#include "budget.h"
#include "cache.h"
#include "error_text.h"
#include "headers.h"
#include "parts.h"
#include "url.h"

#include <stdlib.h>

enum {
    WORDS_SHOWN = 500,     /* bytes of what a server says of a failure */
    REASON_SHOWN = 2000,   /* bytes of what a filter says of it */
    BUDGET_TOLD_MS = 2000, /* a shorter wait for the budget is not told */
};
#define ROTATION_SECONDS 0.1 /* before the attempt with another token */

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    struct kept_answer *kept = (struct kept_answer *)answer; /* its first member */
    fiber_http_close(answer->reader);
    http_transfer_free(kept->transfer);
    arena_done(&kept->arena);
    free(kept);
}

struct answer *answer_of_value(const struct tvalue *value)
{
    struct kept_answer *kept = mem_zalloc(sizeof *kept);
    struct tvalue wrong;
    struct ttext text;
    arena_init(&kept->arena);
    ttext_init(&text, &kept->arena, REQUEST_BODY_MAX);
    tvalue_json_dumps(&text, value, (struct tvalue_json_style){.indent = -1}, &wrong);
    kept->answer.action = ANSWER_SUCCESS;
    kept->answer.status = 200;
    kept->answer.url = "";
    kept->answer.body = ttext_slice_of(&text);
    return &kept->answer;
}

struct tvalue answer_headers(const struct answer *answer, struct arena *arena)
{
    struct tvalue dict = headers_value(arena, answer->headers, answer->header_count, false);
    struct http_response response = {.headers = answer->headers, .header_count = answer->header_count};
    const char *link = http_response_header(&response, "link");
    tdict_set_name(arena, dict.dict, "link", headers_links(arena, slice_of(link ? link : "")));
    return dict;
}

struct tvalue answer_context(const struct answer *answer, struct arena *arena)
{
    struct tvalue context = tvalue_dict(arena), key, request, none;
    struct json *doc = arena_zalloc(arena, sizeof *doc);
    struct error ignored;
    struct titer iter;
    if (answer->body.size > 0 &&
        json_parse_answer(arena, answer->body.data, answer->body.size, doc, &ignored) == 0 &&
        json_is(doc, 0, JSON_OBJECT)) {
        titer_init(&iter, arena, tvalue_json(arena, doc, 0));
        while (titer_next(&iter, &key))
            tdict_set(arena, context.dict, key, iter.of_key);
    }
    if (!tvalue_member_name(arena, &context, SLICE_LITERAL("headers"), &none)) {
        struct tvalue headers = headers_value(arena, answer->headers, answer->header_count, true);
        tdict_set_name(arena, context.dict, "headers", headers);
    }
    if (!tvalue_member_name(arena, &context, SLICE_LITERAL("request"), &none)) {
        request = tvalue_dict(arena);
        tdict_set_name(arena, request.dict, "url", tvalue_cstring(answer->url));
        tdict_set_name(arena, context.dict, "request", request);
    }
    return context;
}

/* --- one attempt -----------------------------------------------------------------------------------------
 */

struct sending {
    struct requester *requester;
    const struct request_call *call;
    struct prepared prepared;
    struct kept_answer *kept; /* its arena is that of the request, too */
    struct json_parser *parser;
    struct outcome outcome;
    struct error failure; /* where there is no answer */
    struct error broken;  /* where the answer is looked into and no JSON */
    enum { NOT_REFRESHED, REFRESHED, REFRESH_FAILED } refresh; /* of the token, for this request */
};

static int await_budget(struct sending *sending, struct error *err)
{
    struct engine *engine = sending->requester->engine;
    if (!engine->budget)
        return 0;
    const struct prepared *prepared = &sending->prepared;
    struct matched_call call = {prepared->method, prepared->url.data, prepared->headers,
                                prepared->header_count};
    for (;;) {
        uint64_t wait;
        if (api_budget_take(engine->budget, &call, clock_monotonic_ns(engine->clock) / 1000000, &wait, err) !=
            0)
            return -1;
        if (wait == 0)
            return 0;
        /* A wait that somebody would wonder at is told. */
        engine_log(engine, wait >= BUDGET_TOLD_MS ? ENGINE_INFO : ENGINE_DEBUG,
                   "stream %s: the API budget allows the next request in %llu ms",
                   sending->requester->stream_name, (unsigned long long)wait);
        if (fiber_sleep(engine->fibers, wait, err) != 0)
            return -1;
    }
}

static void tell(struct sending *sending, const struct http_request *request)
{
    struct engine *engine = sending->requester->engine;
    const struct http_response *response = sending->outcome.response;
    if (response)
        authenticator_told(sending->requester->authenticator, &sending->prepared, response);
    if (engine->budget && response) {
        const struct prepared *prepared = &sending->prepared;
        struct matched_call call = {prepared->method, prepared->url.data, prepared->headers,
                                    prepared->header_count};
        api_budget_told(engine->budget, &call, response, clock_wall_ms(engine->clock),
                        clock_monotonic_ns(engine->clock) / 1000000);
    }
    if (engine->output.exchanged)
        engine->output.exchanged(engine->output.context,
                                 &(struct engine_exchange){
                                     .stream = sending->requester->stream_name,
                                     .request = request,
                                     .response = response,
                                     .error = response ? NULL : sending->failure.message,
                                 });
}

/* The outcome of one transfer. -1: cancelled. */
static int attempt(struct sending *sending, struct error *err)
{
    struct engine *engine = sending->requester->engine;
    struct kept_answer *kept = sending->kept;
    struct http_request request = {
        .method = sending->prepared.method,
        .url = sending->prepared.url.data,
        .headers = sending->prepared.headers,
        .header_count = sending->prepared.header_count,
        .body = sending->prepared.body,
        .response_max = REQUEST_BODY_MAX,
        .connect_ms = sending->requester->connect_ms,
        .stall_ms = sending->requester->stall_ms,
        .keepalive = sending->requester->keepalive,
    };
    fiber_http_close(kept->answer.reader);
    kept->answer.reader = NULL;
    http_transfer_free(kept->transfer);
    kept->transfer = NULL;
    struct http_transfer *transfer;
    bool stream = sending->call->stream_body && !error_handler_reads_body(sending->requester->error_handler);
    if (stream) {
        if (fiber_http_open(engine->fibers, &request, &kept->answer.reader, err) != 0)
            return -1;
        transfer = fiber_http_transfer(kept->answer.reader);
    } else {
        if (fiber_http(engine->fibers, &request, &kept->transfer, err) != 0)
            return -1;
        transfer = kept->transfer;
    }
    sending->outcome = (struct outcome){.failure = http_transfer_failure(transfer)};
    if (sending->outcome.failure == HTTP_OK)
        sending->outcome.response = http_transfer_response(transfer);
    else
        http_transfer_error(transfer, &sending->failure);
    tell(sending, &request);
    return 0;
}

/* What templates see of it, where anybody looks. */
static void look_into(struct sending *sending)
{
    struct outcome *outcome = &sending->outcome;
    struct arena *arena = &sending->kept->arena;
    const struct http_response *response = outcome->response;
    outcome->body = tvalue_dict(arena);
    outcome->headers = tvalue_dict(arena);
    if (!response || (response->status < 400 && !error_handler_reads_body(sending->requester->error_handler)))
        return;
    outcome->headers = headers_value(arena, response->headers, response->header_count, true);
    struct json *doc = arena_alloc(arena, sizeof *doc);
    if (!sending->parser) {
        sending->parser =
            json_parser_new((struct json_limits){.size_max = JSON_SIZE_LIMIT, .depth_max = JSON_DEPTH_LIMIT},
                            JSON_DUPLICATES_LAST_WINS);
        json_parser_lenient(sending->parser);
    }
    outcome->is_json =
        json_parse(sending->parser, response->body.data, response->body.size, doc, &sending->broken) == 0;
    if (outcome->is_json)
        outcome->body = tvalue_json(arena, doc, 0);
}

/* --- the end ---------------------------------------------------------------------------------------------
 */

static bool is_good(const struct outcome *outcome)
{
    return outcome->response && outcome->response->status < 400;
}

/* Secrets are looked for before it is cut, since half of one would not be known again. */
static void put_cut(const struct engine *engine, struct slice words, size_t most, struct ttext *out)
{
    struct buffer text;
    buffer_init(&text, 4 * ENGINE_MESSAGE_MAX);
    buffer_append(&text, words.data, words.size < ENGINE_MESSAGE_MAX ? words.size : ENGINE_MESSAGE_MAX);
    engine_redact(engine, &text);
    ttext_add(out, text.data, utf8_cut(text.data, text.size, most));
    buffer_done(&text);
}

/* What is wrong with the outcome. */
static void put_reason(const struct sending *sending, const struct resolution *resolution, struct ttext *out)
{
    const struct outcome *outcome = &sending->outcome;
    if (resolution->message.size)
        put_cut(sending->requester->engine, resolution->message, REASON_SHOWN, out);
    else if (outcome->response)
        ttext_printf(out, "HTTP status %d", outcome->response->status);
    else
        ttext_cstring(out, sending->failure.message);
    if (is_good(outcome) && !outcome->is_json && error_handler_reads_body(sending->requester->error_handler))
        ttext_printf(out, " (it is no JSON: %s)", sending->broken.message);
}

static int fail(struct sending *sending, const struct resolution *resolution, bool exhausted,
                struct error *err)
{
    struct arena *arena = &sending->kept->arena;
    const struct outcome *outcome = &sending->outcome;
    struct ttext text;
    ttext_init(&text, arena, ERROR_MESSAGE_MAX);
    put_reason(sending, resolution, &text);
    struct slice words = {NULL, 0};
    if (outcome->response)
        words = error_text_of(arena, &outcome->body, outcome->is_json, outcome->response->body);
    if (words.size && !memmem(text.data, text.size, words.data, words.size)) {
        ttext_cstring(&text, "; the server says: ");
        put_cut(sending->requester->engine, words, WORDS_SHOWN, &text);
    }
    if (exhausted && error_handler_max_retries(sending->requester->error_handler) > 0)
        ttext_cstring(&text, "; it was tried as often as is allowed");
    struct buffer url;
    buffer_init(&url, HTTP_URL_MAX);
    http_url_shown(sending->prepared.url.data, &url);
    enum error_code code = resolution->failure == FAILURE_CONFIG ? ERROR_INVALID : ERROR_CONNECTOR;
    /* Where there is no answer, what failed is said with its request. */
    bool named = memmem(text.data, text.size, url.data, url.size) != NULL;
    if (!named)
        ttext_printf(&text, " (%s %.300s)", sending->prepared.method, buffer_cstr(&url));
    error_set(err, code, "%.*s", SLICE_ARGS(ttext_slice_of(&text)));
    err->retriable = resolution->failure == FAILURE_TRANSIENT;
    buffer_done(&url);
    engine_redact_error(sending->requester->engine, err);
    string_one_line(err->message);
    return -1;
}

static struct answer *finish(struct sending *sending, const struct resolution *resolution)
{
    struct answer *answer = &sending->kept->answer;
    const struct http_response *response = sending->outcome.response;
    static const enum answer_action actions[] = {
        [RESPONSE_SUCCESS] = ANSWER_SUCCESS,
        [RESPONSE_IGNORE] = ANSWER_IGNORE,
        [RESPONSE_RESET_PAGINATION] = ANSWER_RESET_PAGINATION,
        [RESPONSE_REDUCE_PAGE_SIZE] = ANSWER_REDUCE_PAGE_SIZE,
        [RESPONSE_SPLIT_REQUEST_WINDOW] = ANSWER_SPLIT_WINDOW,
    };
    answer->action = actions[resolution->action];
    answer->ignored = resolution->action == RESPONSE_IGNORE;
    /* As in the CDK: an answer of a good status is read whether it is ignored or not, one of a bad status
     * never. */
    if (answer->action == ANSWER_SUCCESS || answer->action == ANSWER_IGNORE)
        answer->action = response && response->status < 400 ? ANSWER_SUCCESS : ANSWER_IGNORE;
    answer->url = sending->prepared.url.data;
    if (resolution->message.size)
        answer->error_message =
            arena_strndup(&sending->kept->arena, resolution->message.data, resolution->message.size);
    if (response) {
        answer->http = response;
        answer->status = response->status;
        answer->headers = response->headers;
        answer->header_count = response->header_count;
        answer->body = response->body;
    }
    return answer;
}

/* A token is refreshed once for a request: what is refused with a new one is refused for another reason. */
static int refresh(struct sending *sending, struct error *err)
{
    struct requester *requester = sending->requester;
    if (!authenticator_can_refresh(requester->authenticator))
        return 0;
    if (sending->refresh != NOT_REFRESHED) {
        bool refreshed = sending->refresh == REFRESHED;
        error_set(err, refreshed ? ERROR_INVALID : ERROR_CONNECTOR,
                  refreshed
                      ? "the server does not take the access token, though it is new"
                      : "the server does not take the access token, and there was no new one to be had");
        err->retriable = !refreshed;
        return -1;
    }
    if (authenticator_refresh(requester->authenticator, &sending->prepared, err) == 0) {
        sending->refresh = REFRESHED;
        return 0;
    }
    if (err->code == ERROR_CONNECTOR && !err->retriable)
        err->code = ERROR_INVALID; /* there is nothing to sign in with: as in the CDK, the config's fault */
    if (err->code == ERROR_CANCELLED || !err->retriable)
        return -1;
    sending->refresh = REFRESH_FAILED;
    engine_log(requester->engine, ENGINE_WARN, "stream %s: the token cannot be refreshed: %s",
               requester->stream_name, err->message);
    return 0;
}

/* Wait for the next attempt, or fail for good. */
static int wait_again(struct sending *sending, const struct resolution *resolution, struct retry_state *state,
                      struct error *err)
{
    struct requester *requester = sending->requester;
    struct engine *engine = requester->engine;
    double asked = ROTATION_SECONDS;
    bool limited = resolution->action == RESPONSE_RATE_LIMITED;
    state->attempts++;
    if (resolution->action == RESPONSE_REFRESH_TOKEN_THEN_RETRY && refresh(sending, err) != 0)
        return -1;
    if ((!limited || !authenticator_may_rotate(requester->authenticator, &sending->prepared)) &&
        error_handler_backoff(requester->error_handler, &sending->outcome, state->attempts,
                              &sending->kept->arena, &asked, err) != 0) {
        engine_redact_error(engine, err);
        return -1;
    }
    uint64_t now = clock_monotonic_ns(engine->clock) / 1000000;
    /* A good answer that a filter does not take for one: its like is likely to come again. */
    unsigned most = engine->limits.refused_answers;
    bool enough =
        engine->limits.no_retries || (most && state->attempts >= most && is_good(&sending->outcome) &&
                                      resolution->action == RESPONSE_RETRY);
    unsigned last = engine->limits.unanswered;
    enough |= last && state->attempts >= last && !sending->outcome.response;
    double seconds = enough ? -1 : retry_next(state, requester->error_handler, limited, asked, now);
    if (seconds < 0)
        return fail(sending, resolution, true, err);
    struct ttext why;
    ttext_init(&why, &sending->kept->arena, ERROR_MESSAGE_MAX);
    put_reason(sending, resolution, &why);
    engine_log(engine, ENGINE_INFO, "stream %s: %.*s; attempt %u in %.1f s", requester->stream_name,
               SLICE_ARGS(ttext_slice_of(&why)), state->attempts + 1, seconds);
    if (fiber_sleep(engine->fibers, (uint64_t)(seconds * 1000 + 0.5), err) != 0)
        return -1;
    return authenticator_sign_again(requester->authenticator, &sending->kept->arena, &sending->prepared, err);
}

static int until_settled(struct sending *sending, struct resolution *resolution, struct error *err)
{
    struct requester *requester = sending->requester;
    struct retry_state state = {.start_ms = clock_monotonic_ns(requester->engine->clock) / 1000000};
    for (;;) {
        if (await_budget(sending, err) != 0 || attempt(sending, err) != 0)
            return -1;
        look_into(sending);
        if (error_handler_resolve(requester->error_handler, &sending->outcome, &sending->kept->arena,
                                  resolution, err) != 0) {
            engine_redact_error(requester->engine, err);
            return -1;
        }
        switch (resolution->action) {
        case RESPONSE_FAIL:
            return fail(sending, resolution, false, err);
        case RESPONSE_RETRY:
        case RESPONSE_RATE_LIMITED:
        case RESPONSE_REFRESH_TOKEN_THEN_RETRY:
            if (wait_again(sending, resolution, &state, err) != 0)
                return -1;
            continue;
        default:
            return 0;
        }
    }
}

/* --- the cache -------------------------------------------------------------------------------------------
 */

static bool caches(const struct requester *requester, const struct request_call *call)
{
    return requester->use_cache && !call->stream_body && !requester->engine->limits.no_cache;
}

static struct slice cache_key(const struct sending *sending)
{
    struct ttext key;
    ttext_init(&key, &sending->kept->arena, SIZE_MAX);
    ttext_printf(&key, "%s\n%s\n%s\n", sending->requester->stream_name, sending->prepared.method,
                 sending->prepared.url.data);
    ttext_slice(&key, sending->prepared.body);
    return ttext_slice_of(&key);
}

static void take_from_cache(struct sending *sending, const struct cached_answer *cached)
{
    struct answer *answer = &sending->kept->answer;
    answer->action = ANSWER_SUCCESS;
    answer->url = sending->prepared.url.data;
    answer->status = cached->status;
    answer->headers = cached->headers;
    answer->header_count = cached->header_count;
    answer->body = cached->body;
}

static int ask(struct sending *sending, struct error *err)
{
    struct resolution resolution;
    int result = until_settled(sending, &resolution, err);
    json_parser_free(sending->parser);
    if (result == 0)
        finish(sending, &resolution);
    return result;
}

/* Two who want the same at once ask once. */
static int ask_or_take(struct sending *sending, struct error *err)
{
    struct engine *engine = sending->requester->engine;
    struct response_cache *cache = response_cache_of(engine);
    struct slice key = cache_key(sending);
    struct fiber_signal asking = {NULL, NULL};
    const struct cached_answer *cached;
    const struct answer *answer = &sending->kept->answer;
    if (response_cache_ask(cache, engine->fibers, key, &asking, &cached, err) != 0)
        return -1;
    if (cached) {
        take_from_cache(sending, cached);
        return 0;
    }
    int result = ask(sending, err);
    if (result == 0 && answer->action == ANSWER_SUCCESS && answer->status == 200)
        response_cache_keep(cache, key, answer->http);
    response_cache_asked(cache, key, &asking);
    return result;
}

int requester_send(struct requester *requester, const struct request_call *call, struct answer **ret_answer,
                   struct error *err)
{
    struct kept_answer *kept = mem_zalloc(sizeof *kept);
    arena_init(&kept->arena);
    mem_auto(answer_free) struct answer *answer = &kept->answer;
    struct sending sending = {.requester = requester, .call = call, .kept = kept};
    if (request_build(requester, call, &kept->arena, &sending.prepared, err) != 0) {
        engine_redact_error(requester->engine, err);
        return -1;
    }
    if ((caches(requester, call) ? ask_or_take(&sending, err) : ask(&sending, err)) != 0)
        return -1;
    *ret_answer = answer;
    answer = NULL;
    return 0;
}
