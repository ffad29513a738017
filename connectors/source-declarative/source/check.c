/* Can it work with this config: CheckStream, CheckDynamicStream. */
#include "source.h"

#include "source-declarative/record/record.h"
#include "source-declarative/request/budget.h"

enum { CHECKED_NAMES_MAX = 10000 };

struct checking {
    struct arena *arena;
    struct engine *engine;
    struct offered *offered;
    struct component check;
    const char *reason;
};

/* --- streams ---------------------------------------------------------------------------------------------
 */

static int check_offered(struct checking *checking, struct offered_stream *stream, struct error *err)
{
    const char *why;
    if (offered_stream_compile(checking->engine, stream, err) != 0 ||
        declared_stream_available(stream->stream, checking->arena, &why, err) != 0)
        return -1;
    if (why)
        checking->reason = arena_printf(checking->arena, "stream %s is not available: %s", stream->name, why);
    return 0;
}

/* The config's __airbyte_check_stream_names go before the manifest's stream_names. */
static int names_to_check(struct checking *checking, const char ***ret_names, size_t *ret_count,
                          struct error *err)
{
    static const char member[] = "__airbyte_check_stream_names";
    struct arena *arena = checking->arena;
    struct component list = component_get(checking->check, "stream_names");
    struct tvalue names;
    size_t count = component_count(list);
    bool own = tvalue_member_name(arena, &checking->engine->config, slice_of(member), &names) &&
               !(tvalue_is_list(&names) && tvalue_count(&names) == 0);
    if (own)
        count = tvalue_is_list(&names) ? tvalue_count(&names) : CHECKED_NAMES_MAX + 1;
    if (count > CHECKED_NAMES_MAX)
        return error_set(err, ERROR_INVALID, "%s must be a list of at most %d names", member,
                         CHECKED_NAMES_MAX);
    const char **items = arena_zalloc(arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        struct tvalue name =
            own ? tvalue_at(arena, &names, i) : tvalue_string(component_string(component_at(list, i)));
        if (name.kind != TVALUE_STRING)
            return error_set(err, ERROR_INVALID, "%s must be a list of names", member);
        items[i] = arena_strndup(arena, name.text.data, name.text.size);
    }
    *ret_names = items;
    *ret_count = count;
    return 0;
}

static int no_such_stream(struct checking *checking, const char *name, struct error *err)
{
    const struct offered *offered = checking->offered;
    const char **names = arena_zalloc(checking->arena, (offered->count + 1) * sizeof *names);
    for (size_t i = 0; i < offered->count; i++)
        names[i] = offered->items[i].name;
    const char *near = string_nearest(name, names, offered->count);
    return error_set(err, ERROR_INVALID, "stream %.200s, which is to be checked, is not there%s%s%s", name,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Streams that are made cost requests: they are made only if somebody asks for one. */
static int find_all(struct checking *checking, const char **names, size_t count, bool dynamic,
                    struct error *err)
{
    if (offered_written(checking->offered, err) != 0)
        return -1;
    bool there = count > 0 && !dynamic;
    for (size_t i = 0; there && i < count; i++)
        there = offered_find(checking->offered, names[i]) != NULL;
    if (there)
        return 0;
    if (offered_all(checking->offered, err) != 0)
        return -1;
    if (checking->offered->count == 0)
        checking->reason = "there are no streams that could be checked";
    return 0;
}

/* The first `stream_count` streams of a dynamic stream; without: all. */
static int check_made(struct checking *checking, struct component config, struct error *err)
{
    struct slice text = component_text(config, "dynamic_stream_name");
    const char *name = arena_strndup(checking->arena, text.data ? text.data : "", text.size);
    struct component list = component_get(checking->engine->root, "dynamic_streams");
    int64_t most;
    bool there = false;
    for (size_t i = 0; i < component_count(list) && !there; i++) {
        struct slice each = component_text(component_at(list, i), "name");
        there = each.data ? slice_is(each, name)
                          : strcmp(arena_printf(checking->arena, "dynamic_stream_%zu", i), name) == 0;
    }
    if (!there) {
        checking->reason = arena_printf(checking->arena, "there is no dynamic stream %s to check", name);
        return 0;
    }
    if (!component_integer(config, "stream_count", &most))
        most = INT64_MAX;
    for (size_t i = 0; i < checking->offered->count && most > 0 && !checking->reason; i++) {
        struct offered_stream *stream = &checking->offered->items[i];
        if (!stream->origin || strcmp(stream->origin, name) != 0)
            continue;
        most--;
        if (check_offered(checking, stream, err) != 0)
            return -1;
    }
    return 0;
}

static int check_streams(struct checking *checking, struct error *err)
{
    struct component dynamic = component_get(checking->check, "dynamic_streams_check_configs");
    const char **names = NULL;
    size_t count = 0;
    if (names_to_check(checking, &names, &count, err) != 0 ||
        find_all(checking, names, count, component_count(dynamic) > 0, err) != 0)
        return -1;
    for (size_t i = 0; i < count && !checking->reason; i++) {
        struct offered_stream *stream = offered_find(checking->offered, names[i]);
        if (!stream)
            return no_such_stream(checking, names[i], err);
        if (check_offered(checking, stream, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < component_count(dynamic) && !checking->reason; i++)
        if (check_made(checking, component_at(dynamic, i), err) != 0)
            return -1;
    return 0;
}

static int check_first_streams(struct checking *checking, struct error *err)
{
    int64_t most = 0;
    if (offered_all(checking->offered, err) != 0)
        return -1;
    if (checking->offered->count == 0)
        checking->reason = "there are no streams that could be checked";
    component_integer(checking->check, "stream_count", &most);
    if (!component_bool(checking->check, "use_check_availability"))
        return 0;
    for (size_t i = 0; i < checking->offered->count && most-- > 0 && !checking->reason; i++)
        if (check_offered(checking, &checking->offered->items[i], err) != 0)
            return -1;
    return 0;
}

static int check_body(void *context, struct error *err)
{
    struct checking *checking = context;
    return component_is(checking->check, "CheckDynamicStream") ? check_first_streams(checking, err)
                                                               : check_streams(checking, err);
}

/* --- config_overrides ------------------------------------------------------------------------------------
 */

/* A config with overrides that is written back would be the connection's from then on. */
static bool writes_config_back(const struct json *doc, uint32_t at)
{
    if (json_is(doc, at, JSON_ARRAY)) {
        for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each))
            if (writes_config_back(doc, each))
                return true;
        return false;
    }
    if (!json_is(doc, at, JSON_OBJECT))
        return false;
    uint32_t updater = json_get(doc, at, "refresh_token_updater");
    if (updater != JSON_NONE && !json_is(doc, updater, JSON_NULL) &&
        json_string_is(doc, json_get(doc, at, "type"), "OAuthAuthenticator"))
        return true;
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key))
        if (writes_config_back(doc, json_value(key)))
            return true;
    return false;
}

