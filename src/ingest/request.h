/* What is asked of a request's head: who it comes from, whether it may, what is told of it in `_meta`.
 * Private to this folder. */
#ifndef FIRTH_INGEST_REQUEST_H
#define FIRTH_INGEST_REQUEST_H

#include "catalog/ingest.h"
#include "ingest/body.h"
#include "web/http.h"

/* 0: it may push; else the status, and why, which lives as long as the request. `token`: what it brought
 * elsewhere than in Authorization; NULL: nothing. `open`: also from afar without a token. */
unsigned ingest_request_allowed(struct http_request *http, const struct catalog_ingest *options,
                                const char *token, bool open, const char **ret_why);
bool ingest_request_signed(const struct http_request *http, const struct catalog_ingest *options,
                           const struct http_server *server, const char **ret_why);
/* Add what lets a page of its origin read the answer; false: the origin is not one of 'corsOrigins'. */
bool ingest_request_cors(struct http_request *http, const struct catalog_ingest *options);
/* Lives in the request's arena. `capture`: of a request to several of its resources; else NULL. */
void ingest_request_origin(struct http_request *http, const struct catalog_ingest *options,
                           const struct ingest_capture *capture, struct ingest_origin *ret_origin);
/* As it is for a push of its own, later: with `id`, or a new one if that is NULL. In the arena. */
void ingest_request_origin_renew(struct ingest_origin *origin, const struct catalog_ingest *options,
                                 const char *id, struct arena *arena);
uint64_t ingest_request_second(void);

#endif
