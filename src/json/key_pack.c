/* Packing keys as FoundationDB's tuple layer does. The codes, each the first byte of a value:
 *
 *   00                 null
 *   01 … 00            bytes, here the compact JSON of an array or object; a 00 inside is written 00 ff
 *   02 … 00            a string in UTF-8, likewise
 *   0c to 13           a negative integer of 8 to 1 bytes: magnitude in ones' complement, big endian
 *   14                 0
 *   15 to 1c           a positive integer of 1 to 8 bytes
 *   0b, 1d             a longer one: its size in a byte (ones' complement if negative), then as above
 *   21                 a double: big endian, sign bit flipped, all bits if negative
 *   26, 27             false, true */
#include "json/decimal.h"
#include "json/key.h"
#include "json/number.h"
#include "json/writer.h"

#include <math.h>

enum {
    CODE_NULL = 0x00,
    CODE_BYTES = 0x01,
    CODE_STRING = 0x02,
    CODE_NEGATIVE_BIG = 0x0b,
    CODE_ZERO = 0x14,
    CODE_POSITIVE_BIG = 0x1d,
    CODE_DOUBLE = 0x21,
    CODE_FALSE = 0x26,
    CODE_TRUE = 0x27,
    DIGITS_MAX = 615 /* an integer of more decimal digits has more than KEY_PACKED_INTEGER_MAX bytes */
};

/* Write each 00 from `start` on as 00 ff, and 00 behind: from the back, in place. */
static void end_bytes(struct buffer *out, size_t start)
{
    size_t zeros = 0;
    for (size_t i = start; i < out->size; i++)
        zeros += out->data[i] == 0;
    if (!buffer_reserve(out, zeros + 1))
        return;
    size_t from = out->size, to = out->size += zeros;
    while (from < to) {
        char byte = out->data[--from];
        if (byte == 0)
            out->data[--to] = (char)0xff;
        out->data[--to] = byte;
    }
    buffer_byte(out, 0);
}

static void pack_string(const struct json *doc, uint32_t at, struct buffer *out)
{
    struct slice inner = json_inner(doc, at);
    buffer_byte(out, CODE_STRING);
    size_t start = out->size;
    if (!json_escaped(doc, at)) { /* then it has no NUL either */
        buffer_append(out, inner.data, inner.size);
        buffer_byte(out, 0);
    } else if (buffer_reserve(out, inner.size)) {
        out->size += json_unescape(inner.data, inner.size, out->data + start);
        end_bytes(out, start);
    }
}

static void pack_json(const struct json *doc, uint32_t at, struct buffer *out)
{
    buffer_byte(out, CODE_BYTES);
    size_t start = out->size;
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_put_value(&writer, doc, at);
    end_bytes(out, start);
}

static void pack_double(struct slice text, struct buffer *out)
{
    double value;
    if (!number_to_double(text, &value))
        value = text.data[0] == '-' ? -INFINITY : INFINITY;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits ^= bits >> 63 ? UINT64_MAX : 1ULL << 63;
    buffer_byte(out, CODE_DOUBLE);
    for (int shift = 56; shift >= 0; shift -= 8)
        buffer_byte(out, (char)(bits >> shift));
}

static void pack_magnitude(uint64_t magnitude, bool negative, struct buffer *out)
{
    int size = 0;
    while (size < 8 && magnitude >> (8 * size))
        size++;
    buffer_byte(out, (char)(negative ? CODE_ZERO - size : CODE_ZERO + size));
    if (negative)
        magnitude = ~magnitude;
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
        buffer_byte(out, (char)(magnitude >> shift));
}

/* bytes = bytes * 10 + digit, big endian in the last *size of KEY_PACKED_INTEGER_MAX bytes. */
static bool times_ten(uint8_t bytes[KEY_PACKED_INTEGER_MAX], size_t *size, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = 0; i < *size; i++) {
        uint8_t *byte = &bytes[KEY_PACKED_INTEGER_MAX - 1 - i];
        carry += *byte * 10U;
        *byte = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry == 0)
        return true;
    if (*size == KEY_PACKED_INTEGER_MAX)
        return false;
    bytes[KEY_PACKED_INTEGER_MAX - 1 - (*size)++] = (uint8_t)carry;
    return true;
}

