#include "pgoutput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_MS 946684800000LL /* 2000-01-01 */

/* Reads in network order; past the end everything is 0 and `bad` is set. */
struct wire {
    const unsigned char *at, *end;
    bool bad;
};

static uint64_t number(struct wire *wire, size_t size)
{
    uint64_t value = 0;
    if ((size_t)(wire->end - wire->at) < size) {
        wire->bad = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value = value << 8 | *wire->at++;
    return value;
}

static const char *string(struct wire *wire)
{
    const unsigned char *nul = memchr(wire->at, 0, (size_t)(wire->end - wire->at));
    if (!nul) {
        wire->bad = true;
        return "";
    }
    const char *text = (const char *)wire->at;
    wire->at = nul + 1;
    return text;
}

static struct slice bytes(struct wire *wire, size_t size)
{
    if ((size_t)(wire->end - wire->at) < size) {
        wire->bad = true;
        return (struct slice){0};
    }
    struct slice slice = {(const char *)wire->at, size};
    wire->at += size;
    return slice;
}

static int64_t time_ms(struct wire *wire)
{
    return (int64_t)number(wire, 8) / 1000 + EPOCH_MS;
}

static struct wire wire_of(struct slice slice)
{
    const unsigned char *data = (const unsigned char *)slice.data;
    return (struct wire){data, data + slice.size, false};
}

int pg_frame_read(struct slice input, struct pg_frame *ret_frame, struct error *err)
{
    struct wire wire = wire_of(input);
    struct pg_frame frame = {0};
    char kind = (char)number(&wire, 1);
    if (kind == 'k') {
        frame.keepalive = true;
        frame.end = number(&wire, 8);
        number(&wire, 8);
        frame.reply_wanted = number(&wire, 1) != 0;
    } else if (kind == 'w') {
        frame.start = number(&wire, 8);
        frame.end = number(&wire, 8);
        number(&wire, 8);
        frame.body = (struct slice){(const char *)wire.at, (size_t)(wire.end - wire.at)};
    }
    if (wire.bad || (kind != 'k' && kind != 'w'))
        return error_set(err, ERROR_PROTOCOL, "the server sent a replication message that is cut or unknown");
    *ret_frame = frame;
    return 0;
}

/* --- messages
 * ------------------------------------------------------------------------------------------------ */

static void read_tuple(struct wire *wire, struct arena *arena, char kind, struct pg_tuple *tuple)
{
    size_t count = number(wire, 2);
    if (count > PG_COLUMNS_MAX) {
        wire->bad = true;
        return;
    }
    struct pg_datum *items = arena_alloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count && !wire->bad; i++) {
        char what = (char)number(wire, 1);
        items[i] = (struct pg_datum){.kind = (enum pg_datum_kind)what};
        if (what == PG_DATUM_TEXT)
            items[i].text = bytes(wire, number(wire, 4));
        else if (what != PG_DATUM_NULL && what != PG_DATUM_UNCHANGED)
            wire->bad = true;
    }
    *tuple = (struct pg_tuple){kind, items, count};
}

/* [K or O, tuple] [N, tuple] */
static void read_change(struct wire *wire, struct arena *arena, struct pg_message *message)
{
    message->relation = (uint32_t)number(wire, 4);
    char kind = (char)number(wire, 1);
    if (kind == 'K' || kind == 'O') {
        read_tuple(wire, arena, kind, &message->old);
        if (message->kind == PG_MESSAGE_DELETE)
            return;
        kind = (char)number(wire, 1);
    }
    if (kind != 'N')
        wire->bad = true;
    else
        read_tuple(wire, arena, kind, &message->new);
}

static void read_relation(struct wire *wire, struct arena *arena, struct pg_message *message)
{
    message->relation = (uint32_t)number(wire, 4);
    message->schema = string(wire);
    if (!*message->schema)
        message->schema = "pg_catalog";
    message->table = string(wire);
    message->identity = (char)number(wire, 1);
    message->column_count = number(wire, 2);
    if (message->column_count > PG_COLUMNS_MAX) {
        wire->bad = true;
        return;
    }
    struct pg_wire_column *columns = arena_zalloc(arena, (message->column_count + 1) * sizeof *columns);
    for (size_t i = 0; i < message->column_count && !wire->bad; i++) {
        columns[i].key = number(wire, 1) & 1;
        columns[i].name = string(wire);
        columns[i].type = (uint32_t)number(wire, 4);
        number(wire, 4);
    }
    message->columns = columns;
}

