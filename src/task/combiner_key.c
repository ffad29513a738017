/* Keys as bytes that sort as the keys do.
 *
 * A rank for the type; strings with 00 written as 00 FF and ended by 00; numbers as the nearest double, made
 * to sort, and behind it all of an integer that a double does not hold. What does not fit in is left to a
 * comparison of the documents (a fraction, an integer past 64 bits, an array or object): the encoding ends
 * there, and is inexact. */
#include "task/combiner_parts.h"

#include "json/number.h"

#include <math.h>

enum rank { RANK_NULL = 1, RANK_FALSE, RANK_TRUE, RANK_NUMBER, RANK_STRING, RANK_ARRAY, RANK_OBJECT };

enum { KEY_TEXT_MAX = 200 }; /* bytes of a key in a message */

static void put_big_endian(struct buffer *out, uint64_t value)
{
    value = __builtin_bswap64(value);
    buffer_append(out, &value, sizeof value);
}

/* Doubles in the order of unsigned integers; -0 is 0. */
static void put_double(struct buffer *out, double value)
{
    uint64_t bits;
    if (value == 0)
        value = 0;
    memcpy(&bits, &value, sizeof bits);
    put_big_endian(out, bits >> 63 ? ~bits : bits | 1ULL << 63);
}

static bool put_number(struct buffer *out, const struct json *doc, uint32_t at)
{
    const double holds_integers = 9007199254740992.0; /* 2^53 */
    double nearest;
    int64_t small;
    uint64_t large = 0;
    if (!json_to_double(doc, at, &nearest))
        nearest = json_raw(doc, at).data[0] == '-' ? -INFINITY : INFINITY;
    put_double(out, nearest);
    bool is_small = json_to_i64(doc, at, &small);
    if (!is_small && !json_to_u64(doc, at, &large))
        return false;
    if (fabs(nearest) < holds_integers)
        return true;
    /* negative ones below, those past the signed range above the rest */
    buffer_byte(out, is_small ? (char)(small >= 0) : 2);
    put_big_endian(out, is_small ? (uint64_t)small : large);
    return true;
}

static void put_string(struct buffer *out, const struct json *doc, uint32_t at)
{
    struct slice inner = json_inner(doc, at);
    size_t start = out->size;
    if (!buffer_reserve(out, 2 * inner.size + 2))
        return;
    char *text = out->data + start + inner.size; /* unescaped in the second half, moved to the first */
    size_t size = json_unescape(inner.data, inner.size, text);
    for (size_t i = 0; i < size; i++) {
        char byte = text[i];
        out->data[out->size++] = byte;
        if (byte == 0)
            out->data[out->size++] = (char)0xff;
    }
    out->data[out->size++] = 0;
}

/* False: the encoding ends here. */
static bool put_value(struct buffer *out, const struct json *doc, uint32_t at)
{
    switch (at == JSON_NONE ? JSON_NULL : json_tag(doc, at)) {
    case JSON_FALSE:
        buffer_byte(out, RANK_FALSE);
        return true;
    case JSON_TRUE:
        buffer_byte(out, RANK_TRUE);
        return true;
    case JSON_INTEGER:
    case JSON_NUMBER:
        buffer_byte(out, RANK_NUMBER);
        return put_number(out, doc, at);
    case JSON_STRING:
        buffer_byte(out, RANK_STRING);
        put_string(out, doc, at);
        return true;
    case JSON_ARRAY:
        buffer_byte(out, RANK_ARRAY);
        return false;
    case JSON_OBJECT:
        buffer_byte(out, RANK_OBJECT);
        return false;
    default:
        buffer_byte(out, RANK_NULL);
        return true;
    }
}

void combine_encode_key(const struct key *key, const struct json *doc, struct buffer *out,
                        bool *ret_is_inexact)
{
    bool exact = true;
    for (size_t i = 0; i < key->count && exact; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, 0);
        exact = put_value(out, value.doc, value.at);
    }
    *ret_is_inexact = !exact;
}

void combine_key_text(const struct key *key, const struct json *doc, struct buffer *out)
{
    buffer_byte(out, '[');
    for (size_t i = 0; i < key->count; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, 0);
        struct slice raw = value.at == JSON_NONE ? SLICE_LITERAL("null") : json_raw(value.doc, value.at);
        size_t shown = utf8_cut(raw.data, raw.size, KEY_TEXT_MAX / key->count + 8);
        buffer_printf(out, "%s%.*s%s", i ? "," : "", (int)shown, raw.data, shown < raw.size ? "…" : "");
    }
    buffer_byte(out, ']');
}
