/* config_normalization_rules of a spec: how an old config becomes a new one, what is made of it, and what
 * must be true of it. */
#include "rules.h"

#include "schema/schema.h"
#include "source-declarative/record/transform.h"

/* What goes through the rules: templates see it as `config` while it changes. */
struct normalizing {
    struct engine *engine;
    struct arena *arena; /* of what outlives the rules: the engine's */
};

static struct component rules_of(const struct engine *engine)
{
    return component_get(component_get(engine->root, "spec"), "config_normalization_rules");
}

/* --- transformations --------------------------------------------------------------------------------------
 */

/* The value of a field by a table of values; what the table has not stays. */
static int remap(struct normalizing *normalizing, struct component component, struct tvalue *config,
                 struct error *err)
{
    struct engine *engine = normalizing->engine;
    struct scope scope;
    struct expressions steps;
    struct mapping_expression map;
    struct tvalue table, value, mapped;
    struct path path;
    scope_init(&scope, engine);
    if (expressions_compile(engine, component, "field_path", &steps, err) < 0 ||
        mapping_expression_compile(engine, component, "map", &map, err) < 0 ||
        expressions_path(&steps, &scope, normalizing->arena, &path, err) < 0)
        return -1;
    if (path.count == 0)
        return error_set(err, ERROR_INVALID, "field_path is empty: name the field to be mapped");
    struct tvalue current = *config;
    for (size_t i = 0; i < path.count; i++) {
        if (!tvalue_is_mapping(&current) ||
            !tvalue_member_name(normalizing->arena, &current, path.segments[i], &value))
            return 0;
        current = value;
    }
    if (mapping_expression_flat(&map, &scope, INTERPOLATE_ANY, INTERPOLATE_ANY, normalizing->arena, &table,
                                err) < 0)
        return -1;
    if (!tvalue_is_mapping(&table))
        return error_set(err, ERROR_INVALID, "its map is a %s: expected a mapping", tvalue_type(&table));
    if (!tvalue_member(normalizing->arena, &table, &current, &mapped))
        return 0;
    return value_set_path(normalizing->arena, config, path.segments, path.count, mapped, err);
}

static int add_fields(struct normalizing *normalizing, struct component component, struct tvalue *config,
                      struct error *err)
{
    void *self;
    struct transformation_call call = {.arena = normalizing->arena};
    scope_init(&call.scope, normalizing->engine);
    if (transformation_add_fields.compile(normalizing->engine, component, &self, err) < 0)
        return -1;
    return transformation_add_fields.run(self, &call, config, err);
}

struct found {
    struct arena *arena;
    struct path *items;
    size_t count, capacity;
};

static int keep(void *context, const struct slice *path, size_t count, struct tvalue value, struct error *err)
{
    struct found *found = context;
    if (found->count == found->capacity) {
        found->capacity = found->capacity ? found->capacity * 2 : 16;
        struct path *items = arena_alloc(found->arena, found->capacity * sizeof *items);
        if (found->count > 0)
            memcpy(items, found->items, found->count * sizeof *items);
        found->items = items;
    }
    found->items[found->count++] = (struct path){arena_dup(found->arena, path, count * sizeof *path), count};
    return 0;
}

/* Unlike a record's, the condition is about the config, not about each value. */
static int remove_fields(struct normalizing *normalizing, struct component component, struct tvalue *config,
                         struct error *err)
{
    struct engine *engine = normalizing->engine;
    struct scope scope;
    struct expression condition;
    bool holds = true;
    scope_init(&scope, engine);
    if (component_text(component, "condition").size > 0 &&
        (expression_compile(engine, component, "condition", &condition, err) < 0 ||
         expression_bool(&condition, &scope, true, normalizing->arena, &holds, err) < 0))
        return -1;
    struct component pointers = component_get(component, "field_pointers");
    for (size_t i = 0; holds && i < component_count(pointers); i++) {
        struct path pointer = component_path(engine, component_at(pointers, i));
        struct found found = {.arena = normalizing->arena};
        if (value_glob(normalizing->arena, config, pointer.segments, pointer.count, keep, &found, err) < 0)
            return -1;
        for (size_t each = 0; each < found.count; each++)
            value_remove_path(normalizing->arena, config, found.items[each].segments,
                              found.items[each].count);
    }
    return 0;
}

