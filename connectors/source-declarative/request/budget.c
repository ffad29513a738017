#include "budget.h"

#include "source-declarative/template/datetime.h"

#include <stdlib.h>

enum {
    BUDGET_CALLS_MAX = 1 << 20, /* of a moving window that are remembered */
    BUDGET_WAIT_MS_MIN = 10,    /* who waits looks again, not sooner */
};

struct rate {
    int64_t limit;
    uint64_t interval_ms;
};

struct call_made {
    uint64_t at_ms;
    int64_t weight;
};

enum policy_kind { POLICY_FIXED, POLICY_MOVING, POLICY_UNLIMITED };
struct policy {
    enum policy_kind kind;
    struct matchers matchers;
    struct rate *rates; /* fixed: one */
    size_t rate_count;
    int64_t calls;          /* fixed: of this window */
    uint64_t reset_ms;      /* fixed: when it ends, 0: it has not begun */
    struct call_made *made; /* moving: in order, from `first` on */
    size_t first, count, capacity;
    uint64_t longest_ms;
};

struct api_budget {
    struct policy *policies;
    size_t policy_count;
    const char *reset_header, *remaining_header;
    int *hit_codes;
    size_t hit_code_count;
};

/* --- which policy ----------------------------------------------------------------------------------------
 */

/* The first that has a matcher for the call, or has none at all. */
static struct policy *policy_for(struct api_budget *budget, const struct matched_call *call,
                                 int64_t *ret_weight)
{
    *ret_weight = 1;
    for (size_t i = 0; i < budget->policy_count; i++) {
        struct policy *policy = &budget->policies[i];
        if (policy->matchers.count == 0 || matchers_take(&policy->matchers, call, ret_weight))
            return policy;
    }
    return NULL;
}

/* --- taking ----------------------------------------------------------------------------------------------
 */

static uint64_t take_fixed(struct policy *policy, int64_t weight, uint64_t now_ms)
{
    const struct rate *rate = &policy->rates[0];
    if (policy->reset_ms == 0)
        policy->reset_ms = now_ms + rate->interval_ms;
    if (now_ms >= policy->reset_ms) {
        policy->calls = 0;
        policy->reset_ms += ((now_ms - policy->reset_ms) / rate->interval_ms + 1) * rate->interval_ms;
    }
    if (policy->calls + weight > rate->limit)
        return policy->reset_ms - now_ms;
    policy->calls += weight;
    return 0;
}

static void forget_old(struct policy *policy, uint64_t now_ms)
{
    while (policy->count && (policy->made[policy->first].at_ms + policy->longest_ms <= now_ms ||
                             policy->count == BUDGET_CALLS_MAX)) {
        policy->first++;
        policy->count--;
    }
    if (policy->first > 1024 && policy->first > policy->count) {
        memmove(policy->made, policy->made + policy->first, policy->count * sizeof *policy->made);
        policy->first = 0;
    }
}

/* How long until the rate has room; 0: it has. */
static uint64_t wait_of(const struct policy *policy, const struct rate *rate, int64_t weight, uint64_t now_ms)
{
    int64_t sum = 0;
    for (size_t i = policy->count; i-- > 0;) {
        const struct call_made *made = &policy->made[policy->first + i];
        if (made->at_ms + rate->interval_ms <= now_ms)
            return 0;
        sum += made->weight;
        if (sum + weight > rate->limit) /* this one has to be gone */
            return made->at_ms + rate->interval_ms - now_ms;
    }
    return 0;
}

static void add_call(struct policy *policy, int64_t weight, uint64_t now_ms)
{
    policy->made =
        mem_grow(policy->made, &policy->capacity, policy->first + policy->count + 1, sizeof *policy->made);
    policy->made[policy->first + policy->count++] = (struct call_made){now_ms, weight};
}

static uint64_t take_moving(struct policy *policy, int64_t weight, uint64_t now_ms)
{
    uint64_t wait = 0;
    forget_old(policy, now_ms);
    for (size_t i = 0; i < policy->rate_count; i++) {
        uint64_t mine = wait_of(policy, &policy->rates[i], weight, now_ms);
        if (mine > wait)
            wait = mine;
    }
    if (wait == 0)
        add_call(policy, weight, now_ms);
    return wait;
}

