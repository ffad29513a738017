/* What the endpoint of quotas says that each token has left. */
#include "rotating.h"

#include "instant.h"

static int not_found(const struct pool *pool, const char *field, struct error *err)
{
    error_set(err, ERROR_CONNECTOR, "the answer about quotas has no %s of the quota \"%s\"", field,
              pool->name);
    return component_error(err, pool->where);
}

static int value_at(const struct pool *pool, const char *field, const struct json *doc, uint32_t *ret_at,
                    struct error *err)
{
    struct component path = component_get(pool->where, field);
    uint32_t at = 0;
    for (size_t i = 0; i < component_count(path); i++) {
        struct component name = component_at(path, i);
        at = json_get_slice(doc, at, component_string(name));
        if (at == JSON_NONE)
            return not_found(pool, field, err);
    }
    *ret_at = at;
    return 0;
}

int64_t rotating_calls(double number)
{
    return number > ROTATING_CALLS_MAX    ? ROTATING_CALLS_MAX
           : number < -ROTATING_CALLS_MAX ? -ROTATING_CALLS_MAX
                                          : (int64_t)number;
}

/* Python's int() of it. */
static int calls_at(const struct pool *pool, const char *field, const struct json *doc, struct arena *arena,
                    int64_t *ret_calls, struct error *err)
{
    uint32_t at = 0;
    int64_t integer;
    double number;
    if (value_at(pool, field, doc, &at, err) != 0)
        return -1;
    if (json_to_double(doc, at, &number)) {
        *ret_calls = rotating_calls(number);
        return 0;
    }
    if (json_is(doc, at, JSON_STRING) && string_to_i64(json_cstring(doc, at, arena), &integer)) {
        *ret_calls = rotating_calls((double)integer);
        return 0;
    }
    error_set(err, ERROR_CONNECTOR, "the answer about quotas has something at %s that is no number", field);
    return component_error(err, pool->where);
}

static int window_at(const struct pool *pool, const struct json *doc, int64_t now_ms, struct arena *arena,
                     struct quota_window *window, struct error *err)
{
    uint32_t at = 0;
    int64_t integer;
    *window = (struct quota_window){0};
    if (calls_at(pool, "remaining_path", doc, arena, &window->remaining, err) != 0)
        return -1;
    window->limit = window->remaining;
    if (component_count(component_get(pool->where, "limit_path")) &&
        calls_at(pool, "limit_path", doc, arena, &window->limit, err) != 0)
        return -1;
    if (value_at(pool, "reset_path", doc, &at, err) != 0)
        return -1;
    bool is_text = json_is(doc, at, JSON_STRING) || json_to_i64(doc, at, &integer);
    struct slice text = json_is(doc, at, JSON_STRING) ? json_string(doc, at, arena) : json_raw(doc, at);
    if (is_text && instant_parse(text, now_ms, &window->reset_ms))
        return 0;
    error_set(err, ERROR_CONNECTOR, "the answer about quotas has something at reset_path that is no time");
    return component_error(err, pool->where);
}

bool rotating_has_code(struct component codes, int status)
{
    for (size_t i = 0; i < component_count(codes); i++) {
        struct component code = component_at(codes, i);
        int64_t each;
        if (json_to_i64(&code.manifest->doc, code.at, &each) && each == status)
            return true;
    }
    return false;
}

static int ask_for_token(struct authenticator *authenticator, size_t token, struct quota_window *windows,
                         struct arena *arena, struct error *err)
{
    struct rotating *rotating = authenticator->state;
    struct request_call call = {.stream_slice = tvalue_none(), .next_page_token = tvalue_none()};
    mem_auto(answer_free) struct answer *answer = NULL;
    struct json doc;
    size_t count = rotating->quotas.pool_count;
    int64_t now_ms = clock_wall_ms(authenticator->engine->clock);
    if (requester_send(rotating->status[token], &call, &answer, err) != 0)
        return error_wrap(err, "asking how many calls are left");
    if (rotating_has_code(rotating->unavailable_codes, answer->status)) {
        for (size_t i = 0; i < count; i++)
            windows[i] = (struct quota_window){.untracked = true};
        return 0;
    }
    if (json_parse_answer(arena, answer->body.data, answer->body.size, &doc, err) != 0)
        return error_wrap(err, "the answer about quotas");
    for (size_t i = 0; i < count; i++) {
        if (window_at(&rotating->pools[i], &doc, now_ms, arena, &windows[i], err) != 0)
            return -1;
    }
    return 0;
}

static void tell_untracked(struct authenticator *authenticator)
{
    struct rotating *rotating = authenticator->state;
    size_t untracked = 0;
    for (size_t i = 0; i < rotating->quotas.token_count; i++)
        untracked += rotating->quotas.windows[i * rotating->quotas.pool_count].untracked;
    if (rotating->told_untracked || !untracked)
        return;
    rotating->told_untracked = true;
    engine_log(authenticator->engine, ENGINE_INFO,
               "the server does not say how many calls are left, of %zu of %zu tokens: these take turns",
               untracked, rotating->quotas.token_count);
}

/* All at once: what is counted meanwhile is in what the server says. */
static int seed(struct authenticator *authenticator, struct error *err)
{
    struct rotating *rotating = authenticator->state;
    struct quotas *quotas = &rotating->quotas;
    struct arena arena = {0};
    struct quota_window *windows =
        arena_alloc(&arena, quotas->token_count * quotas->pool_count * sizeof *windows);
    int result = 0;
    for (size_t i = 0; result == 0 && i < quotas->token_count; i++)
        result = ask_for_token(authenticator, i, &windows[i * quotas->pool_count], &arena, err);
    if (result == 0) {
        memcpy(quotas->windows, windows, quotas->token_count * quotas->pool_count * sizeof *windows);
        rotating->seeded = true;
        rotating->told_spreading = false;
        tell_untracked(authenticator);
    }
    arena_done(&arena);
    return result;
}

int rotating_seed(struct authenticator *authenticator, size_t pool, struct error *err)
{
    struct rotating *rotating = authenticator->state;
    if (fiber_gate_enter(authenticator->engine->fibers, &rotating->gate, err) != 0)
        return -1;
    bool wanted = pool == SIZE_MAX ? !rotating->seeded : quotas_spent(&rotating->quotas, pool);
    int result = wanted ? seed(authenticator, err) : 0;
    fiber_gate_leave(&rotating->gate);
    return result;
}
