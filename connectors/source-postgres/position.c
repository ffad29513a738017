#include "position.h"

#include "json/writer.h"

#include <stdlib.h>

static const char *const phases[] = {
    [PG_PHASE_NEW] = "new",   [PG_PHASE_PAGES] = "pages",     [PG_PHASE_CURSOR] = "cursor",
    [PG_PHASE_XMIN] = "xmin", [PG_PHASE_CHANGES] = "changes",
};

static bool read_u64(const struct json *doc, const char *name, uint64_t *ret_value)
{
    uint32_t at = json_get(doc, 0, name);
    return at == JSON_NONE || json_to_u64(doc, at, ret_value);
}

static char *read_text(const struct json *doc, const char *name, struct arena *arena)
{
    const char *text = json_cstring(doc, json_get(doc, 0, name), arena);
    return text ? mem_strdup(text) : NULL;
}

static bool read_members(struct pg_position *position, const struct json *doc, struct arena *arena)
{
    uint64_t filenode = 0, oid = 0, database = 0, member = 0, timeline = 0;
    size_t phase = 0;
    while (phase < sizeof phases / sizeof *phases &&
           !json_string_is(doc, json_get(doc, 0, "phase"), phases[phase]))
        phase++;
    if (phase == sizeof phases / sizeof *phases || !read_u64(doc, "filenode", &filenode) ||
        !read_u64(doc, "block", &position->block) || !read_u64(doc, "xmin", &position->xmin) ||
        !read_u64(doc, "since", &position->since) || !read_u64(doc, "number", &position->number) ||
        !read_u64(doc, "barrier", &position->barrier) ||
        !read_u64(doc, "cursor_rows", &position->cursor_rows) || !read_u64(doc, "oid", &oid) ||
        !read_u64(doc, "database", &database) || !read_u64(doc, "member", &member) ||
        !read_u64(doc, "partitions", &position->partitions) ||
        !read_u64(doc, "published_as", &position->published_as) ||
        !read_u64(doc, "columns", &position->columns) || !read_u64(doc, "written", &position->written) ||
        !read_u64(doc, "era", &position->era) || !read_u64(doc, "timeline", &timeline) ||
        filenode > UINT32_MAX || oid > UINT32_MAX || database > UINT32_MAX || member > UINT32_MAX ||
        timeline > UINT32_MAX)
        return false;
    position->phase = (enum pg_phase)phase;
    position->filenode = (uint32_t)filenode;
    position->oid = (uint32_t)oid;
    position->database = (uint32_t)database;
    position->member = (uint32_t)member;
    position->timeline = (uint32_t)timeline;
    position->again = json_is(doc, json_get(doc, 0, "again"), JSON_TRUE);
    position->names = read_text(doc, "names", arena);
    position->system = read_text(doc, "system", arena);
    position->cursor_field = read_text(doc, "cursor_field", arena);
    position->cursor = read_text(doc, "cursor", arena);
    position->cursor_sum = read_text(doc, "cursor_sum", arena);
    position->snapshot = read_text(doc, "snapshot", arena);
    return phase != PG_PHASE_CURSOR || position->cursor_field;
}

int pg_position_read(struct pg_position *position, struct firth_slice state, const char *stream,
                     struct firth_error *err)
{
    struct arena arena;
    struct json doc;
    struct error library_err;
    *position = (struct pg_position){0};
    if (!state.size)
        return 0;
    arena_init(&arena);
    bool right = json_parse_copy(&arena, state.data, state.size, &doc, &library_err) == 0 &&
                 json_is(&doc, 0, JSON_OBJECT) && read_members(position, &doc, &arena);
    arena_done(&arena);
    if (right)
        return 0;
    pg_position_done(position);
    return firth_fail(
        err, FIRTH_FAILURE_CONFIG,
        "the state of stream %s is none of this connector's: %.*s; reset the stream to read it again", stream,
        (int)(state.size < 200 ? state.size : 200), state.data);
}

void pg_position_done(struct pg_position *position)
{
    free(position->cursor_field);
    free(position->cursor);
    free(position->cursor_sum);
    free(position->snapshot);
    free(position->system);
    free(position->names);
    *position = (struct pg_position){0};
}

static void put_u64(struct json_writer *writer, const char *name, uint64_t value)
{
    if (value)
        json_member_u64(writer, name, value);
}

void pg_position_put(struct buffer *out, const struct pg_position *position)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "phase", phases[position->phase]);
    if (position->phase == PG_PHASE_PAGES) {
        json_member_u64(&writer, "filenode", position->filenode);
        json_member_u64(&writer, "block", position->block);
        put_u64(&writer, "since", position->since);
    }
    put_u64(&writer, "number", position->number);
    put_u64(&writer, "oid", position->oid);
    put_u64(&writer, "database", position->database);
    put_u64(&writer, "member", position->member);
    put_u64(&writer, "partitions", position->partitions);
    put_u64(&writer, "published_as", position->published_as);
    put_u64(&writer, "columns", position->columns);
    put_u64(&writer, "written", position->written);
    if (position->names)
        json_member_string(&writer, "names", position->names);
    put_u64(&writer, "era", position->era);
    if (position->again)
        json_member_bool(&writer, "again", true);
    if (position->phase == PG_PHASE_PAGES || position->phase == PG_PHASE_XMIN) {
        json_member_u64(&writer, "xmin", position->xmin);
    }
    if (position->system)
        json_member_string(&writer, "system", position->system);
    put_u64(&writer, "timeline", position->timeline);
    if (position->cursor_field)
        json_member_string(&writer, "cursor_field", position->cursor_field);
    if (position->cursor) {
        json_member_string(&writer, "cursor", position->cursor);
        json_member_u64(&writer, "cursor_rows", position->cursor_rows);
        if (position->cursor_sum)
            json_member_string(&writer, "cursor_sum", position->cursor_sum);
    }
    if (position->snapshot) {
        json_member_string(&writer, "snapshot", position->snapshot);
        json_member_u64(&writer, "barrier", position->barrier);
    }
    json_end_object(&writer);
}
