/* Deciding what is to change. */
#include "catalog/evolve.h"

#include "schema/shape/shape.h"
#include "yaml/yaml.h"

#include <stdlib.h>

const char *evolve_kind_name(enum evolve_kind kind)
{
    static const char *const names[EVOLVE_KIND_COUNT] = {"add", "disable", "schema", "recreate"};
    return names[kind];
}

/* --- schemas --------------------------------------------------------------------------------------- */

static const char *beside(const char *file, const char *path, struct arena *arena)
{
    const char *slash = strrchr(file, '/');
    return *path == '/' || !slash ? arena_strdup(arena, path)
                                  : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

static bool is_shared(const struct catalog *catalog, const struct catalog_collection *collection)
{
    size_t users = 0;
    for (size_t i = 0; i < catalog->collection_count; i++)
        users += strcmp(catalog->collections[i].write_schema_uri, collection->write_schema_uri) == 0;
    return users > 1;
}

static int read_yaml(struct catalog_overlay *overlay, const char *path, struct arena *arena,
                     struct yaml_document *ret_doc, struct error *err)
{
    struct slice text;
    return catalog_overlay_read(overlay, path, &text, err) < 0 ||
                   yaml_parse(arena, path, yaml_syntax_of(path), text, NULL, NULL, ret_doc, err) < 0
               ? -1
               : 0;
}

int evolve_find_schema(const struct catalog *catalog, const struct catalog_collection *collection,
                       struct catalog_overlay *overlay, struct arena *arena, struct evolve_schema *ret_schema,
                       struct error *err)
{
    struct yaml_document file;
    if (read_yaml(overlay, collection->place.file, arena, &file, err) < 0)
        return -1;
    const struct json *doc = &file.json;
    uint32_t own = json_get(doc, json_get(doc, 0, "collections"), collection->name);
    uint32_t at = json_get(doc, own, "schema");
    struct evolve_schema schema = {.member = at == JSON_NONE ? "writeSchema" : "schema", .doc = *doc};
    schema.at = at == JSON_NONE ? json_get(doc, own, "writeSchema") : at;
    if (schema.at == JSON_NONE)
        return error_set(err, ERROR_UNSUPPORTED, "%s: the schema of %s was not found there", file.file,
                         collection->name);
    if (json_is(doc, schema.at, JSON_STRING)) {
        const char *written = json_cstring(doc, schema.at, arena);
        if (strpbrk(written, "#:"))
            return error_set(
                err, ERROR_UNSUPPORTED,
                "%s: the schema of %s is a part of another document ('%s'), which is not changed: "
                "give the collection a schema of its own",
                file.file, collection->name, written);
        schema.path = beside(collection->place.file, written, arena);
        schema.shared = is_shared(catalog, collection);
        if (read_yaml(overlay, schema.path, arena, &file, err) < 0)
            return -1;
        schema.doc = file.json;
        schema.at = 0;
    }
    *ret_schema = schema;
    return 0;
}

/* As the catalog has read it, wherever it is written. A part of another document (#…) is never the same: that
 * it cannot be replaced is told when that is tried. */
static int same_schema(const struct catalog *catalog, const struct catalog_collection *collection,
                       const struct evolve_stream *stream, struct arena *arena, struct error *err)
{
    struct json old, found;
    if (json_parse_copy(arena, stream->schema.data, stream->schema.size, &found, err) < 0)
        return error_wrap(err, "the schema of the stream %s", stream->label);
    for (size_t i = 0; i < catalog->schema_document_count; i++) {
        const struct catalog_schema_document *document = &catalog->schema_documents[i];
        if (strcmp(document->uri, collection->write_schema_uri) == 0)
            return json_parse_copy(arena, document->source.data, document->source.size, &old, err) == 0 &&
                   json_equal(&old, 0, &found, 0);
    }
    return 0;
}

/* --- what is incompatible -------------------------------------------------------------------------- */

static const char *key_text(const char *const *key, size_t count, struct arena *arena)
{
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", key[i]);
    return text;
}

static bool same_key(const struct evolve_stream *stream, const struct catalog_collection *collection)
{
    bool same = stream->key_count == collection->key_count;
    for (size_t i = 0; same && i < stream->key_count; i++)
        same = strcmp(stream->key[i], collection->key[i]) == 0;
    return same;
}

static struct shape *shape_of(const struct evolve_stream *stream, struct error *err)
{
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, "evolve:stream", stream->schema, err) < 0)
        return NULL;
    return shape_of_schema(registry, "evolve:stream", err);
}

