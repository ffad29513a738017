/* Records: made one's own, copied, written. */
#include "record.h"

#include "source-declarative/template/big.h"
#include "json/writer.h"

#include <math.h>

struct tdict *record_own(struct record *record, struct arena *arena)
{
    value_own(arena, &record->data);
    assert(record->data.kind == TVALUE_DICT);
    return record->data.dict;
}

/* --- copying ------------------------------------------------------------------------------------- */

/* The part of a document below a node, as a document of its own. */
static struct tvalue copy_nodes(struct arena *arena, const struct tvalue *value)
{
    const struct json *from = value->doc;
    uint32_t first = value->at, after = json_after(from, first);
    struct slice raw = json_raw(from, first);
    struct json_node *nodes =
        arena_dup(arena, from->nodes + first, (after - first) * sizeof(struct json_node));
    uint32_t base = from->nodes[first].offset;
    for (uint32_t i = 0; i < after - first; i++) {
        nodes[i].offset -= base;
        if (nodes[i].tag == JSON_ARRAY || nodes[i].tag == JSON_OBJECT)
            nodes[i].link -= first;
    }
    struct json doc = {
        .source = arena_dup(arena, raw.data, raw.size),
        .size = (uint32_t)raw.size,
        .count = after - first,
        .nodes = nodes,
        .duplicates = from->duplicates,
    };
    return (struct tvalue){.kind = value->kind, .doc = arena_dup(arena, &doc, sizeof doc)};
}

static struct tvalue copy_items(struct arena *arena, const struct tvalue *value)
{
    struct tvalue copy = *value;
    copy.list = arena_zalloc(arena, sizeof *copy.list);
    for (uint32_t i = 0; i < value->list->count; i++)
        tlist_push(arena, copy.list, value_copy(arena, &value->list->items[i]));
    return copy;
}

static struct tvalue copy_members(struct arena *arena, const struct tvalue *value)
{
    struct tvalue copy = tvalue_dict(arena);
    for (uint32_t i = 0; i < value->dict->used; i++) {
        const struct tentry *entry = &value->dict->entries[i];
        if (!entry->removed)
            tdict_set(arena, copy.dict, value_copy(arena, &entry->key), value_copy(arena, &entry->value));
    }
    return copy;
}

static struct tvalue copy_object(struct arena *arena, const struct tvalue *value)
{
    struct tobject object = *value->object;
    struct tattribute *attributes =
        arena_alloc(arena, object.attribute_count * sizeof(struct tattribute) + 1);
    object.mapping = value_copy(arena, &object.mapping);
    for (uint32_t i = 0; i < object.attribute_count; i++)
        attributes[i] = (struct tattribute){value->object->attributes[i].name,
                                            value_copy(arena, &value->object->attributes[i].value)};
    object.attributes = attributes;
    return tvalue_object(arena_dup(arena, &object, sizeof object));
}

struct tvalue value_copy(struct arena *arena, const struct tvalue *value)
{
    struct tvalue copy = *value;
    switch (value->kind) {
    case TVALUE_UNDEFINED:
    case TVALUE_STRING:
    case TVALUE_BYTES:
        copy.text.data = arena_strndup(arena, value->text.data ? value->text.data : "", value->text.size);
        return copy;
    case TVALUE_BIG:
        copy.big = arena_dup(arena, value->big, sizeof *value->big + value->big->count * sizeof(uint32_t));
        return copy;
    case TVALUE_FLOAT:
        if (value->digits)
            copy.digits = arena_dup(arena, value->digits, value->at);
        return copy;
    case TVALUE_LIST:
    case TVALUE_TUPLE:
    case TVALUE_SET:
        return copy_items(arena, value);
    case TVALUE_DICT:
        return copy_members(arena, value);
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        return copy_nodes(arena, value);
    case TVALUE_OBJECT:
        return copy_object(arena, value);
    case TVALUE_DATETIME:
    case TVALUE_DATE:
    case TVALUE_TIME:
        copy.datetime = arena_dup(arena, value->datetime, sizeof *value->datetime);
        return copy;
    case TVALUE_DURATION:
        copy.duration = arena_dup(arena, value->duration, sizeof *value->duration);
        return copy;
    default:
        return copy;
    }
}

/* --- writing ------------------------------------------------------------------------------------- */

static void write_node(struct buffer *out, const struct tvalue *value)
{
    struct slice raw = json_raw(value->doc, value->at);
    if (value->doc->duplicates == 0 && !memchr(raw.data, '\n', raw.size) &&
        !memchr(raw.data, '\r', raw.size)) {
        buffer_append(out, raw.data, raw.size);
        return;
    }
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_put_value(&writer, value->doc, value->at);
}

