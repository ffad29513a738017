/* The replication slot: made, looked at, read from. */
#ifndef FIRTH_PG_SLOT_H
#define FIRTH_PG_SLOT_H

#include "pgoutput.h"
#include "publication.h"

/* What a session knows of them once they are ready. */
struct pg_slot {
    uint64_t confirmed; /* the server has forgotten what was committed before */
    bool made;          /* a moment ago: no writer is older than it */
    bool standby;
    uint32_t timeline; /* of the server's log; 0: a standby's, which may change */
    char system[24];   /* the cluster's identifier */
};

/* Where a state stands. */
struct pg_progress {
    uint64_t lsn;      /* 0: nowhere */
    uint32_t timeline; /* 0: not known */
    char system[24];   /* "": not known */
};

/* Make the server ready for changes of these tables, or say what somebody must do. *ret_lost: what follows
 * `progress` is gone, and why is in *err (which then is no failure). */
int pg_slot_prepare(struct pg_slot *slot, struct firth_host *host, const struct pg_endpoint *endpoint,
                    PGconn *connection, struct pg_catalog *catalog, struct pg_standings *tables,
                    const struct pg_progress *progress, bool *ret_lost, struct firth_error *err);
/* Could all this be made ready? Nothing is changed. */
int pg_slot_check(const struct pg_endpoint *endpoint, PGconn *connection, const struct pg_catalog *catalog,
                  struct firth_error *err);
/* Wait until every transaction that is writing now has ended. */
int pg_wait_for_writers(struct firth_host *host, PGconn *connection, struct firth_error *err);
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
