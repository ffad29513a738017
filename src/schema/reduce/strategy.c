/* Understanding annotations. */
#include "schema/reduce/strategy.h"

#include "base/hash.h"

enum { OPTION_KEY = 1 << 0, OPTION_DELETE = 1 << 1, OPTION_ASSOCIATIVE = 1 << 2 };

static const char *const strategy_names[STRATEGY_KIND_MAX] = {
    [STRATEGY_APPEND] = "append",
    [STRATEGY_FIRST_WRITE_WINS] = "firstWriteWins",
    [STRATEGY_JSON_SCHEMA_MERGE] = "jsonSchemaMerge",
    [STRATEGY_LAST_WRITE_WINS] = "lastWriteWins",
    [STRATEGY_MAXIMIZE] = "maximize",
    [STRATEGY_MERGE] = "merge",
    [STRATEGY_MINIMIZE] = "minimize",
    [STRATEGY_SET] = "set",
    [STRATEGY_SUM] = "sum",
};

/* What each takes beside "strategy". */
static const uint8_t strategy_options[STRATEGY_KIND_MAX] = {
    [STRATEGY_LAST_WRITE_WINS] = OPTION_DELETE | OPTION_ASSOCIATIVE,
    [STRATEGY_MAXIMIZE] = OPTION_KEY,
    [STRATEGY_MERGE] = OPTION_KEY | OPTION_DELETE,
    [STRATEGY_MINIMIZE] = OPTION_KEY,
    [STRATEGY_SET] = OPTION_KEY,
};

static const char *const option_names[] = {"strategy", "key", "delete", "associative"};
enum { OPTION_NAMES = sizeof option_names / sizeof *option_names };

const struct strategy strategy_default = {
    .kind = STRATEGY_LAST_WRITE_WINS, .associative = true, .identity = STRATEGY_DEFAULT_IDENTITY};

static uint64_t identify(const struct strategy *strategy)
{
    const uint8_t bytes[] = {(uint8_t)strategy->kind, strategy->drops, strategy->associative};
    if (strategy->kind == STRATEGY_LAST_WRITE_WINS && !strategy->drops && strategy->associative)
        return STRATEGY_DEFAULT_IDENTITY;
    uint64_t identity = hash_xxh3(bytes, sizeof bytes, strategy->key.count);
    for (size_t i = 0; i < strategy->key.count; i++) {
        const char *pointer = strategy->key.parts[i].pointer;
        identity = hash_xxh3(pointer, strlen(pointer), identity);
    }
    return identity;
}

static int expected(const struct json *json, uint32_t at, const char *what, struct error *err)
{
    struct slice raw = at == JSON_NONE ? SLICE_LITERAL("nothing") : json_raw(json, at);
    return error_set(err, ERROR_INVALID, "expected %s, got %.*s", what, (int)utf8_cut(raw.data, raw.size, 80),
                     raw.data);
}

static int near_miss(const char *what, const char *name, const char *const *names, size_t count,
                     struct error *err)
{
    const char *nearest = string_nearest(name, names, count);
    return nearest ? error_set(err, ERROR_INVALID, "%s \"%.60s\" is not known; did you mean \"%s\"?", what,
                               name, nearest)
                   : error_set(err, ERROR_INVALID, "%s \"%.60s\" is not known", what, name);
}

static int parse_kind(const struct json *json, uint32_t at, struct arena *arena, enum strategy_kind *ret_kind,
                      struct error *err)
{
    if (!json_is(json, at, JSON_STRING))
        return expected(json, at, "\"strategy\" to be a name such as \"merge\" or \"sum\"", err);
    const char *name = json_cstring(json, at, arena);
    for (enum strategy_kind kind = 0; kind < STRATEGY_KIND_MAX; kind++) {
        if (strcmp(name, strategy_names[kind]) == 0) {
            *ret_kind = kind;
            return 0;
        }
    }
    return near_miss("reduction strategy", name, strategy_names, STRATEGY_KIND_MAX, err);
}

/* RFC 6901. */
static bool is_pointer(const char *text)
{
    if (*text && *text != '/')
        return false;
    for (; *text; text++) {
        if (*text == '~' && text[1] != '0' && text[1] != '1')
            return false;
    }
    return true;
}

static int parse_key(const struct json *json, uint32_t at, struct arena *arena, struct key *ret_key,
                     struct error *err)
{
    size_t count = 0;
    if (!json_is(json, at, JSON_ARRAY) || json_count(json, at) > STRATEGY_KEY_MAX)
        return expected(json, at, "\"key\" to be a list of at most 64 JSON pointers", err);
    const char **pointers = arena_alloc(arena, (json_count(json, at) + 1) * sizeof *pointers);
    for (uint32_t e = json_first(json, at); e != JSON_NONE; e = json_next(json, at, e)) {
        pointers[count] = json_cstring(json, e, arena);
        if (!pointers[count] || !is_pointer(pointers[count]))
            return expected(json, e, "a JSON pointer such as \"/id\"", err);
        count++;
    }
    pointers[count] = NULL;
    *ret_key = key_compile(pointers, arena);
    return 0;
}

static int parse_option(const struct json *json, uint32_t key, struct arena *arena, struct strategy *strategy,
                        struct error *err)
{
    const char *name = json_cstring(json, key, arena);
    uint32_t value = json_value(key), option = 0;
    while (option < OPTION_NAMES && strcmp(name, option_names[option]) != 0)
        option++;
    if (option == OPTION_NAMES)
        return near_miss("option of a reduction", name, option_names, OPTION_NAMES, err);
    if (option == 0)
        return 0;
    if (!(strategy_options[strategy->kind] >> (option - 1) & 1))
        return error_set(err, ERROR_INVALID, "strategy \"%s\" has no option \"%s\"",
                         strategy_names[strategy->kind], name);
    if (option == 1)
        return parse_key(json, value, arena, &strategy->key, err);
    if (!json_is(json, value, JSON_TRUE) && !json_is(json, value, JSON_FALSE))
        return expected(json, value, "true or false", err);
    *(option == 2 ? &strategy->drops : &strategy->associative) = json_is(json, value, JSON_TRUE);
    return 0;
}

int strategy_parse(const struct json *json, uint32_t at, struct arena *arena, struct strategy *ret_strategy,
                   struct error *err)
{
    struct strategy strategy = {.associative = true};
    if (!json_is(json, at, JSON_OBJECT))
        return expected(json, at, "an object with a \"strategy\"", err);
    if (parse_kind(json, json_get(json, at, "strategy"), arena, &strategy.kind, err) < 0)
        return -1;
    for (uint32_t k = json_first_key(json, at); k != JSON_NONE; k = json_next_key(json, at, k)) {
        if (parse_option(json, k, arena, &strategy, err) < 0)
            return -1;
    }
    strategy.identity = identify(&strategy);
    *ret_strategy = strategy;
    return 0;
}
