/* Staging: documents that no checkpoint covers yet wait here, outside the store's transaction, so that what
 * the store holds is always committable.
 *
 * One pool of equal chunks serves the stages of all bindings: its size is the bound of their memory. */
#ifndef FIRTH_TASK_STAGE_H
#define FIRTH_TASK_STAGE_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

struct stage_chunk;

struct stage_pool {
    struct stage_chunk *free;
    size_t held; /* bytes of all chunks, free ones included */
    size_t used; /* bytes of chunks that hold documents */
};

struct stage {
    struct stage_chunk *head, *tail;
    uint64_t documents, bytes; /* bytes of documents alone */
};

enum { STAGE_CHUNK = 128 << 10 };

void stage_pool_init(struct stage_pool *pool);
void stage_pool_done(struct stage_pool *pool);

/* Add a copy of the document, to be given back with its tag. */
void stage_put(struct stage_pool *pool, struct stage *stage, uint32_t tag, struct slice document);

typedef int stage_take(void *context, uint32_t tag, struct slice document, struct error *err);
/* Hand every document to `take` in the order they came, and empty the stage. After an error of `take` the
 * stage is empty as well. */
int stage_drain(struct stage_pool *pool, struct stage *stage, stage_take *take, void *context,
                struct error *err);
/* Empty it, documents lost. */
void stage_drop(struct stage_pool *pool, struct stage *stage);

#endif
