/* Addresses to listen on. Private to this folder. */
#ifndef FIRTH_SERVER_LISTEN_H
#define FIRTH_SERVER_LISTEN_H

#include "base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* A bound, listening, nonblocking socket; *ret_address is what it got, "127.0.0.1:8000". */
int listen_open(const char *text, char *ret_address, size_t size, struct error *err);
/* "127.0.0.1", and with `port` "127.0.0.1:8000", "[::1]:8000". */
void listen_format(const struct sockaddr *address, bool port, char *text, size_t size);
/* Both ends of a connection are loopback addresses (127.0.0.0/8, also as IPv6 maps them, and ::1): only this
 * machine's programs can have made it. NULL is none. */
bool listen_is_near(const struct sockaddr *peer, const struct sockaddr *own);

#endif
