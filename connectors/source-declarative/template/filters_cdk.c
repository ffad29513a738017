/* The CDK's filters. */
#include "base/digest.h"
#include "run.h"
#include "text_tools.h"

#include <strings.h>

static int digest(struct run *run, const char *algorithm, struct slice text, unsigned char *out,
                  size_t *ret_size)
{
    struct digest_api api;
    struct error err;
    if (digest_api_load(&api, &err) < 0)
        return run_error(run, &err);
    if (api.EVP_Q_digest(NULL, algorithm, NULL, text.data, text.size, out, ret_size) != 1)
        return run_fail(run, "the digest %s is not to be had on this machine", algorithm);
    return 0;
}

static int give_hex(struct run *run, const unsigned char *bytes, size_t size, struct tvalue *ret_value)
{
    struct ttext out;
    run_text_init(run, &out);
    for (size_t i = 0; i < size; i++)
        ttext_printf(&out, "%02x", bytes[i]);
    return run_text(run, &out, ret_value);
}

static int filter_hash(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    /* Python's hashlib and OpenSSL's names. */
    static const struct {
        const char *name, *algorithm;
    } ALGORITHMS[] = {{"md5", "MD5"},           {"sha1", "SHA-1"},          {"sha224", "SHA2-224"},
                      {"sha256", "SHA2-256"},   {"sha384", "SHA2-384"},     {"sha512", "SHA2-512"},
                      {"sha3_224", "SHA3-224"}, {"sha3_256", "SHA3-256"},   {"sha3_384", "SHA3-384"},
                      {"sha3_512", "SHA3-512"}, {"blake2b", "BLAKE2B-512"}, {"blake2s", "BLAKE2S-256"}};
    unsigned char bytes[DIGEST_MAX];
    size_t size;
    struct tvalue text, salt;
    struct slice name = SLICE_LITERAL("md5");
    const char *algorithm = NULL;
    if (!is_absent(&a[0]) && run_string(run, &a[0], "a hash's name", &name) < 0)
        return -1;
    for (size_t i = 0; i < sizeof ALGORITHMS / sizeof *ALGORITHMS; i++) {
        if (slice_is(name, ALGORITHMS[i].name))
            algorithm = ALGORITHMS[i].algorithm;
    }
    if (!algorithm)
        return run_fail(run, "there is no hash of that name; md5, sha1, sha256 and sha512 are some");
    if (run_str_value(run, self, &text) < 0)
        return -1;
    if (!is_absent(&a[1]) && tvalue_true(&a[1])) {
        struct ttext both;
        if (run_str_value(run, &a[1], &salt) < 0)
            return -1;
        run_text_init(run, &both);
        ttext_slice(&both, text.text);
        ttext_slice(&both, salt.text);
        text.text = ttext_slice_of(&both);
    }
    return digest(run, algorithm, text.text, bytes, &size) < 0 ? -1 : give_hex(run, bytes, size, ret_value);
}

/* RFC 2104 */
static int hmac_sha256(struct run *run, struct slice key, struct slice text, unsigned char out[DIGEST_MAX])
{
    enum { BLOCK = 64, SIZE = 32 };
    unsigned char block[BLOCK] = {0}, inner[DIGEST_MAX];
    size_t size;
    if (key.size > BLOCK) {
        if (digest(run, "SHA2-256", key, inner, &size) < 0)
            return -1;
        memcpy(block, inner, SIZE);
    } else {
        memcpy(block, key.data, key.size);
    }
    char *message = arena_alloc(run->arena, BLOCK + text.size + SIZE);
    for (int i = 0; i < BLOCK; i++)
        message[i] = (char)(block[i] ^ 0x36);
    memcpy(message + BLOCK, text.data, text.size);
    if (digest(run, "SHA2-256", (struct slice){message, BLOCK + text.size}, inner, &size) < 0)
        return -1;
    for (int i = 0; i < BLOCK; i++)
        message[i] = (char)(block[i] ^ 0x5c);
    memcpy(message + BLOCK, inner, SIZE);
    return digest(run, "SHA2-256", (struct slice){message, BLOCK + SIZE}, out, &size);
}

