/* The builder: from the index to nodes; private to this folder.
 *
 * Written once, inlined into each SIMD variant. It looks only at the bytes that the index names, at numbers
 * and at names; strings' insides were dealt with by the indexer, but for their escapes. */
#ifndef FIRTH_JSON_BUILD_H
#define FIRTH_JSON_BUILD_H

#include "json/fast.h"
#include "json/hash.h"
#include "json/parser.h"

/* What a variant provides. */
typedef void json_index_window(struct json_parser *parser, struct json_fast *fast, uint32_t to);
/* Masks over the 32 bytes at the place: digits, and points. */
struct json_digits {
    uint32_t digit, point;
};
typedef struct json_digits json_classify_digits(const char *at);
/* May some of the hashes be equal? count >= 2. */
typedef bool json_may_repeat(const uint32_t *hashes, uint32_t count);

struct json_build {
    struct json_parser *parser;
    struct json_fast *fast;
    const char *source;
    uint32_t size, tail_from;
    struct json_node *nodes;
    uint32_t count;
    uint32_t *hashes;
    uint32_t hashes_count;
    const uint32_t *next, *last_safe; /* beyond last_safe, refill before taking more */
    const uint32_t *escaped;
    uint32_t open, members, depth; /* the innermost container, and its members so far */
};

/* Out of line, build.c. */
void json_fast_begin(struct json_parser *parser);
/* Index more until JSON_LOOKAHEAD entries are there or the source ends; room for their nodes. */
bool json_fast_refill(struct json_build *build, json_index_window *index);
/* Does the number at `at` (anything else: no) follow the grammar? Gives its end. */
bool json_fast_long_number(const struct json_build *build, uint32_t at, uint32_t *ret_end,
                           enum json_tag *ret_tag);
bool json_fast_escapes_valid(const struct json_build *build, uint32_t open, uint32_t close);
uint32_t json_fast_hash_escaped(struct json_build *build, uint32_t open, uint32_t close);
bool json_fast_members_check(struct json_build *build);

/* The byte at an index entry, from where 64 bytes may be read. */
JSON_INLINE const char *json_near(const struct json_build *build, uint32_t at)
{
    return at < build->tail_from ? build->source + at : build->fast->tail + (at - build->tail_from);
}

JSON_INLINE void json_build_put(struct json_build *build, enum json_tag tag, bool escaped, uint32_t offset,
                                uint32_t length, uint32_t link)
{
    struct json_node *node = &build->nodes[build->count++];
    uint64_t low = (uint64_t)tag | (uint64_t)escaped << 4 | (uint64_t)offset << 32;
    uint64_t high = (uint64_t)length | (uint64_t)link << 32;
    memcpy(node, &low, sizeof low);
    memcpy((char *)node + sizeof low, &high, sizeof high);
}