static int pack_big(struct slice text, struct buffer *out, struct error *err)
{
    struct decimal decimal = decimal_of(text);
    uint8_t bytes[KEY_PACKED_INTEGER_MAX] = {0};
    size_t size = 0;
    const char *at = decimal.first;
    bool fits = decimal.scale <= DIGITS_MAX;
    for (int64_t i = 0; fits && i < decimal.scale; i++)
        fits = times_ten(bytes, &size, i < decimal.digits ? decimal_next(&at) : 0);
    if (!fits)
        return error_set(err, ERROR_LIMIT, "the number %.*s%s is too large for a key: at most %d bytes",
                         (int)(text.size > 40 ? 40 : text.size), text.data, text.size > 40 ? "…" : "",
                         KEY_PACKED_INTEGER_MAX);
    uint8_t flip = decimal.negative ? 0xff : 0;
    buffer_byte(out, decimal.negative ? CODE_NEGATIVE_BIG : CODE_POSITIVE_BIG);
    buffer_byte(out, (char)(size ^ flip));
    for (size_t i = KEY_PACKED_INTEGER_MAX - size; i < KEY_PACKED_INTEGER_MAX; i++)
        buffer_byte(out, (char)(bytes[i] ^ flip));
    return 0;
}

static int pack_number(struct slice text, struct buffer *out, struct error *err)
{
    uint64_t magnitude;
    bool negative = text.data[0] == '-';
    struct slice absolute = {text.data + negative, text.size - negative};
    if (number_to_u64(absolute, &magnitude))
        pack_magnitude(magnitude, negative, out);
    else if (number_is_integer(text))
        return pack_big(text, out, err);
    else
        pack_double(text, out);
    return 0;
}

/* Has it a fraction or an exponent, and is it none of the integers of 64 bits that are packed as such? What
 * is beyond the largest double stays exact. */
static bool is_double(const struct json *doc, uint32_t at)
{
    struct slice text = json_raw(doc, at);
    int64_t integer;
    double unused;
    if (json_tag(doc, at) != JSON_NUMBER)
        return false;
    if (number_to_i64(text, &integer))
        return integer == 0 && text.data[0] == '-';
    return number_to_double(text, &unused);
}

/* Of a key: equal values are packed alike, however they are written. */
static int pack_value(struct key_value value, struct buffer *out, struct error *err)
{
    switch (value.at == JSON_NONE ? JSON_NULL : json_tag(value.doc, value.at)) {
    case JSON_FALSE:
        buffer_byte(out, CODE_FALSE);
        return 0;
    case JSON_TRUE:
        buffer_byte(out, CODE_TRUE);
        return 0;
    case JSON_INTEGER:
    case JSON_NUMBER:
        return pack_number(json_raw(value.doc, value.at), out, err);
    case JSON_STRING:
    case JSON_KEY:
        pack_string(value.doc, value.at, out);
        return 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        pack_json(value.doc, value.at, out);
        return 0;
    default:
        buffer_byte(out, CODE_NULL);
        return 0;
    }
}

int key_pack_value(struct key_value value, struct buffer *out, struct error *err)
{
    if (value.at == JSON_NONE || !is_double(value.doc, value.at))
        return pack_value(value, out, err);
    pack_double(json_raw(value.doc, value.at), out);
    return 0;
}

int key_pack(const struct key *key, const struct json *doc, uint32_t at, struct buffer *out,
             struct error *err)
{
    for (size_t i = 0; i < key->count; i++) {
        if (pack_value(key_value_of(&key->parts[i], doc, at), out, err) < 0)
            return error_wrap(err, "key %s", key->parts[i].pointer);
    }
    return 0;
}
