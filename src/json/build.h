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

/* The builder's state. No pointer to it is ever passed on, so that it lives in registers. */
struct json_build {
    struct json_parser *parser;
    const char *source;
    const char *tail;                 /* the copy of the source's last bytes, */
    uint32_t tail_from;               /* which begins here */
    uint32_t open, members, depth;    /* the innermost container, and its members so far */
    struct json_node *nodes, *node;   /* the first, and the next to fill */
    uint32_t *hash;                   /* the next to fill */
    const uint32_t *next, *last_safe; /* index entries; beyond last_safe, refill before taking more */
    const uint32_t *escaped;          /* the next closing quote of a string with escapes */
};

/* What json_fast_refill changes. */
struct json_refilled {
    struct json_node *nodes;
    uint32_t *hashes;
    const uint32_t *next, *last_safe, *escaped;
};

/* Out of line, build.c. */
void json_fast_begin(struct json_parser *parser);
/* Index more until JSON_LOOKAHEAD entries are there or the source ends; make room for their nodes. The
 * builder's place goes in; false: the source ended before, or it is wrong. */
bool json_fast_refill(struct json_parser *parser, json_index_window *index, const uint32_t *next,
                      const uint32_t *escaped, uint32_t nodes, uint32_t hashes,
                      struct json_refilled *ret_refilled);
/* Was `next` the last entry of all? */
bool json_fast_finished(struct json_parser *parser, json_index_window *index, const uint32_t *next);
/* Does the number at `at` (anything else: no) follow the grammar? Gives its end. */
bool json_fast_long_number(const struct json_parser *parser, uint32_t at, uint32_t *ret_end,
                           enum json_tag *ret_tag);
bool json_fast_escapes_valid(const char *inner, const char *end);
uint32_t json_fast_hash_escaped(struct json_parser *parser, uint32_t open, uint32_t close);
bool json_fast_members_check(struct json_parser *parser, uint32_t at, uint32_t members, uint32_t nodes,
                             uint32_t hashes);

/* The bytes at a place, 64 of them readable. */
JSON_INLINE const char *json_near(const struct json_build *build, uint32_t at)
{
    return at < build->tail_from ? build->source + at : build->tail + (at - build->tail_from);
}

JSON_INLINE bool json_build_refill(struct json_build *build, json_index_window *index)
{
    if (__builtin_expect(build->next <= build->last_safe, 1))
        return true;
    struct json_refilled now;
    uint32_t nodes = (uint32_t)(build->node - build->nodes);
    uint32_t hashes = (uint32_t)(build->hash - build->parser->hashes);
    if (!json_fast_refill(build->parser, index, build->next, build->escaped, nodes, hashes, &now))
        return false;
    build->nodes = now.nodes;
    build->node = now.nodes + nodes;
    build->hash = now.hashes + hashes;
    build->next = now.next;
    build->last_safe = now.last_safe;
    build->escaped = now.escaped;
    return true;
}

JSON_INLINE void json_build_put(struct json_build *build, enum json_tag tag, bool escaped, uint32_t offset,
                                uint32_t length, uint32_t link)
{
    uint64_t low = (uint64_t)tag | (uint64_t)escaped << 4 | (uint64_t)offset << 32;
    uint64_t high = (uint64_t)length | (uint64_t)link << 32;
    memcpy(build->node, &low, sizeof low);
    memcpy((char *)build->node + sizeof low, &high, sizeof high);
    build->node++;
}

