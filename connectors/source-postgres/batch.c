#include "batch.h"

#include "cursor.h"
#include "position.h"
#include "timeline.h"

#include <inttypes.h>
#include <stdlib.h>

/* Streams are read one after the other, each in a snapshot of its own.
 *
 * The first read of a table, and every full refresh, goes through its pages; a state names the next page.
 * What an interrupted one goes on with is another snapshot, and rows may have moved to pages that are read
 * already: those that have changed since the first snapshot are read there again. So a row may come twice,
 * and none is missed. */

enum mode { MODE_FULL, MODE_CURSOR, MODE_XMIN };
enum { ROWS_A_STATE = 20000 };

struct stream {
    const struct pg_table *table;
    const struct firth_selected *selected;
    enum mode mode;
    const struct pg_column *cursor; /* MODE_CURSOR */
    struct pg_position position;
};

struct pg_batch {
    const struct pg_config *config;
    struct pg_endpoint endpoint;
    PGconn *connection;
    struct pg_catalog catalog;
    struct pg_history history;
    struct arena arena; /* of the current stream */
    struct stream *streams;
    size_t count, current;

    /* The current stream's. */
    bool begun;
    struct pg_snapshot snapshot;
    struct pg_rows rows;
    struct pg_scan scan;
    struct pg_cursor_value upper; /* MODE_CURSOR: the greatest in this snapshot */
    uint64_t since_state;         /* rows */
    bool moved;                   /* MODE_CURSOR: the position's cursor is of this read */
    bool endless;                 /* MODE_CURSOR: it was said that a row has a cursor that nothing follows */
    struct buffer condition, state;
};

/* --- opening
 * ------------------------------------------------------------------------------------------------- */

static int choose_mode(struct pg_batch *batch, struct stream *stream, struct firth_error *err)
{
    const struct firth_selected *selected = stream->selected;
    if (selected->sync_mode == FIRTH_FULL_REFRESH)
        stream->mode = MODE_FULL;
    else if (pg_config_method(batch->config) == PG_METHOD_XMIN)
        stream->mode = MODE_XMIN;
    else
        stream->mode = MODE_CURSOR;
    if (stream->mode != MODE_CURSOR)
        return 0;
    stream->cursor = selected->cursor ? pg_stream_column(stream->table, selected->cursor) : NULL;
    if (stream->cursor)
        return 0;
    return firth_fail(
        err, FIRTH_FAILURE_CONFIG,
        "the cursor %s of stream %s is no column of the table: it was renamed or dropped, or the "
        "user may not read it. Choose a cursor that there is",
        selected->cursor ? selected->cursor : "", selected->name);
}

static bool fits(const struct stream *stream)
{
    const struct pg_position *position = &stream->position;
    if (position->cursor_field &&
        (!stream->cursor || strcmp(position->cursor_field, stream->cursor->name) != 0))
        return false;
    switch (position->phase) {
    case PG_PHASE_NEW:
        return true;
    case PG_PHASE_PAGES: /* a cursor's pass has its cursor's field, another has none */
        return (stream->mode == MODE_CURSOR) == (position->cursor_field != NULL);
    case PG_PHASE_CURSOR:
        return stream->mode == MODE_CURSOR;
    case PG_PHASE_XMIN:
        return stream->mode == MODE_XMIN;
    case PG_PHASE_CHANGES:
        return false;
    }
    return false;
}

/* NULL: it is as far as anybody knows the table that was read. Else how it "was read", before or elsewhere.
 */
static const char *read_elsewhere(const struct pg_position *position, const struct pg_history *now,
                                  const struct pg_table *table, char *text, size_t size)
{
    if (position->system && *now->system && strcmp(position->system, now->system) != 0)
        snprintf(text, size, "from another server (system identifier %.24s, it is %s now)", position->system,
                 now->system);
    else if (position->timeline && now->timeline && position->timeline != now->timeline)
        snprintf(text, size, "before another server took over (timeline %u, it is %u now)",
                 position->timeline, now->timeline);
    else if (position->database && now->database && position->database != now->database)
        snprintf(text, size, "from another database of the server (oid %u, it is %u now)", position->database,
                 now->database);
    else if (position->oid && position->oid != table->oid)
        snprintf(text, size, "when another table had that name (oid %u, it is %u now)", position->oid,
                 table->oid);
    else
        return NULL;
    return text;
}

