/* The hash of a member's name, shared by the parsers (which may over-read) and json_key_hash (which must
 * not). Two 64-bit halves are folded by one 128-bit multiplication: a few cycles for names up to 16 bytes. */
#ifndef FIRTH_JSON_HASH_H
#define FIRTH_JSON_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_HASH_A 0x9e3779b97f4a7c15ULL
#define JSON_HASH_B 0xd6e8feb86659fd93ULL
#define JSON_HASH_SIZE 0xa0761d6478bd642fULL

static inline uint64_t json_hash_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t json_hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The last step: `head` and `tail` are the name's bytes (at most 8: head alone), `seed` what came before. */
static inline uint32_t json_hash_finish(uint64_t head, uint64_t tail, uint64_t seed)
{
    uint64_t hash = json_hash_fold(head ^ JSON_HASH_A, tail ^ JSON_HASH_B ^ seed);
    return (uint32_t)(hash ^ hash >> 32);
}

/* Names longer than 8 bytes: no over-read is ever needed. */
static inline uint32_t json_hash_long(const char *name, size_t size)
{
    uint64_t seed = size * JSON_HASH_SIZE;
    const char *end = name + size;
    if (size <= 16)
        return json_hash_finish(json_hash_load(name), json_hash_load(end - 8), seed);
    for (; end - name > 16; name += 16)
        seed = json_hash_fold(json_hash_load(name) ^ JSON_HASH_A, json_hash_load(name + 8) ^ seed);
    return json_hash_finish(json_hash_load(end - 16), json_hash_load(end - 8), seed);
}

/* Names of at most 8 bytes where 8 bytes may be read at `name`, whatever follows it. */
static inline uint32_t json_hash_short(const char *name, size_t size)
{
    uint64_t mask = size == 0 ? 0 : UINT64_MAX >> (64 - 8 * size);
    return json_hash_finish(json_hash_load(name) & mask, 0, size * JSON_HASH_SIZE);
}

#endif
