#include "ingest/kafka/wire.h"

#include <assert.h>

enum { VARINT_MAX = 5, VARLONG_MAX = 10, TAGS_MAX = 1024 };

/* --- reading ------------------------------------------------------------------------------------------ */

void wire_reader_init(struct wire_reader *reader, struct slice bytes, bool flexible)
{
    *reader = (struct wire_reader){.at = bytes.data, .end = bytes.data + bytes.size, .flexible = flexible};
}

/* So many bytes, or NULL. */
static const char *take(struct wire_reader *reader, size_t size)
{
    if (reader->broken || wire_left(reader) < size) {
        reader->broken = true;
        return NULL;
    }
    const char *at = reader->at;
    reader->at += size;
    return at;
}

int8_t wire_i8(struct wire_reader *reader)
{
    const char *at = take(reader, 1);
    return at ? (int8_t)*at : 0;
}

int16_t wire_i16(struct wire_reader *reader)
{
    const char *at = take(reader, 2);
    return at ? (int16_t)wire_get_u16(at) : 0;
}

uint32_t wire_u32(struct wire_reader *reader)
{
    const char *at = take(reader, 4);
    return at ? wire_get_u32(at) : 0;
}

int32_t wire_i32(struct wire_reader *reader)
{
    return (int32_t)wire_u32(reader);
}

int64_t wire_i64(struct wire_reader *reader)
{
    const char *at = take(reader, 8);
    return at ? (int64_t)wire_get_u64(at) : 0;
}

bool wire_bool(struct wire_reader *reader)
{
    return wire_i8(reader) != 0;
}

/* At most `most` bytes, and nothing but zeros past 64 bits. */
static uint64_t leb128(struct wire_reader *reader, unsigned most)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < most; i++) {
        const char *at = take(reader, 1);
        if (!at)
            return 0;
        unsigned char byte = (unsigned char)*at;
        if (i == VARLONG_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return value;
    }
    reader->broken = true;
    return 0;
}

uint32_t wire_uvarint(struct wire_reader *reader)
{
    uint64_t value = leb128(reader, VARINT_MAX);
    if (value > UINT32_MAX)
        reader->broken = true;
    return reader->broken ? 0 : (uint32_t)value;
}

int32_t wire_varint(struct wire_reader *reader)
{
    uint32_t value = wire_uvarint(reader);
    return (int32_t)(value >> 1) ^ -(int32_t)(value & 1);
}

