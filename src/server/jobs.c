/* Jobs, attempts and their logs in the config API. */
#include "server/connections.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/settle.h"
#include "server/views.h"

#include "supervisor/job_log.h"

enum { LOG_TAIL_MAX = 1 << 20 /* bytes of an attempt's log in an answer */ };

/* --- showing ------------------------------------------------------------------------------------------ */

static void write_descriptor(struct json_writer *out, const struct control_stream *stream)
{
    json_begin_object(out);
    json_member_string(out, "name", stream->name);
    if (stream->namespace)
        json_member_string(out, "namespace", stream->namespace);
    json_end_object(out);
}

static void write_descriptors(struct json_writer *out, const char *name, const struct control_job *job)
{
    json_put_key(out, name);
    json_begin_array(out);
    for (size_t i = 0; i < job->stream_count; i++)
        write_descriptor(out, &job->streams[i]);
    json_end_array(out);
}

void view_job(struct json_writer *out, const struct control_job *job)
{
    json_member_i64(out, "id", job->id);
    json_member_string(out, "configType", control_job_type_name(job->type));
    json_member_string(out, "configId", job->connection);
    if (job->type == CONTROL_JOB_SYNC)
        write_descriptors(out, "enabledStreams", job);
    json_member_i64(out, "createdAt", call_seconds(job->created_ms));
    json_member_i64(out, "updatedAt", call_seconds(job->updated_ms));
    if (job->started_ms)
        json_member_i64(out, "startedAt", call_seconds(job->started_ms));
    json_member_string(out, "status", control_job_status_name(job->status));
    if (job->type != CONTROL_JOB_SYNC) {
        json_put_key(out, job->type == CONTROL_JOB_CLEAR ? "resetConfig" : "refreshConfig");
        json_begin_object(out);
        write_descriptors(out, job->type == CONTROL_JOB_CLEAR ? "streamsToReset" : "streamsToRefresh", job);
        json_end_object(out);
    }
    json_put_key(out, "aggregatedStats");
    json_begin_object(out);
    json_member_i64(out, "recordsEmitted", job->stats.records_emitted);
    json_member_i64(out, "bytesEmitted", job->stats.bytes_emitted);
    json_member_i64(out, "recordsCommitted", job->stats.records_committed);
    json_member_i64(out, "bytesCommitted", job->stats.bytes_committed);
    json_member_i64(out, "recordsRejected", job->stats.records_rejected);
    json_end_object(out);
}

static void write_stats_members(struct json_writer *out, const struct control_stats *stats)
{
    json_member_i64(out, "recordsEmitted", stats->records_emitted);
    json_member_i64(out, "bytesEmitted", stats->bytes_emitted);
    json_member_i64(out, "stateMessagesEmitted", stats->states_emitted);
    json_member_i64(out, "bytesCommitted", stats->bytes_committed);
    json_member_i64(out, "recordsCommitted", stats->records_committed);
    json_member_i64(out, "recordsRejected", stats->records_rejected);
    if (stats->estimated_records >= 0)
        json_member_i64(out, "estimatedRecords", stats->estimated_records);
    if (stats->estimated_bytes >= 0)
        json_member_i64(out, "estimatedBytes", stats->estimated_bytes);
}

static void write_stats(struct json_writer *out, const char *name, const struct control_stats *stats)
{
    json_put_key(out, name);
    json_begin_object(out);
    write_stats_members(out, stats);
    json_end_object(out);
}

static void write_failure(struct json_writer *out, const struct control_failure *failure)
{
    json_begin_object(out);
    json_member_string(out, "failureOrigin", failure->origin);
    json_member_string(out, "failureType", failure->type);
    json_member_string(out, "externalMessage", failure->message);
    if (failure->internal)
        json_member_string(out, "internalMessage", failure->internal);
    if (failure->stack)
        json_member_string(out, "stacktrace", failure->stack);
    json_member_bool(out, "retryable", failure->retriable);
    json_member_i64(out, "timestamp", failure->at_ms);
    if (failure->stream.name) {
        json_put_key(out, "streamDescriptor");
        write_descriptor(out, &failure->stream);
    }
    json_end_object(out);
}

static void write_streams(struct json_writer *out, const struct control_attempt *attempt)
{
    json_put_key(out, "streamStats");
    json_begin_array(out);
    for (size_t i = 0; i < attempt->stream_count; i++) {
        json_begin_object(out);
        json_member_string(out, "streamName", attempt->streams[i].stream.name);
        if (attempt->streams[i].stream.namespace)
            json_member_string(out, "streamNamespace", attempt->streams[i].stream.namespace);
        write_stats(out, "stats", &attempt->streams[i].stats);
        json_end_object(out);
    }
    json_end_array(out);
}

