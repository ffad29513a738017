/* Which documents of a collection a binding or a test's step is about: a name, or {name, partitions,
 * notBefore, notAfter}. */
#include "base/clock.h"
#include "catalog/loader.h"

static const struct catalog_projection *find_projection(const struct catalog_collection *collection,
                                                        const char *field)
{
    for (size_t i = 0; i < collection->projection_count; i++) {
        if (strcmp(collection->projections[i].field, field) == 0)
            return &collection->projections[i];
    }
    return NULL;
}

static void tell_no_partition(struct loader *loader, struct value key,
                              const struct catalog_collection *collection)
{
    const char **names = arena_alloc(&loader->scratch, (collection->projection_count + 1) * sizeof *names);
    const char *all = "";
    size_t count = 0;
    for (size_t i = 0; i < collection->projection_count; i++) {
        const struct catalog_projection *projection = &collection->projections[i];
        if (!projection->partition)
            continue;
        names[count++] = projection->field;
        all = arena_printf(&loader->scratch, "%s%s%s", all, count > 1 ? ", " : "", projection->field);
    }
    const char *suggestion = loader_suggest(loader, value_written(loader, key), names, count);
    if (count == 0)
        loader_problem(
            loader, key,
            "'%s' is no partition of '%s', which has none; a projection with partition: true makes one",
            value_written(loader, key), collection->name);
    else
        loader_problem(loader, key, "'%s' is no partition of '%s'%s%s", value_written(loader, key),
                       collection->name, *suggestion ? suggestion : "; it has: ", *suggestion ? "" : all);
}

static bool build_values(struct loader *loader, struct value list, struct catalog_partition *partition)
{
    if (!value_is(loader, list, TYPE_LIST, "a partition's values"))
        return false;
    struct slice *values = arena_zalloc(loader->arena, (value_count(list) + 1) * sizeof *values);
    bool fine = true;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each)) {
        struct slice text;
        if (value_is(loader, each, TYPE_STRING | TYPE_INTEGER | TYPE_BOOL | TYPE_NULL,
                     "a partition's value") &&
            variables_json(loader, each, &text))
            values[partition->value_count++] = text;
        else
            fine = false;
    }
    partition->values = values;
    return fine;
}

static const struct catalog_partition *build_partitions(struct loader *loader, struct value mapping,
                                                        const struct catalog_collection *collection,
                                                        size_t *ret_count)
{
    struct catalog_partition *partitions =
        arena_zalloc(loader->arena, (value_count(mapping) + 1) * sizeof *partitions);
    size_t count = 0;
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key)) {
        const char *field = value_string(loader, key);
        const struct catalog_projection *projection = field ? find_projection(collection, field) : NULL;
        if (field && (!projection || !projection->partition)) {
            tell_no_partition(loader, key, collection);
            continue;
        }
        struct catalog_partition partition = {.projection = projection};
        if (field && build_values(loader, value_of_key(key), &partition))
            partitions[count++] = partition;
    }
    *ret_count = count;
    return partitions;
}

static void build_time(struct loader *loader, struct value value, const char *what, int64_t *ret_ms)
{
    const char *text =
        value_there(value) && !value_has_tag(value, JSON_NULL) ? value_string(loader, value) : NULL;
    if (text && !clock_parse_rfc3339(text, strlen(text), ret_ms))
        loader_problem(loader, value, "%s must be a time like 2026-11-21T09:30:00Z, not '%s'", what,
                       value_written(loader, value));
}

bool source_build(struct loader *loader, struct value value, enum source_kind kind,
                  struct catalog_source *ret_source)
{
    enum { NAME, PARTITIONS, NOT_BEFORE, NOT_AFTER, COUNT };
    static const struct key_rule rules[COUNT] = {
        [NAME] = {"name", TYPE_STRING, true},
        [PARTITIONS] = {"partitions", TYPE_MAPPING | TYPE_NULL, false},
        [NOT_BEFORE] = {"notBefore", TYPE_STRING | TYPE_NULL, false},
        [NOT_AFTER] = {"notAfter", TYPE_STRING | TYPE_NULL, false},
    };
    enum { INCLUDE, EXCLUDE, SELECTOR_COUNT };
    static const struct key_rule selector_rules[SELECTOR_COUNT] = {
        [INCLUDE] = {"include", TYPE_MAPPING | TYPE_NULL, false},
        [EXCLUDE] = {"exclude", TYPE_MAPPING | TYPE_NULL, false},
    };
    struct value none = {value.source, JSON_NONE}, values[COUNT] = {value, none, none, none};
    *ret_source = (struct catalog_source){
        .place = loader_place(value), .not_before_ms = INT64_MIN, .not_after_ms = INT64_MAX};
    if (!value_is(loader, value, TYPE_STRING | TYPE_MAPPING, "a source") ||
        (value_has_tag(value, JSON_OBJECT) &&
         !value_members(loader, value, "a source", rules, COUNT, values)) ||
        !value_there(values[NAME]))
        return false;
    struct entry *entry = names_collection(loader, values[NAME]);
    if (!entry || !entry->collection)
        return false;
    ret_source->collection = entry->collection;
    if (kind == SOURCE_NAME && value_has_tag(value, JSON_OBJECT)) {
        loader_problem(loader, value,
                       "documents are ingested into a whole collection: name it here, without more");
        return false;
    }
    struct value selectors[SELECTOR_COUNT];
    if (value_has_tag(values[PARTITIONS], JSON_OBJECT) &&
        value_members(loader, values[PARTITIONS], "'partitions'", selector_rules, SELECTOR_COUNT,
                      selectors)) {
        if (value_there(selectors[INCLUDE]))
            ret_source->include =
                build_partitions(loader, selectors[INCLUDE], entry->collection, &ret_source->include_count);
        if (value_there(selectors[EXCLUDE]))
            ret_source->exclude =
                build_partitions(loader, selectors[EXCLUDE], entry->collection, &ret_source->exclude_count);
    }
    build_time(loader, values[NOT_BEFORE], "'notBefore'", &ret_source->not_before_ms);
    build_time(loader, values[NOT_AFTER], "'notAfter'", &ret_source->not_after_ms);
    if (ret_source->not_before_ms >= ret_source->not_after_ms)
        loader_problem(loader, values[NOT_AFTER], "'notAfter' must be later than 'notBefore'");
    return true;
}
