#include "ingest/signature.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "ingest/form.h"

#include <sodium.h>
#include <stdlib.h>
#include <strings.h>

enum { SIGNATURES_MAX = 8 /* of one header: keys change */ };

bool ingest_secret_equal(struct slice one, struct slice other)
{
    return one.size == other.size && sodium_memcmp(one.data, other.data, one.size) == 0;
}

/* --- what is signed ----------------------------------------------------------------------------------- */

/* Append what the template makes of the request. */
static void fill(const char *template, const char *timestamp, struct slice body, struct buffer *out)
{
    for (const char *at = template; *at;) {
        if (strncmp(at, "{body}", 6) == 0) {
            buffer_append(out, body.data, body.size);
            at += 6;
        } else if (strncmp(at, "{timestamp}", 11) == 0) {
            buffer_str(out, timestamp ? timestamp : "");
            at += 11;
        } else {
            buffer_byte(out, *at++);
        }
    }
}

/* The text that a right signature is. */
static bool sign(const char *algorithm, const char *secret, struct slice text,
                 enum catalog_ingest_encoding encoding, char *ret_text, size_t size)
{
    static const struct {
        const char *name, *digest;
    } known[] = {{"sha256", "SHA256"}, {"sha1", "SHA1"}, {"sha512", "SHA512"}};
    struct digest_api api;
    struct error unused;
    unsigned char mac[DIGEST_MAX];
    size_t mac_size = 0, i = 0;
    while (i < sizeof known / sizeof *known && strcmp(known[i].name, algorithm) != 0)
        i++;
    if (i == sizeof known / sizeof *known || digest_api_load(&api, &unused) < 0 ||
        !api.EVP_Q_mac(NULL, "HMAC", NULL, known[i].digest, NULL, secret, strlen(secret),
                       (const unsigned char *)text.data, text.size, mac, sizeof mac, &mac_size))
        return false;
    if (encoding == CATALOG_SIGNED_HEX)
        return sodium_bin2hex(ret_text, size, mac, mac_size) != NULL;
    return sodium_bin2base64(ret_text, size, mac, mac_size, sodium_base64_VARIANT_ORIGINAL) != NULL;
}

static bool fresh(const char *timestamp, uint64_t max_age_s, int64_t now)
{
    int64_t then;
    if (!timestamp || !string_to_i64(timestamp, &then) || then < 0)
        return false;
    int64_t age = now > then ? now - then : then - now;
    return (uint64_t)age <= max_age_s;
}

