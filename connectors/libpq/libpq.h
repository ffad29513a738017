/* libpq, loaded by the first connection that is made (base/library.h): only few of the program's processes
 * talk to PostgreSQL, and it brings TLS, Kerberos and LDAP with it.
 *
 * libpq.c has the functions that <libpq-fe.h> declares, as far as they are used; each calls the library's
 * own. One that is missing (the linker says so) costs a line in libpq.c. None but PQconnectdbParams may be
 * called without a connection or a result of it. */
#ifndef FIRTH_CONNECTORS_LIBPQ_H
#define FIRTH_CONNECTORS_LIBPQ_H

#include "base/error.h"

/* Say why libpq cannot be had. To be called before PQconnectdbParams, which gives NULL if this fails. */
int libpq_load(struct error *err);

#endif
