/* derive: of a collection: checked as far as names go, so that a catalog that has it loads, and a mistake in
 * it is not found years later. It is not run. */
#include "catalog/loader.h"

static void check_transform(struct loader *loader, struct value value)
{
    enum { NAME, SOURCE, SHUFFLE, LAMBDA, PRIORITY, READ_DELAY, BACKFILL, DISABLE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [NAME] = {"name", TYPE_STRING, true},
        [SOURCE] = {"source", TYPE_STRING | TYPE_MAPPING, true},
        [SHUFFLE] = {"shuffle", TYPE_STRING | TYPE_MAPPING, true},
        [LAMBDA] = {"lambda", TYPE_ANY, false},
        [PRIORITY] = {"priority", TYPE_INTEGER, false},
        [READ_DELAY] = {"readDelay", TYPE_DURATION | TYPE_NULL, false},
        [BACKFILL] = {"backfill", TYPE_INTEGER, false},
        [DISABLE] = {"disable", TYPE_BOOL, false},
    };
    struct value values[COUNT];
    uint64_t ms;
    if (!value_members(loader, value, "a transform", rules, COUNT, values))
        return;
    struct catalog_source source;
    if (value_there(values[SOURCE]))
        source_build(loader, values[SOURCE], SOURCE_ANY, &source);
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
    enum log_level unused;
    shards_disable(loader, values[SHARDS], &unused);
}