/* Hexadecimal digits may be of either case. */
static bool same(const char *right, struct slice given, enum catalog_ingest_encoding encoding)
{
    char lower[2 * DIGEST_MAX + 1];
    if (given.size > 2 * DIGEST_MAX)
        return false;
    for (size_t i = 0; i < given.size; i++) {
        char c = given.data[i];
        lower[i] = encoding == CATALOG_SIGNED_HEX && c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    return ingest_secret_equal(slice_of(right), (struct slice){lower, given.size});
}

static const char GITHUB[] = "X-Hub-Signature-256", STRIPE[] = "Stripe-Signature",
                  SLACK[] = "X-Slack-Signature", SLACK_TIME[] = "X-Slack-Request-Timestamp",
                  TWILIO[] = "X-Twilio-Signature";

size_t ingest_signature_headers(const struct catalog_ingest_signature *signature,
                                const char *ret_names[INGEST_SIGNATURE_HEADERS_MAX])
{
    const struct {
        const char *header, *time;
    } names[] = {[CATALOG_SIGNED_NOT] = {NULL, NULL},
                 [CATALOG_SIGNED_HMAC] = {signature->header, signature->timestamp_header},
                 [CATALOG_SIGNED_GITHUB] = {GITHUB, NULL},
                 [CATALOG_SIGNED_STRIPE] = {STRIPE, NULL},
                 [CATALOG_SIGNED_SLACK] = {SLACK, SLACK_TIME},
                 [CATALOG_SIGNED_TWILIO] = {TWILIO, NULL}};
    ret_names[0] = names[signature->provider].header;
    ret_names[1] = names[signature->provider].time;
    return (size_t)(ret_names[0] != NULL) + (ret_names[0] && ret_names[1]);
}

/* --- schemes ------------------------------------------------------------------------------------------ */

static bool hmac_right(const struct catalog_ingest_signature *how, const struct ingest_signed *request,
                       const char **ret_why)
{
    const char *given = request->header(request->context, how->header);
    const char *timestamp =
        how->timestamp_header ? request->header(request->context, how->timestamp_header) : NULL;
    char right[2 * DIGEST_MAX + 1];
    struct buffer text;
    *ret_why = "the request is not signed";
    if (!given || strncasecmp(given, how->prefix, strlen(how->prefix)) != 0)
        return false;
    *ret_why = "the signature's time is missing or too long ago";
    if (how->timestamp_header && !fresh(timestamp, how->max_age_s, request->now))
        return false;
    *ret_why = "the signature is wrong";
    buffer_init(&text, BUFFER_UNLIMITED);
    fill(how->template, timestamp, request->body, &text);
    bool done = sign(how->algorithm, how->secret, (struct slice){text.data, text.size}, how->encoding, right,
                     sizeof right);
    buffer_done(&text);
    return done && same(right, slice_of(given + strlen(how->prefix)), how->encoding);
}

static bool github_right(const struct catalog_ingest_signature *how, const struct ingest_signed *request,
                         const char **ret_why)
{
    const struct catalog_ingest_signature hmac = {.secret = how->secret,
                                                  .algorithm = "sha256",
                                                  .header = GITHUB,
                                                  .prefix = "sha256=",
                                                  .template = "{body}"};
    return hmac_right(&hmac, request, ret_why);
}

static bool slack_right(const struct catalog_ingest_signature *how, const struct ingest_signed *request,
                        const char **ret_why)
{
    const struct catalog_ingest_signature hmac = {.secret = how->secret,
                                                  .algorithm = "sha256",
                                                  .header = SLACK,
                                                  .prefix = "v0=",
                                                  .template = "v0:{timestamp}:{body}",
                                                  .timestamp_header = SLACK_TIME,
                                                  .max_age_s = how->max_age_s};
    return hmac_right(&hmac, request, ret_why);
}

/* Stripe-Signature: t=1492774577,v1=5257a8…,v1=… — right if one of the v1 is. */
static bool stripe_right(const struct catalog_ingest_signature *how, const struct ingest_signed *request,
                         const char **ret_why)
{
    const char *header = request->header(request->context, STRIPE);
    struct slice given[SIGNATURES_MAX];
    char timestamp[32] = "", right[2 * DIGEST_MAX + 1];
    size_t count = 0;
    *ret_why = "the request is not signed";
    for (const char *at = header; at && *at;) {
        at += strspn(at, " ");
        size_t size = strcspn(at, ",");
        if (strncmp(at, "t=", 2) == 0 && size - 2 < sizeof timestamp) {
            memcpy(timestamp, at + 2, size - 2);
            timestamp[size - 2] = 0;
        } else if (strncmp(at, "v1=", 3) == 0 && count < SIGNATURES_MAX) {
            given[count++] = (struct slice){at + 3, size - 3};
        }
        at += size + (at[size] == ',');
    }
    if (count == 0)
        return false;
    *ret_why = "the signature's time is missing or too long ago";
    if (!fresh(timestamp, how->max_age_s, request->now))
        return false;
    *ret_why = "the signature is wrong";
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    fill("{timestamp}.{body}", timestamp, request->body, &text);
    bool found = false, done = sign("sha256", how->secret, (struct slice){text.data, text.size},
                                    CATALOG_SIGNED_HEX, right, sizeof right);
    buffer_done(&text);
    for (size_t i = 0; i < count; i++)
        found |= done && same(right, given[i], CATALOG_SIGNED_HEX);
    return found;
}

static int by_name(const void *a, const void *b)
{
    const struct ingest_field *one = a, *other = b;
    int order = slice_compare(one->name, other->name);
    return order ? order : slice_compare(one->value, other->value);
}

static bool body_is(struct slice body, const char *hex)
{
    struct digest_api api;
    struct error unused;
    unsigned char digest[DIGEST_MAX];
    char right[2 * DIGEST_MAX + 1];
    size_t size = 0;
    return digest_api_load(&api, &unused) == 0 &&
           api.EVP_Q_digest(NULL, "SHA-256", NULL, body.data, body.size, digest, &size) &&
           sodium_bin2hex(right, sizeof right, digest, size) &&
           same(right, slice_of(hex), CATALOG_SIGNED_HEX);
}

/* The URL, then each form field's name and value, by name; of another body the URL has the digest. */
static bool twilio_right(const struct catalog_ingest_signature *how, const struct ingest_signed *request,
                         const char **ret_why)
{
    const char *given = request->header(request->context, TWILIO);
    char right[2 * DIGEST_MAX + 1];
    *ret_why = "the request is not signed";
    if (!given)
        return false;
    *ret_why = "the signature is wrong";
    struct arena arena;
    struct buffer text;
    struct ingest_field *fields;
    size_t count = 0;
    bool done = true;
    arena_init(&arena);
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_str(&text, request->url);
    if (request->body_sha256)
        done = body_is(request->body, request->body_sha256);
    else if ((done = ingest_form_read(request->body, &arena, &fields, &count)) && count) {
        qsort(fields, count, sizeof *fields, by_name);
        for (size_t i = 0; i < count; i++) {
            buffer_append(&text, fields[i].name.data, fields[i].name.size);
            buffer_append(&text, fields[i].value.data, fields[i].value.size);
        }
    }
    done = done && sign("sha1", how->secret, (struct slice){text.data, text.size}, CATALOG_SIGNED_BASE64,
                        right, sizeof right);
    buffer_done(&text);
    arena_done(&arena);
    return done && same(right, slice_of(given), CATALOG_SIGNED_BASE64);
}

bool ingest_signature_right(const struct catalog_ingest_signature *signature,
                            const struct ingest_signed *request, const char **ret_why)
{
    switch (signature->provider) {
    case CATALOG_SIGNED_NOT:
        return true;
    case CATALOG_SIGNED_HMAC:
        return hmac_right(signature, request, ret_why);
    case CATALOG_SIGNED_GITHUB:
        return github_right(signature, request, ret_why);
    case CATALOG_SIGNED_STRIPE:
        return stripe_right(signature, request, ret_why);
    case CATALOG_SIGNED_SLACK:
        return slack_right(signature, request, ret_why);
    case CATALOG_SIGNED_TWILIO:
        return twilio_right(signature, request, ret_why);
    }
    return false;
}
