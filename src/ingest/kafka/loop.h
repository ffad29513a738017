/* The thread of the listener: sockets, deadlines, and what other threads say. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_LOOP_H
#define FIRTH_INGEST_KAFKA_LOOP_H

#include "ingest/kafka/exchange.h"

/* Wait for these events (EPOLLIN, EPOLLOUT) of a descriptor; `first`: it is new. */
void kafka_watch(struct kafka *kafka, int fd, struct kafka_source *source, uint32_t events, bool first);
void kafka_unwatch(struct kafka *kafka, int fd);
void kafka_exchange_free(struct kafka *kafka, struct kafka_exchange *exchange);

#endif
