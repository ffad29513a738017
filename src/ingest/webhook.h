/* Push by HTTP: POST and PUT of documents, answered once they are durable; websockets begin here
 * (websocket.h). */
#ifndef FIRTH_INGEST_WEBHOOK_H
#define FIRTH_INGEST_WEBHOOK_H

#include "ingest/capture.h"
#include "web/http.h"

struct ingest_webhook_options {
    const char *listen;             /* http.h */
    const char *tls_cert, *tls_key; /* PEM files, both or neither */
    bool open;                      /* others than this machine's programs may push without a token */
    uint64_t silence_ms;            /* of a websocket's client, before it is asked; 0: as socket.h has it */
    uint64_t client_ms;             /* as http.h has it */
};

struct ingest_webhook;
struct ingest_webhook *ingest_webhook_open(struct ingest_captures *captures,
                                           const struct ingest_webhook_options *options, struct error *err);
const char *ingest_webhook_url(const struct ingest_webhook *webhook);
/* Those that are open, websockets among them. NULL is allowed. */
size_t ingest_webhook_connections(const struct ingest_webhook *webhook);
/* Websockets are closed, each when what it has pushed is told. NULL is allowed. */
void ingest_webhook_leave(struct ingest_webhook *webhook);
/* Every capture has been withdrawn. */
void ingest_webhook_close(struct ingest_webhook *webhook, uint64_t grace_ms);

#endif
