/* What the files of this folder share. */
#ifndef FIRTH_CONNECTORS_HTTP_INTERNAL_H
#define FIRTH_CONNECTORS_HTTP_INTERNAL_H

#include "base/curl.h"
#include "connectors/http/http.h"

struct http_client {
    struct curl_api curl;
    struct http_settings settings;
    CURLM *multi;
    CURLSH *cookies;                           /* NULL: none are kept */
    struct http_transfer *first;               /* all that have been started and not freed */
    struct http_transfer *ended, **ended_tail; /* not yet given by http_poll */
    size_t running;
};

struct http_transfer {
    struct http_client *client;
    struct http_transfer *next, **before; /* in client->first */
    struct http_transfer *next_ended;
    struct arena arena; /* what was asked */
    struct http_request request;
    void *tag;
    CURL *easy;
    struct curl_slist *headers; /* that are sent */
    char *url;                  /* of this hop, in arena */
    const char *method;
    bool has_body;
    bool body_gone; /* a redirect made it a GET */
    bool foreign;   /* no longer the origin that was asked */
    unsigned hops;
    uint64_t deadline_ns; /* 0: none */
    bool ended;
    enum http_failure failure;
    struct error error; /* where there is no answer */
    /* The answer. */
    struct arena answer; /* its headers; emptied by each hop */
    struct http_response response;
    struct http_header *items;
    size_t capacity, header_bytes;
    struct buffer body;
    size_t sent;    /* of request.body */
    size_t dropped; /* bytes of a redirect's body */
    bool stopped;   /* a callback of ours ended it, because of `cause`; HTTP_OK: there is enough */
    enum http_failure cause;
    const char *why;              /* of `cause`, in arena; may be NULL */
    struct http_decoder *decoder; /* NULL: nothing of a body has come */
    char message[CURL_ERROR_SIZE];
};

/* --- client.c: a transfer until it has ended, with an answer or without. */
struct http_transfer *http_run(struct http_client *client, const struct http_request *request);

/* --- transfer.c */
struct http_transfer *http_transfer_new(struct http_client *client, const struct http_request *request,
                                        void *tag);
/* Make the handle ready for the transfer's URL. */
void http_transfer_prepare(struct http_transfer *transfer);
/* What curl said at its end. True: it goes on elsewhere, and is to be prepared and added again. */
bool http_transfer_settle(struct http_transfer *transfer, CURLcode code);
/* It has ended without an answer. */
void http_transfer_fail(struct http_transfer *transfer, enum http_failure failure, const char *why);

/* --- receive.c: curl's callbacks */
size_t http_receive_header(char *bytes, size_t size, size_t count, void *context);
size_t http_receive_body(char *bytes, size_t size, size_t count, void *context);
/* Does this answer send us on? */
bool http_is_redirect(const struct http_transfer *transfer);
void http_receive_clear(struct http_transfer *transfer);

/* --- decode.c: Content-Encoding. These fail with the transfer's `cause` and `why` set. */
/* With the headers known, before the first bytes of a body. */
int http_decode_begin(struct http_transfer *transfer);
/* A piece of the body as it came, to whoever takes it: `take` gives back what it took, all of it, or what
 * curl is told. As curl's callbacks, all of the piece, or CURL_WRITEFUNC_PAUSE, or less. */
size_t http_decode(struct http_transfer *transfer, struct slice bytes,
                   size_t (*take)(struct http_transfer *transfer, struct slice bytes));
/* Was the body whole? */
int http_decode_end(struct http_transfer *transfer);
void http_decoder_free(struct http_decoder *decoder);

/* --- url.c: http:// or https://? */
bool http_url_is_ours(const char *url);
/* Host and port, of what may have no scheme; never user and password. */
void http_url_origin_shown(const char *url, struct buffer *out);

/* --- failure.c */
enum http_failure http_failure_of(CURLcode code);

#endif
