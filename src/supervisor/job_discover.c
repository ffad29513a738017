/* Changes of a source's schema: the source is asked before a sync, now and then, and the connection follows,
 * stays or is paused, as it prefers. */
#include "supervisor/jobs_state.h"

#include "control/catalogs.h"
#include "control/connection_check.h"
#include "supervisor/schema_change.h"
#include "supervisor/webhook.h"

#include <stdlib.h>

bool job_discover_due(struct job_run *run)
{
    const struct control_connection *connection = &run->spec->connection;
    int64_t last =
        connection->checked_ms > connection->created_ms ? connection->checked_ms : connection->created_ms;
    /* A catalog without schemas makes each sync ask by itself. */
    return run->type != CONTROL_JOB_CLEAR && run->spec->spec.catalog.size &&
           jobs_now_ms() - last >= run->jobs->discover_ms;
}

/* The attempt ends here: the connection is paused. */
static int refuse(struct job_run *run, const struct schema_change *change, const char *why)
{
    struct error error;
    error_set(&error, ERROR_INVALID, "the source has changed its schema, and %s: %s", why, change->summary);
    job_run_blame(run, "airbyte_platform", &error);
    free(run->failure.type);
    run->failure.type = mem_strdup("refresh_schema");
    job_run_over(run, JOB_ATTEMPT_FAILS, false);
    return -1;
}

static int put(struct job_run *run, const struct control_connection *connection, struct error *err)
{
    struct control_connection changed = *connection;
    changed.updated_ms = jobs_now_ms();
    return control_connection_put(run->jobs->options.control, &changed, err);
}

/* A backfill: columns that are new are filled for old rows too. */
static void backfill(struct job_run *run, const struct schema_change *change)
{
    struct task_binding_spec *bindings = (struct task_binding_spec *)run->spec->spec.bindings;
    for (size_t i = 0; i < run->spec->spec.binding_count; i++) {
        for (size_t k = 0; k < change->widened_count; k++) {
            const char *namespace = bindings[i].stream.namespace, *wanted = change->widened[k].namespace;
            if (strcmp(bindings[i].stream.name, change->widened[k].name) == 0 &&
                strcmp(namespace ? namespace : "", wanted ? wanted : "") == 0)
                bindings[i].start_over = bindings[i].replace = true;
        }
    }
}

static int fail(struct job_run *run, const struct error *error)
{
    job_run_blame(run, "airbyte_platform", error);
    job_run_over(run, JOB_ATTEMPT_FAILS, error->retriable);
    return -1;
}

static int follow(struct job_run *run, struct control_connection *connection,
                  const struct schema_change *change)
{
    struct error err;
    bool wants_backfill = connection->backfill && run->type == CONTROL_JOB_SYNC;
    bool freed = connection->breaking_change && !change->breaking; /* said by others while the job waited */
    connection->breaking_change = change->breaking;
    if (!change->breaking && connection->changes == CONTROL_CHANGES_DISABLE)
        connection->status = CONTROL_INACTIVE;
    if (connection->status == CONTROL_INACTIVE)
        connection->status_reason = "its source has changed its schema";
    if (change->catalog.size)
        connection->catalog = change->catalog;
    bool paused = change->breaking || connection->status == CONTROL_INACTIVE;
    if ((paused || freed || change->catalog.size) && put(run, connection, &err) < 0)
        return fail(run, &err);
    if (change->breaking)
        return refuse(run, change, "the connection does not fit it any more");
    if (connection->status == CONTROL_INACTIVE)
        return refuse(run, change, "the connection is to be paused then");
    if (change->catalog.size == 0)
        return 0;
    if (job_run_build(run, &err) < 0)
        return fail(run, &err);
    if (wants_backfill)
        backfill(run, change);
    return 0;
}

int job_discover_take(struct job_run *run)
{
    struct control *control = run->jobs->options.control;
    struct schema_change change;
    struct control_connection connection;
    struct arena arena;
    struct error err;
    char id[CONTROL_UUID_SIZE];
    unsigned modes = 0;
    const struct slice found = {run->catalog, run->catalog_size};
    if (!run->catalog) {
        error_set(&err, ERROR_PROTOCOL, "the source was asked what it offers, and did not say");
        return fail(run, &err);
    }
    arena_init(&arena);
    int result = -1;
    if (control_connection_get(control, run->connection, false, &arena, &connection, &err) < 0 ||
        control_catalog_put(control, connection.source, run->spec->source_identity, found, jobs_now_ms(), id,
                            &err) < 0 ||
        control_connection_checked(control, run->connection, jobs_now_ms(), &err) < 0 ||
        control_destination_modes(control, connection.destination, &arena, &modes, &err) < 0 ||
        schema_change_find(connection.catalog, found, connection.changes, modes, &arena, &change, &err) < 0) {
        fail(run, &err);
    } else if (!change.any) {
        result = connection.breaking_change ? follow(run, &connection, &change) : 0;
    } else {
        auto_free char *message = mem_printf("the source has changed its schema: %s", change.summary);
        job_run_log(run, change.breaking ? LOG_ERROR : LOG_WARN, "daemon", message);
        if (connection.notify_changes)
            webhooks_tell_change(run->jobs->webhooks, control, run->connection, change.summary);
        result = follow(run, &connection, &change);
    }
    arena_done(&arena);
    return result;
}
