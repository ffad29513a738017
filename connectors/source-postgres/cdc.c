#include "cdc_session.h"

#include "json/writer.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- states
 * --------------------------------------------------------------------------------------------------- */

void cdc_moved(struct cdc_stream *stream)
{
    buffer_clear(&stream->state);
}

static void put_shared(struct pg_cdc *cdc)
{
    char lsn[PG_LSN_SIZE];
    buffer_printf(&cdc->shared, "{\"lsn\":\"%s\",\"system\":\"%s\"", pg_lsn_write(lsn, cdc->lsn),
                  cdc->slot.system);
    if (cdc->slot.timeline)
        buffer_printf(&cdc->shared, ",\"timeline\":%u", cdc->slot.timeline);
    buffer_printf(&cdc->shared, ",\"era\":%" PRIu64 ",\"streams\":%zu", cdc->era, cdc->incremental);
    if (!cdc->flow && cdc->rank)
        buffer_printf(&cdc->shared, ",\"rank\":%" PRIu64 ",\"ahead\":%" PRIu64, cdc->rank, cdc->ahead);
    buffer_byte(&cdc->shared, '}');
}

int cdc_emit_state(struct pg_cdc *cdc)
{
    buffer_clear(&cdc->shared);
    if (cdc->incremental)
        put_shared(cdc);
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->state.size)
            pg_position_put(&stream->state, &stream->position);
        cdc->texts[i] = (struct firth_slice){stream->state.data, stream->state.size};
    }
    const struct cdc_state state = {++cdc->states, cdc->lsn};
    if (cdc->flow)
        buffer_append(&cdc->unconfirmed, &state, sizeof state);
    cdc->records = 0;
    cdc->stated_lsn = cdc->lsn;
    return firth_emit_global_state(cdc->host, (struct firth_slice){cdc->shared.data, cdc->shared.size},
                                   cdc->texts);
}

int pg_cdc_acknowledged(struct pg_cdc *cdc, uint64_t states, struct firth_error *err)
{
    size_t used = 0;
    while (used + sizeof(struct cdc_state) <= cdc->unconfirmed.size) {
        struct cdc_state state;
        memcpy(&state, cdc->unconfirmed.data + used, sizeof state);
        if (state.number > states)
            break;
        cdc->confirmed = state.lsn;
        used += sizeof state;
    }
    buffer_consume(&cdc->unconfirmed, used);
    return cdc->changes && used ? cdc_send_status(cdc, false, err) : 0;
}

/* --- the rank
 * --------------------------------------------------------------------------------------------------- */

/* A destination with append_dedup takes a record of a lower cursor than its row has for a late one. The LSN
 * of a change is none to go by: a transaction that is open while a table is read writes before the read, and
 * its change comes behind it. So the cursor is the LSN of the commit, or of the log's end where a table is
 * read, and more if that was reached before. It is in the state, for what is sent again has the same one. */
void cdc_rank_raise(struct pg_cdc *cdc, uint64_t lsn)
{
    if (cdc->rank < lsn + cdc->ahead)
        cdc->rank = lsn + cdc->ahead;
}

/* Where everything begins anew on a server of another history, whose LSNs may be lower: what comes is ahead
 * of what the state tells, and of what was emitted behind that state and is in no other. */
static void open_rank(struct pg_cdc *cdc, const struct pg_progress *told, bool anew, bool lost)
{
    const uint64_t leap = UINT64_C(1) << 40;
    const struct pg_slot *slot = &cdc->slot;
    for (size_t i = 0; i < cdc->count; i++) {
        const struct pg_position *position = &cdc->streams[i].position;
        if (position->snapshot) /* a state of an older version does not tell the rank of these rows */
            cdc_rank_raise(cdc, position->barrier);
    }
    bool other = (*told->system && strcmp(told->system, slot->system) != 0) ||
                 (told->timeline && slot->timeline && told->timeline != slot->timeline) ||
                 (lost && cdc->lsn < told->lsn);
    if (!anew || !other || !told->lsn)
        return;
    cdc_rank_raise(cdc, told->lsn);
    uint64_t from = cdc->rank + leap;
    cdc->ahead = from > cdc->lsn ? from - cdc->lsn : 0;
}

/* --- tables
 * --------------------------------------------------------------------------------------------------- */

