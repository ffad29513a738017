#include "reset.h"

#include <math.h>

enum { RESETS_MAX = 1 }; /* of one slice that stays the same, as in the CDK */

int page_reset_compile(struct component component, struct page_reset *ret_reset, struct error *err)
{
    (void)err;
    *ret_reset = (struct page_reset){0};
    if (component_is_none(component))
        return 0;
    ret_reset->splits = slice_is(component_text(component, "action"), "SPLIT_USING_CURSOR");
    struct component limits = component_get(component, "limits");
    if (!component_is_none(limits) &&
        !component_integer(limits, "number_of_records", &ret_reset->records_limit))
        ret_reset->records_limit = 0;
    return 0;
}

bool reset_is_due(const struct page_reset *reset, const struct reset_state *state)
{
    return reset->records_limit > 0 && state->records >= (size_t)reset->records_limit;
}

int reset_slice(const struct page_reset *reset, struct reset_state *state, const struct pages_hooks *hooks,
                struct arena *arena, struct tvalue *slice, struct error *err)
{
    state->records = 0;
    if (!reset->splits) {
        if (state->resets++ < RESETS_MAX)
            return 0;
        return error_set(err, ERROR_CONNECTOR,
                         "pagination was reset twice for the same slice; it has no end");
    }
    struct tvalue rest;
    if (!hooks->reduce_slice)
        return error_set(err, ERROR_INVALID, "SPLIT_USING_CURSOR needs a stream with incremental_sync");
    if (hooks->reduce_slice(hooks->context, *slice, arena, &rest, err) != 0)
        return -1;
    if (tvalue_equal(arena, &rest, slice))
        return error_set(
            err, ERROR_CONNECTOR,
            "pagination is to be reset, and the slice is the same as before: its cursor did not move");
    *slice = rest;
    return 0;
}

/* --- smaller pages ---------------------------------------------------------------------------------------
 */

int size_reduction_compile(struct engine *engine, struct component component,
                           struct size_reduction *ret_reduction, struct error *err)
{
    *ret_reduction = (struct size_reduction){0};
    if (component_is_none(component))
        return 0;
    component_number(component, "reduction_factor", &ret_reduction->factor);
    component_number(component, "backoff_seconds", &ret_reduction->wait_seconds);
    component_integer(component, "minimum_page_size", &ret_reduction->least);
    component_integer(component, "max_attempts", &ret_reduction->attempts_max);
    component_integer(component, "retries_at_minimum_page_size", &ret_reduction->retries_at_least);
    ret_reduction->resets = slice_is(component_text(component, "reset_policy"), "AFTER_SUCCESSFUL_PAGE");
    return expression_compile(engine, component, "failure_message", &ret_reduction->failure, err);
}

static int reduction_failed(const struct size_reduction *reduction, struct engine *engine, int64_t page_size,
                            struct component where, struct error *err)
{
    struct scope scope;
    struct slice message;
    scope_init(&scope, engine);
    if (!expression_is_absent(&reduction->failure)) {
        if (expression_text(&reduction->failure, &scope, &engine->arena, &message, err) != 0)
            return -1;
        return error_set(err, ERROR_CONNECTOR, "%.*s", SLICE_ARGS(message));
    }
    error_set(err, ERROR_CONNECTOR,
              "the server refuses pages of %lld records, too; smaller ones are not tried",
              (long long)page_size);
    return component_error(err, where);
}

int reduce_page_size(const struct size_reduction *reduction, struct reduction_state *state,
                     struct engine *engine, int64_t page_size, struct component where, struct error *err)
{
    if (reduction->factor <= 1 || page_size == 0) {
        error_set(
            err, ERROR_INVALID,
            "REDUCE_PAGE_SIZE needs page_size_reduction in the retriever, and a page_size in its paginator");
        return component_error(err, where);
    }
    int64_t now = state->page_size ? state->page_size : page_size;
    if (now <= reduction->least ? state->at_least++ >= reduction->retries_at_least
                                : state->attempts++ >= reduction->attempts_max)
        return reduction_failed(reduction, engine, now, where, err);
    int64_t smaller = (int64_t)floor((double)now / reduction->factor);
    state->page_size = smaller > reduction->least ? smaller : reduction->least;
    if (reduction->wait_seconds <= 0)
        return 0;
    double seconds = fmin(reduction->wait_seconds, REQUEST_WAIT_MAX);
    return fiber_sleep(engine->fibers, (uint64_t)(seconds * 1000), err);
}

void reduction_succeeded(const struct size_reduction *reduction, struct reduction_state *state)
{
    state->attempts = state->at_least = 0;
    if (reduction->resets)
        state->page_size = 0;
}

/* --- smaller windows -------------------------------------------------------------------------------------
 */

int window_splitting_compile(struct engine *engine, struct component component,
                             struct window_splitting *ret_splitting, struct error *err)
{
    (void)engine, (void)err;
    *ret_splitting = (struct window_splitting){0};
    if (component_is_none(component))
        return 0;
    ret_splitting->is_there = true;
    ret_splitting->failure = component_text(component, "failure_message");
    return 0;
}

int splitting_failed(const struct window_splitting *splitting, struct component where, struct error *err)
{
    if (splitting->failure.size)
        return error_set(err, ERROR_CONNECTOR, "%.*s", SLICE_ARGS(splitting->failure));
    error_set(err, ERROR_CONNECTOR,
              "the server asks for a smaller window of time, and this one cannot be split any more");
    return component_error(err, where);
}
