#include "cli/references.h"

#include "server/mask.h"

#include <ctype.h>

struct putting {
    struct references *references;
    const char *prefix;
    struct json doc, masked;
    bool config, urls;
    struct json_writer writer;
    struct buffer pointer;
};

void references_init(struct references *references, bool open, struct arena *arena)
{
    *references = (struct references){.arena = arena, .open = open};
    map_init(&references->used);
}

void references_done(struct references *references)
{
    map_done(&references->used);
}

/* --- names --------------------------------------------------------------------------------------- */

static void append_name(struct buffer *name, const char *text)
{
    for (; *text; text++) {
        bool fits = isascii((unsigned char)*text) && isalnum((unsigned char)*text);
        if (fits)
            buffer_byte(name, (char)toupper((unsigned char)*text));
        else if (name->size && name->data[name->size - 1] != '_')
            buffer_byte(name, '_');
    }
}

static const char *name_of(struct putting *putting)
{
    struct references *references = putting->references;
    struct buffer name;
    buffer_init(&name, BUFFER_UNLIMITED);
    append_name(&name, putting->prefix);
    append_name(&name, buffer_cstr(&putting->pointer));
    const char *plain = arena_strdup(references->arena, buffer_cstr(&name)), *found = plain;
    buffer_done(&name);
    for (unsigned i = 2; map_get(&references->used, slice_of(found)); i++)
        found = arena_printf(references->arena, "%s_%u", plain, i);
    map_set(&references->used, slice_of(found), references);
    references->count++;
    return found;
}

/* --- values -------------------------------------------------------------------------------------- */

static bool looks_like_one(struct slice text)
{
    size_t dollars = 0;
    while (dollars < text.size && text.data[dollars] == '$')
        dollars++;
    return dollars && dollars < text.size && text.data[dollars] == '{' && text.data[text.size - 1] == '}';
}

static void put_text(struct putting *putting, struct slice text)
{
    json_put_slice(&putting->writer, looks_like_one(text) ? slice_of(arena_printf(putting->references->arena,
                                                                                  "$%.*s", SLICE_ARGS(text)))
                                                          : text);
}

static bool is_secret(const struct putting *putting, uint32_t at, uint32_t masked)
{
    if (putting->references->open)
        return false;
    if (putting->urls)
        return json_is(&putting->doc, at, JSON_STRING) &&
               slice_starts_with(json_string(&putting->doc, at, putting->references->arena), "http");
    return putting->config && json_is(&putting->masked, masked, JSON_STRING) &&
           json_string_is(&putting->masked, masked, MASK_TEXT) &&
           !(json_is(&putting->doc, at, JSON_STRING) && json_string_is(&putting->doc, at, MASK_TEXT));
}

static void put(struct putting *putting, uint32_t at, uint32_t masked)
{
    const struct json *doc = &putting->doc;
    struct arena *arena = putting->references->arena;
    size_t size = putting->pointer.size;
    if (is_secret(putting, at, masked)) {
        bool text = json_is(doc, at, JSON_STRING);
        json_put_string(&putting->writer,
                        arena_printf(arena, "${%s%s}", text ? "" : "json:", name_of(putting)));
    } else if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(&putting->writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            struct slice name = json_string(doc, key, arena);
            json_put_key_slice(&putting->writer, name);
            json_pointer_push(&putting->pointer, name);
            put(putting, json_value(key),
                putting->config ? json_get_slice(&putting->masked, masked, name) : JSON_NONE);
            putting->pointer.size = size;
        }
        json_end_object(&putting->writer);
    } else if (json_is(doc, at, JSON_ARRAY)) {
        uint32_t position = 0;
        json_begin_array(&putting->writer);
        for (uint32_t item = json_first(doc, at); item != JSON_NONE; item = json_next(doc, at, item)) {
            buffer_printf(&putting->pointer, "/%u", position);
            put(putting, item, putting->config ? json_at(&putting->masked, masked, position) : JSON_NONE);
            putting->pointer.size = size;
            position++;
        }
        json_end_array(&putting->writer);
    } else if (json_is(doc, at, JSON_STRING)) {
        put_text(putting, json_string(doc, at, arena));
    } else {
        json_put_value(&putting->writer, doc, at);
    }
}

static void put_all(struct putting *putting, struct slice json, struct buffer *out)
{
    struct error unused;
    struct arena *arena = putting->references->arena;
    if (json_parse_copy(arena, json.data, json.size, &putting->doc, &unused) < 0) {
        buffer_str(out, "null"); /* the store lets none in */
        return;
    }
    buffer_init(&putting->pointer, BUFFER_UNLIMITED);
    json_writer_init(&putting->writer, out);
    put(putting, 0, 0);
    buffer_done(&putting->pointer);
}

void references_put_config(struct references *references, const char *prefix, struct slice schema,
                           struct slice config, struct buffer *out)
{
    struct putting putting = {.references = references, .prefix = prefix, .config = !references->open};
    struct buffer text;
    struct json_writer writer;
    struct error unused;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    mask_config(&writer, schema, config);
    if (json_parse_copy(references->arena, text.data, text.size, &putting.masked, &unused) == 0)
        put_all(&putting, config, out);
    buffer_done(&text);
}

void references_put_urls(struct references *references, const char *prefix, struct slice json,
                         struct buffer *out)
{
    put_all(&(struct putting){.references = references, .prefix = prefix, .urls = true}, json, out);
}

void references_put_plain(struct references *references, struct slice json, struct buffer *out)
{
    put_all(&(struct putting){.references = references, .prefix = ""}, json, out);
}
