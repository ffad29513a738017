#include "backoff.h"

#include "source-declarative/template/pattern.h"

#include <math.h>
#include <stdlib.h>

struct backoff {
    struct engine *engine;
    int (*seconds)(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                   struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err);
    struct expression amount; /* constant, factor, min_wait, wait_time_in_seconds */
    struct expression header, regex, longest;
    double jitter;
    struct component where;
};

static double jittered(const struct backoff *backoff, double seconds)
{
    if (backoff->jitter <= 0)
        return seconds;
    double share = (double)random_below(&backoff->engine->random, 1U << 30) / (double)(1U << 30);
    return seconds + 2 * backoff->jitter * share;
}

static int constant(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                    struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err)
{
    (void)outcome, (void)attempt;
    double seconds;
    if (expression_number(&backoff->amount, scope, arena, &seconds, err) != 0)
        return -1;
    *ret_seconds = jittered(backoff, seconds);
    return 0;
}

static int exponential(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                       struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err)
{
    (void)outcome;
    double factor;
    if (expression_number(&backoff->amount, scope, arena, &factor, err) != 0)
        return -1;
    *ret_seconds = jittered(backoff, factor * pow(2, attempt));
    return 0;
}

/* --- what the answer asks for ----------------------------------------------------------------------------
 */

static bool to_number(struct arena *arena, struct slice text, double *ret_number)
{
    const char *copy = arena_strndup(arena, text.data, text.size);
    copy += strspn(copy, " \t");
    char *end;
    *ret_number = strtod(copy, &end);
    return end != copy && end[strspn(end, " \t")] == '\0' && isfinite(*ret_number) && !strpbrk(copy, "xXpP");
}

/* The header as a number, or what the regular expression finds at its beginning. */
static int header_number(const struct backoff *backoff, const struct outcome *outcome, struct scope *scope,
                         struct arena *arena, bool *ret_found, double *ret_number, struct error *err)
{
    struct slice name;
    *ret_found = false;
    if (expression_text(&backoff->header, scope, arena, &name, err) != 0)
        return -1;
    const char *value = outcome->response ? http_response_header(outcome->response, name.data) : NULL;
    if (!value)
        return 0;
    struct slice text = slice_of(value), regex;
    if (!expression_is_absent(&backoff->regex)) {
        if (expression_text(&backoff->regex, scope, arena, &regex, err) != 0)
            return -1;
        mem_auto(pattern_free) struct pattern *pattern = pattern_new(regex, err);
        if (!pattern)
            return component_error(err, backoff->where);
        if (!pattern_finds(pattern, text, true, &text))
            return 0;
    }
    *ret_found = to_number(arena, text, ret_number);
    return 0;
}

static int check_longest(const struct backoff *backoff, double seconds, struct scope *scope,
                         struct arena *arena, struct error *err)
{
    double longest;
    if (expression_is_absent(&backoff->longest))
        return 0;
    if (expression_number(&backoff->longest, scope, arena, &longest, err) != 0)
        return -1;
    if (longest <= 0 || seconds < longest)
        return 0;
    error_set(err, ERROR_IO,
              "the server asks to wait for %.0f seconds, and the stream waits for less than %.0f "
              "(max_waiting_time_in_seconds)",
              seconds, longest);
    err->retriable = true;
    return -1;
}

static int from_header(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                       struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err)
{
    (void)attempt;
    bool found;
    double seconds;
    if (header_number(backoff, outcome, scope, arena, &found, &seconds, err) != 0)
        return -1;
    *ret_seconds = found ? seconds : 0;
    return found ? check_longest(backoff, seconds, scope, arena, err) : 0;
}

static int from_response(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                         struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err)
{
    (void)attempt;
    struct tvalue value;
    *ret_seconds = 0;
    if (!outcome->response)
        return 0;
    if (expression_string(&backoff->amount, scope, arena, &value, err) != 0)
        return -1;
    if (tvalue_is_number(&value))
        *ret_seconds = tvalue_to_double(&value);
    else if (value.kind != TVALUE_STRING || !to_number(arena, value.text, ret_seconds))
        return 0;
    return check_longest(backoff, *ret_seconds, scope, arena, err);
}

static int until_header(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                        struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err)
{
    (void)attempt;
    bool found;
    double until, least = 0;
    if (header_number(backoff, outcome, scope, arena, &found, &until, err) != 0)
        return -1;
    if (!expression_is_absent(&backoff->amount) &&
        expression_number(&backoff->amount, scope, arena, &least, err) != 0)
        return -1;
    if (!found) {
        *ret_seconds = least;
        return 0;
    }
    double seconds = until - (double)clock_wall_ms(backoff->engine->clock) / 1000;
    if (seconds < least)
        seconds = least;
    *ret_seconds = seconds > 0 ? seconds : 0;
    return check_longest(backoff, seconds, scope, arena, err);
}

/* --- the table -------------------------------------------------------------------------------------------
 */

static const struct {
    const char *type;
    const char *amount;
    int (*seconds)(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                   struct scope *scope, struct arena *arena, double *ret_seconds, struct error *err);
} classes[] = {
    {"ConstantBackoffStrategy", "backoff_time_in_seconds", constant},
    {"ExponentialBackoffStrategy", "factor", exponential},
    {"WaitTimeFromHeader", NULL, from_header},
    {"WaitTimeFromResponse", "wait_time_in_seconds", from_response},
    {"WaitUntilTimeFromHeader", "min_wait", until_header},
};

int backoff_compile(struct engine *engine, struct component component, struct backoff **ret_backoff,
                    struct error *err)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (!component_is(component, classes[i].type))
            continue;
        struct backoff *backoff = arena_zalloc(&engine->arena, sizeof *backoff);
        backoff->engine = engine;
        backoff->where = component;
        backoff->seconds = classes[i].seconds;
        if ((classes[i].amount &&
             expression_compile(engine, component, classes[i].amount, &backoff->amount, err) != 0) ||
            expression_compile(engine, component, "header", &backoff->header, err) != 0 ||
            expression_compile(engine, component, "regex", &backoff->regex, err) != 0 ||
            expression_compile(engine, component, "max_waiting_time_in_seconds", &backoff->longest, err) != 0)
            return -1;
        if (!component_number(component, "jitter_range_in_seconds", &backoff->jitter))
            backoff->jitter = 0;
        *ret_backoff = backoff;
        return 0;
    }
    error_set(err, ERROR_UNSUPPORTED, "this backoff strategy is not one that Firth has");
    return component_error(err, component);
}

int backoff_seconds(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                    struct arena *arena, double *ret_seconds, struct error *err)
{
    struct scope scope;
    scope_init(&scope, backoff->engine);
    scope_set(&scope, "response", outcome->body);
    scope_set(&scope, "headers", outcome->headers);
    return backoff->seconds(backoff, outcome, attempt, &scope, arena, ret_seconds, err);
}
