/* RateLimitedMultipleTokenAuthenticator: several tokens that may stand for one another, and how many calls
 * each has left (quota.h): of what an endpoint says at the beginning, of what is called, and of what answers
 * say. */
#include "rotating.h"

#include "instant.h"

#include <strings.h>

enum {
    ROTATING_WAIT_MS_MIN = 5000, /* for a reset: the server's clock may be behind */
    ROTATING_TELL_MS = 60 * 1000,
    ROTATING_KEY_MAX = 1 << 20,
};

/* --- compiling -------------------------------------------------------------------------------------------
 */

struct status_token {
    const char *header;
    struct slice value;
};

static int status_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                      struct error *err)
{
    const struct status_token *token = authenticator->state;
    (void)arena;
    return options_put(options, OPTION_HEADER, tvalue_cstring(token->header), tvalue_string(token->value),
                       "the authenticator", err);
}

static const struct authenticator_class status_class = {.type = "", .add = status_add};

static struct slice trimmed(struct slice text)
{
    while (text.size && strchr(" \t\r\n", *text.data))
        text.data++, text.size--;
    while (text.size && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    return text;
}

/* A token is there once, however often it is listed. */
static void add_token(struct rotating *rotating, struct engine *engine, struct slice method,
                      struct slice token)
{
    struct arena *arena = &engine->arena;
    token = trimmed(token);
    if (!token.size)
        return;
    struct slice value =
        trimmed(slice_of(arena_printf(arena, "%.*s %.*s", SLICE_ARGS(method), SLICE_ARGS(token))));
    for (size_t i = 0; i < rotating->quotas.token_count; i++) {
        if (slice_equal(rotating->values[i], value))
            return;
    }
    rotating->values[rotating->quotas.token_count++] = value;
    engine_add_secret(engine, token);
}

static int compile_tokens(struct authenticator *authenticator, struct rotating *rotating, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct component where = authenticator->where, tokens = component_get(where, "tokens");
    struct slice delimiter = component_text(where, "token_delimiter"), text;
    struct slice method = component_text(where, "auth_method");
    bool is_list = json_is(&tokens.manifest->doc, tokens.at, JSON_ARRAY);
    struct expressions each;
    struct scope scope;
    scope_init(&scope, engine);
    if (!delimiter.data || !delimiter.size)
        delimiter = SLICE_LITERAL(",");
    if (!method.size)
        method = SLICE_LITERAL("Bearer");
    if (expressions_compile(engine, where, "tokens", &each, err) != 0)
        return -1;
    size_t most = each.count;
    for (size_t i = 0; i < each.count; i++) {
        if (expression_text(&each.items[i], &scope, &engine->arena, &text, err) != 0)
            return -1;
        most += text.size;
    }
    rotating->values = arena_alloc(&engine->arena, (most + 1) * sizeof *rotating->values);
    for (size_t i = 0; i < each.count; i++) {
        if (expression_text(&each.items[i], &scope, &engine->arena, &text, err) != 0)
            return -1;
        for (const char *end;
             !is_list && (end = memmem(text.data, text.size, delimiter.data, delimiter.size));) {
            size_t size = (size_t)(end - text.data);
            add_token(rotating, engine, method, (struct slice){text.data, size});
            size += delimiter.size;
            text = (struct slice){text.data + size, text.size - size};
        }
        add_token(rotating, engine, method, text);
    }
    if (rotating->quotas.token_count)
        return 0;
    error_set(err, ERROR_INVALID, "the config has no token");
    return component_error(err, tokens);
}

static const char *header_name(struct engine *engine, struct component where, const char *field)
{
    struct slice name = component_text(where, field);
    return name.size ? arena_strndup(&engine->arena, name.data, name.size) : NULL;
}

static int compile_pools(struct authenticator *authenticator, struct rotating *rotating, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct component list = component_get(authenticator->where, "quotas");
    struct quotas *quotas = &rotating->quotas;
    quotas->pool_count = component_count(list);
    quotas->windows =
        arena_zalloc(&engine->arena, quotas->token_count * quotas->pool_count * sizeof *quotas->windows);
    rotating->pools = arena_zalloc(&engine->arena, quotas->pool_count * sizeof *rotating->pools);
    for (size_t i = 0; i < quotas->pool_count; i++) {
        struct pool *pool = &rotating->pools[i];
        pool->where = component_at(list, i);
        struct slice name = component_text(pool->where, "name");
        pool->name = arena_strndup(&engine->arena, name.data, utf8_cut(name.data, name.size, 100));
        pool->remaining_header = header_name(engine, pool->where, "remaining_header");
        pool->reset_header = header_name(engine, pool->where, "reset_header");
        pool->limit_header = header_name(engine, pool->where, "limit_header");
        pool->limited_codes = component_get(pool->where, "exhaustion_status_codes");
        if (matchers_compile(engine, component_get(pool->where, "matchers"), &pool->matchers, err) != 0)
            return -1;
    }
    return 0;
}

static int compile_status(struct authenticator *authenticator, struct rotating *rotating, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct arena *arena = &engine->arena;
    struct component source = component_get(authenticator->where, "quota_status_source");
    struct error_handler *handler;
    rotating->unavailable_codes = component_get(source, "unavailable_status_codes");
    rotating->status = arena_alloc(arena, rotating->quotas.token_count * sizeof *rotating->status);
    if (error_handler_ignoring(engine, rotating->unavailable_codes, &handler, err) != 0)
        return -1;
    for (size_t i = 0; i < rotating->quotas.token_count; i++) {
        struct authenticator *token = arena_zalloc(arena, sizeof *token);
        struct status_token *state = arena_alloc(arena, sizeof *state);
        *state = (struct status_token){rotating->header, rotating->values[i]};
        *token = (struct authenticator){
            .class = &status_class, .engine = engine, .where = authenticator->where, .state = state};
        if (requester_compile_with(engine, source, "quota_status", token, handler, &rotating->status[i],
                                   err) != 0)
            return -1;
    }
    return 0;
}

static int compile_limits(struct authenticator *authenticator, struct rotating *rotating, struct error *err)
{
    struct component where = authenticator->where;
    struct slice text;
    struct duration duration;
    if (config_text(authenticator->engine, where, "max_wait_time", &text, err) != 0)
        return -1;
    if (duration_parse(text.size ? text : SLICE_LITERAL("PT2H"), &duration, err) != 0)
        return error_wrap(err, "max_wait_time"), component_error(err, where);
    if (duration.is_duration || duration.seconds < 0 || duration.seconds > INT32_MAX) {
        error_set(err, ERROR_INVALID,
                  "max_wait_time is \"%.40s\"; it must be a time without months and years, "
                  "such as PT2H",
                  text.data);
        return component_error(err, where);
    }
    rotating->wait_max_ms = duration.seconds * 1000 + duration.microseconds / 1000;
    component_number(where, "budget_reserve_fraction", &rotating->quotas.reserve_share);
    component_integer(where, "budget_min_reserve", &rotating->quotas.reserve_min);
    return 0;
}

static void key_fields(struct ttext *key, struct component where, const char *const *fields)
{
    for (; *fields; fields++) {
        struct component value = component_get(where, *fields);
        if (!component_is_none(value))
            ttext_slice(key, json_raw(&value.manifest->doc, value.at));
        ttext_byte(key, '\n');
    }
}

/* What it is made of, whatever $parameters it was given on the way: streams share the counters. */
static struct slice key_of(struct authenticator *authenticator, const struct rotating *rotating)
{
    static const char *const own[] = {"max_wait_time", "budget_reserve_fraction", "budget_min_reserve", NULL};
    static const char *const source[] = {"url", "http_method", "request_headers", "unavailable_status_codes",
                                         NULL};
    static const char *const quota[] = {"name",         "remaining_path",          "reset_path",
                                        "limit_path",   "remaining_header",        "reset_header",
                                        "limit_header", "exhaustion_status_codes", NULL};
    static const char *const match[] = {"method", "url_base", "url_path_pattern", "params", "headers",
                                        "weight", NULL};
    struct component where = authenticator->where;
    struct ttext key;
    ttext_init(&key, &authenticator->engine->arena, ROTATING_KEY_MAX);
    for (size_t i = 0; i < rotating->quotas.token_count; i++)
        ttext_printf(&key, "%.*s\n", SLICE_ARGS(rotating->values[i]));
    ttext_printf(&key, "%s\n", rotating->header);
    key_fields(&key, where, own);
    key_fields(&key, component_get(where, "quota_status_source"), source);
    for (size_t i = 0; i < rotating->quotas.pool_count; i++) {
        struct component matchers = component_get(rotating->pools[i].where, "matchers");
        key_fields(&key, rotating->pools[i].where, quota);
        for (size_t each = 0; each < component_count(matchers); each++)
            key_fields(&key, component_at(matchers, each), match);
    }
    return ttext_slice_of(&key);
}

static int rotating_compile(struct authenticator *authenticator, struct error *err)
{
    struct engine *engine = authenticator->engine;
    struct rotating *rotating = authenticator->state = arena_zalloc(&engine->arena, sizeof *rotating);
    rotating->gate.max = 1;
    rotating->header = header_name(engine, authenticator->where, "header");
    if (!rotating->header)
        rotating->header = "Authorization";
    if (compile_tokens(authenticator, rotating, err) != 0 ||
        compile_pools(authenticator, rotating, err) != 0 ||
        compile_status(authenticator, rotating, err) != 0 ||
        compile_limits(authenticator, rotating, err) != 0)
        return -1;
    rotating->key = key_of(authenticator, rotating);
    for (struct authenticator *known = engine->authenticators; known; known = known->next) {
        const struct rotating *theirs = known->class == authenticator->class ? known->state : NULL;
        if (theirs && slice_equal(theirs->key, rotating->key))
            authenticator->state = known->state;
    }
    return 0;
}

/* --- signing ---------------------------------------------------------------------------------------------
 */

static size_t pool_of(struct authenticator *authenticator, const struct prepared *prepared)
{
    struct rotating *rotating = authenticator->state;
    struct matched_call call = {prepared->method, prepared->url.data, prepared->headers,
                                prepared->header_count};
    size_t rest = SIZE_MAX;
    for (size_t i = 0; i < rotating->quotas.pool_count; i++) {
        if (!rotating->pools[i].matchers.count)
            rest = rest == SIZE_MAX ? i : rest;
        else if (matchers_take(&rotating->pools[i].matchers, &call, NULL))
            return i;
    }
    if (rest != SIZE_MAX)
        return rest;
    if (!rotating->told_unmatched)
        engine_log(
            authenticator->engine, ENGINE_WARN,
            "a request is of none of the quotas; it counts for the first. A quota without matchers would "
            "take it");
    rotating->told_unmatched = true;
    return 0;
}

static int await_reset(struct authenticator *authenticator, size_t pool, uint64_t deadline_ms,
                       struct error *err)
{
    struct rotating *rotating = authenticator->state;
    struct engine *engine = authenticator->engine;
    const char *name = rotating->pools[pool].name;
    int64_t left = (int64_t)(deadline_ms - clock_monotonic_ns(engine->clock) / 1000000);
    int64_t reset = quotas_reset_in(&rotating->quotas, pool, clock_wall_ms(engine->clock));
    if (left <= 0 || reset >= left || engine->limits.no_retries) {
        error_set(err, ERROR_CONNECTOR,
                  "the rate limit of every token is used up (quota \"%s\"), and the next reset is not near "
                  "enough (max_wait_time)",
                  name);
        err->retriable = true;
        return component_error(err, authenticator->where);
    }
    reset = reset > ROTATING_WAIT_MS_MIN ? reset : ROTATING_WAIT_MS_MIN;
    for (int64_t wait = reset < left ? reset : left; wait > 0; wait -= ROTATING_TELL_MS) {
        engine_log(engine, ENGINE_INFO, "no token has a call left (quota \"%s\"): the reset is in %.0f s",
                   name, (double)wait / 1000);
        if (fiber_sleep(engine->fibers, (uint64_t)(wait < ROTATING_TELL_MS ? wait : ROTATING_TELL_MS), err) !=
            0)
            return -1;
    }
    return rotating_seed(authenticator, pool, err);
}

static int take(struct authenticator *authenticator, size_t pool, size_t *ret_token, struct error *err)
{
    struct rotating *rotating = authenticator->state;
    struct engine *engine = authenticator->engine;
    struct quota_call call;
    uint64_t deadline_ms = clock_monotonic_ns(engine->clock) / 1000000 + (uint64_t)rotating->wait_max_ms;
    while (quotas_take(&rotating->quotas, pool, clock_wall_ms(engine->clock), &call) == QUOTA_SPENT) {
        if (await_reset(authenticator, pool, deadline_ms, err) != 0)
            return -1;
    }
    *ret_token = call.token;
    if (!call.wait_ms)
        return 0;
    if (!rotating->told_spreading)
        engine_log(engine, ENGINE_INFO, "few calls are left: they are spread until the rate limit's reset");
    rotating->told_spreading = true;
    return fiber_sleep(engine->fibers, call.wait_ms, err);
}

/* The active token, which the signature may replace: what others put there is in conflict with it. */
static int rotating_add(struct authenticator *authenticator, struct arena *arena, struct options *options,
                        struct error *err)
{
    const struct rotating *rotating = authenticator->state;
    (void)arena;
    return options_put(options, OPTION_HEADER, tvalue_cstring(rotating->header),
                       tvalue_string(rotating->values[rotating->quotas.active]), "the authenticator", err);
}

static int rotating_sign(struct authenticator *authenticator, struct arena *arena, struct prepared *prepared,
                         struct error *err)
{
    struct rotating *rotating = authenticator->state;
    size_t token = 0;
    if ((!rotating->seeded && rotating_seed(authenticator, SIZE_MAX, err) != 0) ||
        take(authenticator, pool_of(authenticator, prepared), &token, err) != 0)
        return -1;
    struct slice value = rotating->values[token];
    prepared_set_header(prepared, arena, rotating->header, arena_strndup(arena, value.data, value.size));
    return 0;
}

/* --- what answers say ------------------------------------------------------------------------------------
 */

/* Which token the request was signed with; SIZE_MAX: none of ours. */
static size_t token_of(const struct rotating *rotating, const struct prepared *prepared)
{
    for (size_t i = 0; i < prepared->header_count; i++) {
        if (strcasecmp(prepared->headers[i].name, rotating->header) != 0)
            continue;
        for (size_t token = 0; token < rotating->quotas.token_count; token++) {
            if (slice_is(rotating->values[token], prepared->headers[i].value))
                return token;
        }
    }
    return SIZE_MAX;
}

static bool header_calls(const struct http_response *response, const char *name, int64_t *ret_calls)
{
    const char *value = name ? http_response_header(response, name) : NULL;
    int64_t integer;
    if (!value || !string_to_i64(value, &integer))
        return false;
    *ret_calls = rotating_calls((double)integer);
    return true;
}

static void rotating_told(struct authenticator *authenticator, const struct prepared *prepared,
                          const struct http_response *response)
{
    struct rotating *rotating = authenticator->state;
    size_t token = token_of(rotating, prepared);
    if (token == SIZE_MAX || !rotating->seeded)
        return;
    size_t at = pool_of(authenticator, prepared);
    const struct pool *pool = &rotating->pools[at];
    const char *reset = pool->reset_header ? http_response_header(response, pool->reset_header) : NULL;
    struct quota_told told = {.is_limited = rotating_has_code(pool->limited_codes, response->status)};
    told.has_remaining = header_calls(response, pool->remaining_header, &told.remaining);
    told.has_limit = header_calls(response, pool->limit_header, &told.limit);
    told.has_reset =
        reset && instant_parse(slice_of(reset), clock_wall_ms(authenticator->engine->clock), &told.reset_ms);
    quotas_tell(&rotating->quotas, token, at, &told);
}

static bool rotating_may_rotate(struct authenticator *authenticator, const struct prepared *prepared)
{
    const struct rotating *rotating = authenticator->state;
    size_t token = token_of(rotating, prepared);
    return token != SIZE_MAX && rotating->seeded &&
           quotas_may_rotate(&rotating->quotas, token, pool_of(authenticator, prepared));
}

const struct authenticator_class authenticator_rotating = {
    .type = "RateLimitedMultipleTokenAuthenticator",
    .compile = rotating_compile,
    .add = rotating_add,
    .sign = rotating_sign,
    .told = rotating_told,
    .may_rotate = rotating_may_rotate,
};
