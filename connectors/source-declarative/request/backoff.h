/* Backoff strategies: how long to wait before an attempt is repeated. */
#ifndef FIRTH_DECLARATIVE_REQUEST_BACKOFF_H
#define FIRTH_DECLARATIVE_REQUEST_BACKOFF_H

#include "error_handler.h"

struct backoff;
int backoff_compile(struct engine *engine, struct component component, struct backoff **ret_backoff,
                    struct error *err);
/* *ret_seconds is 0 where the strategy has no answer. -1 too where the server asks for a longer wait than is
 * allowed: then it is retriable. */
int backoff_seconds(const struct backoff *backoff, const struct outcome *outcome, unsigned attempt,
                    struct arena *arena, double *ret_seconds, struct error *err);

#endif
