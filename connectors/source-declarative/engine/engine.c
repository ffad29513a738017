#include "engine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct engine_leaving {
    struct engine_leaving *next;
    void (*leave)(void *context);
    void *context;
};

struct engine *engine_new(const struct engine_settings *settings, struct component root, struct slice config,
                          struct error *err)
{
    mem_auto(engine_free) struct engine *engine = mem_zalloc(sizeof *engine);
    arena_init(&engine->arena);
    engine->clock = settings->clock ? settings->clock : &clock_system;
    engine->output = settings->output;
    engine->limits = settings->limits;
    engine->root = root;
    uint64_t seed = settings->seed;
    if (!seed)
        random_bytes(&seed, sizeof seed);
    random_seed(&engine->random, seed);
    if (engine_set_config(engine, config, err) != 0)
        return NULL;
    engine->client = http_client_new(&settings->http, err);
    if (!engine->client)
        return NULL;
    engine->fibers = fibers_new(&(struct fibers_settings){
        .client = engine->client,
        .clock = engine->clock,
        .is_stopping = settings->http.is_stopping,
        .pass = settings->pass,
        .context = settings->pass ? settings->pass_context : settings->http.context,
    });
    struct engine *made = engine;
    engine = NULL;
    return made;
}

void engine_on_free(struct engine *engine, void (*leave)(void *context), void *context)
{
    struct engine_leaving *leaving = arena_alloc(&engine->arena, sizeof *leaving);
    *leaving = (struct engine_leaving){engine->leaving, leave, context};
    engine->leaving = leaving;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->fibers && fibers_count(engine->fibers) > 0) {
        fibers_cancel(engine->fibers);
        fibers_run(engine->fibers, NULL, NULL);
    }
    for (struct engine_leaving *leaving = engine->leaving; leaving; leaving = leaving->next)
        leaving->leave(leaving->context);
    fibers_free(engine->fibers);
    http_client_free(engine->client);
    for (size_t i = 0; i < engine->secrets.count; i++)
        free(engine->secrets.items[i]);
    free(engine->secrets.items);
    free(engine->keeping);
    arena_done(&engine->arena);
    free(engine);
}

void engine_keep_answers(struct engine *engine, struct component requester)
{
    if (engine_keeps_answers(engine, requester))
        return;
    engine->keeping = mem_grow(engine->keeping, &engine->keeping_capacity, engine->keeping_count + 1,
                               sizeof *engine->keeping);
    engine->keeping[engine->keeping_count++] = requester;
}

bool engine_keeps_answers(const struct engine *engine, struct component requester)
{
    for (size_t i = 0; i < engine->keeping_count; i++) {
        if (engine->keeping[i].manifest == requester.manifest && engine->keeping[i].at == requester.at)
            return true;
    }
    return false;
}

void engine_select(struct engine *engine, const char *name, struct slice schema, const char *cursor)
{
    struct engine_selected *selected = arena_zalloc(&engine->arena, sizeof *selected);
    selected->name = arena_strdup(&engine->arena, name);
    selected->schema = (struct slice){
        arena_strndup(&engine->arena, schema.size ? schema.data : "", schema.size), schema.size};
    selected->cursor = cursor ? arena_strdup(&engine->arena, cursor) : NULL;
    selected->next = engine->selected;
    engine->selected = selected;
}

const struct engine_selected *engine_selected(const struct engine *engine, const char *name)
{
    const struct engine_selected *selected = engine->selected;
    while (selected && strcmp(selected->name, name) != 0)
        selected = selected->next;
    return selected;
}

/* --- config ----------------------------------------------------------------------------------------------
 */

static void collect_secrets(struct engine *engine, const struct json *doc, uint32_t schema,
                            struct tvalue value, unsigned depth)
{
    struct arena *arena = &engine->arena;
    if (!json_is(doc, schema, JSON_OBJECT) || depth == 0)
        return;
    bool scalar = value.kind == TVALUE_STRING || tvalue_is_number(&value);
    if (scalar && json_is(doc, json_get(doc, schema, "airbyte_secret"), JSON_TRUE)) {
        struct ttext text;
        ttext_init(&text, arena, ENGINE_CONFIG_MAX);
        tvalue_str(&text, &value);
        engine_add_secret(engine, ttext_slice_of(&text));
    }
    uint32_t properties = json_get(doc, schema, "properties");
    if (tvalue_is_mapping(&value)) {
        for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE;
             key = json_next_key(doc, properties, key)) {
            struct tvalue member;
            if (tvalue_member_name(arena, &value, json_string(doc, key, arena), &member))
                collect_secrets(engine, doc, json_value(key), member, depth - 1);
        }
    } else if (tvalue_is_sequence(&value)) {
        for (size_t i = 0; i < tvalue_count(&value); i++)
            collect_secrets(engine, doc, json_get(doc, schema, "items"), tvalue_at(arena, &value, i),
                            depth - 1);
    }
    static const char *const choices[] = {"oneOf", "anyOf", "allOf"};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        uint32_t list = json_get(doc, schema, choices[i]);
        for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each))
            collect_secrets(engine, doc, each, value, depth - 1);
    }
}