/* As in the seed: of an attempt that has just begun only that. */
static void write_attempt(struct json_writer *out, const struct control_attempt *attempt)
{
    json_begin_object(out);
    json_member_i64(out, "id", attempt->number);
    json_member_string(out, "status", control_attempt_status_name(attempt->status));
    json_member_i64(out, "createdAt", call_seconds(attempt->created_ms));
    json_member_i64(out, "updatedAt", call_seconds(attempt->updated_ms));
    if (attempt->ended_ms)
        json_member_i64(out, "endedAt", call_seconds(attempt->ended_ms));
    json_member_i64(out, "bytesSynced", attempt->stats.bytes_committed);
    json_member_i64(out, "recordsSynced", attempt->stats.records_committed);
    write_stats(out, "totalStats", &attempt->stats);
    write_streams(out, attempt);
    if (attempt->failure_count) {
        json_put_key(out, "failureSummary");
        json_begin_object(out);
        json_put_key(out, "failures");
        json_begin_array(out);
        for (size_t i = 0; i < attempt->failure_count; i++)
            write_failure(out, &attempt->failures[i]);
        json_end_array(out);
        json_member_bool(out, "partialSuccess", attempt->partial);
        json_end_object(out);
    }
    json_end_object(out);
}

static void write_logs(struct call *call, const struct control_attempt *attempt, bool wanted)
{
    struct json_writer *out = &call->out;
    struct buffer text;
    struct error err;
    buffer_init(&text, LOG_TAIL_MAX + 1);
    json_put_key(out, "logs");
    json_begin_object(out);
    json_put_key(out, "logLines");
    json_begin_array(out);
    if (wanted && job_log_tail(call->server->options.data_dir, attempt->job, attempt->number, LOG_TAIL_MAX,
                               &text, &err) == 0) {
        const char *at = text.data, *end = text.data + text.size;
        while (at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t size = newline ? (size_t)(newline - at) : (size_t)(end - at);
            json_put_slice(out, (struct slice){at, size});
            at += size + (newline != NULL);
        }
    }
    json_end_array(out);
    json_end_object(out);
    buffer_done(&text);
}

static void write_attempt_info(struct call *call, const struct control_attempt *attempt, bool logs)
{
    json_begin_object(&call->out);
    json_put_key(&call->out, "attempt");
    write_attempt(&call->out, attempt);
    json_member_string(&call->out, "logType", "formatted");
    write_logs(call, attempt, logs);
    json_end_object(&call->out);
}

enum http_next view_job_info(struct call *call, int64_t id, bool logs)
{
    struct control_job job;
    struct control_attempt *attempts;
    struct error err;
    size_t count;
    if (control_job_get(call->control, id, call->arena, &job, &err) < 0 ||
        control_job_attempts(call->control, id, call->arena, &attempts, &count, &err) < 0)
        return call_error_of(call, &err, "job", arena_printf(call->arena, "%lld", (long long)id));
    json_put_key(call_begin(call), "job");
    json_begin_object(&call->out);
    view_job(&call->out, &job);
    json_end_object(&call->out);
    json_put_key(&call->out, "attempts");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        write_attempt_info(call, &attempts[i], logs);
    json_end_array(&call->out);
    return call_end(call);
}

/* --- one job ------------------------------------------------------------------------------------------ */

enum http_next job_get(struct call *call)
{
    return view_job_info(call, call_integer(call, "id", 0), call->route->what != JOB_WITHOUT_LOGS);
}

static enum http_next absent(struct call *call, const struct error *err, int64_t id)
{
    return call_error_of(call, err, "job", arena_printf(call->arena, "%lld", (long long)id));
}

enum http_next job_get_light(struct call *call)
{
    struct control_job job;
    struct error err;
    int64_t id = call_integer(call, "id", 0);
    if (control_job_get(call->control, id, call->arena, &job, &err) < 0)
        return absent(call, &err, id);
    json_put_key(call_begin(call), "job");
    json_begin_object(&call->out);
    view_job(&call->out, &job);
    json_end_object(&call->out);
    return call_end(call);
}

