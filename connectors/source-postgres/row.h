/* Rows of `COPY … TO STDOUT` (text format) as JSON objects, in one pass, into one buffer. */
#ifndef FIRTH_PG_ROW_H
#define FIRTH_PG_ROW_H

#include "stream.h"

struct pg_row_column {
    struct slice head; /* {"name": or ,"name": */
    const struct pg_type *type;
    bool key;   /* of the table's key */
    bool noted; /* it was said that this column had a value that JSON cannot say */
};

/* How a table's rows become documents. */
struct pg_rows {
    struct pg_row_column *columns;
    size_t count;
    size_t cursor; /* the column whose text is kept; SIZE_MAX: none */
    struct pg_style style;
    struct slice meta_head, meta_tail; /* around a row's number; size 0: none. The document's first member */
    struct slice tail;                 /* the last members: ,"_ab_cdc_lsn":…; size 0: none */
    struct buffer out;                 /* the document made last */
    struct buffer changes;             /* of it, as pg_changes_add notes them */
    struct buffer plain;               /* a field without COPY's escapes */
    struct buffer cursor_text;         /* of the row made last */
    bool cursor_is_null;
};

/* For the columns that are read, in their order. Names go to the arena. */
void pg_rows_init(struct pg_rows *rows, const struct pg_table *table, enum pg_envelope envelope,
                  struct pg_style style, struct arena *arena);
void pg_rows_done(struct pg_rows *rows);
/* Make rows->out of a line, its line break included. `number`: for meta_head. *ret_column and *ret_notes:
 * what a column's value could not say (pg_value_put), for the first such value of a column; notes 0: nothing.
 * -1: the line has not as many fields as there are columns. */
int pg_rows_make(struct pg_rows *rows, struct slice line, uint64_t number, size_t *ret_column,
                 unsigned *ret_notes);
/* Append "a", "b": what to select. */
void pg_rows_put_names(struct buffer *out, const struct pg_table *table, enum pg_envelope envelope);

#endif
