#include "cdc_session.h"

#include "base/clock.h"
#include "base/fault.h"

#include <inttypes.h>
#include <stdlib.h>

/* Changes in the order of commits. A state stands only between two transactions, so each is whole at the
 * other end.
 *
 * The server is asked for transactions one by one, each when it has committed (protocol version 1): it spools
 * large ones itself. Version 2 would send them before, interleaved, and they would have to be kept here until
 * their commits. */

enum {
    STATE_RECORDS = 5000,
    STATE_MS = 100,
    IDLE_WAIT_MS = 500,
    HEARTBEAT_MS = 10000,       /* a position that moves without documents is told as often, */
    HEARTBEAT_BYTES = 16 << 20, /* or when it has moved so far */
    STATUS_MS = 10000,
    LAG_MS = 60000,
    LAG_BYTES = 64 << 20, /* from which on it is worth a line */
};

static int64_t now_ms(void)
{
    return (int64_t)(clock_monotonic_ns(&clock_system) / 1000000);
}

/* --- the server
 * ------------------------------------------------------------------------------------------------ */

int cdc_send_status(struct pg_cdc *cdc, bool reply, struct firth_error *err)
{
    char status[PG_STATUS_SIZE];
    uint64_t durable = cdc->confirmed;
    if (fault_planted("postgres-confirm-before-commit"))
        durable = cdc->lsn;
    pg_status_write(status, cdc->server_end, durable, clock_wall_ms(&clock_system), reply);
    cdc->status_ms = now_ms();
    if (PQputCopyData(cdc->changes, status, sizeof status) <= 0 || PQflush(cdc->changes) < 0)
        return pg_failure(cdc->changes, NULL, "telling the server what is durable", err);
    return 0;
}

static int status_if_due(struct pg_cdc *cdc, struct firth_error *err)
{
    return now_ms() - cdc->status_ms >= STATUS_MS ? cdc_send_status(cdc, false, err) : 0;
}

static void tell_lag(struct pg_cdc *cdc)
{
    uint64_t lag = cdc->server_end > cdc->confirmed ? cdc->server_end - cdc->confirmed : 0;
    int64_t now = now_ms();
    if (now - cdc->lag_ms < LAG_MS)
        return;
    cdc->lag_ms = now;
    firth_log(cdc->host, lag >= LAG_BYTES ? FIRTH_INFO : FIRTH_DEBUG,
              "the replication slot \"%s\" holds back %" PRIu64 " MB of log", pg_config_slot(cdc->config),
              lag >> 20);
}

static int begin_stream(struct pg_cdc *cdc, struct firth_error *err)
{
    char lsn[PG_LSN_SIZE];
    if (!cdc->live && pg_log_end(cdc->connection, true, &cdc->target, err) < 0)
        return -1;
    cdc->changes = pg_replicate(cdc->host, &cdc->endpoint, cdc->lsn, err);
    if (!cdc->changes)
        return -1;
    cdc->stated_ms = cdc->lag_ms = now_ms();
    cdc->stated_lsn = cdc->lsn;
    firth_log(cdc->host, FIRTH_INFO, "reading changes from %s on, slot \"%s\", publication \"%s\"",
              pg_lsn_write(lsn, cdc->lsn), pg_config_slot(cdc->config), pg_config_publication(cdc->config));
    return cdc_send_status(cdc, true, err);
}

void cdc_stream_leave(struct pg_cdc *cdc)
{
    PQfinish(cdc->changes);
    cdc->changes = NULL;
    for (size_t i = 0; i < cdc->relation_count; i++)
        pg_relation_done(&cdc->relations[i]);
    cdc->relation_count = 0;
}

void cdc_stream_end(struct pg_cdc *cdc)
{
    cdc_stream_leave(cdc);
    free(cdc->relations);
    for (size_t i = 0; i < cdc->reloaded_count; i++) {
        pg_catalog_done(cdc->reloaded[i]);
        free(cdc->reloaded[i]);
    }
    free(cdc->reloaded);
}

