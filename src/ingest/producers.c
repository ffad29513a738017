#include "ingest/producers.h"

#include "base/map.h"

#include <stdlib.h>

/* A map finds a producer, a list has them in the order of their newest batch: the oldest is forgotten. Once
 * one was, a stranger's first batch may have any number; until then it must be 0, or its predecessor was
 * refused a moment ago and would be taken for a repetition when it comes again. */

struct key {
    int64_t producer;
    uint32_t scope, partition;
};

struct batch {
    int32_t first, last;
    uint64_t offset;
};

struct producer {
    struct key key;
    struct producer *older, *newer;
    struct batch batches[INGEST_PRODUCER_BATCHES]; /* the newest first */
    unsigned count;
    int16_t epoch;
};

struct ingest_producers {
    struct map map;
    struct producer *oldest, *newest;
    bool cut;
};

struct ingest_producers *ingest_producers_new(void)
{
    struct ingest_producers *producers = mem_zalloc(sizeof *producers);
    map_init(&producers->map);
    return producers;
}

void ingest_producers_free(struct ingest_producers *producers)
{
    if (!producers)
        return;
    for (struct producer *producer = producers->oldest, *next; producer; producer = next) {
        next = producer->newer;
        free(producer);
    }
    map_done(&producers->map);
    free(producers);
}

void ingest_producers_cut(struct ingest_producers *producers)
{
    producers->cut = true;
}

/* --- the list ----------------------------------------------------------------------------------------- */

static void take_out(struct ingest_producers *producers, struct producer *producer)
{
    *(producer->older ? &producer->older->newer : &producers->oldest) = producer->newer;
    *(producer->newer ? &producer->newer->older : &producers->newest) = producer->older;
}

static void put_newest(struct ingest_producers *producers, struct producer *producer)
{
    producer->newer = NULL;
    producer->older = producers->newest;
    *(producers->newest ? &producers->newest->newer : &producers->oldest) = producer;
    producers->newest = producer;
}

static struct slice bytes_of(const struct key *key)
{
    return (struct slice){(const char *)key, sizeof *key};
}

static void forget_oldest(struct ingest_producers *producers)
{
    struct producer *oldest = producers->oldest;
    map_remove(&producers->map, bytes_of(&oldest->key));
    take_out(producers, oldest);
    free(oldest);
    producers->cut = true;
}

static struct producer *add(struct ingest_producers *producers, const struct key *key)
{
    if (producers->map.count == INGEST_PRODUCERS_MAX)
        forget_oldest(producers);
    struct producer *producer = mem_zalloc(sizeof *producer);
    producer->key = *key;
    map_set(&producers->map, bytes_of(key), producer);
    put_newest(producers, producer);
    return producer;
}

/* --- batches ------------------------------------------------------------------------------------------ */

static uint32_t distance(int32_t from, int32_t to)
{
    return ((uint32_t)to - (uint32_t)from) & INT32_MAX;
}

static enum ingest_order order_of(const struct producer *producer, const struct ingest_sequence *batch,
                                  uint64_t *offset)
{
    if (batch->epoch < producer->epoch)
        return INGEST_FENCED;
    if (batch->epoch > producer->epoch)
        return batch->first == 0 ? INGEST_IN_ORDER : INGEST_AHEAD;
    for (unsigned i = 0; i < producer->count; i++) {
        if (producer->batches[i].first == batch->first && producer->batches[i].last == batch->last) {
            *offset = producer->batches[i].offset;
            return INGEST_REPEATED;
        }
    }
    uint32_t from_last = distance(producer->batches[0].last, batch->first);
    if (from_last == 1)
        return INGEST_IN_ORDER;
    /* Half of the numbers lie before it, the others behind. */
    bool before = from_last == 0 || from_last > INT32_MAX / 2;
    return before && distance(batch->last, producer->batches[0].last) <= INT32_MAX / 2 ? INGEST_REPEATED_LONG
                                                                                       : INGEST_AHEAD;
}

static void keep(struct ingest_producers *producers, struct producer *producer,
                 const struct ingest_sequence *batch, uint64_t offset)
{
    if (batch->epoch != producer->epoch)
        producer->count = 0;
    producer->epoch = batch->epoch;
    if (producer->count < INGEST_PRODUCER_BATCHES)
        producer->count++;
    memmove(producer->batches + 1, producer->batches, (producer->count - 1) * sizeof *producer->batches);
    producer->batches[0] = (struct batch){batch->first, batch->last, offset};
    take_out(producers, producer);
    put_newest(producers, producer);
}

enum ingest_order ingest_producers_take(struct ingest_producers *producers, uint32_t scope,
                                        const struct ingest_sequence *batch, uint64_t *offset)
{
    const struct key key = {batch->producer, scope, batch->partition};
    struct producer *producer = map_get(&producers->map, bytes_of(&key));
    enum ingest_order order = INGEST_IN_ORDER;
    if (producer)
        order = order_of(producer, batch, offset);
    else if (batch->first != 0 && !producers->cut)
        order = INGEST_AHEAD;
    if (order == INGEST_IN_ORDER)
        keep(producers, producer ? producer : add(producers, &key), batch, *offset);
    return order;
}

void ingest_producers_restore(struct ingest_producers *producers, uint32_t scope,
                              const struct ingest_sequence *batch, uint64_t offset)
{
    const struct key key = {batch->producer, scope, batch->partition};
    struct producer *producer = map_get(&producers->map, bytes_of(&key));
    keep(producers, producer ? producer : add(producers, &key), batch, offset);
}