static bool same_columns(const struct pg_table *a, const struct pg_table *b)
{
    if (a->column_count != b->column_count)
        return false;
    for (size_t i = 0; i < a->column_count; i++) {
        const struct pg_column *one = &a->columns[i], *other = &b->columns[i];
        if (strcmp(one->name, other->name) != 0 || one->type->oid != other->type->oid ||
            one->generated != other->generated)
            return false;
    }
    return true;
}

int cdc_reload(struct pg_cdc *cdc, struct cdc_stream *stream, uint32_t oid, bool if_other,
               struct firth_error *err)
{
    struct pg_catalog *catalog = mem_zalloc(sizeof *catalog);
    if (pg_catalog_load(catalog, cdc->connection, cdc->config, oid, err) < 0) {
        free(catalog);
        return -1;
    }
    if (if_other && (!catalog->count || same_columns(stream->table, &catalog->tables[0]))) {
        pg_catalog_done(catalog);
        free(catalog);
        return 0;
    }
    cdc->reloaded = mem_grow(cdc->reloaded, &cdc->reloaded_capacity, cdc->reloaded_count + 1,
                             sizeof(struct pg_catalog *));
    cdc->reloaded[cdc->reloaded_count++] = catalog;
    if (!catalog->count)
        return 0;
    bool changed = !same_columns(stream->table, &catalog->tables[0]);
    stream->table = &catalog->tables[0];
    struct buffer schema;
    buffer_init(&schema, BUFFER_UNLIMITED);
    pg_stream_put_schema(&schema, stream->table, stream->envelope, cdc->config->history, cdc->style);
    if (changed)
        firth_log(cdc->host, FIRTH_INFO, "the columns of %s.%s have changed", stream->table->schema,
                  stream->table->name);
    int result = firth_emit_schema(cdc->host, (size_t)(stream - cdc->streams),
                                   (struct firth_slice){schema.data, schema.size});
    buffer_done(&schema);
    return result;
}

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

static int64_t priority_of(struct firth_host *host, const struct firth_selected *selected)
{
    int64_t priority = 0;
    return selected->resource.size && firth_json_integer(host, selected->resource, "/priority", &priority)
               ? priority
               : 0;
}

static bool only_changes(struct firth_host *host, const struct pg_config *config,
                         const struct cdc_stream *stream)
{
    struct firth_slice mode;
    if (pg_config_skips_backfill(config, stream->table->schema, stream->table->name))
        return true;
    return stream->selected->resource.size &&
           firth_json_get(host, stream->selected->resource, "/mode", &mode) == FIRTH_IS_TEXT &&
           slice_is((struct slice){mode.data, mode.size}, "Only Changes");
}

static int open_stream(struct pg_cdc *cdc, const struct firth_selected *selected, struct cdc_stream *stream,
                       struct firth_error *err)
{
    const char *schema = selected->name_space ? selected->name_space : "public";
    buffer_init(&stream->state, BUFFER_UNLIMITED);
    stream->selected = selected;
    stream->table = pg_catalog_find(&cdc->catalog, schema, selected->name);
    if (!stream->table)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "there is no table %s.%s any more, or it may not be read", schema, selected->name);
    bool changes = stream->table->kind == 'r' || stream->table->kind == 'p';
    stream->incremental = selected->sync_mode == FIRTH_INCREMENTAL && changes;
    stream->envelope = changes ? pg_envelope_of(cdc->config, cdc->flow) : PG_ENVELOPE_NONE;
    if (pg_stream_check(stream->table, selected, cdc->config, stream->envelope, err) < 0)
        return -1;
    stream->keyed = stream->table->key_count && !cdc->config->history;
    stream->priority = priority_of(cdc->host, selected);
    cdc->incremental += stream->incremental;
    if (pg_position_read(&stream->position, selected->state, selected->name, err) < 0)
        return -1;
    bool fits =
        stream->position.phase == PG_PHASE_NEW ||
        (stream->position.phase == PG_PHASE_PAGES && (stream->position.snapshot || !stream->incremental)) ||
        (stream->position.phase == PG_PHASE_CHANGES && stream->incremental);
    if (!fits) {
        firth_log(cdc->host, FIRTH_WARN,
                  "the state of %s.%s is of another replication method: it is read from the start", schema,
                  selected->name);
        pg_position_done(&stream->position);
    }
    if (stream->position.snapshot && !pg_visibility_read(&stream->seen, stream->position.snapshot))
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "the state of stream %s has a damaged snapshot",
                          selected->name);
    return 0;
}