/* --- relations
 * -------------------------------------------------------------------------------------------------- */

static struct pg_relation *relation_of(struct pg_cdc *cdc, uint32_t oid)
{
    for (size_t i = 0; i < cdc->relation_count; i++) {
        if (cdc->relations[i].oid == oid)
            return &cdc->relations[i];
    }
    return NULL;
}

/* By its oid, for it may have been given another name meanwhile. One that only has the name is what was there
 * before the stream's table, or what took its place: then that one is read (cdc_tables.c), and its changes of
 * until then are seen there. */
static size_t stream_of(struct pg_cdc *cdc, const struct pg_message *relation)
{
    for (size_t i = 0; i < cdc->count; i++) {
        const struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->incremental)
            continue;
        if (stream->table->oid == relation->relation)
            return i;
        cdc->look |= strcmp(stream->table->name, relation->table) == 0 &&
                     strcmp(stream->table->schema, relation->schema) == 0;
    }
    return SIZE_MAX;
}

static bool same_columns(const struct pg_table *table, const struct pg_message *relation)
{
    size_t at = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct pg_column *column = &table->columns[i];
        if (column->generated)
            continue;
        while (at < relation->column_count && pg_table_hides(table, relation->columns[at].name))
            at++;
        if (at == relation->column_count || strcmp(column->name, relation->columns[at].name) != 0 ||
            column->type->oid != relation->columns[at].type)
            return false;
        at++;
    }
    while (at < relation->column_count && pg_table_hides(table, relation->columns[at].name))
        at++;
    return at == relation->column_count;
}

/* The stream's table has another name. If its own is given to another table by now, that is the one. */
static int leave_if_replaced(struct pg_cdc *cdc, const struct pg_message *relation, size_t *index,
                             struct firth_error *err)
{
    if (*index == SIZE_MAX)
        return 0;
    const struct pg_standing *standing = cdc->streams[*index].standing;
    if (strcmp(standing->table->name, relation->table) == 0 &&
        strcmp(standing->table->schema, relation->schema) == 0)
        return 0;
    if (pg_standings_look(cdc->connection, cdc->config, &cdc->standings, err) < 0)
        return -1;
    if (standing->oid && standing->oid != relation->relation) {
        cdc->look = true;
        *index = SIZE_MAX;
    }
    return 0;
}

/* One of the key may have been given another name. */
static const char *missing_key(const struct cdc_stream *stream, const struct pg_relation *relation)
{
    auto_free const char **names = mem_zalloc((relation->count + 1) * sizeof *names);
    for (size_t i = 0, count = 0; i < relation->count; i++) {
        if (!relation->columns[i].hidden)
            names[count++] = relation->columns[i].name;
    }
    return pg_stream_missing_key(stream->selected, stream->envelope, names);
}

static int take_relation(struct pg_cdc *cdc, const struct pg_message *message, struct firth_error *err)
{
    size_t index = stream_of(cdc, message);
    if (leave_if_replaced(cdc, message, &index, err) < 0)
        return -1;
    const struct pg_types *types =
        cdc->reloaded_count ? &cdc->reloaded[cdc->reloaded_count - 1]->types : &cdc->catalog.types;
    const struct pg_table *table = NULL;
    if (index != SIZE_MAX) {
        struct cdc_stream *stream = &cdc->streams[index];
        if (!same_columns(stream->table, message) &&
            cdc_reload(cdc, stream, message->relation, false, err) < 0)
            return -1;
        table = stream->table;
        if (cdc->reloaded_count)
            types = &cdc->reloaded[cdc->reloaded_count - 1]->types;
    }
    struct pg_relation *relation = relation_of(cdc, message->relation);
    if (relation) {
        pg_relation_done(relation);
    } else {
        cdc->relations = mem_grow(cdc->relations, &cdc->relation_capacity, cdc->relation_count + 1,
                                  sizeof *cdc->relations);
        relation = &cdc->relations[cdc->relation_count++];
    }
    pg_relation_init(relation, message, table, types, cdc->config->source_tag, cdc->config->history, index);
    if (table) {
        relation->missing_key = missing_key(&cdc->streams[index], relation);
        /* Without an identity the server refuses updates and deletes itself. */
        pg_relation_needs(relation, table, cdc->streams[index].selected->primary_key);
    }
    return 0;
}