static void write_definition_of(struct call *call, const char *member, enum control_side side,
                                const char *actor_id)
{
    struct control_actor actor;
    struct control_definition definition;
    struct error err;
    if (control_actor_get(call->control, side, actor_id, true, call->arena, &actor, &err) < 0 ||
        control_definition_get(call->control, actor.definition, true, call->arena, &definition, &err) < 0)
        return;
    json_put_key(&call->out, member);
    json_begin_object(&call->out);
    view_definition(call, &definition);
    json_end_object(&call->out);
}

enum http_next job_get_debug(struct call *call)
{
    struct control_job job;
    struct control_attempt *attempts;
    struct control_connection connection;
    struct error err;
    size_t count;
    int64_t id = call_integer(call, "id", 0);
    if (control_job_get(call->control, id, call->arena, &job, &err) < 0 ||
        control_job_attempts(call->control, id, call->arena, &attempts, &count, &err) < 0)
        return absent(call, &err, id);
    struct json_writer *out = call_begin(call);
    json_put_key(out, "job");
    json_begin_object(out);
    json_member_i64(out, "id", job.id);
    json_member_string(out, "configType", control_job_type_name(job.type));
    json_member_string(out, "configId", job.connection);
    json_member_string(out, "status", control_job_status_name(job.status));
    json_member_string(out, "airbyteVersion", FIRTH_VERSION);
    if (control_connection_get(call->control, job.connection, true, call->arena, &connection, &err) == 0) {
        write_definition_of(call, "sourceDefinition", CONTROL_SOURCE, connection.source);
        write_definition_of(call, "destinationDefinition", CONTROL_DESTINATION, connection.destination);
    }
    json_end_object(out);
    json_put_key(out, "attempts");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++)
        write_attempt_info(call, &attempts[i], true);
    json_end_array(out);
    return call_end(call);
}

