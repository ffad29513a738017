#include "protocol/airbyte_state.h"

#include "base/map.h"

/* Raw bytes all the way: a state is opaque, and what a source wrote is what it gets back. */
struct stream_entry {
    struct airbyte_stream_name stream; /* owned */
    struct slice state;                /* owned */
};

enum kind { KIND_NONE, KIND_STREAM, KIND_GLOBAL, KIND_LEGACY };

struct airbyte_states {
    enum kind kind;
    enum kind session;  /* the kind of this session's messages, KIND_NONE before the first */
    struct map streams; /* KIND_STREAM: entry_key to struct stream_entry, in the order of arrival */
    struct slice blob;  /* KIND_GLOBAL: the value of "global"; KIND_LEGACY: of "data"; owned */
};

static struct slice slice_copy(struct slice slice)
{
    return slice.size ? (struct slice){mem_dup(slice.data, slice.size), slice.size} : (struct slice){0};
}

static void slice_free(struct slice slice)
{
    free((void *)slice.data);
}

static void entry_free(struct stream_entry *entry)
{
    slice_free(entry->stream.name);
    slice_free(entry->stream.namespace);
    slice_free(entry->state);
    free(entry);
}

/* The namespace's size first, so that no two pairs give the same key. */
static void entry_key(struct buffer *key, struct airbyte_stream_name stream)
{
    uint64_t size = stream.namespace.size;
    buffer_init(key, BUFFER_UNLIMITED);
    buffer_append(key, &size, sizeof size);
    buffer_append(key, stream.namespace.data, stream.namespace.size);
    buffer_append(key, stream.name.data, stream.name.size);
}

struct airbyte_states *airbyte_states_new(void)
{
    struct airbyte_states *states = mem_zalloc(sizeof *states);
    map_init(&states->streams);
    return states;
}

void airbyte_states_free(struct airbyte_states *states)
{
    if (!states)
        return;
    airbyte_states_clear(states);
    map_done(&states->streams);
    free(states);
}

void airbyte_states_clear(struct airbyte_states *states)
{
    struct map_entry *item;
    for (size_t at = 0; (item = map_next(&states->streams, &at));)
        entry_free(item->value);
    map_done(&states->streams);
    map_init(&states->streams);
    slice_free(states->blob);
    states->blob = (struct slice){0};
    states->kind = states->session = KIND_NONE;
}

bool airbyte_states_empty(const struct airbyte_states *states)
{
    return states->streams.count == 0 && states->blob.size == 0;
}

static bool remove_stream(struct airbyte_states *states, struct airbyte_stream_name stream)
{
    struct buffer key;
    entry_key(&key, stream);
    struct stream_entry *entry = map_remove(&states->streams, (struct slice){key.data, key.size});
    buffer_done(&key);
    if (entry)
        entry_free(entry);
    return entry != NULL;
}

static void set_stream(struct airbyte_states *states, struct airbyte_stream_name stream, struct slice raw)
{
    struct buffer key;
    entry_key(&key, stream);
    struct slice name = {key.data, key.size};
    struct stream_entry *entry = map_get(&states->streams, name);
    if (entry) {
        slice_free(entry->state);
    } else {
        entry = mem_zalloc(sizeof *entry);
        entry->stream = (struct airbyte_stream_name){slice_copy(stream.name), slice_copy(stream.namespace)};
        map_set(&states->streams, name, entry);
    }
    entry->state = slice_copy(raw);
    buffer_done(&key);
}

static struct slice raw_or_none(const struct json *doc, uint32_t at)
{
    return at == JSON_NONE ? (struct slice){0} : json_raw(doc, at);
}

static enum kind kind_of(const struct airbyte_message *message)
{
    switch (message->state.type) {
    case AIRBYTE_STATE_STREAM:
        return KIND_STREAM;
    case AIRBYTE_STATE_GLOBAL:
        return KIND_GLOBAL;
    case AIRBYTE_STATE_LEGACY:
        return KIND_LEGACY;
    }
    return KIND_NONE;
}

/* Store one decoded state, whatever was there before. */
static void take(struct airbyte_states *states, const struct json *doc, const struct airbyte_message *message)
{
    enum kind kind = kind_of(message), session = states->session;
    if (states->kind != kind) {
        airbyte_states_clear(states);
        states->kind = kind;
        states->session = session;
    }
    if (kind == KIND_STREAM) {
        if (message->state.stream_state == JSON_NONE)
            remove_stream(states, message->state.stream);
        else
            set_stream(states, message->state.stream, json_raw(doc, message->state.stream_state));
        return;
    }
    struct slice blob = raw_or_none(doc, kind == KIND_GLOBAL ? message->state.global : message->state.data);
    slice_free(states->blob);
    states->blob = slice_copy(blob);
}

