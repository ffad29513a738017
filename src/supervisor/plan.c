#include "supervisor/plan.h"

#include "task/flow_collection.h"
#include "task/task_spec.h"

/* What the functions below share. */
struct planner {
    struct supervisor *supervisor;
    const struct catalog *catalog;
    const struct plan_options *options;
    struct arena arena;
    struct buffer spec;
};

static int at_place(const struct catalog_place *place, struct error *err)
{
    return error_wrap(err, "%s:%u:%u", place->file, place->line, place->column);
}

/* --- endpoints ----------------------------------------------------------------------------------- */

static int plan_endpoint(struct planner *planner, const struct catalog_endpoint *endpoint,
                         struct task_endpoint *ret_endpoint, struct error *err)
{
    struct connector_spec wanted = {.protocol = CONNECTOR_AIRBYTE};
    switch (endpoint->kind) {
    case CATALOG_ENDPOINT_CONNECTOR:
        wanted.image = endpoint->image;
        break;
    case CATALOG_ENDPOINT_LOCAL:
        if (endpoint->protocol == CATALOG_PROTOCOL_FLOW)
            wanted.protocol = CONNECTOR_FLOW;
        wanted.command = endpoint->command;
        wanted.env = endpoint->env;
        wanted.folder = endpoint->folder;
        break;
    case CATALOG_ENDPOINT_INGEST:
    case CATALOG_ENDPOINT_DEKAF:
        return error_set(err, ERROR_UNSUPPORTED, "push captures (ingest) cannot be run by this version"),
               at_place(&endpoint->place, err);
    }
    if (connector_resolve(planner->options->built_ins, &wanted, &planner->arena, &ret_endpoint->program,
                          err) < 0)
        return at_place(&endpoint->place, err);
    ret_endpoint->config = endpoint->config;
    ret_endpoint->image = endpoint->kind == CATALOG_ENDPOINT_CONNECTOR;
    return 0;
}

/* --- captures ------------------------------------------------------------------------------------ */

static struct store_journal_options journal_options(const struct catalog_journal *journal)
{
    return (struct store_journal_options){
        .compression = journal->compression == CATALOG_COMPRESSION_ZSTD ? STORE_COMPRESSION_ZSTD
                                                                        : STORE_COMPRESSION_NONE,
        .segment_bytes = journal->segment_bytes,
        .retain_bytes = journal->retain_bytes,
        .retain_ms = journal->retain_ms,
    };
}

static int add_task(struct planner *planner, const struct task_spec *spec, const char *const *names,
                    struct supervisor_schedule schedule, struct error *err)
{
    buffer_clear(&planner->spec);
    task_spec_write(&planner->spec, spec);
    if (planner->spec.overflowed)
        return error_set(err, ERROR_LIMIT, "the specification of %s is larger than the limit of %d bytes",
                         spec->name, TASK_SPEC_MAX);
    return supervisor_add(planner->supervisor, spec->name, spec->kind, names, spec->binding_count, schedule,
                          (struct slice){planner->spec.data, planner->spec.size}, err);
}

static struct task_spec new_spec(const struct planner *planner, enum task_kind kind, const char *name)
{
    struct task_spec spec = {.kind = kind,
                             .name = name,
                             .data_dir = planner->options->data_dir,
                             .prefix = "",
                             .commit = TASK_COMMIT_POLICY_DEFAULT,
                             .limits = connector_limits_default};
    if (planner->options->commit_ms)
        spec.commit.time_ms = planner->options->commit_ms;
    spec.limits.stall_ms = planner->options->stall_ms ? planner->options->stall_ms : PLAN_STALL_MS_DEFAULT;
    return spec;
}

