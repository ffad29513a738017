#include "protocol/flow_codec.h"

#include "protocol/doubled.h"

#include <assert.h>

/* JSON to structs: null is absent, unknown members are ignored, what is there has the right type. */

enum { SHOWN_MAX = 60 }; /* bytes of a value in an error */

int flow_wrong(const struct json *doc, uint32_t at, const char *type, const char *member,
               const char *expected, struct error *err)
{
    if (at == JSON_NONE)
        return error_set(err, ERROR_PROTOCOL, "%s.%s is missing: expected %s", type, member, expected);
    struct slice raw = json_raw(doc, at);
    size_t cut = utf8_cut(raw.data, raw.size, SHOWN_MAX);
    return error_set(err, ERROR_PROTOCOL, "%s.%s must be %s, got %.*s%s", type, member, expected, (int)cut,
                     raw.data, cut < raw.size ? "…" : "");
}

/* Where a message is being read, for its errors. */
struct place {
    const struct json *doc;
    uint32_t at; /* the value */
    const struct flow_type *type;
    const struct flow_member *member;
    struct arena *arena;
};

static int wrong(const struct place *place, const char *expected, struct error *err)
{
    return flow_wrong(place->doc, place->at, place->type->name, place->member->name, expected, err);
}

/* --- values ---------------------------------------------------------------------------------------- */

static int read_text(const struct place *place, struct slice *ret_text, struct error *err)
{
    if (!json_is(place->doc, place->at, JSON_STRING))
        return wrong(place, "a string", err);
    *ret_text = json_string(place->doc, place->at, place->arena);
    return 0;
}

static int digit_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool flow_bytes_read(const struct json *doc, uint32_t at, struct arena *arena, struct slice *ret_bytes)
{
    if (!json_is(doc, at, JSON_STRING))
        return false;
    struct slice text = json_string(doc, at, arena);
    while (text.size && text.data[text.size - 1] == '=')
        text.size--;
    char *bytes = arena_alloc(arena, text.size * 3 / 4 + 1);
    size_t size = 0;
    uint32_t group = 0, bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        int digit = digit_of((unsigned char)text.data[i]);
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[size++] = (char)(group >> bits);
        }
    }
    if (bits == 6)
        return false;
    *ret_bytes = (struct slice){bytes, size};
    return true;
}

static int read_bytes(const struct place *place, struct slice *ret_bytes, struct error *err)
{
    return flow_bytes_read(place->doc, place->at, place->arena, ret_bytes)
               ? 0
               : wrong(place, "base64 in a string", err);
}

/* A number, or a string that holds one. */
static bool read_integer(const struct place *place, int64_t *ret_value)
{
    if (!json_is(place->doc, place->at, JSON_STRING))
        return json_to_i64(place->doc, place->at, ret_value);
    const char *text = json_cstring(place->doc, place->at, place->arena);
    return string_to_i64(text, ret_value);
}

static int read_u32(const struct place *place, uint32_t *ret_value, struct error *err)
{
    int64_t value;
    if (!read_integer(place, &value) || value < 0 || value > UINT32_MAX)
        return wrong(place, "an integer from 0 to 4294967295", err);
    *ret_value = (uint32_t)value;
    return 0;
}

static int read_i64(const struct place *place, int64_t *ret_value, struct error *err)
{
    return read_integer(place, ret_value) ? 0 : wrong(place, "an integer of 64 bits, as a string", err);
}

static int read_enum(const struct place *place, int *ret_value, struct error *err)
{
    const struct flow_enum *of = place->member->of;
    int64_t number;
    if (json_is(place->doc, place->at, JSON_INTEGER) && json_to_i64(place->doc, place->at, &number)) {
        for (size_t i = 0; i < of->count; i++) {
            if (of->values[i].value == number) {
                *ret_value = (int)number;
                return 0;
            }
        }
    }
    for (size_t i = 0; i < of->count && json_is(place->doc, place->at, JSON_STRING); i++) {
        if (json_string_is(place->doc, place->at, of->values[i].name)) {
            *ret_value = of->values[i].value;
            return 0;
        }
    }
    char expected[512] = "one of ";
    size_t at = strlen(expected);
    for (size_t i = 0; i < of->count && at < sizeof expected; i++)
        at +=
            (size_t)snprintf(expected + at, sizeof expected - at, "%s%s", i ? ", " : "", of->values[i].name);
    return wrong(place, expected, err);
}