/* --- changes
 * ------------------------------------------------------------------------------------------------------ */

static int emit(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_change *change)
{
    const struct cdc_stream *stream = &cdc->streams[relation->stream];
    struct pg_change_note note = {.changes = &cdc->lossy};
    struct pg_change placed = *change;
    cdc->rank++;
    cdc_rank_raise(cdc, cdc->transaction.commit_lsn);
    placed.rank = cdc->rank;
    buffer_clear(&cdc->document);
    buffer_clear(&cdc->lossy);
    pg_change_put(&cdc->document, relation, &placed, stream->envelope, cdc->style, &note);
    if (note.column)
        pg_tell_notes(cdc->host, stream->table, note.column, note.notes);
    cdc->records++;
    return pg_emit(cdc->host, relation->stream, &cdc->document, &cdc->lossy);
}

static int emit_update(struct pg_cdc *cdc, struct pg_relation *relation, struct pg_message *message,
                       struct pg_change *change, struct firth_error *err)
{
    bool moves = pg_change_moves(relation, message);
    change->old = message->old.kind ? &message->old : NULL;
    /* Where documents are merged, what is left out stays as it was; not under another key, and not in rows.
     */
    if ((moves || !cdc->flow) && pg_change_lacks(relation, &message->new, change->old) &&
        cdc_look_up(cdc, relation, change->old, &message->new, err) < 0)
        return -1;
    if (moves) {
        struct pg_change gone = *change;
        gone.op = 'd';
        gone.row = &message->old;
        gone.old = NULL;
        if (emit(cdc, relation, &gone) < 0)
            return -1;
    }
    change->op = moves ? 'c' : 'u';
    change->row = &message->new;
    change->before = cdc->flow && !moves && message->old.kind ? &message->old : NULL;
    return emit(cdc, relation, change);
}

/* The table was in the collection before it was read again, and its snapshot saw this change. What a row has
 * is in the snapshot; a row that went is not, and only its going can be told. Where its key is in the table
 * now, another row has it, which is in the snapshot or in a change behind. */
static int take_seen(struct pg_cdc *cdc, struct pg_relation *relation, const struct pg_message *message,
                     uint64_t lsn, struct firth_error *err)
{
    bool there;
    if (message->kind == PG_MESSAGE_INSERT || !message->old.kind || relation->unknown_key ||
        relation->missing_key || (message->kind == PG_MESSAGE_UPDATE && !pg_change_moves(relation, message)))
        return 0;
    if (cdc_is_there(cdc, relation, &message->old, &there, err) < 0)
        return -1;
    const struct pg_change gone = {
        .op = 'd', .lsn = lsn, .transaction = &cdc->transaction, .row = &message->old};
    return there ? 0 : emit(cdc, relation, &gone);
}

