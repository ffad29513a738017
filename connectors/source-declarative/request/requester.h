/* HttpRequester: one request and its answer, with authentication, budget, cache, retries and backoff. */
#ifndef FIRTH_DECLARATIVE_REQUEST_REQUESTER_H
#define FIRTH_DECLARATIVE_REQUEST_REQUESTER_H

#include "options.h"

/* What the error handler made of the answer. */
enum answer_action {
    ANSWER_SUCCESS,
    ANSWER_IGNORE,           /* no records, and no more pages */
    ANSWER_RESET_PAGINATION, /* from the first page again */
    ANSWER_REDUCE_PAGE_SIZE,
    ANSWER_SPLIT_WINDOW, /* the slice is too large */
};

/* An answer whose body is there, or is read as it comes. Lives until answer_free. */
struct answer {
    enum answer_action action;
    int status;
    const char *url;                  /* that was asked, query and all: secret */
    const struct http_response *http; /* headers; NULL if it is from the cache: then headers below */
    const struct http_header *headers;
    size_t header_count;
    struct slice body;                /* where it was kept */
    struct fiber_body_reader *reader; /* where it was asked for as a stream; else NULL */
    bool ignored;                     /* a good status, and a filter says to ignore it */
    const char *error_message;        /* of the filter that matched; NULL: none */
};
void answer_free(struct answer *answer);
MEM_DEFINE_CLEANUP(struct answer *, answer_free);
/* One that nobody was asked for: this JSON, with status 200. */
struct answer *answer_of_value(const struct tvalue *value);
/* `headers` as paginators' templates see it: names as the server wrote them, and "link", taken apart. Lives
 * in the arena. */
struct tvalue answer_headers(const struct answer *answer, struct arena *arena);
/* The answer as async jobs' templates see it: its JSON object, with "headers" and "request" where it has no
 * such members itself. A body that is none gives these alone. Lives as long as the answer. */
struct tvalue answer_context(const struct answer *answer, struct arena *arena);

enum {
    REQUEST_BODY_MAX = 256 << 20, /* bytes of an answer that is kept whole */
    REQUEST_WAIT_MAX = 24 * 3600, /* seconds between two attempts, whoever asks for more */
};

struct requester;
int requester_compile(struct engine *engine, struct component component, const char *stream_name,
                      struct requester **ret_requester, struct error *err);

/* What one call asks. */
struct request_call {
    struct tvalue stream_slice;    /* an object (tvalue_stream_slice) or none; its extra_fields are names */
    struct tvalue next_page_token; /* a dict, or none */
    const struct options *options; /* of paginator, router and cursor; NULL: none */
    struct slice path;             /* of the paginator, in place of the requester's; data NULL: none */
    bool stream_body;              /* answer.reader */
};
/* In a fiber. -1: failed for good, with failure kind in err->code (ERROR_INVALID: config, retriable:
 * transient) and what the error handler says as its message. */
int requester_send(struct requester *requester, const struct request_call *call, struct answer **ret_answer,
                   struct error *err);
/* Parameters that hold QueryProperties: each one's component is given out by name, and whoever reads pages
 * puts the properties there. False at the end. */
bool requester_property_parameter(const struct requester *requester, size_t index, struct slice *ret_name,
                                  struct component *ret_component);

#endif
