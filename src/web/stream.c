#include "web/stream.h"

#include "web/http.h"

#include <assert.h>

enum { PIECE = 4096 };

void stream_begin(struct stream *stream)
{
    assert(!stream->begun);
    pthread_mutex_init(&stream->lock, NULL);
    buffer_init(&stream->waiting, HTTP_STREAM_MAX);
    stream->begun = true;
}

void stream_done(struct stream *stream)
{
    if (!stream->begun)
        return;
    buffer_done(&stream->waiting);
    pthread_mutex_destroy(&stream->lock);
}

/* Under the lock: there is something for the client again. */
static void wake(struct stream *stream)
{
    if (stream->idle)
        stream->api->resume_connection(stream->connection);
    stream->idle = false;
}

bool stream_put(struct stream *stream, struct slice bytes)
{
    pthread_mutex_lock(&stream->lock);
    bool room = !stream->ended && HTTP_STREAM_MAX - stream->waiting.size >= bytes.size;
    if (room) {
        buffer_append(&stream->waiting, bytes.data, bytes.size);
        wake(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return room;
}

void stream_end(struct stream *stream, struct slice last)
{
    pthread_mutex_lock(&stream->lock);
    assert(!stream->ended);
    stream->waiting.max += last.size;
    buffer_append(&stream->waiting, last.data, last.size);
    stream->ended = true;
    http_peers_expect(stream->peers, stream->peer, HTTP_STREAM_END_MS);
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
}

/* The client has taken what it was given. */
static ssize_t on_content(void *context, uint64_t position, char *out, size_t most)
{
    struct stream *stream = context;
    ssize_t result = 0;
    (void)position;
    pthread_mutex_lock(&stream->lock);
    size_t size = stream->waiting.size < most ? stream->waiting.size : most;
    if (size) {
        memcpy(out, stream->waiting.data, size);
        buffer_consume(&stream->waiting, size);
        if (!stream->ended)
            http_peers_expect(stream->peers, stream->peer, stream->client_ms);
        result = (ssize_t)size;
    } else if (stream->ended) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->idle = true;
        http_peers_expect(stream->peers, stream->peer, 0);
        stream->api->suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->lock);
    return result;
}

struct MHD_Response *stream_response(struct stream *stream)
{
    return stream->api->create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, on_content, stream, NULL);
}
