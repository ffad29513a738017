#include "web/wire.h"

#include "base/library.h"
#include "base/memory.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Of the library that libmicrohttpd speaks TLS with, whose sessions these are. */
struct record_api {
    typeof(gnutls_record_recv) *record_recv;
    typeof(gnutls_record_send) *record_send;
    typeof(gnutls_record_check_pending) *record_check_pending;
    typeof(gnutls_bye) *bye;
};

struct http_wire {
    int fd;
    gnutls_session_t tls; /* NULL: none */
    struct record_api api;
};

#define FUNCTION(name)                                     \
    {                                                      \
        "gnutls_" #name, offsetof(struct record_api, name) \
    }

static int load(struct record_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libgnutls.so.30", "libgnutls.30.dylib", "libgnutls.so", NULL};
    static const struct library_function FUNCTIONS[] = {FUNCTION(record_recv), FUNCTION(record_send),
                                                        FUNCTION(record_check_pending), FUNCTION(bye)};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}

struct http_wire *http_wire_new(int fd, void *tls, struct error *err)
{
    struct record_api api = {0};
    int yes = 1;
    if (tls && load(&api, err) < 0)
        return NULL;
    struct http_wire *wire = mem_zalloc(sizeof *wire);
    *wire = (struct http_wire){.fd = fd, .tls = tls, .api = api};
    /* What is said in short pieces is not to wait until the piece before is confirmed. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return wire;
}

void http_wire_free(struct http_wire *wire)
{
    free(wire);
}

/* What gnutls says, as the system would. A session that ends without a word ends. */
static ssize_t result_of(ssize_t result)
{
    if (result >= 0)
        return result;
    if (result == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    errno = result == GNUTLS_E_AGAIN ? EAGAIN : result == GNUTLS_E_INTERRUPTED ? EINTR : ECONNRESET;
    return -1;
}

ssize_t http_wire_read(struct http_wire *wire, void *bytes, size_t size)
{
    return wire->tls ? result_of(wire->api.record_recv(wire->tls, bytes, size))
                     : recv(wire->fd, bytes, size, MSG_DONTWAIT);
}

/* After EAGAIN gnutls goes on with the bytes that it has, which the caller's begin with: so both agree. */
ssize_t http_wire_write(struct http_wire *wire, const void *bytes, size_t size)
{
    return wire->tls ? result_of(wire->api.record_send(wire->tls, bytes, size))
                     : send(wire->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool http_wire_has_more(const struct http_wire *wire)
{
    return wire->tls && wire->api.record_check_pending(wire->tls) > 0;
}

void http_wire_end(struct http_wire *wire)
{
    if (wire->tls)
        wire->api.bye(wire->tls, GNUTLS_SHUT_WR);
    shutdown(wire->fd, SHUT_WR);
}

int http_wire_fd(const struct http_wire *wire)
{
    return wire->fd;
}