/* --- lists and messages ---------------------------------------------------------------------------- */

static int read_texts(const struct place *place, bool json, struct flow_texts *ret_texts, struct error *err)
{
    const struct json *doc = place->doc;
    if (!json_is(doc, place->at, JSON_ARRAY))
        return wrong(place, json ? "an array" : "an array of strings", err);
    struct slice *items = arena_alloc(place->arena, (json_count(doc, place->at) + 1) * sizeof *items);
    size_t count = 0;
    for (uint32_t e = json_first(doc, place->at); e != JSON_NONE; e = json_next(doc, place->at, e)) {
        if (!json && !json_is(doc, e, JSON_STRING))
            return wrong(place, "an array of strings", err);
        items[count++] = json ? json_raw(doc, e) : json_string(doc, e, place->arena);
    }
    *ret_texts = (struct flow_texts){items, count};
    return 0;
}

struct list {
    const void *items;
    size_t count;
};

static int read_messages(const struct place *place, struct list *ret_list, struct error *err)
{
    const struct json *doc = place->doc;
    const struct flow_type *of = place->member->of;
    if (!json_is(doc, place->at, JSON_ARRAY))
        return wrong(place, "an array of objects", err);
    char *items = arena_zalloc(place->arena, (json_count(doc, place->at) + 1) * of->size);
    size_t count = 0;
    for (uint32_t e = json_first(doc, place->at); e != JSON_NONE; e = json_next(doc, place->at, e)) {
        if (flow_read(doc, e, of, place->arena, items + count * of->size, err) < 0)
            return error_wrap(err, "%s.%s[%zu]", place->type->name, place->member->name, count);
        count++;
    }
    *ret_list = (struct list){items, count};
    return 0;
}

static int read_message(const struct place *place, const void **ret_message, struct error *err)
{
    const struct flow_type *of = place->member->of;
    void *message = arena_zalloc(place->arena, of->size);
    if (flow_read(place->doc, place->at, of, place->arena, message, err) < 0)
        return error_wrap(err, "%s.%s", place->type->name, place->member->name);
    *ret_message = message;
    return 0;
}

static int read_member(const struct place *place, void *into, struct error *err)
{
    switch (place->member->kind) {
    case FLOW_TEXT:
        return read_text(place, into, err);
    case FLOW_JSON:
        *(struct slice *)into = json_raw(place->doc, place->at);
        return 0;
    case FLOW_BYTES:
        return read_bytes(place, into, err);
    case FLOW_BOOL:
        if (!json_is(place->doc, place->at, JSON_TRUE) && !json_is(place->doc, place->at, JSON_FALSE))
            return wrong(place, "true or false", err);
        *(bool *)into = json_is(place->doc, place->at, JSON_TRUE);
        return 0;
    case FLOW_U32:
        return read_u32(place, into, err);
    case FLOW_I64:
        return read_i64(place, into, err);
    case FLOW_DOUBLE:
        return json_to_double(place->doc, place->at, into) ? 0 : wrong(place, "a number", err);
    case FLOW_ENUM:
        return read_enum(place, into, err);
    case FLOW_MESSAGE:
        return read_message(place, into, err);
    case FLOW_TEXTS:
    case FLOW_JSONS:
        return read_texts(place, place->member->kind == FLOW_JSONS, into, err);
    case FLOW_MESSAGES:
        return read_messages(place, into, err);
    }
    return 0;
}

/* The member by its name in JSON, or NULL. */
static const struct flow_member *find(const struct flow_type *type, const struct json *doc, uint32_t key)
{
    struct slice name = json_inner(doc, key);
    bool escaped = json_escaped(doc, key);
    for (size_t i = 0; i < type->count; i++) {
        const char *candidate = type->members[i].name;
        if (escaped ? json_string_is(doc, key, candidate) : slice_is(name, candidate))
            return &type->members[i];
    }
    return NULL;
}