int64_t wire_varlong(struct wire_reader *reader)
{
    uint64_t value = leb128(reader, VARLONG_MAX);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct slice wire_raw(struct wire_reader *reader, size_t size)
{
    const char *at = take(reader, size);
    return at ? (struct slice){at, size} : (struct slice){0};
}

/* A length of either encoding; -1 is null. */
static int64_t length(struct wire_reader *reader, bool wide)
{
    if (reader->flexible)
        return (int64_t)wire_uvarint(reader) - 1;
    return wide ? wire_i32(reader) : wire_i16(reader);
}

static struct slice text(struct wire_reader *reader, int64_t size)
{
    if (size < -1)
        reader->broken = true;
    return size < 0 || reader->broken ? (struct slice){0} : wire_raw(reader, (size_t)size);
}

/* What is no text that a string of ours can hold is nobody's name. */
static struct slice name_of(struct slice text)
{
    bool right = !text.data || (!memchr(text.data, 0, text.size) && utf8_valid(text.data, text.size));
    return right ? text : (struct slice){"", 0};
}

struct slice wire_string(struct wire_reader *reader)
{
    return name_of(wire_string_as_is(reader));
}

struct slice wire_string_as_is(struct wire_reader *reader)
{
    return text(reader, length(reader, false));
}

struct slice wire_bytes(struct wire_reader *reader)
{
    return text(reader, length(reader, true));
}

struct slice wire_old_string(struct wire_reader *reader)
{
    return name_of(text(reader, wire_i16(reader)));
}

int32_t wire_array(struct wire_reader *reader, size_t least)
{
    assert(least > 0);
    int64_t count = length(reader, true);
    if (count < -1 || (count > 0 && (uint64_t)count > wire_left(reader) / least))
        reader->broken = true;
    return reader->broken ? 0 : (int32_t)count;
}

void wire_tags(struct wire_reader *reader)
{
    if (!reader->flexible)
        return;
    uint32_t count = wire_uvarint(reader);
    if (count > TAGS_MAX)
        reader->broken = true;
    for (; count > 0 && !reader->broken; count--) {
        wire_uvarint(reader);
        wire_raw(reader, wire_uvarint(reader));
    }
}

/* --- writing ------------------------------------------------------------------------------------------ */

void wire_put_i8(struct wire_writer *writer, int8_t value)
{
    buffer_byte(writer->out, (char)value);
}

void wire_put_bool(struct wire_writer *writer, bool value)
{
    wire_put_i8(writer, value);
}

static void put_big(struct buffer *out, uint64_t value, size_t size)
{
    char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(value >> (8 * (size - 1 - i)));
    buffer_append(out, bytes, size);
}

void wire_put_i16(struct wire_writer *writer, int16_t value)
{
    put_big(writer->out, (uint16_t)value, 2);
}

void wire_put_i32(struct wire_writer *writer, int32_t value)
{
    put_big(writer->out, (uint32_t)value, 4);
}

void wire_put_i64(struct wire_writer *writer, int64_t value)
{
    put_big(writer->out, (uint64_t)value, 8);
}

static void put_leb128(struct buffer *out, uint64_t value)
{
    char bytes[VARLONG_MAX];
    size_t size = 0;
    for (; value > 0x7f; value >>= 7)
        bytes[size++] = (char)(value | 0x80);
    bytes[size++] = (char)value;
    buffer_append(out, bytes, size);
}

void wire_put_uvarint(struct wire_writer *writer, uint32_t value)
{
    put_leb128(writer->out, value);
}

void wire_put_varint(struct wire_writer *writer, int32_t value)
{
    put_leb128(writer->out, (uint32_t)value << 1 ^ (uint32_t)(value >> 31));
}

void wire_put_varlong(struct wire_writer *writer, int64_t value)
{
    put_leb128(writer->out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static void put_length(struct wire_writer *writer, int64_t size, bool wide)
{
    assert(size < INT32_MAX);
    if (writer->flexible)
        wire_put_uvarint(writer, (uint32_t)(size + 1));
    else if (wide)
        wire_put_i32(writer, (int32_t)size);
    else
        wire_put_i16(writer, (int16_t)size);
}

void wire_put_string(struct wire_writer *writer, struct slice value)
{
    size_t size =
        value.size > WIRE_STRING_MAX ? utf8_cut(value.data, value.size, WIRE_STRING_MAX) : value.size;
    put_length(writer, value.data ? (int64_t)size : -1, false);
    if (value.data)
        buffer_append(writer->out, value.data, size);
}

void wire_put_text(struct wire_writer *writer, const char *value)
{
    wire_put_string(writer, value ? slice_of(value) : (struct slice){0});
}

void wire_put_bytes(struct wire_writer *writer, struct slice value)
{
    put_length(writer, value.data ? (int64_t)value.size : -1, true);
    if (value.data)
        buffer_append(writer->out, value.data, value.size);
}

void wire_put_array(struct wire_writer *writer, int32_t count)
{
    put_length(writer, count, true);
}

void wire_put_tags(struct wire_writer *writer)
{
    if (writer->flexible)
        wire_put_uvarint(writer, 0);
}

size_t wire_put_later(struct wire_writer *writer)
{
    wire_put_i32(writer, 0);
    return writer->out->size - 4;
}

void wire_set_i32(struct buffer *out, size_t place, int32_t value)
{
    if (out->overflowed)
        return;
    for (size_t i = 0; i < 4; i++)
        out->data[place + i] = (char)((uint32_t)value >> (8 * (3 - i)));
}
