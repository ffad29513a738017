/* Waiting for topics: one descriptor for each topic that somebody waits for, however many do. Private to this
 * folder. */
#ifndef FIRTH_INGEST_KAFKA_WATCHES_H
#define FIRTH_INGEST_KAFKA_WATCHES_H

#include "ingest/kafka/exchange.h"

enum { KAFKA_WATCHES_MAX = 64 /* that are kept though nobody waits for them */ };

struct kafka_watches;
struct kafka_watch;

/* `fired` hears of each topic that has something new, as long as somebody waits for it. */
struct kafka_watches *kafka_watches_new(void (*fired)(struct kafka *kafka, struct kafka_watch *watch));
void kafka_watches_free(struct kafka *kafka, struct kafka_watches *watches);
/* Wait for the collection; what was committed before is not told. NULL: it cannot be waited for. */
struct kafka_watch *kafka_watch_begin(struct kafka *kafka, struct kafka_watches *watches,
                                      struct slice collection);
/* Between events: those that nobody waits for go, if there are many. */
void kafka_watches_trim(struct kafka *kafka, struct kafka_watches *watches);
/* NULL is allowed. */
void kafka_watch_end(struct kafka *kafka, struct kafka_watches *watches, struct kafka_watch *watch);

#endif
