/* AWS Signature Version 4: what proves to an S3 server who asks, and that nothing was changed on the way. */
#ifndef FIRTH_S3_SIGN_H
#define FIRTH_S3_SIGN_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdint.h>

enum { S3_SHA256_TEXT = 65 }; /* hexadecimal, with its NUL */

struct s3_credentials {
    const char *key_id, *secret;
    const char *token; /* of temporary credentials; NULL: none */
};

struct s3_signed_header {
    const char *name; /* lower case */
    const char *value;
};

struct s3_to_sign {
    const char *method;
    const char *path;                       /* encoded, as it is sent */
    const char *query;                      /* encoded, sorted by name, without '?'; "" for none */
    const struct s3_signed_header *headers; /* sorted by name: host, x-amz-date and others */
    size_t header_count;
    const char *payload_hash; /* s3_sha256 of the body, or UNSIGNED-PAYLOAD */
    const char *region, *service;
    const char *time; /* s3_time */
};

void s3_sha256(struct slice bytes, char text[S3_SHA256_TEXT]);
/* "20130524T000000Z" */
void s3_time(int64_t wall_ms, char text[17]);
/* The canonical request, for tests and messages. */
void s3_canonical_request(const struct s3_to_sign *request, struct buffer *out);
/* The value of the header Authorization. */
void s3_authorization(const struct s3_to_sign *request, const struct s3_credentials *credentials,
                      struct buffer *out);

#endif
