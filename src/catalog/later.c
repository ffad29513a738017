/* What catalogs have and this version does not run: materializations, tests, derivations. They are checked as
 * far as names go, so that a catalog that has them loads, and a mistake in one is not found years later. */
#include "catalog/loader.h"

/* A collection's name, or {name, partitions, notBefore, notAfter}. */
static void check_source(struct loader *loader, struct value value)
{
    enum { NAME, PARTITIONS, NOT_BEFORE, NOT_AFTER, COUNT };
    static const struct key_rule rules[COUNT] = {
        [NAME] = {"name", TYPE_STRING, true},
        [PARTITIONS] = {"partitions", TYPE_MAPPING | TYPE_NULL, false},
        [NOT_BEFORE] = {"notBefore", TYPE_STRING | TYPE_NULL, false},
        [NOT_AFTER] = {"notAfter", TYPE_STRING | TYPE_NULL, false},
    };
    struct value values[COUNT] = {value};
    if (!value_there(value))
        return;
    if (value_has_tag(value, JSON_OBJECT) && !value_members(loader, value, "a source", rules, COUNT, values))
        return;
    if (value_there(values[NAME]))
        names_collection(loader, values[NAME]);
}

/* --- materializations ------------------------------------------------------------------------------ */

static void check_fields(struct loader *loader, struct value value)
{
    static const struct key_rule rules[] = {
        {"recommended", TYPE_BOOL | TYPE_INTEGER, true},
        {"groupBy", TYPE_LIST, false},
        {"require", TYPE_MAPPING, false},
        {"include", TYPE_MAPPING, false}, /* the older name of require */
        {"exclude", TYPE_LIST, false},
    };
    struct value values[RULES_COUNT(rules)];
    if (value_there(value))
        value_members(loader, value, "'fields'", rules, RULES_COUNT(rules), values);
}

static void check_materialization_binding(struct loader *loader, struct value value)
{
    enum { SOURCE, RESOURCE, DISABLE, PRIORITY, BACKFILL, ON_INCOMPATIBLE, FIELDS, COUNT };
    static const struct key_rule rules[COUNT] = {
        [SOURCE] = {"source", TYPE_STRING | TYPE_MAPPING, true},
        [RESOURCE] = {"resource", TYPE_MAPPING, true},
        [DISABLE] = {"disable", TYPE_BOOL, false},
        [PRIORITY] = {"priority", TYPE_INTEGER, false},
        [BACKFILL] = {"backfill", TYPE_INTEGER, false},
        [ON_INCOMPATIBLE] = {"onIncompatibleSchemaChange", TYPE_STRING | TYPE_NULL, false},
        [FIELDS] = {"fields", TYPE_MAPPING, false},
    };
    struct value values[COUNT];
    if (!value_members(loader, value, "a binding", rules, COUNT, values))
        return;
    check_source(loader, values[SOURCE]);
    check_fields(loader, values[FIELDS]);
}

/* source: a capture whose bindings are followed. */
static void check_source_capture(struct loader *loader, struct value value)
{
    enum { CAPTURE, DELTA, RECOMMENDED, NAMING, COUNT };
    static const struct key_rule rules[COUNT] = {
        [CAPTURE] = {"capture", TYPE_STRING, true},
        [DELTA] = {"deltaUpdates", TYPE_BOOL, false},
        [RECOMMENDED] = {"fieldsRecommended", TYPE_BOOL | TYPE_INTEGER | TYPE_NULL, false},
        [NAMING] = {"targetNaming", TYPE_STRING | TYPE_NULL, false},
    };
    struct value values[COUNT] = {value};
    if (!value_there(value))
        return;
    if (value_has_tag(value, JSON_OBJECT) && !value_members(loader, value, "'source'", rules, COUNT, values))
        return;
    const char *name = value_there(values[CAPTURE]) ? value_string(loader, values[CAPTURE]) : NULL;
    if (name && !loader_entry(loader, SECTION_CAPTURES, name))
        loader_problem(loader, values[CAPTURE], "there is no capture '%s'",
                       value_written(loader, values[CAPTURE]));
}

