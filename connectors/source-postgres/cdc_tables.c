#include "cdc_session.h"

#include "base/clock.h"

#include <stdlib.h>

/* The tables themselves: one may be dropped and made anew, or another be given its name, or it may be out of
 * the publication for a while. Then the log has nothing of what is in it now, so it is read from the start:
 * before the changes if that happened between two sessions, in the midst of them if they are followed for
 * ever. */

enum { LOOK_MS = 2000, LOOK_SHARE = 50 /* a look takes no more of the time than one part in so many */ };

static int64_t now_ms(void)
{
    return (int64_t)(clock_monotonic_ns(&clock_system) / 1000000);
}

int cdc_tables_open(struct pg_cdc *cdc, struct firth_error *err)
{
    size_t count = 0;
    cdc->standings.items = mem_zalloc((cdc->incremental + 1) * sizeof *cdc->standings.items);
    for (size_t i = 0; i < cdc->count; i++) {
        if (!cdc->streams[i].incremental)
            continue;
        cdc->streams[i].standing = &cdc->standings.items[count];
        cdc->standings.items[count++].table = cdc->streams[i].table;
    }
    cdc->standings.count = count;
    return pg_standings_look(cdc->connection, cdc->config, &cdc->standings, err);
}

/* --- names of columns
 * -------------------------------------------------------------------------------------- */

enum { NOWHERE = -1 };

static size_t name_size(const char *at)
{
    return strnlen(at, PG_NAME_SIZE);
}

/* The column that has, or had, the name. */
static int place_of(const char *names, const char *name)
{
    int place = 0;
    for (const char *at = names; *at;) {
        if (*at == ',') {
            place++;
            at++;
        } else if (strncmp(at, name, PG_NAME_SIZE) == 0) {
            return place;
        } else {
            at += name_size(at);
        }
    }
    return NOWHERE;
}

/* Has a column a name that another was captured by? They were swapped, or one was dropped and the name given
 * once more: what was captured by that name is the other's. */
static bool has_others_names(const struct cdc_stream *stream)
{
    const struct pg_position *position = &stream->position;
    const struct pg_standing *standing = stream->standing;
    if (position->phase == PG_PHASE_NEW || !standing->oid || !position->names ||
        position->columns == standing->columns)
        return false;
    int place = 0;
    for (const char *at = standing->names; *at;) {
        if (*at == ',') {
            place++;
            at++;
            continue;
        }
        int before = place_of(position->names, at);
        if (before != NOWHERE && before != place)
            return true;
        at += name_size(at);
    }
    return false;
}

/* The names of now, and those of before that no column has: captured documents still do. */
static void take_names(struct pg_position *position, const struct pg_standing *standing)
{
    const char *now = standing->names, *before = position->names ? position->names : "";
    struct buffer names;
    buffer_init(&names, BUFFER_UNLIMITED);
    for (;;) {
        for (; *now && *now != ','; now += name_size(now))
            buffer_append(&names, now, name_size(now));
        for (; *before && *before != ','; before += name_size(before)) {
            if (place_of(standing->names, before) == NOWHERE)
                buffer_append(&names, before, name_size(before));
        }
        if (!*now && !*before)
            break;
        buffer_byte(&names, ',');
        now += *now == ',';
        before += *before == ',';
    }
    char *taken = mem_strdup(buffer_cstr(&names));
    buffer_done(&names);
    free(position->names);
    position->names = taken;
}

/* --- as they were, as they are
 * ----------------------------------------------------------------------------- */

void cdc_tables_note(struct pg_cdc *cdc)
{
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        struct pg_position *position = &stream->position;
        if (!stream->incremental)
            continue;
        position->era = cdc->era;
        cdc_moved(stream);
        if (!stream->standing->oid)
            continue;
        const struct pg_standing *standing = stream->standing;
        bool is_new = position->phase == PG_PHASE_NEW;
        if (is_new || !position->oid || !position->member) {
            position->oid = standing->oid;
            position->member = standing->member;
            position->partitions = standing->partitions;
        }
        if (is_new || !position->published_as)
            position->published_as = standing->published_as;
        if (is_new || !position->names)
            take_names(position, standing);
        if (is_new || !position->columns || !position->written) {
            position->columns = standing->columns;
            position->written = standing->written;
        }
    }
}