enum http_next job_get_last_replication(struct call *call)
{
    struct control_connection connection;
    struct control_job job;
    struct error err;
    const char *id = call_uuid(call, "connectionId");
    if (control_connection_get(call->control, id, true, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    call_begin(call);
    if (control_job_newest(call->control, id, 1U << CONTROL_JOB_SYNC | 1U << CONTROL_JOB_REFRESH, call->arena,
                           &job, &err) == 0) {
        json_put_key(&call->out, "job");
        json_begin_object(&call->out);
        view_job(&call->out, &job);
        json_end_object(&call->out);
    }
    return call_end(call);
}

/* Of the jobs of its connection that ended before this one, did the newest succeed? */
enum http_next job_previous_succeeded(struct call *call)
{
    const struct control_job_filter filter = {.connection = call_uuid(call, "connectionId"),
                                              .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_job *jobs;
    struct error err;
    size_t count = 0, i = 0;
    int64_t id = call_integer(call, "jobId", 0);
    if (control_jobs(call->control, &filter, call->arena, &jobs, &count, NULL, &err) < 0)
        return call_error(call, &err);
    while (i < count && jobs[i].id >= id)
        i++;
    json_member_bool(call_begin(call), "value", i < count && jobs[i].status == CONTROL_JOB_SUCCEEDED);
    return call_end(call);
}

/* --- cancelling --------------------------------------------------------------------------------------- */

static enum http_next answer_cancelled(struct call *call)
{
    return view_job_info(call, *(const int64_t *)call->state, true);
}

enum http_next job_cancel_and(struct call *call, int64_t id, enum http_next (*then)(struct call *call))
{
    struct error err;
    int64_t *kept = arena_dup(call->arena, &id, sizeof id);
    call->state = kept;
    if (!call->server->jobs)
        return call_fail(call, 503, "this Firth runs no jobs");
    int ending = jobs_cancel(call->server->jobs, call->control, id, NULL, NULL, &err);
    if (ending < 0)
        return absent(call, &err, id);
    return ending ? settle(call, id, SETTLE_OVER, then) : then(call);
}

enum http_next job_cancel(struct call *call)
{
    return job_cancel_and(call, call_integer(call, "id", 0), answer_cancelled);
}

/* --- lists -------------------------------------------------------------------------------------------- */

static bool take_time(struct call *call, const char *name, int64_t *ret_ms)
{
    const char *text = call_text(call, name);
    if (!text || clock_parse_rfc3339(text, strlen(text), ret_ms))
        return true;
    call_invalid(call, name, "%s: a time like 2026-11-21T09:30:00Z is wanted", name);
    return false;
}

/* Types that Firth has no jobs of match nothing: *ret_none. */
static void take_types(struct call *call, struct control_job_filter *filter, bool *ret_none)
{
    uint32_t list = call_member(call, "configTypes");
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE;
         at = json_next(&call->body, list, at)) {
        enum control_job_type type = control_job_type_of(json_cstring(&call->body, at, call->arena));
        if (type < CONTROL_JOB_TYPE_COUNT)
            filter->types |= 1U << type;
    }
    *ret_none = json_count(&call->body, list) > 0 && !filter->types;
}

/* "queued" is pending, here. */
static void take_statuses(struct call *call, struct control_job_filter *filter)
{
    uint32_t list = call_member(call, "statuses");
    const char *one = call_text(call, "status");
    for (uint32_t at = json_first(&call->body, list); at != JSON_NONE;
         at = json_next(&call->body, list, at)) {
        enum control_job_status status = control_job_status_of(json_cstring(&call->body, at, call->arena));
        filter->statuses |= 1U << (status < CONTROL_JOB_STATUS_COUNT ? status : CONTROL_JOB_PENDING);
    }
    if (one && control_job_status_of(one) < CONTROL_JOB_STATUS_COUNT)
        filter->statuses |= 1U << control_job_status_of(one);
}

static bool take_filter(struct call *call, struct control_job_filter *filter, bool *ret_none)
{
    const char *order = call_text(call, "orderByField"), *method = call_text(call, "orderByMethod");
    if (!paging_of_body(call, CONTROL_PAGE_DEFAULT, &filter->page))
        return false;
    filter->including = call_integer(call, "includingJobId", 0);
    filter->order = order && strcmp(order, "updatedAt") == 0 ? CONTROL_JOBS_UPDATED : CONTROL_JOBS_CREATED;
    filter->ascending = method && strcmp(method, "ASC") == 0;
    take_types(call, filter, ret_none);
    take_statuses(call, filter);
    return take_time(call, "createdAtStart", &filter->created_from_ms) &&
           take_time(call, "createdAtEnd", &filter->created_to_ms) &&
           take_time(call, "updatedAtStart", &filter->updated_from_ms) &&
           take_time(call, "updatedAtEnd", &filter->updated_to_ms);
}

static int write_with_attempts(struct call *call, const struct control_job *job, struct error *err)
{
    struct control_attempt *attempts;
    size_t count;
    if (control_job_attempts(call->control, job->id, call->arena, &attempts, &count, err) < 0)
        return -1;
    json_begin_object(&call->out);
    json_put_key(&call->out, "job");
    json_begin_object(&call->out);
    view_job(&call->out, job);
    json_end_object(&call->out);
    json_put_key(&call->out, "attempts");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++)
        write_attempt(&call->out, &attempts[i]);
    json_end_array(&call->out);
    json_end_object(&call->out);
    return 0;
}

enum http_next job_list(struct call *call)
{
    struct control_job_filter filter = {.connection = call_text(call, "configId")};
    struct control_job *jobs;
    struct error err;
    size_t count = 0;
    uint64_t total = 0;
    bool none;
    if (!take_filter(call, &filter, &none))
        return HTTP_ANSWER;
    filter.workspaces = call_uuids(call, "workspaceIds", &filter.workspace_count);
    if (!none && control_jobs(call->control, &filter, call->arena, &jobs, &count, &total, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "jobs");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        if (write_with_attempts(call, &jobs[i], &err) < 0)
            return call_error(call, &err);
    }
    json_end_array(&call->out);
    json_member_u64(&call->out, "totalJobCount", total);
    return call_end(call);
}

/* --- attempts and logs -------------------------------------------------------------------------------- */

enum http_next attempt_get(struct call *call)
{
    struct control_attempt *attempts;
    struct error err;
    size_t count;
    int64_t id = call_integer(call, "jobId", 0), number = call_integer(call, "attemptNumber", 0);
    if (control_job_attempts(call->control, id, call->arena, &attempts, &count, &err) < 0)
        return absent(call, &err, id);
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].number != number)
            continue;
        call_begin(call);
        if (call->route->what == ATTEMPT_STATS) {
            write_stats_members(&call->out, &attempts[i].stats);
            return call_end(call);
        }
        json_put_key(&call->out, "attempt");
        write_attempt(&call->out, &attempts[i]);
        json_member_string(&call->out, "logType", "formatted");
        write_logs(call, &attempts[i], true);
        return call_end(call);
    }
    return call_fail(call, 404, "job %lld has no attempt %lld", (long long)id, (long long)number);
}
