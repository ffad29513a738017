/* collections: a key, one or two schemas, projections, how journals are kept. */
#include "catalog/loader.h"

enum {
    COLLECTION_KEY,
    COLLECTION_SCHEMA,
    COLLECTION_WRITE_SCHEMA,
    COLLECTION_READ_SCHEMA,
    COLLECTION_PROJECTIONS,
    COLLECTION_JOURNALS,
    COLLECTION_DERIVE,
    COLLECTION_EXPECT_PUB_ID,
    COLLECTION_DELETE,
    COLLECTION_RESET,
    COLLECTION_COUNT
};
static const struct key_rule collection_rules[COLLECTION_COUNT] = {
    [COLLECTION_KEY] = {"key", TYPE_LIST, true},
    [COLLECTION_SCHEMA] = {"schema", TYPE_MAPPING | TYPE_STRING | TYPE_BOOL, false},
    [COLLECTION_WRITE_SCHEMA] = {"writeSchema", TYPE_MAPPING | TYPE_STRING | TYPE_BOOL, false},
    [COLLECTION_READ_SCHEMA] = {"readSchema", TYPE_MAPPING | TYPE_STRING | TYPE_BOOL, false},
    [COLLECTION_PROJECTIONS] = {"projections", TYPE_MAPPING | TYPE_NULL, false},
    [COLLECTION_JOURNALS] = {"journals", TYPE_MAPPING | TYPE_NULL, false},
    [COLLECTION_DERIVE] = {"derive", TYPE_MAPPING | TYPE_NULL, false},
    [COLLECTION_EXPECT_PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
    [COLLECTION_DELETE] = {"delete", TYPE_BOOL, false},
    [COLLECTION_RESET] = {"reset", TYPE_BOOL, false},
};

/* --- key and projections --------------------------------------------------------------------------- */

static void tell_pointer(struct loader *loader, struct value value, const char *pointer)
{
    const char *written = value_written(loader, value);
    if (*pointer == '/' && strchr(pointer, '~'))
        loader_problem(loader, value,
                       "'%s' is not a JSON pointer: inside of a name '~' is written ~0 and '/' is written ~1",
                       written);
    else
        loader_problem(loader, value,
                       "'%s' is not a JSON pointer to a property; write '/' before each name, like '/%s'",
                       written, *pointer && *pointer != '/' ? written : "id");
}

static void build_key(struct loader *loader, struct catalog_collection *collection, struct value list)
{
    if (!value_there(list))
        return;
    size_t count = value_count(list);
    if (count == 0 || count > CATALOG_KEY_MAX) {
        loader_problem(loader, list, "'key' must have 1 to %d JSON pointers, like [/id]", CATALOG_KEY_MAX);
        return;
    }
    const char **key = arena_zalloc(loader->arena, count * sizeof *key);
    size_t used = 0;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each)) {
        if (!value_is(loader, each, TYPE_STRING, "a component of the key"))
            continue;
        const char *pointer = value_string(loader, each);
        if (!pointer)
            continue;
        if (!*pointer || !names_pointer_valid(slice_of(pointer))) {
            tell_pointer(loader, each, pointer);
            continue;
        }
        for (size_t i = 0; i < used; i++) {
            if (strcmp(key[i], pointer) == 0)
                loader_problem(loader, each, "'%s' is in the key twice", pointer);
        }
        key[used++] = pointer;
    }
    collection->key = key;
    collection->key_count = used;
}

static bool build_projection(struct loader *loader, struct value key,
                             struct catalog_projection *ret_projection)
{
    enum { LOCATION, PARTITION, COUNT };
    static const struct key_rule rules[COUNT] = {
        [LOCATION] = {"location", TYPE_STRING, true},
        [PARTITION] = {"partition", TYPE_BOOL, false},
    };
    struct value value = value_of_key(key), values[COUNT] = {value, {value.source, JSON_NONE}};
    const char *field = value_string(loader, key);
    if (!field)
        return false;
    if (!names_field_valid(slice_of(field))) {
        loader_problem(loader, key, "'%s' cannot be the name of a field: it must not begin or end with '/'",
                       value_written(loader, key));
        return false;
    }
    if (!value_is(loader, value, TYPE_STRING | TYPE_MAPPING, "a projection"))
        return false;
    if (value_has_tag(value, JSON_OBJECT) &&
        !value_members(loader, value, "a projection", rules, COUNT, values))
        return false;
    const char *location = value_there(values[LOCATION]) ? value_string(loader, values[LOCATION]) : NULL;
    if (!location)
        return false;
    if (!names_pointer_valid(slice_of(location))) {
        loader_problem(loader, values[LOCATION], "'%s' is not a JSON pointer; write '/' before each name",
                       value_written(loader, values[LOCATION]));
        return false;
    }
    *ret_projection = (struct catalog_projection){field, location, value_true(values[PARTITION])};
    return true;
}

static void build_projections(struct loader *loader, struct catalog_collection *collection,
                              struct value mapping)
{
    struct catalog_projection *projections =
        arena_zalloc(loader->arena, (value_count(mapping) + 1) * sizeof *projections);
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key))
        collection->projection_count +=
            build_projection(loader, key, &projections[collection->projection_count]);
    collection->projections = projections;
}

