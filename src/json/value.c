/* Values of a document: numbers to C types, equality. */
#include "json/number.h"
#include "json/parser.h"

#include <stdlib.h>

bool json_to_i64(const struct json *doc, uint32_t at, int64_t *ret_value)
{
    return json_is_number(doc, at) && number_to_i64(json_raw(doc, at), ret_value);
}

bool json_to_u64(const struct json *doc, uint32_t at, uint64_t *ret_value)
{
    return json_is_number(doc, at) && number_to_u64(json_raw(doc, at), ret_value);
}

bool json_to_double(const struct json *doc, uint32_t at, double *ret_value)
{
    return json_is_number(doc, at) && number_to_double(json_raw(doc, at), ret_value);
}

static bool names_equal(const struct json *a, uint32_t a_key, const struct json *b, uint32_t b_key)
{
    return json_hash_of_key(a, a_key) == json_hash_of_key(b, b_key) &&
           json_text_compare(a->source, &a->nodes[a_key], b->source, &b->nodes[b_key]) == 0;
}

static bool arrays_equal(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    uint32_t x = json_first(a, a_at), y = json_first(b, b_at);
    for (; x != JSON_NONE; x = json_next(a, a_at, x), y = json_next(b, b_at, y)) {
        if (!json_equal(a, x, b, y))
            return false;
    }
    return true;
}

static int by_name(const void *left, const void *right, void *context)
{
    const struct json *doc = context;
    uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
    uint32_t x_hash = json_hash_of_key(doc, x), y_hash = json_hash_of_key(doc, y);
    if (x_hash != y_hash)
        return x_hash < y_hash ? -1 : 1;
    return json_text_compare(doc->source, &doc->nodes[x], doc->source, &doc->nodes[y]);
}

static void sorted_keys(const struct json *doc, uint32_t object, uint32_t *keys)
{
    uint32_t count = 0;
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE; key = json_next_key(doc, object, key))
        keys[count++] = key;
    qsort_r(keys, count, sizeof *keys, by_name, (void *)(uintptr_t)doc);
}

/* Objects whose members stand in different orders: sort the names of both. */
static bool unordered_equal(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    uint32_t count = json_count(a, a_at);
    auto_free uint32_t *keys = mem_alloc(2 * (size_t)count * sizeof *keys);
    sorted_keys(a, a_at, keys);
    sorted_keys(b, b_at, keys + count);
    for (uint32_t i = 0; i < count; i++) {
        if (!names_equal(a, keys[i], b, keys[count + i]))
            return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!json_equal(a, json_value(keys[i]), b, json_value(keys[count + i])))
            return false;
    }
    return true;
}

static bool objects_equal(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    uint32_t x = json_first_key(a, a_at), y = json_first_key(b, b_at);
    for (; x != JSON_NONE; x = json_next_key(a, a_at, x), y = json_next_key(b, b_at, y)) {
        if (!names_equal(a, x, b, y))
            return unordered_equal(a, a_at, b, b_at);
        if (!json_equal(a, json_value(x), b, json_value(y)))
            return false;
    }
    return true;
}

bool json_equal(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    if (a_at == JSON_NONE || b_at == JSON_NONE)
        return a_at == b_at;
    if (json_is_number(a, a_at) && json_is_number(b, b_at)) {
        struct slice x = json_raw(a, a_at), y = json_raw(b, b_at);
        return slice_equal(x, y) || number_compare(x, y) == 0;
    }
    enum json_tag tag = json_tag(a, a_at);
    if (tag != json_tag(b, b_at) || json_count(a, a_at) != json_count(b, b_at))
        return false;
    switch (tag) {
    case JSON_STRING:
    case JSON_KEY:
        return json_text_compare(a->source, &a->nodes[a_at], b->source, &b->nodes[b_at]) == 0;
    case JSON_ARRAY:
        return arrays_equal(a, a_at, b, b_at);
    case JSON_OBJECT:
        return objects_equal(a, a_at, b, b_at);
    default:
        return true;
    }
}
