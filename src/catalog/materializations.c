/* materializations: an endpoint, and bindings of collections to its resources. */
#include "catalog/loader.h"

/* --- fields ---------------------------------------------------------------------------------------- */

/* true, false or a depth. */
uint32_t fields_recommended(struct loader *loader, struct value value)
{
    uint64_t depth = CATALOG_FIELDS_ALL;
    if (value_has_tag(value, JSON_FALSE))
        return 0;
    if (!value_has_tag(value, JSON_TRUE))
        value_u64(loader, value, "'recommended'", 0, CATALOG_FIELDS_ALL, &depth);
    return (uint32_t)depth;
}

static const char *const *build_names(struct loader *loader, struct value list, const char *what,
                                      size_t *ret_count)
{
    const char **names = arena_zalloc(loader->arena, (value_count(list) + 1) * sizeof *names);
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each)) {
        const char *name = value_is(loader, each, TYPE_STRING, what) ? value_string(loader, each) : NULL;
        if (name)
            names[(*ret_count)++] = name;
    }
    return names;
}

static void build_require(struct loader *loader, struct value mapping, struct catalog_fields *fields)
{
    struct catalog_field_config *require =
        arena_zalloc(loader->arena, (value_count(mapping) + 1) * sizeof *require);
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key)) {
        struct catalog_field_config *next = &require[fields->require_count];
        struct value config = value_of_key(key);
        next->field = value_string(loader, key);
        next->config = SLICE_LITERAL("{}");
        bool fine = value_is(loader, config, TYPE_MAPPING | TYPE_NULL, "a field's config");
        if (fine && value_has_tag(config, JSON_OBJECT))
            fine = variables_json(loader, config, &next->config);
        fields->require_count += fine && next->field;
    }
    fields->require = require;
}

static void build_fields(struct loader *loader, struct value value, struct catalog_fields *fields)
{
    enum { RECOMMENDED, GROUP_BY, REQUIRE, INCLUDE, EXCLUDE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [RECOMMENDED] = {"recommended", TYPE_BOOL | TYPE_INTEGER, true},
        [GROUP_BY] = {"groupBy", TYPE_LIST | TYPE_NULL, false},
        [REQUIRE] = {"require", TYPE_MAPPING | TYPE_NULL, false},
        [INCLUDE] = {"include", TYPE_MAPPING | TYPE_NULL, false}, /* the older name of require */
        [EXCLUDE] = {"exclude", TYPE_LIST | TYPE_NULL, false},
    };
    struct value values[COUNT];
    fields->recommended = CATALOG_FIELDS_ALL;
    if (!value_there(value) || !value_members(loader, value, "'fields'", rules, COUNT, values))
        return;
    if (value_there(values[RECOMMENDED]))
        fields->recommended = fields_recommended(loader, values[RECOMMENDED]);
    if (value_there(values[REQUIRE]) && value_there(values[INCLUDE])) {
        loader_problem(loader, values[INCLUDE],
                       "'include' is the older name of 'require': write one of them");
        return;
    }
    fields->has_group_by = value_count(values[GROUP_BY]) > 0;
    fields->group_by = build_names(loader, values[GROUP_BY], "a field of 'groupBy'", &fields->group_by_count);
    fields->exclude = build_names(loader, values[EXCLUDE], "a field of 'exclude'", &fields->exclude_count);
    build_require(loader, value_there(values[REQUIRE]) ? values[REQUIRE] : values[INCLUDE], fields);
    for (size_t i = 0; i < fields->require_count; i++)
        for (size_t j = 0; j < fields->exclude_count; j++)
            if (strcmp(fields->require[i].field, fields->exclude[j]) == 0)
                loader_problem(loader, values[EXCLUDE], "the field '%s' is required and excluded",
                               fields->exclude[j]);
}

/* --- bindings -------------------------------------------------------------------------------------- */

static enum catalog_on_incompatible build_on_incompatible(struct loader *loader, struct value value,
                                                          enum catalog_on_incompatible preset)
{
    static const char *const words[] = {
        [CATALOG_INCOMPATIBLE_BACKFILL] = "backfill",
        [CATALOG_INCOMPATIBLE_ABORT] = "abort",
        [CATALOG_INCOMPATIBLE_DISABLE_BINDING] = "disableBinding",
        [CATALOG_INCOMPATIBLE_DISABLE_TASK] = "disableTask",
    };
    if (!value_has_tag(value, JSON_STRING))
        return preset;
    int word = value_word(loader, value, "'onIncompatibleSchemaChange'", words, RULES_COUNT(words));
    return word < 0 ? preset : (enum catalog_on_incompatible)word;
}

static uint32_t build_u32(struct loader *loader, struct value value, const char *what)
{
    uint64_t number = 0;
    if (value_there(value))
        value_u64(loader, value, what, 0, UINT32_MAX, &number);
    return (uint32_t)number;
}