/* Numbers of transactions and pages mean something else in another table, on another server, and in another
 * of its histories: a standby that took over gave numbers once more that the one before had given. Rows that
 * a table brought along with another's name may be older than what was read last. A cursor's value means the
 * same. */
static void leave_if_elsewhere(const struct pg_batch *batch, struct firth_host *host, struct stream *stream)
{
    struct pg_position *position = &stream->position;
    char text[160];
    const char *was = read_elsewhere(position, &batch->history, stream->table, text, sizeof text);
    if (!was)
        return;
    if (position->phase == PG_PHASE_CURSOR) {
        firth_log(
            host, FIRTH_WARN,
            "%s.%s was read %s: it goes on behind its cursor, so rows that this one has and that one had not "
            "come only if theirs is greater. If it did not have all that was read, reset the stream",
            stream->table->schema, stream->table->name, was);
        return;
    }
    firth_log(host, FIRTH_WARN,
              "%s.%s was read %s, where transactions and pages are others: it is read from the start",
              stream->table->schema, stream->table->name, was);
    pg_position_done(position);
}

static int open_stream(struct pg_batch *batch, struct firth_host *host, const struct firth_selected *selected,
                       struct stream *stream, struct firth_error *err)
{
    const char *schema = selected->name_space ? selected->name_space : "public";
    stream->selected = selected;
    stream->table = pg_catalog_find(&batch->catalog, schema, selected->name);
    if (!stream->table)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "there is no table %s.%s any more, or it may not be read", schema, selected->name);
    if (choose_mode(batch, stream, err) < 0 ||
        pg_stream_check(stream->table, selected, batch->config, PG_ENVELOPE_NONE, err) < 0 ||
        pg_position_read(&stream->position, selected->state, selected->name, err) < 0)
        return -1;
    leave_if_elsewhere(batch, host, stream);
    if (stream->position.cursor && stream->cursor &&
        pg_cursor_is_endless(stream->cursor, stream->position.cursor)) {
        firth_log(host, FIRTH_WARN,
                  "%s.%s was read up to %s, which nothing follows: it is read from the start", schema,
                  selected->name, stream->position.cursor);
        pg_position_done(&stream->position);
    }
    if (!fits(stream)) {
        firth_log(host, FIRTH_WARN,
                  "the state of %s.%s is of another cursor or method: it is read from the start", schema,
                  selected->name);
        pg_position_done(&stream->position);
    }
    return 0;
}

int pg_batch_open(struct firth_host *host, const struct pg_config *config,
                  const struct firth_selection *selection, struct pg_batch **ret_batch,
                  struct firth_error *err)
{
    struct pg_batch *batch = mem_zalloc(sizeof *batch);
    batch->config = config;
    arena_init(&batch->arena);
    buffer_init(&batch->condition, BUFFER_UNLIMITED);
    buffer_init(&batch->state, BUFFER_UNLIMITED);
    batch->streams = mem_zalloc((selection->count + 1) * sizeof *batch->streams);
    int result = pg_endpoint_open(&batch->endpoint, host, config, err);
    bool has_endpoint = result == 0, has_catalog = false;
    if (result == 0) {
        batch->connection = pg_connect(&batch->endpoint, false, err);
        result = batch->connection ? 0 : -1;
    }
    if (result == 0) {
        result = pg_catalog_load(&batch->catalog, batch->connection, config, 0, err);
        has_catalog = result == 0;
    }
    if (result == 0)
        pg_history_ask(&batch->history, batch->connection);
    for (; result == 0 && batch->count < selection->count; batch->count++)
        result =
            open_stream(batch, host, &selection->streams[batch->count], &batch->streams[batch->count], err);
    if (result == 0) {
        *ret_batch = batch;
        return 0;
    }
    if (has_catalog)
        pg_catalog_done(&batch->catalog);
    if (has_endpoint)
        pg_endpoint_close(&batch->endpoint);
    PQfinish(batch->connection);
    for (size_t i = 0; i < batch->count; i++)
        pg_position_done(&batch->streams[i].position);
    free(batch->streams);
    buffer_done(&batch->condition);
    buffer_done(&batch->state);
    arena_done(&batch->arena);
    free(batch);
    return -1;
}

