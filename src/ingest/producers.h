/* Producers that number what they send (Kafka's idempotent ones): which of their batches a capture has. A
 * batch that is known is not kept again, one that does not follow the last is refused, since the one between
 * was lost or is still to come. Durable as the notes of the capture's task, each in the transaction of the
 * batch's documents. Pure. */
#ifndef FIRTH_INGEST_PRODUCERS_H
#define FIRTH_INGEST_PRODUCERS_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INGEST_PRODUCERS_MAX = 16384, /* the newest so many are known, of each collection and partition */
    INGEST_PRODUCER_BATCHES = 5,  /* the newest of one: as many as a client has on its way */
};

/* A batch: its numbers are 31 bits, and follow INT32_MAX with 0. */
struct ingest_sequence {
    int64_t producer; /* above 0; 0: it has none */
    int16_t epoch;
    uint32_t partition;
    int32_t first, last;
};

enum ingest_order {
    INGEST_IN_ORDER,      /* it is the next, and is known from here on */
    INGEST_REPEATED,      /* it is one of the newest */
    INGEST_REPEATED_LONG, /* it lies before these */
    INGEST_AHEAD,         /* what comes before it is missing */
    INGEST_FENCED,        /* its producer has begun anew since */
};

struct ingest_producers;

struct ingest_producers *ingest_producers_new(void);
void ingest_producers_free(struct ingest_producers *producers);
/* `scope` sets collections apart. *offset is kept with a batch that is in order, and given back with one that
 * is repeated. */
enum ingest_order ingest_producers_take(struct ingest_producers *producers, uint32_t scope,
                                        const struct ingest_sequence *batch, uint64_t *offset);
/* One that was kept, as a note tells; in the order they came. */
void ingest_producers_restore(struct ingest_producers *producers, uint32_t scope,
                              const struct ingest_sequence *batch, uint64_t offset);
/* Notes were dropped before these: who is not known may have been. */
void ingest_producers_cut(struct ingest_producers *producers);

#endif
