#include "control/catalog_complete.h"

#include "json/writer.h"

static bool is_absent(const struct json *doc, uint32_t at)
{
    return at == JSON_NONE || json_is(doc, at, JSON_NULL);
}

/* Does the member of the object, which is to be there, have none of its own? */
static bool lacks(const struct json *doc, uint32_t object, const char *name)
{
    return json_is(doc, object, JSON_OBJECT) && is_absent(doc, json_get(doc, object, name));
}

static bool entry_lacks(const struct json *doc, uint32_t entry)
{
    return lacks(doc, json_get(doc, entry, "stream"), "jsonSchema") ||
           lacks(doc, json_get(doc, entry, "config"), "selected");
}

/* The object's members but this one, and this one. */
static void write_with(struct json_writer *writer, const struct json *doc, uint32_t object, const char *name,
                       const char *value)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        if (json_text_is(doc, key, slice_of(name)))
            continue;
        json_put_key_of(writer, doc, key);
        json_put_value(writer, doc, json_value(key));
    }
    json_member_raw(writer, name, slice_of(value));
    json_end_object(writer);
}

static void write_entry(struct json_writer *writer, const struct json *doc, uint32_t entry)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, entry); key != JSON_NONE; key = json_next_key(doc, entry, key)) {
        uint32_t value = json_value(key);
        json_put_key_of(writer, doc, key);
        if (json_text_is(doc, key, SLICE_LITERAL("stream")) && lacks(doc, value, "jsonSchema"))
            write_with(writer, doc, value, "jsonSchema", "{}");
        else if (json_text_is(doc, key, SLICE_LITERAL("config")) && lacks(doc, value, "selected"))
            write_with(writer, doc, value, "selected", "true");
        else
            json_put_value(writer, doc, value);
    }
    json_end_object(writer);
}

static void write_catalog(struct json_writer *writer, const struct json *doc, uint32_t streams)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        json_put_key_of(writer, doc, key);
        if (json_value(key) != streams) {
            json_put_value(writer, doc, json_value(key));
            continue;
        }
        json_begin_array(writer);
        for (uint32_t at = json_first(doc, streams); at != JSON_NONE; at = json_next(doc, streams, at)) {
            if (entry_lacks(doc, at))
                write_entry(writer, doc, at);
            else
                json_put_value(writer, doc, at);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}

struct slice control_catalog_complete(struct slice catalog, struct arena *arena)
{
    struct json doc;
    struct json_writer writer;
    struct buffer text;
    struct error unused;
    bool lacking = false;
    if (catalog.size == 0 || json_parse_copy(arena, catalog.data, catalog.size, &doc, &unused) < 0)
        return catalog;
    uint32_t streams = json_get(&doc, 0, "streams");
    if (!json_is(&doc, streams, JSON_ARRAY))
        return catalog;
    for (uint32_t at = json_first(&doc, streams); at != JSON_NONE; at = json_next(&doc, streams, at))
        lacking |= entry_lacks(&doc, at);
    if (!lacking)
        return catalog;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    write_catalog(&writer, &doc, streams);
    struct slice whole = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return whole;
}
