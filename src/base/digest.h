/* Digests by name, of OpenSSL's libcrypto, loaded by the processes that hash what they move (library.h). */
#ifndef FIRTH_BASE_DIGEST_H
#define FIRTH_BASE_DIGEST_H

#include "base/error.h"

#include <openssl/evp.h>

enum { DIGEST_MAX = EVP_MAX_MD_SIZE };

struct digest_api {
    typeof(EVP_Q_digest) *EVP_Q_digest; /* "MD5", "SHA-1", "SHA-256", … */
    typeof(EVP_Q_mac) *EVP_Q_mac;       /* "HMAC" of these */
};

int digest_api_load(struct digest_api *ret_api, struct error *err);

#endif
