/* DuckDB as a dialect (connectors/sql/dialect.h). */
#ifndef FIRTH_DESTINATION_DUCKDB_DB_H
#define FIRTH_DESTINATION_DUCKDB_DB_H

#include "connectors/sql/dialect.h"
#include "loader.h"

#include <duckdb.h>

struct sql_db {
    duckdb_database database; /* NULL: not open, the file is others' */
    duckdb_connection connection;
    struct loader *loader;
    bool uses_threads;
    char *path;
    struct firth_host *host;
    int64_t wait_seconds; /* for others that have the file open */
};

extern const struct sql_dialect duckdb_dialect;

/* open.c: open the file, which is made if need be; wait so long for another program that has it open. NULL
 * with *err. */
struct sql_db *duckdb_db_open(struct firth_host *host, const char *path, int64_t wait_seconds,
                              struct error *err);
/* Close the file, so that others get at it, and open it again if it is not open. */
void duckdb_db_release(struct sql_db *db);
int duckdb_db_take(struct sql_db *db, struct error *err);
/* DuckDB's message as an error. Returns -1. */
int duckdb_db_error(const struct sql_db *db, const char *message, struct error *err);

/* From now on statements use every processor. */
int duckdb_db_use_threads(struct sql_db *db, struct error *err);

/* functions.c */
int duckdb_add_functions(struct sql_db *db, struct error *err);
void duckdb_put_number_order(struct buffer *out, const char *column);
void duckdb_put_number(struct buffer *out, const char *column, enum sql_type type);
void duckdb_put_misspelt(struct buffer *out, const char *column, enum sql_type type);

/* append.c */
struct sql_load *duckdb_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                  size_t count, struct error *err);
int duckdb_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err);
int duckdb_load_flush(struct sql_load *load, struct error *err);
void duckdb_load_close(struct sql_load *load);

#endif
