#include "protocol/flow_codec.h"

#include <math.h>

/* Structs to JSON: what has its default is left out. */

static const void *member_of(const void *message, const struct flow_member *member)
{
    return (const char *)message + member->offset;
}

/* --- values ---------------------------------------------------------------------------------------- */

/* A value of ours may come from a file and have line breaks between its tokens; a line must not. (Inside a
 * string there is none: JSON has them escaped.) */
static void put_json(struct json_writer *writer, struct slice raw)
{
    struct buffer *out = writer->out;
    size_t from = out->size;
    json_put_raw(writer, raw);
    if (out->overflowed || !memchr(raw.data, '\n', raw.size))
        return;
    for (size_t i = from; i < out->size; i++) {
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    }
}

void flow_bytes_write(struct json_writer *writer, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)(unsigned char)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(unsigned char)bytes.data[i + 2] : 0;
        buffer_byte(&text, digits[group >> 18]);
        buffer_byte(&text, digits[group >> 12 & 63]);
        buffer_byte(&text, left > 1 ? digits[group >> 6 & 63] : '=');
        buffer_byte(&text, left > 2 ? digits[group & 63] : '=');
    }
    json_put_slice(writer, (struct slice){text.data, text.size});
    buffer_done(&text);
}

static void put_i64(struct json_writer *writer, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    json_put_string(writer, text);
}

static void put_enum(struct json_writer *writer, const struct flow_enum *of, int value)
{
    for (size_t i = 0; i < of->count; i++) {
        if (of->values[i].value == value) {
            json_put_string(writer, of->values[i].name);
            return;
        }
    }
    json_put_i64(writer, value);
}

static void put_texts(struct json_writer *writer, const struct flow_texts *texts, bool json)
{
    json_begin_array(writer);
    for (size_t i = 0; i < texts->count; i++) {
        if (json)
            put_json(writer, texts->items[i]);
        else
            json_put_slice(writer, texts->items[i]);
    }
    json_end_array(writer);
}

/* The layout of every list. */
struct list {
    const char *items;
    size_t count;
};

static void put_messages(struct json_writer *writer, const struct flow_type *type, const struct list *list)
{
    json_begin_array(writer);
    for (size_t i = 0; i < list->count; i++)
        flow_write(writer, type, list->items + i * type->size);
    json_end_array(writer);
}

/* --- members --------------------------------------------------------------------------------------- */

static bool is_default(const struct flow_member *member, const void *at)
{
    switch (member->kind) {
    case FLOW_TEXT:
    case FLOW_JSON:
    case FLOW_BYTES:
        return ((const struct slice *)at)->size == 0;
    case FLOW_BOOL:
        return !*(const bool *)at;
    case FLOW_U32:
    case FLOW_ENUM:
        return *(const uint32_t *)at == 0;
    case FLOW_I64:
        return *(const int64_t *)at == 0;
    case FLOW_DOUBLE:
        return fpclassify(*(const double *)at) == FP_ZERO;
    case FLOW_MESSAGE:
        return *(const void *const *)at == NULL;
    case FLOW_TEXTS:
    case FLOW_JSONS:
    case FLOW_MESSAGES:
        return ((const struct list *)at)->count == 0;
    }
    return true;
}

static void put_member(struct json_writer *writer, const struct flow_member *member, const void *at)
{
    switch (member->kind) {
    case FLOW_TEXT:
        json_put_slice(writer, *(const struct slice *)at);
        break;
    case FLOW_JSON:
        put_json(writer, *(const struct slice *)at);
        break;
    case FLOW_BYTES:
        flow_bytes_write(writer, *(const struct slice *)at);
        break;
    case FLOW_BOOL:
        json_put_bool(writer, *(const bool *)at);
        break;
    case FLOW_U32:
        json_put_u64(writer, *(const uint32_t *)at);
        break;
    case FLOW_I64:
        put_i64(writer, *(const int64_t *)at);
        break;
    case FLOW_DOUBLE:
        json_put_double(writer, *(const double *)at);
        break;
    case FLOW_ENUM:
        put_enum(writer, member->of, *(const int *)at);
        break;
    case FLOW_MESSAGE:
        flow_write(writer, member->of, *(const void *const *)at);
        break;
    case FLOW_TEXTS:
    case FLOW_JSONS:
        put_texts(writer, at, member->kind == FLOW_JSONS);
        break;
    case FLOW_MESSAGES:
        put_messages(writer, member->of, at);
        break;
    }
}

void flow_write(struct json_writer *writer, const struct flow_type *type, const void *message)
{
    json_begin_object(writer);
    for (size_t i = 0; i < type->count; i++) {
        const struct flow_member *member = &type->members[i];
        const void *at = member_of(message, member);
        if (is_default(member, at))
            continue;
        json_put_key(writer, member->name);
        put_member(writer, member, at);
    }
    json_end_object(writer);
}

void flow_line_write(struct buffer *out, const struct flow_line_type *type, const void *message)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, type->name);
    flow_write(&writer, type->type, message);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}