static int filter_hmac(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    unsigned char bytes[DIGEST_MAX];
    struct tvalue text, key;
    if (!is_absent(&a[1]) && !(a[1].kind == TVALUE_STRING && slice_is(a[1].text, "sha256")))
        return run_fail(run, "hmac knows the hash sha256 alone");
    if (run_str_value(run, self, &text) < 0 || run_str_value(run, &a[0], &key) < 0 ||
        hmac_sha256(run, key.text, text.text, bytes) < 0)
        return -1;
    return give_hex(run, bytes, 32, ret_value);
}

/* value.encode(): what has no such method fails, but not as a TypeError. */
static int need_text(struct run *run, const struct tvalue *self)
{
    if (self->kind == TVALUE_UNDEFINED)
        return run_undefined(run, self);
    if (self->kind != TVALUE_STRING)
        return run_fail(run, "a text is needed, not a value of type %s", tvalue_type(self));
    return 0;
}

static int filter_base64encode(struct run *run, const struct tvalue *self, const struct tvalue *a,
                               struct tvalue *ret_value)
{
    (void)a;
    struct ttext out;
    if (need_text(run, self) < 0)
        return -1;
    run_text_init(run, &out);
    text_base64(&out, self->text);
    return run_text(run, &out, ret_value);
}

/* Despite its name it encodes, as in the CDK. */
static int filter_base64binascii_decode(struct run *run, const struct tvalue *self, const struct tvalue *a,
                                        struct tvalue *ret_value)
{
    if (need_text(run, self) < 0)
        return -1;
    for (size_t i = 0; i < self->text.size; i++) {
        if ((unsigned char)self->text.data[i] > 127)
            return run_fail(run, "base64binascii_decode needs ASCII");
    }
    return filter_base64encode(run, self, a, ret_value);
}

static int filter_base64decode(struct run *run, const struct tvalue *self, const struct tvalue *a,
                               struct tvalue *ret_value)
{
    (void)a;
    struct ttext out;
    if (need_text(run, self) < 0)
        return -1;
    run_text_init(run, &out);
    if (!text_base64_decode(&out, self->text))
        return run_fail(run, "a text is not base 64: its padding is wrong");
    if (!utf8_valid(out.data ? out.data : "", out.size))
        return run_fail(run, "what base64decode gives is not UTF-8");
    return run_text(run, &out, ret_value);
}

static int filter_string(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    (void)a;
    struct ttext out;
    struct tvalue wrong;
    *ret_value = *self;
    if (self->kind == TVALUE_STRING)
        return 0;
    run_text_init(run, &out);
    ttext_cstring(&out, "\"\"\"");
    if (tvalue_json_dumps(&out, self, (struct tvalue_json_style){.indent = -1}, &wrong) < 0)
        return run_type_error(run, "a value of type %s cannot be written as JSON", tvalue_type(&wrong));
    ttext_cstring(&out, "\"\"\"");
    return run_text(run, &out, ret_value);
}

static int filter_regex_search(struct run *run, const struct tvalue *self, const struct tvalue *a,
                               struct tvalue *ret_value)
{
    struct slice text, pattern;
    if (run_string(run, &a[0], "a pattern", &pattern) < 0 ||
        run_string(run, self, "what is searched", &text) < 0)
        return -1;
    return run_regex_search(run, text, pattern, ret_value);
}

static int filter_regex_replace(struct run *run, const struct tvalue *self, const struct tvalue *a,
                                struct tvalue *ret_value)
{
    struct slice text, pattern, replacement;
    if (run_string(run, &a[0], "a pattern", &pattern) < 0 ||
        run_string(run, &a[1], "a replacement", &replacement) < 0 ||
        run_string(run, self, "what is searched", &text) < 0)
        return -1;
    return run_regex_replace(run, text, pattern, replacement, ret_value);
}

const struct filter filters_cdk[] = {
    {{.name = "hash", .function = filter_hash, .parameters = {"hash_type", "salt"}}},
    {{.name = "hmac", .function = filter_hmac, .required = 1, .parameters = {"key", "hash_type"}}},
    {{.name = "base64encode", .function = filter_base64encode}},
    {{.name = "base64decode", .function = filter_base64decode}},
    {{.name = "base64binascii_decode", .function = filter_base64binascii_decode}},
    {{.name = "string", .function = filter_string}},
    {{.name = "regex_search", .function = filter_regex_search, .required = 1, .parameters = {"regex"}}},
    {{.name = "regex_replace",
      .function = filter_regex_replace,
      .required = 2,
      .parameters = {"regex", "replacement"}}},
    {{.name = NULL}},
};