static void read_truncate(struct wire *wire, struct arena *arena, struct pg_message *message)
{
    size_t count = number(wire, 4);
    number(wire, 1);
    if (count > (size_t)(wire->end - wire->at) / 4) {
        wire->bad = true;
        return;
    }
    uint32_t *relations = arena_alloc(arena, (count + 1) * sizeof *relations);
    for (size_t i = 0; i < count; i++)
        relations[i] = (uint32_t)number(wire, 4);
    message->relations = relations;
    message->relation_count = count;
}

int pg_message_read(struct slice body, struct arena *arena, struct pg_message *ret_message, struct error *err)
{
    struct wire wire = wire_of(body);
    struct pg_message message = {.kind = (enum pg_message_kind)number(&wire, 1)};
    switch (message.kind) {
    case PG_MESSAGE_BEGIN:
        message.lsn = number(&wire, 8);
        message.time_ms = time_ms(&wire);
        message.xid = (uint32_t)number(&wire, 4);
        break;
    case PG_MESSAGE_COMMIT:
        number(&wire, 1);
        message.lsn = number(&wire, 8);
        message.end_lsn = number(&wire, 8);
        message.time_ms = time_ms(&wire);
        break;
    case PG_MESSAGE_RELATION:
        read_relation(&wire, arena, &message);
        break;
    case PG_MESSAGE_INSERT:
    case PG_MESSAGE_UPDATE:
    case PG_MESSAGE_DELETE:
        read_change(&wire, arena, &message);
        break;
    case PG_MESSAGE_TRUNCATE:
        read_truncate(&wire, arena, &message);
        break;
    default:
        message.kind = PG_MESSAGE_OTHER;
    }
    if (wire.bad)
        return error_set(err, ERROR_PROTOCOL, "the server sent a change that is cut or malformed");
    *ret_message = message;
    return 0;
}

/* --- status, positions
 * --------------------------------------------------------------------------------------- */

static char *put_number(char *to, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (char)(value >> shift);
    return to;
}

void pg_status_write(char status[PG_STATUS_SIZE], uint64_t received, uint64_t durable, int64_t now_ms,
                     bool reply)
{
    char *to = status;
    *to++ = 'r';
    to = put_number(to, received);
    to = put_number(to, durable);
    to = put_number(to, durable);
    to = put_number(to, (uint64_t)((now_ms - EPOCH_MS) * 1000));
    *to = reply;
}

bool pg_lsn_read(const char *text, uint64_t *ret_lsn)
{
    char *end;
    if (!text || !*text)
        return false;
    unsigned long long high = strtoull(text, &end, 16);
    if (end == text || *end != '/' || !end[1] || high > UINT32_MAX)
        return false;
    const char *rest = end + 1;
    unsigned long long low = strtoull(rest, &end, 16);
    if (end == rest || *end || low > UINT32_MAX)
        return false;
    *ret_lsn = high << 32 | low;
    return true;
}

const char *pg_lsn_write(char text[PG_LSN_SIZE], uint64_t lsn)
{
    snprintf(text, PG_LSN_SIZE, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    return text;
}

/* --- snapshots
 * ----------------------------------------------------------------------------------------------- */

bool pg_visibility_read(struct pg_visibility *visibility, const char *text)
{
    char *end;
    size_t capacity = 0;
    *visibility = (struct pg_visibility){.xmin = strtoull(text, &end, 10)};
    if (end == text || *end != ':')
        return false;
    const char *at = end + 1;
    visibility->xmax = strtoull(at, &end, 10);
    if (end == at || *end != ':')
        return false;
    for (at = end + 1; *at; at = *end == ',' ? end + 1 : end) {
        uint64_t xid = strtoull(at, &end, 10);
        if (end == at) {
            pg_visibility_done(visibility);
            return false;
        }
        visibility->running =
            mem_grow(visibility->running, &capacity, visibility->count + 1, sizeof *visibility->running);
        visibility->running[visibility->count++] = xid;
    }
    return true;
}

void pg_visibility_done(struct pg_visibility *visibility)
{
    free(visibility->running);
    *visibility = (struct pg_visibility){0};
}

bool pg_visible(const struct pg_visibility *visibility, uint32_t xid)
{
    uint64_t whole = visibility->xmax + (uint64_t)(int64_t)(int32_t)(xid - (uint32_t)visibility->xmax);
    if (whole < visibility->xmin)
        return true;
    if (whole >= visibility->xmax)
        return false;
    for (size_t i = 0; i < visibility->count; i++) {
        if (visibility->running[i] == whole)
            return false;
    }
    return true;
}
