#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NO_TAG = 0 }; /* of a file that another connector has read */

struct files_seen {
    int64_t modified_ms, arrived_ms;
    uint64_t tag;
};

static void forget(struct files_position *position, struct slice name)
{
    free(map_remove(&position->seen, name));
}

static void remember(struct files_position *position, struct slice name, struct files_seen seen)
{
    free(map_set(&position->seen, name, mem_dup(&seen, sizeof seen)));
}

void files_position_was_read(struct files_position *position, struct slice name, int64_t modified_ms)
{
    if (position->seen.count < FILES_SEEN_MAX)
        remember(position, name, (struct files_seen){modified_ms, modified_ms, NO_TAG});
}

void files_position_init(struct files_position *position)
{
    *position = (struct files_position){.from_ms = INT64_MIN, .floor_ms = INT64_MIN};
    position->after = mem_strdup("");
    map_init(&position->seen);
}

void files_position_done(struct files_position *position)
{
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&position->seen, &at));)
        free(entry->value);
    map_done(&position->seen);
    free(position->after);
    free(position->file);
    *position = (struct files_position){0};
}

/* --- as JSON ---------------------------------------------------------------------------------------------
 */

static void put_tag(struct json_writer *writer, uint64_t tag)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, tag);
    json_put_string(writer, text);
}

void files_position_write(const struct files_position *position, struct buffer *out)
{
    struct json_writer writer;
    struct map_entry *entry;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (position->from_ms != INT64_MIN)
        json_member_i64(&writer, "from", position->from_ms);
    json_put_key(&writer, "seen");
    json_begin_object(&writer);
    for (size_t at = 0; (entry = map_next(&position->seen, &at));) {
        const struct files_seen *seen = entry->value;
        json_put_key_slice(&writer, entry->key);
        json_begin_array(&writer);
        json_put_i64(&writer, seen->modified_ms);
        put_tag(&writer, seen->tag);
        if (seen->arrived_ms != seen->modified_ms)
            json_put_i64(&writer, seen->arrived_ms);
        json_end_array(&writer);
    }
    json_end_object(&writer);
    json_member_string(&writer, "after", position->after);
    if (position->sweeping) {
        json_member_i64(&writer, "started", position->started_ms);
        if (position->floor_ms != INT64_MIN)
            json_member_i64(&writer, "floor", position->floor_ms);
    }
    if (position->file) {
        json_put_key(&writer, "file");
        json_begin_object(&writer);
        json_member_string(&writer, "name", position->file);
        json_put_key(&writer, "tag");
        put_tag(&writer, position->tag);
        json_member_u64(&writer, "records", position->place.records);
        json_member_u64(&writer, "bytes", position->place.bytes);
        json_member_u64(&writer, "lines", position->place.lines);
        if (position->place.member || position->place.before) {
            json_member_u64(&writer, "member", position->place.member);
            json_member_u64(&writer, "before", position->place.before);
        }
        json_end_object(&writer);
    }
    json_end_object(&writer);
}

static uint64_t parse_tag(const struct json *doc, uint32_t at)
{
    struct slice text = json_is(doc, at, JSON_STRING) ? json_inner(doc, at) : (struct slice){0};
    char copy[17] = "";
    if (text.size && text.size < sizeof copy)
        memcpy(copy, text.data, text.size);
    return strtoull(copy, NULL, 16);
}

static void parse_seen(struct files_position *position, const struct json *doc, struct arena *arena)
{
    uint32_t all = json_get(doc, 0, "seen");
    for (uint32_t key = json_first_key(doc, all); key != JSON_NONE; key = json_next_key(doc, all, key)) {
        struct files_seen seen;
        uint32_t facts = json_value(key);
        if (position->seen.count == FILES_SEEN_MAX ||
            !json_to_i64(doc, json_at(doc, facts, 0), &seen.modified_ms))
            continue;
        seen.tag = parse_tag(doc, json_at(doc, facts, 1));
        if (!json_to_i64(doc, json_at(doc, facts, 2), &seen.arrived_ms))
            seen.arrived_ms = seen.modified_ms;
        remember(position, json_string(doc, key, arena), seen);
    }
}

