#include "task/shorten.h"

#include <stdlib.h>

/* --- is anything too long? -------------------------------------------------------------------------- */

/* Escapes are longer than what they stand for: only then is it worth unescaping. */
static bool string_too_long(const struct json *doc, uint32_t at, uint32_t max)
{
    struct slice inner = json_inner(doc, at);
    if (max == 0 || inner.size <= max)
        return false;
    if (!json_escaped(doc, at))
        return true;
    struct arena arena;
    arena_init(&arena);
    bool too_long = json_string(doc, at, &arena).size > max;
    arena_done(&arena);
    return too_long;
}

static bool count_too_large(const struct json *doc, uint32_t at, uint32_t max)
{
    return max > 0 && json_count(doc, at) > max;
}

bool shorten_applies(const struct flow_ser_policy *policy, const struct json *doc, uint32_t at)
{
    if (!policy || at == JSON_NONE)
        return false;
    uint32_t end = json_after(doc, at);
    for (uint32_t each = at; each < end; each++) {
        switch (json_tag(doc, each)) {
        case JSON_STRING:
            if (string_too_long(doc, each, policy->string_truncate_after))
                return true;
            break;
        case JSON_ARRAY:
            if (count_too_large(doc, each, policy->array_truncate_after))
                return true;
            break;
        case JSON_OBJECT:
            if (each != at && count_too_large(doc, each, policy->nested_object_truncate_after))
                return true;
            break;
        default:
            break;
        }
    }
    return false;
}

/* --- cutting ---------------------------------------------------------------------------------------- */

struct shortening {
    const struct flow_ser_policy *policy;
    struct json_writer *writer;
    const struct json *doc;
    struct arena arena; /* of names and strings without their escapes */
};

static void put(struct shortening *shortening, uint32_t at, bool nested);

static void put_string(struct shortening *shortening, uint32_t at)
{
    uint32_t max = shortening->policy->string_truncate_after;
    if (!string_too_long(shortening->doc, at, max)) {
        json_put_raw(shortening->writer, json_raw(shortening->doc, at));
        return;
    }
    struct slice text = json_string(shortening->doc, at, &shortening->arena);
    json_put_slice(shortening->writer, (struct slice){text.data, utf8_cut(text.data, text.size, max)});
}

static void put_array(struct shortening *shortening, uint32_t at)
{
    const struct json *doc = shortening->doc;
    uint32_t left = count_too_large(doc, at, shortening->policy->array_truncate_after)
                        ? shortening->policy->array_truncate_after
                        : json_count(doc, at);
    json_begin_array(shortening->writer);
    for (uint32_t each = json_first(doc, at); each != JSON_NONE && left > 0; left--) {
        put(shortening, each, true);
        each = json_next(doc, at, each);
    }
    json_end_array(shortening->writer);
}

struct member {
    struct slice name;
    uint32_t key;
};

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void put_member(struct shortening *shortening, uint32_t key)
{
    json_put_key_of(shortening->writer, shortening->doc, key);
    put(shortening, json_value(key), true);
}

/* Which members are the first does not depend on the order in which a source happened to write them. */
static void put_first_members(struct shortening *shortening, uint32_t at)
{
    const struct json *doc = shortening->doc;
    auto_free struct member *members = mem_alloc(json_count(doc, at) * sizeof *members);
    size_t count = 0;
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key))
        members[count++] = (struct member){json_string(doc, key, &shortening->arena), key};
    qsort(members, count, sizeof *members, by_name);
    for (size_t i = 0; i < shortening->policy->nested_object_truncate_after; i++)
        put_member(shortening, members[i].key);
}

static void put_object(struct shortening *shortening, uint32_t at, bool nested)
{
    const struct json *doc = shortening->doc;
    json_begin_object(shortening->writer);
    if (nested && count_too_large(doc, at, shortening->policy->nested_object_truncate_after)) {
        put_first_members(shortening, at);
    } else {
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key))
            put_member(shortening, key);
    }
    json_end_object(shortening->writer);
}

static void put(struct shortening *shortening, uint32_t at, bool nested)
{
    switch (json_tag(shortening->doc, at)) {
    case JSON_STRING:
        put_string(shortening, at);
        break;
    case JSON_ARRAY:
        put_array(shortening, at);
        break;
    case JSON_OBJECT:
        put_object(shortening, at, nested);
        break;
    default:
        json_put_raw(shortening->writer, json_raw(shortening->doc, at));
    }
}

void shorten_put(const struct flow_ser_policy *policy, struct json_writer *writer, const struct json *doc,
                 uint32_t at)
{
    struct shortening shortening = {.policy = policy, .writer = writer, .doc = doc};
    arena_init(&shortening.arena);
    put(&shortening, at, false);
    arena_done(&shortening.arena);
}
