/* A webhook's requests, as webhook.c and webhook_push.c see them. */
#ifndef FIRTH_INGEST_WEBHOOK_PARTS_H
#define FIRTH_INGEST_WEBHOOK_PARTS_H

#include "ingest/check.h"
#include "ingest/slow.h"
#include "ingest/webhook.h"

enum { WEBHOOK_LANES_MAX = 4 };

struct ingest_webhook {
    struct ingest_captures *captures;
    struct ingest_workers *workers;
    struct ingest_websocket *websocket;
    struct http_server *http;
    struct ingest_slow *slow;
    bool open;
    /* Of each lane: pushes that go to their capture together, which is found until then; NULL: none. */
    struct webhook_gathered {
        struct ingest_capture *capture;
        struct ingest_push *first, **last;
    } gathered[WEBHOOK_LANES_MAX];
};

struct webhook_request {
    struct ingest_push push; /* first: a push is its request */
    struct http_request *http;
    enum ingest_result result;
    struct buffer decoded;
    struct slice body;            /* if `is_decoded` */
    bool is_decoded;              /* already, to see how large it is */
    bool slow, answered;          /* it is understood by the slow thread; it needs no push */
    struct ingest_slow_item item; /* of that thread's */
};

/* --- webhook.c ---------------------------------------------------------------------------------------- */

/* The bare form: {"collection":[…]} to whichever capture has these. */
bool webhook_is_root(const char *path);
const char *webhook_not_found(enum ingest_found found);
/* `text` is the answer. */
void webhook_answer(struct http_request *http, unsigned status, struct slice text);
enum http_next webhook_refuse(struct http_request *http, unsigned status, const char *why);
/* So many documents are durable. */
enum http_next webhook_answer_count(struct http_request *http, size_t count, bool duplicate);

/* --- webhook_push.c ----------------------------------------------------------------------------------- */

/* Understand the body and push what it says: HTTP_ANSWER, or HTTP_LATER, and then the request is not the
 * caller's any more. */
enum http_next webhook_take(struct ingest_webhook *webhook, struct webhook_request *request);
/* What a lane's requests have pushed goes to its capture; in the lane's thread. */
void webhook_together(void *webhook, unsigned lane);

#endif
