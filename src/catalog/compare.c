#include "catalog/compare.h"

#include "schema/uri.h"

struct catalog_task *catalog_tasks(const struct catalog *catalog, struct arena *arena, size_t *ret_count)
{
    size_t count = 0;
    size_t total = catalog->capture_count + catalog->connection_count + catalog->materialization_count;
    struct catalog_task *tasks = arena_zalloc(arena, (total + 1) * sizeof *tasks);
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        tasks[count++] = (struct catalog_task){
            .name = capture->name, .place = &capture->place, .capture = capture, .disable = capture->disable};
    }
    for (size_t i = 0; i < catalog->connection_count; i++) {
        const struct catalog_connection *connection = &catalog->connections[i];
        tasks[count++] = (struct catalog_task){.name = connection->name,
                                               .place = &connection->place,
                                               .connection = connection,
                                               .disable = connection->disable};
    }
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        const struct catalog_materialization *materialization = &catalog->materializations[i];
        tasks[count++] = (struct catalog_task){.name = materialization->name,
                                               .place = &materialization->place,
                                               .materialization = materialization,
                                               .disable = materialization->disable};
    }
    *ret_count = count;
    return tasks;
}

const char *catalog_task_kind(const struct catalog_task *task)
{
    return task->capture ? "capture" : task->connection ? "connection" : "materialization";
}

const char *catalog_difference_name(unsigned index)
{
    static const char *const names[CATALOG_DIFFERENCES] = {"kind",   "connector", "config",  "bindings",
                                                           "schema", "schedule",  "enabled", "settings"};
    return names[index];
}

/* --- values -------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_words(const char *const *a, const char *const *b)
{
    if (!a || !b)
        return (!a || !*a) && (!b || !*b);
    while (*a && *b && strcmp(*a, *b) == 0)
        a++, b++;
    return !*a && !*b;
}

/* By value: 1 and 1.0, and members in another order, are the same. */
static bool same_json(struct slice a, struct slice b)
{
    struct json left, right;
    struct arena arena;
    struct error ignored; /* what cannot be parsed is compared by its bytes */
    if (slice_equal(a, b))
        return true;
    arena_init(&arena);
    bool same = json_parse_copy(&arena, a.data, a.size, &left, &ignored) == 0 &&
                json_parse_copy(&arena, b.data, b.size, &right, &ignored) == 0 &&
                json_equal(&left, 0, &right, 0);
    arena_done(&arena);
    return same;
}

/* --- endpoints ----------------------------------------------------------------------------------- */

static unsigned endpoint_differences(const struct catalog_endpoint *a, const struct catalog_endpoint *b)
{
    unsigned found = 0;
    bool local = a->kind == CATALOG_ENDPOINT_LOCAL;
    if (a->kind != b->kind || !same_text(a->image, b->image) || !same_words(a->command, b->command) ||
        a->protocol != b->protocol || a->protobuf != b->protobuf ||
        (local && !same_text(a->folder, b->folder)))
        found |= CATALOG_DIFFERS_CONNECTOR;
    if (!same_json(a->config, b->config) || !same_words(a->env, b->env))
        found |= CATALOG_DIFFERS_CONFIG;
    return found;
}

/* --- schemas ------------------------------------------------------------------------------------- */

/* A schema's URI tells where its file lies; what counts is where beside the catalog. */
static const char *beside(const struct catalog *catalog, const char *uri, struct arena *arena)
{
    if (!uri || catalog->file_count == 0)
        return uri;
    struct slice plain = uri_decode(arena, slice_of(uri));
    const char *text = arena_strndup(arena, plain.data, plain.size), *file = catalog->files[0];
    const char *own = arena_printf(arena, "file://%s?", file);
    const char *folder = arena_printf(arena, "file://%.*s/", (int)(strrchr(file, '/') - file), file);
    if (string_starts_with(text, own)) /* inside of the catalog's own file, whatever that is called */
        return text + strlen(own);
    return string_starts_with(text, folder) ? text + strlen(folder) : text;
}

static bool same_schemas(const struct catalog *a, const char *const *a_uris, const struct catalog *b,
                         const char *const *b_uris, size_t uri_count, struct arena *arena)
{
    size_t a_count, b_count;
    for (size_t i = 0; i < uri_count; i++) {
        if (!same_text(beside(a, a_uris[i], arena), beside(b, b_uris[i], arena)))
            return false;
    }
    const struct catalog_schema_document *a_needed =
        catalog_schemas_needed(a, a_uris, uri_count, arena, &a_count);
    const struct catalog_schema_document *b_needed =
        catalog_schemas_needed(b, b_uris, uri_count, arena, &b_count);
    bool same = a_count == b_count;
    for (size_t i = 0; i < a_count && same; i++) {
        /* Their order is that of reading, which an unrelated line of the catalog may change. */
        const char *uri = beside(a, a_needed[i].uri, arena);
        size_t j = 0;
        while (j < b_count && strcmp(beside(b, b_needed[j].uri, arena), uri) != 0)
            j++;
        same = j < b_count && same_json(a_needed[i].source, b_needed[j].source);
    }
    return same;
}