static void end_stream(struct pg_batch *batch)
{
    if (!batch->begun)
        return;
    pg_snapshot_end(&batch->snapshot);
    pg_rows_done(&batch->rows);
    pg_cursor_value_done(&batch->upper);
    arena_clear(&batch->arena);
    batch->begun = false;
}

void pg_batch_close(struct pg_batch *batch)
{
    end_stream(batch);
    for (size_t i = 0; i < batch->count; i++)
        pg_position_done(&batch->streams[i].position);
    free(batch->streams);
    pg_catalog_done(&batch->catalog);
    PQfinish(batch->connection);
    pg_endpoint_close(&batch->endpoint);
    buffer_done(&batch->condition);
    buffer_done(&batch->state);
    arena_done(&batch->arena);
    free(batch);
}

/* --- states
 * ---------------------------------------------------------------------------------------------------- */

static int emit_state(struct pg_batch *batch, struct firth_host *host)
{
    buffer_clear(&batch->state);
    pg_position_put(&batch->state, &batch->streams[batch->current].position);
    batch->since_state = 0;
    return firth_emit_state(host, batch->current, (struct firth_slice){batch->state.data, batch->state.size});
}

static int end_with(struct pg_batch *batch, struct firth_host *host)
{
    if (emit_state(batch, host) < 0 || firth_emit_complete(host, batch->current) < 0)
        return -1;
    end_stream(batch);
    return ++batch->current < batch->count;
}

static void set_text(char **field, const char *text)
{
    char *copy = text ? mem_strdup(text) : NULL; /* `text` may be of *field */
    free(*field);
    *field = copy;
}

/* What the next read compares with. */
static void set_history(const struct pg_batch *batch, const struct pg_table *table,
                        struct pg_position *position)
{
    set_text(&position->system, *batch->history.system ? batch->history.system : NULL);
    position->timeline = batch->history.timeline;
    position->database = batch->history.database;
    position->oid = table->oid;
}

/* --- by cursor
 * ------------------------------------------------------------------------------------------------- */

/* Whether the rows that have the state's value are others than when it was saved. */
static int look_for_ties(struct pg_batch *batch, const struct stream *stream, struct pg_cursor_value *now,
                         bool *ret_others, struct firth_error *err)
{
    const struct pg_position *position = &stream->position;
    if (pg_cursor_look(batch->snapshot.connections[0], stream->table, stream->cursor, position->cursor, now,
                       err) < 0)
        return -1;
    *ret_others = now->rows != position->cursor_rows || !position->cursor_sum ||
                  strcmp(now->sum, position->cursor_sum) != 0;
    return 0;
}

static void set_cursor(struct pg_position *position, const struct pg_cursor_value *value)
{
    set_text(&position->cursor, value->text);
    set_text(&position->cursor_sum, value->sum);
    position->cursor_rows = value->rows;
}

struct walk {
    struct pg_batch *batch;
    struct firth_host *host;
    struct stream *stream;
};

/* Behind each row, in the cursor's order. A state in the middle says nothing of the rows that have its value:
 * they are read again. */
