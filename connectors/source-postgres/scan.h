/* Reading a table's rows as they are in one snapshot: by pages, so that an interrupted read goes on, and
 * several connections share the work; or in one piece where there are no pages (views, partitioned tables).
 */
#ifndef FIRTH_PG_SCAN_H
#define FIRTH_PG_SCAN_H

#include "row.h"

enum {
    PG_SCAN_PAGES = 2048, /* of a connection's turn: 16 MB */
    PG_SCAN_CONNECTIONS = 16,
};

/* A transaction's view: REPEATABLE READ, read only, on the first connection and on those that help. */
struct pg_snapshot {
    PGconn *connections[PG_SCAN_CONNECTIONS];
    size_t count;
    uint64_t xmin,
        xmax;   /* 64-bit transaction numbers: all below xmin are over, those from xmax on had not begun */
    char *text; /* "xmin:xmax:xip,…" */
};

/* Begin it. `table`: it is locked as every SELECT does, before the view is taken; may be NULL. The first
 * connection is borrowed; `parallel` - 1 more are opened. */
int pg_snapshot_begin(struct pg_snapshot *snapshot, const struct pg_endpoint *endpoint, PGconn *connection,
                      const struct pg_table *table, int64_t parallel, struct firth_error *err);
/* Over; the borrowed connection is in no transaction any more. */
void pg_snapshot_end(struct pg_snapshot *snapshot);

struct pg_scan {
    struct firth_host *host;
    const struct pg_snapshot *snapshot;
    const struct pg_table *table;
    struct pg_rows *rows;
    size_t stream; /* position in the selection */
    enum pg_envelope envelope;
    bool by_pages;
    bool alone;             /* without the rows of tables that inherit from it */
    uint32_t filenode;      /* in this snapshot */
    uint64_t block, blocks; /* the next page to be read; how many there are */
    uint64_t number;        /* of rows made so far */
};

/* Look how large the table is in this snapshot. */
int pg_scan_begin(struct pg_scan *scan, struct firth_host *host, const struct pg_snapshot *snapshot,
                  const struct pg_table *table, enum pg_envelope envelope, struct pg_rows *rows,
                  size_t stream, struct firth_error *err);
/* Emit the rows of the next pages (without pages: all), where `condition` holds ("": everywhere). 1: there
 * are more; 0: that was the last. -1: *err, or an emit function failed. */
int pg_scan_next(struct pg_scan *scan, const char *condition, struct firth_error *err);
/* The same for the pages before `end`, all at once. */
int pg_scan_before(struct pg_scan *scan, uint64_t end, const char *condition, struct firth_error *err);
/* Emit the rows of a SELECT's tail: " WHERE … ORDER BY …". `after_row` is called behind each row that was
 * emitted. */
int pg_scan_tail(struct pg_scan *scan, const char *tail,
                 int (*after_row)(void *context, struct firth_error *err), void *context,
                 struct firth_error *err);

/* Tell of values that JSON cannot say, PG_NOTE_…. */
void pg_tell_notes(struct firth_host *host, const struct pg_table *table, const char *column, unsigned notes);
/* A record, and what pg_changes_add noted of it (which it ends). As firth_emit_record. */
int pg_emit(struct firth_host *host, size_t stream, const struct buffer *document, struct buffer *changes);
/* Append the condition that a row's version is of a transaction that was not over before `xmin`. */
void pg_put_changed_since(struct buffer *out, uint64_t xmin);

#endif
