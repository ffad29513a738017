/* How many calls each of several tokens has left: pools of calls (by what is asked), a window of each pool
 * for each token. Pure: whoever asks says what time it is. As RateLimitedMultipleTokenAuthenticator of the
 * CDK. */
#ifndef FIRTH_DECLARATIVE_REQUEST_QUOTA_H
#define FIRTH_DECLARATIVE_REQUEST_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota_window {
    int64_t remaining, limit;
    int64_t reset_ms; /* wall */
    bool untracked;   /* the server has no quota for it: there is nothing to count */
};

struct quotas {
    size_t token_count, pool_count;
    struct quota_window *windows; /* of token 0 all pools, of token 1, … */
    size_t active;                /* token */
    double reserve_share;         /* below this part of its limit, … */
    int64_t reserve_min;          /* … or this many, a pool's last calls are spread until its reset */
};

enum quota_taken {
    QUOTA_TAKEN,
    QUOTA_SPENT, /* no token has a call left */
};
struct quota_call {
    size_t token;
    uint64_t wait_ms; /* before it is made */
};
/* A call of this pool: of the active token, or of the next one that has any, which then is active. Tokens
 * that are not tracked take turns. */
enum quota_taken quotas_take(struct quotas *quotas, size_t pool, int64_t wall_ms,
                             struct quota_call *ret_call);
/* Are all tokens' calls spent? */
bool quotas_spent(const struct quotas *quotas, size_t pool);
/* Until the first token's window of the pool ends; negative: it has. */
int64_t quotas_reset_in(const struct quotas *quotas, size_t pool, int64_t wall_ms);

/* What an answer says of the window of the token that asked. */
struct quota_told {
    bool has_remaining, has_limit, has_reset, is_limited; /* is_limited: the server refused the call for it */
    int64_t remaining, limit, reset_ms;
};
void quotas_tell(struct quotas *quotas, size_t token, size_t pool, const struct quota_told *told);
/* Has this token none left, and another one some? Then there is no need to wait. */
bool quotas_may_rotate(const struct quotas *quotas, size_t token, size_t pool);

#endif
