/* Loading from end to end, and looking things up. */
#include "catalog/loader.h"

#include <stdlib.h>

static void loader_init(struct loader *loader, struct catalog *catalog, const struct catalog_options *options,
                        struct catalog_errors *errors)
{
    *loader = (struct loader){
        .catalog = catalog,
        .arena = &catalog->arena,
        .options = options,
        .errors = errors,
    };
    arena_init(&loader->scratch);
    map_init(&loader->problem_seen);
    map_init(&loader->by_path);
    map_init(&loader->schema_places);
    for (size_t i = 0; i < SECTION_COUNT; i++)
        map_init(&loader->sections[i].by_name);
}

static void loader_done(struct loader *loader)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        map_done(&loader->sections[i].by_name);
        free(loader->sections[i].items);
    }
    map_done(&loader->by_path);
    map_done(&loader->schema_places);
    map_done(&loader->problem_seen);
    free(loader->sources);
    free(loader->problems);
    free(loader->schema_documents);
    arena_done(&loader->scratch);
}

static void hand_over(struct loader *loader)
{
    struct catalog *catalog = loader->catalog;
    const char **files = arena_alloc(loader->arena, (loader->source_count + 1) * sizeof *files);
    for (size_t i = 0; i < loader->source_count; i++)
        files[i] = loader->sources[i]->absolute;
    catalog->files = files;
    catalog->file_count = loader->source_count;
    catalog->schema_document_count = loader->schema_document_count;
    if (loader->schema_document_count)
        catalog->schema_documents =
            arena_dup(loader->arena, loader->schema_documents,
                      loader->schema_document_count * sizeof *loader->schema_documents);
}

/* Something must be there to do, or it is likely not the file that was meant. */
static void check_not_empty(struct loader *loader)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (loader->sections[i].count)
            return;
    }
    if (loader->problem_count == 0)
        loader_problem_at(loader, NULL, (struct yaml_position){0, 0},
                          "the catalog defines nothing: no collections, captures or connections");
}

static void load(struct loader *loader, const char *path)
{
    schema_registry_on_missing(loader->catalog->schemas, schemas_fetch, loader);
    loader_read_catalog(loader, path);
    collections_build(loader);
    captures_build(loader);
    materializations_build(loader);
    tests_build(loader);
    connections_build(loader);
    check_not_empty(loader);
    schema_registry_on_missing(loader->catalog->schemas, NULL, NULL);
}

struct catalog *catalog_load(const char *path, const struct catalog_options *options,
                             struct catalog_errors *errors, struct error *err)
{
    struct catalog *catalog = mem_zalloc(sizeof *catalog);
    arena_init(&catalog->arena);
    catalog->file = arena_strdup(&catalog->arena, path);
    catalog->schemas = schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct loader loader;
    loader_init(&loader, catalog, options, errors);
    load(&loader, path);
    hand_over(&loader);
    loader_hand_over_problems(&loader);
    loader_done(&loader);
    if (options && options->check)
        options->check(options->check_context, catalog, errors);
    if (errors->count == 0)
        return catalog;
    catalog_errors_first(errors, err);
    catalog_free(catalog);
    return NULL;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return;
    for (size_t i = 0; i < catalog->collection_count; i++) {
        const struct catalog_collection *collection = &catalog->collections[i];
        if (collection->read_schema != collection->write_schema)
            schema_free((struct schema *)collection->read_schema);
        schema_free((struct schema *)collection->write_schema);
    }
    schema_registry_free(catalog->schemas);
    arena_done(&catalog->arena);
    free(catalog);
}

/* --- looking up ------------------------------------------------------------------------------------ */

const struct catalog_collection *catalog_collection(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->collection_count; i++) {
        if (strcmp(catalog->collections[i].name, name) == 0)
            return &catalog->collections[i];
    }
    return NULL;
}

const struct catalog_capture *catalog_capture(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->capture_count; i++) {
        if (strcmp(catalog->captures[i].name, name) == 0)
            return &catalog->captures[i];
    }
    return NULL;
}

const struct catalog_materialization *catalog_materialization(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        if (strcmp(catalog->materializations[i].name, name) == 0)
            return &catalog->materializations[i];
    }
    return NULL;
}

const struct catalog_connection *catalog_connection(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->connection_count; i++) {
        if (strcmp(catalog->connections[i].name, name) == 0)
            return &catalog->connections[i];
    }
    return NULL;
}
