/* Where the reading of a stream is: what its state says. */
#ifndef FIRTH_PG_POSITION_H
#define FIRTH_PG_POSITION_H

#include "base/buffer.h"
#include "firth/connector.h"

enum pg_phase {
    PG_PHASE_NEW,
    PG_PHASE_PAGES,  /* in the middle of the table's pages */
    PG_PHASE_CURSOR, /* all is read up to the cursor */
    PG_PHASE_XMIN,   /* all is read of what was over at xmin */
    PG_PHASE_CHANGES /* CDC: it was read; changes follow */
};

struct pg_position {
    enum pg_phase phase;
    uint32_t filenode;                       /* PAGES: of the table as it was */
    uint64_t block;                          /* PAGES: the first that is not read */
    uint64_t xmin;                           /* PAGES: of the oldest snapshot that a page was read in; XMIN */
    uint64_t since;                          /* PAGES, xmin: only what has changed since; 0: everything */
    uint64_t number;                         /* CDC: rows of the table's start so far */
    uint32_t oid;                            /* which table that is; 0: not known */
    uint32_t database;                       /* without changes: and of which database; 0: not known */
    uint32_t member;                         /* CDC: what put it in the publication */
    uint64_t partitions;                     /* CDC: which it has, as a number; 0: none */
    uint64_t published_as, columns, written; /* CDC: as standing.h has them; 0: not known */
    uint64_t era;                            /* CDC: of the shared state that it belongs to; 0: not known */
    char *names;  /* CDC: of columns, as standing.h has them, by which they were captured so far; heap; NULL:
                     not known */
    bool again;   /* CDC: it was read before, and what went until the snapshot is to be told */
    char *system; /* without changes: of which cluster; heap; NULL: not known */
    uint32_t timeline;           /* and of which of its histories; 0: not known */
    char *cursor_field, *cursor; /* heap; NULL: none */
    uint64_t cursor_rows;        /* how many rows have that value, */
    char *cursor_sum;            /* and their sum (cursor.h); heap; NULL: not known, they are read again */
    char
        *snapshot; /* CDC: the one that the first pages were read in: what it does not see, the log brings, */
    uint64_t barrier; /* and behind this LSN it has seen nothing */
};

/* From a state; an error names the stream. The position is initialised; NEW if there is no state. */
int pg_position_read(struct pg_position *position, struct firth_slice state, const char *stream,
                     struct firth_error *err);
void pg_position_done(struct pg_position *position);
/* Append the state. */
void pg_position_put(struct buffer *out, const struct pg_position *position);

#endif
