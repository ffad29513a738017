#include "task/sealed_config.h"

#include "task/conversation.h"

#include "base/hash.h"
#include "json/writer.h"

#include <assert.h>

static void merge(struct json_writer *writer, const struct json *was, const struct json *now, uint32_t at)
{
    struct arena arena;
    arena_init(&arena);
    json_begin_object(writer);
    for (uint32_t key = json_first_key(was, 0); key != JSON_NONE; key = json_next_key(was, 0, key)) {
        uint32_t newer = json_get_slice(now, at, json_string(was, key, &arena));
        json_put_key_of(writer, was, key);
        if (newer != JSON_NONE)
            json_put_value(writer, now, newer);
        else
            json_put_value(writer, was, json_value(key));
    }
    for (uint32_t key = json_first_key(now, at); key != JSON_NONE; key = json_next_key(now, at, key)) {
        if (json_get_slice(was, 0, json_string(now, key, &arena)) != JSON_NONE)
            continue;
        json_put_key_of(writer, now, key);
        json_put_value(writer, now, json_value(key));
    }
    json_end_object(writer);
    arena_done(&arena);
}

int sealed_config_merge(const char *label, struct slice was, const struct json *line, uint32_t now,
                        struct arena *arena, struct slice *ret_merged, struct error *err)
{
    size_t size = json_raw(line, now).size;
    struct json old;
    struct buffer text;
    struct json_writer writer;
    if (size > TASK_CONFIG_MAX)
        return error_set(err, ERROR_LIMIT, "%s changed its config to one of %zu bytes; the limit is %d",
                         label, size, TASK_CONFIG_MAX);
    if (json_parse_copy(arena, was.data, was.size, &old, err) < 0)
        return error_wrap(err, "the config of %s", label);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    merge(&writer, &old, line, now);
    *ret_merged = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    const uint64_t pair[2] = {hash, value};
    return hash_xxh3(pair, sizeof pair, 1);
}

static uint64_t hash_text(const struct json *doc, uint32_t at, struct arena *arena)
{
    struct slice text = json_string(doc, at, arena);
    return hash_xxh3(text.data, text.size, 2);
}

/* Of its own, since it is stored, and json_hash may be another in the next build. Numbers as they are
 * written. */
static uint64_t hash_value(const struct json *doc, uint32_t at, struct arena *arena)
{
    uint64_t hash = 0;
    struct slice raw = json_raw(doc, at);
    switch (json_tag(doc, at)) {
    case JSON_OBJECT: /* a sum: in any order */
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key))
            hash += mix(hash_text(doc, key, arena), hash_value(doc, json_value(key), arena));
        return mix(hash, '{');
    case JSON_ARRAY:
        for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
            hash = mix(hash, hash_value(doc, e, arena));
        return mix(hash, '[');
    case JSON_STRING:
        return mix(hash_text(doc, at, arena), '"');
    default:
        return hash_xxh3(raw.data, raw.size, 3);
    }
}

uint64_t sealed_config_identity(struct slice given)
{
    struct arena arena;
    struct json doc;
    struct error unused;
    arena_init(&arena);
    uint64_t hash = json_parse_copy(&arena, given.data, given.size, &doc, &unused) == 0
                        ? hash_value(&doc, 0, &arena)
                        : hash_xxh3(given.data, given.size, 4);
    arena_done(&arena);
    return hash ? hash : 1;
}

bool sealed_config_is_of(const struct task_saved_config *saved, const struct task_endpoint *endpoint)
{
    return saved->identity == sealed_config_identity(endpoint->config) ||
           saved->identity == conversation_identity(endpoint);
}

void sealed_config_put(struct task_checkpoint *checkpoint, enum task_side side, uint64_t identity,
                       const struct secret_key *key, struct slice config)
{
    struct task_saved_config *saved = &checkpoint->configs[side];
    struct buffer sealed;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    secret_seal_text(key, config, &sealed);
    saved->identity = identity;
    saved->sealed = arena_strdup(&checkpoint->arena, buffer_cstr(&sealed));
    buffer_done(&sealed);
}

int sealed_config_get(const struct task_checkpoint *checkpoint, enum task_side side,
                      const struct secret_key *key, struct arena *arena, struct slice *ret_config,
                      struct error *err)
{
    const struct task_saved_config *saved = &checkpoint->configs[side];
    struct buffer plain;
    struct json doc;
    assert(saved->sealed);
    buffer_init(&plain, BUFFER_UNLIMITED);
    int result = secret_unseal_text(key, slice_of(saved->sealed), &plain, err);
    if (result == 0 && json_parse_copy(arena, plain.data, plain.size, &doc, err) < 0)
        result = -1;
    if (result == 0)
        *ret_config = (struct slice){doc.source, doc.size};
    if (plain.size)
        explicit_bzero(plain.data, plain.size);
    buffer_done(&plain);
    return result;
}
