/* The parts of the fast parser that are not hot, and the choice of a variant. */
#include "json/build.h"

void json_fast_begin(struct json_parser *parser)
{
    struct json_fast *fast = &parser->fast;
    fast->carry = (struct json_index_carry){0};
    fast->done = fast->end = fast->escaped_end = 0;
    fast->complete = false;
    /* There is always an index to point beyond, even before the first window. */
    if (!fast->index)
        fast->index = mem_grow(NULL, &fast->index_capacity, JSON_BLOCK, sizeof *fast->index);
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
static void reserve(struct json_parser *parser, uint32_t nodes, uint32_t hashes, uint32_t entries)
{
    if (nodes + entries > parser->capacity)
        parser->nodes = mem_grow(parser->nodes, &parser->capacity, nodes + entries, sizeof *parser->nodes);
    if (hashes + entries > parser->hashes_capacity)
        parser->hashes =
            mem_grow(parser->hashes, &parser->hashes_capacity, hashes + entries, sizeof *parser->hashes);
}

/* Drop what was taken from the index and the list of escaped strings. */
static void keep_the_rest(struct json_fast *fast, const uint32_t *next, const uint32_t *escaped)
{
    if (fast->end == 0)
        return;
    uint32_t taken = (uint32_t)(next - fast->index), passed = (uint32_t)(escaped - fast->escaped);
    fast->end -= taken;
    fast->escaped_end -= passed;
    memmove(fast->index, fast->index + taken, fast->end * sizeof *fast->index);
    memmove(fast->escaped, fast->escaped + passed, fast->escaped_end * sizeof *fast->escaped);
}

/* Index one window more. */
static bool index_more(struct json_parser *parser, json_index_window *index)
{
    struct json_fast *fast = &parser->fast;
    uint32_t rest = parser->size - fast->done, window = rest < JSON_WINDOW ? rest : JSON_WINDOW;
    /* Variants store 64 entries at once, of which only some count. A string with an escape has four bytes. */
    size_t room = (size_t)fast->end + window + JSON_BLOCK + JSON_LOOKAHEAD;
    size_t escaped_room = (size_t)fast->escaped_end + window / 4 + 2;
    if (room > fast->index_capacity)
        fast->index = mem_grow(fast->index, &fast->index_capacity, room, sizeof *fast->index);
    if (escaped_room > fast->escaped_capacity)
        fast->escaped = mem_grow(fast->escaped, &fast->escaped_capacity, escaped_room, sizeof *fast->escaped);
    index(parser, fast, fast->done + window);
    fast->done += window;
    fast->complete = fast->done == parser->size;
    return !fast->carry.wrong && !(fast->complete && (fast->carry.in_string || fast->carry.utf8_due));
}

bool json_fast_refill(struct json_parser *parser, json_index_window *index, const uint32_t *next,
                      const uint32_t *escaped, uint32_t nodes, uint32_t hashes,
                      struct json_refilled *ret_refilled)
{
    struct json_fast *fast = &parser->fast;
    if (fast->complete || nodes > parser->limits.nodes_max)
        return false;
    keep_the_rest(fast, next, escaped);
    do {
        if (!index_more(parser, index))
            return false;
    } while (!fast->complete && fast->end < JSON_LOOKAHEAD);
    fast->escaped[fast->escaped_end] = UINT32_MAX;
    uint32_t safe = fast->end - JSON_LOOKAHEAD;
    if (fast->complete) {
        safe = fast->end;
        for (uint32_t i = 0; i < JSON_LOOKAHEAD; i++)
            fast->index[fast->end + i] = parser->size - 1;
    }
    reserve(parser, nodes, hashes, fast->end + JSON_LOOKAHEAD);
    *ret_refilled = (struct json_refilled){
        .nodes = parser->nodes,
        .hashes = parser->hashes,
        .next = fast->index,
        .last_safe = fast->index + safe,
        .escaped = fast->escaped,
    };
    return true;
}

bool json_fast_finished(struct json_parser *parser, json_index_window *index, const uint32_t *next)
{
    struct json_fast *fast = &parser->fast;
    if (parser->count > parser->limits.nodes_max || next != fast->index + fast->end)
        return false;
    fast->end = fast->escaped_end = 0;
    while (!fast->complete && fast->end == 0) { /* only white space may follow */
        if (!index_more(parser, index))
            return false;
    }
    return fast->end == 0;
}

static uint32_t skip_digits(const struct json_parser *parser, uint32_t at)
{
    while (at < parser->size && parser->source[at] >= '0' && parser->source[at] <= '9')
        at++;
    return at;
}

bool json_fast_long_number(const struct json_parser *parser, uint32_t at, uint32_t *ret_end,
                           enum json_tag *ret_tag)
{
    const char *source = parser->source;
    if (at >= parser->size)
        return false;
    if (source[at] == '-')
        at++;
    uint32_t start = at;
    at = skip_digits(parser, at);
    if (at == start || (source[start] == '0' && at - start > 1))
        return false;
    *ret_tag = JSON_INTEGER;
    if (at < parser->size && source[at] == '.') {
        start = at + 1;
        at = skip_digits(parser, start);
        if (at == start)
            return false;
        *ret_tag = JSON_NUMBER;
    }
    if (at < parser->size && (source[at] | 0x20) == 'e') {
        start = at + 1;
        if (start < parser->size && (source[start] == '+' || source[start] == '-'))
            start++;
        at = skip_digits(parser, start);
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

bool json_fast_escapes_valid(const char *inner, const char *end)
{
    const char *at = inner;
    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        switch (at[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            at += 2;
            break;
        case 'u':
            at = unicode_valid(at, end);
            if (at)
                break;
            return false;
        default:
            return false;
        }
    }
    return true;
}

uint32_t json_fast_hash_escaped(struct json_parser *parser, uint32_t open, uint32_t close)
{
    struct json_node key = {.tag = JSON_KEY, .escaped = 1, .offset = open, .length = close + 1 - open};
    return json_hash_of_name(parser, &key);
}

bool json_fast_members_check(struct json_parser *parser, uint32_t at, uint32_t members, uint32_t nodes,
                             uint32_t hashes)
{
    uint32_t first, again;
    parser->count = nodes;
    parser->hashes_count = hashes;
    return json_members_check(parser, at, members, &first, &again);
}
