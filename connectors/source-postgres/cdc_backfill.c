#include "cdc_session.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>

/* What is in the tables when a capture begins. Each table is read in one snapshot, whose text is kept: the
 * log brings what that snapshot does not see, and nothing that it does. So the two join without a lock, a
 * loss or a duplicate.
 *
 * One that was interrupted goes on at its page in another snapshot. What has changed since the first comes
 * from the log all the same, because that first one decides; a keyed collection takes a row twice as one, and
 * for another the rows are left out here that the first snapshot did not see. */

/* The rows whose version the first snapshot saw; those that are older than age() can count seem to be of the
 * future. Subtransactions are not in its list: their rows may come twice. */
static void put_seen(struct buffer *sql, const struct pg_visibility *seen)
{
    buffer_printf(
        sql,
        "(age(xmin) < 0 OR age(xmin) > age('%u'::xid) OR (age(xmin) > age('%u'::xid) AND xmin::text <> ALL "
        "('{",
        (uint32_t)seen->xmin, (uint32_t)seen->xmax);
    for (size_t i = 0; i < seen->count; i++)
        buffer_printf(sql, "%s%u", i ? "," : "", (uint32_t)seen->running[i]);
    buffer_str(sql, "}'::text[])))");
}

static struct slice keep(struct arena *arena, struct buffer *text)
{
    struct slice slice = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return slice;
}

/* What each row's document has beside its columns. */
static void make_envelope(struct pg_cdc *cdc, const struct cdc_stream *stream)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (stream->envelope == PG_ENVELOPE_FLOW) {
        buffer_str(&text, "\"_meta\":{\"op\":\"c\",\"source\":{\"schema\":");
        json_escape(&text, slice_of(stream->table->schema));
        buffer_str(&text, ",\"table\":");
        json_escape(&text, slice_of(stream->table->name));
        if (cdc->config->source_tag && *cdc->config->source_tag) {
            buffer_str(&text, ",\"tag\":");
            json_escape(&text, slice_of(cdc->config->source_tag));
        }
        buffer_str(&text, ",\"snapshot\":true,\"loc\":[-1,");
        cdc->rows.meta_head = keep(&cdc->arena, &text);
        cdc->rows.meta_tail = SLICE_LITERAL(",0]}}");
    } else if (stream->envelope == PG_ENVELOPE_AIRBYTE) {
        char when[40];
        clock_format_rfc3339(clock_wall_ms(&clock_system), when, sizeof when);
        buffer_printf(
            &text, ",\"_ab_cdc_lsn\":%" PRIu64 ",\"_ab_cdc_updated_at\":\"%s\",\"_ab_cdc_deleted_at\":null",
            cdc->rank, when);
        cdc->rows.tail = keep(&cdc->arena, &text);
    }
}

static int begin_anew(struct pg_cdc *cdc, struct cdc_stream *stream, struct firth_error *err)
{
    struct pg_position *position = &stream->position;
    pg_visibility_done(&stream->seen);
    free(position->snapshot);
    position->phase = PG_PHASE_PAGES;
    position->filenode = cdc->scan.filenode;
    position->block = 0;
    position->xmin = cdc->snapshot.xmin;
    position->snapshot = mem_strdup(cdc->snapshot.text);
    if (!pg_visibility_read(&stream->seen, position->snapshot))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the server's snapshot is %s", position->snapshot);
    if (pg_log_end(cdc->connection, false, &position->barrier, err) < 0)
        return -1;
    cdc_rank_raise(cdc, position->barrier);
    if (stream->table->rows >= 0)
        return firth_emit_estimate(cdc->host, (size_t)(stream - cdc->streams), (int64_t)stream->table->rows,
                                   -1);
    return 0;
}

/* What has changed since those pages were read: a row may have moved there from one that was not, and of its
 * large values the log has what was changed alone. */
static int read_again(struct pg_cdc *cdc, struct cdc_stream *stream, struct firth_error *err)
{
    struct buffer condition;
    buffer_init(&condition, BUFFER_UNLIMITED);
    pg_put_changed_since(&condition, stream->position.xmin);
    int result = pg_scan_before(&cdc->scan, stream->position.block, buffer_cstr(&condition), err);
    buffer_done(&condition);
    stream->position.xmin = cdc->snapshot.xmin;
    return result;
}

