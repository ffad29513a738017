/* A client's connection: bytes to requests, answers to bytes, in the order the requests came. Private to this
 * folder. */
#ifndef FIRTH_INGEST_KAFKA_CONNECTION_H
#define FIRTH_INGEST_KAFKA_CONNECTION_H

#include "ingest/kafka/exchange.h"
#include "ingest/kafka/stream.h"

struct kafka_connection {
    struct kafka_source source; /* first */
    struct kafka_connection *next, *previous;
    struct kafka_stream stream;
    bool near;    /* both ends are loopback addresses */
    bool trusted; /* it may ask before it is known: it is near, or everybody may */
    bool closed;  /* in the list of the dead, for the end of the loop's turn */
    char peer[KAFKA_ADDRESS_MAX], host[KAFKA_ADDRESS_MAX]; /* the client's address, and ours */
    int port;                                              /* ours */
    char client_id[KAFKA_CLIENT_ID_MAX + 1];               /* of its last request */

    char head[4]; /* of the request that is coming */
    size_t head_size;
    struct buffer frame;
    size_t wanted; /* bytes of it; 0: the head is not there yet */

    struct kafka_exchange *first, **last; /* under way */
    unsigned under_way;
    struct buffer out;
    size_t sent;     /* of `out` */
    uint32_t events; /* that the loop waits for */
    bool hang_up;    /* once `out` is sent */
    bool queued;     /* kafka.queued */
    struct kafka_connection *next_queued;

    uint64_t since_ms; /* when it last did what it is waited for */
    uint64_t out_ms;   /* when answers last went on; of a client that does not take them */

    enum { KAFKA_STRANGER, KAFKA_NAMED, KAFKA_SASL_RAW, KAFKA_SASL, KAFKA_KNOWN } state;
    struct slice password; /* of one who is known; secret */
};

void kafka_connection_accept(struct kafka *kafka, int fd);
void kafka_connection_close(struct kafka *kafka, struct kafka_connection *connection);
void kafka_connection_free(struct kafka_connection *connection);
/* It takes too long for what it is to do. */
bool kafka_connection_late(const struct kafka *kafka, const struct kafka_connection *connection);
/* What is answered goes out, and more is read if there is room. */
void kafka_connection_go_on(struct kafka *kafka, struct kafka_connection *connection);

/* May its client push to the binding; may it read? */
bool kafka_may_push(const struct kafka *kafka, const struct kafka_connection *connection,
                    const struct ingest_binding *binding);
bool kafka_may_read(const struct kafka *kafka, const struct kafka_connection *connection);
/* SASL: what follows the old handshake is bytes, not requests. -1: hang up. */
int kafka_sasl_raw(struct kafka *kafka, struct kafka_connection *connection, struct slice bytes);

#endif
