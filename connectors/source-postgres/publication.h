/* The publication: made, filled, and what it has of each table. */
#ifndef FIRTH_PG_PUBLICATION_H
#define FIRTH_PG_PUBLICATION_H

#include "standing.h"

/* Is it one to be used, or may the user make it? `catalog` says what there is. */
int pg_publication_check(PGconn *connection, const struct pg_config *config, const struct pg_catalog *catalog,
                         struct firth_error *err);
/* Make it and put the tables in it, or say who must do what. `tables` were looked at, and are again at the
 * end, and so is what `catalog` says of the publication. */
int pg_publication_prepare(PGconn *connection, const struct pg_config *config, struct pg_catalog *catalog,
                           struct pg_standings *tables, struct firth_error *err);
/* After pg_wait_for_writers, for tables that are new: the server's releases that would leave out their
 * changes get to know them. *ret_member: which `member` is another for that; 0: none is. */
int pg_publication_touch(struct firth_host *host, PGconn *connection, const struct pg_config *config,
                         uint32_t *ret_member, struct firth_error *err);
/* Execute a statement that changes the server, or say who must. */
int pg_administer(PGconn *connection, const struct pg_config *config, const char *sql,
                  struct firth_error *err);

#endif