static void parse_file(struct files_position *position, const struct json *doc, struct arena *arena)
{
    uint32_t file = json_get(doc, 0, "file");
    const char *name = json_cstring(doc, json_get(doc, file, "name"), arena);
    struct files_place place = {0};
    json_to_u64(doc, json_get(doc, file, "member"), &place.member);
    json_to_u64(doc, json_get(doc, file, "before"), &place.before);
    if (!name || !json_to_u64(doc, json_get(doc, file, "records"), &place.records) ||
        !json_to_u64(doc, json_get(doc, file, "bytes"), &place.bytes) ||
        !json_to_u64(doc, json_get(doc, file, "lines"), &place.lines))
        return;
    position->file = mem_strdup(name);
    position->tag = parse_tag(doc, json_get(doc, file, "tag"));
    position->place = place;
}

int files_position_parse(struct files_position *position, struct slice state, struct error *err)
{
    struct arena arena;
    struct json doc;
    if (!state.size)
        return 0;
    arena_init(&arena);
    int result = json_parse_copy(&arena, state.data, state.size, &doc, err);
    bool taken = result == 0 && files_position_take_airbyte(position, &doc, &arena);
    if (result == 0 && !taken && json_is(&doc, 0, JSON_OBJECT)) {
        const char *after = json_cstring(&doc, json_get(&doc, 0, "after"), &arena);
        json_to_i64(&doc, json_get(&doc, 0, "from"), &position->from_ms);
        json_to_i64(&doc, json_get(&doc, 0, "floor"), &position->floor_ms);
        position->sweeping = json_to_i64(&doc, json_get(&doc, 0, "started"), &position->started_ms);
        if (after) {
            free(position->after);
            position->after = mem_strdup(after);
        }
        parse_seen(position, &doc, &arena);
        parse_file(position, &doc, &arena);
    } else if (result < 0) {
        error_wrap(err, "the state");
    }
    arena_done(&arena);
    return result;
}

/* --- going on --------------------------------------------------------------------------------------------
 */

void files_position_begin(struct files_position *position, int64_t now_ms)
{
    if (position->sweeping)
        return;
    position->sweeping = true;
    position->started_ms = now_ms;
    position->floor_ms = INT64_MIN;
}

bool files_position_wants(const struct files_position *position, const struct files_object *object)
{
    const struct files_seen *seen = map_get(&position->seen, slice_of(object->name));
    if (seen && seen->tag == NO_TAG)
        return object->modified_ms > seen->modified_ms;
    if (seen)
        return seen->modified_ms != object->modified_ms || seen->tag != object->tag;
    return object->arrived_ms >= position->from_ms;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Too many: the oldest go. In the middle of a sweep files behind `after` may be as old and not read yet: the
 * end sees to it that those that are forgotten are not taken for new. */
static void forget_oldest(struct files_position *position)
{
    size_t count = 0;
    struct map_entry *entry;
    int64_t *times = mem_alloc(position->seen.count * sizeof *times);
    for (size_t at = 0; (entry = map_next(&position->seen, &at));)
        times[count++] = ((struct files_seen *)entry->value)->arrived_ms;
    qsort(times, count, sizeof *times, by_time);
    int64_t from =
        times[FILES_FORGET] > times[0] ? times[FILES_FORGET] : times[0] + 1; /* of one moment: all */
    free(times);
    for (size_t at = 0; (entry = map_next(&position->seen, &at));) {
        if (((struct files_seen *)entry->value)->arrived_ms < from)
            forget(position, entry->key);
    }
    if (position->floor_ms < from)
        position->floor_ms = from;
}

void files_position_passed(struct files_position *position, const struct files_object *object)
{
    remember(position, slice_of(object->name),
             (struct files_seen){object->modified_ms, object->arrived_ms, object->tag});
    if (position->seen.count > FILES_SEEN_MAX)
        forget_oldest(position);
    free(position->after);
    position->after = mem_strdup(object->name);
    free(position->file);
    position->file = NULL;
}

static void forget_all(struct files_position *position)
{
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&position->seen, &at));)
        forget(position, entry->key);
}

void files_position_end(struct files_position *position, bool ascending)
{
    position->sweeping = false;
    if (ascending) { /* the last name says it all */
        forget_all(position);
        return;
    }
    /* What has come since the sweep began may have a name that had been passed: rather some files twice. */
    int64_t from = position->floor_ms < position->started_ms ? position->floor_ms : position->started_ms;
    if (from > position->from_ms)
        position->from_ms = from;
    free(position->after);
    position->after = mem_strdup("");
}
