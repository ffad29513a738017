/* Who asks an S3 server: a key, that of the environment or of the container that we run in, or a role that
 * one of these may assume. */
#ifndef FIRTH_S3_IDENTITY_H
#define FIRTH_S3_IDENTITY_H

#include "base/memory.h"
#include "connectors/http/http.h"
#include "connectors/s3/sign.h"

struct s3_settings;
struct s3_identity;

/* `region` and `endpoint` (NULL: Amazon's): where roles are assumed, if the environment does not say
 * (AWS_ENDPOINT_URL_STS). */
struct s3_identity *s3_identity_new(const struct s3_settings *settings, const char *region,
                                    const char *endpoint);
void s3_identity_free(struct s3_identity *identity);
MEM_DEFINE_CLEANUP(struct s3_identity *, s3_identity_free);

/* Fetch what has to be fetched, and again before it expires. To be called before each request that is signed.
 */
int s3_identity_ready(struct s3_identity *identity, struct http_client *http, struct error *err);
/* NULL: requests are not signed. Lives until the next call of s3_identity_ready. */
const struct s3_credentials *s3_identity_credentials(const struct s3_identity *identity);

#endif
