/* Answers that are kept while a connector runs: of streams that are read more than once, as parents are. */
#ifndef FIRTH_DECLARATIVE_REQUEST_CACHE_H
#define FIRTH_DECLARATIVE_REQUEST_CACHE_H

#include "source-declarative/engine/engine.h"

enum { RESPONSE_CACHE_MAX = 256 << 20 }; /* bytes; what comes when it is full is not kept */

/* Lives as long as the engine. */
struct cached_answer {
    int status;
    struct http_header *headers;
    size_t header_count;
    struct slice body;
};

/* The engine's, made when it is first asked for. */
struct response_cache *response_cache_of(struct engine *engine);
/* In a fiber: the kept answer; NULL: there is none, and the caller asks for it, until response_cache_asked.
 * Others who want the same wait for that. `asking`: zeroed. -1: cancelled. */
int response_cache_ask(struct response_cache *cache, struct fibers *fibers, struct slice key,
                       struct fiber_signal *asking, const struct cached_answer **ret_answer,
                       struct error *err);
/* Well or not. */
void response_cache_asked(struct response_cache *cache, struct slice key, struct fiber_signal *asking);
void response_cache_keep(struct response_cache *cache, struct slice key,
                         const struct http_response *response);

#endif
