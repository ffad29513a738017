/* Push by websockets: a thread for all of them, which the HTTP server hands the sockets to once they have
 * shaken hands. */
#ifndef FIRTH_INGEST_WEBSOCKET_H
#define FIRTH_INGEST_WEBSOCKET_H

#include "ingest/check.h"
#include "web/http.h"

struct ingest_websocket;

/* `silence_ms`: then a client is asked whether it lives; 0: SOCKET_SILENCE_MS. `open`: as of webhooks. Where
 * the library for it is not installed, handshakes are answered with what is missing. */
struct ingest_websocket *ingest_websocket_open(struct ingest_captures *captures,
                                               struct ingest_workers *workers, bool open, uint64_t silence_ms,
                                               struct error *err);
/* Sockets, and those that come yet, are closed as going away, each when what it has pushed is told. */
void ingest_websocket_leave(struct ingest_websocket *websocket);
/* Every capture has been withdrawn. What is not closed by itself within `grace_ms` is dropped, and who shakes
 * hands from now on is turned away. NULL is allowed. */
void ingest_websocket_end(struct ingest_websocket *websocket, uint64_t grace_ms);
/* It has ended, and the HTTP server, whose threads ask it, is closed. NULL is allowed. */
void ingest_websocket_free(struct ingest_websocket *websocket);

/* Does the request ask for a websocket? Then its head is to be answered by ingest_websocket_head. */
bool ingest_websocket_asked(struct http_request *http);
/* HTTP_SWITCH; or HTTP_ANSWER: it is refused, and http->status and *ret_why say how. */
enum http_next ingest_websocket_head(struct ingest_websocket *websocket, struct http_request *http,
                                     const char **ret_why);
/* http.h's `switched`. */
void ingest_websocket_switched(struct ingest_websocket *websocket, struct http_request *http,
                               struct http_wire *wire);

#endif
