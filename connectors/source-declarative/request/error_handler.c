#include "error_handler.h"

#include "backoff.h"
#include "error_text.h"
#include "url.h"

enum {
    RETRIES_PRESET = 5,
    RETRIES_MAX = 10000,
    RETRY_SECONDS_PRESET = 600,
    HANDLER_DEPTH_MAX = 16, /* composites in composites */
};

struct response_filter {
    enum response_action action;
    int failure; /* -1: what the status usually means */
    struct expression message, predicate;
    struct slice contains; /* data NULL: does not ask */
    int *codes;
    size_t code_count;
};

struct error_handler {
    struct engine *engine;
    struct error_handler **children; /* a composite's */
    size_t child_count;
    struct response_filter *filters;
    size_t filter_count;
    struct backoff **backoffs; /* a composite's are its children's, in order */
    size_t backoff_count;
    int max_retries;
    bool reads_body;
};

/* --- what statuses mean ----------------------------------------------------------------------------------
 */

static const struct status_meaning {
    int status;
    enum response_action action;
    enum failure_type failure;
    const char *message;
} meanings[] = {
    {400, RESPONSE_FAIL, FAILURE_SYSTEM, "HTTP status 400: the server finds the request wrong"},
    {401, RESPONSE_FAIL, FAILURE_CONFIG, "HTTP status 401: the server does not accept the credentials"},
    {403, RESPONSE_FAIL, FAILURE_CONFIG, "HTTP status 403: the credentials are not allowed to read this"},
    {404, RESPONSE_FAIL, FAILURE_SYSTEM, "HTTP status 404: the server has nothing of this name"},
    {405, RESPONSE_FAIL, FAILURE_SYSTEM, "HTTP status 405: the server does not allow this method here"},
    {408, RESPONSE_RETRY, FAILURE_TRANSIENT, "HTTP status 408: the request took too long"},
    {429, RESPONSE_RATE_LIMITED, FAILURE_TRANSIENT, "HTTP status 429: too many requests"},
    {500, RESPONSE_RETRY, FAILURE_TRANSIENT, "HTTP status 500: the server failed"},
    {502, RESPONSE_RETRY, FAILURE_TRANSIENT, "HTTP status 502: the server behind the server failed"},
    {503, RESPONSE_RETRY, FAILURE_TRANSIENT, "HTTP status 503: the server is not available"},
    {504, RESPONSE_RETRY, FAILURE_TRANSIENT, "HTTP status 504: the server behind the server took too long"},
};

static const struct status_meaning *meaning_of(int status)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].status == status)
            return &meanings[i];
    }
    return NULL;
}

static void resolve_by_status(const struct outcome *outcome, struct resolution *resolution)
{
    if (!outcome->response) {
        bool bad = outcome->failure == HTTP_BAD_URL || outcome->failure == HTTP_REDIRECTS ||
                   outcome->failure == HTTP_PROXY_REFUSED;
        bool final = bad || outcome->failure == HTTP_TOO_LARGE || outcome->failure == HTTP_CANCELLED;
        *resolution = (struct resolution){
            .action = final ? RESPONSE_FAIL : RESPONSE_RETRY,
            .failure = bad     ? FAILURE_CONFIG
                       : final ? FAILURE_SYSTEM
                               : FAILURE_TRANSIENT,
        };
        return;
    }
    int status = outcome->response->status;
    const struct status_meaning *meaning = meaning_of(status);
    if (status < 400)
        *resolution = (struct resolution){.action = RESPONSE_SUCCESS};
    else if (meaning)
        *resolution = (struct resolution){meaning->action, meaning->failure, slice_of(meaning->message)};
    else
        *resolution = (struct resolution){.action = RESPONSE_RETRY, .failure = FAILURE_SYSTEM};
}

/* --- filters ---------------------------------------------------------------------------------------------
 */

