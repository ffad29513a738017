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
    unsigned connect_ms, stall_ms; /* 0: the client's */
    bool keepalive;
};
/* requester.c: one that is no HttpRequester, but has its fields; authenticator and error handler are given.
 */
int requester_compile_with(struct engine *engine, struct component component, const char *stream_name,
                           struct authenticator *authenticator, struct error_handler *error_handler,
                           struct requester **ret_requester, struct error *err);

/* A request that is ready to be sent, any number of times. */
struct prepared {
    struct slice url; /* NUL-terminated */
    const char *method;
    struct http_header *headers;
    size_t header_count, header_room;
    struct slice body;
};
/* In place of the one of this name, in whatever case, or beside the others. The value lives as long as it. */
void prepared_set_header(struct prepared *prepared, struct arena *arena, const char *name, const char *value);
void prepared_put_header(struct prepared *prepared, struct arena *arena, const struct tvalue *name,
                         const struct tvalue *value);
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
