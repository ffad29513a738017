/* PostgreSQL as a dialect (connectors/sql/dialect.h). */
#ifndef FIRTH_DESTINATION_POSTGRES_DB_H
#define FIRTH_DESTINATION_POSTGRES_DB_H

#include "connectors/source-postgres/connect.h"
#include "connectors/sql/dialect.h"

struct sql_db {
    struct pg_endpoint endpoint;
    PGconn *connection;
    struct firth_host *host;
    char state[6];    /* the SQLSTATE of the last failure */
    char detail[300]; /* its details: of values, too, so they are told where they are of none */
};

extern const struct sql_dialect postgres_dialect;

/* Connect. NULL with *err. */
struct sql_db *postgres_db_open(struct firth_host *host, const struct pg_config *config,
                                struct firth_error *err);
/* From the server's last answer, which may be NULL. Returns -1. */
int postgres_db_error(struct sql_db *db, const PGresult *result, struct error *err);

/* Of whatever else waits for a lock: a row's, another sync's. */
#define POSTGRES_LOCK_TIMEOUT "'10min'"

/* lock.c */
int postgres_lock_table(struct sql_db *db, const char *table, enum sql_lock lock, struct error *err);

/* copy.c */
struct sql_load *postgres_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                    size_t count, struct error *err);
int postgres_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err);
int postgres_load_flush(struct sql_load *load, struct error *err);
void postgres_load_close(struct sql_load *load);

/* fits.c */
enum sql_verdict postgres_fits(enum sql_type type, struct sql_cell *cell, struct arena *arena);

#endif