static const char *kind_name(enum kind kind)
{
    static const char *const names[] = {"no", "STREAM", "GLOBAL", "LEGACY"};
    return names[kind];
}

int airbyte_states_apply(struct airbyte_states *states, const struct json *line,
                         const struct airbyte_message *message, struct error *err)
{
    assert(message->type == AIRBYTE_STATE);
    enum kind kind = kind_of(message);
    if (states->session != KIND_NONE && states->session != kind)
        return error_set(err, ERROR_PROTOCOL,
                         "a %s state after a %s state: a source must keep to one kind in a sync",
                         kind_name(kind), kind_name(states->session));
    states->session = kind;
    take(states, line, message);
    return 0;
}

/* --- inside a GLOBAL ----------------------------------------------------------------------------- */

/* The stored blob, parsed; only for the rare questions about what is inside. */
static uint32_t parse_global(const struct airbyte_states *states, struct json_parser *parser,
                             struct json *ret_doc)
{
    struct error unused;
    if (states->kind != KIND_GLOBAL || states->blob.size == 0 ||
        json_parse(parser, states->blob.data, states->blob.size, ret_doc, &unused) < 0)
        return JSON_NONE;
    return json_get(ret_doc, 0, "stream_states");
}

static struct json_parser *blob_parser(void)
{
    return json_parser_new((struct json_limits){.size_max = JSON_SIZE_LIMIT, .depth_max = 256},
                           JSON_DUPLICATES_LAST_WINS);
}

static bool element_is(const struct json *doc, uint32_t element, struct airbyte_stream_name stream)
{
    struct arena arena;
    struct error unused;
    struct airbyte_stream_name name;
    arena_init(&arena);
    bool same = airbyte_read_descriptor(doc, json_get(doc, element, "stream_descriptor"), "", &arena, &name,
                                        &unused) == 0 &&
                airbyte_stream_name_equal(name, stream);
    arena_done(&arena);
    return same;
}

static struct slice find_in_global(const struct airbyte_states *states, struct airbyte_stream_name stream)
{
    mem_auto(json_parser_free) struct json_parser *parser = blob_parser();
    struct json doc;
    uint32_t list = parse_global(states, parser, &doc);
    if (list == JSON_NONE)
        return (struct slice){0};
    for (uint32_t e = json_first(&doc, list); e != JSON_NONE; e = json_next(&doc, list, e)) {
        uint32_t state = json_get(&doc, e, "stream_state");
        if (state != JSON_NONE && !json_is(&doc, state, JSON_NULL) && element_is(&doc, e, stream))
            return json_raw(&doc, state); /* of states->blob, which lives on */
    }
    return (struct slice){0};
}

static void put_element_unless(struct buffer *out, const struct json *doc, uint32_t list,
                               struct airbyte_stream_name stream, bool *ret_removed)
{
    bool first = true;
    for (uint32_t e = json_first(doc, list); e != JSON_NONE; e = json_next(doc, list, e)) {
        if (element_is(doc, e, stream)) {
            *ret_removed = true;
            continue;
        }
        if (!first)
            buffer_byte(out, ',');
        first = false;
        buffer_append(out, json_raw(doc, e).data, json_raw(doc, e).size);
    }
}

/* The blob up to the list, the other elements, the blob after the list: every other byte stays. */
static bool reset_in_global(struct airbyte_states *states, struct airbyte_stream_name stream)
{
    mem_auto(json_parser_free) struct json_parser *parser = blob_parser();
    struct json doc;
    uint32_t list = parse_global(states, parser, &doc);
    if (!json_is(&doc, list, JSON_ARRAY))
        return false;
    bool removed = false;
    struct slice raw = json_raw(&doc, list);
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_append(&out, states->blob.data, (size_t)(raw.data + 1 - states->blob.data));
    put_element_unless(&out, &doc, list, stream, &removed);
    const char *rest = raw.data + raw.size - 1;
    buffer_append(&out, rest, (size_t)(states->blob.data + states->blob.size - rest));
    if (!removed) {
        buffer_done(&out);
        return false;
    }
    slice_free(states->blob);
    states->blob.size = out.size;
    states->blob.data = buffer_steal(&out);
    return true;
}

bool airbyte_states_reset_stream(struct airbyte_states *states, struct airbyte_stream_name stream)
{
    if (states->kind == KIND_GLOBAL)
        return reset_in_global(states, stream);
    if (states->kind != KIND_LEGACY)
        return remove_stream(states, stream);
    bool any = states->blob.size != 0;
    slice_free(states->blob);
    states->blob = (struct slice){0};
    return any;
}

