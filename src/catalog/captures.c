/* captures: an endpoint and bindings of its resources to collections. */
#include "catalog/ingest.h"
#include "catalog/loader.h"

enum {
    CAPTURE_ENDPOINT,
    CAPTURE_BINDINGS,
    CAPTURE_INTERVAL,
    CAPTURE_AUTO_DISCOVER,
    CAPTURE_SHARDS,
    CAPTURE_ON_INVALID,
    CAPTURE_REDACT_SALT,
    CAPTURE_EXPECT_PUB_ID,
    CAPTURE_DELETE,
    CAPTURE_RESET,
    CAPTURE_COUNT
};
static const struct key_rule capture_rules[CAPTURE_COUNT] = {
    [CAPTURE_ENDPOINT] = {"endpoint", TYPE_MAPPING, true},
    [CAPTURE_BINDINGS] = {"bindings", TYPE_LIST, true},
    [CAPTURE_INTERVAL] = {"interval", TYPE_DURATION, false},
    [CAPTURE_AUTO_DISCOVER] = {"autoDiscover", TYPE_MAPPING | TYPE_NULL, false},
    [CAPTURE_SHARDS] = {"shards", TYPE_MAPPING | TYPE_NULL, false},
    [CAPTURE_ON_INVALID] = {"onInvalid", TYPE_STRING | TYPE_MAPPING, false},
    [CAPTURE_REDACT_SALT] = {"redactSalt", TYPE_STRING | TYPE_NULL, false},
    [CAPTURE_EXPECT_PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
    [CAPTURE_DELETE] = {"delete", TYPE_BOOL, false},
    [CAPTURE_RESET] = {"reset", TYPE_BOOL, false},
};

/* --- bindings -------------------------------------------------------------------------------------- */

enum { BINDING_RESOURCE, BINDING_TARGET, BINDING_DISABLE, BINDING_BACKFILL, BINDING_COUNT };
static const struct key_rule binding_rules[BINDING_COUNT] = {
    [BINDING_RESOURCE] = {"resource", TYPE_MAPPING, true},
    [BINDING_TARGET] = {"target", TYPE_STRING, true},
    [BINDING_DISABLE] = {"disable", TYPE_BOOL, false},
    [BINDING_BACKFILL] = {"backfill", TYPE_INTEGER, false},
};

const char *resource_name(struct loader *loader, struct slice resource, size_t index)
{
    static const char *const members[] = {"stream", "name", "table", "topic", "collection"};
    struct json doc;
    struct error err;

    if (json_parse_copy(&loader->scratch, resource.data, resource.size, &doc, &err) == 0) {
        for (size_t i = 0; i < RULES_COUNT(members); i++) {
            const char *name = json_cstring(&doc, json_get(&doc, 0, members[i]), loader->arena);
            if (name && *name)
                return name;
        }
    }
    return arena_printf(loader->arena, "binding %zu", index + 1);
}

static void build_binding(struct loader *loader, struct value value, size_t index,
                          struct catalog_binding *binding)
{
    struct value values[BINDING_COUNT];
    *binding = (struct catalog_binding){.place = loader_place(value)};
    if (!value_members(loader, value, "a binding", binding_rules, BINDING_COUNT, values))
        return;
    if (value_there(values[BINDING_RESOURCE]) &&
        variables_json(loader, values[BINDING_RESOURCE], &binding->resource))
        binding->name = resource_name(loader, binding->resource, index);
    if (value_there(values[BINDING_RESOURCE]))
        places_build(loader, values[BINDING_RESOURCE], &binding->resource_places);
    if (value_there(values[BINDING_TARGET])) {
        struct entry *target = names_collection(loader, values[BINDING_TARGET]);
        binding->target = target ? target->collection : NULL;
    }
    uint64_t backfill = 0;
    if (value_there(values[BINDING_BACKFILL]))
        value_u64(loader, values[BINDING_BACKFILL], "'backfill'", 0, UINT32_MAX, &backfill);
    binding->backfill = (uint32_t)backfill;
    binding->disable = value_true(values[BINDING_DISABLE]);
}

/* Two bindings of one capture that write to one collection would mix two resources in it. */
static void check_targets(struct loader *loader, struct value list, const struct catalog_binding *bindings)
{
    struct map seen;
    map_init(&seen);
    size_t index = 0;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each), index++) {
        const struct catalog_binding *binding = &bindings[index];
        if (!binding->target || binding->disable)
            continue;
        struct slice name = slice_of(binding->target->name);
        const struct catalog_binding *earlier = map_get(&seen, name);
        struct value target = {each.source, json_get(&each.source->doc.json, each.at, "target")};
        if (earlier)
            loader_problem(
                loader, target,
                "the binding at line %u has the target '%s' already; each binding needs a collection of "
                "its own",
                earlier->place.line, value_written(loader, target));
        else
            map_set(&seen, name, (void *)binding);
    }
    map_done(&seen);
}

