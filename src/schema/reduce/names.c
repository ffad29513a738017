/* Finding members of one document's object by the names of another's. */
#include "schema/reduce/reducer.h"

enum { SEARCHED_MAX = 12 }; /* up to so many members are searched one by one */

struct names names_open(struct reducer *r, const struct json *doc, uint32_t object)
{
    uint32_t count = json_count(doc, object);
    struct names names = {.doc = doc, .object = object, .expected = json_first_key(doc, object)};
    if (count <= SEARCHED_MAX)
        return names;
    uint32_t size = 32;
    while (size < 2 * count)
        size *= 2;
    names.mask = size - 1;
    names.table = reduce_push(r, size);
    uint32_t *table = r->stack + names.table;
    memset(table, 0, size * sizeof *table);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        uint32_t at = json_hash_of_key(doc, key) & names.mask;
        while (table[at])
            at = (at + 1) & names.mask;
        table[at] = key;
    }
    return names;
}

static bool is_same(const struct names *names, uint32_t key, const struct json *other, uint32_t other_key)
{
    return json_hash_of_key(names->doc, key) == json_hash_of_key(other, other_key) &&
           json_compare(names->doc, key, other, other_key) == 0;
}

static uint32_t search(const struct reducer *r, const struct names *names, const struct json *other,
                       uint32_t key)
{
    if (names->mask) {
        const uint32_t *table = r->stack + names->table;
        for (uint32_t at = json_hash_of_key(other, key) & names->mask; table[at];
             at = (at + 1) & names->mask) {
            if (is_same(names, table[at], other, key))
                return table[at];
        }
        return JSON_NONE;
    }
    for (uint32_t mine = json_first_key(names->doc, names->object); mine != JSON_NONE;
         mine = json_next_key(names->doc, names->object, mine)) {
        if (is_same(names, mine, other, key))
            return mine;
    }
    return JSON_NONE;
}

uint32_t names_find(struct reducer *r, struct names *names, const struct json *other, uint32_t key)
{
    uint32_t found = names->expected;
    if (found == JSON_NONE || !is_same(names, found, other, key))
        found = search(r, names, other, key);
    if (found != JSON_NONE)
        names->expected = json_next_key(names->doc, names->object, found);
    return found;
}
