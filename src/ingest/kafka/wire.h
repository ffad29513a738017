/* The protocol's primitives: a reader that never leaves its bytes, a writer into a buffer.
 *
 * Messages come in two encodings: the old one (lengths of two or four bytes) and the "flexible" one of newer
 * versions (lengths as varints plus one, and tagged fields at the end of each structure). Which of them is a
 * property of the message's version; wire_string and the like do either, so that a message is read and
 * written once for all its versions.
 *
 * A reader that meets what cannot be sets `broken` and from then on gives zeros and empty slices: a message
 * is read to its end and looked at once. */
#ifndef FIRTH_INGEST_KAFKA_WIRE_H
#define FIRTH_INGEST_KAFKA_WIRE_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct wire_reader {
    const char *at, *end;
    bool flexible;
    bool broken;
};

void wire_reader_init(struct wire_reader *reader, struct slice bytes, bool flexible);
int8_t wire_i8(struct wire_reader *reader);
int16_t wire_i16(struct wire_reader *reader);
int32_t wire_i32(struct wire_reader *reader);
int64_t wire_i64(struct wire_reader *reader);
uint32_t wire_u32(struct wire_reader *reader);
bool wire_bool(struct wire_reader *reader);
/* Unsigned LEB128 of at most 32 bits; and zigzag ones, of record batches. */
uint32_t wire_uvarint(struct wire_reader *reader);
int32_t wire_varint(struct wire_reader *reader);
int64_t wire_varlong(struct wire_reader *reader);
/* Slices of the reader's bytes. Null has no data, an empty one has. A string is a name: one with a NUL, or
 * that is not UTF-8, comes as the empty one, which every request refuses with the error that it has for a
 * name that cannot be; but for `as_is`. */
struct slice wire_string(struct wire_reader *reader);
struct slice wire_string_as_is(struct wire_reader *reader);
struct slice wire_bytes(struct wire_reader *reader);
/* So many bytes. */
struct slice wire_raw(struct wire_reader *reader, size_t size);
/* Of an array: how many elements follow. `least` is what an element takes at least, in bytes: more elements
 * than fit are broken. Null is -1. */
int32_t wire_array(struct wire_reader *reader, size_t least);
/* The end of a structure: its tagged fields, none of which we know. */
void wire_tags(struct wire_reader *reader);
static inline size_t wire_left(const struct wire_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}
/* A nullable string of the header, which is in the old encoding always. */
struct slice wire_old_string(struct wire_reader *reader);

struct wire_writer {
    struct buffer *out;
    bool flexible;
};

void wire_put_i8(struct wire_writer *writer, int8_t value);
void wire_put_i16(struct wire_writer *writer, int16_t value);
void wire_put_i32(struct wire_writer *writer, int32_t value);
void wire_put_i64(struct wire_writer *writer, int64_t value);
void wire_put_bool(struct wire_writer *writer, bool value);
void wire_put_uvarint(struct wire_writer *writer, uint32_t value);
void wire_put_varint(struct wire_writer *writer, int32_t value);
void wire_put_varlong(struct wire_writer *writer, int64_t value);
/* A slice without data is null; a string is cut at WIRE_STRING_MAX. */
void wire_put_string(struct wire_writer *writer, struct slice value);
void wire_put_text(struct wire_writer *writer, const char *text); /* NULL is null */
void wire_put_bytes(struct wire_writer *writer, struct slice value);
/* The length of an array; its elements follow. -1: null. */
void wire_put_array(struct wire_writer *writer, int32_t count);
void wire_put_tags(struct wire_writer *writer);
/* A count or length of four bytes that is known later: its place in the buffer, and the value. */
size_t wire_put_later(struct wire_writer *writer);
void wire_set_i32(struct buffer *out, size_t place, int32_t value);

enum { WIRE_STRING_MAX = INT16_MAX };

/* Big-endian, in memory. */
static inline uint16_t wire_get_u16(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}
static inline uint32_t wire_get_u32(const char *at)
{
    return (uint32_t)wire_get_u16(at) << 16 | wire_get_u16(at + 2);
}
static inline uint64_t wire_get_u64(const char *at)
{
    return (uint64_t)wire_get_u32(at) << 32 | wire_get_u32(at + 4);
}

#endif
