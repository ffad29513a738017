/* Comma-separated values: rows of cells out of a text, and how a file is written. */
#ifndef FIRTH_FILES_CSV_H
#define FIRTH_FILES_CSV_H

#include "base/buffer.h"
#include "base/text.h"
#include "connectors/files/format.h"

struct csv_dialect {
    char delimiter;
    char terminator;   /* '\n', or '\r' where there is no '\n' */
    int quote, escape; /* FILES_NONE: none */
    bool double_quote;
};

struct csv_cell {
    size_t from, size; /* of what is between the quotes */
    bool quoted, escaped;
};

struct csv_row {
    struct csv_cell *cells;
    size_t count, capacity;
    size_t size;       /* bytes, line end included */
    uint64_t lines;    /* ends of lines in it */
    const char *wrong; /* what no CSV has; NULL: nothing */
};

/* The row at the beginning of `text`; false if it does not end there. `last`: what comes after it is nothing.
 */
bool csv_scan(const struct csv_dialect *dialect, struct slice text, bool last, struct csv_row *row);
void csv_row_done(struct csv_row *row);
/* The cell's text; in *scratch if something is escaped in it. */
struct slice csv_text(const struct csv_dialect *dialect, struct slice text, const struct csv_cell *cell,
                      struct buffer *scratch);

/* What is left to detection is told from the head of a text; `whole`: there is no more. */
struct csv_dialect csv_detect(const struct files_csv *options, struct slice head, bool whole);

enum csv_type { CSV_TEXT, CSV_INTEGER, CSV_NUMBER, CSV_BOOLEAN, CSV_JSON };

/* The narrowest type that the text has; CSV_TEXT for anything else. */
enum csv_type csv_type_of(struct slice text);
/* The type of both; INTEGER and NUMBER are NUMBER. */
enum csv_type csv_type_join(enum csv_type a, enum csv_type b);

#endif
