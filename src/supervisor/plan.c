#include "supervisor/planner.h"

#include "task/flow_collection.h"
#include "task/redaction.h"

int planner_at(const struct catalog_place *place, struct error *err)
{
    return error_wrap(err, "%s:%u:%u", place->file, place->line, place->column);
}

/* --- endpoints ----------------------------------------------------------------------------------- */

const char *plan_cannot_run(const struct catalog_endpoint *endpoint)
{
    return endpoint->kind == CATALOG_ENDPOINT_DEKAF ? "materializations of dekaf" : NULL;
}

/* No program is run for it: its session is one of the listener's process. */
static void plan_push(const struct catalog_endpoint *endpoint, struct arena *arena,
                      struct task_endpoint *ret_endpoint)
{
    const char *const words[] = {"firth", "task", "ingest"};
    ret_endpoint->program = (struct connector_program){.argv = planner_words(words, 3, arena),
                                                       .label = "pushed documents",
                                                       .built_in = true,
                                                       .protocol = CONNECTOR_FLOW};
    ret_endpoint->config = endpoint->config;
}

int planner_endpoint(struct planner *planner, const struct catalog_endpoint *endpoint, const char *task,
                     enum connector_role role, enum connector_protocol built_in, enum log_level log_level,
                     struct task_endpoint *ret_endpoint, struct error *err)
{
    struct connector_spec wanted = {
        .protocol = built_in, .task = task, .role = role, .log_level = log_level_name(log_level)};
    switch (endpoint->kind) {
    case CATALOG_ENDPOINT_CONNECTOR:
        wanted.image = endpoint->image;
        break;
    case CATALOG_ENDPOINT_LOCAL:
        wanted.protocol = endpoint->protocol == CATALOG_PROTOCOL_FLOW ? CONNECTOR_FLOW : CONNECTOR_AIRBYTE;
        wanted.command = endpoint->command;
        wanted.env = endpoint->env;
        wanted.folder = endpoint->folder;
        break;
    case CATALOG_ENDPOINT_INGEST:
        plan_push(endpoint, planner->arena, ret_endpoint);
        return 0;
    case CATALOG_ENDPOINT_DEKAF:
        return error_set(err, ERROR_UNSUPPORTED, "%s cannot be run by this version",
                         plan_cannot_run(endpoint)),
               planner_at(&endpoint->place, err);
    }
    if (connector_resolve(planner->options->built_ins, &wanted, planner->arena, &ret_endpoint->program, err) <
        0)
        return planner_at(&endpoint->place, err);
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

int planner_finish(struct planner *planner, const struct task_spec *spec, const char *const *names,
                   struct supervisor_schedule schedule, struct error *err)
{
    struct buffer *text = &planner->plan->spec;
    task_spec_write(text, spec);
    if (text->overflowed)
        return error_set(err, ERROR_LIMIT, "the specification of %s is larger than the limit of %d bytes",
                         spec->name, TASK_SPEC_MAX);
    planner->plan->definition = (struct supervisor_definition){.name = spec->name,
                                                               .kind = spec->kind,
                                                               .bindings = names,
                                                               .binding_count = spec->binding_count,
                                                               .schedule = schedule,
                                                               .spec = {text->data, text->size}};
    return 0;
}

struct task_spec planner_spec(const struct planner *planner, enum task_kind kind, const char *name)
{
    struct task_spec spec = {.kind = kind,
                             .name = name,
                             .data_dir = planner->options->data_dir,
                             .prefix = "",
                             .commit = TASK_COMMIT_POLICY_DEFAULT,
                             .limits = connector_limits_default,
                             .log_level = LOG_INFO};
    if (planner->options->commit_ms)
        spec.commit.time_ms = planner->options->commit_ms;
    spec.limits.stall_ms = planner->options->stall_ms ? planner->options->stall_ms : PLAN_STALL_MS_DEFAULT;
    return spec;
}

const char *const *planner_words(const char *const *from, size_t count, struct arena *arena)
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
    task_flow_collection(planner->catalog, collection, planner->arena, &flow);
    buffer_init(&text, BUFFER_UNLIMITED);
    flow_collection_write(&text, &flow);
    struct slice copy = {arena_dup(planner->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

/* What the resource is to the connector. */
static int plan_binding(struct planner *planner, const struct catalog_binding *binding,
                        enum connector_protocol protocol, bool push, struct task_binding_spec *planned,
                        struct error *err)
{
    if (protocol != CONNECTOR_FLOW)
        return plan_resource(binding->resource, planner->arena, &planned->stream, err);
    planned->stream.name = binding->name;
    planned->resource = binding->resource;
    if (push)
        return 0;
    planned->flow_collection = flow_collection(planner, binding->target);
    return 0;
}

/* The text is left out of the message: it is a secret. */
static int check_salt(const struct catalog_capture *capture, struct arena *arena, struct error *err)
{
    struct slice salt;
    if (!capture->redact_salt || task_redact_salt(capture->redact_salt, arena, &salt))
        return 0;
    return error_set(err, ERROR_INVALID, "'redactSalt' must be 1 to %d bytes in base64", REDACT_SALT_MAX),
           planner_at(&capture->place, err);
}

static int plan_capture(struct planner *planner, const struct catalog_capture *capture, struct error *err)
{
    struct task_spec spec = planner_spec(planner, TASK_CAPTURE, capture->name);
    spec.push = capture->endpoint.kind == CATALOG_ENDPOINT_INGEST;
    if (spec.push) /* whoever pushes waits for the commit: it comes when nothing more waits */
        spec.commit.time_ms = spec.commit.idle_ms = 0;
    if (planner_endpoint(planner, &capture->endpoint, capture->name, CONNECTOR_SOURCE, CONNECTOR_FLOW,
                         capture->log_level, &spec.source, err) < 0 ||
        check_salt(capture, planner->arena, err) < 0)
        return -1;
    struct task_binding_spec *bindings =
        arena_zalloc(planner->arena, (capture->binding_count + 1) * sizeof *bindings);
    const char **names = arena_zalloc(planner->arena, (capture->binding_count + 1) * sizeof *names);
    const char **uris = arena_zalloc(planner->arena, (2 * capture->binding_count + 1) * sizeof *uris);
    size_t uri_count = 0;
    for (size_t i = 0; i < capture->binding_count; i++) {
        const struct catalog_binding *binding = &capture->bindings[i];
        if (binding->disable)
            continue;
        struct task_binding_spec *planned = &bindings[spec.binding_count];
        if (plan_binding(planner, binding, spec.source.program.protocol, spec.push, planned, err) < 0)
            return planner_at(&binding->place, err);
        planned->collection = binding->target->name;
        planned->key = planner_words(binding->target->key, binding->target->key_count, planner->arena);
        planned->schema_uri = binding->target->write_schema_uri;
        planned->journal = journal_options(&binding->target->journal);
        planned->quarantine = binding->quarantine;
        planned->backfill = binding->backfill;
        planned->inferred = binding->target->inferred;
        uris[uri_count++] = binding->target->write_schema_uri;
        uris[uri_count++] = binding->target->read_schema_uri;
        names[spec.binding_count++] = binding->target->name;
    }
    spec.bindings = bindings;
    spec.interval_ms = capture->interval_ms;
    spec.once = planner->options->once;
    spec.log_level = capture->log_level;
    spec.redact_salt = capture->redact_salt;
    spec.schemas =
        catalog_schemas_needed(planner->catalog, uris, uri_count, planner->arena, &spec.schema_count);
    return planner_finish(planner, &spec, names,
                          (struct supervisor_schedule){.interval_ms = capture->interval_ms}, err);
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
           planner_at(&endpoint->place, err);
}

static int plan_connection(struct planner *planner, const struct catalog_connection *connection,
                           struct error *err)
{
    struct task_spec spec = planner_spec(planner, TASK_CONNECTION, connection->name);
    if (planner_endpoint(planner, &connection->source, connection->name, CONNECTOR_SOURCE, CONNECTOR_AIRBYTE,
                         LOG_INFO, &spec.source, err) < 0 ||
        planner_endpoint(planner, &connection->destination, connection->name, CONNECTOR_DESTINATION,
                         CONNECTOR_AIRBYTE, LOG_INFO, &spec.destination, err) < 0 ||
        check_airbyte(&connection->source, &spec.source, err) < 0 ||
        check_airbyte(&connection->destination, &spec.destination, err) < 0)
        return -1;
    spec.all_streams = connection->all_streams;
    spec.prefix = connection->prefix;
    spec.namespace = connection->namespace;
    spec.binding_count = connection->all_streams ? 0 : connection->stream_count;
    struct task_binding_spec *bindings =
        arena_zalloc(planner->arena, (spec.binding_count + 1) * sizeof *bindings);
    const char **names = arena_zalloc(planner->arena, (spec.binding_count + 1) * sizeof *names);
    for (size_t i = 0; i < spec.binding_count; i++) {
        bindings[i].stream = connection->streams[i];
        names[i] = arena_printf(planner->arena, "%s%s", connection->prefix, connection->streams[i].name);
    }
    spec.bindings = bindings;
    return planner_finish(planner, &spec, names, schedule_of(&connection->schedule), err);
}

/* --- one task ------------------------------------------------------------------------------------ */

int plan_task(struct plan *plan, const struct catalog *catalog, const struct catalog_task *task,
              const struct plan_options *options, struct error *err)
{
    *plan = (struct plan){0};
    arena_init(&plan->arena);
    buffer_init(&plan->spec, TASK_SPEC_MAX);
    struct planner planner = {.plan = plan, .arena = &plan->arena, .catalog = catalog, .options = options};
    int result = task->materialization ? planner_materialization(&planner, task->materialization, err)
                 : task->capture       ? plan_capture(&planner, task->capture, err)
                                       : plan_connection(&planner, task->connection, err);
    plan->definition.push = task->capture && task->capture->endpoint.kind == CATALOG_ENDPOINT_INGEST;
    plan->definition.discovers = task->capture && task->capture->auto_discover;
    plan->definition.inferred = plan_is_inferred(task);
    return result;
}

void plan_done(struct plan *plan)
{
    if (plan->spec.data)
        explicit_bzero(plan->spec.data, plan->spec.size);
    buffer_done(&plan->spec);
    arena_done(&plan->arena);
}

static const char *every(uint64_t ms, struct arena *arena)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (ms % units[i].ms != 0)
        i++;
    return arena_printf(arena, "every %llu%s", (unsigned long long)(ms / units[i].ms), units[i].unit);
}

const char *plan_schedule_text(const struct catalog_task *task, struct arena *arena)
{
    if (task->capture)
        return every(task->capture->interval_ms, arena);
    if (task->materialization)
        return "always";
    const struct catalog_schedule *schedule = &task->connection->schedule;
    switch (schedule->kind) {
    case CATALOG_SCHEDULE_EVERY:
        return every(schedule->every_ms, arena);
    case CATALOG_SCHEDULE_CRON:
        return arena_printf(arena, "cron %s", schedule->text);
    case CATALOG_SCHEDULE_MANUAL:
        break;
    }
    return "once";
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
    struct arena arena;
    size_t count;
    arena_init(&arena);
    const struct catalog_task *tasks = catalog_tasks(catalog, &arena, &count);
    const char **names = arena_alloc(&arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = tasks[i].name;
    const char *nearest = string_nearest(name, names, count);
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
    arena_done(&arena);
    return -1;
}

static int check_names(const struct catalog *catalog, const struct plan_options *options, struct error *err)
{
    for (size_t i = 0; i < options->only_count; i++) {
        const char *name = options->only[i];
        if (!catalog_capture(catalog, name) && !catalog_connection(catalog, name) &&
            !catalog_materialization(catalog, name))
            return unknown_task(catalog, options->only[i], err);
    }
    return 0;
}

void plan_tell_skipped(const struct catalog *catalog, plan_on_skipped *on_skipped, void *context)
{
    char message[256];
    size_t derived = 0;
    for (size_t i = 0; i < catalog->collection_count; i++)
        derived += catalog->collections[i].derived;
    if (derived) {
        snprintf(message, sizeof message, "%zu derivation%s skipped: this version cannot run them", derived,
                 derived == 1 ? "" : "s");
        on_skipped(context, message);
    }
}

static int add_planned(struct supervisor *supervisor, const struct catalog *catalog,
                       const struct catalog_task *task, const struct plan_options *options, struct error *err)
{
    struct plan plan;
    int result = plan_task(&plan, catalog, task, options, err);
    if (result == 0)
        result = supervisor_add(supervisor, &plan.definition, err);
    plan_done(&plan);
    return result;
}

int plan_catalog(struct supervisor *supervisor, const struct catalog *catalog,
                 const struct plan_options *options, plan_on_skipped *on_skipped, void *context,
                 struct error *err)
{
    if (check_names(catalog, options, err) < 0)
        return -1;
    struct arena arena;
    arena_init(&arena);
    size_t count;
    const struct catalog_task *tasks = catalog_tasks(catalog, &arena, &count);
    int result = 0;
    bool skipped = false;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (!wanted(options, tasks[i].name, tasks[i].disable))
            continue;
        bool endless =
            options->once && tasks[i].capture && tasks[i].capture->endpoint.kind == CATALOG_ENDPOINT_INGEST;
        skipped |= endless;
        if (!endless)
            result = add_planned(supervisor, catalog, &tasks[i], options, err);
    }
    arena_done(&arena);
    if (result < 0)
        return -1;
    if (supervisor_task_count(supervisor) == 0)
        return error_set(err, ERROR_INVALID,
                         "%s has no task to run: no capture, connection or materialization that is enabled%s",
                         catalog->file,
                         skipped ? ", but for push captures, which have no end and are not run with --once"
                                 : "");
    if (skipped)
        on_skipped(context, "push captures have no end: with --once they are not run");
    if (options->only_count == 0)
        plan_tell_skipped(catalog, on_skipped, context);
    return 0;
}
