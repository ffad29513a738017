/* The HTTP client of connectors, on libcurl: requests one at a time (http_do) or many at once from one thread
 * (http_start, http_poll), over connections that are kept alive.
 *
 * A client and everything of it belong to one thread. HTTPS_PROXY, http_proxy, ALL_PROXY and NO_PROXY count
 * as libcurl has them; SSL_CERT_FILE and CURL_CA_BUNDLE name the authorities, SSL_CERT_DIR a folder of them.
 *
 * No message ever holds a URL's query or password, a header or a body: http_url_shown. */
#ifndef FIRTH_CONNECTORS_HTTP_H
#define FIRTH_CONNECTORS_HTTP_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

enum {
    HTTP_CONNECT_MS = 30 * 1000,         /* the defaults of struct http_settings */
    HTTP_STALL_MS = 190 * 1000,          /* some APIs think for three minutes */
    HTTP_RESPONSE_MAX = 64 << 20,        /* bytes of a body that is kept, decompressed */
    HTTP_HURRIED_CONNECT_MS = 10 * 1000, /* and those of a client that is hurried */
    HTTP_HURRIED_STALL_MS = 30 * 1000,
    HTTP_REDIRECTS_MAX = 10,      /* a limit, too: no setting goes beyond */
    HTTP_HEADERS_MAX = 256 << 10, /* bytes of a response's headers */
    HTTP_REFUSAL_MAX = 64 << 10,  /* of the body of an answer that is no 2xx, where bodies go to a
                                     sink: the rest is left out */
    HTTP_URL_MAX = 64 << 10,
};

/* Zeroes: the defaults above. */
struct http_settings {
    const char *user_agent;   /* "firth/0.1.0" */
    unsigned connect_ms;      /* name, connection, TLS */
    unsigned stall_ms;        /* so long without a byte, the wait for the answer included */
    unsigned connections_max; /* open at once, of all hosts; more transfers wait for one; 0: no limit */
    bool hurried;             /* somebody waits: shorter defaults, and http_do_patiently soon gives up */
    bool keep_cookies;        /* what servers set, for as long as the client lives */
    /* Looked at once a second, and when a signal came: transfers then end with HTTP_CANCELLED. May be NULL.
     */
    bool (*is_stopping)(void *context);
    void *context; /* is_stopping's */
};

struct http_header {
    const char *name, *value;
    bool secret; /* goes to the request's own origin alone: not where a redirect leads elsewhere.
                    Authorization, Cookie and Proxy-Authorization are so anyway */
};

/* What is done with a piece of a body. */
enum http_sinking {
    HTTP_GO_ON,
    HTTP_ENOUGH, /* the transfer ends here, and well */
    HTTP_PAUSE,  /* not now: the same piece comes again after http_resume */
    HTTP_FAIL,   /* the transfer fails, as HTTP_REFUSED_BY_SINK */
};

struct http_response;
struct http_transfer;

struct http_request {
    const char *method; /* NULL: GET, or POST where there is a body */
    const char *url;    /* http or https */
    const struct http_header *headers;
    size_t header_count;
    /* The body: bytes, which live until the transfer has ended; or a reader, which gives up to `size` bytes,
     * 0 at the end, -1 to fail, and goes back to the beginning when `rewind` is called (a redirect, a
     * connection that died before its first answer): 0, or -1 if it cannot. */
    struct slice body;
    int64_t (*read)(void *context, char *bytes, size_t size);
    int (*rewind)(void *context);
    int64_t read_size; /* of the reader: -1: unknown (sent in chunks) */
    /* Where the body of a 2xx answer goes; NULL: it is kept in the response. Called in http_poll, with the
     * status and the headers known. It may not call the client. */
    enum http_sinking (*sink)(void *context, const struct http_response *response, struct slice bytes);
    void *context;                 /* of read, rewind and sink */
    size_t response_max;           /* bytes of a body that is kept; 0: HTTP_RESPONSE_MAX */
    unsigned total_ms;             /* the whole of it, redirects included; 0: no limit */
    unsigned connect_ms, stall_ms; /* as in struct http_settings; 0: what is said there */
    bool keepalive;                /* TCP asks an idle connection's other end whether it is still there */
    int redirects_max;             /* 0: HTTP_REDIRECTS_MAX; -1: a redirect is an answer as any other */
    bool as_sent;                  /* bodies are not asked for in compressed form, nor decompressed */
    bool plain_path;               /* "." and ".." in the URL's path are names, not steps */
};

enum http_failure {
    HTTP_OK, /* there is an answer, whatever its status */
    HTTP_BAD_URL,
    HTTP_NO_SUCH_HOST, /* the host's name, or the proxy's */
    HTTP_NO_CONNECTION,
    HTTP_PROXY_REFUSED, /* it answers CONNECT with a status that will not pass: 407, 403 */
    HTTP_TLS,           /* the connection could not be made secure */
    HTTP_NOT_TRUSTED,   /* the server's certificate, or our authorities */
    HTTP_TIMEOUT,
    HTTP_BROKEN, /* the connection ended in mid-answer, or what came is no HTTP */
    HTTP_TOO_LARGE,
    HTTP_BAD_ENCODING, /* the body does not decompress, or ends within what was compressed */
    HTTP_REDIRECTS,    /* too many of them, or one to nowhere */
    HTTP_REFUSED_BY_SINK,
    HTTP_READER_FAILED,
    HTTP_CANCELLED,
};

