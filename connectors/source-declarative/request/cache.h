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
/* NULL: there is none. */
const struct cached_answer *response_cache_find(const struct response_cache *cache, struct slice key);
void response_cache_keep(struct response_cache *cache, struct slice key,
                         const struct http_response *response);

#endif