static void build_bindings(struct loader *loader, struct value list, struct catalog_capture *capture)
{
    size_t count = value_count(list);
    if (count > CATALOG_BINDINGS_MAX) {
        loader_problem(loader, list, "%zu bindings; at most %d are possible in one capture", count,
                       CATALOG_BINDINGS_MAX);
        return;
    }
    struct catalog_binding *bindings = arena_zalloc(loader->arena, (count + 1) * sizeof *bindings);
    size_t index = 0;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each), index++)
        build_binding(loader, each, index, &bindings[index]);
    check_targets(loader, list, bindings);
    capture->bindings = bindings;
    capture->binding_count = count;
}

/* --- onInvalid ------------------------------------------------------------------------------------- */

/* A quarantine holds what no schema accepts, so it cannot be a collection that has one. */
static void set_quarantine(struct loader *loader, struct value value, struct catalog_capture *capture,
                           const char *name)
{
    struct catalog_binding *bindings = (struct catalog_binding *)capture->bindings;
    capture->on_invalid = CATALOG_ON_INVALID_QUARANTINE;
    for (size_t i = 0; i < capture->binding_count; i++) {
        struct catalog_binding *binding = &bindings[i];
        if (!binding->target)
            continue;
        binding->quarantine = name ? name : arena_printf(loader->arena, "%s/invalid", binding->target->name);
        if (loader_entry(loader, SECTION_COLLECTIONS, binding->quarantine))
            loader_problem(
                loader, value,
                "the quarantine must not be a collection of the catalog, since its documents violate "
                "schemas; name another: onInvalid: {quarantine: NAME}");
    }
}

static void build_on_invalid(struct loader *loader, struct value value, struct catalog_capture *capture)
{
    static const char *const words[] = {"stop", "quarantine"};
    static const struct key_rule rules[] = {{"quarantine", TYPE_STRING, true}};
    struct value name;
    if (value_has_tag(value, JSON_STRING)) {
        if (value_word(loader, value, "'onInvalid'", words, RULES_COUNT(words)) == 1)
            set_quarantine(loader, value, capture, NULL);
        return;
    }
    if (!value_members(loader, value, "'onInvalid'", rules, 1, &name) || !value_there(name))
        return;
    const char *collection = value_string(loader, name);
    if (collection && names_check(loader, name, "a collection", collection))
        set_quarantine(loader, name, capture, collection);
}

/* --- push captures --------------------------------------------------------------------------------- */

/* What is wrong is told where it is written, without its line: tokens are among it. */
static void tell_ingest(struct loader *loader, struct value whole, const char *pointer,
                        const struct error *error)
{
    uint32_t at = json_pointer(&whole.source->doc.json, whole.at, slice_of(pointer));
    loader->hides = true;
    loader_problem(loader, at == JSON_NONE ? whole : (struct value){whole.source, at}, "%s", error->message);
    loader->hides = false;
}

static struct value inside(struct value of, const char *name)
{
    return (struct value){of.source, json_get(&of.source->doc.json, of.at, name)};
}

/* Where documents of the capture may be sent to: what leads to one resource leads to no other. */
struct ways {
    struct map names, paths, collections; /* to the binding */
};

static void check_ways(struct loader *loader, struct value resource, const struct catalog_binding *binding,
                       const struct catalog_ingest *options, struct ways *ways)
{
    struct error err;
    const char *collection = binding->target->name;
    const char *name = options->name ? options->name : collection;
    const struct catalog_binding *called = map_get(&ways->names, slice_of(collection));
    if (map_get(&ways->names, slice_of(name))) {
        error_set(&err, ERROR_INVALID, "two resources of the capture have the name '%s'", name);
        tell_ingest(loader, resource, options->name ? "/name" : "", &err);
    } else if ((strcmp(name, collection) != 0 && map_get(&ways->collections, slice_of(name))) ||
               (called && strcmp(called->target->name, collection) != 0)) {
        error_set(&err, ERROR_INVALID, "'%s' is the name of one resource and the collection of another",
                  called ? collection : name);
        tell_ingest(loader, resource, options->name ? "/name" : "", &err);
    }
    if (options->path && map_get(&ways->paths, slice_of(options->path))) {
        error_set(&err, ERROR_INVALID, "two resources of the capture have the path %s", options->path);
        tell_ingest(loader, resource, "/path", &err);
    }
    map_set(&ways->names, slice_of(name), (void *)binding);
    map_set(&ways->collections, slice_of(collection), (void *)binding);
    if (options->path)
        map_set(&ways->paths, slice_of(options->path), (void *)binding);
}

