/* The parts of the fast parser that are not hot, and the choice of a variant. */
#include "json/build.h"

void json_fast_begin(struct json_parser *parser)
{
    struct json_fast *fast = &parser->fast;
    fast->carry = (struct json_index_carry){0};
    fast->done = fast->next = fast->end = fast->escaped_end = 0;
    fast->complete = false;
    /* The tail's second half always is spaces. */
    if (parser->size >= 2 * JSON_BLOCK) {
        fast->tail_from = parser->size - 2 * JSON_BLOCK;
        memcpy(fast->tail, parser->source + fast->tail_from, 2 * JSON_BLOCK);
    } else {
        fast->tail_from = 0;
        memset(fast->tail, ' ', 2 * JSON_BLOCK);
        if (parser->size)
            memcpy(fast->tail, parser->source, parser->size);
    }
}

/* Room for the nodes and hashes of every entry that is there. */
static void reserve(struct json_build *build, uint32_t entries)
{
    struct json_parser *parser = build->parser;
    if (build->count + entries > parser->capacity)
        parser->nodes =
            mem_grow(parser->nodes, &parser->capacity, build->count + entries, sizeof *parser->nodes);
    if (build->hashes_count + entries > parser->hashes_capacity)
        parser->hashes = mem_grow(parser->hashes, &parser->hashes_capacity, build->hashes_count + entries,
                                  sizeof *parser->hashes);
    build->nodes = parser->nodes;
    build->hashes = parser->hashes;
}

/* Drop what was taken from the index and the list of escaped strings. */
static void keep_the_rest(struct json_build *build)
{
    struct json_fast *fast = build->fast;
    if (fast->end == 0)
        return;
    fast->next = (uint32_t)(build->next - fast->index);
    uint32_t passed = (uint32_t)(build->escaped - fast->escaped);
    fast->end -= fast->next;
    fast->escaped_end -= passed;
    memmove(fast->index, fast->index + fast->next, fast->end * sizeof *fast->index);
    memmove(fast->escaped, fast->escaped + passed, fast->escaped_end * sizeof *fast->escaped);
    fast->next = 0;
}

bool json_fast_refill(struct json_build *build, json_index_window *index)
{
    struct json_fast *fast = build->fast;
    struct json_parser *parser = build->parser;
    if (build->count > parser->limits.nodes_max)
        return false;
    keep_the_rest(build);
    do {
        uint32_t window = build->size - fast->done < JSON_WINDOW ? build->size - fast->done : JSON_WINDOW;
        /* Variants store 64 entries at once, of which only some count. */
        size_t room = fast->end + window + JSON_LOOKAHEAD + JSON_BLOCK;
        if (room > fast->index_capacity)
            fast->index = mem_grow(fast->index, &fast->index_capacity, room, sizeof *fast->index);
        if (fast->escaped_end + window / 4 + 2 > fast->escaped_capacity)
            fast->escaped = mem_grow(fast->escaped, &fast->escaped_capacity,
                                     fast->escaped_end + window / 4 + 2, sizeof *fast->escaped);
        index(parser, fast, fast->done + window);
        fast->done += window;
        fast->complete = fast->done == build->size;
        if (fast->carry.wrong || (fast->complete && (fast->carry.in_string || fast->carry.utf8_due)))
            return false;
    } while (!fast->complete && fast->end < JSON_LOOKAHEAD);
    fast->escaped[fast->escaped_end] = UINT32_MAX;
    reserve(build, fast->end);
    build->next = fast->index;
    build->escaped = fast->escaped;
    build->last_safe = fast->index + fast->end - JSON_LOOKAHEAD;
    if (fast->complete) { /* the builder stops at the first of these, whatever it expects */
        for (uint32_t i = 0; i < JSON_LOOKAHEAD; i++)
            fast->index[fast->end + i] = build->size;
        build->last_safe = fast->index + fast->index_capacity;
    }
    return true;
}

static uint32_t skip_digits(const struct json_build *build, uint32_t at)
{
    while (at < build->size && build->source[at] >= '0' && build->source[at] <= '9')
        at++;
    return at;
}

bool json_fast_long_number(const struct json_build *build, uint32_t at, uint32_t *ret_end,
                           enum json_tag *ret_tag)
{
    const char *source = build->source;
    if (at >= build->size)
        return false;
    if (source[at] == '-')
        at++;
    uint32_t start = at;
    at = skip_digits(build, at);
    if (at == start || (source[start] == '0' && at - start > 1))
        return false;
    *ret_tag = JSON_INTEGER;
    if (at < build->size && source[at] == '.') {
        start = at + 1;
        at = skip_digits(build, start);
        if (at == start)
            return false;
        *ret_tag = JSON_NUMBER;
    }
    if (at < build->size && (source[at] | 0x20) == 'e') {
        start = at + 1;
        if (start < build->size && (source[start] == '+' || source[start] == '-'))
            start++;
        at = skip_digits(build, start);
        if (at == start)
            return false;
        *ret_tag = JSON_NUMBER;
    }
    *ret_end = at;
    return true;
}

/* The value of four hexadecimal digits, more than 0xffff if they are not. */
static uint32_t hex4(const char *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char byte = (unsigned char)digits[i], letter = (unsigned char)((byte | 0x20) - 'a');
        unsigned char digit = (unsigned char)(byte - '0');
        if (digit > 9 && letter > 5)
            return UINT32_MAX;
        value = value << 4 | (digit <= 9 ? digit : letter + 10U);
    }
    return value;
}

/* A \u escape at `at`, or a pair of them; NULL if it is wrong. */
static const char *unicode_valid(const char *at, const char *end)
{
    if (end - at < 6)
        return NULL;
    uint32_t code = hex4(at + 2);
    if (code > 0xffff || (code >= 0xdc00 && code < 0xe000))
        return NULL;
    if (code < 0xd800 || code >= 0xdc00)
        return at + 6;
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return NULL;
    code = hex4(at + 8);
    return code >= 0xdc00 && code < 0xe000 ? at + 12 : NULL;
}

bool json_fast_escapes_valid(const struct json_build *build, uint32_t open, uint32_t close)
{
    const char *at = build->source + open + 1, *end = build->source + close;
    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        if (at[1] == 'u') {
            at = unicode_valid(at, end);
            if (!at)
                return false;
        } else if (at[1] != 0 && strchr("\"\\/bfnrt", at[1])) {
            at += 2;
        } else {
            return false;
        }
    }
    return true;
}

uint32_t json_fast_hash_escaped(struct json_build *build, uint32_t open, uint32_t close)
{
    struct json_node key = {.tag = JSON_KEY, .escaped = 1, .offset = open, .length = close + 1 - open};
    return json_hash_of_name(build->parser, &key);
}

bool json_fast_members_check(struct json_build *build)
{
    struct json_parser *parser = build->parser;
    uint32_t first, again;
    parser->count = build->count;
    parser->hashes_count = build->hashes_count;
    return json_members_check(parser, build->open, build->members, &first, &again);
}
