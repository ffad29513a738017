#include "protocol/airbyte_state.h"

#include "base/hash.h"
#include "json/number.h"

/* A hash of what a value means: members in any order, numbers by value, strings unescaped, null members
 * as absent (clients write every absent field as null). Two values that mean the same always agree; two that
 * do not agree by accident with a chance of about 2^-64. The depth is the parser's limit. */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    uint64_t pair[2] = {hash, value};
    return hash_xxh3(pair, sizeof pair, 0x9e3779b97f4a7c15U);
}

static uint64_t hash_text(const struct json *doc, uint32_t at, uint64_t seed, struct arena *arena)
{
    struct slice text = json_escaped(doc, at) ? json_string(doc, at, arena) : json_inner(doc, at);
    return hash_xxh3(text.data, text.size, seed);
}

static uint64_t hash_value(const struct json *doc, uint32_t at, uint64_t seed, struct arena *arena)
{
    if (at == JSON_NONE)
        return mix(seed, JSON_NULL);
    uint64_t hash = mix(seed, json_tag(doc, at));
    switch (json_tag(doc, at)) {
    case JSON_INTEGER:
    case JSON_NUMBER:
        return mix(seed + 1, number_hash(json_raw(doc, at), seed)); /* 1 and 1.0 are one number */
    case JSON_STRING:
        return mix(hash, hash_text(doc, at, seed, arena));
    case JSON_ARRAY:
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
            hash = mix(hash, hash_value(doc, e, seed, arena));
        return hash;
    case JSON_OBJECT: {
        uint64_t members = 0;
        for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k))
            if (!json_is(doc, json_value(k), JSON_NULL))
                members += mix(hash_text(doc, k, seed, arena), hash_value(doc, json_value(k), seed, arena));
        return mix(hash, members);
    }
    default:
        return hash;
    }
}

static uint64_t hash_state(const struct json *line, const struct airbyte_message *message, uint64_t seed,
                           struct arena *arena)
{
    uint64_t hash = mix(seed, message->state.type);
    switch (message->state.type) {
    case AIRBYTE_STATE_STREAM:
        hash = mix(hash, hash_xxh3(message->state.stream.name.data, message->state.stream.name.size, seed));
        hash = mix(hash, hash_xxh3(message->state.stream.namespace.data, message->state.stream.namespace.size,
                                   seed));
        return mix(hash, hash_value(line, message->state.stream_state, seed, arena));
    case AIRBYTE_STATE_GLOBAL:
        return mix(hash, hash_value(line, message->state.global, seed, arena));
    case AIRBYTE_STATE_LEGACY:
        return mix(hash, hash_value(line, message->state.data, seed, arena));
    }
    return hash;
}

struct airbyte_state_id airbyte_state_identity(const struct json *line, const struct airbyte_message *message)
{
    assert(message->type == AIRBYTE_STATE);
    struct arena arena;
    arena_init(&arena);
    struct airbyte_state_id id = {hash_state(line, message, 1, &arena), hash_state(line, message, 2, &arena)};
    arena_done(&arena);
    return id;
}