void cdc_forget(struct cdc_stream *stream)
{
    uint64_t number = stream->position.number;
    pg_position_done(&stream->position);
    pg_visibility_done(&stream->seen);
    stream->position.number = number;
    cdc_moved(stream);
}

/* A state of an older version does not say which table it was. */
static const char *what_happened(const struct cdc_stream *stream)
{
    const struct pg_position *position = &stream->position;
    const struct pg_standing *standing = stream->standing;
    if (position->phase == PG_PHASE_NEW || !standing->oid)
        return NULL;
    if (position->oid && position->oid != standing->oid)
        return "is another table than the one that was read (it was made anew, or given the name of that "
               "one)";
    if (!standing->member)
        return "was taken out of the publication";
    if (position->member && position->member != standing->member)
        return "was taken out of the publication and put in again";
    if (position->published_as && standing->published_as && position->published_as != standing->published_as)
        return "may have changes that were not published, for the publication was altered (what it "
               "publishes, or its owner), or the table had another root or schema for a while";
    return NULL;
}

/* Rows were written anew, and so were definitions of columns: ALTER TABLE … TYPE … USING, or ADD with a
 * default that is not the same for all. No change tells of these values. One without the other (VACUUM FULL,
 * a column without a default) leaves them as they were. */
static bool has_other_values(const struct cdc_stream *stream)
{
    const struct pg_position *position = &stream->position;
    const struct pg_standing *standing = stream->standing;
    return position->phase != PG_PHASE_NEW && standing->oid && position->columns && position->written &&
           position->columns != standing->columns && position->written != standing->written;
}

static void take_shape(struct cdc_stream *stream)
{
    struct pg_position *position = &stream->position;
    const struct pg_standing *standing = stream->standing;
    if (position->phase == PG_PHASE_NEW ||
        (position->columns == standing->columns && position->written == standing->written))
        return;
    take_names(position, standing);
    position->columns = standing->columns;
    position->written = standing->written;
    cdc_moved(stream);
}

/* A partition that is attached brings rows that no change tells of, and one that is detached takes some. Most
 * are made empty and dropped when they are old, so the table is not read again for that. */
static void compare_partitions(struct pg_cdc *cdc, struct cdc_stream *stream)
{
    struct pg_position *position = &stream->position;
    if (position->phase == PG_PHASE_NEW || !position->oid ||
        position->partitions == stream->standing->partitions)
        return;
    position->partitions = stream->standing->partitions;
    cdc_moved(stream);
    firth_log(
        cdc->host, FIRTH_INFO,
        "%s.%s has other partitions than before: rows that one had when it was attached are in no change, "
        "and those of one that was detached or dropped stay; for either, raise the binding's `backfill`, or "
        "reset the stream",
        stream->table->schema, stream->table->name);
}

/* `why`: NULL if its rows were written anew, so that all that went is in the log. */
static void start_again(struct pg_cdc *cdc, struct cdc_stream *stream, const char *why)
{
    bool again = stream->position.oid == stream->standing->oid;
    if (why)
        firth_log(
            cdc->host, FIRTH_WARN,
            "%s.%s %s: it is read from the start. What was captured of rows that it does not have stays "
            "until the binding's `backfill` is raised, or the stream reset",
            stream->table->schema, stream->table->name, why);
    else
        firth_log(
            cdc->host, FIRTH_WARN,
            "ALTER TABLE has given the rows of %s.%s other values, of which no change tells: it is read from "
            "the start. What was captured by older values of its key stays until the binding's `backfill` is "
            "raised, or the stream reset",
            stream->table->schema, stream->table->name);
    char *names = again && stream->position.names ? mem_strdup(stream->position.names) : NULL;
    cdc_forget(stream);
    stream->position.again = again;
    stream->position.names = names;
}

/* All streams of a session move on together, and one that is not there, as when its binding is disabled,
 * stays where it was: what the others pass it has not seen. */
