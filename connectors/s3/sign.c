#include "sign.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

enum { HASH = 32 };

static void to_hex(const unsigned char *bytes, char text[S3_SHA256_TEXT])
{
    sodium_bin2hex(text, S3_SHA256_TEXT, bytes, HASH);
}

void s3_sha256(struct slice bytes, char text[S3_SHA256_TEXT])
{
    unsigned char hash[HASH];
    crypto_hash_sha256(hash, (const unsigned char *)(bytes.data ? bytes.data : ""), bytes.size);
    to_hex(hash, text);
}

void s3_time(int64_t wall_ms, char text[17])
{
    struct tm parts;
    time_t seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &parts);
    strftime(text, 17, "%Y%m%dT%H%M%SZ", &parts);
}

static void put_signed_names(const struct s3_to_sign *request, struct buffer *out)
{
    for (size_t i = 0; i < request->header_count; i++)
        buffer_printf(out, "%s%s", i ? ";" : "", request->headers[i].name);
}

void s3_canonical_request(const struct s3_to_sign *request, struct buffer *out)
{
    buffer_printf(out, "%s\n%s\n%s\n", request->method, request->path, request->query);
    for (size_t i = 0; i < request->header_count; i++)
        buffer_printf(out, "%s:%s\n", request->headers[i].name, request->headers[i].value);
    buffer_byte(out, '\n');
    put_signed_names(request, out);
    buffer_printf(out, "\n%s", request->payload_hash);
}

static void keyed(const unsigned char *key, size_t key_size, struct slice text, unsigned char hash[HASH])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.data, text.size);
    crypto_auth_hmacsha256_final(&state, hash);
}

/* From the secret by way of day, region and service: a key that is good for these alone. */
static void signing_key(const struct s3_to_sign *request, const char *secret, unsigned char key[HASH])
{
    struct buffer first;
    buffer_init(&first, BUFFER_UNLIMITED);
    buffer_printf(&first, "AWS4%s", secret);
    keyed((const unsigned char *)first.data, first.size, (struct slice){request->time, 8}, key);
    sodium_memzero(first.data, first.size);
    buffer_done(&first);
    keyed(key, HASH, slice_of(request->region), key);
    keyed(key, HASH, slice_of(request->service), key);
    keyed(key, HASH, SLICE_LITERAL("aws4_request"), key);
}

void s3_authorization(const struct s3_to_sign *request, const struct s3_credentials *credentials,
                      struct buffer *out)
{
    struct buffer text;
    unsigned char key[HASH], signature[HASH];
    char hash[S3_SHA256_TEXT];
    buffer_init(&text, BUFFER_UNLIMITED);
    s3_canonical_request(request, &text);
    s3_sha256((struct slice){text.data, text.size}, hash);
    buffer_clear(&text);
    buffer_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", request->time, request->time,
                  request->region, request->service, hash);
    signing_key(request, credentials->secret, key);
    keyed(key, HASH, (struct slice){text.data, text.size}, signature);
    to_hex(signature, hash);
    buffer_printf(out, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request,SignedHeaders=",
                  credentials->key_id, request->time, request->region, request->service);
    put_signed_names(request, out);
    buffer_printf(out, ",Signature=%s", hash);
    sodium_memzero(key, sizeof key);
    buffer_done(&text);
}
