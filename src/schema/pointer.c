/* JSON pointers into schema documents, with tables for large containers. */
#include "schema/registry.h"

enum { LARGE = 16 }; /* children from which on a table pays */

/* The children of a container: an array's elements by position, an object's keys by hash (0 free). */
struct child_table {
    uint32_t mask;
    uint32_t nodes[];
};

static struct child_table *make_table(struct document *document, uint32_t container)
{
    const struct json *json = &document->json;
    uint32_t count = json_count(json, container), size = LARGE;
    while (size < 2 * count)
        size *= 2;
    struct child_table *table = arena_zalloc(&document->arena, sizeof *table + size * sizeof(uint32_t));
    table->mask = size - 1;
    if (json_is(json, container, JSON_ARRAY)) {
        uint32_t position = 0;
        for (uint32_t e = json_first(json, container); e != JSON_NONE; e = json_next(json, container, e))
            table->nodes[position++] = e;
        return table;
    }
    for (uint32_t k = json_first_key(json, container); k != JSON_NONE;
         k = json_next_key(json, container, k)) {
        uint32_t slot = json_hash_of_key(json, k) & table->mask;
        while (table->nodes[slot])
            slot = (slot + 1) & table->mask;
        table->nodes[slot] = k;
    }
    return table;
}

static const struct child_table *table_of(struct document *document, uint32_t container)
{
    struct slice key = {(const char *)&container, sizeof container};
    struct child_table *table = map_get(&document->tables, key);
    if (!table) {
        table = make_table(document, container);
        map_set(&document->tables, key, table);
    }
    return table;
}

static bool to_position(struct slice token, uint32_t count, uint32_t *ret_position)
{
    uint64_t position = 0;
    if (token.size == 0 || token.size > 10 || (token.size > 1 && token.data[0] == '0'))
        return false;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        position = position * 10 + (uint64_t)(token.data[i] - '0');
    }
    *ret_position = (uint32_t)position;
    return position < count;
}

static uint32_t child(struct document *document, uint32_t container, struct slice token)
{
    const struct json *json = &document->json;
    uint32_t count = json_count(json, container), position;
    bool large = count >= LARGE;
    if (json_is(json, container, JSON_ARRAY)) {
        if (!to_position(token, count, &position))
            return JSON_NONE;
        return large ? table_of(document, container)->nodes[position] : json_at(json, container, position);
    }
    if (!large)
        return json_get_slice(json, container, token);
    const struct child_table *table = table_of(document, container);
    uint32_t hash = json_key_hash(token.data, token.size);
    for (uint32_t slot = hash & table->mask; table->nodes[slot]; slot = (slot + 1) & table->mask) {
        uint32_t key = table->nodes[slot];
        if (json_hash_of_key(json, key) == hash && json_text_is(json, key, token))
            return json_value(key);
    }
    return JSON_NONE;
}

/* "~1" and "~0" resolved into `out`, which has room for the token; false for any other "~". */
static bool unescape_token(struct slice token, char *out, size_t *ret_size)
{
    size_t size = 0;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (c == '~') {
            if (++i == token.size || (token.data[i] != '0' && token.data[i] != '1'))
                return false;
            c = token.data[i] == '0' ? '~' : '/';
        }
        out[size++] = c;
    }
    *ret_size = size;
    return true;
}

uint32_t document_pointer(struct document *document, uint32_t at, struct slice pointer)
{
    if (pointer.size == 0)
        return at;
    if (pointer.data[0] != '/')
        return JSON_NONE;
    auto_free char *text = mem_alloc(pointer.size);
    const char *next = pointer.data + 1, *end = pointer.data + pointer.size;
    for (bool last = false; !last && at != JSON_NONE;) {
        const char *slash = memchr(next, '/', (size_t)(end - next));
        last = !slash;
        struct slice token = {next, (size_t)((slash ? slash : end) - next)};
        size_t size;
        if (!unescape_token(token, text, &size))
            return JSON_NONE;
        at = child(document, at, (struct slice){text, size});
        next = slash ? slash + 1 : end;
    }
    return at;
}