void cdc_tables_enter(struct pg_cdc *cdc, uint64_t era, uint64_t streams)
{
    uint64_t present = 0;
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->incremental || stream->position.phase == PG_PHASE_NEW)
            continue;
        if (stream->position.era == era)
            present++;
        else if (era)
            start_again(cdc, stream,
                        "was not read for a while, as when its binding is disabled, while changes went on");
    }
    cdc->era = !era || present < streams ? era + 1 : era;
}

size_t cdc_tables_compare(struct pg_cdc *cdc)
{
    size_t others = 0;
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->incremental)
            continue;
        const char *why = what_happened(stream);
        if (!why && has_others_names(stream))
            why = "has columns whose names were others' (they were swapped, or dropped and added again), so "
                  "that what was captured by these is not theirs";
        if (!stream->standing->oid && !stream->gone) {
            stream->gone = true;
            firth_log(cdc->host, FIRTH_WARN,
                      "%s.%s was dropped: nothing comes of it until there is one of that name",
                      stream->table->schema, stream->table->name);
        }
        bool rewritten = !why && has_other_values(stream);
        if (!why && !rewritten && stream->standing->oid) {
            compare_partitions(cdc, stream);
            take_shape(stream);
        }
        if (!why && !rewritten)
            continue;
        start_again(cdc, stream, why);
        others++;
    }
    return others;
}

/* The tables that are to be read from the start, as they are now. */
static int take_others(struct pg_cdc *cdc, struct firth_error *err)
{
    for (size_t i = 0; i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (!stream->incremental || stream->position.phase != PG_PHASE_NEW || !stream->standing->oid)
            continue;
        if (cdc_reload(cdc, stream, stream->standing->oid, false, err) < 0)
            return -1;
        stream->standing->table = stream->table;
        stream->keyed = stream->table->key_count && !cdc->config->history;
        stream->gone = false;
    }
    if (pg_publication_prepare(cdc->connection, cdc->config, &cdc->catalog, &cdc->standings, err) < 0)
        return -1;
    cdc_tables_note(cdc);
    for (size_t i = 0; i < cdc->count; i++) {
        if (cdc->streams[i].incremental && cdc->streams[i].position.phase == PG_PHASE_NEW)
            cdc_skip_start(cdc, &cdc->streams[i]);
    }
    cdc->adds = true;
    cdc->next = 0;
    return 0;
}

int cdc_tables_admit(struct pg_cdc *cdc, struct firth_error *err)
{
    uint32_t member;
    if (pg_wait_for_writers(cdc->host, cdc->connection, err) < 0 ||
        pg_publication_touch(cdc->host, cdc->connection, cdc->config, &member, err) < 0 ||
        pg_standings_look(cdc->connection, cdc->config, &cdc->standings, err) < 0)
        return -1;
    /* What was taken out and put in by ourselves was not out for others. */
    for (size_t i = 0; member && i < cdc->count; i++) {
        struct cdc_stream *stream = &cdc->streams[i];
        if (stream->incremental && stream->position.member == member)
            stream->position.member = stream->standing->member;
    }
    cdc->adds = false;
    if (cdc_tables_compare(cdc))
        return take_others(cdc, err) < 0 ? -1 : 1;
    cdc_tables_note(cdc);
    return 0;
}

int cdc_tables_look(struct pg_cdc *cdc, struct firth_error *err)
{
    int64_t began = now_ms();
    bool due = began >= cdc->look_ms && cdc->server_end != cdc->looked_end;
    if (!cdc->look && !due)
        return 0;
    cdc->look = false;
    cdc->looked_end = cdc->server_end;
    if (pg_standings_look(cdc->connection, cdc->config, &cdc->standings, err) < 0)
        return -1;
    int64_t pause = (now_ms() - began) * LOOK_SHARE;
    cdc->look_ms = began + (pause > LOOK_MS ? pause : LOOK_MS);
    if (!cdc_tables_compare(cdc))
        return 0;
    cdc_stream_leave(cdc);
    return take_others(cdc, err) < 0 ? -1 : 1;
}
