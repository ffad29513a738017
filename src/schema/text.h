/* Comparing and hashing short texts where a call would cost more than the work. Private to the room. */
#ifndef FIRTH_SCHEMA_TEXT_H
#define FIRTH_SCHEMA_TEXT_H

#include "json/hash.h"

#include <stdbool.h>

/* memcmp(a, b, size) == 0 */
static inline bool text_same(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    uint32_t u, v;
    if (size >= 8) {
        for (; size > 8; a += 8, b += 8, size -= 8) {
            memcpy(&x, a, 8);
            memcpy(&y, b, 8);
            if (x != y)
                return false;
        }
        memcpy(&x, a + size - 8, 8); /* overlaps with what is compared already */
        memcpy(&y, b + size - 8, 8);
        return x == y;
    }
    if (size >= 4) {
        uint32_t w, z;
        memcpy(&u, a, 4);
        memcpy(&v, b, 4);
        memcpy(&w, a + size - 4, 4);
        memcpy(&z, b + size - 4, 4);
        return u == v && w == z;
    }
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

/* The text in 64 bits; no byte beyond it is read. */
static inline uint64_t text_hash(const char *text, size_t size)
{
    uint64_t seed = size * JSON_HASH_SIZE, head = 0, tail = 0;
    const char *end = text + size;
    if (size >= 8) {
        for (; end - text > 16; text += 16)
            seed = json_hash_fold(json_hash_load(text) ^ JSON_HASH_A, json_hash_load(text + 8) ^ seed);
        size_t rest = (size_t)(end - text);
        head = json_hash_load(rest >= 8 ? text : end - 8);
        tail = json_hash_load(end - 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, end - 4, 4);
        head = first | (uint64_t)last << 32;
    } else if (size > 0) {
        head = (unsigned char)text[0] | (uint64_t)(unsigned char)text[size / 2] << 8 |
               (uint64_t)(unsigned char)end[-1] << 16;
    }
    return json_hash_fold(head ^ JSON_HASH_A, tail ^ JSON_HASH_B ^ seed);
}

#endif