static void write_number(struct buffer *out, const struct tvalue *value)
{
    struct arena arena;
    if (value->kind == TVALUE_INT) {
        buffer_printf(out, "%lld", (long long)value->integer);
        return;
    }
    if (value->kind == TVALUE_FLOAT && value->digits) {
        buffer_append(out, value->digits, value->at);
        return;
    }
    if (value->kind == TVALUE_FLOAT && !isfinite(value->number)) {
        buffer_str(out, "null"); /* as orjson has it */
        return;
    }
    arena_init(&arena);
    struct ttext number;
    ttext_init(&number, &arena, RECORD_SIZE_MAX);
    if (value->kind == TVALUE_FLOAT)
        tvalue_repr_float(&number, value->number);
    else
        integer_text(&number, value);
    buffer_append(out, number.data, number.size);
    arena_done(&arena);
}

static int write_value(struct buffer *out, const struct tvalue *value, unsigned depth, struct error *err);

static int write_key(struct buffer *out, const struct tvalue *key, struct error *err)
{
    switch (key->kind) {
    case TVALUE_STRING:
        json_escape(out, key->text);
        return 0;
    case TVALUE_NONE: /* json.dumps writes these as texts */
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_FLOAT:
        buffer_byte(out, '"');
        if (write_value(out, key, 0, err) != 0)
            return -1;
        buffer_byte(out, '"');
        return 0;
    default:
        return error_set(err, ERROR_INVALID, "a %s is no name of a JSON member", tvalue_type(key));
    }
}

static int write_dict(struct buffer *out, const struct tdict *dict, unsigned depth, struct error *err)
{
    bool first = true;
    buffer_byte(out, '{');
    for (uint32_t i = 0; !out->overflowed && i < dict->used; i++) {
        const struct tentry *entry = &dict->entries[i];
        if (entry->removed)
            continue;
        if (!first)
            buffer_byte(out, ',');
        first = false;
        if (write_key(out, &entry->key, err) != 0)
            return -1;
        buffer_byte(out, ':');
        if (write_value(out, &entry->value, depth + 1, err) != 0)
            return -1;
    }
    buffer_byte(out, '}');
    return 0;
}

static int write_list(struct buffer *out, const struct tlist *list, unsigned depth, struct error *err)
{
    buffer_byte(out, '[');
    for (uint32_t i = 0; !out->overflowed && i < list->count; i++) {
        if (i > 0)
            buffer_byte(out, ',');
        if (write_value(out, &list->items[i], depth + 1, err) != 0)
            return -1;
    }
    buffer_byte(out, ']');
    return 0;
}

static int write_value(struct buffer *out, const struct tvalue *value, unsigned depth, struct error *err)
{
    char text[DATETIME_TEXT_MAX];
    if (depth > RECORD_DEPTH_MAX)
        return error_set(err, ERROR_LIMIT, "a value is nested more than %d deep", RECORD_DEPTH_MAX);
    switch (value->kind) {
    case TVALUE_NONE:
        buffer_str(out, "null");
        return 0;
    case TVALUE_BOOL:
        buffer_str(out, value->boolean ? "true" : "false");
        return 0;
    case TVALUE_INT:
    case TVALUE_BIG:
    case TVALUE_FLOAT:
        write_number(out, value);
        return 0;
    case TVALUE_STRING:
        json_escape(out, value->text);
        return 0;
    case TVALUE_LIST:
    case TVALUE_TUPLE:
        return write_list(out, value->list, depth, err);
    case TVALUE_DICT:
        return write_dict(out, value->dict, depth, err);
    case TVALUE_OBJECT:
        return write_value(out, &value->object->mapping, depth, err);
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        write_node(out, value);
        return 0;
    case TVALUE_DATETIME:
        buffer_byte(out, '"');
        buffer_append(out, text, datetime_isoformat(value->datetime, 'T', text));
        buffer_byte(out, '"');
        return 0;
    default:
        return error_set(err, ERROR_INVALID, "a %s cannot be written as JSON", tvalue_type(value));
    }
}

int value_write(struct buffer *out, const struct tvalue *value, struct error *err)
{
    if (write_value(out, value, 0, err) != 0)
        return -1;
    if (out->overflowed)
        return error_set(err, ERROR_LIMIT, "a record is larger than %zu bytes", out->max);
    return 0;
}
