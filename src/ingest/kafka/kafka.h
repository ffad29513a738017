/* The Kafka-compatible listener: ordinary Kafka clients push to collections, which are its topics, and read
 * them. README.md says what of the protocol there is. */
#ifndef FIRTH_INGEST_KAFKA_KAFKA_H
#define FIRTH_INGEST_KAFKA_KAFKA_H

#include "ingest/capture.h"

struct kafka_options {
    const char *listen;             /* "127.0.0.1:9092" */
    const char *advertise;          /* what clients are told to connect to; NULL: where they did */
    const char *tls_cert, *tls_key; /* PEM files, both or neither */
    const char *token; /* who has it may read every collection; NULL: this machine's programs may */
    const char *data_dir;
    bool open;          /* others than this machine's programs may push without a token */
    uint64_t client_ms; /* a client's time to send a whole request, and to take answers; 0: KAFKA_CLIENT_MS */
};

struct kafka;

struct kafka *kafka_open(struct ingest_captures *captures, const struct kafka_options *options,
                         struct error *err);
const char *kafka_url(const struct kafka *kafka); /* "kafka://127.0.0.1:9092" */
/* Every capture has been withdrawn; what is answered by then is still sent, for so long. NULL is allowed. */
void kafka_close(struct kafka *kafka, uint64_t grace_ms);

#endif
