/* A message of a websocket, from its text to its push. Private to this folder. */
#ifndef FIRTH_INGEST_MESSAGE_H
#define FIRTH_INGEST_MESSAGE_H

#include "ingest/socket.h"

enum ingest_message_state {
    MESSAGE_WAITS,
    MESSAGE_PUSHED,
    MESSAGE_TOLD, /* `result` says what became of it */
};

struct ingest_message {
    struct ingest_push push; /* first: a push is its message */
    struct ingest_socket *socket;
    struct ingest_sockets *sockets;
    struct ingest_message *next;      /* of its socket, in the order they came */
    struct ingest_message *next_told; /* of those told elsewhere */
    uint64_t number;                  /* from 1 */
    struct buffer text;
    struct arena arena;
    struct ingest_hold hold; /* of what is parsed */
    enum ingest_message_state state;
    enum ingest_result result;
};

/* Takes what is in `text`. */
struct ingest_message *ingest_message_new(struct ingest_sockets *sockets, struct ingest_socket *socket,
                                          uint64_t number, struct buffer *text);
void ingest_message_free(struct ingest_message *message);
/* What it takes of SOCKETS_BYTES_MAX. */
size_t ingest_message_weight(const struct ingest_message *message);

enum ingest_taken {
    INGEST_TAKEN,     /* pushed, or told already */
    INGEST_LATER,     /* there is no room; nothing has changed */
    INGEST_TOO_OFTEN, /* maxRequestsPerSecond; nothing has changed */
    INGEST_CHANGED,   /* the capture is another one, or away */
    INGEST_REFUSED,   /* *ret_problem says why */
};

/* The capture that allowed the socket, if it is still there; as ingest_find has it, to be released. */
bool ingest_message_find(struct ingest_captures *captures, const struct ingest_socket_plan *plan,
                         struct ingest_capture **ret_capture, size_t *ret_binding);
/* Parse, validate, push. `csv`: of the socket, its arena holds nothing but the header. */
enum ingest_taken ingest_message_take(struct ingest_message *message, const struct ingest_socket_plan *plan,
                                      struct ingest_csv *csv, struct ingest_problem *ret_problem);
/* {"Error":…,"ApproximateFrame":N} of a refusal, as Flow said it, and more; in the message's arena. */
struct slice ingest_message_error(struct ingest_message *message, const struct ingest_problem *problem);

#endif
