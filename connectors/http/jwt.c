#include "connectors/http/jwt.h"

#include "base/library.h"
#include "base/memory.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

enum { SIGNATURE_MAX = 8 << 10, KEY_MAX = 64 << 10, ES_BYTES_MAX = 66 };

struct crypto {
    typeof(BIO_new_mem_buf) *BIO_new_mem_buf;
    typeof(BIO_free) *BIO_free;
    typeof(BN_bn2binpad) *BN_bn2binpad;
    typeof(ECDSA_SIG_free) *ECDSA_SIG_free;
    typeof(ECDSA_SIG_get0) *ECDSA_SIG_get0;
    typeof(d2i_ECDSA_SIG) *d2i_ECDSA_SIG;
    typeof(ERR_clear_error) *ERR_clear_error;
    typeof(EVP_DigestSign) *EVP_DigestSign;
    typeof(EVP_DigestSignInit_ex) *EVP_DigestSignInit_ex;
    typeof(EVP_MD_CTX_free) *EVP_MD_CTX_free;
    typeof(EVP_MD_CTX_new) *EVP_MD_CTX_new;
    typeof(EVP_PKEY_CTX_set_rsa_padding) *EVP_PKEY_CTX_set_rsa_padding;
    typeof(EVP_PKEY_CTX_set_rsa_pss_saltlen) *EVP_PKEY_CTX_set_rsa_pss_saltlen;
    typeof(EVP_PKEY_free) *EVP_PKEY_free;
    typeof(EVP_PKEY_get_group_name) *EVP_PKEY_get_group_name;
    typeof(EVP_PKEY_is_a) *EVP_PKEY_is_a;
    typeof(EVP_Q_mac) *EVP_Q_mac;
    typeof(PEM_read_bio_PrivateKey) *PEM_read_bio_PrivateKey;
};

#define FUNCTION(name)                       \
    {                                        \
#name, offsetof(struct crypto, name) \
    }

static int load(struct crypto *ret_crypto, struct error *err)
{
    static const char *const NAMES[] = {"libcrypto.so.3", "libcrypto.3.dylib", "libcrypto.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(BIO_new_mem_buf),
        FUNCTION(BIO_free),
        FUNCTION(BN_bn2binpad),
        FUNCTION(ECDSA_SIG_free),
        FUNCTION(ECDSA_SIG_get0),
        FUNCTION(d2i_ECDSA_SIG),
        FUNCTION(ERR_clear_error),
        FUNCTION(EVP_DigestSign),
        FUNCTION(EVP_DigestSignInit_ex),
        FUNCTION(EVP_MD_CTX_free),
        FUNCTION(EVP_MD_CTX_new),
        FUNCTION(EVP_PKEY_CTX_set_rsa_padding),
        FUNCTION(EVP_PKEY_CTX_set_rsa_pss_saltlen),
        FUNCTION(EVP_PKEY_free),
        FUNCTION(EVP_PKEY_get_group_name),
        FUNCTION(EVP_PKEY_is_a),
        FUNCTION(EVP_Q_mac),
        FUNCTION(PEM_read_bio_PrivateKey),
    };
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_crypto, err);
}

/* --- what an algorithm is ------------------------------------------------------------------------------- */

enum kind { HMAC, RSA_PKCS1, RSA_PSS, ECDSA, EDDSA };

struct algorithm {
    const char *name;
    enum kind kind;
    const char *digest;
    const char *curve, *curve_too; /* ECDSA: its group's names */
    int bytes;                     /* ECDSA: of each half of the signature */
};

static const struct algorithm algorithms[] = {
    {"HS256", HMAC, "SHA256"},
    {"HS384", HMAC, "SHA384"},
    {"HS512", HMAC, "SHA512"},
    {"RS256", RSA_PKCS1, "SHA256"},
    {"RS384", RSA_PKCS1, "SHA384"},
    {"RS512", RSA_PKCS1, "SHA512"},
    {"PS256", RSA_PSS, "SHA256"},
    {"PS384", RSA_PSS, "SHA384"},
    {"PS512", RSA_PSS, "SHA512"},
    {"ES256", ECDSA, "SHA256", "prime256v1", "P-256", 32},
    {"ES256K", ECDSA, "SHA256", "secp256k1", "secp256k1", 32},
    {"ES384", ECDSA, "SHA384", "secp384r1", "P-384", 48},
    {"ES512", ECDSA, "SHA512", "secp521r1", "P-521", ES_BYTES_MAX},
    {"EdDSA", EDDSA, NULL},
};

static const struct algorithm *find(const char *name, struct error *err)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    error_set(
        err, ERROR_UNSUPPORTED,
        "tokens cannot be signed by '%.40s'; expected HS, RS, PS or ES with 256, 384 or 512, ES256K or EdDSA",
        name);
    return NULL;
}

/* --- keys --------------------------------------------------------------------------------------------------
 */

/* Without one of its own the library asks on the terminal. */
static int give_passphrase(char *bytes, int size, int is_writing, void *context)
{
    const char *passphrase = context;
    size_t length = passphrase ? strlen(passphrase) : 0;
    (void)is_writing;
    if (!passphrase || length > (size_t)size)
        return -1;
    memcpy(bytes, passphrase, length);
    return (int)length;
}

static bool key_fits(const struct crypto *crypto, const EVP_PKEY *key, const struct algorithm *algorithm)
{
    char group[80] = "";
    size_t size = 0;
    switch (algorithm->kind) {
    case RSA_PKCS1:
        return crypto->EVP_PKEY_is_a(key, "RSA");
    case RSA_PSS:
        return crypto->EVP_PKEY_is_a(key, "RSA") || crypto->EVP_PKEY_is_a(key, "RSA-PSS");
    case ECDSA:
        return crypto->EVP_PKEY_is_a(key, "EC") &&
               crypto->EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
               (strcmp(group, algorithm->curve) == 0 || strcmp(group, algorithm->curve_too) == 0);
    case EDDSA:
        return crypto->EVP_PKEY_is_a(key, "ED25519") || crypto->EVP_PKEY_is_a(key, "ED448");
    case HMAC:
        break;
    }
    return false;
}

