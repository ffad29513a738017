/* Which history a server's log is of. After a failover to a standby that lagged, the end of what the old
 * primary had is not in the new one's. */
#ifndef FIRTH_PG_TIMELINE_H
#define FIRTH_PG_TIMELINE_H

#include "connect.h"

struct pg_timeline {
    PGconn *connection;
    char system[24]; /* the cluster's identifier */
    uint32_t number;
    uint64_t end;  /* of its log */
    char why[200]; /* of pg_timeline_departs */
};

/* By a connection that changes could come on: it fails where the user may not have them. */
int pg_timeline_open(struct pg_timeline *timeline, const struct pg_endpoint *endpoint,
                     struct firth_error *err);
void pg_timeline_close(struct pg_timeline *timeline);
/* Was `lsn`, read in the timeline `number` (0: not known), never reached by this one? Then why; else NULL. */
const char *pg_timeline_departs(struct pg_timeline *timeline, uint32_t number, uint64_t lsn);

/* The same where there are no changes to be had: of which history transactions' numbers are. */
struct pg_history {
    char system[24];   /* "": not known */
    uint32_t timeline; /* 0: not known; of a standby, perhaps the one before */
    uint32_t database; /* its oid; 0: not known */
};

/* What may not be asked is not known. */
void pg_history_ask(struct pg_history *history, PGconn *connection);

#endif
