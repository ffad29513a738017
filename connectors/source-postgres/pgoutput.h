/* What a walsender says on a logical replication connection, and pgoutput's messages in it: protocol version
 * 1, text values. Pure: bytes in, structs out; what comes is bounds-checked. */
#ifndef FIRTH_PG_PGOUTPUT_H
#define FIRTH_PG_PGOUTPUT_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { PG_COLUMNS_MAX = 1664 }; /* of a tuple: PostgreSQL's own limit */

enum pg_message_kind {
    PG_MESSAGE_BEGIN = 'B',
    PG_MESSAGE_COMMIT = 'C',
    PG_MESSAGE_RELATION = 'R',
    PG_MESSAGE_INSERT = 'I',
    PG_MESSAGE_UPDATE = 'U',
    PG_MESSAGE_DELETE = 'D',
    PG_MESSAGE_TRUNCATE = 'T',
    PG_MESSAGE_OTHER = 0, /* ORIGIN, TYPE, MESSAGE */
};

enum pg_datum_kind { PG_DATUM_NULL = 'n', PG_DATUM_UNCHANGED = 'u', PG_DATUM_TEXT = 't' };

struct pg_datum {
    enum pg_datum_kind kind;
    struct slice text;
};

struct pg_tuple {
    char kind; /* 'N' new, 'O' old, 'K' the old key (other columns are null); 0: not there */
    const struct pg_datum *items;
    size_t count;
};

struct pg_wire_column {
    bool key; /* of the replica identity */
    const char *name;
    uint32_t type;
};

struct pg_message {
    enum pg_message_kind kind;
    uint32_t relation, xid;
    uint64_t lsn, end_lsn; /* BEGIN: of the commit; COMMIT: of the commit, and behind it */
    int64_t time_ms;       /* since 1970 */
    struct pg_tuple old, new;
    const char *schema, *table; /* RELATION */
    char identity;
    const struct pg_wire_column *columns;
    size_t column_count;
    const uint32_t *relations; /* TRUNCATE */
    size_t relation_count;
};

/* A message of CopyData: 'w' with a message of pgoutput, or 'k'. */
struct pg_frame {
    bool keepalive, reply_wanted;
    uint64_t start, end; /* w: of the change; k: end of what the server has sent or skipped */
    struct slice body;
};

int pg_frame_read(struct slice bytes, struct pg_frame *ret_frame, struct error *err);
/* Texts are of the body, arrays of the arena. */
int pg_message_read(struct slice body, struct arena *arena, struct pg_message *ret_message,
                    struct error *err);

enum { PG_STATUS_SIZE = 34 };
/* The standby's status: what has come, and what is durable here. */
void pg_status_write(char bytes[PG_STATUS_SIZE], uint64_t received, uint64_t durable, int64_t now_ms,
                     bool reply);

/* "16/B374D848"; false: it is none. */
bool pg_lsn_read(const char *text, uint64_t *ret_lsn);
enum { PG_LSN_SIZE = 20 };
const char *pg_lsn_write(char text[PG_LSN_SIZE], uint64_t lsn);

/* A snapshot, "xmin:xmax:xip,…": whose work does it see? */
struct pg_visibility {
    uint64_t xmin, xmax;
    uint64_t *running; /* heap, sorted as it came */
    size_t count;
};
bool pg_visibility_read(struct pg_visibility *visibility, const char *text);
void pg_visibility_done(struct pg_visibility *visibility);
/* `xid`: the lower 32 bits of a transaction that is no more than 2^31 away from the snapshot. */
bool pg_visible(const struct pg_visibility *visibility, uint32_t xid);

#endif