static int transform(struct normalizing *normalizing, struct component list, struct tvalue *config,
                     struct error *err)
{
    static const struct {
        const char *type;
        int (*run)(struct normalizing *normalizing, struct component component, struct tvalue *config,
                   struct error *err);
    } kinds[] = {
        {"ConfigRemapField", remap}, {"ConfigAddFields", add_fields}, {"ConfigRemoveFields", remove_fields}};
    for (size_t i = 0; i < component_count(list); i++) {
        struct component component = component_at(list, i);
        size_t kind = 0;
        while (kind < sizeof kinds / sizeof *kinds && !component_is(component, kinds[kind].type))
            kind++;
        if (kind == sizeof kinds / sizeof *kinds) {
            error_set(err, ERROR_UNSUPPORTED, "it is no rule that Firth has");
            return component_error(err, component);
        }
        normalizing->engine->config = *config;
        if (kinds[kind].run(normalizing, component, config, err) < 0)
            return component_error(err, component);
    }
    return 0;
}

/* --- applied ----------------------------------------------------------------------------------------------
 */

/* The config as JSON; it is also what the engine goes on with. */
static int settle(struct engine *engine, const struct tvalue *config, struct slice *ret_json,
                  struct error *err)
{
    struct buffer text;
    buffer_init(&text, ENGINE_CONFIG_MAX);
    int done = value_write(&text, config, err);
    if (done == 0) {
        *ret_json =
            (struct slice){arena_strndup(&engine->arena, text.data ? text.data : "", text.size), text.size};
        done = engine_set_config(engine, *ret_json, err);
    }
    buffer_done(&text);
    return done;
}

int config_rules_apply(struct engine *engine, bool *ret_changed, struct error *err)
{
    struct component rules = rules_of(engine);
    struct normalizing normalizing = {engine, &engine->arena};
    struct tvalue before = engine->config, config = before;
    struct slice json = {0};
    *ret_changed = false;
    if (component_is_none(rules) || !tvalue_true(&before))
        return 0;
    value_own(&engine->arena, &config);
    struct component migrations = component_get(rules, "config_migrations");
    for (size_t i = 0; i < component_count(migrations); i++)
        if (transform(&normalizing, component_get(component_at(migrations, i), "transformations"), &config,
                      err) < 0)
            return -1;
    /* The CDK compares with a shallow copy and so misses what changed inside of a mapping: the same migration
     * then runs for ever. Here the platform hears of every change. */
    if (!tvalue_equal(&engine->arena, &before, &config)) {
        *ret_changed = true;
        if (settle(engine, &config, &json, err) < 0)
            return -1;
        if (engine->output.config_changed && engine->output.config_changed(engine->output.context, json) < 0)
            return error_set(err, ERROR_CANCELLED, "nobody takes the new config");
        config = engine->config;
        value_own(&engine->arena, &config);
    }
    /* What transformations make of it is this run's alone: the platform does not hear of it. */
    if (transform(&normalizing, component_get(rules, "transformations"), &config, err) < 0)
        return -1;
    return settle(engine, &config, &json, err);
}

/* --- validated ---------------------------------------------------------------------------------------------
 */

struct validating {
    struct engine *engine;
    struct arena *arena;
    const struct schema *schema;
    struct schema_validator *validator;
    const char *what; /* that is wrong, if it is: a path of the config */
};

/* Texts are JSON, as the CDK takes them. No message has a value in it: it may be a secret. */
static int validate_value(void *context, const struct slice *path, size_t count, struct tvalue value,
                          struct error *err)
{
    struct validating *validating = context;
    struct buffer text;
    struct json doc;
    struct schema_violation violation;
    size_t violations = 0;
    buffer_init(&text, ENGINE_CONFIG_MAX);
    int done = 0;
    if (value.kind == TVALUE_STRING)
        buffer_append(&text, value.text.data, value.text.size);
    else
        done = value_write(&text, &value, err);
    if (done == 0 && json_parse_copy(validating->arena, text.data ? text.data : "", text.size, &doc, err) < 0)
        done = error_set(err, ERROR_INVALID, "the config's %s is a text that is not JSON", validating->what);
    buffer_done(&text);
    if (done < 0)
        return -1;
    int valid = schema_validate(validating->schema, validating->validator, &doc, 0, err);
    if (valid != 0)
        return valid < 0 ? -1 : 0;
    if (schema_explain(validating->schema, validating->validator, &doc, 0, validating->arena, &violation, 1,
                       &violations, err) < 0)
        return -1;
    return error_set(err, ERROR_INVALID,
                     "the config's %s%s is not what the connector takes: `%s` of its rule", validating->what,
                     violations ? violation.instance : "", violations ? violation.keyword_location : "");
}

