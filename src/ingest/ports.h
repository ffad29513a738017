/* The ports that were got for the asking (HOST:0), kept in the data directory: clients know them, so they
 * are taken again by the next process. */
#ifndef FIRTH_INGEST_PORTS_H
#define FIRTH_INGEST_PORTS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { INGEST_PORT_WAIT_MS = 3000 /* for the process before, which may be about to end */ };

/* Open a listener at `asked`; `open` gets the address to listen on, and says which it got
 * ("http://HOST:PORT", until the next call). A port that is busy is waited for, `wait_ms` at most. `name`: of
 * the listener, a file's name. *ret_lost is the port that it had before and that another program has now,
 * else 0. What cannot be kept is no failure: the listener listens. */
typedef const char *ingest_port_open_fn(void *context, const char *listen, struct error *err);
const char *ingest_port_open(const char *data_dir, const char *name, const char *asked, uint64_t wait_ms,
                             ingest_port_open_fn *open, void *context, unsigned *ret_lost, struct error *err);

#endif