static int take_change(struct pg_cdc *cdc, struct pg_message *message, uint64_t lsn, struct firth_error *err)
{
    struct pg_relation *relation = relation_of(cdc, message->relation);
    if (!relation)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM,
                          "the server sent a change of a table that it had not described");
    if (relation->stream == SIZE_MAX)
        return 0;
    const struct cdc_stream *stream = &cdc->streams[relation->stream];
    bool seen = stream->position.snapshot && pg_visible(&stream->seen, cdc->transaction.xid);
    if (seen && !stream->position.again)
        return 0; /* its work was in the tables when they were read */
    if (seen && relation->keyed)
        return take_seen(cdc, relation, message, lsn, err);
    if (relation->unknown_key && message->kind != PG_MESSAGE_INSERT)
        return firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "rows of %s were updated or deleted while its replica identity was an index "
            "without the column %s of its key, so the log does not say which: run ALTER TABLE %s "
            "REPLICA IDENTITY FULL, and read the table again (raise the binding's `backfill`, or "
            "reset the stream)",
            relation->current_name.data, relation->unknown_key, relation->current_name.data);
    if (relation->missing_key)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "rows of %s were changed while it had no column %s, which is in the key that was "
                          "chosen: it was renamed or "
                          "dropped. Give it that name again and read the table again (raise the binding's "
                          "`backfill`, or reset the "
                          "stream), or discover the stream anew and choose its key of now (a collection of "
                          "another key is another "
                          "collection)",
                          relation->current_name.data, relation->missing_key);
    struct pg_change change = {.lsn = lsn, .transaction = &cdc->transaction};
    switch (message->kind) {
    case PG_MESSAGE_INSERT:
        change.op = 'c';
        change.row = &message->new;
        return emit(cdc, relation, &change);
    case PG_MESSAGE_UPDATE:
        return emit_update(cdc, relation, message, &change, err);
    default:
        change.op = 'd';
        change.row = &message->old;
        return emit(cdc, relation, &change);
    }
}

/* A collection by key cannot be told that all its documents have gone: their keys are not in the log. */
static int take_truncate(struct pg_cdc *cdc, const struct pg_message *message, uint64_t lsn)
{
    for (size_t i = 0; i < message->relation_count; i++) {
        struct pg_relation *relation = relation_of(cdc, message->relations[i]);
        if (!relation || relation->stream == SIZE_MAX)
            continue;
        const struct cdc_stream *stream = &cdc->streams[relation->stream];
        const struct pg_change change = {.op = 't', .lsn = lsn, .transaction = &cdc->transaction};
        bool seen = stream->position.snapshot && pg_visible(&stream->seen, cdc->transaction.xid);
        if (seen && !stream->position.again)
            continue;
        if (stream->envelope == PG_ENVELOPE_FLOW && !relation->keyed) {
            if (emit(cdc, relation, &change) < 0)
                return -1;
        } else {
            firth_log(cdc->host, FIRTH_WARN,
                      "%s.%s was truncated: the log does not say which rows that were, so what was captured "
                      "of them stays "
                      "until the table is read again",
                      stream->table->schema, stream->table->name);
        }
    }
    return 0;
}

/* What a table's snapshot had seen is behind us: it need not be asked any more. */
static void forget_snapshots(struct pg_cdc *cdc)
{
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->position.snapshot || stream->position.phase != PG_PHASE_CHANGES ||
            cdc->lsn < stream->position.barrier)
            continue;
        free(stream->position.snapshot);
        stream->position.snapshot = NULL;
        stream->position.again = false;
        pg_visibility_done(&stream->seen);
        cdc_moved(stream);
    }
}

static void begin_transaction(struct pg_cdc *cdc, const struct pg_message *message)
{
    cdc->in_transaction = true;
    cdc->is_seen = false;
    cdc->transaction = (struct pg_transaction){.commit_lsn = message->lsn,
                                               .previous_end_lsn = cdc->previous_end,
                                               .time_ms = message->time_ms,
                                               .xid = message->xid};
    clock_format_rfc3339(message->time_ms, cdc->transaction.when, sizeof cdc->transaction.when);
}

static int take(struct pg_cdc *cdc, const struct pg_frame *frame, struct firth_error *err)
{
    struct pg_message message;
    struct error library_err;
    arena_clear(&cdc->message_arena);
    if (pg_message_read(frame->body, &cdc->message_arena, &message, &library_err) < 0)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "%s", library_err.message);
    switch (message.kind) {
    case PG_MESSAGE_BEGIN:
        begin_transaction(cdc, &message);
        return 0;
    case PG_MESSAGE_COMMIT:
        cdc->in_transaction = false;
        cdc->lsn = cdc->previous_end = message.end_lsn;
        forget_snapshots(cdc);
        return 0;
    case PG_MESSAGE_RELATION:
        return take_relation(cdc, &message, err);
    case PG_MESSAGE_INSERT:
    case PG_MESSAGE_UPDATE:
    case PG_MESSAGE_DELETE:
        return take_change(cdc, &message, frame->start, err);
    case PG_MESSAGE_TRUNCATE:
        return take_truncate(cdc, &message, frame->start);
    case PG_MESSAGE_OTHER:
        return 0;
    }
    return 0;
}

