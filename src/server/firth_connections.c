/* Firth's own API: all connections at a glance, and the history of one, each by one query: what pages that
 * are open all day ask for again and again. */
#include "base/map.h"
#include "control/actors.h"
#include "control/schedule.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/views.h"

enum { HISTORY_DEFAULT = 200, HISTORY_MAX = 2000 };

/* When it runs next, unless somebody asks for it sooner. */
static void write_next_run(struct call *call, const struct control_connection *connection)
{
    if (connection->status != CONTROL_ACTIVE || connection->breaking_change || connection->running)
        return;
    int64_t due = control_schedule_due(connection, call->now_ms);
    if (due >= 0)
        json_member_i64(&call->out, "nextRunAt", call_seconds(due));
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

static int find_actors(struct call *call, enum control_side side, struct map *ret_actors, struct error *err)
{
    const struct control_actor_filter filter = {.side = side,
                                                .page = {.limit = CONTROL_PAGE_MAX, .deleted = true}};
    struct control_actor *items;
    size_t count;
    if (control_actors(call->control, &filter, call->arena, &items, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        map_set(ret_actors, slice_of(items[i].id), &items[i]);
    return 0;
}

static void write_actor(struct json_writer *out, const char *member, const struct map *actors, const char *id)
{
    const struct control_actor *actor = map_get(actors, slice_of(id));
    json_put_key(out, member);
    json_begin_object(out);
    json_member_string(out, "id", id);
    json_member_string(out, "name", actor ? actor->name : "");
    json_member_string(out, "connector", actor && actor->definition_name ? actor->definition_name : "");
    json_end_object(out);
}

static void write_item(struct call *call, const struct control_connection *connection,
                       const struct map *actors)
{
    struct json_writer *out = &call->out;
    json_begin_object(out);
    json_member_string(out, "connectionId", connection->id);
    json_member_string(out, "name", connection->name);
    json_member_string(out, "status", control_connection_status_name(connection->status));
    if (connection->status_reason)
        json_member_string(out, "statusReason", connection->status_reason);
    view_schedule(out, connection);
    write_actor(out, "source", actors, connection->source);
    write_actor(out, "destination", actors, connection->destination);
    json_member_bool(out, "isSyncing", connection->running);
    json_member_string(out, "schemaChange", connection->breaking_change ? "breaking" : "no_change");
    if (connection->job) {
        json_member_i64(out, "latestSyncJobCreatedAt", call_seconds(connection->job_created_ms));
        json_member_string(out, "latestSyncJobStatus",
                           control_job_status_name((enum control_job_status)connection->job_status));
    }
    write_next_run(call, connection);
    json_end_object(out);
}

enum http_next firth_connections(struct call *call)
{
    const struct control_connection_filter filter = {.any_status = true, .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_connection *items;
    struct map actors;
    struct error err;
    size_t count;
    map_init(&actors);
    if (control_connections(call->control, &filter, call->arena, &items, &count, NULL, &err) < 0 ||
        find_actors(call, CONTROL_SOURCE, &actors, &err) < 0 ||
        find_actors(call, CONTROL_DESTINATION, &actors, &err) < 0) {
        map_done(&actors);
        return call_error(call, &err);
    }
    json_put_key(call_begin(call), "connections");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        write_item(call, &items[i], &actors);
    json_end_array(&call->out);
    map_done(&actors);
    return call_end(call);
}

/* --- the history of one ------------------------------------------------------------------------------------
 */

static void write_job(struct json_writer *out, const struct control_job *job)
{
    json_begin_object(out);
    json_member_i64(out, "id", job->id);
    json_member_string(out, "configType", control_job_type_name(job->type));
    json_member_string(out, "status", control_job_status_name(job->status));
    json_member_i64(out, "createdAt", call_seconds(job->created_ms));
    if (job->started_ms)
        json_member_i64(out, "startedAt", call_seconds(job->started_ms));
    if (job->ended_ms)
        json_member_i64(out, "endedAt", call_seconds(job->ended_ms));
    if (job->started_ms && job->ended_ms >= job->started_ms)
        json_member_i64(out, "durationMs", job->ended_ms - job->started_ms);
    json_member_u64(out, "attempts", job->attempts);
    json_member_bool(out, "scheduled", job->scheduled);
    json_member_i64(out, "recordsEmitted", job->stats.records_emitted);
    json_member_i64(out, "bytesEmitted", job->stats.bytes_emitted);
    json_member_i64(out, "recordsCommitted", job->stats.records_committed);
    json_member_i64(out, "bytesCommitted", job->stats.bytes_committed);
    json_end_object(out);
}

enum http_next firth_history(struct call *call)
{
    const char *id = call_path_uuid(call, 0), *limit = http_query(call->http, "limit", 0);
    struct control_connection connection;
    struct control_job *jobs;
    struct error err;
    size_t count;
    uint64_t total, most = HISTORY_DEFAULT;
    if (limit && (!string_to_u64(limit, HISTORY_MAX, &most) || most == 0))
        return call_invalid(call, "limit", "limit: a number from 1 to %d is wanted", HISTORY_MAX);
    if (!id)
        return call_absent(call, "connection", call->arguments[0]);
    const struct control_job_filter filter = {
        .connection = id, .order = CONTROL_JOBS_ID, .brief = true, .page = {.limit = (uint32_t)most}};
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (control_jobs(call->control, &filter, call->arena, &jobs, &count, &total, &err) < 0)
        return call_error(call, &err);
    json_put_key(call_begin(call), "jobs");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        write_job(&call->out, &jobs[i]);
    json_end_array(&call->out);
    json_member_u64(&call->out, "total", total);
    write_next_run(call, &connection);
    return call_end(call);
}