static void build_binding(struct loader *loader, struct value value, size_t index,
                          const struct catalog_materialization *materialization,
                          struct catalog_materialization_binding *binding)
{
    enum { SOURCE, RESOURCE, DISABLE, PRIORITY, BACKFILL, ON_INCOMPATIBLE, FIELDS, COUNT };
    static const struct key_rule rules[COUNT] = {
        [SOURCE] = {"source", TYPE_STRING | TYPE_MAPPING, true},
        [RESOURCE] = {"resource", TYPE_MAPPING, true},
        [DISABLE] = {"disable", TYPE_BOOL, false},
        [PRIORITY] = {"priority", TYPE_INTEGER, false},
        [BACKFILL] = {"backfill", TYPE_INTEGER, false},
        [ON_INCOMPATIBLE] = {"onIncompatibleSchemaChange", TYPE_STRING | TYPE_NULL, false},
        [FIELDS] = {"fields", TYPE_MAPPING | TYPE_NULL, false},
    };
    struct value values[COUNT];
    *binding = (struct catalog_materialization_binding){.place = loader_place(value)};
    if (!value_members(loader, value, "a binding", rules, COUNT, values))
        return;
    if (value_there(values[SOURCE]))
        source_build(loader, values[SOURCE], SOURCE_ANY, &binding->source);
    if (value_there(values[RESOURCE]) && variables_json(loader, values[RESOURCE], &binding->resource))
        binding->name = resource_name(loader, binding->resource, index);
    if (value_there(values[RESOURCE]))
        places_build(loader, values[RESOURCE], &binding->resource_places);
    build_fields(loader, values[FIELDS], &binding->fields);
    binding->on_incompatible =
        build_on_incompatible(loader, values[ON_INCOMPATIBLE], materialization->on_incompatible);
    binding->disable = value_true(values[DISABLE]);
    binding->priority = build_u32(loader, values[PRIORITY], "'priority'");
    binding->backfill = build_u32(loader, values[BACKFILL], "'backfill'");
}

static void build_bindings(struct loader *loader, struct value list,
                           struct catalog_materialization *materialization)
{
    size_t count = value_count(list);
    if (count > CATALOG_BINDINGS_MAX) {
        loader_problem(loader, list, "%zu bindings; at most %d are possible in one materialization", count,
                       CATALOG_BINDINGS_MAX);
        return;
    }
    struct catalog_materialization_binding *bindings =
        arena_zalloc(loader->arena, (count + 1) * sizeof *bindings);
    size_t index = 0;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each), index++)
        build_binding(loader, each, index, materialization, &bindings[index]);
    materialization->bindings = bindings;
    materialization->binding_count = count;
}

/* --- a materialization ------------------------------------------------------------------------------- */

static void build_materialization(struct loader *loader, const struct entry *entry,
                                  struct catalog_materialization *materialization)
{
    enum {
        ENDPOINT,
        BINDINGS,
        SOURCE,
        OLD_SOURCE,
        NAMING,
        ON_INCOMPATIBLE,
        TRIGGERS,
        SHARDS,
        SALT,
        PUB_ID,
        DELETE,
        RESET,
        COUNT
    };
    static const struct key_rule rules[COUNT] = {
        [ENDPOINT] = {"endpoint", TYPE_MAPPING, true},
        [BINDINGS] = {"bindings", TYPE_LIST, true},
        [SOURCE] = {"source", TYPE_STRING | TYPE_MAPPING | TYPE_NULL, false},
        [OLD_SOURCE] = {"sourceCapture", TYPE_STRING | TYPE_MAPPING | TYPE_NULL, false}, /* its older name */
        [NAMING] = {"targetNaming", TYPE_MAPPING | TYPE_NULL, false},
        [ON_INCOMPATIBLE] = {"onIncompatibleSchemaChange", TYPE_STRING | TYPE_NULL, false},
        [TRIGGERS] = {"triggers", TYPE_MAPPING | TYPE_NULL, false},
        [SHARDS] = {"shards", TYPE_MAPPING | TYPE_NULL, false},
        [SALT] = {"redactSalt", TYPE_STRING | TYPE_NULL, false},
        [PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
        [DELETE] = {"delete", TYPE_BOOL, false},
        [RESET] = {"reset", TYPE_BOOL, false},
    };
    struct value values[COUNT];
    *materialization = (struct catalog_materialization){.place = *entry->place, .name = entry->name};
    if (!value_members(loader, entry->value, "a materialization", rules, COUNT, values))
        return;
    if (value_there(values[ENDPOINT]))
        endpoint_build(loader, values[ENDPOINT], "'endpoint'",
                       ENDPOINT_CONNECTOR | ENDPOINT_LOCAL | ENDPOINT_DEKAF, CATALOG_PROTOCOL_FLOW,
                       &materialization->endpoint);
    materialization->on_incompatible =
        build_on_incompatible(loader, values[ON_INCOMPATIBLE], CATALOG_INCOMPATIBLE_BACKFILL);
    build_bindings(loader, values[BINDINGS], materialization);
    source_capture_build(loader, value_there(values[SOURCE]) ? values[SOURCE] : values[OLD_SOURCE],
                         values[NAMING], materialization);
    materialization->disable = shards_disable(loader, values[SHARDS], &materialization->log_level);
    materialization->triggers = triggers_build(loader, values[TRIGGERS]);
}

void materializations_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_MATERIALIZATIONS];
    struct catalog_materialization *items = arena_zalloc(loader->arena, (entries->count + 1) * sizeof *items);
    for (size_t i = 0; i < entries->count; i++)
        build_materialization(loader, entries->items[i], &items[i]);
    loader->catalog->materializations = items;
    loader->catalog->materialization_count = entries->count;
}
