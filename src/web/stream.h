/* An answer that goes on: what waits for its client, and the pause when nothing does. Private to this folder.
 */
#ifndef FIRTH_WEB_STREAM_H
#define FIRTH_WEB_STREAM_H

#include "base/buffer.h"
#include "base/text.h"
#include "web/mhd.h"
#include "web/peers.h"

#include <pthread.h>

struct stream {
    const struct mhd_api *api;
    struct MHD_Connection *connection;
    struct http_peers *peers;
    struct http_peer *peer;
    uint64_t client_ms;
    bool begun;
    pthread_mutex_t lock; /* of what follows */
    struct buffer waiting;
    bool idle; /* all was taken: the connection is suspended */
    bool ended;
};

/* The first five members are set; it is zero otherwise. */
void stream_begin(struct stream *stream);
/* One that was never begun is done already. */
void stream_done(struct stream *stream);
/* As http_stream_put and http_stream_end. */
bool stream_put(struct stream *stream, struct slice bytes);
void stream_end(struct stream *stream, struct slice last);
/* Whose content it is; NULL: no memory. */
struct MHD_Response *stream_response(struct stream *stream);

#endif