static int begin(struct pg_cdc *cdc, struct cdc_stream *stream, struct firth_error *err)
{
    if (pg_snapshot_begin(&cdc->snapshot, &cdc->endpoint, cdc->connection, stream->table,
                          cdc->config->parallelism, err) < 0)
        return -1;
    /* What has come or gone since the capture opened: from here on the table is locked against that. */
    if (cdc_reload(cdc, stream, stream->table->oid, true, err) < 0) {
        pg_snapshot_end(&cdc->snapshot);
        return -1;
    }
    cdc->scanning = true;
    pg_rows_init(&cdc->rows, stream->table, stream->envelope, cdc->style, &cdc->arena);
    if (pg_scan_begin(&cdc->scan, cdc->host, &cdc->snapshot, stream->table, stream->envelope, &cdc->rows,
                      (size_t)(stream - cdc->streams), err) < 0)
        return -1;
    /* What inherits from it has changes of its own. */
    cdc->scan.alone = stream->incremental && stream->table->kind == 'r';
    struct pg_position *position = &stream->position;
    bool goes_on = stream->incremental && position->phase == PG_PHASE_PAGES && cdc->scan.by_pages &&
                   position->filenode == cdc->scan.filenode;
    if (position->phase == PG_PHASE_PAGES && !goes_on && stream->incremental) {
        /* The pages are others, but what was read of them stays: the first snapshot still says what the log
         * brings. */
        firth_log(cdc->host, FIRTH_INFO,
                  "%s.%s was written anew since it was read in part: it is read from the start",
                  stream->table->schema, stream->table->name);
        position->filenode = cdc->scan.filenode;
        position->block = 0;
        stream->keyed = true; /* every row is wanted again */
    } else if (!goes_on && begin_anew(cdc, stream, err) < 0) {
        return -1;
    }
    cdc->scan.block = position->block;
    cdc->scan.number = position->number;
    make_envelope(cdc, stream);
    return goes_on && stream->keyed ? read_again(cdc, stream, err) : 0;
}

void cdc_backfill_end(struct pg_cdc *cdc)
{
    if (!cdc->scanning)
        return;
    pg_snapshot_end(&cdc->snapshot);
    pg_rows_done(&cdc->rows);
    arena_clear(&cdc->arena);
    cdc->scanning = false;
}

static bool is_read(const struct cdc_stream *stream)
{
    return stream->position.phase == PG_PHASE_CHANGES || stream->complete;
}

static int scan(struct pg_cdc *cdc, struct cdc_stream *stream, struct firth_error *err)
{
    struct buffer condition;
    buffer_init(&condition, BUFFER_UNLIMITED);
    bool again = strcmp(stream->position.snapshot, cdc->snapshot.text) != 0;
    if (again && !stream->keyed && stream->incremental && cdc->scan.by_pages)
        put_seen(&condition, &stream->seen);
    int more = pg_scan_next(&cdc->scan, buffer_cstr(&condition), err);
    buffer_done(&condition);
    return more;
}

int cdc_backfill(struct pg_cdc *cdc, struct firth_error *err)
{
    while (cdc->next < cdc->count && is_read(&cdc->streams[cdc->order[cdc->next]]))
        cdc->next++;
    if (cdc->next == cdc->count)
        return 0;
    struct cdc_stream *stream = &cdc->streams[cdc->order[cdc->next]];
    if (!cdc->scanning && begin(cdc, stream, err) < 0)
        return -1;
    int more = scan(cdc, stream, err);
    if (more < 0)
        return -1;
    stream->position.block = cdc->scan.block;
    stream->position.number = cdc->scan.number;
    if (!more) {
        cdc_backfill_end(cdc);
        if (stream->incremental)
            stream->position.phase = PG_PHASE_CHANGES;
        else
            pg_position_done(&stream->position); /* the next read is a new one */
        stream->complete = !stream->incremental;
    }
    cdc_moved(stream);
    if (cdc_emit_state(cdc) < 0)
        return -1;
    if (stream->complete && firth_emit_complete(cdc->host, (size_t)(stream - cdc->streams)) < 0)
        return -1;
    return 1;
}