/* The first partition that documents have no more. */
static const char *lost_partition(const struct evolve_stream *stream,
                                  const struct catalog_collection *collection, const struct shape *shape,
                                  struct arena *arena)
{
    (void)stream;
    for (size_t i = 0; i < collection->projection_count; i++) {
        const struct catalog_projection *projection = &collection->projections[i];
        if (!projection->partition)
            continue;
        struct shape_location location = shape_locate(shape, projection->location, arena);
        if (location.exists == SHAPE_CANNOT || location.exists == SHAPE_IMPLICIT)
            return projection->field;
    }
    return NULL;
}

/* Why the stream's documents cannot go into the collection; NULL if they can. */
static int incompatibility(const struct evolve_stream *stream, const struct catalog_collection *collection,
                           struct arena *arena, const char **ret_why, struct error *err)
{
    *ret_why = NULL;
    if (stream->own_key && stream->key_count && !same_key(stream, collection)) {
        *ret_why =
            arena_printf(arena, "the key is [%s], was [%s]", key_text(stream->key, stream->key_count, arena),
                         key_text(collection->key, collection->key_count, arena));
        return 0;
    }
    mem_auto(shape_free) struct shape *shape = shape_of(stream, err);
    if (!shape)
        return error_wrap(err, "the schema of the stream %s", stream->label);
    const char *lost = lost_partition(stream, collection, shape, arena);
    if (lost)
        *ret_why = arena_printf(arena, "the partition '%s' is not in the schema any more", lost);
    return 0;
}

/* --- names ----------------------------------------------------------------------------------------- */

static bool is_written(const struct catalog *catalog, const struct catalog_collection *collection)
{
    for (size_t i = 0; i < catalog->capture_count; i++) {
        for (size_t j = 0; j < catalog->captures[i].binding_count; j++) {
            if (catalog->captures[i].bindings[j].target == collection)
                return true;
        }
    }
    return collection->derived;
}

static bool is_planned(const struct evolve_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->changes[i].kind != EVOLVE_DISABLE && strcmp(plan->changes[i].collection, name) == 0)
            return true;
    }
    return false;
}

/* A collection of that name that nobody writes to, of the same key, is taken again: an earlier evolution was
 * cut off, or a person made it. */
static bool is_free(const struct catalog *catalog, const struct evolve_plan *plan, const char *name,
                    const struct evolve_stream *stream, bool *ret_declared)
{
    const struct catalog_collection *there = catalog_collection(catalog, name);
    *ret_declared = there != NULL;
    return !is_planned(plan, name) && (!there || (!is_written(catalog, there) && same_key(stream, there)));
}

/* acmeCo/users to acmeCo/users_v2, acmeCo/users_v2 to acmeCo/users_v3. */
static void next_name(const struct catalog *catalog, const struct evolve_plan *plan, const char *name,
                      struct arena *arena, struct evolve_change *change)
{
    size_t size = strlen(name), digits = size;
    unsigned long number = 1;
    while (digits && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    if (digits < size && size - digits < 8 && digits >= 2 && strncmp(name + digits - 2, "_v", 2) == 0) {
        number = strtoul(name + digits, NULL, 10);
        size = digits - 2;
    }
    do
        change->collection = arena_printf(arena, "%.*s_v%lu", (int)size, name, ++number);
    while (!is_free(catalog, plan, change->collection, change->stream, &change->declared));
}

static void new_name(const struct catalog *catalog, const struct evolve_plan *plan, struct arena *arena,
                     struct evolve_change *change)
{
    const char *name = change->stream->collection;
    change->collection = name;
    for (size_t number = 2; !is_free(catalog, plan, change->collection, change->stream, &change->declared);
         number++)
        change->collection = arena_printf(arena, "%s_%zu", name, number);
}

/* --- deciding -------------------------------------------------------------------------------------- */

static bool aborts(const struct catalog *catalog, const struct catalog_collection *collection,
                   const char **ret_task)
{
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        const struct catalog_materialization *task = &catalog->materializations[i];
        for (size_t j = 0; j < task->binding_count; j++) {
            const struct catalog_materialization_binding *binding = &task->bindings[j];
            if (binding->source.collection == collection && !binding->disable && !task->disable &&
                binding->on_incompatible == CATALOG_INCOMPATIBLE_ABORT) {
                *ret_task = task->name;
                return true;
            }
        }
    }
    return false;
}

