/* Is a request signed by whom it says it comes from? Generic HMAC, and the schemes of GitHub, Stripe, Slack
 * and Twilio. Comparisons take the same time whatever is compared. */
#ifndef FIRTH_INGEST_SIGNATURE_H
#define FIRTH_INGEST_SIGNATURE_H

#include "catalog/ingest.h"

/* What is looked at of a request. */
struct ingest_signed {
    void *context;
    const char *(*header)(void *context, const char *name); /* NULL: it is not there */
    struct slice body;                                      /* as it came, before it is decoded */
    const char *url;         /* Twilio: as the sender knows it, with its query */
    const char *body_sha256; /* Twilio: of the query; NULL: it has none */
    int64_t now;             /* Unix time, seconds */
};

/* True: it is. Else *ret_why is a constant for people. */
bool ingest_signature_right(const struct catalog_ingest_signature *signature,
                            const struct ingest_signed *request, const char **ret_why);

/* The headers that it is of, in ret_names; how many. */
enum { INGEST_SIGNATURE_HEADERS_MAX = 2 };
size_t ingest_signature_headers(const struct catalog_ingest_signature *signature,
                                const char *ret_names[INGEST_SIGNATURE_HEADERS_MAX]);

/* Do two secrets hold the same? In constant time for those of one size. */
bool ingest_secret_equal(struct slice one, struct slice other);

#endif