/* Where the answer came from, without what may be a secret: no query, no password. */
static struct tvalue request_url(struct arena *arena, const struct http_response *response)
{
    struct slice url = url_before_query(slice_of(response->url ? response->url : ""));
    const char *authority = memmem(url.data, url.size, "://", 3), *end = url.data + url.size;
    if (!authority)
        return tvalue_string(url);
    authority += 3;
    const char *path = memchr(authority, '/', (size_t)(end - authority));
    const char *user = memrchr(authority, '@', (size_t)((path ? path : end) - authority));
    const char *rest = user ? user + 1 : authority;
    return tvalue_cstring(
        arena_printf(arena, "%.*s%.*s", (int)(authority - url.data), url.data, (int)(end - rest), rest));
}

static void answer_scope(struct scope *scope, const struct error_handler *handler,
                         const struct outcome *outcome, struct arena *arena)
{
    scope_init(scope, handler->engine);
    scope_set(scope, "response", outcome->body);
    scope_set(scope, "headers", outcome->headers);
    scope_set(scope, "request_url", request_url(arena, outcome->response));
}

static int filter_matches(const struct error_handler *handler, const struct response_filter *filter,
                          const struct outcome *outcome, struct arena *arena, bool *ret_matches,
                          struct error *err)
{
    *ret_matches = true;
    for (size_t i = 0; i < filter->code_count; i++) {
        if (filter->codes[i] == outcome->response->status)
            return 0;
    }
    if (!expression_is_absent(&filter->predicate)) {
        struct scope scope;
        answer_scope(&scope, handler, outcome, arena);
        scope_set(&scope, "config", tvalue_none()); /* as the CDK has it: predicates see no config */
        bool holds;
        if (expression_bool(&filter->predicate, &scope, false, arena, &holds, err) != 0)
            return -1;
        if (holds)
            return 0;
    }
    struct slice words = {NULL, 0};
    if (filter->contains.data)
        words = error_text_of(arena, &outcome->body, outcome->is_json, outcome->response->body);
    *ret_matches =
        words.data && memmem(words.data, words.size, filter->contains.data, filter->contains.size) != NULL;
    return 0;
}

static int filter_resolve(const struct error_handler *handler, const struct response_filter *filter,
                          const struct outcome *outcome, struct arena *arena, struct resolution *resolution,
                          struct error *err)
{
    const struct status_meaning *meaning = meaning_of(outcome->response->status);
    *resolution = (struct resolution){.action = filter->action, .failure = FAILURE_SYSTEM};
    if (meaning)
        resolution->failure = meaning->failure;
    if (filter->failure >= 0)
        resolution->failure = (enum failure_type)filter->failure;
    if (!expression_is_absent(&filter->message)) {
        struct scope scope;
        answer_scope(&scope, handler, outcome, arena);
        if (expression_text(&filter->message, &scope, arena, &resolution->message, err) != 0)
            return -1;
    }
    if (!resolution->message.size && meaning)
        resolution->message = slice_of(meaning->message);
    return 0;
}

static int resolve_alone(const struct error_handler *handler, const struct outcome *outcome,
                         struct arena *arena, struct resolution *ret_resolution, struct error *err)
{
    for (size_t i = 0; outcome->response && i < handler->filter_count; i++) {
        bool matches;
        if (filter_matches(handler, &handler->filters[i], outcome, arena, &matches, err) != 0)
            return -1;
        if (matches)
            return filter_resolve(handler, &handler->filters[i], outcome, arena, ret_resolution, err);
    }
    resolve_by_status(outcome, ret_resolution);
    return 0;
}

/* What a composite takes from the first child that says it; of all else the last child's answer counts. */
static bool is_decided(enum response_action action)
{
    return action == RESPONSE_SUCCESS || action == RESPONSE_RETRY || action == RESPONSE_IGNORE ||
           action == RESPONSE_RESET_PAGINATION;
}

int error_handler_resolve(const struct error_handler *handler, const struct outcome *outcome,
                          struct arena *arena, struct resolution *ret_resolution, struct error *err)
{
    if (!handler->child_count)
        return resolve_alone(handler, outcome, arena, ret_resolution, err);
    struct resolution resolution = {0};
    for (size_t i = 0; i < handler->child_count; i++) {
        if (error_handler_resolve(handler->children[i], outcome, arena, &resolution, err) != 0)
            return -1;
        if (is_decided(resolution.action))
            break;
    }
    *ret_resolution = resolution;
    return 0;
}

