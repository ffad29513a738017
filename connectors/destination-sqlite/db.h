/* SQLite as a dialect (../sql/dialect.h). */
#ifndef FIRTH_DESTINATION_SQLITE_DB_H
#define FIRTH_DESTINATION_SQLITE_DB_H

#include "connectors/sql/dialect.h"

#include <sqlite3.h>

struct sql_db {
    sqlite3 *handle;
    char *path;
    int lock_fd; /* for locks that are ours, not SQLite's */
};

extern const struct sql_dialect sqlite_dialect;

/* Open the file, which is made if need be. NULL with *err. */
struct sql_db *sqlite_db_open(const char *path, struct error *err);

/* From SQLite's last error. Returns -1. */
int sqlite_db_error(const struct sql_db *db, struct error *err);
/* NULL with *err. */
sqlite3_stmt *sqlite_db_prepare(struct sql_db *db, const char *sql, struct error *err);

/* load.c */
struct sql_load *sqlite_load_open(struct sql_db *db, const char *table, const struct sql_column *columns,
                                  size_t count, struct error *err);
int sqlite_load_row(struct sql_load *load, const struct sql_cell *cells, struct error *err);
int sqlite_load_flush(struct sql_load *load, struct error *err);
void sqlite_load_close(struct sql_load *load);

/* alter.c */
int sqlite_alter_type(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                      enum sql_type type, struct error *err);
/* The SQL function firth_text(x): a number's shortest text. */
int sqlite_add_functions(struct sql_db *db);

#endif