static struct slice write_schema(const struct catalog *catalog, const struct catalog_collection *collection)
{
    for (size_t i = 0; i < catalog->schema_document_count; i++) {
        if (strcmp(catalog->schema_documents[i].uri, collection->write_schema_uri) == 0)
            return catalog->schema_documents[i].source;
    }
    return (struct slice){"", 0};
}

bool catalog_same_write_schema(const struct catalog *a, const struct catalog_collection *a_collection,
                               const struct catalog *b, const struct catalog_collection *b_collection)
{
    struct slice written = write_schema(a, a_collection);
    return written.size == 0 || same_json(written, write_schema(b, b_collection));
}

/* --- captures ------------------------------------------------------------------------------------ */

static bool same_journal(const struct catalog_journal *a, const struct catalog_journal *b)
{
    return a->compression == b->compression && a->segment_bytes == b->segment_bytes &&
           a->retain_bytes == b->retain_bytes && a->retain_ms == b->retain_ms;
}

static bool same_collection(const struct catalog_collection *a, const struct catalog_collection *b)
{
    bool same = strcmp(a->name, b->name) == 0 && a->key_count == b->key_count &&
                same_journal(&a->journal, &b->journal) && a->projection_count == b->projection_count;
    for (size_t i = 0; same && i < a->key_count; i++)
        same = strcmp(a->key[i], b->key[i]) == 0;
    for (size_t i = 0; same && i < a->projection_count; i++)
        same = same_text(a->projections[i].field, b->projections[i].field) &&
               same_text(a->projections[i].location, b->projections[i].location) &&
               a->projections[i].partition == b->projections[i].partition;
    return same;
}

static bool same_binding(const struct catalog_binding *a, const struct catalog_binding *b)
{
    return same_json(a->resource, b->resource) && same_collection(a->target, b->target) &&
           same_text(a->quarantine, b->quarantine) && a->disable == b->disable && a->backfill == b->backfill;
}

static const char **schemas_of(const struct catalog_capture *capture, struct arena *arena)
{
    const char **uris = arena_zalloc(arena, (2 * capture->binding_count + 1) * sizeof *uris);
    for (size_t i = 0; i < capture->binding_count; i++) {
        uris[2 * i] = capture->bindings[i].target->write_schema_uri;
        uris[2 * i + 1] = capture->bindings[i].target->read_schema_uri;
    }
    return uris;
}

static unsigned capture_differences(const struct catalog *a_catalog, const struct catalog_capture *a,
                                    const struct catalog *b_catalog, const struct catalog_capture *b)
{
    unsigned found = endpoint_differences(&a->endpoint, &b->endpoint);
    bool same = a->binding_count == b->binding_count && a->on_invalid == b->on_invalid;
    for (size_t i = 0; same && i < a->binding_count; i++)
        same = same_binding(&a->bindings[i], &b->bindings[i]);
    if (!same)
        found |= CATALOG_DIFFERS_BINDINGS;
    if (a->binding_count == b->binding_count) {
        struct arena arena;
        arena_init(&arena);
        if (!same_schemas(a_catalog, schemas_of(a, &arena), b_catalog, schemas_of(b, &arena),
                          2 * a->binding_count, &arena))
            found |= CATALOG_DIFFERS_SCHEMA;
        arena_done(&arena);
    }
    if (a->interval_ms != b->interval_ms)
        found |= CATALOG_DIFFERS_SCHEDULE;
    if (a->auto_discover != b->auto_discover || a->add_new_bindings != b->add_new_bindings ||
        a->evolve_incompatible_collections != b->evolve_incompatible_collections ||
        a->log_level != b->log_level || !same_text(a->redact_salt, b->redact_salt))
        found |= CATALOG_DIFFERS_SETTINGS;
    return found;
}

/* --- connections --------------------------------------------------------------------------------- */

static bool same_path(struct catalog_path a, struct catalog_path b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = strcmp(a.names[i], b.names[i]) == 0;
    return same;
}

static bool same_stream(const struct catalog_stream *a, const struct catalog_stream *b)
{
    bool same = strcmp(a->name, b->name) == 0 && same_text(a->namespace, b->namespace) &&
                a->sync_mode == b->sync_mode && a->destination_sync_mode == b->destination_sync_mode &&
                same_path(a->cursor_field, b->cursor_field) && a->primary_key_count == b->primary_key_count;
    for (size_t i = 0; same && i < a->primary_key_count; i++)
        same = same_path(a->primary_key[i], b->primary_key[i]);
    return same;
}

static bool same_schedule(const struct catalog_schedule *a, const struct catalog_schedule *b)
{
    return a->kind == b->kind && (a->kind != CATALOG_SCHEDULE_EVERY || a->every_ms == b->every_ms) &&
           (a->kind != CATALOG_SCHEDULE_CRON || same_text(a->text, b->text));
}