static EVP_PKEY *read_key(const struct crypto *crypto, const struct jwt_key *from,
                          const struct algorithm *algorithm, struct error *err)
{
    if (from->key.size > KEY_MAX) {
        error_set(err, ERROR_LIMIT, "the private key is longer than %d bytes", KEY_MAX);
        return NULL;
    }
    BIO *bio = crypto->BIO_new_mem_buf(from->key.size ? from->key.data : "", (int)from->key.size);
    EVP_PKEY *key =
        bio ? crypto->PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)from->passphrase) : NULL;
    crypto->BIO_free(bio);
    crypto->ERR_clear_error(); /* what it says could quote the key */
    if (!key) {
        error_set(err, ERROR_INVALID,
                  "the private key cannot be read; expected PEM, \"-----BEGIN PRIVATE KEY-----\" …, %s",
                  from->passphrase ? "with this passphrase" : "without a passphrase");
        return NULL;
    }
    if (!key_fits(crypto, key, algorithm)) {
        crypto->EVP_PKEY_free(key);
        error_set(err, ERROR_INVALID, "the private key is of another kind than %s needs", algorithm->name);
        return NULL;
    }
    return key;
}

/* --- signatures
 * ----------------------------------------------------------------------------------------------- */

/* As JOSE has it: both numbers, one after the other, each of the curve's size. */
static bool flatten(const struct crypto *crypto, const struct algorithm *algorithm, unsigned char *signature,
                    size_t *size)
{
    const unsigned char *at = signature;
    const BIGNUM *r = NULL, *s = NULL;
    ECDSA_SIG *pair = crypto->d2i_ECDSA_SIG(NULL, &at, (long)*size);
    if (!pair)
        return false;
    crypto->ECDSA_SIG_get0(pair, &r, &s);
    bool done = crypto->BN_bn2binpad(r, signature, algorithm->bytes) == algorithm->bytes &&
                crypto->BN_bn2binpad(s, signature + algorithm->bytes, algorithm->bytes) == algorithm->bytes;
    crypto->ECDSA_SIG_free(pair);
    *size = 2 * (size_t)algorithm->bytes;
    return done;
}

static bool sign_with(const struct crypto *crypto, const struct algorithm *algorithm, EVP_PKEY *key,
                      struct slice text, unsigned char *signature, size_t *size)
{
    EVP_PKEY_CTX *settings = NULL; /* the context's own */
    EVP_MD_CTX *context = crypto->EVP_MD_CTX_new();
    *size = SIGNATURE_MAX;
    bool done = context && crypto->EVP_DigestSignInit_ex(context, &settings, algorithm->digest, NULL, NULL,
                                                         key, NULL) == 1;
    if (done && algorithm->kind == RSA_PSS)
        done = crypto->EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
               crypto->EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1;
    done = done &&
           crypto->EVP_DigestSign(context, signature, size, (const unsigned char *)text.data, text.size) == 1;
    crypto->EVP_MD_CTX_free(context);
    if (done && algorithm->kind == ECDSA)
        done = flatten(crypto, algorithm, signature, size);
    crypto->ERR_clear_error();
    return done;
}

static int sign(const struct jwt_key *key, const struct algorithm *algorithm, struct slice text,
                unsigned char *signature, size_t *ret_size, struct error *err)
{
    struct crypto crypto;
    bool done;
    if (load(&crypto, err) < 0)
        return -1;
    if (algorithm->kind == HMAC) {
        done = key->key.size && crypto.EVP_Q_mac(NULL, "HMAC", NULL, algorithm->digest, NULL, key->key.data,
                                                 key->key.size, (const unsigned char *)text.data, text.size,
                                                 signature, SIGNATURE_MAX, ret_size);
    } else {
        EVP_PKEY *private = read_key(&crypto, key, algorithm, err);
        if (!private)
            return -1;
        done = sign_with(&crypto, algorithm, private, text, signature, ret_size);
        crypto.EVP_PKEY_free(private);
    }
    return done ? 0 : error_set(err, ERROR_INVALID, "the key cannot sign by %s", algorithm->name);
}

/* --- tokens
 * --------------------------------------------------------------------------------------------------- */

void jwt_base64url(struct buffer *out, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *at = bytes;
    for (; size >= 3; size -= 3, at += 3) {
        unsigned group = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            buffer_byte(out, digits[group >> shift & 63]);
    }
    if (!size)
        return;
    unsigned group = (unsigned)at[0] << 16 | (size > 1 ? (unsigned)at[1] << 8 : 0);
    for (size_t i = 0; i <= size; i++)
        buffer_byte(out, digits[group >> (18 - 6 * i) & 63]);
}

int jwt_sign(const struct jwt_key *key, struct slice header, struct slice payload, struct buffer *out,
             struct error *err)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t size = 0;
    const struct algorithm *algorithm = find(key->algorithm, err);
    if (!algorithm)
        return -1;
    size_t start = out->size;
    jwt_base64url(out, header.data, header.size);
    buffer_byte(out, '.');
    jwt_base64url(out, payload.data, payload.size);
    if (out->overflowed)
        return error_set(err, ERROR_LIMIT, "the token is too large");
    if (sign(key, algorithm, (struct slice){out->data + start, out->size - start}, signature, &size, err) <
        0) {
        out->size = start;
        return -1;
    }
    buffer_byte(out, '.');
    jwt_base64url(out, signature, size);
    return 0;
}
