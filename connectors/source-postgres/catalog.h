/* What a database has: tables, their columns and keys, types. Read by one connection, in a few statements. */
#ifndef FIRTH_PG_CATALOG_H
#define FIRTH_PG_CATALOG_H

#include "connect.h"
#include "types.h"

struct pg_column {
    const char *name;
    const struct pg_type *type;
    bool not_null, generated; /* generated: and in no change */
    int key;                  /* its place in the table's key, from 1; 0: no part of it */
};

struct pg_table {
    uint32_t oid, filenode; /* filenode changes when the table is written anew */
    const char *schema, *name;
    char kind;         /* relkind: r table, p partitioned, v view, m materialized view, f foreign table */
    char identity;     /* relreplident: d, n, f, i */
    bool readable;     /* all of it: the user may do more than read some columns */
    bool has_children; /* rows of other tables are read with its own */
    bool published;    /* in the publication of a CDC config */
    bool is_partition;
    bool guarded;       /* row-level security: the user sees some rows only */
    bool generated_key; /* its primary key has a generated column, which changes do not have */
    double rows;        /* estimated; negative: unknown */
    struct pg_column *columns;
    size_t column_count, key_count;
    const char **hidden; /* names of columns that the user may not read, which changes have all the same */
    size_t hidden_count;
};

struct pg_catalog {
    struct arena arena;
    struct pg_types types;
    int version; /* server_version_num */
    bool publication_exists, publishes_all, publishes_roots;
    bool publishes_every_change; /* inserts, updates, deletes, truncates */
    bool publishes_generated;    /* stored generated columns too, or will do once it is made (since 18) */
    struct pg_table *tables;     /* by schema and name */
    size_t count;
};

/* All tables and views that the config wants and the user may read; with `oid`, that table alone, whatever
 * the config wants. */
int pg_catalog_load(struct pg_catalog *catalog, PGconn *connection, const struct pg_config *config,
                    uint32_t oid, struct firth_error *err);
/* What it says of the publication alone, once more. */
int pg_catalog_load_publication(struct pg_catalog *catalog, PGconn *connection,
                                const struct pg_config *config, struct firth_error *err);
void pg_catalog_done(struct pg_catalog *catalog);
struct pg_table *pg_catalog_find(const struct pg_catalog *catalog, const char *schema, const char *name);

/* May the user not read the column of that name? */
bool pg_table_hides(const struct pg_table *table, const char *column);
/* Has the table a ctid of its own that may be read: can it be read in pieces? */
bool pg_table_has_pages(const struct pg_table *table);

#endif
