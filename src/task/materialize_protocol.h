/* The order of a materialization's session: which message may be sent, which may come. Pure.
 *
 *   open > opened, then for each transaction
 *   > acknowledge, > load*, < acknowledged, > flush, < loaded*, < flushed, > store*, > startCommit,
 *   < startedCommit, and our own commit */
#ifndef FIRTH_TASK_MATERIALIZE_PROTOCOL_H
#define FIRTH_TASK_MATERIALIZE_PROTOCOL_H

#include "protocol/flow_materialize.h"

enum materialize_phase {
    MATERIALIZE_OPENING,    /* `open` was sent */
    MATERIALIZE_OPENED,     /* nothing was acknowledged yet */
    MATERIALIZE_LOADING,    /* `acknowledge` was sent: loads may follow */
    MATERIALIZE_FLUSHING,   /* `flush` was sent */
    MATERIALIZE_STORING,    /* flushed */
    MATERIALIZE_COMMITTING, /* `startCommit` was sent */
    MATERIALIZE_COMMITTED,  /* at the endpoint: it is to be committed here, and acknowledged */
    MATERIALIZE_LEAVING,    /* the connector's input was closed */
};

struct materialize_protocol {
    enum materialize_phase phase;
    bool acknowledged; /* the answer to the last `acknowledge` is there */
    uint64_t transactions;
};

/* We send it; it is a bug if it is not due. */
void materialize_sent(struct materialize_protocol *protocol, enum flow_materialize_request_type type);
void materialize_left(struct materialize_protocol *protocol);
/* It came: ERROR_PROTOCOL, retriable, if it was not due. */
int materialize_received(struct materialize_protocol *protocol, enum flow_materialize_response_type type,
                         struct error *err);
/* What the connector owes, for people: "the answer to 'startCommit'". NULL: nothing, it waits for us. */
const char *materialize_due(const struct materialize_protocol *protocol);
/* Where the session is, for people: "while documents are stored". */
const char *materialize_place(const struct materialize_protocol *protocol);
/* Between transactions: the connector may be left. */
bool materialize_may_leave(const struct materialize_protocol *protocol);

#endif
