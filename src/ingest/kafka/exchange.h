/* What the parts of the listener share: a request with its answer, the connection it came by, and the loop.
 * Private to this folder.
 *
 * One thread (loop.c) does all of it: sockets, requests, groups, reading. Another thread touches an exchange
 * in one way only: kafka_resume, by which a capture's thread says that a push is durable. */
#ifndef FIRTH_INGEST_KAFKA_EXCHANGE_H
#define FIRTH_INGEST_KAFKA_EXCHANGE_H

#include "ingest/check.h"
#include "ingest/kafka/kafka.h"
#include "ingest/kafka/wire.h"

#include "base/clock.h"
#include "store/store.h"

#include <pthread.h>

enum {
    KAFKA_FRAME_MAX = 65 << 20,          /* bytes of a request */
    KAFKA_FRAME_STRANGER_MAX = 64 << 10, /* the same of one who is not known yet */
    KAFKA_HELD_MAX = 256 << 20,          /* bytes of all requests at once; past it nothing is read */
    KAFKA_CONNECTIONS_MAX = 16384,
    KAFKA_UNDER_WAY_MAX = 32,       /* requests of one connection whose answer is not known yet */
    KAFKA_ANSWER_MAX = 80 << 20,    /* bytes of an answer */
    KAFKA_CLIENT_MS = 30 * 1000,    /* kafka_options.client_ms */
    KAFKA_IDLE_MS = 10 * 60 * 1000, /* its time to send none */
    KAFKA_SECRET_MAX = 4096,        /* bytes of a password */
    KAFKA_ADDRESS_MAX = 64,
    KAFKA_CLIENT_ID_MAX = 200,
};

/* Error codes of the protocol. */
enum kafka_error {
    KAFKA_UNKNOWN_SERVER_ERROR = -1,
    KAFKA_NONE = 0,
    KAFKA_OFFSET_OUT_OF_RANGE = 1,
    KAFKA_CORRUPT_MESSAGE = 2,
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION = 3,
    KAFKA_LEADER_NOT_AVAILABLE = 5,
    KAFKA_MESSAGE_TOO_LARGE = 10,
    KAFKA_OFFSET_METADATA_TOO_LARGE = 12,
    KAFKA_COORDINATOR_NOT_AVAILABLE = 15,
    KAFKA_INVALID_TOPIC = 17,
    KAFKA_NOT_ENOUGH_REPLICAS = 19,
    KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20,
    KAFKA_INVALID_REQUIRED_ACKS = 21,
    KAFKA_ILLEGAL_GENERATION = 22,
    KAFKA_INCONSISTENT_GROUP_PROTOCOL = 23,
    KAFKA_INVALID_GROUP_ID = 24,
    KAFKA_UNKNOWN_MEMBER_ID = 25,
    KAFKA_INVALID_SESSION_TIMEOUT = 26,
    KAFKA_REBALANCE_IN_PROGRESS = 27,
    KAFKA_TOPIC_AUTHORIZATION_FAILED = 29,
    KAFKA_GROUP_AUTHORIZATION_FAILED = 30,
    KAFKA_CLUSTER_AUTHORIZATION_FAILED = 31,
    KAFKA_UNSUPPORTED_SASL_MECHANISM = 33,
    KAFKA_ILLEGAL_SASL_STATE = 34,
    KAFKA_UNSUPPORTED_VERSION = 35,
    KAFKA_TOPIC_ALREADY_EXISTS = 36,
    KAFKA_INVALID_REQUEST = 42,
    KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT = 43,
    KAFKA_POLICY_VIOLATION = 44,
    KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER = 45,
    KAFKA_DUPLICATE_SEQUENCE_NUMBER = 46,
    KAFKA_INVALID_PRODUCER_EPOCH = 47,
    KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
    KAFKA_STORAGE_ERROR = 56,
    KAFKA_SASL_AUTHENTICATION_FAILED = 58,
    KAFKA_TOPIC_DELETION_DISABLED = 73,
    KAFKA_UNSUPPORTED_COMPRESSION_TYPE = 76,
    KAFKA_MEMBER_ID_REQUIRED = 79,
    KAFKA_GROUP_MAX_SIZE_REACHED = 81,
    KAFKA_FENCED_INSTANCE_ID = 82,
    KAFKA_INVALID_RECORD = 87,
};

