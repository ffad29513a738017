/* An S3 server, or one that speaks like it: requests that are signed, tried again and explained. */
#ifndef FIRTH_S3_S3_H
#define FIRTH_S3_S3_H

#include "connectors/files/storage.h"
#include "connectors/files/target.h"
#include "connectors/http/http.h"
#include "connectors/s3/sign.h"
#include "firth/connector.h"

struct s3_settings {
    const char *bucket;
    const char *region;   /* NULL or "": us-east-1 */
    const char *endpoint; /* a URL, or a host name (https); NULL or "": what AWS_ENDPOINT_URL_S3 or
                             AWS_ENDPOINT_URL say, else Amazon's */
    const char *key_id, *secret,
        *token; /* NULL: of the environment, or the container's; without those, requests are not signed */
    const char *role_arn, *external_id; /* to be assumed by the above; NULL: none. external_id NULL: that of
                                           AWS_ASSUME_ROLE_EXTERNAL_ID */
    const char *role_region;            /* NULL: the bucket's */
    bool anonymous;                     /* never sign */
    struct firth_host *host;            /* for the log, and to be told to stop */
};

struct s3;
struct s3 *s3_new(const struct s3_settings *settings, struct error *err);
void s3_free(struct s3 *s3);
MEM_DEFINE_CLEANUP(struct s3 *, s3_free);

struct s3_request {
    const char *method;
    const char *key;   /* "": the bucket itself */
    const char *query; /* encoded and sorted, as the signature has it; NULL: none */
    struct slice body;
    int64_t from;         /* > 0: the bytes from here on */
    const char *if_match; /* an etag; NULL: none */
    const char *content_type;
    enum http_sinking (*sink)(void *context, const struct http_response *response, struct slice bytes);
    void *context;
};

/* Once, and again as long as it is worth it. Any answer; s3_failed tells which are failures. */
int s3_do(struct s3 *s3, const struct s3_request *request, struct http_transfer **ret_transfer,
          struct error *err);
/* Started alone: the caller drives it through s3_http. s3_ready is to be called before. */
int s3_ready(struct s3 *s3, struct error *err);
struct http_transfer *s3_start(struct s3 *s3, const struct s3_request *request);
struct http_client *s3_http(struct s3 *s3);
/* -1 with *err if the answer is no 2xx: what the server says, and what that means for `what` ("read",
 * "list"). */
int s3_check(struct s3 *s3, const struct s3_request *request, const struct http_response *response,
             const char *what, struct error *err);
const char *s3_bucket(const struct s3 *s3);
struct firth_host *s3_host(const struct s3 *s3); /* NULL: none */

/* The bucket as a storage; takes the client. */
struct files_storage *s3_storage_new(struct s3 *s3);

/* Objects whose names begin with the prefix and come behind `after`. */
struct files_listing *s3_list(struct s3 *s3, const char *prefix, const char *after, struct error *err);

/* The names below a prefix as a place to write to; takes the client. Files are multipart uploads, which are
 * completed when they are published. */
struct files_target *s3_target_new(struct s3 *s3, const char *prefix);

/* Append name=value to a query, encoded. */
void s3_query(struct buffer *query, const char *name, const char *value);

#endif
