/* HttpRequestRegexMatcher: is a request one of these? What budgets and quotas tell their requests apart by.
 */
#ifndef FIRTH_DECLARATIVE_REQUEST_MATCHER_H
#define FIRTH_DECLARATIVE_REQUEST_MATCHER_H

#include "source-declarative/engine/expression.h"

struct matched_call {
    const char *method, *url;
    const struct http_header *headers;
    size_t header_count;
};

struct matcher;
struct matchers {
    struct matcher *items;
    size_t count;
};
/* `list`: the components, or none. */
int matchers_compile(struct engine *engine, struct component list, struct matchers *ret_matchers,
                     struct error *err);
/* Does one of them match? *ret_weight, which may be NULL: of the first that does. */
bool matchers_take(const struct matchers *matchers, const struct matched_call *call, int64_t *ret_weight);

#endif