int error_handler_max_retries(const struct error_handler *handler)
{
    return handler->max_retries;
}

int error_handler_max_seconds(const struct error_handler *handler)
{
    (void)handler;
    return RETRY_SECONDS_PRESET;
}

bool error_handler_reads_body(const struct error_handler *handler)
{
    return handler->reads_body;
}

int error_handler_backoff(const struct error_handler *handler, const struct outcome *outcome,
                          unsigned attempt, struct arena *arena, double *ret_seconds, struct error *err)
{
    *ret_seconds = 0;
    for (size_t i = 0; i < handler->backoff_count && *ret_seconds == 0; i++) {
        if (backoff_seconds(handler->backoffs[i], outcome, attempt, arena, ret_seconds, err) != 0)
            return -1;
    }
    if (*ret_seconds == 0)
        *ret_seconds = -1;
    else if (*ret_seconds < 0) /* asked for: do not wait */
        *ret_seconds = 0;
    return 0;
}

/* --- compiling -------------------------------------------------------------------------------------------
 */

static void compile_codes(struct engine *engine, struct component codes, struct response_filter *filter)
{
    filter->code_count = component_count(codes);
    filter->codes = arena_alloc(&engine->arena, (filter->code_count + 1) * sizeof *filter->codes);
    for (size_t i = 0; i < filter->code_count; i++) {
        struct component code = component_at(codes, i);
        int64_t status = 0;
        json_to_i64(&code.manifest->doc, code.at, &status);
        filter->codes[i] = status > 0 && status < 1000 ? (int)status : 0;
    }
}

static int filter_compile(struct engine *engine, struct component component, struct response_filter *filter,
                          struct error *err)
{
    filter->action = (enum response_action[]){
        RESPONSE_SUCCESS,
        RESPONSE_FAIL,
        RESPONSE_RETRY,
        RESPONSE_IGNORE,
        RESPONSE_RESET_PAGINATION,
        RESPONSE_RATE_LIMITED,
        RESPONSE_REFRESH_TOKEN_THEN_RETRY,
        RESPONSE_REDUCE_PAGE_SIZE,
        RESPONSE_SPLIT_REQUEST_WINDOW,
    }[component_enum(component, "action")];
    static const enum failure_type failures[] = {FAILURE_SYSTEM, FAILURE_CONFIG, FAILURE_TRANSIENT};
    int failure = component_enum(component, "failure_type");
    filter->failure = failure < 0 ? -1 : (int)failures[failure];
    filter->contains = component_text(component, "error_message_contains");
    if (!filter->contains.size)
        filter->contains.data = NULL;
    compile_codes(engine, component_get(component, "http_codes"), filter);
    return expression_compile(engine, component, "error_message", &filter->message, err) == 0 &&
                   expression_compile(engine, component, "predicate", &filter->predicate, err) == 0
               ? 0
               : -1;
}

static int compile_filters(struct engine *engine, struct component component, struct error_handler *handler,
                           struct error *err)
{
    struct component list = component_get(component, "response_filters");
    size_t count = component_count(list);
    handler->filters = arena_zalloc(&engine->arena, (count + 1) * sizeof *handler->filters);
    for (size_t i = 0; i < count; i++) {
        struct component each = component_at(list, i);
        if (component_enum(each, "action") < 0) /* as in the CDK: one without an action never matches */
            continue;
        struct response_filter *filter = &handler->filters[handler->filter_count];
        if (filter_compile(engine, each, filter, err) != 0)
            return -1;
        if (!filter->code_count && !filter->contains.data && expression_is_absent(&filter->predicate))
            continue; /* it never matches, either */
        handler->reads_body |= filter->contains.data || !expression_is_absent(&filter->predicate) ||
                               !expression_is_absent(&filter->message);
        handler->filter_count++;
    }
    return 0;
}