static const char *const *words(const char *const *from, size_t count, struct arena *arena)
{
    const char **copy = arena_zalloc(arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = from[i];
    return copy;
}

static struct slice flow_collection(struct planner *planner, const struct catalog_collection *collection)
{
    struct flow_collection flow;
    struct buffer text;
    task_flow_collection(planner->catalog, collection, &planner->arena, &flow);
    buffer_init(&text, BUFFER_UNLIMITED);
    flow_collection_write(&text, &flow);
    struct slice copy = {arena_dup(&planner->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

/* What the resource is to the connector. */
static int plan_binding(struct planner *planner, const struct catalog_binding *binding,
                        enum connector_protocol protocol, struct task_binding_spec *planned,
                        struct error *err)
{
    if (protocol != CONNECTOR_FLOW)
        return plan_resource(binding->resource, &planner->arena, &planned->stream, err);
    planned->stream.name = binding->name;
    planned->resource = binding->resource;
    planned->flow_collection = flow_collection(planner, binding->target);
    return 0;
}

static int plan_capture(struct planner *planner, const struct catalog_capture *capture, struct error *err)
{
    struct task_spec spec = new_spec(planner, TASK_CAPTURE, capture->name);
    if (plan_endpoint(planner, &capture->endpoint, &spec.source, err) < 0)
        return -1;
    struct task_binding_spec *bindings =
        arena_zalloc(&planner->arena, (capture->binding_count + 1) * sizeof *bindings);
    const char **names = arena_zalloc(&planner->arena, (capture->binding_count + 1) * sizeof *names);
    for (size_t i = 0; i < capture->binding_count; i++) {
        const struct catalog_binding *binding = &capture->bindings[i];
        if (binding->disable)
            continue;
        struct task_binding_spec *planned = &bindings[spec.binding_count];
        if (plan_binding(planner, binding, spec.source.program.protocol, planned, err) < 0)
            return at_place(&binding->place, err);
        planned->collection = binding->target->name;
        planned->key = words(binding->target->key, binding->target->key_count, &planner->arena);
        planned->schema_uri = binding->target->write_schema_uri;
        planned->journal = journal_options(&binding->target->journal);
        planned->quarantine = binding->quarantine;
        planned->backfill = binding->backfill;
        names[spec.binding_count++] = binding->target->name;
    }
    spec.bindings = bindings;
    spec.interval_ms = capture->interval_ms;
    spec.schemas = planner->catalog->schema_documents;
    spec.schema_count = planner->catalog->schema_document_count;
    return add_task(planner, &spec, names, (struct supervisor_schedule){.interval_ms = capture->interval_ms},
                    err);
}

/* --- connections --------------------------------------------------------------------------------- */

static struct supervisor_schedule schedule_of(const struct catalog_schedule *schedule)
{
    switch (schedule->kind) {
    case CATALOG_SCHEDULE_EVERY:
        return (struct supervisor_schedule){.interval_ms = schedule->every_ms};
    case CATALOG_SCHEDULE_CRON:
        return (struct supervisor_schedule){.has_cron = true, .cron = schedule->cron};
    case CATALOG_SCHEDULE_MANUAL:
        break;
    }
    return (struct supervisor_schedule){0};
}

static int check_airbyte(const struct catalog_endpoint *endpoint, const struct task_endpoint *planned,
                         struct error *err)
{
    if (planned->program.protocol == CONNECTOR_AIRBYTE)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "%s speaks Flow's protocol, but a connection moves data between connectors that speak "
                     "Airbyte's; a capture and a materialization are for this one",
                     planned->program.label),
           at_place(&endpoint->place, err);
}

static int plan_connection(struct planner *planner, const struct catalog_connection *connection,
                           struct error *err)
{
    struct task_spec spec = new_spec(planner, TASK_CONNECTION, connection->name);
    if (plan_endpoint(planner, &connection->source, &spec.source, err) < 0 ||
        plan_endpoint(planner, &connection->destination, &spec.destination, err) < 0 ||
        check_airbyte(&connection->source, &spec.source, err) < 0 ||
        check_airbyte(&connection->destination, &spec.destination, err) < 0)
        return -1;
    spec.all_streams = connection->all_streams;
    spec.prefix = connection->prefix;
    spec.namespace = connection->namespace;
    spec.binding_count = connection->all_streams ? 0 : connection->stream_count;
    struct task_binding_spec *bindings =
        arena_zalloc(&planner->arena, (spec.binding_count + 1) * sizeof *bindings);
    const char **names = arena_zalloc(&planner->arena, (spec.binding_count + 1) * sizeof *names);
    for (size_t i = 0; i < spec.binding_count; i++) {
        bindings[i].stream = connection->streams[i];
        names[i] = arena_printf(&planner->arena, "%s%s", connection->prefix, connection->streams[i].name);
    }
    spec.bindings = bindings;
    return add_task(planner, &spec, names, schedule_of(&connection->schedule), err);
}

/* --- the catalog --------------------------------------------------------------------------------- */

static bool wanted(const struct plan_options *options, const char *name, bool disabled)
{
    for (size_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], name) == 0)
            return true; /* named by a person: even if it is disabled */
    }
    return options->only_count == 0 && !disabled;
}

