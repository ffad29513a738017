/* Members of the same name: found when their object closes, by the hashes of its names.
 *
 * A few members are compared pair by pair. Many go through a hash table; an adversary's names that collide
 * exhaust its budget of probes, and then the keys are sorted, which is n log n whatever they are. */
#include "json/parser.h"

#include <stdlib.h>

/* A key whose member a later one replaces, until json_members_compact removes it. */
enum { TAG_DROPPED = 15 };

enum { PAIRS_MAX = 48, PROBES_PER_MEMBER = 16 };

static bool pairs_repeat(const uint32_t *hashes, uint32_t count)
{
    bool found = false;
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t j = 0; j < i; j++)
            found |= hashes[i] == hashes[j];
    }
    return found;
}

/* A small filter first, exact only if that says maybe. */
bool json_hashes_repeat(const uint32_t *hashes, uint32_t count)
{
    enum { FEW = 6 };
    if (count > PAIRS_MAX)
        return true;
    if (count <= FEW)
        return pairs_repeat(hashes, count);
    uint64_t seen[16] = {0};
    bool maybe = false;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *word = &seen[hashes[i] >> 6 & 15], bit = 1ULL << (hashes[i] & 63);
        maybe |= (*word & bit) != 0;
        *word |= bit;
    }
    return maybe && pairs_repeat(hashes, count);
}

static uint32_t after(const struct json_node *nodes, uint32_t at)
{
    return nodes[at].tag == JSON_ARRAY || nodes[at].tag == JSON_OBJECT ? nodes[at].link : at + 1;
}

static bool same_name(const struct json_parser *parser, uint32_t a, uint32_t b)
{
    const struct json_node *nodes = parser->nodes;
    return nodes[a].link == nodes[b].link &&
           json_text_compare(parser->source, &nodes[a], parser->source, &nodes[b]) == 0;
}

/* The keys of the object, in order, at the start of parser->slots with room for `room` in all. */
static uint32_t *collect_keys(struct json_parser *parser, uint32_t at, uint32_t members, size_t room)
{
    parser->slots = mem_grow(parser->slots, &parser->slots_capacity, room, sizeof *parser->slots);
    uint32_t key = at + 1;
    for (uint32_t i = 0; i < members; i++) {
        parser->slots[i] = key;
        key = after(parser->nodes, key + 1);
    }
    return parser->slots;
}

/* A repetition: `later` has the name of `earlier`. In REFUSE mode remember the first of them. */
struct repetition {
    uint32_t first, again;
};

static void repeated(struct json_parser *parser, struct repetition *found, uint32_t earlier, uint32_t later)
{
    if (parser->duplicates_mode == JSON_DUPLICATES_LAST_WINS) {
        parser->duplicates += parser->nodes[earlier].tag != TAG_DROPPED;
        parser->nodes[earlier].tag = TAG_DROPPED;
    } else if (later < found->again) {
        *found = (struct repetition){.first = earlier, .again = later};
    }
}

static void check_pairs(struct json_parser *parser, uint32_t *keys, uint32_t members,
                        struct repetition *found)
{
    for (uint32_t i = 1; i < members; i++) {
        for (uint32_t j = i; j-- > 0;) {
            if (same_name(parser, keys[i], keys[j])) {
                repeated(parser, found, keys[j], keys[i]);
                break;
            }
        }
    }
}

/* Open addressing over slots behind the keys. False: too many probes, the caller sorts instead; what has been
 * marked till then stays right. */
static bool check_table(struct json_parser *parser, uint32_t *keys, uint32_t members,
                        struct repetition *found)
{
    uint32_t size = 64;
    while (size < members * 2)
        size *= 2;
    uint32_t *table = keys + members;
    memset(table, 0xff, size * sizeof *table);
    uint64_t budget = (uint64_t)members * PROBES_PER_MEMBER;
    for (uint32_t i = 0; i < members; i++) {
        uint32_t slot = parser->nodes[keys[i]].link & (size - 1);
        while (table[slot] != JSON_NONE && !same_name(parser, table[slot], keys[i])) {
            if (budget-- == 0)
                return false;
            slot = (slot + 1) & (size - 1);
        }
        if (table[slot] != JSON_NONE)
            repeated(parser, found, table[slot], keys[i]);
        table[slot] = keys[i];
    }
    return true;
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct json_parser *parser = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const struct json_node *nodes = parser->nodes;
    if (nodes[x].link != nodes[y].link)
        return nodes[x].link < nodes[y].link ? -1 : 1;
    int order = json_text_compare(parser->source, &nodes[x], parser->source, &nodes[y]);
    return order ? order : (x > y) - (x < y);
}

static void check_sorted(struct json_parser *parser, uint32_t *keys, uint32_t members,
                         struct repetition *found)
{
    qsort_r(keys, members, sizeof *keys, compare_names, parser);
    for (uint32_t i = 1; i < members; i++) {
        if (same_name(parser, keys[i - 1], keys[i]))
            repeated(parser, found, keys[i - 1], keys[i]);
    }
}

bool json_members_check(struct json_parser *parser, uint32_t at, uint32_t members, uint32_t *ret_first,
                        uint32_t *ret_again)
{
    const uint32_t *hashes = parser->hashes + parser->hashes_count - members;
    struct repetition found = {.again = JSON_NONE};
    if (members <= PAIRS_MAX) {
        if (!json_hashes_repeat(hashes, members))
            return true;
        check_pairs(parser, collect_keys(parser, at, members, members), members, &found);
    } else {
        uint32_t *keys = collect_keys(parser, at, members, (size_t)members * 5 + 64);
        if (!check_table(parser, keys, members, &found))
            check_sorted(parser, collect_keys(parser, at, members, members), members, &found);
    }
    if (found.again == JSON_NONE)
        return true;
    *ret_first = found.first;
    *ret_again = found.again;
    return false;
}

void json_members_compact(struct json_parser *parser)
{
    struct json_node *nodes = parser->nodes;
    uint32_t out = 0, depth = 0;
    /* slots: new indices of the open containers, whose link is still the old index of their end. */
    for (uint32_t at = 0;; out++) {
        while (depth && nodes[parser->slots[depth - 1]].link == at)
            nodes[parser->slots[--depth]].link = out;
        while (at < parser->count && nodes[at].tag == TAG_DROPPED) {
            at = after(nodes, at + 1);
            nodes[parser->slots[depth - 1]].count--;
        }
        if (at == parser->count)
            break;
        nodes[out] = nodes[at];
        if (nodes[out].tag == JSON_ARRAY || nodes[out].tag == JSON_OBJECT) {
            parser->slots =
                mem_grow(parser->slots, &parser->slots_capacity, depth + 1, sizeof *parser->slots);
            parser->slots[depth++] = out;
        }
        at++;
    }
    parser->count = out;
}
