/* What a read by cursor asks of a table: the greatest value, and which rows have one. */
#ifndef FIRTH_PG_CURSOR_H
#define FIRTH_PG_CURSOR_H

#include "catalog.h"

/* A value of the cursor and the rows that have it. One of them may leave while another comes, so their number
 * alone does not tell whether they are the same: `sum` is made of their texts, in any order. */
struct pg_cursor_value {
    char *text; /* heap; NULL: there is none */
    uint64_t rows;
    char *sum; /* heap */
};

void pg_cursor_value_done(struct pg_cursor_value *value);
/* The greatest value that another may follow, in the connection's snapshot. */
int pg_cursor_find_greatest(PGconn *connection, const struct pg_table *table, const struct pg_column *column,
                            struct pg_cursor_value *ret_value, struct firth_error *err);
/* The rows that have the value `text` now. */
int pg_cursor_look(PGconn *connection, const struct pg_table *table, const struct pg_column *column,
                   const char *text, struct pg_cursor_value *ret_value, struct firth_error *err);
/* Append a literal of the column's type. */
void pg_cursor_put_value(struct buffer *sql, const struct pg_column *column, const char *text);
/* Is it an infinity or NaN: no place to go on from? */
bool pg_cursor_is_endless(const struct pg_column *column, const char *text);

#endif
