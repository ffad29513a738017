/* The inside of a CDC session: what cdc.c, cdc_backfill.c and cdc_stream.c share. */
#ifndef FIRTH_PG_CDC_SESSION_H
#define FIRTH_PG_CDC_SESSION_H

#include "cdc.h"
#include "change.h"
#include "position.h"
#include "slot.h"

struct cdc_stream {
    const struct firth_selected *selected;
    const struct pg_table *table;
    struct pg_standing *standing; /* of an incremental one */
    bool gone;                    /* it was said that the table is */
    bool incremental;             /* otherwise it is only read whole */
    bool complete;                /* read whole, and over */
    bool keyed;                   /* the collection's key is of columns: a row that comes twice is one */
    enum pg_envelope envelope;
    int64_t priority;
    struct pg_position position;
    struct pg_visibility seen; /* of position.snapshot, where there is one */
    struct buffer state;       /* the position, written; size 0: it has changed since */
};

/* A state that was emitted, and what it says is read. */
struct cdc_state {
    uint64_t number, lsn;
};

struct pg_cdc {
    const struct pg_config *config;
    struct firth_host *host;
    bool live, flow;
    struct pg_style style;
    struct pg_endpoint endpoint;
    PGconn *connection; /* for statements */
    struct pg_catalog catalog;
    struct pg_slot slot;
    struct pg_standings standings;
    struct cdc_stream *streams;
    size_t count, incremental;
    bool adds;                 /* there are new tables, for a slot that is older */
    size_t *order;             /* streams by priority */
    struct firth_slice *texts; /* of emit_state */

    uint64_t era; /* another one if a stream is not here that was here in the session before */

    /* Airbyte's cursor `_ab_cdc_lsn`: what is emitted later has a higher one, whatever the log says. */
    uint64_t rank;  /* the highest that was emitted */
    uint64_t ahead; /* by how much it is more than an LSN of this server */

    uint64_t lsn;              /* everything that was committed before is emitted */
    uint64_t confirmed;        /* and before this durable at the other end */
    uint64_t states;           /* emitted */
    struct buffer unconfirmed; /* struct cdc_state each */
    struct buffer shared;

    /* The backfill that is under way. */
    size_t next; /* in order */
    bool scanning;
    struct arena arena;
    struct pg_snapshot snapshot;
    struct pg_rows rows;
    struct pg_scan scan;

    /* The changes. */
    PGconn *changes; /* NULL: not yet */
    uint64_t target; /* not live: where to end */
    struct arena message_arena;
    struct pg_relation *relations; /* heap */
    size_t relation_count, relation_capacity;
    struct pg_catalog **reloaded; /* heap; of tables that have changed */
    size_t reloaded_count, reloaded_capacity;
    struct pg_transaction transaction;
    bool is_seen;               /* the transaction's work, by other sessions */
    bool in_transaction, asked; /* asked: the server wants to hear what is durable, as when it shuts down */
    uint64_t previous_end, server_end;
    uint64_t records; /* since the last state */
    int64_t stated_ms, status_ms, lag_ms;
    int64_t look_ms;     /* when the tables are to be looked at next */
    uint64_t looked_end; /* of the server's log when they were */
    bool look;           /* a table that has a stream's name is another */
    uint64_t stated_lsn;
    struct buffer document, lossy; /* of a record; lossy: pg_changes_add */
};

/* What is emitted from here on has no lower rank than that LSN. */
void cdc_rank_raise(struct pg_cdc *cdc, uint64_t lsn);
/* Emit a global state that says where everything is. */
int cdc_emit_state(struct pg_cdc *cdc);
/* What the catalog says of the table `oid` now: the stream's table from here on, and its schema is told. With
 * `if_other` only if the columns are others. It may be a step ahead of the log, or the table may be gone:
 * then what was known is kept. */
int cdc_reload(struct pg_cdc *cdc, struct cdc_stream *stream, uint32_t oid, bool if_other,
               struct firth_error *err);
/* cdc_tables.c: what became of the tables themselves. List them, once the streams are open. */
int cdc_tables_open(struct pg_cdc *cdc, struct firth_error *err);
/* The shared state is of that era (0: not known), and of so many streams. Those that were not among them are
 * to be read from the start. */
void cdc_tables_enter(struct pg_cdc *cdc, uint64_t era, uint64_t streams);
/* Tables that are not the ones that were read are to be read from the start; how many. */
size_t cdc_tables_compare(struct pg_cdc *cdc);
/* What they are now is what is read of those that begin, and what was read where a state does not say. */
void cdc_tables_note(struct pg_cdc *cdc);
/* Tables are new to a slot that is older: before they are read, no transaction may write to them that began
 * before they were published. 1: meanwhile there are others to be read; 0: they can be read. */
int cdc_tables_admit(struct pg_cdc *cdc, struct firth_error *err);
/* While changes come, between two transactions: look at them again if anything was written since. 1: some are
 * to be read, and the changes have been left; 0: all is as it was. */
int cdc_tables_look(struct pg_cdc *cdc, struct firth_error *err);
/* The stream is at its start: later rows of its table have numbers of their own. */
void cdc_forget(struct cdc_stream *stream);
/* Begin with changes alone, where that is wanted. */
void cdc_skip_start(struct pg_cdc *cdc, struct cdc_stream *stream);
/* A stream's position has changed. */
void cdc_moved(struct cdc_stream *stream);
/* cdc_backfill.c: pages of a table, and a state. 1: there is more to read of what was there; 0: nothing. */
int cdc_backfill(struct pg_cdc *cdc, struct firth_error *err);
void cdc_backfill_end(struct pg_cdc *cdc);
/* cdc_stream.c: changes up to a state. 1, or 0 at the target. */
int cdc_stream(struct pg_cdc *cdc, struct firth_error *err);
/* Leave the changes: they can be begun again where they were. */
void cdc_stream_leave(struct pg_cdc *cdc);
void cdc_stream_end(struct pg_cdc *cdc);
/* cdc_lookup.c: fill in what the row does not have (pg_change_lacks), from the table as it is now. What is
 * not there any more stays UNCHANGED. */
int cdc_look_up(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_tuple *old,
                struct pg_tuple *row, struct firth_error *err);
/* Has the table a row of that key now? Yes if nobody can say. */
int cdc_is_there(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_tuple *row,
                 bool *ret_there, struct firth_error *err);
int cdc_send_status(struct pg_cdc *cdc, bool reply, struct firth_error *err);

#endif
