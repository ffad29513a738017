/* A way to the database through another host: the program `ssh`, as a child that ends with us. */
#ifndef FIRTH_PG_TUNNEL_H
#define FIRTH_PG_TUNNEL_H

#include "config.h"

struct pg_tunnel_process;

/* *ret_tunnel: NULL if the config asks for none. It is up when this returns. */
int pg_tunnel_open(struct firth_host *host, const struct pg_config *config,
                   struct pg_tunnel_process **ret_tunnel, struct firth_error *err);
void pg_tunnel_close(struct pg_tunnel_process *tunnel);
/* Where it listens, on 127.0.0.1. */
int pg_tunnel_port(const struct pg_tunnel_process *tunnel);

#endif
