/* Tokens: RFC 7515's own example, and each algorithm with a fresh key, verified by OpenSSL; access tokens
 * from a server on loopback. */
#include "connectors/http/oauth.h"
#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static struct buffer token;

static int set_up(void **state)
{
    (void)state;
    buffer_init(&token, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_done(&token);
    return 0;
}

/* --- signatures -------------------------------------------------------------------------------------------
 */

static size_t decode(const char *text, size_t size, unsigned char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t count = 0;
    unsigned bits = 0, group = 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = strchr(digits, text[i]);
        assert_non_null(digit);
        group = group << 6 | (unsigned)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[count++] = (unsigned char)(group >> bits);
        }
    }
    return count;
}

static void test_rfc7515(void **state)
{
    (void)state;
    unsigned char key[64];
    const char *text =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    assert_int_equal(decode(text, strlen(text), key), 64);
    struct error err;
    const struct jwt_key hs256 = {.algorithm = "HS256", .key = {(const char *)key, sizeof key}};
    assert_int_equal(
        jwt_sign(&hs256, SLICE_LITERAL("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"),
                 SLICE_LITERAL(
                     "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"),
                 &token, &err),
        0);
    assert_string_equal(
        buffer_cstr(&token),
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

static char *pem_of(EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_256_cbc() : NULL,
                                                   passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL,
                                                   NULL),
                     1);
    long size = BIO_get_mem_data(bio, &bytes);
    char *text = mem_strndup(bytes, (size_t)size);
    BIO_free(bio);
    return text;
}

/* JOSE's two numbers as OpenSSL has them. */
static size_t to_der(unsigned char *signature, size_t size)
{
    unsigned char der[256], *end = der;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    ECDSA_SIG_set0(pair, BN_bin2bn(signature, (int)size / 2, NULL),
                   BN_bin2bn(signature + size / 2, (int)size / 2, NULL));
    int length = i2d_ECDSA_SIG(pair, &end);
    ECDSA_SIG_free(pair);
    memcpy(signature, der, (size_t)length);
    return (size_t)length;
}

static bool verifies(EVP_PKEY *key, const char *algorithm, const char *digest)
{
    unsigned char signature[1024];
    const char *text = buffer_cstr(&token), *last = strrchr(text, '.');
    size_t size = decode(last + 1, strlen(last + 1), signature);
    EVP_PKEY_CTX *settings = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit_ex(context, &settings, digest, NULL, NULL, key, NULL), 1);
    if (*algorithm == 'P') {
        EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    if (strncmp(algorithm, "ES", 2) == 0)
        size = to_der(signature, size);
    int result =
        EVP_DigestVerify(context, signature, size, (const unsigned char *)text, (size_t)(last - text));
    EVP_MD_CTX_free(context);
    return result == 1;
}

