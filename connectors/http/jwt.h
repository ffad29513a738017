/* JSON Web Tokens, signed: RFC 7515, 7518, 8037. OpenSSL's libcrypto is loaded by the first that is signed.
 */
#ifndef FIRTH_CONNECTORS_HTTP_JWT_H
#define FIRTH_CONNECTORS_HTTP_JWT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

struct jwt_key {
    const char *algorithm;  /* HS256, HS384, HS512, RS…, PS…, ES256, ES256K, ES384, ES512, EdDSA */
    struct slice key;       /* HS…: the secret's bytes; else a private key in PEM */
    const char *passphrase; /* of the PEM; NULL: none */
};

/* Append header.payload.signature. `header` and `payload` are JSON; the header's "alg" is the caller's
 * business. No message holds anything of the key. */
int jwt_sign(const struct jwt_key *key, struct slice header, struct slice payload, struct buffer *out,
             struct error *err);

/* Base64 without padding, of the alphabet for URLs. */
void jwt_base64url(struct buffer *out, const void *bytes, size_t size);

#endif
