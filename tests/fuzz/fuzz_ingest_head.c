/* The first line is Content-Encoding, the second the signature's header, the third its time, the rest the
 * body. Whatever they are:
 * - no more comes out of a body than may, and the same twice;
 * - who is refused is told why, and nobody guesses a signature. */
#include "ingest/decode.h"
#include "ingest/signature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED_MAX = 64 << 10 };

struct head {
    char *lines[3];
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static const char *find(void *context, const char *name)
{
    const struct head *head = context;
    return strstr(name, "Time") ? head->lines[2] : head->lines[1];
}

static void check_signatures(struct head *head, struct slice body)
{
    for (int provider = CATALOG_SIGNED_HMAC; provider <= CATALOG_SIGNED_TWILIO; provider++) {
        const struct catalog_ingest_signature how = {.provider = (enum catalog_ingest_provider)provider,
                                                     .secret = "a secret that no input has",
                                                     .algorithm = "sha512",
                                                     .header = "X-Signature",
                                                     .prefix = "v=",
                                                     .encoding = CATALOG_SIGNED_BASE64,
                                                     .template = "{timestamp}.{body}{",
                                                     .timestamp_header = "X-Time",
                                                     .max_age_s = 300};
        const struct ingest_signed request = {head,           find,      body, "https://example.com/",
                                              head->lines[0], 1531420618};
        const char *why = NULL;
        must(!ingest_signature_right(&how, &request, &why) && why);
    }
}

static void check_encoding(const char *encodings, struct slice body)
{
    struct buffer out, again;
    struct slice decoded, twice;
    struct error err;
    buffer_init(&out, DECODED_MAX);
    buffer_init(&again, DECODED_MAX);
    int result = ingest_decode(encodings, body, &out, &decoded, &err);
    must(out.size <= DECODED_MAX);
    must(ingest_decode(encodings, body, &again, &twice, &err) == result);
    if (result == 0)
        must(decoded.size == twice.size &&
             (decoded.size == 0 || memcmp(decoded.data, twice.data, twice.size) == 0));
    else
        must(err.code == ERROR_INVALID || err.code == ERROR_LIMIT || err.code == ERROR_UNSUPPORTED);
    buffer_done(&out);
    buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct head head;
    const char *at = (const char *)data, *end = at + size;
    arena_init(&arena);
    for (int i = 0; i < 3; i++) {
        const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        const char *stop = newline ? newline : end;
        head.lines[i] = arena_strndup(&arena, at, (size_t)(stop - at));
        at = newline ? newline + 1 : end;
    }
    struct slice body = {at, (size_t)(end - at)};
    check_signatures(&head, body);
    check_encoding(head.lines[0], body);
    arena_done(&arena);
    return 0;
}