static void check_ingest(struct loader *loader, struct value endpoint, struct value list,
                         const struct catalog_capture *capture)
{
    struct catalog_ingest options, resource;
    const char *pointer;
    struct error err;
    size_t index = 0;
    struct ways ways;
    if (capture->endpoint.kind != CATALOG_ENDPOINT_INGEST || !capture->endpoint.config.data)
        return;
    if (catalog_ingest_endpoint(capture->endpoint.config, &loader->scratch, &options, &pointer, &err) < 0) {
        tell_ingest(loader, inside(endpoint, "ingest"), pointer, &err);
        return;
    }
    map_init(&ways.names);
    map_init(&ways.paths);
    map_init(&ways.collections);
    for (struct value each = value_first(list); value_there(each) && index < capture->binding_count;
         each = value_next(list, each), index++) {
        const struct catalog_binding *binding = &capture->bindings[index];
        if (!binding->resource.data)
            continue;
        if (catalog_ingest_resource(&options, binding->resource, &loader->scratch, &resource, &pointer,
                                    &err) < 0)
            tell_ingest(loader, inside(each, "resource"), pointer, &err);
        else if (binding->target && !binding->disable)
            check_ways(loader, inside(each, "resource"), binding, &resource, &ways);
    }
    map_done(&ways.names);
    map_done(&ways.paths);
    map_done(&ways.collections);
}

/* --- captures -------------------------------------------------------------------------------------- */

static void build_auto_discover(struct loader *loader, struct value value, struct catalog_capture *capture)
{
    enum { ADD, EVOLVE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [ADD] = {"addNewBindings", TYPE_BOOL, false},
        [EVOLVE] = {"evolveIncompatibleCollections", TYPE_BOOL, false},
    };
    struct value values[COUNT];
    if (!value_there(value) || !value_members(loader, value, "'autoDiscover'", rules, COUNT, values))
        return;
    capture->auto_discover = true;
    capture->add_new_bindings = value_true(values[ADD]);
    capture->evolve_incompatible_collections = value_true(values[EVOLVE]);
}

/* False: not one that runs (delete: true). */
static bool build_capture(struct loader *loader, const struct entry *entry, struct catalog_capture *capture)
{
    struct value values[CAPTURE_COUNT];
    *capture = (struct catalog_capture){
        .place = *entry->place,
        .name = entry->name,
        .interval_ms = CATALOG_INTERVAL_DEFAULT_MS,
    };
    if (!value_members(loader, entry->value, "a capture", capture_rules, CAPTURE_COUNT, values))
        return false;
    if (value_there(values[CAPTURE_ENDPOINT]))
        endpoint_build(loader, values[CAPTURE_ENDPOINT], "'endpoint'",
                       ENDPOINT_CONNECTOR | ENDPOINT_LOCAL | ENDPOINT_INGEST, CATALOG_PROTOCOL_FLOW,
                       &capture->endpoint);
    build_bindings(loader, values[CAPTURE_BINDINGS], capture);
    if (value_there(values[CAPTURE_ENDPOINT]))
        check_ingest(loader, values[CAPTURE_ENDPOINT], values[CAPTURE_BINDINGS], capture);
    if (value_there(values[CAPTURE_INTERVAL]) &&
        value_duration(loader, values[CAPTURE_INTERVAL], "'interval'", &capture->interval_ms) &&
        capture->interval_ms < CATALOG_INTERVAL_MIN_MS)
        loader_problem(loader, values[CAPTURE_INTERVAL], "'interval' must be at least 1s");
    build_auto_discover(loader, values[CAPTURE_AUTO_DISCOVER], capture);
    capture->disable = shards_disable(loader, values[CAPTURE_SHARDS], &capture->log_level);
    if (value_there(values[CAPTURE_REDACT_SALT]))
        capture->redact_salt = value_string(loader, values[CAPTURE_REDACT_SALT]);
    if (value_there(values[CAPTURE_ON_INVALID]))
        build_on_invalid(loader, values[CAPTURE_ON_INVALID], capture);
    return !value_true(values[CAPTURE_DELETE]);
}

void captures_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_CAPTURES];
    struct catalog_capture *captures = arena_zalloc(loader->arena, (entries->count + 1) * sizeof *captures);
    size_t count = 0;
    for (size_t i = 0; i < entries->count; i++)
        count += build_capture(loader, entries->items[i], &captures[count]);
    loader->catalog->captures = captures;
    loader->catalog->capture_count = count;
}