static void test_algorithms(void **state)
{
    (void)state;
    static const struct {
        const char *algorithm, *digest, *curve;
        size_t characters; /* of the signature */
    } rows[] = {
        {"RS256", "SHA256", NULL, 342},
        {"RS512", "SHA512", NULL, 342},
        {"PS256", "SHA256", NULL, 342},
        {"PS384", "SHA384", NULL, 342},
        {"ES256", "SHA256", "prime256v1", 86},
        {"ES384", "SHA384", "secp384r1", 128},
        {"ES512", "SHA512", "secp521r1", 176},
        {"ES256K", "SHA256", "secp256k1", 86},
        {"EdDSA", NULL, NULL, 86},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EVP_PKEY *key = rows[i].curve                 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", rows[i].curve)
                        : rows[i].algorithm[1] == 'd' ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                      : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        const char *passphrase = i % 2 ? "open sesame" : NULL;
        auto_free char *pem = pem_of(key, passphrase);
        const struct jwt_key given = {rows[i].algorithm, slice_of(pem), passphrase};
        struct error err = {0};
        buffer_clear(&token);
        if (jwt_sign(&given, SLICE_LITERAL("{}"), SLICE_LITERAL("{\"a\":1}"), &token, &err) < 0)
            fail_msg("%s: %s", rows[i].algorithm, err.message);
        assert_int_equal(strlen(strrchr(buffer_cstr(&token), '.')) - 1, rows[i].characters);
        if (!verifies(key, rows[i].algorithm, rows[i].digest))
            fail_msg("%s does not verify", rows[i].algorithm);
        /* A key of another kind, an encrypted one without its passphrase. */
        const struct jwt_key wrong = {rows[i].algorithm[0] == 'R' ? "ES256" : "RS256", slice_of(pem),
                                      passphrase};
        if (rows[i].algorithm[0] != 'P')
            assert_int_equal(jwt_sign(&wrong, SLICE_LITERAL("{}"), SLICE_LITERAL("{}"), &token, &err), -1);
        const struct jwt_key locked = {rows[i].algorithm, slice_of(pem), NULL};
        if (passphrase) {
            assert_int_equal(jwt_sign(&locked, SLICE_LITERAL("{}"), SLICE_LITERAL("{}"), &token, &err), -1);
            assert_non_null(strstr(err.message, "without a passphrase"));
        }
        EVP_PKEY_free(key);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct jwt_key keys[] = {
        {"none", {"x", 1}, NULL},       {"HS257", {"x", 1}, NULL}, {"HS256", {"", 0}, NULL},
        {"RS256", {"hidden", 6}, NULL}, {"RS256", {"", 0}, NULL},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct error err;
        assert_int_equal(jwt_sign(&keys[i], SLICE_LITERAL("{}"), SLICE_LITERAL("{}"), &token, &err), -1);
        assert_null(strstr(err.message, "hidden"));
        assert_int_equal(token.size, 0);
    }
}

/* --- access tokens
 * --------------------------------------------------------------------------------------------- */

static int64_t now_ms;

static int64_t wall(void *context)
{
    (void)context;
    return now_ms;
}

#define ANSWER(status, text) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" text

static void give(struct server *server, int fd, const char *request)
{
    char body[160], head[128];
    int number = atomic_fetch_add(&server->waiting, 1) + 1;
    (void)request;
    int size =
        snprintf(body, sizeof body, "{\"access_token\":\"t%d\",\"expires_in\":%s,\"refresh_token\":\"r%d\"}",
                 number, number == 1 ? "3600" : "\"120\"", number);
    int head_size = snprintf(head, sizeof head, ANSWER("200 OK", "Content-Length: %d\r\n\r\n"), size);
    server_send(fd, head, (size_t)head_size);
    server_send(fd, body, (size_t)size);
}

static const struct rule rules[] = {
    {"/token", .answer = give},
    {"/refused", ANSWER("400 Bad Request",
                        "Content-Length: 64\r\n\r\n{\"error\":\"invalid_grant\",\"error_description\":\"it "
                        "was revoked\"}   ")},
    {"/empty", ANSWER("200 OK", "Content-Length: 2\r\n\r\n{}")},
    {"/moved", "HTTP/1.1 307 Moved\r\nLocation: /token\r\nContent-Length: 0\r\n\r\n"},
    {NULL},
};

static void test_tokens(void **state)
{
    (void)state;
    static const struct clock clock = {.wall_ms = wall};
    struct server server;
    struct error err;
    char url[80];
    const char *given;
    server_open(&server, rules);
    struct http_client *client = http_client_new(NULL, &err);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/token", server.port);
    struct oauth_settings settings = {.token_url = url,
                                      .client_id = "id",
                                      .client_secret = "a&b=c",
                                      .refresh_token = "r0",
                                      .clock = &clock};
    struct oauth *oauth = oauth_new(client, &settings);
    now_ms = 1000;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oauth_token(oauth, &given, &err), 0);
        assert_string_equal(given, "t1");
    }
    assert_non_null(strstr(buffer_cstr(&server.asked), "client_secret=a%26b%3Dc&refresh_token=r0"));
    assert_string_equal(oauth_new_refresh_token(oauth), "r1");
    now_ms += (3600 - 60) * 1000; /* about to expire; its successor says its time as a text */
    assert_int_equal(oauth_token(oauth, &given, &err), 0);
    assert_string_equal(given, "t2");
    assert_non_null(strstr(buffer_cstr(&server.asked), "refresh_token=r1"));
    now_ms += 59 * 1000;
    assert_int_equal(oauth_token(oauth, &given, &err), 0);
    assert_string_equal(given, "t2");
    oauth_forget(oauth);
    assert_int_equal(oauth_token(oauth, &given, &err), 0);
    assert_string_equal(given, "t3");
    oauth_free(oauth);
    static const struct {
        const char *path, *words;
    } rows[] = {{"/refused", "/refused gives no access token: status 400, invalid_grant: it was revoked"},
                {"/empty", "gives no access token: status 200"},
                {"/moved", "gives no access token: status 307"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server.port, rows[i].path);
        oauth = oauth_new(client, &settings);
        assert_int_equal(oauth_token(oauth, &given, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        if (!strstr(err.message, rows[i].words))
            fail_msg("%s", err.message);
        oauth_free(oauth);
    }
    http_client_free(client);
    server_close(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rfc7515),
        TEST(test_algorithms),
        TEST(test_refusals),
        TEST(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