/* Of the last answer: those that redirected are gone. */
struct http_response {
    int status;
    const char *url;                   /* where it came from in the end */
    const struct http_header *headers; /* in order, blanks around the values cut; trailers included */
    size_t header_count;
    struct slice body; /* where no sink took it */
    bool body_cut;     /* HTTP_REFUSAL_MAX */
};

/* The value of the first header of this name, in whatever case; NULL: none. */
const char *http_response_header(const struct http_response *response, const char *name);
/* What Retry-After asks for, in milliseconds, whether in seconds or as a date; -1: it does not say. */
int64_t http_retry_after(const struct http_response *response, const struct clock *clock);
/* May the same request be answered otherwise later: 408, 425, 429, 500, 502, 503, 504 and others of 5xx but
 * 501 and 505? */
bool http_status_may_pass(int status);

struct http_client *http_client_new(const struct http_settings *settings, struct error *err);
/* Transfers that still run are cancelled; all must have been freed by http_transfer_free before. */
void http_client_free(struct http_client *client);
MEM_DEFINE_CLEANUP(struct http_client *, http_client_free);

/* --- one at a time ----------------------------------------------------------------------------------- */

/* *ret_transfer: holds the answer, to be freed. Fails where there is none; transfers that were started
 * before go on meanwhile. */
int http_do(struct http_client *client, const struct http_request *request,
            struct http_transfer **ret_transfer, struct error *err);

/* --- many -------------------------------------------------------------------------------------------- */

/* Never fails: what is wrong with the request is told at the transfer's end. The request is copied, but not
 * its body. `tag` is what http_transfer_tag gives back. */
struct http_transfer *http_start(struct http_client *client, const struct http_request *request, void *tag);
/* Drive all transfers until one has ended, or for timeout_ms (-1: until one has). A
 * transfer that has ended, in the order in which they did, each once; NULL: none yet. */
struct http_transfer *http_poll(struct http_client *client, int timeout_ms);
/* How many have been started that http_poll has not given back. */
size_t http_running(const struct http_client *client);
void http_resume(struct http_transfer *transfer);
/* End it: http_poll gives it back as HTTP_CANCELLED, unless it had ended before. */
void http_cancel(struct http_transfer *transfer);

void *http_transfer_tag(const struct http_transfer *transfer);
/* Of a transfer that has ended: 0, or -1 and why there is no answer, by what was asked of whom. */
int http_transfer_error(const struct http_transfer *transfer, struct error *err);
enum http_failure http_transfer_failure(const struct http_transfer *transfer);
/* Lives as long as the transfer. Its body is there when it has ended. */
const struct http_response *http_transfer_response(const struct http_transfer *transfer);
/* At any time; one that runs is dropped without a trace. NULL is allowed. */
void http_transfer_free(struct http_transfer *transfer);
MEM_DEFINE_CLEANUP(struct http_transfer *, http_transfer_free);

/* --- URLs -------------------------------------------------------------------------------------------- */

/* A URL for people: without user, password, query and fragment ("https://host/path?…"). */
void http_url_shown(const char *url, struct buffer *out);
/* Same scheme, host and port? */
bool http_url_same_origin(const char *a, const char *b);
/* Percent-encode all but letters, digits and "-._~", and what `also` lists. */
void http_url_encode(struct buffer *out, struct slice text, const char *also);

/* --- trying again ------------------------------------------------------------------------------------- */

/* How long to wait between attempts; waits go through it, so that tests need none. */
struct http_backoff {
    unsigned attempts_max;         /* 0: HTTP_ATTEMPTS_MAX */
    unsigned first_ms, longest_ms; /* doubled each time; 0: HTTP_BACKOFF_MS, HTTP_BACKOFF_LONGEST_MS */
    const struct clock *clock;     /* NULL: clock_system */
    /* False: stop waiting, and trying. NULL: http_sleep, which looks at is_stopping. */
    bool (*wait)(void *context, uint64_t ms);
    void *context;
    /* Told of each wait beforehand, for a log. May be NULL. */
    void (*told)(void *context, unsigned attempt, uint64_t ms, const char *why);
};

enum {
    HTTP_ATTEMPTS_MAX = 8,
    HTTP_BACKOFF_MS = 1000,
    HTTP_BACKOFF_LONGEST_MS = 64 * 1000,
    HTTP_RETRY_AFTER_MAX_MS = 15 * 60 * 1000, /* who asks for more is not waited for */
    HTTP_HURRIED_ATTEMPTS = 3,                /* of a client that is hurried, where there are answers … */
    HTTP_HURRIED_UNANSWERED = 2,     /* … and where there are none; after the time for one is over: 1 */
    HTTP_HURRIED_WAIT_MS = 5 * 1000, /* who asks for more */
};

/* The wait before attempt number `attempt` + 1 (the first attempt is 1), with jitter: up to a quarter more.
 * What the answer asks for counts if it is longer. -1: no further attempt. `response` may be NULL. */
int64_t http_backoff_next(const struct http_backoff *backoff, unsigned attempt,
                          const struct http_response *response);
/* http_do, again as long as what fails may pass (http_status_may_pass, or no answer for a reason that may).
 * Gives the last answer, whatever its status; fails where there is none. */
int http_do_patiently(struct http_client *client, const struct http_request *request,
                      const struct http_backoff *backoff, struct http_transfer **ret_transfer,
                      struct error *err);
/* Wait; transfers go on meanwhile. False: is_stopping. */
bool http_sleep(struct http_client *client, uint64_t ms);

#endif
