#include "task/stage.h"

#include <assert.h>

/* Free chunks kept for reuse; the rest goes back to the system. */
enum { FREE_MAX = 4 << 20 };

struct stage_chunk {
    struct stage_chunk *next;
    size_t size, capacity;
    char data[]; /* entries, one behind the other: struct entry, then the document */
};

struct entry {
    uint32_t tag, size;
};

void stage_pool_init(struct stage_pool *pool)
{
    *pool = (struct stage_pool){0};
}

void stage_pool_done(struct stage_pool *pool)
{
    assert(pool->used == 0);
    while (pool->free) {
        struct stage_chunk *next = pool->free->next;
        free(pool->free);
        pool->free = next;
    }
    *pool = (struct stage_pool){0};
}

/* A chunk with room for `need`: an ordinary one, or for a large document one of its own. */
static struct stage_chunk *chunk_take(struct stage_pool *pool, size_t need)
{
    struct stage_chunk *chunk = pool->free;
    if (need <= STAGE_CHUNK && chunk) {
        pool->free = chunk->next;
    } else {
        size_t capacity = need > STAGE_CHUNK ? need : STAGE_CHUNK;
        chunk = mem_alloc(sizeof *chunk + capacity);
        chunk->capacity = capacity;
        pool->held += capacity;
    }
    chunk->next = NULL;
    chunk->size = 0;
    pool->used += chunk->capacity;
    return chunk;
}

static void chunk_give_back(struct stage_pool *pool, struct stage_chunk *chunk)
{
    pool->used -= chunk->capacity;
    if (chunk->capacity > STAGE_CHUNK || pool->held - pool->used > FREE_MAX) {
        pool->held -= chunk->capacity;
        free(chunk);
        return;
    }
    chunk->next = pool->free;
    pool->free = chunk;
}

void stage_put(struct stage_pool *pool, struct stage *stage, uint32_t tag, struct slice document)
{
    assert(document.size <= UINT32_MAX);
    struct entry entry = {.tag = tag, .size = (uint32_t)document.size};
    size_t need = sizeof entry + document.size;
    struct stage_chunk *tail = stage->tail;
    if (!tail || tail->capacity - tail->size < need) {
        struct stage_chunk *chunk = chunk_take(pool, need);
        if (tail)
            tail->next = chunk;
        else
            stage->head = chunk;
        stage->tail = tail = chunk;
    }
    memcpy(tail->data + tail->size, &entry, sizeof entry);
    memcpy(tail->data + tail->size + sizeof entry, document.data, document.size);
    tail->size += need;
    stage->documents++;
    stage->bytes += document.size;
}

static int chunk_each(const struct stage_chunk *chunk, stage_take *take, void *context, struct error *err)
{
    for (size_t at = 0; at < chunk->size;) {
        struct entry entry;
        memcpy(&entry, chunk->data + at, sizeof entry);
        at += sizeof entry;
        if (take(context, entry.tag, (struct slice){chunk->data + at, entry.size}, err) < 0)
            return -1;
        at += entry.size;
    }
    return 0;
}

int stage_drain(struct stage_pool *pool, struct stage *stage, stage_take *take, void *context,
                struct error *err)
{
    int result = 0;
    struct stage_chunk *next;
    for (struct stage_chunk *chunk = stage->head; chunk; chunk = next) {
        next = chunk->next;
        if (result == 0)
            result = chunk_each(chunk, take, context, err);
        chunk_give_back(pool, chunk);
    }
    *stage = (struct stage){0};
    return result;
}

static int take_nothing(void *context, uint32_t tag, struct slice document, struct error *err)
{
    return 0;
}

void stage_drop(struct stage_pool *pool, struct stage *stage)
{
    struct error unused;
    stage_drain(pool, stage, take_nothing, NULL, &unused);
}
