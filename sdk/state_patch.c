#include "state_patch.h"

/* --- the kept form --------------------------------------------------------------------------------- */

/* Does any object that a patch would go into have a null? Arrays are replaced whole. */
static bool has_null(const struct json *doc, uint32_t at)
{
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        if (json_is(doc, json_value(key), JSON_NULL) || has_null(doc, json_value(key)))
            return true;
    }
    return false;
}

void sdk_state_encode(struct json_parser *parser, struct slice state, struct buffer *out)
{
    struct json doc;
    struct error err;
    bool plain = json_parse(parser, state.data, state.size, &doc, &err) == 0 &&
                 json_is(&doc, 0, JSON_OBJECT) && !has_null(&doc, 0);
    if (!plain)
        buffer_byte(out, '[');
    buffer_append(out, state.data, state.size);
    if (!plain)
        buffer_byte(out, ']');
}

struct slice sdk_state_decode(const struct json *doc, uint32_t at)
{
    if (json_is(doc, at, JSON_ARRAY))
        at = json_count(doc, at) == 1 ? json_at(doc, at, 0) : JSON_NONE;
    return at == JSON_NONE || json_is(doc, at, JSON_NULL) ? (struct slice){0} : json_raw(doc, at);
}

/* --- what differs ---------------------------------------------------------------------------------- */

/* Walks an object's members for names that mostly come in its own order. */
struct finder {
    const struct json *doc;
    uint32_t object, next; /* the key to be tried first */
    struct arena *arena;
};

static bool same_name(const struct finder *in, uint32_t key, const struct json *doc, uint32_t other)
{
    if (json_hash_of_key(in->doc, key) != json_hash_of_key(doc, other))
        return false;
    return slice_equal(json_string(in->doc, key, in->arena), json_string(doc, other, in->arena));
}

/* The value of the member that is called as `key` of `doc` is, or JSON_NONE. */
static uint32_t find(struct finder *in, const struct json *doc, uint32_t key)
{
    uint32_t at = in->next;
    for (uint32_t left = json_count(in->doc, in->object); left > 0; left--) {
        if (at == JSON_NONE)
            at = json_first_key(in->doc, in->object);
        uint32_t after = json_next_key(in->doc, in->object, at);
        if (same_name(in, at, doc, key)) {
            in->next = after;
            return json_value(at);
        }
        at = after;
    }
    return JSON_NONE;
}

static struct finder finder_of(const struct json *doc, uint32_t at, struct arena *arena)
{
    return (struct finder){doc, at, json_first_key(doc, at), arena};
}

static void put_difference(struct json_writer *writer, const struct json *from, uint32_t from_at,
                           const struct json *to, uint32_t to_at, struct arena *arena)
{
    struct finder new = finder_of(to, to_at, arena), old = finder_of(from, from_at, arena);
    json_begin_object(writer);
    for (uint32_t key = json_first_key(from, from_at); key != JSON_NONE;
         key = json_next_key(from, from_at, key)) {
        if (find(&new, from, key) != JSON_NONE)
            continue;
        json_put_key_of(writer, from, key);
        json_put_null(writer);
    }
    for (uint32_t key = json_first_key(to, to_at); key != JSON_NONE; key = json_next_key(to, to_at, key)) {
        uint32_t value = json_value(key), before = find(&old, to, key);
        if (before != JSON_NONE && slice_equal(json_raw(from, before), json_raw(to, value)))
            continue;
        json_put_key_of(writer, to, key);
        if (json_is(from, before, JSON_OBJECT) && json_is(to, value, JSON_OBJECT))
            put_difference(writer, from, before, to, value, arena);
        else
            json_put_value(writer, to, value);
    }
    json_end_object(writer);
}

static bool parse(struct json_parser *parser, struct slice text, struct json *ret_doc)
{
    struct error err;
    return text.size && json_parse(parser, text.data, text.size, ret_doc, &err) == 0;
}

void sdk_state_put_patch(struct json_writer *writer, struct slice from, struct slice to)
{
    const struct json_limits limits = {.size_max = JSON_SIZE_LIMIT, .depth_max = JSON_DEPTH_LIMIT};
    mem_auto(json_parser_free) struct json_parser *old = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    mem_auto(json_parser_free) struct json_parser *new = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    struct json before, after;
    if (parse(old, from, &before) && parse(new, to, &after) && json_is(&before, 0, JSON_OBJECT) &&
        json_is(&after, 0, JSON_OBJECT)) {
        struct arena arena;
        arena_init(&arena);
        put_difference(writer, &before, 0, &after, 0, &arena);
        arena_done(&arena);
    } else {
        json_put_raw(writer, to);
    }
}