struct slice airbyte_states_stream(const struct airbyte_states *states, struct airbyte_stream_name stream)
{
    if (states->kind == KIND_GLOBAL)
        return find_in_global(states, stream);
    struct buffer key;
    entry_key(&key, stream);
    const struct stream_entry *entry = map_get(&states->streams, (struct slice){key.data, key.size});
    buffer_done(&key);
    return entry ? entry->state : (struct slice){0};
}

bool airbyte_states_are_shared(const struct airbyte_states *states)
{
    return states->blob.size > 0;
}

/* --- writing and loading ------------------------------------------------------------------------- */

static void put_entry(struct buffer *out, const struct stream_entry *entry)
{
    buffer_str(out, "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":");
    json_escape(out, entry->stream.name);
    if (entry->stream.namespace.size) {
        buffer_str(out, ",\"namespace\":");
        json_escape(out, entry->stream.namespace);
    }
    buffer_str(out, "},\"stream_state\":");
    buffer_append(out, entry->state.data, entry->state.size);
    buffer_str(out, "}}");
}

void airbyte_states_write(struct buffer *out, const struct airbyte_states *states)
{
    buffer_byte(out, '[');
    if (states->blob.size) {
        buffer_str(out, states->kind == KIND_GLOBAL ? "{\"type\":\"GLOBAL\",\"global\":"
                                                    : "{\"type\":\"LEGACY\",\"data\":");
        buffer_append(out, states->blob.data, states->blob.size);
        buffer_byte(out, '}');
    }
    const struct map_entry *item;
    bool first = true;
    for (size_t at = 0; (item = map_next(&states->streams, &at)); first = false) {
        if (!first)
            buffer_byte(out, ',');
        put_entry(out, item->value);
    }
    buffer_byte(out, ']');
}

void airbyte_states_write_file(struct buffer *out, const struct airbyte_states *states)
{
    if (states->kind == KIND_LEGACY && states->blob.size)
        buffer_append(out, states->blob.data, states->blob.size);
    else
        airbyte_states_write(out, states);
}

/* A state message, bare or in its envelope: the node of the bare one; JSON_NONE if it is neither. */
static uint32_t bare_message(const struct json *doc, uint32_t at)
{
    uint32_t type = json_get(doc, at, "type");
    if (json_string_is(doc, type, "STATE"))
        return json_get(doc, at, "state");
    if (json_string_is(doc, type, "STREAM") || json_string_is(doc, type, "GLOBAL") ||
        json_string_is(doc, type, "LEGACY"))
        return at;
    return JSON_NONE;
}

static int load_message(struct airbyte_states *states, const struct json *doc, uint32_t at, struct error *err)
{
    struct arena arena;
    struct airbyte_message message;
    arena_init(&arena);
    int result = json_is(doc, at, JSON_OBJECT) ? airbyte_decode_state(doc, at, &arena, &message, err)
                                               : error_set(err, ERROR_INVALID, "expected a state message");
    if (result == 0 && states->kind != KIND_NONE && states->kind != kind_of(&message))
        result = error_set(err, ERROR_INVALID, "a %s state among %s states", kind_name(kind_of(&message)),
                           kind_name(states->kind));
    if (result == 0)
        take(states, doc, &message);
    arena_done(&arena);
    return result;
}

static int load_array(struct airbyte_states *states, const struct json *doc, uint32_t at, struct error *err)
{
    size_t position = 1;
    for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e), position++) {
        uint32_t message = bare_message(doc, e);
        if (load_message(states, doc, message == JSON_NONE ? e : message, err) < 0) {
            err->code = ERROR_INVALID;
            return error_wrap(err, "element %zu of the state", position);
        }
    }
    return 0;
}

int airbyte_states_load(struct airbyte_states *states, const struct json *doc, uint32_t at, struct error *err)
{
    struct airbyte_states *loaded = airbyte_states_new();
    int result = 0;
    if (json_is(doc, at, JSON_ARRAY)) {
        result = load_array(loaded, doc, at, err);
    } else if (json_is(doc, at, JSON_OBJECT)) {
        uint32_t message = bare_message(doc, at);
        if (message != JSON_NONE) {
            result = load_message(loaded, doc, message, err);
        } else if (json_count(doc, at)) {
            loaded->kind = KIND_LEGACY;
            loaded->blob = slice_copy(json_raw(doc, at));
        }
    } else if (at != JSON_NONE && !json_is(doc, at, JSON_NULL)) {
        result = error_set(err, ERROR_INVALID, "a state must be an array of state messages or an object");
    }
    if (result == 0) {
        struct airbyte_states old = *states;
        *states = *loaded;
        *loaded = old;
    }
    airbyte_states_free(loaded);
    return result;
}