static int after_row(void *context, struct firth_error *err)
{
    (void)err;
    struct walk *walk = context;
    struct pg_batch *batch = walk->batch;
    struct pg_position *position = &walk->stream->position;
    const char *value = buffer_cstr(&batch->rows.cursor_text);
    if (!batch->rows.cursor_is_null && pg_cursor_is_endless(walk->stream->cursor, value)) {
        if (!batch->endless)
            firth_log(
                walk->host, FIRTH_WARN,
                "%s.%s has rows whose cursor %s is %s: nothing comes behind that, so they come with each "
                "read (and those at -infinity with the first alone)",
                walk->stream->table->schema, walk->stream->table->name, walk->stream->cursor->name, value);
        batch->endless = true;
    } else if (!batch->rows.cursor_is_null) {
        if (!position->cursor || strcmp(position->cursor, value) != 0)
            set_text(&position->cursor, value);
        position->cursor_rows = 0;
        set_text(&position->cursor_sum, NULL);
        batch->moved = true;
    }
    if (++batch->since_state < ROWS_A_STATE || !position->cursor)
        return 0;
    return emit_state(batch, walk->host);
}

static int read_by_cursor(struct pg_batch *batch, struct firth_host *host, struct stream *stream,
                          struct firth_error *err)
{
    struct buffer tail;
    struct pg_cursor_value now = {0};
    bool others = false;
    assert(stream->cursor);
    auto_free char *from = stream->position.phase == PG_PHASE_CURSOR && stream->position.cursor
                               ? mem_strdup(stream->position.cursor)
                               : NULL;
    if (from && look_for_ties(batch, stream, &now, &others, err) < 0)
        return -1;
    buffer_init(&tail, BUFFER_UNLIMITED);
    if (from) {
        buffer_str(&tail, " WHERE ");
        pg_put_name(&tail, stream->cursor->name);
        buffer_str(&tail, others ? " >= " : " > ");
        pg_cursor_put_value(&tail, stream->cursor, from);
    }
    buffer_str(&tail, " ORDER BY ");
    pg_put_name(&tail, stream->cursor->name);
    buffer_str(&tail, " NULLS FIRST");
    stream->position.phase = PG_PHASE_CURSOR;
    set_text(&stream->position.cursor_field, stream->cursor->name);
    set_history(batch, stream->table, &stream->position);
    batch->moved = batch->endless = false;
    struct walk walk = {batch, host, stream};
    int result = pg_scan_tail(&batch->scan, buffer_cstr(&tail), after_row, &walk, err);
    buffer_done(&tail);
    if (result == 0 && (batch->moved || from))
        set_cursor(&stream->position, batch->moved ? &batch->upper : &now);
    pg_cursor_value_done(&now);
    return result;
}

/* --- the pages
 * ------------------------------------------------------------------------------------------------- */

/* Which rows of the pages are wanted: by xmin, what has changed since the last pass. */
static const char *wanted(struct pg_batch *batch, const struct stream *stream)
{
    buffer_clear(&batch->condition);
    if (stream->position.since)
        pg_put_changed_since(&batch->condition, stream->position.since);
    return buffer_cstr(&batch->condition);
}

/* Rows that have changed since the first snapshot, and may have moved, in the pages that were read in it. */
static int read_again(struct pg_batch *batch, struct stream *stream, struct firth_error *err)
{
    buffer_clear(&batch->condition);
    pg_put_changed_since(&batch->condition, stream->position.xmin);
    int result = pg_scan_before(&batch->scan, stream->position.block, buffer_cstr(&batch->condition), err);
    stream->position.xmin = batch->snapshot.xmin;
    return result;
}

/* 2^31 transactions on, a number means another transaction. */
static bool is_too_old(const struct pg_batch *batch, uint64_t xmin)
{
    return xmin > batch->snapshot.xmax || batch->snapshot.xmax - xmin >= (uint64_t)1 << 31;
}