JSON_INLINE bool json_build_space(const struct json_build *build, uint32_t at)
{
    char byte = *json_near(build, at);
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Does a number or word that ends at `end` really end there? */
JSON_INLINE bool json_build_ends(const struct json_build *build, uint32_t end)
{
    return __builtin_expect(*build->next == end, 1) || json_build_space(build, end);
}

JSON_INLINE bool json_build_word(struct json_build *build, uint32_t at, char first)
{
    const char *here = json_near(build, at);
    uint32_t length = first == 'f' ? 5 : 4;
    enum json_tag tag = first == 'f' ? JSON_FALSE : first == 't' ? JSON_TRUE : JSON_NULL;
    const char *word = first == 'f' ? "alse" : first == 't' ? "true" : "null";
    if (memcmp(here + (first == 'f'), word, 4) != 0 || !json_build_ends(build, at + length))
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
    enum json_tag tag = JSON_INTEGER + (point != 0);
    /* It begins and ends with a digit, and not with a zero and another digit. */
    bool well_formed = (digit & 1) && (digit << 1 >> length & 1) && (here[minus] != '0' || !(digit & 2));
    if (__builtin_expect(!well_formed || length >= 31 || !json_build_ends(build, end), 0)) {
        if (!json_fast_long_number(build->parser, at, &end, &tag) || !json_build_ends(build, end))
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
    return !escaped || json_fast_escapes_valid(build->source + at + 1, build->source + close);
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
        if (!json_fast_escapes_valid(build->source + at + 1, build->source + close))
            return false;
        hash = json_fast_hash_escaped(build->parser, at, close);
    } else {
        hash = json_build_hash(build, at + 1, close - at - 1);
    }
    json_build_put(build, JSON_KEY, escaped, at, close + 1 - at, hash);
    *build->hash++ = hash;
    return build->source[*build->next++] == ':';
}

JSON_INLINE bool json_build_open(struct json_build *build, enum json_tag tag, uint32_t at)
{
    if (build->depth == build->parser->limits.depth_max)
        return false;
    build->depth++;
    if (build->open != JSON_NONE)
        build->nodes[build->open].count = build->members;
    uint32_t parent = build->open;
    build->open = (uint32_t)(build->node - build->nodes);
    build->members = 0;
    json_build_put(build, tag, false, at, 0, parent);
    return true;
}

/* The innermost container ends at `at`; its parent, if any, is the innermost one again. */
JSON_INLINE bool json_build_close(struct json_build *build, bool object, uint32_t at,
                                  json_may_repeat *may_repeat)
{
    struct json_node *node = &build->nodes[build->open];
    uint32_t parent = node->link, members = build->members;
    uint32_t nodes = (uint32_t)(build->node - build->nodes);
    node->count = members;
    node->length = at + 1 - node->offset;
    node->link = nodes;
    if (object) {
        if (members > 1 && __builtin_expect(may_repeat(build->hash - members, members), 0) &&
            !json_fast_members_check(build->parser, build->open, members, nodes,
                                     (uint32_t)(build->hash - build->parser->hashes)))
            return false;
        build->hash -= members;
    }
    build->open = parent;
    build->depth--;
    if (parent != JSON_NONE)
        build->members = build->nodes[parent].count;
    return true;
}

/* Take the next entry: its place, and the byte there. There always is one: behind the last come
 * JSON_LOOKAHEAD times the source's last byte. To take one of those is to be refused, at the next refill or
 * in the end; and it is never the quote of a string, since whatever can come before a string is not one. */
JSON_INLINE char json_build_take(struct json_build *build, uint32_t *ret_at)
{
    *ret_at = *build->next++;
    return build->source[*ret_at];
}

enum json_build_kind { JSON_BUILD_FAILED, JSON_BUILD_SCALAR, JSON_BUILD_ARRAY, JSON_BUILD_OBJECT };

/* A scalar is built; a container is only told. */
JSON_INLINE enum json_build_kind json_build_value(struct json_build *build, uint32_t at, char first,
                                                  json_classify_digits *classify)
{
    if (first == '"')
        return json_build_string(build, at) ? JSON_BUILD_SCALAR : JSON_BUILD_FAILED;
    if (first <= '9')
        return json_build_number(build, at, classify) ? JSON_BUILD_SCALAR : JSON_BUILD_FAILED;
    if (first == '{')
        return JSON_BUILD_OBJECT;
    if (first == '[')
        return JSON_BUILD_ARRAY;
    return json_build_word(build, at, first) ? JSON_BUILD_SCALAR : JSON_BUILD_FAILED;
}

/* One function, because the states lead to one another and what they share stays in registers: each label is
 * a place in the grammar, and so the processor learns what follows each of them apart. */
JSON_INLINE bool json_build_document(struct json_parser *parser, json_index_window *index,
                                     json_classify_digits *classify, json_may_repeat *may_repeat)
{
    if (parser->size == 0)
        return false;
    json_fast_begin(parser);
    struct json_build build = {
        .parser = parser,
        .source = parser->source,
        .tail = parser->fast.tail,
        .tail_from = parser->fast.tail_from,
        .open = JSON_NONE,
        .nodes = parser->nodes,
        .node = parser->nodes,
        .hash = parser->hashes,
        .next = parser->fast.index + 1, /* beyond: the first refill is due */
        .last_safe = parser->fast.index,
        .escaped = parser->fast.escaped,
    };
    uint32_t at;
    if (!json_build_refill(&build, index))
        return false;
    char byte = json_build_take(&build, &at);
    switch (json_build_value(&build, at, byte, classify)) {
    case JSON_BUILD_OBJECT:
        goto object;
    case JSON_BUILD_ARRAY:
        goto array;
    case JSON_BUILD_SCALAR: /* what was taken for the entry behind it is the last byte again */
        if (!json_build_space(&build, at + build.node[-1].length))
            return false;
        goto finish;
    default:
        return false;
    }

object: /* at its brace */
    if (!json_build_open(&build, JSON_OBJECT, at) || !json_build_refill(&build, index))
        return false;
    byte = json_build_take(&build, &at);
    if (byte == '}')
        goto close_object;
member: /* at its name */
    if (byte != '"' || !json_build_key(&build, at))
        return false;
    build.members++;
    byte = json_build_take(&build, &at);
    switch (json_build_value(&build, at, byte, classify)) {
    case JSON_BUILD_OBJECT:
        goto object;
    case JSON_BUILD_ARRAY:
        goto array;
    case JSON_BUILD_SCALAR:
        break;
    default:
        return false;
    }
next_member: /* behind a value */
    if (!json_build_refill(&build, index))
        return false;
    byte = json_build_take(&build, &at);
    if (byte == ',') {
        byte = json_build_take(&build, &at);
        goto member;
    }
    if (byte != '}')
        return false;
close_object:
    if (!json_build_close(&build, true, at, may_repeat))
        return false;
    goto closed;

array: /* at its bracket */
    if (!json_build_open(&build, JSON_ARRAY, at) || !json_build_refill(&build, index))
        return false;
    byte = json_build_take(&build, &at);
    if (byte == ']')
        goto close_array;
element: /* at a value */
    build.members++;
    switch (json_build_value(&build, at, byte, classify)) {
    case JSON_BUILD_OBJECT:
        goto object;
    case JSON_BUILD_ARRAY:
        goto array;
    case JSON_BUILD_SCALAR:
        break;
    default:
        return false;
    }
next_element:
    if (!json_build_refill(&build, index))
        return false;
    byte = json_build_take(&build, &at);
    if (byte == ',') {
        byte = json_build_take(&build, &at);
        goto element;
    }
    if (byte != ']')
        return false;
close_array:
    json_build_close(&build, false, at, may_repeat);

closed:
    if (build.open != JSON_NONE) {
        if (build.nodes[build.open].tag == JSON_OBJECT)
            goto next_member;
        goto next_element;
    }
finish:
    parser->count = (uint32_t)(build.node - build.nodes);
    return json_fast_finished(parser, index, build.next);
}

#endif
