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
        return err.code == ERROR_NOT_FOUND
                   ? call_absent(call, "connection", job->connection)
                   : call_error_in(call, &err, job->stream_count ? "streams" : "connectionId");
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

/* Of the attempt that runs. */
static void write_streams(struct call *call, const struct control_job *job)
{
    struct json_writer *out = &call->out;
    struct control_attempt *attempts;
    struct error err;
    size_t count = 0;
    if (control_job_attempts(call->control, job->id, call->arena, &attempts, &count, &err) < 0 || !count)
        return;
    const struct control_attempt *last = &attempts[count - 1];
    for (size_t i = 0; i < last->stream_count; i++) {
        const struct control_stream_stats *stream = &last->streams[i];
        json_begin_object(out);
        json_member_string(out, "streamName", stream->stream.name);
        if (stream->stream.namespace)
            json_member_string(out, "streamNamespace", stream->stream.namespace);
        json_member_i64(out, "recordsEmitted", stream->stats.records_emitted);
        json_member_i64(out, "recordsCommitted", stream->stats.records_committed);
        json_member_i64(out, "bytesEmitted", stream->stats.bytes_emitted);
        json_member_i64(out, "bytesCommitted", stream->stats.bytes_committed);
        json_member_i64(out, "recordsRejected", stream->stats.records_rejected);
        json_member_string(out, "configType", control_job_type_name(job->type));
        json_end_object(out);
    }
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
    bool runs = control_job_newest(call->control, id, 0, call->arena, &job, &err) == 0 &&
                !control_job_over(job.status);
    if (runs)
        write_progress(call, &job);
    json_put_key(&call->out, "streams");
    json_begin_array(&call->out);
    if (runs)
        write_streams(call, &job);
    json_end_array(&call->out);
    return call_end(call);
}

/* --- each stream's newest job --------------------------------------------------------------------------- */

enum { LAST_JOBS_MAX = 50 /* of a connection that are looked through for its streams */ };

struct last_jobs {
    struct control_job *jobs;
    struct control_attempt **attempts; /* of each job; NULL: not read */
    size_t *attempt_counts, count;
};

static const struct control_stream_stats *stats_in(const struct control_attempt *attempts, size_t count,
                                                   const char *name, const char *space)
{
    for (size_t i = count; i-- > 0;) {
        for (size_t k = 0; k < attempts[i].stream_count; k++) {
            const struct control_stream *stream = &attempts[i].streams[k].stream;
            if (strcmp(stream->name, name) == 0 &&
                strcmp(stream->namespace ? stream->namespace : "", space ? space : "") == 0)
                return &attempts[i].streams[k];
        }
    }
    return NULL;
}

static void write_last_job(struct call *call, const struct last_jobs *last, const char *name,
                           const char *space)
{
    struct json_writer *out = &call->out;
    for (size_t i = 0; i < last->count; i++) {
        const struct control_job *job = &last->jobs[i];
        const struct control_stream_stats *stream =
            stats_in(last->attempts[i], last->attempt_counts[i], name, space);
        if (!stream)
            continue;
        json_begin_object(out);
        json_member_string(out, "streamName", name);
        if (space)
            json_member_string(out, "streamNamespace", space);
        json_member_i64(out, "jobId", job->id);
        json_member_string(out, "configType", control_job_type_name(job->type));
        json_member_string(out, "jobStatus", control_job_status_name(job->status));
        json_member_i64(out, "startedAt", call_seconds(job->started_ms));
        json_member_i64(out, "endedAt", call_seconds(job->ended_ms));
        json_member_i64(out, "bytesCommitted", stream->stats.bytes_committed);
        json_member_i64(out, "recordsCommitted", stream->stats.records_committed);
        json_end_object(out);
        return;
    }
}

/* One of each stream that the body names and that a job moved. */
enum http_next connection_last_jobs(struct call *call)
{
    struct control_connection connection;
    struct last_jobs last;
    struct error err;
    const char *id = call_uuid(call, "connectionId");
    const struct control_job_filter filter = {.connection = id, .page = {.limit = LAST_JOBS_MAX}};
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (control_jobs(call->control, &filter, call->arena, &last.jobs, &last.count, NULL, &err) < 0)
        return call_error(call, &err);
    last.attempts = arena_zalloc(call->arena, (last.count + 1) * sizeof *last.attempts);
    last.attempt_counts = arena_zalloc(call->arena, (last.count + 1) * sizeof *last.attempt_counts);
    for (size_t i = 0; i < last.count; i++) {
        if (control_job_attempts(call->control, last.jobs[i].id, call->arena, &last.attempts[i],
                                 &last.attempt_counts[i], &err) < 0)
            return call_error(call, &err);
    }
    call->http->status = 200;
    json_writer_init(&call->out, &call->http->answer);
    json_begin_array(&call->out);
    uint32_t list = call_member(call, "streams");
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE; at = json_next(&call->body, list, at))
        write_last_job(call, &last, call_text_of(call, at, "streamName"),
                       call_text_of(call, at, "streamNamespace"));
    json_end_array(&call->out);
    return HTTP_ANSWER;
}