void cdc_skip_start(struct pg_cdc *cdc, struct cdc_stream *stream)
{
    if (only_changes(cdc->host, cdc->config, stream))
        stream->position.phase = PG_PHASE_CHANGES;
}

/* {"lsn":"16/B374D848","system":"7…","timeline":1,"era":1,"streams":3,"rank":97500289096,"ahead":0} */
static int read_shared(struct pg_cdc *cdc, struct firth_slice state, struct pg_progress *progress,
                       int64_t *ret_era, int64_t *ret_streams, struct firth_error *err)
{
    struct firth_slice value;
    int64_t timeline = 0;
    *progress = (struct pg_progress){0};
    *ret_era = *ret_streams = 0;
    if (!state.size)
        return 0;
    if (firth_json_get(cdc->host, state, "/system", &value) == FIRTH_IS_TEXT)
        snprintf(progress->system, sizeof progress->system, "%.*s", (int)value.size, value.data);
    if (firth_json_integer(cdc->host, state, "/timeline", &timeline) && timeline > 0 &&
        timeline <= UINT32_MAX)
        progress->timeline = (uint32_t)timeline;
    firth_json_integer(cdc->host, state, "/era", ret_era);
    firth_json_integer(cdc->host, state, "/streams", ret_streams);
    int64_t rank = 0, ahead = 0;
    firth_json_integer(cdc->host, state, "/rank", &rank);
    firth_json_integer(cdc->host, state, "/ahead", &ahead);
    cdc->rank = rank > 0 ? (uint64_t)rank : 0;
    cdc->ahead = ahead > 0 ? (uint64_t)ahead : 0;
    if (firth_json_get(cdc->host, state, "/lsn", &value) != FIRTH_IS_TEXT)
        return 0;
    auto_free char *text = mem_strndup(value.data, value.size);
    return pg_lsn_read(text, &progress->lsn)
               ? 0
               : firth_fail(err, FIRTH_FAILURE_CONFIG, "the state's position is %.40s, which is no LSN",
                            text);
}

static bool any_progress(const struct pg_cdc *cdc)
{
    for (size_t i = 0; i < cdc->count; i++) {
        if (cdc->streams[i].incremental && cdc->streams[i].position.phase != PG_PHASE_NEW)
            return true;
    }
    return false;
}

/* Publication and slot; where the changes begin. */
static int prepare(struct pg_cdc *cdc, struct firth_slice shared, struct firth_error *err)
{
    struct pg_progress progress;
    int64_t era, streams;
    bool lost;
    if (read_shared(cdc, shared, &progress, &era, &streams, err) < 0 || cdc_tables_open(cdc, err) < 0)
        return -1;
    cdc_tables_enter(cdc, (uint64_t)era, (uint64_t)streams);
    cdc_tables_compare(cdc);
    const struct pg_progress told = progress;
    if (!any_progress(cdc))
        progress.lsn = 0;
    if (pg_slot_prepare(&cdc->slot, cdc->host, &cdc->endpoint, cdc->connection, &cdc->catalog,
                        &cdc->standings, &progress, &lost, err) < 0)
        return -1;
    const bool was_lost = lost;
    if (lost) {
        if (cdc->config->invalid_position == 0)
            return -1;
        firth_log(cdc->host, FIRTH_WARN,
                  "%s: everything is read again, as invalid_cdc_cursor_position_behavior asks", err->message);
        for (size_t i = 0; i < cdc->count; i++)
            cdc_forget(&cdc->streams[i]);
        progress = (struct pg_progress){0};
        if (pg_slot_prepare(&cdc->slot, cdc->host, &cdc->endpoint, cdc->connection, &cdc->catalog,
                            &cdc->standings, &progress, &lost, err) < 0)
            return -1;
    }
    cdc_tables_note(cdc);
    cdc->lsn = progress.lsn ? progress.lsn : cdc->slot.confirmed;
    cdc->confirmed = cdc->previous_end = cdc->server_end = cdc->lsn;
    open_rank(cdc, &told, !progress.lsn, was_lost);
    return 0;
}

static void put_in_order(struct pg_cdc *cdc)
{
    for (size_t i = 0; i < cdc->count; i++) {
        size_t at = i;
        for (; at > 0 && cdc->streams[cdc->order[at - 1]].priority < cdc->streams[i].priority; at--)
            cdc->order[at] = cdc->order[at - 1];
        cdc->order[at] = i;
    }
}