/* --- the loop
 * ------------------------------------------------------------------------------------------------------ */

static int take_frame(struct pg_cdc *cdc, struct slice bytes, struct firth_error *err)
{
    struct pg_frame frame;
    struct error library_err;
    if (pg_frame_read(bytes, &frame, &library_err) < 0)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "%s", library_err.message);
    if (frame.end > cdc->server_end)
        cdc->server_end = frame.end;
    if (!frame.keepalive)
        return take(cdc, &frame, err);
    /* All that was committed up to there was sent, or is of no interest: a heartbeat that costs nothing. */
    if (!cdc->in_transaction && frame.end > cdc->lsn) {
        cdc->lsn = frame.end;
        forget_snapshots(cdc);
    }
    cdc->asked |= frame.reply_wanted;
    return frame.reply_wanted ? cdc_send_status(cdc, false, err) : 0;
}

/* 1: a message was taken; 0: nothing has come. */
static int take_next(struct pg_cdc *cdc, struct firth_error *err)
{
    char *bytes;
    int size = PQgetCopyData(cdc->changes, &bytes, 1);
    if (size == 0)
        return 0;
    if (size < 0) {
        pg_auto_result PGresult *last = PQgetResult(cdc->changes);
        return pg_failure(cdc->changes, last, "reading changes", err);
    }
    int result = take_frame(cdc, (struct slice){bytes, (size_t)size}, err);
    PQfreemem(bytes);
    return result < 0 ? -1 : 1;
}

static bool state_is_due(const struct pg_cdc *cdc, bool idle)
{
    if (cdc->in_transaction || cdc->lsn == cdc->stated_lsn)
        return false;
    if (cdc->asked)
        return true;
    int64_t since = now_ms() - cdc->stated_ms;
    if (cdc->records)
        return idle || cdc->records >= STATE_RECORDS || since >= STATE_MS;
    return since >= HEARTBEAT_MS || cdc->lsn - cdc->stated_lsn >= HEARTBEAT_BYTES;
}

static int emit_state(struct pg_cdc *cdc)
{
    cdc->stated_ms = now_ms();
    cdc->asked = false;
    return cdc_emit_state(cdc);
}

int cdc_stream(struct pg_cdc *cdc, struct firth_error *err)
{
    int others = cdc->changes && cdc->live ? cdc_tables_look(cdc, err) : 0;
    if (others)
        return others;
    if (!cdc->changes && begin_stream(cdc, err) < 0)
        return -1;
    int64_t began = now_ms();
    for (bool waited = false;;) {
        int took = take_next(cdc, err);
        if (took < 0 || status_if_due(cdc, err) < 0)
            return -1;
        bool at_target = !cdc->live && !cdc->in_transaction && cdc->lsn >= cdc->target;
        if (at_target)
            return emit_state(cdc) < 0 ? -1 : 0;
        if (state_is_due(cdc, took == 0))
            return emit_state(cdc) < 0 ? -1 : 1;
        if (took)
            continue;
        tell_lag(cdc);
        /* So that acknowledgements are looked at. A server that shuts down asks for them without a pause. */
        if (!cdc->in_transaction && (waited || now_ms() - began >= STATE_MS))
            return 1;
        int ready = pg_wait(cdc->changes, cdc->host, IDLE_WAIT_MS, err);
        if (ready < 0)
            return -1;
        if (ready && !PQconsumeInput(cdc->changes))
            return pg_failure(cdc->changes, NULL, "reading changes", err);
        waited = !ready;
        if (waited && !cdc->live && cdc_send_status(cdc, true, err) < 0)
            return -1;
    }
}
