/* The connections of the HTTP server, and a thread that ends those whose client takes too long. Private to
 * http.c. */
#ifndef FIRTH_WEB_PEERS_H
#define FIRTH_WEB_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_peers;
struct http_peer; /* for as long as its socket is open */

/* `client_ms`: a client's time to send a whole request, and to send none. */
struct http_peers *http_peers_new(uint64_t client_ms);
/* Every peer was removed. */
void http_peers_free(struct http_peers *peers);
/* Start the thread. False: it cannot be. */
bool http_peers_watch(struct http_peers *peers);

/* A new one has `client_ms` to send its request. */
struct http_peer *http_peers_add(struct http_peers *peers, int fd);
/* Before its socket is closed: the descriptor is the peer's no more. */
void http_peers_remove(struct http_peers *peers, struct http_peer *peer);
/* The client has `ms` from now for what it is to do; 0: it is our turn. NULL is allowed. */
void http_peers_expect(struct http_peers *peers, struct http_peer *peer, uint64_t ms);
size_t http_peers_count(struct http_peers *peers);

#endif