/* --- journals -------------------------------------------------------------------------------------- */

static void build_fragments(struct loader *loader, struct catalog_journal *journal, struct value mapping)
{
    enum { CODEC, LENGTH, FLUSH, RETENTION, RETENTION_SIZE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [CODEC] = {"compressionCodec", TYPE_STRING, false},
        [LENGTH] = {"length", TYPE_INTEGER, false},
        [FLUSH] = {"flushInterval", TYPE_DURATION | TYPE_NULL, false},
        [RETENTION] = {"retention", TYPE_DURATION | TYPE_NULL, false},
        [RETENTION_SIZE] = {"retentionSize", TYPE_INTEGER, false},
    };
    static const char *const codecs[] = {"NONE", "GZIP", "ZSTANDARD", "SNAPPY", "GZIP_OFFLOAD_DECOMPRESSION"};
    struct value values[COUNT];
    uint64_t number;
    if (!value_there(mapping) || !value_members(loader, mapping, "'fragments'", rules, COUNT, values))
        return;
    if (value_there(values[CODEC]) &&
        value_word(loader, values[CODEC], "'compressionCodec'", codecs, RULES_COUNT(codecs)) == 0)
        journal->compression = CATALOG_COMPRESSION_NONE;
    if (value_there(values[LENGTH]) && value_u64(loader, values[LENGTH], "'length' (MB)", 1, 4096, &number))
        journal->segment_bytes = number << 20;
    if (value_there(values[FLUSH]))
        value_duration(loader, values[FLUSH], "'flushInterval'", &number);
    if (value_there(values[RETENTION]))
        value_duration(loader, values[RETENTION], "'retention'", &journal->retain_ms);
    if (value_there(values[RETENTION_SIZE]) &&
        value_u64(loader, values[RETENTION_SIZE], "'retentionSize' (MB)", 1, 1 << 30, &number))
        journal->retain_bytes = number << 20;
}

static void build_journals(struct loader *loader, struct catalog_journal *journal, struct value mapping)
{
    static const struct key_rule rules[] = {{"fragments", TYPE_MAPPING | TYPE_NULL, false}};
    struct value fragments;
    if (value_there(mapping) && value_members(loader, mapping, "'journals'", rules, 1, &fragments))
        build_fragments(loader, journal, fragments);
}

/* --- collections ----------------------------------------------------------------------------------- */

static void build_schemas(struct loader *loader, struct catalog_collection *collection,
                          const struct entry *entry, const struct value *values)
{
    struct collection_schemas given = {values[COLLECTION_SCHEMA], values[COLLECTION_WRITE_SCHEMA],
                                       values[COLLECTION_READ_SCHEMA]};
    static const char *const names[] = {"schema", "writeSchema", "readSchema"};
    bool one = value_there(given.schema), write = value_there(given.write), read = value_there(given.read);
    for (size_t i = 0; i < RULES_COUNT(names) && value_has_tag(entry->value, JSON_OBJECT); i++) {
        /* There, but of no type that a schema has: told already. */
        if (!value_there(values[COLLECTION_SCHEMA + i]) &&
            json_get(&entry->value.source->doc.json, entry->value.at, names[i]) != JSON_NONE)
            return;
    }
    if (one && (write || read))
        loader_problem(
            loader, write ? given.write : given.read,
            "the collection has a 'schema' already; use either that, or 'writeSchema' and 'readSchema'");
    else if (!one && write != read)
        loader_problem(loader, entry->value, "the collection has '%s' and lacks '%s'",
                       write ? "writeSchema" : "readSchema", write ? "readSchema" : "writeSchema");
    else if (!one && !write && value_has_tag(entry->value, JSON_OBJECT))
        loader_problem(
            loader, entry->value,
            "a collection needs 'schema', a JSON Schema inline or the path of one; 'schema: {}' accepts "
            "every document");
    else
        schemas_build(loader, collection, given);
}

static void build_collection(struct loader *loader, struct entry *entry,
                             struct catalog_collection *collection)
{
    struct value values[COLLECTION_COUNT];
    *collection = (struct catalog_collection){
        .place = *entry->place,
        .name = entry->name,
        .journal = {.compression = CATALOG_COMPRESSION_ZSTD},
    };
    entry->collection = collection;
    if (!value_members(loader, entry->value, "a collection", collection_rules, COLLECTION_COUNT, values))
        return;
    build_key(loader, collection, values[COLLECTION_KEY]);
    build_projections(loader, collection, values[COLLECTION_PROJECTIONS]);
    build_journals(loader, &collection->journal, values[COLLECTION_JOURNALS]);
    collection->derived = value_there(values[COLLECTION_DERIVE]);
    if (collection->derived)
        derivation_check(loader, values[COLLECTION_DERIVE]);
    build_schemas(loader, collection, entry, values);
    if (collection->write_schema && collection->key_count)
        keys_check(loader, values[COLLECTION_KEY], collection->write_schema_uri);
}

void collections_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_COLLECTIONS];
    struct catalog_collection *collections =
        arena_zalloc(loader->arena, (entries->count + 1) * sizeof *collections);
    for (size_t i = 0; i < entries->count; i++)
        build_collection(loader, entries->items[i], &collections[i]);
    loader->catalog->collections = collections;
    loader->catalog->collection_count = entries->count;
}
