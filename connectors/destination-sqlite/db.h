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
/* How a number is stored: as SQLITE_INTEGER or SQLITE_FLOAT if that is its very value, else as SQLITE_TEXT.
 */
int sqlite_kind_of(struct slice number, int64_t *ret_integer, double *ret_real);

/* alter.c */
int sqlite_alter_type(struct sql_db *db, const char *table, const struct sql_columns *all, size_t column,
                      enum sql_type type, struct error *err);

/* functions.c */
int sqlite_add_functions(struct sql_db *db);
void sqlite_put_number_order(struct buffer *out, const char *column);
void sqlite_put_number(struct buffer *out, const char *column, enum sql_type type);
void sqlite_put_misspelt(struct buffer *out, const char *column, enum sql_type type);

#endif