int flow_read(const struct json *doc, uint32_t at, const struct flow_type *type, struct arena *arena,
              void *message, struct error *err)
{
    if (!json_is(doc, at, JSON_OBJECT)) {
        struct slice raw = json_raw(doc, at);
        return error_set(err, ERROR_PROTOCOL, "%s must be an object, got %.*s", type->name,
                         (int)utf8_cut(raw.data, raw.size, SHOWN_MAX), raw.data);
    }
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        struct place place = {doc, json_value(key), type, find(type, doc, key), arena};
        if (place.member && !json_is(doc, place.at, JSON_NULL) &&
            read_member(&place, (char *)message + place.member->offset, err) < 0)
            return -1;
    }
    return 0;
}

/* --- members that are there twice -------------------------------------------------------------------- */

static int doubled(const void *type, struct slice name, const void **ret_inner)
{
    const struct flow_type *of = type;
    for (size_t i = 0; i < of->count; i++) {
        if (!slice_is(name, of->members[i].name))
            continue;
        if (of->members[i].kind == FLOW_MESSAGE || of->members[i].kind == FLOW_MESSAGES)
            *ret_inner = of->members[i].of;
        return (int)i;
    }
    return -1;
}

/* The last would win in silence, and of two documents in one message the first be lost. Documents, configs,
 * schemas and states are the connector's own: within them the last wins, as JSON's readers have it. */
static int refuse_doubled(const struct json *line, const struct flow_line_type *types, size_t count,
                          struct error *err)
{
    struct flow_member members[DOUBLED_MEMBERS_MAX];
    assert(count <= DOUBLED_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++)
        members[i] = (struct flow_member){types[i].name, FLOW_MESSAGE, 0, types[i].type};
    const struct flow_type type = {"line", 0, members, count};
    return doubled_refuse((struct slice){line->source, line->size}, doubled, &type, err);
}

/* --- lines ----------------------------------------------------------------------------------------- */

static int no_message(const struct json *line, const struct flow_line_type *types, size_t count,
                      const char *what, struct error *err)
{
    if (json_is(line, json_get(line, 0, "type"), JSON_STRING))
        return error_set(err, ERROR_PROTOCOL,
                         "this is not %s: with its \"type\" it looks like Airbyte's; if it is, say "
                         "'protocol: airbyte'",
                         what);
    uint32_t key = json_first_key(line, 0);
    if (key == JSON_NONE)
        return error_set(err, ERROR_PROTOCOL, "this is not %s: right would be an object with one member",
                         what);
    struct slice name = json_inner(line, key);
    for (size_t i = 0; i < count; i++) {
        if (slice_is(name, types[i].name)) /* it was passed over */
            return error_set(err, ERROR_PROTOCOL,
                             "'%s' is null: right would be an object, {} if it says nothing", types[i].name);
    }
    char known[512] = "", shown[64];
    const char *names[32];
    size_t at = 0;
    for (size_t i = 0; i < count && i < 32; i++) {
        names[i] = types[i].name;
        if (at < sizeof known)
            at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", types[i].name);
    }
    snprintf(shown, sizeof shown, "%.*s", (int)utf8_cut(name.data, name.size, sizeof shown - 1), name.data);
    string_one_line(shown);
    const char *nearest = string_nearest(shown, names, count < 32 ? count : 32);
    return error_set(err, ERROR_PROTOCOL, "this is not %s: its member is '%s'%s%s%s; it may be %s", what,
                     shown, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "",
                     known);
}

int flow_line_which(const struct json *line, const struct flow_line_type *types, size_t count,
                    const char *what, uint32_t *ret_at, struct error *err)
{
    int found = -1;
    if (line->duplicates && refuse_doubled(line, types, count, err) < 0)
        return -1;
    for (uint32_t key = json_first_key(line, 0); key != JSON_NONE; key = json_next_key(line, 0, key)) {
        struct slice name = json_inner(line, key);
        if (json_is(line, json_value(key), JSON_NULL))
            continue;
        for (size_t i = 0; i < count; i++) {
            if (!slice_is(name, types[i].name))
                continue;
            if (found >= 0)
                return error_set(err, ERROR_PROTOCOL, "this is not %s: it has both '%s' and '%s'", what,
                                 types[found].name, types[i].name);
            found = (int)i;
            *ret_at = json_value(key);
        }
    }
    return found >= 0 ? found : no_message(line, types, count, what, err);
}