static int override(struct declarative *source, struct component overrides, struct slice *ret_config,
                    struct error *err)
{
    struct arena *arena = &source->arena;
    const struct json *doc = &overrides.manifest->doc;
    struct tvalue changes = tvalue_json(arena, doc, overrides.at), config = source->engine->config, key;
    struct titer iter;
    struct buffer text;
    value_own(arena, &config);
    if (titer_init(&iter, arena, changes)) {
        while (titer_next(&iter, &key)) {
            if (key.kind == TVALUE_STRING && key.text.size >= 9 && memcmp(key.text.data, "__airbyte", 9) == 0)
                return error_set(err, ERROR_INVALID,
                                 "config_overrides may not have %.*s, which is the platform's",
                                 SLICE_ARGS(key.text));
            tdict_set(arena, config.dict, key, iter.of_key);
        }
    }
    if (writes_config_back(doc, 0))
        return error_set(err, ERROR_INVALID,
                         "config_overrides cannot be where a refresh_token_updater writes the config back: "
                         "what only a check is to see would be kept");
    buffer_init(&text, ENGINE_CONFIG_MAX);
    int result = value_write(&text, &config, err);
    *ret_config = (struct slice){arena_strndup(arena, text.size ? text.data : "", text.size), text.size};
    buffer_done(&text);
    return result;
}

/* --- the check -------------------------------------------------------------------------------------------
 */

static int run(struct checking *checking, const char **ret_reason, struct error *err)
{
    int result = fibers_call(checking->engine->fibers, check_body, checking, err);
    if (result != 0)
        engine_redact_error(checking->engine, err);
    *ret_reason = NULL;
    if (checking->reason) {
        struct buffer text;
        buffer_init(&text, ENGINE_MESSAGE_MAX);
        buffer_str(&text, checking->reason);
        engine_redact(checking->engine, &text);
        *ret_reason = arena_strdup(checking->arena, buffer_cstr(&text));
        buffer_done(&text);
    }
    return result;
}

int source_check(struct declarative *source, const char **ret_reason, struct error *err)
{
    struct component check = component_get(source->engine->root, "check");
    struct component overrides = component_get(check, "config_overrides");
    struct checking checking = {&source->arena, source->engine, &source->offered, check, NULL};
    struct slice config;
    if (component_is_none(overrides) || component_count(overrides) == 0)
        return run(&checking, ret_reason, err);
    /* An engine of its own: nothing of what it learns (tokens, answers) is for the config as it is. */
    if (override(source, overrides, &config, err) != 0)
        return component_error(err, overrides);
    mem_auto(engine_free) struct engine *engine = source_engine(source->host, source->manifest, config, err);
    struct component budget = component_get(source->engine->root, "api_budget");
    if (!engine ||
        (!component_is_none(budget) && api_budget_compile(engine, budget, &engine->budget, err) != 0))
        return -1;
    struct offered offered = {.engine = engine};
    checking.engine = engine;
    checking.offered = &offered;
    return run(&checking, ret_reason, err);
}
