/* Connections to PostgreSQL: libpq, with the settings that make values' text the same everywhere. */
#ifndef FIRTH_PG_CONNECT_H
#define FIRTH_PG_CONNECT_H

#include "base/buffer.h"
#include "config.h"

#include <libpq-fe.h>

struct pg_tunnel_process;

/* Where the server is reached, and what encrypts the way: shared by all connections of a session. */
struct pg_endpoint {
    const struct pg_config *config;
    struct pg_tunnel_process *tunnel; /* NULL: none */
    int ca, certificate, key;         /* files in memory that libpq reads; -1: none */
};

int pg_endpoint_open(struct pg_endpoint *endpoint, struct firth_host *host, const struct pg_config *config,
                     struct firth_error *err);
void pg_endpoint_close(struct pg_endpoint *endpoint);

/* A connection; with `replication`, of a walsender for logical replication. NULL: *err says why. */
PGconn *pg_connect(const struct pg_endpoint *endpoint, bool replication, struct firth_error *err);

/* Has a message one of these words (NULL ends them)? Of programs that tell by nothing else what went wrong.
 */
bool pg_mentions(const char *text, const char *const *words);

/* --- statements --------------------------------------------------------------------------------------------
 */

/* What the server or libpq says went wrong: *err with `what` before it. Always -1. `result` may be NULL. */
int pg_failure(PGconn *connection, const PGresult *result, const char *what, struct firth_error *err);
/* Rows, or NULL. PQclear them. */
PGresult *pg_query(PGconn *connection, const char *sql, const char *what, struct firth_error *err);
int pg_execute(PGconn *connection, const char *sql, const char *what, struct firth_error *err);
/* Wait until the connection has something to read, at most so long. 1: it has; 0: it has not; -1: it has not
 * and we are to stop (err is not filled), or it failed. */
int pg_wait(PGconn *connection, struct firth_host *host, int timeout_ms, struct firth_error *err);

/* "name" and 'text', quoted, appended. */
void pg_put_name(struct buffer *out, const char *name);
void pg_put_literal(struct buffer *out, const char *text);
/* "schema"."table" */
void pg_put_table(struct buffer *out, const char *schema, const char *table);

static inline void pg_clear_cleanup(PGresult **result)
{
    PQclear(*result);
}
#define pg_auto_result __attribute__((cleanup(pg_clear_cleanup)))

#endif
