/* The opening handshake of a websocket (RFC 6455 §4.2): an HTTP request that asks for the connection itself.
 * Private to this folder. */
#ifndef FIRTH_INGEST_HANDSHAKE_H
#define FIRTH_INGEST_HANDSHAKE_H

#include "ingest/body.h"
#include "web/http.h"

struct ingest_handshake {
    enum ingest_format format; /* of its messages, as its subprotocol says */
    /* Of a page, which can send no header but the subprotocols: "bearer." and the token in base64url. NULL:
     * none. */
    const char *token;
};

bool ingest_handshake_asked(struct http_request *http);
/* 0: the answer's headers are set, but for its status. Else the status, and a constant that says why. */
unsigned ingest_handshake_read(struct http_request *http, struct ingest_handshake *ret_handshake,
                               const char **ret_why);

#endif