static int refuse(const struct catalog_capture *capture, const struct evolve_change *change, const char *task,
                  struct error *err)
{
    if (task)
        return error_set(
            err, ERROR_INVALID,
            "%s: %s cannot take the stream %s any more (%s), and onIncompatibleSchemaChange of %s "
            "is abort: nothing was changed",
            capture->name, change->old->name, change->stream->label, change->why, task);
    return error_set(err, ERROR_INVALID,
                     "%s: %s cannot take the stream %s any more: %s; with autoDiscover: "
                     "{evolveIncompatibleCollections: true} it gets a new collection. Nothing was changed",
                     capture->name, change->old->name, change->stream->label, change->why);
}

static int plan_bound(const struct catalog *catalog, const struct catalog_capture *capture,
                      const struct evolve_stream *stream, struct arena *arena, struct evolve_plan *plan,
                      struct error *err)
{
    const struct catalog_binding *binding = &capture->bindings[stream->binding];
    const char *task = NULL;
    struct evolve_change change = {.stream = stream, .binding = stream->binding, .old = binding->target};
    if (binding->disable)
        return 0;
    if (incompatibility(stream, binding->target, arena, &change.why, err) < 0)
        return -1;
    if (change.why) {
        if (!capture->evolve_incompatible_collections || aborts(catalog, binding->target, &task))
            return refuse(capture, &change, task, err);
        change.kind = EVOLVE_RECREATE;
        next_name(catalog, plan, binding->target->name, arena, &change);
        plan->changes[plan->count++] = change;
        return 0;
    }
    int same = same_schema(catalog, binding->target, stream, arena, err);
    if (same == 0) {
        change.kind = EVOLVE_SCHEMA;
        change.collection = binding->target->name;
        plan->changes[plan->count++] = change;
    }
    return same < 0 ? -1 : 0;
}

static void plan_gone(const struct catalog_capture *capture, const bool *found, struct evolve_plan *plan)
{
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (!found[i] && !capture->bindings[i].disable)
            plan->changes[plan->count++] =
                (struct evolve_change){.kind = EVOLVE_DISABLE,
                                       .binding = (ptrdiff_t)i,
                                       .collection = capture->bindings[i].target->name};
    }
}

int evolve_plan(const struct catalog *catalog, const struct catalog_capture *capture,
                const struct evolve_stream *streams, size_t stream_count, struct arena *arena,
                struct evolve_plan *ret_plan, struct error *err)
{
    struct evolve_plan plan = {
        .changes = arena_zalloc(arena, (stream_count + capture->binding_count + 1) * sizeof *plan.changes)};
    bool *found = arena_zalloc(arena, capture->binding_count + 1);
    for (size_t i = 0; i < stream_count; i++) {
        const struct evolve_stream *stream = &streams[i];
        if (stream->binding == EVOLVE_NO_BINDING)
            continue;
        found[stream->binding] = true;
        if (plan_bound(catalog, capture, stream, arena, &plan, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < stream_count && capture->add_new_bindings; i++) {
        if (streams[i].binding != EVOLVE_NO_BINDING || streams[i].unwanted || streams[i].key_count == 0)
            continue;
        struct evolve_change change = {
            .kind = EVOLVE_ADD, .stream = &streams[i], .binding = EVOLVE_NO_BINDING};
        new_name(catalog, &plan, arena, &change);
        plan.changes[plan.count++] = change;
    }
    plan_gone(capture, found, &plan);
    *ret_plan = plan;
    return 0;
}

const char *evolve_describe(const struct evolve_change *change, const struct catalog_capture *capture,
                            struct arena *arena)
{
    const char *name = change->stream ? change->stream->label : capture->bindings[change->binding].name;
    switch (change->kind) {
    case EVOLVE_ADD:
        return arena_printf(arena, "+ %s to %s", name, change->collection);
    case EVOLVE_DISABLE:
        return arena_printf(arena, "- %s: the source has it no more; the binding to %s is disabled", name,
                            change->collection);
    case EVOLVE_SCHEMA:
        return arena_printf(arena, "~ %s: the schema of %s", name, change->collection);
    default:
        return arena_printf(arena, "! %s: %s: from now on to %s, captured anew; %s stays as it is", name,
                            change->why, change->collection, change->old->name);
    }
}
