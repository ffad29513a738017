/* Publication and replication slot: made, looked at, read from. */
#ifndef FIRTH_PG_SLOT_H
#define FIRTH_PG_SLOT_H

#include "catalog.h"
#include "pgoutput.h"

/* What a session knows of them once they are ready. */
struct pg_slot {
    uint64_t confirmed; /* the server has forgotten what was committed before */
    bool made;          /* a moment ago: no writer is older than it */
    char system[24];    /* the cluster's identifier */
};

/* Make the server ready for changes of these tables, or say what somebody must do. `position`: where the
 * state stands, 0: nowhere; *ret_lost: what follows it is gone, and why is in *err (which then is no
 * failure). */
int pg_slot_prepare(struct pg_slot *slot, struct firth_host *host, const struct pg_config *config,
                    PGconn *connection, const struct pg_catalog *catalog,
                    const struct pg_table *const *tables, size_t count, uint64_t position, const char *system,
                    bool *ret_lost, struct firth_error *err);
/* Wait until every transaction that is writing now has ended. */
int pg_wait_for_writers(struct firth_host *host, PGconn *connection, struct firth_error *err);
/* After that, for tables that are new: the server's releases that would leave out their changes get to know
 * them. */
int pg_publication_touch(struct firth_host *host, PGconn *connection, const struct pg_config *config,
                         struct firth_error *err);
/* Where the log ends now: what is written of it, which is what can be sent, or all of it. With
 * synchronous_commit off a commit is seen before it is written. */
int pg_log_end(PGconn *connection, bool written, uint64_t *ret_lsn, struct firth_error *err);
/* A connection that changes come on, from `position` on. */
PGconn *pg_replicate(struct firth_host *host, const struct pg_endpoint *endpoint, uint64_t position,
                     struct firth_error *err);
/* A statement that may take long; a stop interrupts it. */
PGresult *pg_query_patiently(struct firth_host *host, PGconn *connection, const char *sql, const char *what,
                             struct firth_error *err);

#endif
