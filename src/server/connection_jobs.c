/* What is done for a connection: sync, reset, clear, refresh; how it is. */
#include "server/connections.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/settle.h"
#include "server/views.h"

/* --- beginning a job ---------------------------------------------------------------------------------- */

int job_begin(struct call *call, const struct control_job_new *job, int64_t *ret_id, struct error *err)
{
    if (!call->server->jobs)
        return error_set(err, ERROR_CANCELLED, "this Firth runs no jobs");
    return jobs_start(call->server->jobs, call->control, job, ret_id, err);
}

static int64_t *kept_id(struct call *call)
{
    return call->state;
}

static enum http_next answer_info(struct call *call)
{
    return view_job_info(call, *kept_id(call), true);
}

static enum http_next answer_light(struct call *call)
{
    struct control_job job;
    struct error err;
    if (control_job_get(call->control, *kept_id(call), call->arena, &job, &err) < 0)
        return call_error(call, &err);
    json_put_key(call_begin(call), "job");
    json_begin_object(&call->out);
    view_job(&call->out, &job);
    json_end_object(&call->out);
    return call_end(call);
}

static enum http_next begin(struct call *call, const struct control_job_new *job,
                            enum http_next (*then)(struct call *call))
{
    struct error err;
    int64_t *id = arena_zalloc(call->arena, sizeof *id);
    call->state = id;
    if (job_begin(call, job, id, &err) < 0)
        return call_error_of(call, &err, "connection", job->connection);
    return settle(call, *id, SETTLE_BEGUN, then);
}

static void take_streams(struct call *call, struct control_job_new *job)
{
    uint32_t list = call_member(call, "streams");
    struct control_stream *streams =
        arena_zalloc(call->arena, (json_count(&call->body, list) + 1) * sizeof *streams);
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE; at = json_next(&call->body, list, at))
        streams[job->stream_count++] = (struct control_stream){call_text_of(call, at, "streamName"),
                                                               call_text_of(call, at, "streamNamespace")};
    job->streams = streams;
}

enum http_next connection_sync(struct call *call)
{
    const struct control_job_new job = {
        .connection = call_uuid(call, "connectionId"), .type = CONTROL_JOB_SYNC, .now_ms = call->now_ms};
    return begin(call, &job, answer_info);
}

/* reset and clear are one; both also for chosen streams. */
enum http_next connection_clear(struct call *call)
{
    struct control_job_new job = {
        .connection = call_uuid(call, "connectionId"), .type = CONTROL_JOB_CLEAR, .now_ms = call->now_ms};
    if (call->route->what == CLEAR_STREAMS)
        take_streams(call, &job);
    if (call->route->what == CLEAR_STREAMS && !job.stream_count)
        return call_invalid(call, "streams", "streams: at least one is wanted");
    return begin(call, &job, answer_info);
}

enum http_next connection_refresh(struct call *call)
{
    const char *mode = call_text(call, "refreshMode");
    struct control_job_new job = {.connection = call_uuid(call, "connectionId"),
                                  .type = CONTROL_JOB_REFRESH,
                                  .merge = mode && strcmp(mode, "Merge") == 0,
                                  .now_ms = call->now_ms};
    take_streams(call, &job);
    return begin(call, &job, answer_light);
}

enum http_next job_create(struct call *call)
{
    const char *type =
        call_text(call, "jobType") ? call_text(call, "jobType") : call_text(call, "configType");
    struct control_job_new job = {.connection = call_uuid(call, "connectionId"),
                                  .type = type ? control_job_type_of(type) : CONTROL_JOB_SYNC,
                                  .scheduled = call_bool(call, "isScheduled", false),
                                  .now_ms = call->now_ms};
    return begin(call, &job, answer_info);
}

/* --- how it is ---------------------------------------------------------------------------------------- */

/* The newest failure of a job, as the status shows it. */
static void write_newest(struct call *call, const struct control_connection *connection)
{
    struct json_writer *out = &call->out;
    struct control_job job;
    struct error err;
    if (control_job_newest(call->control, connection->id, 1U << CONTROL_JOB_SYNC, call->arena, &job, &err) <
        0)
        return;
    json_member_i64(out, "lastSyncJobId", job.id);
    json_member_string(out, "lastSyncJobStatus", control_job_status_name(job.status));
    json_member_i64(out, "lastSyncAttemptNumber", job.attempts ? (int64_t)job.attempts - 1 : 0);
}

static void write_last_success(struct call *call, const struct control_connection *connection)
{
    const struct control_job_filter filter = {.connection = connection->id,
                                              .types = 1U << CONTROL_JOB_SYNC,
                                              .statuses = 1U << CONTROL_JOB_SUCCEEDED,
                                              .page = {.limit = 1}};
    struct control_job *jobs;
    struct error err;
    size_t count = 0;
    if (control_jobs(call->control, &filter, call->arena, &jobs, &count, NULL, &err) == 0 && count)
        json_member_i64(&call->out, "lastSuccessfulSync", call_seconds(jobs[0].ended_ms));
}

enum http_next connection_status(struct call *call)
{
    struct control_connection *items;
    struct control_connection_filter filter = {.any_status = true, .page = {.limit = CONTROL_PAGE_MAX}};
    struct error err;
    size_t count = 0;
    filter.ids = call_uuids(call, "connectionIds", &filter.id_count);
    if (filter.id_count &&
        control_connections(call->control, &filter, call->arena, &items, &count, NULL, &err) < 0)
        return call_error(call, &err);
    call->http->status = 200;
    json_writer_init(&call->out, &call->http->answer);
    struct json_writer *out = &call->out;
    json_begin_array(out);
    for (size_t i = 0; i < count; i++) {
        int64_t due = jobs_due(&items[i], call->now_ms);
        json_begin_object(out);
        json_member_string(out, "connectionId", items[i].id);
        json_member_bool(out, "isRunning", items[i].running);
        write_newest(call, &items[i]);
        write_last_success(call, &items[i]);
        if (due >= 0)
            json_member_i64(out, "nextSync", call_seconds(due));
        json_end_object(out);
    }
    json_end_array(out);
    return HTTP_ANSWER;
}

static void write_progress(struct call *call, const struct control_job *job)
{
    struct json_writer *out = &call->out;
    json_member_i64(out, "jobId", job->id);
    json_member_i64(out, "syncStartedAt", call_seconds(job->started_ms));
    json_member_i64(out, "recordsEmitted", job->stats.records_emitted);
    json_member_i64(out, "bytesEmitted", job->stats.bytes_emitted);
    json_member_i64(out, "recordsCommitted", job->stats.records_committed);
    json_member_i64(out, "bytesCommitted", job->stats.bytes_committed);
    json_member_i64(out, "recordsRejected", job->stats.records_rejected);
    json_member_string(out, "configType", control_job_type_name(job->type));
}

enum http_next connection_progress(struct call *call)
{
    struct control_connection connection;
    struct control_job job;
    struct error err;
    const char *id = call_uuid(call, "connectionId");
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    json_member_string(call_begin(call), "connectionId", id);
    if (control_job_newest(call->control, id, 0, call->arena, &job, &err) == 0 &&
        !control_job_over(job.status))
        write_progress(call, &job);
    json_put_key(&call->out, "streams");
    json_begin_array(&call->out);
    json_end_array(&call->out);
    return call_end(call);
}
