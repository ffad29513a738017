/* From a command line and a config to an engine: the manifest, the config's rules, the spec's schema. */
#include "source.h"

#include "bridge.h"
#include "rules.h"
#include "schema/schema.h"
#include "source-declarative/record/record.h"
#include "source-declarative/request/budget.h"

static const char injected[] = "__injected_declarative_manifest";

/* --- the manifest ----------------------------------------------------------------------------------------
 */

int source_manifest(struct firth_host *host, struct slice config, struct arena *arena,
                    struct manifest **ret_manifest, struct error *err)
{
    const char *path = firth_flag(host, "--manifest-path");
    const struct built_in_manifest *own = firth_context(host);
    struct json doc;
    *ret_manifest = NULL;
    if (path)
        return manifest_load_telling(arena, path, ret_manifest, err);
    if (own) /* a mistake in it is ours: the tests run it */
        return manifest_parse(arena, own->file, YAML_SYNTAX_YAML_1_1, (struct slice){own->text, own->size},
                              NULL, NULL, ret_manifest, err);
    if (config.size == 0)
        return 0;
    if (json_parse_copy(arena, config.data, config.size, &doc, err) != 0)
        return -1;
    uint32_t at = json_get(&doc, 0, injected);
    if (at == JSON_NONE)
        return 0;
    if (!json_is(&doc, at, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "the config's %s is no object", injected);
    return manifest_parse_telling(arena, injected, json_raw(&doc, at), ret_manifest, err);
}

struct component source_flow_spec(const struct manifest *manifest)
{
    return component_get(component_get(manifest_root(manifest), "metadata"), "flow");
}

/* --- the engine ------------------------------------------------------------------------------------------
 */

enum {
    OWN_REFUSED_ANSWERS = 3
}; /* built-in connectors: what is none of the API's answers does not pass soon */

static void log_message(void *context, enum engine_level level, const char *message)
{
    static const enum firth_log_level levels[] = {
        [ENGINE_DEBUG] = FIRTH_DEBUG,
        [ENGINE_INFO] = FIRTH_INFO,
        [ENGINE_WARN] = FIRTH_WARN,
        [ENGINE_ERROR] = FIRTH_ERROR,
    };
    if (level != ENGINE_DEBUG)
        firth_log(context, levels[level], "%s", message);
}

static int config_changed(void *context, struct slice config)
{
    return firth_emit_config(context, (struct firth_slice){config.data, config.size});
}

static bool is_stopping(void *context)
{
    return firth_stopping(context);
}

struct engine *source_engine(struct firth_host *host, const struct manifest *manifest, struct slice config,
                             struct error *err)
{
    const struct engine_settings settings = {
        .limits = {.refused_answers = firth_context(host) ? OWN_REFUSED_ANSWERS : 0,
                   .unanswered = sdk_is_checking(host) ? HTTP_HURRIED_UNANSWERED : 0},
        .output = {.log = log_message, .config_changed = config_changed, .context = host},
        .http = {.is_stopping = is_stopping, .context = host, .hurried = sdk_is_checking(host)},
    };
    return engine_new(&settings, manifest_root(manifest), config, err);
}

/* --- what the spec says of the config --------------------------------------------------------------------
 */

/* The platform's own members are not the connector's. */
static bool is_internal(const struct tvalue *key)
{
    static const char *const names[] = {"_limit", "_page_size"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (key->kind == TVALUE_STRING && slice_is(key->text, names[i]))
            return true;
    return key->kind == TVALUE_STRING && key->text.size > 2 && memcmp(key->text.data, "__", 2) == 0;
}

static int own_members(struct engine *engine, struct arena *arena, struct json *ret_doc, struct error *err)
{
    struct tvalue own = tvalue_dict(arena), key;
    struct titer iter;
    struct buffer text;
    if (titer_init(&iter, arena, engine->config))
        while (titer_next(&iter, &key))
            if (!is_internal(&key))
                tdict_set(arena, own.dict, key, iter.of_key);
    buffer_init(&text, ENGINE_CONFIG_MAX);
    int result = value_write(&text, &own, err);
    if (result == 0)
        result = json_parse_copy(arena, text.data, text.size, ret_doc, err);
    buffer_done(&text);
    return result;
}

/* No value is shown but the names that `required` misses: it may be a secret, or a part of one. */
static int refuse(const struct schema *schema, struct schema_validator *validator, const struct json *doc,
                  struct arena *arena, struct error *err)
{
    struct schema_violation violation;
    size_t count = 0;
    if (schema_explain(schema, validator, doc, 0, arena, &violation, 1, &count, err) != 0)
        return -1;
    if (count == 0)
        return error_set(err, ERROR_INVALID, "the config is not what the connector's spec asks for");
    const char *place = violation.instance;
    if (strcmp(violation.keyword, "required") == 0)
        return error_set(err, ERROR_INVALID, "the config%s%s: %s", *place ? " at " : "", place,
                         violation.message);
    return error_set(err, ERROR_INVALID,
                     "the config%s%s is not what the connector's spec asks for: its rule `%s` (%s)",
                     *place ? " at " : "", place, violation.keyword, violation.keyword_location);
}

static int validate(struct engine *engine, struct arena *arena, struct slice source, struct error *err)
{
    static const char uri[] = "memory:/connection_specification";
    mem_auto(schema_registry_free) struct schema_registry *registry = schema_registry_new(SCHEMA_DRAFT_7);
    mem_auto(schema_free) struct schema *schema = NULL;
    struct error wrong;
    if (schema_registry_add(registry, uri, source, &wrong) == 0)
        schema = schema_compile(registry, uri, &wrong);
    if (!schema) {
        engine_log(engine, ENGINE_WARN,
                   "the config is not checked, for the manifest's spec is no JSON Schema: %s", wrong.message);
        return 0;
    }
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct json doc;
    if (own_members(engine, arena, &doc, err) != 0)
        return -1;
    int valid = schema_validate(schema, validator, &doc, 0, err);
    return valid == 0 ? refuse(schema, validator, &doc, arena, err) : valid < 0 ? -1 : 0;
}

static int validate_config(struct engine *engine, struct component spec, struct error *err)
{
    struct component schema = component_get(spec, "connection_specification");
    struct arena scratch;
    if (component_is_none(schema))
        return 0;
    arena_init(&scratch);
    int result = validate(engine, &scratch, json_raw(&schema.manifest->doc, schema.at), err);
    arena_done(&scratch);
    return result;
}

/* Is all there that the spec asks for, on its first level? */
static bool has_required(struct engine *engine, struct component spec)
{
    struct component required = component_get(component_get(spec, "connection_specification"), "required");
    struct arena scratch;
    struct tvalue ignored;
    bool has = !component_is_none(spec);
    arena_init(&scratch);
    for (size_t i = 0; i < component_count(required) && has; i++)
        has = tvalue_member_name(&scratch, &engine->config, component_string(component_at(required, i)),
                                 &ignored);
    arena_done(&scratch);
    return has;
}

int source_prepare(struct firth_host *host, struct engine *engine, struct error *err)
{
    bool changed;
    struct component budget = component_get(engine->root, "api_budget");
    struct component spec = component_get(engine->root, "spec"),
                     flow = source_flow_spec(engine->root.manifest);
    bool is_flows =
        has_required(engine, flow) || (host && firth_speaks_flow(host) && !has_required(engine, spec));
    /* In the words that the user knows, before it is spelled otherwise. */
    if (is_flows && validate_config(engine, flow, err) != 0)
        return -1;
    if (config_rules_apply(engine, &changed, err) != 0 || validate_config(engine, spec, err) != 0 ||
        config_rules_validate(engine, err) != 0)
        return -1;
    return component_is_none(budget) ? 0 : api_budget_compile(engine, budget, &engine->budget, err);
}