static int compile_default(struct engine *engine, struct component component, struct error_handler *handler,
                           struct error *err)
{
    if (compile_filters(engine, component, handler, err) != 0)
        return -1;
    struct component strategies = component_get(component, "backoff_strategies");
    size_t count = component_count(strategies);
    handler->backoffs = arena_alloc(&engine->arena, (count + 1) * sizeof(struct backoff *));
    for (size_t i = 0; i < count; i++) {
        if (backoff_compile(engine, component_at(strategies, i), &handler->backoffs[i], err) != 0)
            return -1;
    }
    handler->backoff_count = count;
    struct expression retries;
    struct scope scope;
    int64_t value = RETRIES_PRESET;
    scope_init(&scope, engine);
    if (expression_compile(engine, component, "max_retries", &retries, err) != 0 ||
        (!expression_is_absent(&retries) &&
         expression_integer(&retries, &scope, &engine->arena, &value, err) != 0))
        return -1;
    handler->max_retries = value < 0 ? 0 : value > RETRIES_MAX ? RETRIES_MAX : (int)value;
    return 0;
}

static int compile(struct engine *engine, struct component component, unsigned depth,
                   struct error_handler **ret_handler, struct error *err);

static int compile_composite(struct engine *engine, struct component component, unsigned depth,
                             struct error_handler *handler, struct error *err)
{
    struct component list = component_get(component, "error_handlers");
    size_t count = component_count(list), backoffs = 0;
    assert(count > 0); /* a rule of the manifest's */
    if (depth == 0) {
        error_set(err, ERROR_INVALID, "error handlers are nested too deeply");
        return component_error(err, component);
    }
    handler->children = arena_alloc(&engine->arena, count * sizeof(struct error_handler *));
    for (size_t i = 0; i < count; i++) {
        if (compile(engine, component_at(list, i), depth - 1, &handler->children[i], err) != 0)
            return -1;
        backoffs += handler->children[i]->backoff_count;
        handler->reads_body |= handler->children[i]->reads_body;
    }
    handler->child_count = count;
    handler->max_retries = handler->children[0]->max_retries;
    handler->backoffs = arena_alloc(&engine->arena, (backoffs + 1) * sizeof(struct backoff *));
    for (size_t i = 0; i < count; i++) {
        for (size_t each = 0; each < handler->children[i]->backoff_count; each++)
            handler->backoffs[handler->backoff_count++] = handler->children[i]->backoffs[each];
    }
    return 0;
}

static int compile(struct engine *engine, struct component component, unsigned depth,
                   struct error_handler **ret_handler, struct error *err)
{
    struct error_handler *handler = arena_zalloc(&engine->arena, sizeof *handler);
    *ret_handler = handler;
    handler->engine = engine;
    handler->max_retries = RETRIES_PRESET;
    if (component_is_none(component))
        return 0;
    if (component_is(component, "CompositeErrorHandler"))
        return compile_composite(engine, component, depth, handler, err);
    if (component_is(component, "DefaultErrorHandler"))
        return compile_default(engine, component, handler, err);
    error_set(err, ERROR_UNSUPPORTED, "this error handler is not one that Firth has");
    return component_error(err, component);
}

int error_handler_compile(struct engine *engine, struct component component,
                          struct error_handler **ret_handler, struct error *err)
{
    return compile(engine, component, HANDLER_DEPTH_MAX, ret_handler, err);
}

int error_handler_ignoring(struct engine *engine, struct component codes, struct error_handler **ret_handler,
                           struct error *err)
{
    if (error_handler_compile(engine, (struct component){codes.manifest, JSON_NONE}, ret_handler, err) != 0)
        return -1;
    struct response_filter *filter = arena_zalloc(&engine->arena, sizeof *filter);
    filter->action = RESPONSE_IGNORE;
    filter->failure = -1;
    compile_codes(engine, codes, filter);
    (*ret_handler)->filters = filter;
    (*ret_handler)->filter_count = filter->code_count > 0;
    return 0;
}
