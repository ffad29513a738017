/* Composite keys in documents. */
#include "json/key.h"

#include "json/hash.h"
#include "json/number.h"

/* An array's position as a pointer has it: no leading zero, and few enough digits for any array. */
static uint32_t position_of(struct slice name)
{
    uint64_t position;
    char digits[12];
    if (name.size == 0 || name.size > 9 || (name.size > 1 && name.data[0] == '0'))
        return JSON_NONE;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return JSON_NONE;
    }
    memcpy(digits, name.data, name.size);
    digits[name.size] = '\0';
    return string_to_u64(digits, UINT32_MAX - 1, &position) ? (uint32_t)position : JSON_NONE;
}

static struct key_step compile_step(const char *from, size_t size, struct arena *arena)
{
    char *name = arena_strndup(arena, from, size);
    size_t out = 0;
    for (size_t i = 0; i < size; i++) {
        bool tilde = name[i] == '~' && i + 1 < size;
        name[out++] = tilde ? (name[++i] == '1' ? '/' : '~') : name[i];
    }
    struct slice whole = {name, out};
    return (struct key_step){whole, json_key_hash(name, out), position_of(whole)};
}

static struct key_part compile_part(const char *pointer, struct arena *arena)
{
    size_t count = 0;
    for (const char *at = pointer; *at; at++)
        count += *at == '/';
    struct key_step *steps = arena_alloc(arena, (count + 1) * sizeof *steps);
    const char *from = pointer;
    for (size_t i = 0; i < count; i++) {
        from = strchr(from, '/') + 1;
        steps[i] = compile_step(from, strcspn(from, "/"), arena);
    }
    return (struct key_part){pointer, steps, count, {NULL, JSON_NONE}};
}

struct key key_compile(const char *const *pointers, struct arena *arena)
{
    size_t count = 0;
    while (pointers && pointers[count])
        count++;
    struct key_part *parts = arena_alloc(arena, (count + 1) * sizeof *parts);
    for (size_t i = 0; i < count; i++)
        parts[i] = compile_part(pointers[i], arena);
    return (struct key){parts, count};
}

void key_set_absent(struct key *key, size_t part, struct key_value value)
{
    assert(part < key->count);
    key->parts[part].absent = value;
}

static uint32_t find_member(const struct key_step *step, const struct json *doc, uint32_t object)
{
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        if (json_hash_of_key(doc, key) == step->hash && json_text_is(doc, key, step->name))
            return json_value(key);
    }
    return JSON_NONE;
}

uint32_t key_find(const struct key_part *part, const struct json *doc, uint32_t at)
{
    for (size_t i = 0; i < part->step_count && at != JSON_NONE; i++) {
        const struct key_step *step = &part->steps[i];
        at = json_is(doc, at, JSON_ARRAY) ? json_at(doc, at, step->position) : find_member(step, doc, at);
    }
    return at;
}

struct key_value key_value_of(const struct key_part *part, const struct json *doc, uint32_t at)
{
    uint32_t found = key_find(part, doc, at);
    return found == JSON_NONE ? part->absent : (struct key_value){doc, found};
}

bool key_value_allowed(const struct json *doc, uint32_t value)
{
    if (value == JSON_NONE)
        return false;
    switch (json_tag(doc, value)) {
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_INTEGER:
    case JSON_STRING:
        return true;
    case JSON_NUMBER: /* 1.0 is an integer, as the schema has it */
        return number_is_integer(json_raw(doc, value));
    default:
        return false;
    }
}

bool key_is_there(const struct key *key, const struct json *doc, uint32_t at)
{
    for (size_t i = 0; i < key->count; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, at);
        if (!key_value_allowed(value.doc, value.at))
            return false;
    }
    return true;
}

int key_compare(const struct key *key, const struct json *a, uint32_t a_at, const struct json *b,
                uint32_t b_at)
{
    for (size_t i = 0; i < key->count; i++) {
        struct key_value x = key_value_of(&key->parts[i], a, a_at);
        struct key_value y = key_value_of(&key->parts[i], b, b_at);
        int order = json_compare(x.doc, x.at, y.doc, y.at);
        if (order != 0)
            return order;
    }
    return 0;
}

uint64_t key_hash(const struct key *key, const struct json *doc, uint32_t at)
{
    uint64_t hash = key->count;
    for (size_t i = 0; i < key->count; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, at);
        hash = json_hash_fold(hash ^ JSON_HASH_A, json_hash(value.doc, value.at) ^ JSON_HASH_B);
    }
    return hash;
}