struct kafka_connection;
struct kafka_exchange;

enum kafka_next {
    KAFKA_ANSWER, /* the answer is written */
    KAFKA_LATER,  /* somebody calls kafka_answered, or kafka_resume */
    KAFKA_LAST,   /* likewise, and hang up when it is sent */
    KAFKA_SILENT, /* there is none, the next request's follows */
    KAFKA_HANG_UP,
};

struct kafka_api {
    const char *name;
    int16_t key, least, most; /* versions */
    int16_t flexible;         /* from this version on */
    bool stranger;            /* also asked before the client is known */
    enum kafka_next (*handle)(struct kafka *kafka, struct kafka_exchange *exchange);
};
/* NULL: there is no such. */
const struct kafka_api *kafka_api_find(int16_t key);
extern const struct kafka_api kafka_apis[];
extern const size_t kafka_api_count;

struct kafka_exchange {
    struct kafka_connection *connection; /* NULL: it has gone, and nobody hears the answer */
    struct kafka_exchange *next;         /* of the connection, in the order they came */
    const struct kafka_api *api;
    int16_t version;
    char *frame; /* the request's bytes, which `in` reads */
    size_t size;
    struct arena arena;
    struct ingest_hold hold; /* of what is decoded and parsed */
    struct wire_reader in;
    struct buffer answer; /* the whole frame; `out` writes it */
    struct wire_writer out;
    bool known; /* the answer is */
    enum kafka_next how;

    /* Of who says KAFKA_LATER: what is done in the loop's thread after kafka_resume, and when the connection
     * goes before the answer is known (NULL: the exchange lives on until kafka_resume). */
    enum kafka_next (*resumed)(struct kafka *kafka, struct kafka_exchange *exchange);
    void (*abandoned)(struct kafka *kafka, struct kafka_exchange *exchange);
    void (*release)(struct kafka_exchange *exchange); /* frees what `owner` holds; or NULL */
    void *owner;
    struct kafka_exchange *next_resumed;
};

/* In the loop's thread. So many bytes more, or less, of requests are held. */
void kafka_count(struct kafka *kafka, int64_t more);
void kafka_answered(struct kafka *kafka, struct kafka_exchange *exchange, enum kafka_next how);
/* From any thread, once. */
void kafka_resume(struct kafka *kafka, struct kafka_exchange *exchange);

/* Something the loop waits for: the first member of whatever has a descriptor. */
struct kafka_source {
    void (*ready)(struct kafka *kafka, struct kafka_source *source, uint32_t events);
};

struct kafka {
    struct ingest_captures *captures;
    struct ingest_worker *worker;
    struct ingest_workers *workers;
    struct store *store;
    struct kafka_credentials *credentials; /* NULL: no TLS */
    char *data_dir, *token, *url;
    char *advertised_host; /* NULL: where clients connected to */
    int advertised_port;
    char cluster[40];
    uint64_t client_ms;
    bool open;

    /* Of the loop. */
    struct kafka_source listening, woken;
    int listen_fd, epoll_fd, wake_fd;
    pthread_t thread;
    bool started;
    struct kafka_connection *connections;
    struct kafka_connection *dead;   /* freed at the end of the loop's turn */
    struct kafka_connection *queued; /* something of theirs is answered: sent at its end */
    size_t connection_count;
    size_t held; /* bytes of requests */
    bool paused; /* connections wait for room */
    struct kafka_cursors *cursors;
    struct kafka_fetches *fetches;
    struct kafka_groups *groups;
    struct kafka_commits *commits;
    bool deaf;     /* no connection is taken for a moment */
    bool draining; /* nor any request any more */
    char *scratch;
    uint64_t now_ms;

    pthread_mutex_t lock; /* of what follows */
    struct kafka_exchange *resumed;
    bool leaving;
};

static inline uint64_t kafka_clock_ms(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000;
}

#endif
