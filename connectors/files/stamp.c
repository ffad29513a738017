#include "source.h"

#include "base/clock.h"

#include <inttypes.h>

/* Where a record comes from, in the words of the protocol that asks. */

void files_stamp_init(struct files_stamp *stamp, bool flow, bool schemaless)
{
    *stamp = (struct files_stamp){.flow = flow, .schemaless = schemaless && !flow};
    buffer_init(&stamp->before, BUFFER_UNLIMITED);
    buffer_init(&stamp->after, BUFFER_UNLIMITED);
}

void files_stamp_done(struct files_stamp *stamp)
{
    buffer_done(&stamp->before);
    buffer_done(&stamp->after);
}

void files_stamp_file(struct files_stamp *stamp, const struct files_stream *stream,
                      const struct files_object *object)
{
    buffer_clear(&stamp->before);
    buffer_clear(&stamp->after);
    if (stamp->flow) {
        auto_free char *path = mem_printf("%s%s", stream->location, object->name);
        buffer_str(&stamp->before, "\"file\":");
        json_escape(&stamp->before, slice_of(path));
        buffer_str(&stamp->before, ",\"offset\":");
        return;
    }
    char time[32];
    clock_format_rfc3339(object->modified_ms, time, sizeof time);
    time[strlen(time) - 1] = '\0';
    buffer_printf(&stamp->after,
                  "\"_ab_source_file_last_modified\":\"%s000Z\",\"_ab_source_file_url\":", time);
    json_escape(&stamp->after, slice_of(object->name));
    buffer_byte(&stamp->after, '}');
}

/* An object without its closing brace, and a comma where there are members. */
static void put_open(struct buffer *out, struct slice object)
{
    while (object.size && object.data[object.size - 1] != '}')
        object.size--;
    object.size--;
    while (object.size && strchr(" \t\r\n", object.data[object.size - 1]))
        object.size--;
    buffer_append(out, object.data, object.size);
    if (object.data[object.size - 1] != '{')
        buffer_byte(out, ',');
}

/* A record that has a _meta of its own: it stays, with the file added; what is no object is replaced. False:
 * it has none, the name only occurs somewhere in it. */
static bool put_merged(const struct files_stamp *stamp, const struct files_record *record, struct buffer *out)
{
    struct json doc;
    struct error err;
    struct arena arena;
    arena_init(&arena);
    bool parsed = json_parse_copy(&arena, record->json.data, record->json.size, &doc, &err) == 0;
    uint32_t meta = parsed ? json_get(&doc, 0, "_meta") : JSON_NONE;
    if (meta != JSON_NONE) {
        buffer_byte(out, '{');
        for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
            if (json_string_is(&doc, key, "_meta"))
                continue;
            struct slice name = json_raw(&doc, key), value = json_raw(&doc, json_value(key));
            buffer_append(out, name.data, name.size);
            buffer_byte(out, ':');
            buffer_append(out, value.data, value.size);
            buffer_byte(out, ',');
        }
        buffer_str(out, "\"_meta\":");
        if (json_is(&doc, meta, JSON_OBJECT))
            put_open(out, json_raw(&doc, meta));
        else
            buffer_byte(out, '{');
    }
    arena_done(&arena);
    return meta != JSON_NONE;
}

void files_stamp_record(const struct files_stamp *stamp, const struct files_record *record,
                        struct buffer *out)
{
    static const char META[] = "\"_meta\"";
    buffer_clear(out);
    if (!stamp->flow) {
        if (stamp->schemaless) {
            buffer_str(out, "{\"data\":");
            buffer_append(out, record->json.data, record->json.size);
            buffer_byte(out, ',');
        } else {
            put_open(out, record->json);
        }
        buffer_append(out, stamp->after.data, stamp->after.size);
        return;
    }
    bool named = memmem(record->json.data, record->json.size, META, sizeof META - 1) != NULL;
    if (!named || !put_merged(stamp, record, out)) {
        put_open(out, record->json);
        buffer_str(out, "\"_meta\":{");
    }
    buffer_append(out, stamp->before.data, stamp->before.size);
    buffer_printf(out, "%" PRIu64 "}}", record->number);
}
