/* A socket's bytes, through TLS or not; nothing waits. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_STREAM_H
#define FIRTH_INGEST_KAFKA_STREAM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kafka_credentials;
struct kafka_tls;

struct kafka_stream {
    int fd;
    struct kafka_tls *tls; /* NULL: plain */
};

/* The certificate and key (web/tls_files.h). */
struct kafka_credentials *kafka_credentials_new(const char *cert, const char *key, struct error *err);
void kafka_credentials_free(struct kafka_credentials *credentials);

enum { KAFKA_STREAM_WAIT = -1, KAFKA_STREAM_BROKEN = -2 };

/* `credentials` NULL: plain. False: no session could be made; the descriptor stays the caller's. */
bool kafka_stream_open(struct kafka_stream *stream, int fd, const struct kafka_credentials *credentials);
/* Closes the descriptor. */
void kafka_stream_close(struct kafka_stream *stream);
/* Bytes, 0 at the end, or KAFKA_STREAM_…. The handshake is part of the first calls. */
ssize_t kafka_stream_read(struct kafka_stream *stream, void *bytes, size_t size);
ssize_t kafka_stream_write(struct kafka_stream *stream, const void *bytes, size_t size);
/* There are bytes that the socket would not tell of. */
bool kafka_stream_holds(const struct kafka_stream *stream);
/* It waits for the socket to take bytes, though it reads: the handshake's. */
bool kafka_stream_wants_out(const struct kafka_stream *stream);

#endif