/* Does a number or word that ends at `end` really end there? */
JSON_INLINE bool json_build_ends(const struct json_build *build, uint32_t end)
{
    if (__builtin_expect(*build->next == end, 1))
        return true;
    char byte = *json_near(build, end);
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

JSON_INLINE bool json_build_word(struct json_build *build, uint32_t at, const char *word, uint32_t length,
                                 enum json_tag tag)
{
    if (memcmp(json_near(build, at), word, length) != 0 || !json_build_ends(build, at + length))
        return false;
    json_build_put(build, tag, false, at, length, 0);
    return true;
}

JSON_INLINE bool json_build_number(struct json_build *build, uint32_t at, json_classify_digits *classify)
{
    const char *here = json_near(build, at);
    struct json_digits found = classify(here);
    uint32_t minus = *here == '-';
    uint64_t digit = found.digit >> minus, point = found.point >> minus;
    /* A point counts where the first run of digits ends. */
    point &= ~digit & (digit + 1);
    uint64_t number = digit | point;
    uint32_t length = (uint32_t)__builtin_ctzll(~number);
    uint32_t end = at + minus + length;
    enum json_tag tag = point ? JSON_NUMBER : JSON_INTEGER;
    bool leading_zero = here[minus] == '0' && (digit & 2);
    bool well_formed = (digit & 1) && (digit >> (length - (length > 0)) & 1) && !leading_zero;
    if (__builtin_expect(!well_formed || length + minus >= 32 || !json_build_ends(build, end), 0)) {
        if (!json_fast_long_number(build, at, &end, &tag) || !json_build_ends(build, end))
            return false;
    }
    json_build_put(build, tag, false, at, end - at, 0);
    return true;
}

/* Is the string that closes at `close` listed as having escapes? */
JSON_INLINE bool json_build_is_escaped(struct json_build *build, uint32_t close)
{
    bool escaped = *build->escaped == close;
    build->escaped += escaped;
    return escaped;
}

JSON_INLINE bool json_build_string(struct json_build *build, uint32_t at)
{
    uint32_t close = *build->next++;
    bool escaped = json_build_is_escaped(build, close);
    json_build_put(build, JSON_STRING, escaped, at, close + 1 - at, 0);
    return !escaped || json_fast_escapes_valid(build, at, close);
}

JSON_INLINE uint32_t json_build_hash(struct json_build *build, uint32_t at, uint32_t size)
{
    if (__builtin_expect(size > 16, 0))
        return json_hash_long(build->source + at, size);
    const char *name = json_near(build, at);
    uint64_t head = json_hash_load(name), tail = 0;
    if (size <= 8)
        head &= size ? UINT64_MAX >> (64 - 8 * size) : 0;
    else
        tail = json_hash_load(name + size - 8);
    return json_hash_finish(head, tail, size * JSON_HASH_SIZE);
}

/* A name and its colon; `at` is its opening quote. */
JSON_INLINE bool json_build_key(struct json_build *build, uint32_t at)
{
    uint32_t close = *build->next++, hash;
    bool escaped = json_build_is_escaped(build, close);
    if (__builtin_expect(escaped, 0)) {
        if (!json_fast_escapes_valid(build, at, close))
            return false;
        hash = json_fast_hash_escaped(build, at, close);
    } else {
        hash = json_build_hash(build, at + 1, close - at - 1);
    }
    json_build_put(build, JSON_KEY, escaped, at, close + 1 - at, hash);
    build->hashes[build->hashes_count++] = hash;
    return *json_near(build, *build->next++) == ':';
}

JSON_INLINE bool json_build_open(struct json_build *build, enum json_tag tag, uint32_t at)
{
    if (build->depth == build->parser->limits.depth_max)
        return false;
    build->depth++;
    if (build->open != JSON_NONE)
        build->nodes[build->open].count = build->members;
    uint32_t parent = build->open;
    build->open = build->count;
    build->members = 0;
    json_build_put(build, tag, false, at, 0, parent);
    return true;
}

JSON_INLINE bool json_build_close(struct json_build *build, uint32_t at, json_may_repeat *may_repeat)
{
    struct json_node *node = &build->nodes[build->open];
    uint32_t parent = node->link;
    node->count = build->members;
    node->length = at + 1 - node->offset;
    node->link = build->count;
    if (node->tag == JSON_OBJECT) {
        if (build->members > 1 &&
            may_repeat(build->hashes + build->hashes_count - build->members, build->members) &&
            !json_fast_members_check(build))
            return false;
        build->hashes_count -= build->members;
    }
    build->open = parent;
    build->depth--;
    if (parent != JSON_NONE)
        build->members = build->nodes[parent].count;
    return true;
}

/* A value that is no container. */
JSON_INLINE bool json_build_scalar(struct json_build *build, uint32_t at, char first,
                                   json_classify_digits *classify)
{
    switch (first) {
    case '"':
        return json_build_string(build, at);
    case 't':
        return json_build_word(build, at, "true", 4, JSON_TRUE);
    case 'f':
        return json_build_word(build, at, "false", 5, JSON_FALSE);
    case 'n':
        return json_build_word(build, at, "null", 4, JSON_NULL);
    default:
        return json_build_number(build, at, classify);
    }
}

JSON_INLINE bool json_build_document(struct json_parser *parser, json_index_window *index,
                                     json_classify_digits *classify, json_may_repeat *may_repeat)
{
    json_fast_begin(parser);
    struct json_build build = {
        .parser = parser,
        .fast = &parser->fast,
        .source = parser->source,
        .size = parser->size,
        .tail_from = parser->fast.tail_from,
        .open = JSON_NONE,
    };
    uint32_t at;
    char byte;
    if (!json_fast_refill(&build, index))
        return false;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == '{')
        goto object;
    if (byte == '[')
        goto array;
    if (!json_build_scalar(&build, at, byte, classify))
        return false;
    goto finish;

object: /* behind its brace */
    if (!json_build_open(&build, JSON_OBJECT, at))
        return false;
    if (build.next > build.last_safe && !json_fast_refill(&build, index))
        return false;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == '}')
        goto close;
member: /* at its name */
    if (byte != '"' || !json_build_key(&build, at))
        return false;
    build.members++;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == '{')
        goto object;
    if (byte == '[')
        goto array;
    if (!json_build_scalar(&build, at, byte, classify))
        return false;
next_member: /* behind a value */
    if (build.next > build.last_safe && !json_fast_refill(&build, index))
        return false;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == ',') {
        at = *build.next++;
        byte = *json_near(&build, at);
        goto member;
    }
    if (byte == '}')
        goto close;
    return false;

array: /* behind its bracket */
    if (!json_build_open(&build, JSON_ARRAY, at))
        return false;
    if (build.next > build.last_safe && !json_fast_refill(&build, index))
        return false;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == ']')
        goto close;
element: /* at a value */
    build.members++;
    if (byte == '{')
        goto object;
    if (byte == '[')
        goto array;
    if (!json_build_scalar(&build, at, byte, classify))
        return false;
next_element:
    if (build.next > build.last_safe && !json_fast_refill(&build, index))
        return false;
    at = *build.next++;
    byte = *json_near(&build, at);
    if (byte == ',') {
        at = *build.next++;
        byte = *json_near(&build, at);
        goto element;
    }
    if (byte != ']')
        return false;

close:
    if (!json_build_close(&build, at, may_repeat))
        return false;
    if (build.open == JSON_NONE)
        goto finish;
    if (build.nodes[build.open].tag == JSON_OBJECT)
        goto next_member;
    goto next_element;

finish: /* nothing may follow, in what is not indexed yet neither */
    if (build.next > build.last_safe && !json_fast_refill(&build, index))
        return false;
    parser->count = build.count;
    parser->hashes_count = 0;
    return *build.next == build.size && build.count <= parser->limits.nodes_max;
}

#endif