static int open_all(struct pg_cdc *cdc, const struct firth_selection *selection, struct firth_error *err)
{
    cdc->connection = pg_connect(&cdc->endpoint, false, err);
    /* Compiling takes longer than what is asked of the catalogs again and again. */
    if (cdc->connection && PQserverVersion(cdc->connection) >= 110000 &&
        pg_execute(cdc->connection, "SET jit = off", "cannot set up the session", err) < 0)
        return -1;
    if (!cdc->connection || pg_catalog_load(&cdc->catalog, cdc->connection, cdc->config, 0, err) < 0)
        return -1;
    cdc->style.long_floats = pg_has_long_floats(cdc->catalog.version);
    for (; cdc->count < selection->count; cdc->count++) {
        if (open_stream(cdc, &selection->streams[cdc->count], &cdc->streams[cdc->count], err) < 0)
            return -1;
    }
    put_in_order(cdc);
    if (cdc->incremental && prepare(cdc, selection->shared_state, err) < 0)
        return -1;
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->incremental || stream->position.phase != PG_PHASE_NEW)
            continue;
        cdc->adds |= !cdc->slot.made;
        cdc_skip_start(cdc, stream);
    }
    return 0;
}

int pg_cdc_open(struct firth_host *host, const struct pg_config *config,
                const struct firth_selection *selection, struct pg_cdc **ret_cdc, struct firth_error *err)
{
    struct pg_cdc *cdc = mem_zalloc(sizeof *cdc);
    cdc->config = config;
    cdc->host = host;
    cdc->live = selection->live;
    cdc->flow = firth_speaks_flow(host);
    cdc->style.flow = cdc->flow;
    arena_init(&cdc->arena);
    arena_init(&cdc->message_arena);
    arena_init(&cdc->catalog.arena);
    arena_init(&cdc->standings.arena);
    pg_types_init(&cdc->catalog.types);
    buffer_init(&cdc->unconfirmed, BUFFER_UNLIMITED); /* the SDK waits for acknowledgements */
    buffer_init(&cdc->shared, 1024);
    buffer_init(&cdc->lossy, BUFFER_UNLIMITED);
    buffer_init(&cdc->document, BUFFER_UNLIMITED); /* the SDK has a limit for records */
    cdc->streams = mem_zalloc((selection->count + 1) * sizeof *cdc->streams);
    cdc->order = mem_zalloc((selection->count + 1) * sizeof *cdc->order);
    cdc->texts = mem_zalloc((selection->count + 1) * sizeof *cdc->texts);
    if (pg_endpoint_open(&cdc->endpoint, host, config, err) < 0 || open_all(cdc, selection, err) < 0) {
        if (cdc->count < selection->count)
            cdc->count++; /* the one that was being opened */
        pg_cdc_close(cdc);
        return -1;
    }
    *ret_cdc = cdc;
    return 0;
}

void pg_cdc_close(struct pg_cdc *cdc)
{
    cdc_backfill_end(cdc);
    cdc_stream_end(cdc);
    for (size_t i = 0; i < cdc->count; i++) {
        pg_position_done(&cdc->streams[i].position);
        pg_visibility_done(&cdc->streams[i].seen);
        buffer_done(&cdc->streams[i].state);
    }
    free(cdc->streams);
    free(cdc->standings.items);
    arena_done(&cdc->standings.arena);
    free(cdc->order);
    free(cdc->texts);
    pg_catalog_done(&cdc->catalog);
    PQfinish(cdc->connection);
    pg_endpoint_close(&cdc->endpoint);
    buffer_done(&cdc->unconfirmed);
    buffer_done(&cdc->shared);
    buffer_done(&cdc->lossy);
    buffer_done(&cdc->document);
    arena_done(&cdc->arena);
    arena_done(&cdc->message_arena);
    free(cdc);
}

int pg_cdc_read(struct pg_cdc *cdc, struct firth_error *err)
{
    int more = cdc->adds ? cdc_tables_admit(cdc, err) : 0;
    if (more == 0 && cdc->next < cdc->count)
        more = cdc_backfill(cdc, err);
    if (more)
        return more;
    return cdc->incremental ? cdc_stream(cdc, err) : 0;
}