static void build_materialization(struct loader *loader, const struct entry *entry,
                                  struct catalog_materialization *materialization)
{
    enum {
        ENDPOINT,
        BINDINGS,
        SOURCE,
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
        [NAMING] = {"targetNaming", TYPE_MAPPING | TYPE_NULL, false},
        [ON_INCOMPATIBLE] = {"onIncompatibleSchemaChange", TYPE_STRING | TYPE_NULL, false},
        [TRIGGERS] = {"triggers", TYPE_MAPPING | TYPE_NULL, false},
        [SHARDS] = {"shards", TYPE_MAPPING | TYPE_NULL, false},
        [SALT] = {"redactSalt", TYPE_STRING | TYPE_NULL, false},
        [PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
        [DELETE] = {"delete", TYPE_BOOL, false},
        [RESET] = {"reset", TYPE_BOOL, false},
    };
    static const char *const changes[] = {"abort", "backfill", "disableBinding", "disableTask"};
    struct value values[COUNT];
    *materialization = (struct catalog_materialization){.place = *entry->place, .name = entry->name};
    if (!value_members(loader, entry->value, "a materialization", rules, COUNT, values))
        return;
    if (value_there(values[ENDPOINT]))
        endpoint_build(loader, values[ENDPOINT], "'endpoint'",
                       ENDPOINT_CONNECTOR | ENDPOINT_LOCAL | ENDPOINT_DEKAF, CATALOG_PROTOCOL_FLOW,
                       &materialization->endpoint);
    struct value list = values[BINDINGS];
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each))
        check_materialization_binding(loader, each);
    materialization->binding_count = value_count(list);
    check_source_capture(loader, values[SOURCE]);
    if (value_there(values[ON_INCOMPATIBLE]))
        value_word(loader, values[ON_INCOMPATIBLE], "'onIncompatibleSchemaChange'", changes,
                   RULES_COUNT(changes));
    materialization->disable = shards_disable(loader, values[SHARDS]);
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

/* --- tests ----------------------------------------------------------------------------------------- */

static void check_step(struct loader *loader, struct value value)
{
    enum { INGEST, VERIFY, STEP_COUNT };
    static const struct key_rule step_rules[STEP_COUNT] = {
        [INGEST] = {"ingest", TYPE_MAPPING, false},
        [VERIFY] = {"verify", TYPE_MAPPING, false},
    };
    enum { COLLECTION, DOCUMENTS, DESCRIPTION, COUNT };
    static const struct key_rule rules[COUNT] = {
        [COLLECTION] = {"collection", TYPE_STRING | TYPE_MAPPING, true},
        [DOCUMENTS] = {"documents", TYPE_LIST | TYPE_STRING, true},
        [DESCRIPTION] = {"description", TYPE_STRING, false},
    };
    struct value steps[STEP_COUNT], values[COUNT];
    if (!value_members(loader, value, "a step", step_rules, STEP_COUNT, steps))
        return;
    if (value_there(steps[INGEST]) == value_there(steps[VERIFY])) {
        loader_problem(loader, value, "a step is either 'ingest' or 'verify'");
        return;
    }
    struct value step = value_there(steps[INGEST]) ? steps[INGEST] : steps[VERIFY];
    if (value_members(loader, step, "a step", rules, COUNT, values))
        check_source(loader, values[COLLECTION]);
}

static void build_test(struct loader *loader, const struct entry *entry, struct catalog_test *test)
{
    enum { DESCRIPTION, STEPS, PUB_ID, DELETE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [DESCRIPTION] = {"description", TYPE_STRING, false},
        [STEPS] = {"steps", TYPE_LIST, true},
        [PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
        [DELETE] = {"delete", TYPE_BOOL, false},
    };
    struct value values[COUNT], list = entry->value;
    *test = (struct catalog_test){.place = *entry->place, .name = entry->name};
    if (!value_is(loader, entry->value, TYPE_LIST | TYPE_MAPPING, "a test"))
        return;
    if (value_has_tag(entry->value, JSON_OBJECT)) {
        value_members(loader, entry->value, "a test", rules, COUNT, values);
        list = values[STEPS];
    }
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each))
        check_step(loader, each);
    test->step_count = value_count(list);
}

void tests_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_TESTS];
    struct catalog_test *tests = arena_zalloc(loader->arena, (entries->count + 1) * sizeof *tests);
    for (size_t i = 0; i < entries->count; i++)
        build_test(loader, entries->items[i], &tests[i]);
    loader->catalog->tests = tests;
    loader->catalog->test_count = entries->count;
}

/* --- derivations ----------------------------------------------------------------------------------- */