int api_budget_take(struct api_budget *budget, const struct matched_call *call, uint64_t now_ms,
                    uint64_t *ret_wait_ms, struct error *err)
{
    int64_t weight;
    struct policy *policy = policy_for(budget, call, &weight);
    uint64_t wait = 0;
    for (size_t i = 0; policy && i < policy->rate_count; i++) {
        if (weight > policy->rates[i].limit)
            return error_set(err, ERROR_INVALID,
                             "the API budget never has a call of weight %lld: its limit is %lld",
                             (long long)weight, (long long)policy->rates[i].limit);
    }
    if (policy && policy->kind == POLICY_FIXED)
        wait = take_fixed(policy, weight, now_ms);
    else if (policy && policy->kind == POLICY_MOVING)
        wait = take_moving(policy, weight, now_ms);
    *ret_wait_ms = wait > 0 && wait < BUDGET_WAIT_MS_MIN ? BUDGET_WAIT_MS_MIN : wait;
    return 0;
}

/* --- what the server says ----------------------------------------------------------------------------------
 */

static bool header_integer(const struct http_response *response, const char *name, int64_t *ret_value)
{
    const char *value = name ? http_response_header(response, name) : NULL;
    return value && string_to_i64(value, ret_value);
}

static bool is_hit(const struct api_budget *budget, int status)
{
    for (size_t i = 0; i < budget->hit_code_count; i++) {
        if (budget->hit_codes[i] == status)
            return true;
    }
    return false;
}

void api_budget_told(struct api_budget *budget, const struct matched_call *call,
                     const struct http_response *response, int64_t wall_ms, uint64_t now_ms)
{
    int64_t weight, left = -1, reset_seconds = 0;
    struct policy *policy = policy_for(budget, call, &weight);
    if (!policy || policy->kind == POLICY_UNLIMITED)
        return;
    if (!header_integer(response, budget->remaining_header, &left) && is_hit(budget, response->status))
        left = 0;
    bool has_reset = header_integer(response, budget->reset_header, &reset_seconds);
    if (policy->kind == POLICY_MOVING) {
        if (left == 0 && !has_reset) { /* the CDK counts one call more */
            forget_old(policy, now_ms);
            add_call(policy, 1, now_ms);
        }
        return;
    }
    if (has_reset && reset_seconds > wall_ms / 1000 && reset_seconds < wall_ms / 1000 + 366 * 86400)
        policy->reset_ms = now_ms + (uint64_t)(reset_seconds * 1000 - wall_ms);
    if (left >= 0 && policy->rates[0].limit - left > policy->calls)
        policy->calls = policy->rates[0].limit - left;
}

/* --- compiling -------------------------------------------------------------------------------------------
 */

/* How long the months are that begin now: a connector runs for less. */
static int months_of(struct engine *engine, const struct duration *duration, uint64_t *ret_ms,
                     struct error *err)
{
    struct datetime now = {clock_wall_ms(engine->clock) * 1000, 0, DATETIME_UTC}, end;
    if (duration_add(&now, duration, 1, &end, err) != 0)
        return -1;
    if (end.local < now.local + 1000)
        return error_set(err, ERROR_INVALID, "it must be longer than nothing, such as P1M");
    *ret_ms = (uint64_t)(end.local - now.local) / 1000;
    return 0;
}

/* `months`: it may have some. */
static int interval_of(struct engine *engine, struct component component, const char *field, bool months,
                       uint64_t *ret_ms, struct error *err)
{
    struct slice text;
    struct duration duration;
    if (config_text(engine, component, field, &text, err) != 0)
        return -1;
    if (duration_parse(text, &duration, err) != 0)
        return error_wrap(err, "%s", field), component_error(err, component);
    if (months && duration.is_duration) {
        if (months_of(engine, &duration, ret_ms, err) == 0)
            return 0;
        error_wrap(err, "%s", field);
        return component_error(err, component);
    }
    if (duration.is_duration || duration.seconds < 0 ||
        (duration.seconds == 0 && duration.microseconds < 1000)) {
        error_set(err, ERROR_INVALID,
                  "%s is \"%.40s\"; it must be longer than nothing, and without months, "
                  "such as PT1M",
                  field, text.data);
        return component_error(err, component);
    }
    *ret_ms = (uint64_t)duration.seconds * 1000 + duration.microseconds / 1000;
    return 0;
}

