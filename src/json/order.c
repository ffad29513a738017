/* Values of documents in order, and their hash. */
#include "json/hash.h"
#include "json/number.h"
#include "json/parser.h"

#include <stdlib.h>

enum {
    INTEGER_SIZE_FAST = 18, /* bytes of an integer that surely fits 64 bits */
    KEYS_ON_STACK = 64
};

/* --- order ---------------------------------------------------------------------------------------- */

/* null < false < true < numbers < strings < arrays < objects. */
static unsigned rank_of(const struct json *doc, uint32_t at)
{
    static const uint8_t ranks[JSON_TAG_MAX] = {
        [JSON_NULL] = 0,   [JSON_FALSE] = 1, [JSON_TRUE] = 2,  [JSON_INTEGER] = 3, [JSON_NUMBER] = 3,
        [JSON_STRING] = 4, [JSON_KEY] = 4,   [JSON_ARRAY] = 5, [JSON_OBJECT] = 6,
    };
    return at == JSON_NONE ? 0 : ranks[json_tag(doc, at)];
}

/* Integers as they are written: no zero in front, so the longer one has the larger magnitude. "-0" is not
 * for this. */
static int compare_integers(struct slice a, struct slice b)
{
    bool negative = a.data[0] == '-';
    if (negative != (b.data[0] == '-'))
        return negative ? -1 : 1;
    int order = a.size != b.size ? (a.size < b.size ? -1 : 1) : memcmp(a.data, b.data, a.size);
    return negative ? -order : order;
}

static int compare_numbers(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    struct slice x = json_raw(a, a_at), y = json_raw(b, b_at);
    if (json_tag(a, a_at) == JSON_INTEGER && json_tag(b, b_at) == JSON_INTEGER && !slice_is(x, "-0") &&
        !slice_is(y, "-0"))
        return compare_integers(x, y);
    return number_compare(x, y);
}

static int compare_arrays(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    uint32_t x = json_first(a, a_at), y = json_first(b, b_at);
    for (; x != JSON_NONE && y != JSON_NONE; x = json_next(a, a_at, x), y = json_next(b, b_at, y)) {
        int order = json_compare(a, x, b, y);
        if (order != 0)
            return order;
    }
    return (x != JSON_NONE) - (y != JSON_NONE);
}

static int by_name(const void *left, const void *right, void *context)
{
    const struct json *doc = context;
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    return json_text_compare(doc->source, &doc->nodes[x], doc->source, &doc->nodes[y]);
}

static void sorted_keys(const struct json *doc, uint32_t object, uint32_t *keys)
{
    uint32_t count = 0;
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE; key = json_next_key(doc, object, key))
        keys[count++] = key;
    qsort_r(keys, count, sizeof *keys, by_name, (void *)(uintptr_t)doc);
}

/* Member by member in the order of their names: the name first, then the value. */
static int compare_objects(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    uint32_t room[KEYS_ON_STACK], x_count = json_count(a, a_at), y_count = json_count(b, b_at);
    size_t total = (size_t)x_count + y_count;
    auto_free uint32_t *heap = total > KEYS_ON_STACK ? mem_alloc(total * sizeof *heap) : NULL;
    uint32_t *x = heap ? heap : room, *y = x + x_count;
    sorted_keys(a, a_at, x);
    sorted_keys(b, b_at, y);
    for (uint32_t i = 0; i < x_count && i < y_count; i++) {
        int order = json_text_compare(a->source, &a->nodes[x[i]], b->source, &b->nodes[y[i]]);
        if (order == 0)
            order = json_compare(a, json_value(x[i]), b, json_value(y[i]));
        if (order != 0)
            return order;
    }
    return (x_count > y_count) - (x_count < y_count);
}

int json_compare(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    unsigned rank = rank_of(a, a_at), other = rank_of(b, b_at);
    if (rank != other)
        return rank < other ? -1 : 1;
    switch (rank) {
    case 3:
        return compare_numbers(a, a_at, b, b_at);
    case 4:
        return json_text_compare(a->source, &a->nodes[a_at], b->source, &b->nodes[b_at]);
    case 5:
        return compare_arrays(a, a_at, b, b_at);
    case 6:
        return compare_objects(a, a_at, b, b_at);
    default:
        return 0;
    }
}

/* --- hash ----------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    return json_hash_fold(a ^ JSON_HASH_A, b ^ JSON_HASH_B);
}

static uint64_t text_hash(const char *text, size_t size)
{
    uint64_t head = 0, tail = 0, seed = size * JSON_HASH_SIZE;
    const char *end = text + size;
    for (; end - text > 16; text += 16)
        seed = json_hash_fold(json_hash_load(text) ^ JSON_HASH_A, json_hash_load(text + 8) ^ seed);
    size_t rest = (size_t)(end - text);
    memcpy(&head, text, rest < 8 ? rest : 8);
    if (rest > 8)
        memcpy(&tail, text + 8, rest - 8);
    return mix(head ^ seed, tail ^ seed << 1);
}

static uint64_t string_hash(const struct json *doc, uint32_t at)
{
    struct slice inner = json_inner(doc, at);
    if (!json_escaped(doc, at))
        return text_hash(inner.data, inner.size);
    char room[JSON_HASH_TEXT_MAX];
    auto_free char *heap = inner.size > sizeof room ? mem_alloc(inner.size) : NULL;
    char *text = heap ? heap : room;
    return text_hash(text, json_unescape(inner.data, inner.size, text));
}

/* 7, 7.0 and 70e-1 are one value: what is an integer of 64 bits is hashed as that. */
static uint64_t hash_of_number(const struct json *doc, uint32_t at)
{
    struct slice text = json_raw(doc, at);
    int64_t value = 0;
    if (json_tag(doc, at) == JSON_INTEGER && text.size <= INTEGER_SIZE_FAST) {
        bool negative = text.data[0] == '-';
        for (size_t i = negative; i < text.size; i++)
            value = value * 10 + (text.data[i] - '0');
        return mix((uint64_t)(negative ? -value : value), JSON_INTEGER);
    }
    if (number_to_i64(text, &value))
        return mix((uint64_t)value, JSON_INTEGER);
    return number_hash(text, JSON_NUMBER);
}

uint64_t json_hash(const struct json *doc, uint32_t at)
{
    enum json_tag tag = at == JSON_NONE ? JSON_NULL : json_tag(doc, at);
    uint64_t hash = tag;
    switch (tag) {
    case JSON_INTEGER:
    case JSON_NUMBER:
        return hash_of_number(doc, at);
    case JSON_STRING:
    case JSON_KEY:
        return mix(JSON_STRING, string_hash(doc, at));
    case JSON_ARRAY:
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
            hash = mix(hash + 1, json_hash(doc, e));
        return hash;
    case JSON_OBJECT: /* a sum: the order of members does not matter */
        for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k))
            hash += mix(json_hash_of_key(doc, k), json_hash(doc, json_value(k)));
        return mix(hash, tag);
    default:
        return mix(tag, tag);
    }
}
