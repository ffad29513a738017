/* Private to this folder: what the requester's files share. */
#ifndef FIRTH_DECLARATIVE_REQUEST_PARTS_H
#define FIRTH_DECLARATIVE_REQUEST_PARTS_H

#include "authenticator.h"
#include "error_handler.h"
#include "requester.h"

struct property_parameter {
    struct slice name;
    struct component component;
};

struct requester {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    struct expression url, path;
    const char *method;
    struct mapping_expression parameters, headers, body_data, body_json;
    struct expression body_text;
    struct authenticator *authenticator;
    struct error_handler *error_handler;
    struct property_parameter *properties;
    size_t property_count;
    bool use_cache;
};

/* A request that is ready to be sent, any number of times. */
struct prepared {
    struct slice url; /* NUL-terminated */
    const char *method;
    struct http_header *headers;
    size_t header_count;
    struct slice body;
};
/* build.c: in a fiber, since the authenticator may have to log in. */
int request_build(struct requester *requester, const struct request_call *call, struct arena *arena,
                  struct prepared *ret_prepared, struct error *err);

/* What an answer owns. */
struct kept_answer {
    struct answer answer;
    struct arena arena;
    struct http_transfer *transfer;
};

/* --- retry.c: which attempt it is, and how long to wait for the next. Pure. */
enum retry_kind { RETRY_ASKED, RETRY_LIMITED, RETRY_PLAIN };
struct retry_state {
    unsigned tries[3]; /* of each kind */
    unsigned attempts; /* in all */
    uint64_t start_ms;
};
/* Seconds to wait, negative: no more attempts. `asked`: by a strategy, negative: none. */
double retry_next(struct retry_state *state, const struct error_handler *handler, bool rate_limited,
                  double asked, uint64_t now_ms);

#endif
