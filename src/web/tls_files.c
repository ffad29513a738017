#include "web/tls_files.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/library.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* libmicrohttpd's TLS. */
struct gnutls_api {
    typeof(gnutls_strerror) *strerror;
    typeof(gnutls_free) *free;
    typeof(gnutls_x509_crt_list_import2) *x509_crt_list_import2;
    typeof(gnutls_x509_crt_deinit) *x509_crt_deinit;
    typeof(gnutls_x509_crt_get_activation_time) *x509_crt_get_activation_time;
    typeof(gnutls_x509_crt_get_expiration_time) *x509_crt_get_expiration_time;
    typeof(gnutls_x509_privkey_init) *x509_privkey_init;
    typeof(gnutls_x509_privkey_deinit) *x509_privkey_deinit;
    typeof(gnutls_x509_privkey_import) *x509_privkey_import;
    typeof(gnutls_certificate_allocate_credentials) *certificate_allocate_credentials;
    typeof(gnutls_certificate_free_credentials) *certificate_free_credentials;
    typeof(gnutls_certificate_set_x509_key_mem) *certificate_set_x509_key_mem;
};

#define FUNCTION(name)                                     \
    {                                                      \
        "gnutls_" #name, offsetof(struct gnutls_api, name) \
    }

static int load(struct gnutls_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libgnutls.so.30", "libgnutls.30.dylib", "libgnutls.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(strerror),
        FUNCTION(free),
        FUNCTION(x509_crt_list_import2),
        FUNCTION(x509_crt_deinit),
        FUNCTION(x509_crt_get_activation_time),
        FUNCTION(x509_crt_get_expiration_time),
        FUNCTION(x509_privkey_init),
        FUNCTION(x509_privkey_deinit),
        FUNCTION(x509_privkey_import),
        FUNCTION(certificate_allocate_credentials),
        FUNCTION(certificate_free_credentials),
        FUNCTION(certificate_set_x509_key_mem),
    };
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

/* Of a block's first line: "-----BEGIN RSA PRIVATE KEY-----" for "PRIVATE KEY-----". */
static bool has(const struct buffer *pem, const char *words)
{
    return pem->size > 0 && memmem(pem->data, pem->size, words, strlen(words)) != NULL;
}

static bool has_key(const struct buffer *pem)
{
    return has(pem, "PRIVATE KEY-----");
}

static bool has_certificate(const struct buffer *pem)
{
    return has(pem, "-----BEGIN CERTIFICATE-----") || has(pem, "-----BEGIN X509 CERTIFICATE-----");
}

static int read_certificate(const struct gnutls_api *api, const char *path, struct tls_files *files,
                            struct error *err)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    if (file_read(path, TLS_FILE_MAX, &files->cert, err) < 0)
        return error_wrap(err, "--tls-cert");
    if (!has_certificate(&files->cert))
        return error_set(err, ERROR_INVALID, "--tls-cert: %s holds no certificate in PEM form%s", path,
                         has_key(&files->cert) ? ", but a private key: that is for --tls-key" : "");
    const gnutls_datum_t pem = {(unsigned char *)files->cert.data, (unsigned)files->cert.size};
    int failed = api->x509_crt_list_import2(&chain, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (failed < 0)
        return error_set(err, ERROR_INVALID, "--tls-cert: the certificate in %s is damaged: %s", path,
                         api->strerror(failed));
    files->begins = api->x509_crt_get_activation_time(chain[0]);
    files->ends = api->x509_crt_get_expiration_time(chain[0]);
    for (unsigned i = 0; i < count; i++)
        api->x509_crt_deinit(chain[i]);
    (*api->free)(chain);
    return 0;
}

static int read_key(const struct gnutls_api *api, const char *path, struct buffer *key, struct error *err)
{
    gnutls_x509_privkey_t parsed;
    if (file_read(path, TLS_FILE_MAX, key, err) < 0)
        return error_wrap(err, "--tls-key");
    if (!has_key(key))
        return error_set(err, ERROR_INVALID, "--tls-key: %s holds no private key in PEM form%s", path,
                         has_certificate(key) ? ", but a certificate: that is for --tls-cert" : "");
    if (has(key, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(key, "Proc-Type: 4,ENCRYPTED"))
        return error_set(err, ERROR_INVALID,
                         "--tls-key: the key in %s is encrypted, and there is nobody to ask for its "
                         "passphrase: 'openssl pkey -in %s -out plain.pem' decrypts it",
                         path, path);
    const gnutls_datum_t pem = {(unsigned char *)key->data, (unsigned)key->size};
    int failed = api->x509_privkey_init(&parsed);
    if (failed == 0) {
        failed = api->x509_privkey_import(parsed, &pem, GNUTLS_X509_FMT_PEM);
        api->x509_privkey_deinit(parsed);
    }
    return failed == 0 ? 0
                       : error_set(err, ERROR_INVALID, "--tls-key: the key in %s is damaged: %s", path,
                                   api->strerror(failed));
}

/* As the server itself will take them. */
static int match(const struct gnutls_api *api, const char *cert, const char *key,
                 const struct tls_files *files, struct error *err)
{
    const gnutls_datum_t cert_pem = {(unsigned char *)files->cert.data, (unsigned)files->cert.size},
                         key_pem = {(unsigned char *)files->key.data, (unsigned)files->key.size};
    gnutls_certificate_credentials_t credentials;
    int failed = api->certificate_allocate_credentials(&credentials);
    if (failed == 0) {
        failed = api->certificate_set_x509_key_mem(credentials, &cert_pem, &key_pem, GNUTLS_X509_FMT_PEM);
        api->certificate_free_credentials(credentials);
    }
    if (failed == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return error_set(
            err, ERROR_INVALID,
            "--tls-key: the key in %s is not that of the certificate in %s (its first, which must be "
            "the server's own)",
            key, cert);
    return failed < 0 ? error_set(err, ERROR_INVALID, "--tls-cert and --tls-key: %s and %s are refused: %s",
                                  cert, key, api->strerror(failed))
                      : 0;
}

int tls_files_read(const char *cert, const char *key, struct tls_files *ret_files, struct error *err)
{
    struct gnutls_api api;
    *ret_files = (struct tls_files){0};
    buffer_init(&ret_files->cert, TLS_FILE_MAX);
    buffer_init(&ret_files->key, TLS_FILE_MAX);
    return load(&api, err) < 0 || read_certificate(&api, cert, ret_files, err) < 0 ||
                   read_key(&api, key, &ret_files->key, err) < 0 || match(&api, cert, key, ret_files, err) < 0
               ? -1
               : 0;
}

void tls_files_warn(const struct tls_files *files, const char *cert, int64_t now, char *ret_text, size_t size)
{
    char when[32];
    *ret_text = 0;
    if (now >= files->begins && now <= files->ends)
        return;
    clock_format_rfc3339((now > files->ends ? files->ends : files->begins) * 1000, when, sizeof when);
    snprintf(ret_text, size, "the certificate %.300s %s %s: clients that check it refuse the API", cert,
             now > files->ends ? "expired at" : "is not valid before", when);
}

void tls_files_done(struct tls_files *files)
{
    if (files->key.data)
        explicit_bzero(files->key.data, files->key.capacity);
    buffer_done(&files->cert);
    buffer_done(&files->key);
}