static unsigned connection_differences(const struct catalog_connection *a, const struct catalog_connection *b)
{
    unsigned found =
        endpoint_differences(&a->source, &b->source) | endpoint_differences(&a->destination, &b->destination);
    bool same = a->all_streams == b->all_streams && a->stream_count == b->stream_count;
    for (size_t i = 0; same && i < a->stream_count; i++)
        same = same_stream(&a->streams[i], &b->streams[i]);
    if (!same)
        found |= CATALOG_DIFFERS_BINDINGS;
    if (!same_schedule(&a->schedule, &b->schedule))
        found |= CATALOG_DIFFERS_SCHEDULE;
    if (!same_text(a->prefix, b->prefix) || !same_text(a->namespace, b->namespace))
        found |= CATALOG_DIFFERS_SETTINGS;
    return found;
}

/* --- materializations ---------------------------------------------------------------------------- */

static bool same_partitions(const struct catalog_partition *a, size_t a_count,
                            const struct catalog_partition *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++) {
        same =
            same_text(a[i].projection->field, b[i].projection->field) && a[i].value_count == b[i].value_count;
        for (size_t j = 0; same && j < a[i].value_count; j++)
            same = same_json(a[i].values[j], b[i].values[j]);
    }
    return same;
}

static bool same_source(const struct catalog_source *a, const struct catalog_source *b)
{
    return same_collection(a->collection, b->collection) && a->not_before_ms == b->not_before_ms &&
           a->not_after_ms == b->not_after_ms &&
           same_partitions(a->include, a->include_count, b->include, b->include_count) &&
           same_partitions(a->exclude, a->exclude_count, b->exclude, b->exclude_count);
}

static bool same_fields(const struct catalog_fields *a, const struct catalog_fields *b)
{
    bool same = a->recommended == b->recommended && a->has_group_by == b->has_group_by &&
                a->group_by_count == b->group_by_count && a->require_count == b->require_count &&
                a->exclude_count == b->exclude_count;
    for (size_t i = 0; same && i < a->group_by_count; i++)
        same = strcmp(a->group_by[i], b->group_by[i]) == 0;
    for (size_t i = 0; same && i < a->require_count; i++)
        same = strcmp(a->require[i].field, b->require[i].field) == 0 &&
               same_json(a->require[i].config, b->require[i].config);
    for (size_t i = 0; same && i < a->exclude_count; i++)
        same = strcmp(a->exclude[i], b->exclude[i]) == 0;
    return same;
}

static bool same_output(const struct catalog_materialization_binding *a,
                        const struct catalog_materialization_binding *b)
{
    return same_source(&a->source, &b->source) && same_json(a->resource, b->resource) &&
           same_fields(&a->fields, &b->fields) && a->on_incompatible == b->on_incompatible &&
           a->disable == b->disable && a->priority == b->priority && a->backfill == b->backfill;
}

static const char **schemas_read(const struct catalog_materialization *materialization, struct arena *arena)
{
    const char **uris = arena_zalloc(arena, (materialization->binding_count + 1) * sizeof *uris);
    for (size_t i = 0; i < materialization->binding_count; i++)
        uris[i] = materialization->bindings[i].source.collection->read_schema_uri;
    return uris;
}

static unsigned materialization_differences(const struct catalog *a_catalog,
                                            const struct catalog_materialization *a,
                                            const struct catalog *b_catalog,
                                            const struct catalog_materialization *b)
{
    unsigned found = endpoint_differences(&a->endpoint, &b->endpoint);
    bool same = a->binding_count == b->binding_count;
    for (size_t i = 0; same && i < a->binding_count; i++)
        same = same_output(&a->bindings[i], &b->bindings[i]);
    if (!same)
        found |= CATALOG_DIFFERS_BINDINGS;
    if (a->binding_count == b->binding_count) {
        struct arena arena;
        arena_init(&arena);
        if (!same_schemas(a_catalog, schemas_read(a, &arena), b_catalog, schemas_read(b, &arena),
                          a->binding_count, &arena))
            found |= CATALOG_DIFFERS_SCHEMA;
        arena_done(&arena);
    }
    if (a->source_delta_updates != b->source_delta_updates || a->source_naming != b->source_naming ||
        a->source_recommended != b->source_recommended || a->on_incompatible != b->on_incompatible ||
        a->log_level != b->log_level || !slice_equal(a->triggers, b->triggers) ||
        !same_text(a->source_capture ? a->source_capture->name : NULL,
                   b->source_capture ? b->source_capture->name : NULL))
        found |= CATALOG_DIFFERS_SETTINGS;
    return found;
}

unsigned catalog_task_differences(const struct catalog *old_catalog, const struct catalog_task *old_task,
                                  const struct catalog *new_catalog, const struct catalog_task *new_task)
{
    unsigned found = old_task->disable != new_task->disable ? CATALOG_DIFFERS_ENABLED : 0;
    if (strcmp(catalog_task_kind(old_task), catalog_task_kind(new_task)) != 0)
        return found | CATALOG_DIFFERS_KIND;
    if (old_task->capture)
        return found | capture_differences(old_catalog, old_task->capture, new_catalog, new_task->capture);
    if (old_task->connection)
        return found | connection_differences(old_task->connection, new_task->connection);
    return found | materialization_differences(old_catalog, old_task->materialization, new_catalog,
                                               new_task->materialization);
}