static int unknown_task(const struct catalog *catalog, const char *name, struct error *err)
{
    size_t count = catalog->capture_count + catalog->connection_count, at = 0;
    const char **names = mem_alloc((count + 1) * sizeof *names);
    for (size_t i = 0; i < catalog->capture_count; i++)
        names[at++] = catalog->captures[i].name;
    for (size_t i = 0; i < catalog->connection_count; i++)
        names[at++] = catalog->connections[i].name;
    const char *nearest = string_nearest(name, names, count);
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        if (strcmp(catalog->materializations[i].name, name) == 0) {
            free(names);
            return error_set(err, ERROR_UNSUPPORTED,
                             "'%s' is a materialization, which this version cannot run", name);
        }
    }
    error_set(err, ERROR_NOT_FOUND, "%s has no task '%.128s'; %s%s%s", catalog->file, name,
              nearest ? "did you mean '"
              : count ? "its first is '"
                      : "it has none at all",
              nearest ? nearest
              : count ? names[0]
                      : "",
              nearest ? "'?"
              : count ? "'"
                      : "");
    free(names);
    return -1;
}

static int check_names(const struct catalog *catalog, const struct plan_options *options, struct error *err)
{
    for (size_t i = 0; i < options->only_count; i++) {
        if (!catalog_capture(catalog, options->only[i]) && !catalog_connection(catalog, options->only[i]))
            return unknown_task(catalog, options->only[i], err);
    }
    return 0;
}

static void tell_skipped(const struct catalog *catalog, plan_on_skipped *on_skipped, void *context)
{
    char message[256];
    if (catalog->materialization_count) {
        snprintf(message, sizeof message, "%zu materialization%s skipped: this version cannot run them",
                 catalog->materialization_count, catalog->materialization_count == 1 ? "" : "s");
        on_skipped(context, message);
    }
    size_t derived = 0;
    for (size_t i = 0; i < catalog->collection_count; i++)
        derived += catalog->collections[i].derived;
    if (derived) {
        snprintf(message, sizeof message, "%zu derivation%s skipped: this version cannot run them", derived,
                 derived == 1 ? "" : "s");
        on_skipped(context, message);
    }
}

static int plan_all(struct planner *planner, struct error *err)
{
    const struct catalog *catalog = planner->catalog;
    for (size_t i = 0; i < catalog->capture_count; i++) {
        const struct catalog_capture *capture = &catalog->captures[i];
        if (wanted(planner->options, capture->name, capture->disable) &&
            plan_capture(planner, capture, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < catalog->connection_count; i++) {
        const struct catalog_connection *connection = &catalog->connections[i];
        if (wanted(planner->options, connection->name, connection->disable) &&
            plan_connection(planner, connection, err) < 0)
            return -1;
    }
    if (supervisor_task_count(planner->supervisor) == 0)
        return error_set(err, ERROR_INVALID,
                         "%s has no task to run: no capture and no connection that is enabled",
                         catalog->file);
    return 0;
}

int plan_catalog(struct supervisor *supervisor, const struct catalog *catalog,
                 const struct plan_options *options, plan_on_skipped *on_skipped, void *context,
                 struct error *err)
{
    if (check_names(catalog, options, err) < 0)
        return -1;
    struct planner planner = {.supervisor = supervisor, .catalog = catalog, .options = options};
    arena_init(&planner.arena);
    buffer_init(&planner.spec, TASK_SPEC_MAX);
    int result = plan_all(&planner, err);
    if (result == 0 && options->only_count == 0)
        tell_skipped(catalog, on_skipped, context);
    if (planner.spec.data)
        explicit_bzero(planner.spec.data, planner.spec.size);
    buffer_done(&planner.spec);
    arena_done(&planner.arena);
    return result;
}
