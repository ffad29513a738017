#include "quota.h"

enum {
    QUOTA_WAIT_MS_MIN = 100, /* a shorter one is not waited for */
    QUOTA_WAIT_MS_MAX = 10 * 1000,
    QUOTA_SKEW_MS = 60 * 1000, /* two windows whose ends are so near are one */
};

static struct quota_window *window_of(const struct quotas *quotas, size_t token, size_t pool)
{
    return &quotas->windows[token * quotas->pool_count + pool];
}

bool quotas_spent(const struct quotas *quotas, size_t pool)
{
    for (size_t token = 0; token < quotas->token_count; token++) {
        const struct quota_window *window = window_of(quotas, token, pool);
        if (window->remaining > 0 || window->untracked)
            return false;
    }
    return true;
}

int64_t quotas_reset_in(const struct quotas *quotas, size_t pool, int64_t wall_ms)
{
    int64_t least = INT64_MAX;
    for (size_t token = 0; token < quotas->token_count; token++) {
        int64_t left = window_of(quotas, token, pool)->reset_ms - wall_ms;
        if (left < least)
            least = left;
    }
    return least;
}

/* The last calls of all tokens are spread over the time that is left. */
static uint64_t spread(const struct quotas *quotas, size_t pool, int64_t wall_ms)
{
    int64_t total = 0, left = window_of(quotas, quotas->active, pool)->reset_ms - wall_ms;
    for (size_t token = 0; token < quotas->token_count; token++) {
        const struct quota_window *window = window_of(quotas, token, pool);
        double reserve = (double)window->limit * quotas->reserve_share;
        if (reserve < (double)quotas->reserve_min)
            reserve = (double)quotas->reserve_min;
        if (window->untracked || (double)window->remaining > reserve)
            return 0;
        total += window->remaining > 0 ? window->remaining : 0;
    }
    if (total <= 0 || left <= 0)
        return 0;
    uint64_t wait = (uint64_t)(left / total);
    return wait < QUOTA_WAIT_MS_MIN ? 0 : wait < QUOTA_WAIT_MS_MAX ? wait : QUOTA_WAIT_MS_MAX;
}

enum quota_taken quotas_take(struct quotas *quotas, size_t pool, int64_t wall_ms, struct quota_call *ret_call)
{
    for (size_t tried = 0; tried < quotas->token_count; tried++) {
        struct quota_window *window = window_of(quotas, quotas->active, pool);
        size_t next = (quotas->active + 1) % quotas->token_count;
        *ret_call = (struct quota_call){quotas->active, 0};
        if (window->untracked) {
            quotas->active = next;
            return QUOTA_TAKEN;
        }
        if (window->remaining > 0) {
            window->remaining--;
            ret_call->wait_ms = spread(quotas, pool, wall_ms);
            return QUOTA_TAKEN;
        }
        if (quotas_spent(quotas, pool))
            break;
        quotas->active = next;
    }
    return QUOTA_SPENT;
}

void quotas_tell(struct quotas *quotas, size_t token, size_t pool, const struct quota_told *told)
{
    struct quota_window *window = window_of(quotas, token, pool);
    int64_t before_ms = window->reset_ms;
    int64_t remaining = told->has_remaining ? told->remaining : 0; /* a refusal says that nothing is left */
    bool has_remaining = told->has_remaining || told->is_limited;
    if (window->untracked)
        return;
    if (told->has_limit && told->limit > 0 && (!told->has_reset || told->reset_ms >= before_ms))
        window->limit = told->limit;
    if (told->has_reset && told->reset_ms > before_ms) { /* another window has begun */
        window->reset_ms = told->reset_ms;
        window->remaining = has_remaining ? remaining : window->limit;
        return;
    }
    /* In the same window answers may come late, so that the least counts; one of a window that is over says
     * nothing, unless it is a refusal. */
    bool is_current = !told->has_reset || told->reset_ms >= before_ms - QUOTA_SKEW_MS;
    if (has_remaining && remaining < window->remaining &&
        (is_current || (remaining <= 0 && told->is_limited)))
        window->remaining = remaining;
}

bool quotas_may_rotate(const struct quotas *quotas, size_t token, size_t pool)
{
    const struct quota_window *own = window_of(quotas, token, pool);
    if (own->untracked || own->remaining > 0)
        return false;
    for (size_t other = 0; other < quotas->token_count; other++) {
        if (other != token && window_of(quotas, other, pool)->remaining > 0)
            return true;
    }
    return false;
}
