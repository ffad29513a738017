/* What `check` asks beside whether there is a connection. */
#ifndef FIRTH_PG_CHECK_H
#define FIRTH_PG_CHECK_H

#include "catalog.h"

/* Are the schemas there that the config names, is there anything in them that the user may read, and may the
 * changes be had, if they are wanted? Nothing is changed. */
int pg_check_readable(const struct pg_endpoint *endpoint, PGconn *connection,
                      const struct pg_catalog *catalog, struct firth_error *err);

#endif
