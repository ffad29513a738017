/* A connection that has left HTTP (HTTP_SWITCH): bytes in and bytes out, whether TLS is between or not.
 * Nothing waits. One thread at a time. */
#ifndef FIRTH_WEB_WIRE_H
#define FIRTH_WEB_WIRE_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct http_wire;

/* `tls`: the gnutls_session_t that the socket's bytes are of; NULL: they are plain. Both stay the caller's.
 */
struct http_wire *http_wire_new(int fd, void *tls, struct error *err);
void http_wire_free(struct http_wire *wire);
/* As recv and send have it, with errno: 0 is the end, EAGAIN is later. */
ssize_t http_wire_read(struct http_wire *wire, void *bytes, size_t size);
ssize_t http_wire_write(struct http_wire *wire, const void *bytes, size_t size);
/* Is there something to read that the socket does not tell of? */
bool http_wire_has_more(const struct http_wire *wire);
/* Nothing more is written. */
void http_wire_end(struct http_wire *wire);
/* To wait on, and for nothing else. */
int http_wire_fd(const struct http_wire *wire);

#endif
