/* Error handlers: what an answer means, and how long to wait before the next attempt. Pure: no request is
 * made here. */
#ifndef FIRTH_DECLARATIVE_REQUEST_ERROR_HANDLER_H
#define FIRTH_DECLARATIVE_REQUEST_ERROR_HANDLER_H

#include "source-declarative/engine/expression.h"

enum response_action {
    RESPONSE_SUCCESS,
    RESPONSE_RETRY,
    RESPONSE_FAIL,
    RESPONSE_IGNORE,
    RESPONSE_RESET_PAGINATION,
    RESPONSE_RATE_LIMITED,
    RESPONSE_REFRESH_TOKEN_THEN_RETRY,
    RESPONSE_REDUCE_PAGE_SIZE,
    RESPONSE_SPLIT_REQUEST_WINDOW,
};
enum failure_type { FAILURE_SYSTEM, FAILURE_CONFIG, FAILURE_TRANSIENT };

struct resolution {
    enum response_action action;
    enum failure_type failure;
    struct slice message; /* size 0: none */
};
/* What came: an answer, or why there is none. */
struct outcome {
    const struct http_response *response; /* NULL: none */
    enum http_failure failure;
    struct tvalue body, headers; /* as templates see them; body: {} where it is no JSON */
    bool is_json;
};

struct error_handler;
/* Of DefaultErrorHandler, CompositeErrorHandler, or none: the default's. */
int error_handler_compile(struct engine *engine, struct component component,
                          struct error_handler **ret_handler, struct error *err);
/* The default's, but for statuses that are to be ignored: a list of numbers, or none. */
int error_handler_ignoring(struct engine *engine, struct component codes, struct error_handler **ret_handler,
                           struct error *err);
int error_handler_resolve(const struct error_handler *handler, const struct outcome *outcome,
                          struct arena *arena, struct resolution *ret_resolution, struct error *err);
/* Attempts after the first; the longest that those may take in all which no strategy asks for, in seconds. */
int error_handler_max_retries(const struct error_handler *handler);
int error_handler_max_seconds(const struct error_handler *handler);
/* Do its filters look into bodies? Else outcomes of a good status need none. */
bool error_handler_reads_body(const struct error_handler *handler);
/* Seconds until the next attempt, by the first strategy that has an answer; attempt counts from 1.
 * *ret_seconds is negative where none has. */
int error_handler_backoff(const struct error_handler *handler, const struct outcome *outcome,
                          unsigned attempt, struct arena *arena, double *ret_seconds, struct error *err);

#endif
