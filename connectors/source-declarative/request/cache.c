#include "cache.h"

#include "base/map.h"

#include <stdlib.h>

struct response_cache {
    struct arena arena;
    struct map answers;
    struct map asking; /* of struct fiber_signal: requests that are on */
    size_t bytes;
};

static void cache_free(void *context)
{
    struct response_cache *cache = context;
    map_done(&cache->answers);
    map_done(&cache->asking);
    arena_done(&cache->arena);
    free(cache);
}

struct response_cache *response_cache_of(struct engine *engine)
{
    if (!engine->cache) {
        engine->cache = mem_zalloc(sizeof *engine->cache);
        arena_init(&engine->cache->arena);
        map_init(&engine->cache->answers);
        map_init(&engine->cache->asking);
        engine_on_free(engine, cache_free, engine->cache);
    }
    return engine->cache;
}

int response_cache_ask(struct response_cache *cache, struct fibers *fibers, struct slice key,
                       struct fiber_signal *asking, const struct cached_answer **ret_answer,
                       struct error *err)
{
    for (;;) {
        *ret_answer = map_get(&cache->answers, key);
        if (*ret_answer)
            return 0;
        struct fiber_signal *other = map_get(&cache->asking, key);
        if (!other) {
            map_set(&cache->asking, key, asking);
            return 0;
        }
        if (fiber_wait(fibers, other, err) != 0)
            return -1;
    }
}

void response_cache_asked(struct response_cache *cache, struct slice key, struct fiber_signal *asking)
{
    map_remove(&cache->asking, key);
    fiber_wake_all(asking);
}

void response_cache_keep(struct response_cache *cache, struct slice key, const struct http_response *response)
{
    size_t bytes = key.size + response->body.size;
    for (size_t i = 0; i < response->header_count; i++)
        bytes += sizeof(struct http_header) + strlen(response->headers[i].name) +
                 strlen(response->headers[i].value);
    if (bytes > RESPONSE_CACHE_MAX - cache->bytes || map_get(&cache->answers, key))
        return;
    cache->bytes += bytes;
    struct arena *arena = &cache->arena;
    struct cached_answer *answer = arena_alloc(arena, sizeof *answer);
    answer->status = response->status;
    answer->header_count = response->header_count;
    answer->headers = arena_alloc(arena, (response->header_count + 1) * sizeof *answer->headers);
    for (size_t i = 0; i < response->header_count; i++)
        answer->headers[i] = (struct http_header){
            .name = arena_strdup(arena, response->headers[i].name),
            .value = arena_strdup(arena, response->headers[i].value),
        };
    answer->body =
        (struct slice){arena_dup(arena, response->body.data ? response->body.data : "", response->body.size),
                       response->body.size};
    map_set(&cache->answers, key, answer);
}