static int rates_compile(struct engine *engine, struct component component, struct policy *policy,
                         struct error *err)
{
    struct component list = component_get(component, "rates");
    policy->rate_count = component_count(list);
    policy->rates = arena_zalloc(&engine->arena, (policy->rate_count + 1) * sizeof *policy->rates);
    for (size_t i = 0; i < policy->rate_count; i++) {
        struct component each = component_at(list, i);
        struct rate *rate = &policy->rates[i];
        if (config_integer(engine, each, "limit", 0, &rate->limit, err) != 0 ||
            interval_of(engine, each, "interval", false, &rate->interval_ms, err) != 0)
            return -1;
        if (rate->limit < 1) {
            error_set(err, ERROR_INVALID, "limit is %lld: it must be 1 or more", (long long)rate->limit);
            return component_error(err, each);
        }
        if (rate->interval_ms > policy->longest_ms)
            policy->longest_ms = rate->interval_ms;
    }
    return 0;
}

static void policy_leave(void *context)
{
    free(((struct policy *)context)->made);
}

static int policy_compile(struct engine *engine, struct component component, struct policy *policy,
                          struct error *err)
{
    if (matchers_compile(engine, component_get(component, "matchers"), &policy->matchers, err) != 0)
        return -1;
    engine_on_free(engine, policy_leave, policy);
    if (component_is(component, "UnlimitedCallRatePolicy")) {
        policy->kind = POLICY_UNLIMITED;
        return 0;
    }
    if (component_is(component, "MovingWindowCallRatePolicy")) {
        policy->kind = POLICY_MOVING;
        return rates_compile(engine, component, policy, err);
    }
    policy->kind = POLICY_FIXED;
    policy->rates = arena_zalloc(&engine->arena, sizeof *policy->rates);
    policy->rate_count = 1;
    if (config_integer(engine, component, "call_limit", 0, &policy->rates[0].limit, err) != 0)
        return -1;
    return interval_of(engine, component, "period", true, &policy->rates[0].interval_ms, err);
}

int api_budget_compile(struct engine *engine, struct component component, struct api_budget **ret_budget,
                       struct error *err)
{
    struct component policies = component_get(component, "policies");
    struct component codes = component_get(component, "status_codes_for_ratelimit_hit");
    struct arena *arena = &engine->arena;
    struct api_budget *budget = arena_zalloc(arena, sizeof *budget);
    struct slice reset, remaining;
    if (config_text(engine, component, "ratelimit_reset_header", &reset, err) != 0 ||
        config_text(engine, component, "ratelimit_remaining_header", &remaining, err) != 0)
        return -1;
    budget->reset_header = reset.data;
    budget->remaining_header = remaining.data;
    budget->hit_code_count = component_is_none(codes) ? 1 : component_count(codes);
    budget->hit_codes = arena_alloc(arena, (budget->hit_code_count + 1) * sizeof *budget->hit_codes);
    budget->hit_codes[0] = 429;
    for (size_t i = 0; i < component_count(codes); i++) {
        struct component code = component_at(codes, i);
        int64_t status = 0;
        json_to_i64(&code.manifest->doc, code.at, &status);
        budget->hit_codes[i] = (int)(status & 0x3ff);
    }
    budget->policy_count = component_count(policies);
    budget->policies = arena_zalloc(arena, (budget->policy_count + 1) * sizeof *budget->policies);
    for (size_t i = 0; i < budget->policy_count; i++) {
        if (policy_compile(engine, component_at(policies, i), &budget->policies[i], err) != 0)
            return -1;
    }
    *ret_budget = budget;
    return 0;
}
