/* A thread for requests that take long to be understood, one after the other: a listener's own threads, which
 * others wait for, go on. Private to this folder. */
#ifndef FIRTH_INGEST_SLOW_H
#define FIRTH_INGEST_SLOW_H

#include "base/error.h"

#include <stdbool.h>

struct ingest_slow_item {
    struct ingest_slow_item *next;
};

struct ingest_slow;
/* `work` is called in its thread; the item is its own again. */
struct ingest_slow *ingest_slow_new(void (*work)(void *context, struct ingest_slow_item *item), void *context,
                                    struct error *err);
/* False: it has ended, and the item stays the caller's. */
bool ingest_slow_put(struct ingest_slow *slow, struct ingest_slow_item *item);
/* What was put is worked off, and nothing more taken. NULL is allowed. */
void ingest_slow_end(struct ingest_slow *slow);
/* It has ended. NULL is allowed. */
void ingest_slow_free(struct ingest_slow *slow);

#endif
