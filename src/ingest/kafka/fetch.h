/* Fetches that wait for documents. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_FETCH_H
#define FIRTH_INGEST_KAFKA_FETCH_H

#include "ingest/kafka/exchange.h"

enum {
    KAFKA_FETCH_MAX = 4 << 20, /* bytes of an answer's records, but for one record that is larger */
    KAFKA_FETCH_WAIT_MAX_MS = 60 * 1000,
};

struct kafka_fetches *kafka_fetches_new(void);
void kafka_fetches_free(struct kafka *kafka, struct kafka_fetches *fetches);
/* When the first that waits is to be answered with what there is. */
uint64_t kafka_fetches_deadline(const struct kafka_fetches *fetches);
void kafka_fetches_tick(struct kafka *kafka);
/* All that wait are answered. */
void kafka_fetches_end(struct kafka *kafka);

#endif
