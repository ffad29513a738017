/* Private to this folder: tokens that stand for one another, and what each has left. */
#ifndef FIRTH_DECLARATIVE_REQUEST_ROTATING_H
#define FIRTH_DECLARATIVE_REQUEST_ROTATING_H

#include "auth.h"
#include "matcher.h"
#include "parts.h"
#include "quota.h"

enum { ROTATING_CALLS_MAX = 1000000000 }; /* more than these are as many */

struct pool {
    struct component where;
    const char *name; /* for messages */
    struct matchers matchers;
    const char *remaining_header, *reset_header, *limit_header; /* NULL: none */
    struct component limited_codes;
};

struct rotating {
    struct slice key; /* what it was made of: who is made of the same shares it */
    const char *header;
    struct slice *values;      /* of the header, by token */
    struct requester **status; /* of the quotas' endpoint, by token */
    struct component unavailable_codes;
    struct pool *pools;
    int64_t wait_max_ms;
    struct quotas quotas;
    bool seeded;
    bool told_unmatched, told_spreading, told_untracked;
    struct fiber_gate gate; /* one asks how many are left */
};

/* rotating_status.c: ask the endpoint for all tokens at once. In a fiber. `pool`: only where nothing is left
 * of it; SIZE_MAX: only at the beginning. */
int rotating_seed(struct authenticator *authenticator, size_t pool, struct error *err);
/* A number of calls, within what is counted. */
int64_t rotating_calls(double number);
bool rotating_has_code(struct component codes, int status);

#endif