/* A text is a schema, too: JSON. */
static struct schema *compile_schema(struct component strategy, struct schema_registry *registry,
                                     struct error *err)
{
    static const char uri[] = "memory:/base_schema";
    struct component base = component_get(strategy, "base_schema");
    const struct json *doc = &base.manifest->doc;
    struct slice source =
        json_is(doc, base.at, JSON_STRING) ? component_string(base) : json_raw(doc, base.at);
    if (schema_registry_add(registry, uri, source, err) < 0)
        return NULL;
    return schema_compile(registry, uri, err);
}

static int validate_path(struct validating *validating, struct component component, struct error *err)
{
    struct scope scope;
    struct expressions steps;
    struct path path;
    struct tvalue value;
    scope_init(&scope, validating->engine);
    if (expressions_compile(validating->engine, component, "field_path", &steps, err) < 0 ||
        expressions_path(&steps, &scope, validating->arena, &path, err) < 0)
        return -1;
    if (path.count == 0)
        return error_set(err, ERROR_INVALID, "field_path is empty: name the field to be validated");
    struct buffer what;
    buffer_init(&what, 1024);
    for (size_t i = 0; i < path.count; i++)
        json_pointer_push(&what, path.segments[i]);
    validating->what = arena_strdup(validating->arena, buffer_cstr(&what));
    buffer_done(&what);
    for (size_t i = 0; i < path.count; i++)
        if (slice_is(path.segments[i], "*"))
            return value_glob(validating->arena, &validating->engine->config, path.segments, path.count,
                              validate_value, validating, err);
    if (!value_at_path(validating->arena, &validating->engine->config, path.segments, path.count, &value))
        return 0; /* what is not there is not validated */
    return validate_value(validating, path.segments, path.count, value, err);
}

/* Of what is written there, or what a template makes of the config. (The CDK fails at each
 * PredicateValidator, whatever its value: it calls it with an argument too many.) */
static int validate_predicate(struct validating *validating, struct component component, struct error *err)
{
    struct component node = component_get(component, "value");
    struct tvalue value = tvalue_none();
    validating->what = "value for a predicate";
    if (!component_is_none(node)) {
        value = tvalue_json(validating->arena, &node.manifest->doc, node.at);
        if (value.kind == TVALUE_STRING) {
            struct expression expression;
            struct scope scope;
            scope_init(&scope, validating->engine);
            if (expression_compile(validating->engine, component, "value", &expression, err) < 0 ||
                expression_string(&expression, &scope, validating->arena, &value, err) < 0)
                return -1;
        }
    }
    return validate_value(validating, NULL, 0, value, err);
}

static int validate(struct engine *engine, struct component component, struct arena *arena, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    mem_auto(schema_free) struct schema *schema =
        compile_schema(component_get(component, "validation_strategy"), registry, err);
    if (!schema)
        return -1;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    struct validating validating = {engine, arena, schema, validator, ""};
    return component_is(component, "DpathValidator") ? validate_path(&validating, component, err)
                                                     : validate_predicate(&validating, component, err);
}

int config_rules_validate(struct engine *engine, struct error *err)
{
    struct component validations = component_get(rules_of(engine), "validations");
    struct arena scratch;
    arena_init(&scratch);
    int done = 0;
    for (size_t i = 0; done == 0 && i < component_count(validations); i++) {
        struct component component = component_at(validations, i);
        done = validate(engine, component, &scratch, err);
        if (done < 0)
            component_error(err, component);
    }
    arena_done(&scratch);
    return done;
}
