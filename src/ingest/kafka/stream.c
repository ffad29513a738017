#include "ingest/kafka/stream.h"

#include "base/library.h"
#include "base/memory.h"
#include "web/tls_files.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The library that serves HTTPS, too (src/web), loaded by the process that has a certificate. */
struct tls_api {
    typeof(gnutls_certificate_allocate_credentials) *certificate_allocate_credentials;
    typeof(gnutls_certificate_free_credentials) *certificate_free_credentials;
    typeof(gnutls_certificate_set_x509_key_mem) *certificate_set_x509_key_mem;
    typeof(gnutls_init) *init;
    typeof(gnutls_deinit) *deinit;
    typeof(gnutls_priority_set_direct) *priority_set_direct;
    typeof(gnutls_credentials_set) *credentials_set;
    typeof(gnutls_transport_set_int2) *transport_set_int2;
    typeof(gnutls_handshake) *handshake;
    typeof(gnutls_record_recv) *record_recv;
    typeof(gnutls_record_send) *record_send;
    typeof(gnutls_record_check_pending) *record_check_pending;
    typeof(gnutls_record_get_direction) *record_get_direction;
    typeof(gnutls_bye) *bye;
    typeof(gnutls_error_is_fatal) *error_is_fatal;
};

struct kafka_credentials {
    struct tls_api api;
    gnutls_certificate_credentials_t certificate;
};

struct kafka_tls {
    const struct tls_api *api;
    gnutls_session_t session;
    bool open; /* the handshake is done */
};

#define FUNCTION(name)                                  \
    {                                                   \
        "gnutls_" #name, offsetof(struct tls_api, name) \
    }

static int load(struct tls_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libgnutls.so.30", "libgnutls.30.dylib", "libgnutls.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(certificate_allocate_credentials),
        FUNCTION(certificate_free_credentials),
        FUNCTION(certificate_set_x509_key_mem),
        FUNCTION(init),
        FUNCTION(deinit),
        FUNCTION(priority_set_direct),
        FUNCTION(credentials_set),
        FUNCTION(transport_set_int2),
        FUNCTION(handshake),
        FUNCTION(record_recv),
        FUNCTION(record_send),
        FUNCTION(record_check_pending),
        FUNCTION(record_get_direction),
        FUNCTION(bye),
        FUNCTION(error_is_fatal),
    };
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

static int set_files(struct kafka_credentials *credentials, const struct tls_files *files, struct error *err)
{
    const gnutls_datum_t cert = {(unsigned char *)files->cert.data, (unsigned)files->cert.size};
    const gnutls_datum_t key = {(unsigned char *)files->key.data, (unsigned)files->key.size};
    if (credentials->api.certificate_allocate_credentials(&credentials->certificate) == 0 &&
        credentials->api.certificate_set_x509_key_mem(credentials->certificate, &cert, &key,
                                                      GNUTLS_X509_FMT_PEM) >= 0)
        return 0;
    return error_set(err, ERROR_INVALID, "the certificate and its key are refused");
}

struct kafka_credentials *kafka_credentials_new(const char *cert, const char *key, struct error *err)
{
    struct kafka_credentials *credentials = mem_zalloc(sizeof *credentials);
    struct tls_files files;
    int result = tls_files_read(cert, key, &files, err);
    if (result == 0)
        result = load(&credentials->api, err);
    if (result == 0)
        result = set_files(credentials, &files, err);
    tls_files_done(&files);
    if (result == 0)
        return credentials;
    kafka_credentials_free(credentials);
    return NULL;
}

void kafka_credentials_free(struct kafka_credentials *credentials)
{
    if (!credentials)
        return;
    if (credentials->certificate)
        credentials->api.certificate_free_credentials(credentials->certificate);
    free(credentials);
}

bool kafka_stream_open(struct kafka_stream *stream, int fd, const struct kafka_credentials *credentials)
{
    *stream = (struct kafka_stream){.fd = fd};
    if (!credentials)
        return true;
    const struct tls_api *api = &credentials->api;
    gnutls_session_t session;
    if (api->init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
        return false;
    if (api->priority_set_direct(session, TLS_PRIORITY, NULL) != 0 ||
        api->credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificate) != 0) {
        api->deinit(session);
        return false;
    }
    api->transport_set_int2(session, fd, fd);
    stream->tls = mem_zalloc(sizeof *stream->tls);
    *stream->tls = (struct kafka_tls){.api = api, .session = session};
    return true;
}

void kafka_stream_close(struct kafka_stream *stream)
{
    if (stream->tls) {
        if (stream->tls->open)
            stream->tls->api->bye(stream->tls->session, GNUTLS_SHUT_WR);
        stream->tls->api->deinit(stream->tls->session);
        free(stream->tls);
    }
    close(stream->fd);
    *stream = (struct kafka_stream){.fd = -1};
}

static ssize_t of_tls(const struct kafka_tls *tls, ssize_t result)
{
    if (result >= 0)
        return result;
    return tls->api->error_is_fatal((int)result) ? KAFKA_STREAM_BROKEN : KAFKA_STREAM_WAIT;
}

static ssize_t shake_hands(struct kafka_tls *tls)
{
    if (tls->open)
        return 0;
    int result = tls->api->handshake(tls->session);
    tls->open = result == 0;
    return of_tls(tls, result);
}

static ssize_t of_socket(ssize_t result)
{
    if (result >= 0)
        return result;
    return errno == EAGAIN || errno == EINTR ? KAFKA_STREAM_WAIT : KAFKA_STREAM_BROKEN;
}

ssize_t kafka_stream_read(struct kafka_stream *stream, void *bytes, size_t size)
{
    if (!stream->tls)
        return of_socket(recv(stream->fd, bytes, size, 0));
    ssize_t shaken = shake_hands(stream->tls);
    return shaken < 0 ? shaken
                      : of_tls(stream->tls, stream->tls->api->record_recv(stream->tls->session, bytes, size));
}

ssize_t kafka_stream_write(struct kafka_stream *stream, const void *bytes, size_t size)
{
    if (!stream->tls)
        return of_socket(send(stream->fd, bytes, size, MSG_NOSIGNAL));
    return of_tls(stream->tls, stream->tls->api->record_send(stream->tls->session, bytes, size));
}

bool kafka_stream_holds(const struct kafka_stream *stream)
{
    return stream->tls && stream->tls->open &&
           stream->tls->api->record_check_pending(stream->tls->session) > 0;
}

bool kafka_stream_wants_out(const struct kafka_stream *stream)
{
    return stream->tls && !stream->tls->open &&
           stream->tls->api->record_get_direction(stream->tls->session) == 1;
}