int engine_set_config(struct engine *engine, struct slice json, struct error *err)
{
    enum { SPEC_DEPTH_MAX = 32 };
    if (json.size > ENGINE_CONFIG_MAX)
        return error_set(err, ERROR_LIMIT, "the config has %zu bytes, more than %d", json.size,
                         ENGINE_CONFIG_MAX);
    struct json *doc = arena_zalloc(&engine->arena, sizeof *doc);
    if (json_parse_copy(&engine->arena, json.data, json.size, doc, err) != 0)
        return error_wrap(err, "the config");
    if (!json_is(doc, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "the config is no JSON object");
    engine->config = tvalue_json(&engine->arena, doc, 0);
    if (component_is_none(engine->root))
        return 0;
    struct component spec = component_get(engine->root, "spec");
    struct component schema = component_get(spec, "connection_specification");
    if (!component_is_none(schema))
        collect_secrets(engine, &schema.manifest->doc, schema.at, engine->config, SPEC_DEPTH_MAX);
    return 0;
}

/* A dict of its own with the mapping's members, or an empty one for what is no mapping. */
static struct tvalue own_dict(struct arena *arena, const struct tvalue *value)
{
    struct tvalue dict = tvalue_dict(arena);
    struct titer iter;
    struct tvalue key;
    if (!tvalue_is_mapping(value) || !titer_init(&iter, arena, *value))
        return dict;
    while (titer_next(&iter, &key))
        tdict_set(arena, dict.dict, key, iter.of_key);
    return dict;
}

static struct tvalue with_change(struct arena *arena, const struct tvalue *value, const struct slice *path,
                                 size_t count, struct tvalue new_value)
{
    if (count == 0)
        return new_value;
    struct tvalue dict = own_dict(arena, value), member = tvalue_none();
    struct tvalue key = tvalue_string(path[0]);
    tdict_get(dict.dict, &key, &member);
    tdict_set(arena, dict.dict, key, with_change(arena, &member, path + 1, count - 1, new_value));
    return dict;
}

int engine_update_config(struct engine *engine, const struct engine_change *changes, size_t count,
                         struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct tvalue config = engine->config;
    for (size_t i = 0; i < count; i++) {
        assert(changes[i].path_count > 0);
        config = with_change(&arena, &config, changes[i].path, changes[i].path_count, changes[i].value);
    }
    struct ttext text;
    ttext_init(&text, &arena, ENGINE_CONFIG_MAX + 1);
    struct tvalue wrong;
    int result;
    if (tvalue_json_dumps(&text, &config, (struct tvalue_json_style){.indent = -1}, &wrong) != 0)
        result = error_set(err, ERROR_INVALID, "the config cannot hold a %s", tvalue_type(&wrong));
    else
        result = engine_set_config(engine, ttext_slice_of(&text), err);
    if (result == 0 && engine->output.config_changed)
        result = engine->output.config_changed(engine->output.context, ttext_slice_of(&text));
    arena_done(&arena);
    return result;
}

/* --- words -----------------------------------------------------------------------------------------------
 */

void engine_add_secret(struct engine *engine, struct slice secret)
{
    struct engine_secrets *secrets = &engine->secrets;
    if (secret.size == 0 || memchr(secret.data, '\0', secret.size))
        return;
    size_t at = 0;
    for (; at < secrets->count && strlen(secrets->items[at]) >= secret.size; at++) {
        if (slice_is(secret, secrets->items[at]))
            return;
    }
    if (secrets->count == ENGINE_SECRETS_MAX) {
        size_t last = secrets->count - 1;
        free(secrets->items[last]);
        secrets->count--;
        at = at > last ? last : at;
    }
    secrets->items = mem_grow(secrets->items, &secrets->capacity, secrets->count + 1, sizeof *secrets->items);
    memmove(secrets->items + at + 1, secrets->items + at, (secrets->count - at) * sizeof *secrets->items);
    secrets->items[at] = mem_strndup(secret.data, secret.size);
    secrets->count++;
}

/* Write the text with all occurrences of the secret replaced. True if there was one. */
static bool replace(const char *text, size_t size, const char *secret, struct buffer *out)
{
    size_t length = strlen(secret);
    bool found = false;
    for (const char *end = text + size; text < end;) {
        const char *at = memmem(text, (size_t)(end - text), secret, length);
        buffer_append(out, text, (size_t)((at ? at : end) - text));
        if (!at)
            break;
        buffer_str(out, "****");
        text = at + length;
        found = true;
    }
    return found;
}

void engine_redact(const struct engine *engine, struct buffer *text)
{
    struct buffer changed;
    buffer_init(&changed, text->max);
    for (size_t i = 0; i < engine->secrets.count; i++) {
        buffer_clear(&changed);
        if (text->size && replace(text->data, text->size, engine->secrets.items[i], &changed)) {
            buffer_clear(text);
            buffer_append(text, changed.data, changed.size);
        }
    }
    buffer_done(&changed);
}

void engine_redact_error(const struct engine *engine, struct error *err)
{
    struct buffer text;
    buffer_init(&text, 4 * ERROR_MESSAGE_MAX);
    buffer_str(&text, err->message);
    engine_redact(engine, &text);
    snprintf(err->message, sizeof err->message, "%s", buffer_cstr(&text));
    buffer_done(&text);
}

void engine_log(const struct engine *engine, enum engine_level level, const char *format, ...)
{
    if (!engine->output.log)
        return;
    auto_free char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    struct buffer text;
    buffer_init(&text, ENGINE_MESSAGE_MAX);
    buffer_append(&text, message,
                  (size_t)size < ENGINE_MESSAGE_MAX / 2 ? (size_t)size : ENGINE_MESSAGE_MAX / 2);
    engine_redact(engine, &text);
    buffer_cstr(&text);
    string_one_line(text.data);
    engine->output.log(engine->output.context, level, text.data);
    buffer_done(&text);
}
