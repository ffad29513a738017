/* How the tables of a capture stand: which ones their names lead to, and what the publication has of each. */
#ifndef FIRTH_PG_STANDING_H
#define FIRTH_PG_STANDING_H

#include "catalog.h"

/* How a table stands now. A table that was made anew, or that was out of the publication for a while, has
 * changes that nobody was told of: another oid, or another `member`, shows it. */
struct pg_standing {
    const struct pg_table *table; /* as the capture knows it */
    uint32_t oid;                 /* of what has its name now, else of itself; 0: neither is there */
    uint32_t member; /* of what puts it in the publication; 0: it is not in it, or nobody knows by what */
    bool published;
    bool filtered;         /* only some rows are published */
    bool narrowed;         /* some columns that may be read are not published */
    uint64_t partitions;   /* which it has, as a number; 0: none */
    bool unidentified;     /* once it is published, the server refuses to update and delete its rows */
    bool unlogged;         /* the log has nothing of it, or of a partition of it */
    const char *generated; /* a generated column of its replica identity, which the log does not have, quoted;
                            * "": there is none; of the standings' arena */
    bool generated_stored; /* and it is one that can be published */
    /* What the server counts anew with each change, as numbers that mean nothing but "as before"; 0: not
     * known. */
    uint64_t published_as; /* what the publication publishes, and how the table came to be in it */
    uint64_t columns;      /* definitions of columns */
    uint64_t written;      /* the files that its rows are in */
    const char *names; /* of its columns in their order, PG_NAME_SIZE digits each of the name's sum, none of
                        * one that was dropped, with commas: "3fa2c1,,0c1d2e"; of the standings' arena */
};

enum { PG_NAME_SIZE = 6 };

struct pg_standings {
    struct pg_standing *items; /* heap; `table` is the caller's to fill */
    size_t count;
    struct arena arena; /* of the last look */
};

/* Fill in all but `table`. */
int pg_standings_look(PGconn *connection, const struct pg_config *config, struct pg_standings *tables,
                      struct firth_error *err);

#endif