static void check_transform(struct loader *loader, struct value value)
{
    enum { NAME, SOURCE, SHUFFLE, LAMBDA, PRIORITY, READ_DELAY, BACKFILL, DISABLE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [NAME] = {"name", TYPE_STRING, true},
        [SOURCE] = {"source", TYPE_STRING | TYPE_MAPPING, true},
        [SHUFFLE] = {"shuffle", TYPE_STRING | TYPE_MAPPING, true},
        [LAMBDA] = {"lambda", TYPE_ANY, false},
        [PRIORITY] = {"priority", TYPE_INTEGER, false},
        [READ_DELAY] = {"readDelay", TYPE_STRING | TYPE_NULL, false},
        [BACKFILL] = {"backfill", TYPE_INTEGER, false},
        [DISABLE] = {"disable", TYPE_BOOL, false},
    };
    struct value values[COUNT];
    uint64_t ms;
    if (!value_members(loader, value, "a transform", rules, COUNT, values))
        return;
    check_source(loader, values[SOURCE]);
    if (value_there(values[READ_DELAY]))
        value_duration(loader, values[READ_DELAY], "'readDelay'", &ms);
}

/* Each lambda belongs to the transform of its name. */
static void check_transform_names(struct loader *loader, struct value list)
{
    struct map seen;
    map_init(&seen);
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each)) {
        if (!value_has_tag(each, JSON_OBJECT))
            continue;
        struct value name = {each.source, json_get(&each.source->doc.json, each.at, "name")};
        if (!value_has_tag(name, JSON_STRING))
            continue;
        struct slice text = json_string(&name.source->doc.json, name.at, &loader->scratch);
        struct catalog_place place = loader_place(name);
        const struct catalog_place *earlier = map_get(&seen, text);
        if (earlier)
            loader_problem(loader, name, "the transform '%s' is here twice; the first is at line %u",
                           value_written(loader, name), earlier->line);
        else
            map_set(&seen, text, arena_dup(&loader->scratch, &place, sizeof place));
    }
    map_done(&seen);
}

/* using: exactly one of the ways to derive. */
static void check_using(struct loader *loader, struct value value)
{
    enum { SQLITE, TYPESCRIPT, PYTHON, CONNECTOR, LOCAL, COUNT };
    static const struct key_rule rules[COUNT] = {
        [SQLITE] = {"sqlite", TYPE_MAPPING, false}, [TYPESCRIPT] = {"typescript", TYPE_MAPPING, false},
        [PYTHON] = {"python", TYPE_MAPPING, false}, [CONNECTOR] = {"connector", TYPE_MAPPING, false},
        [LOCAL] = {"local", TYPE_MAPPING, false},
    };
    static const struct key_rule sqlite[] = {{"migrations", TYPE_LIST | TYPE_NULL, false}};
    static const struct key_rule module[] = {{"module", TYPE_STRING | TYPE_MAPPING, true},
                                             {"dependencies", TYPE_MAPPING | TYPE_NULL, false}};
    struct value values[COUNT], members[RULES_COUNT(module)];
    struct catalog_endpoint endpoint;
    if (!value_there(value) || !value_members(loader, value, "'using'", rules, COUNT, values))
        return;
    if (value_count(value) != 1) {
        loader_problem(loader, value,
                       "'using' must be one of 'sqlite', 'typescript', 'python', 'connector', 'local'");
        return;
    }
    if (value_there(values[SQLITE]))
        value_members(loader, values[SQLITE], "'sqlite'", sqlite, RULES_COUNT(sqlite), members);
    else if (value_there(values[TYPESCRIPT]))
        value_members(loader, values[TYPESCRIPT], "'typescript'", module, 1, members);
    else if (value_there(values[PYTHON]))
        value_members(loader, values[PYTHON], "'python'", module, RULES_COUNT(module), members);
    else if (value_there(values[CONNECTOR]) || value_there(values[LOCAL]))
        endpoint_build(loader, value, "'using'", ENDPOINT_CONNECTOR | ENDPOINT_LOCAL, CATALOG_PROTOCOL_FLOW,
                       &endpoint);
}

void derivation_check(struct loader *loader, struct value value)
{
    enum { USING, TRANSFORMS, SHUFFLE_KEY_TYPES, SHARDS, SALT, COUNT };
    static const struct key_rule rules[COUNT] = {
        [USING] = {"using", TYPE_MAPPING, true},
        [TRANSFORMS] = {"transforms", TYPE_LIST, true},
        [SHUFFLE_KEY_TYPES] = {"shuffleKeyTypes", TYPE_LIST | TYPE_NULL, false},
        [SHARDS] = {"shards", TYPE_MAPPING | TYPE_NULL, false},
        [SALT] = {"redactSalt", TYPE_STRING | TYPE_NULL, false},
    };
    struct value values[COUNT];
    if (!value_members(loader, value, "'derive'", rules, COUNT, values))
        return;
    struct value list = values[TRANSFORMS];
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each))
        check_transform(loader, each);
    check_transform_names(loader, list);
    check_using(loader, values[USING]);
    shards_disable(loader, values[SHARDS]);
}
