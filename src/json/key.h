/* Composite keys: the values at a list of places in a document, found, compared, hashed and packed.
 *
 * A collection's key, `key` of a reduction, groupBy of a materialization: each is a list of JSON pointers
 * that is compiled once. (The name of an object's member, JSON_KEY, is something else.) A key is immutable
 * and may be shared between threads. Nothing here allocates for scalars, but for escaped strings longer than
 * JSON_HASH_TEXT_MAX. Two keys are the same if each of their values is equal by json_equal: 1 and 1.0 are. */
#ifndef FIRTH_JSON_KEY_H
#define FIRTH_JSON_KEY_H

#include "json/json.h"

struct key_step {
    struct slice name; /* ~0 and ~1 resolved */
    uint32_t hash;     /* json_key_hash */
    uint32_t position; /* in an array; JSON_NONE: the name is no position */
};

/* A value somewhere: `at` JSON_NONE is a location that is not there, and counts as null. */
struct key_value {
    const struct json *doc;
    uint32_t at;
};

struct key_part {
    const char *pointer;
    const struct key_step *steps;
    size_t step_count;
    struct key_value absent; /* what a document without the location has there: the schema's "default" */
};

struct key {
    struct key_part *parts;
    size_t count;
};

enum { KEY_PACKED_INTEGER_MAX = 255 }; /* bytes of the largest integer that a packed key can hold */

/* `pointers` (NULL: none) end with NULL, are valid RFC 6901 pointers, "" among them, and outlive the key, as
 * does the arena. */
struct key key_compile(const char *const *pointers, struct arena *arena);
/* What stands for a part's location where a document lacks it. The value outlives the key. */
void key_set_absent(struct key *key, size_t part, struct key_value value);

/* --- one part ------------------------------------------------------------------------------------- */

/* The value at the part's location in the document at `at`, or JSON_NONE. */
uint32_t key_find(const struct key_part *part, const struct json *doc, uint32_t at);
/* The same with the part's default. */
struct key_value key_value_of(const struct key_part *part, const struct json *doc, uint32_t at);
/* Can a collection's key have this value: a boolean, an integer or a string? */
bool key_value_allowed(const struct json *doc, uint32_t value);

/* --- the whole ------------------------------------------------------------------------------------ */

/* Is each location there, or has a value that stands for it, that a collection's key can have? */
bool key_is_there(const struct key *key, const struct json *doc, uint32_t at);
/* In the order of json_compare, part by part: below, 0 or above 0. */
int key_compare(const struct key *key, const struct json *a, uint32_t a_at, const struct json *b,
                uint32_t b_at);
/* Equal for equal keys. The same in every process of one build, never stored. */
uint64_t key_hash(const struct key *key, const struct json *doc, uint32_t at);

/* --- packed --------------------------------------------------------------------------------------- */

/* Append the key as FoundationDB's tuple layer packs it (key_pack.c has the codes), which is how Flow gives
 * keys and values to connectors. Packed keys of which each part has one type are in the order of their bytes
 * (memcmp, shorter first). Integers are exact at any size, 1.0 is packed as 1; what has a fraction becomes
 * the nearest double, an array or object its compact JSON. Fails (ERROR_LIMIT) for an integer that takes more
 * than KEY_PACKED_INTEGER_MAX bytes; a buffer that is full says so itself. What was appended until then
 * stays. */
int key_pack(const struct key *key, const struct json *doc, uint32_t at, struct buffer *out,
             struct error *err);
/* One value that is no key, JSON_NONE for null. As in a key, but that a number with a fraction or an exponent
 * that is no integer of 64 bits (signed) is a double, and so is -0.0: 1e19 is one, 10000000000000000000 and
 * 1e3 are integers. Where no double is as large it is packed as in a key. */
int key_pack_value(struct key_value value, struct buffer *out, struct error *err);

#endif