static int begin_pages(struct pg_batch *batch, struct firth_host *host, struct stream *stream,
                       struct firth_error *err)
{
    struct pg_position *position = &stream->position;
    const char *schema = stream->table->schema, *name = stream->table->name;
    if (position->phase == PG_PHASE_PAGES && batch->scan.by_pages &&
        position->filenode == batch->scan.filenode && !is_too_old(batch, position->xmin)) {
        firth_log(host, FIRTH_INFO, "%s.%s goes on at page %" PRIu64 " of %" PRIu64, schema, name,
                  position->block, batch->scan.blocks);
        batch->scan.block = position->block;
        return read_again(batch, stream, err);
    }
    if (position->phase == PG_PHASE_PAGES)
        firth_log(host, FIRTH_INFO,
                  "%s.%s was written anew since it was read in part: it is read from the start", schema,
                  name);
    uint64_t since = position->phase == PG_PHASE_XMIN ? position->xmin : position->since;
    if (since && is_too_old(batch, since)) {
        firth_log(host, FIRTH_WARN,
                  "%s.%s was read last too many transactions ago: it is read from the start", schema, name);
        since = 0;
    }
    pg_position_done(position);
    *position = (struct pg_position){.phase = PG_PHASE_PAGES,
                                     .filenode = batch->scan.filenode,
                                     .xmin = batch->snapshot.xmin,
                                     .since = since};
    set_history(batch, stream->table, position);
    if (stream->mode == MODE_CURSOR) {
        set_text(&position->cursor_field, stream->cursor->name);
        set_cursor(position, &batch->upper);
    }
    if (!since && stream->table->rows >= 0)
        return firth_emit_estimate(host, batch->current, (int64_t)stream->table->rows,
                                   batch->scan.by_pages ? (int64_t)batch->scan.blocks * 8192 : -1);
    return 0;
}

/* Everything has been read: what the next sync begins with. */
static void end_pages(struct stream *stream)
{
    struct pg_position *position = &stream->position;
    if (stream->mode == MODE_CURSOR)
        position->phase = PG_PHASE_CURSOR;
    else if (stream->mode == MODE_XMIN)
        position->phase = PG_PHASE_XMIN;
    else /* the next read is a new one */
        pg_position_done(position);
}

/* --- reading
 * --------------------------------------------------------------------------------------------------- */

static int begin_stream(struct pg_batch *batch, struct firth_host *host, struct stream *stream,
                        struct firth_error *err)
{
    if (pg_snapshot_begin(&batch->snapshot, &batch->endpoint, batch->connection, stream->table,
                          batch->config->parallelism, err) < 0)
        return -1;
    batch->begun = true;
    struct pg_style style = {firth_speaks_flow(host), pg_has_long_floats(PQserverVersion(batch->connection))};
    pg_rows_init(&batch->rows, stream->table, PG_ENVELOPE_NONE, style, &batch->arena);
    for (size_t i = 0; stream->cursor && i < stream->table->column_count; i++) {
        if (&stream->table->columns[i] == stream->cursor)
            batch->rows.cursor = i;
    }
    if (pg_scan_begin(&batch->scan, host, &batch->snapshot, stream->table, PG_ENVELOPE_NONE, &batch->rows,
                      batch->current, err) < 0 ||
        (stream->mode == MODE_CURSOR &&
         pg_cursor_find_greatest(batch->connection, stream->table, stream->cursor, &batch->upper, err) < 0))
        return -1;
    if (stream->mode == MODE_CURSOR && (stream->position.phase == PG_PHASE_CURSOR || !batch->scan.by_pages))
        return read_by_cursor(batch, host, stream, err);
    return begin_pages(batch, host, stream, err);
}

int pg_batch_read(struct pg_batch *batch, struct firth_host *host, struct firth_error *err)
{
    if (batch->current == batch->count)
        return 0;
    struct stream *stream = &batch->streams[batch->current];
    if (!batch->begun) {
        if (begin_stream(batch, host, stream, err) < 0)
            return -1;
        if (stream->position.phase == PG_PHASE_CURSOR)
            return end_with(batch, host);
    }
    int more = pg_scan_next(&batch->scan, wanted(batch, stream), err);
    if (more < 0)
        return -1;
    stream->position.block = batch->scan.block;
    if (more)
        return emit_state(batch, host) < 0 ? -1 : 1;
    end_pages(stream);
    return end_with(batch, host);
}
