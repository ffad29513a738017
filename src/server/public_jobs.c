/* Jobs in the public API. */
#include "server/handlers.h"
#include "server/internal.h"
#include "server/paging.h"
#include "server/settle.h"
#include "server/views.h"

#include <stdio.h>

/* --- showing ------------------------------------------------------------------------------------------ */

static const char *type_of(enum control_job_type type)
{
    static const char *const names[CONTROL_JOB_TYPE_COUNT] = {"sync", "reset", "refresh"};
    return names[type];
}

/* ISO 8601: "PT8H6M12S". */
static void format_duration(int64_t ms, char *text, size_t size)
{
    long long seconds = ms > 0 ? ms / 1000 : 0, hours = seconds / 3600, minutes = seconds / 60 % 60;
    char hour[32] = "", minute[32] = "", second[32] = "";
    if (hours)
        snprintf(hour, sizeof hour, "%lldH", hours);
    if (minutes)
        snprintf(minute, sizeof minute, "%lldM", minutes);
    if (seconds % 60 || (!hours && !minutes))
        snprintf(second, sizeof second, "%lldS", seconds % 60);
    snprintf(text, size, "PT%s%s%s", hour, minute, second);
}

static void write_job(struct call *call, const struct control_job *job)
{
    struct json_writer *out = &call->out;
    char text[128];
    json_member_i64(out, "jobId", job->id);
    json_member_string(out, "status", control_job_status_name(job->status));
    json_member_string(out, "jobType", type_of(job->type));
    clock_format_rfc3339(job->started_ms ? job->started_ms : job->created_ms, text, sizeof text);
    json_member_string(out, "startTime", text);
    json_member_string(out, "connectionId", job->connection);
    clock_format_rfc3339(job->updated_ms, text, sizeof text);
    json_member_string(out, "lastUpdatedAt", text);
    if (control_job_over(job->status)) {
        format_duration(job->ended_ms - (job->started_ms ? job->started_ms : job->created_ms), text,
                        sizeof text);
        json_member_string(out, "duration", text);
    }
    json_member_i64(out, "bytesSynced", job->stats.bytes_committed);
    json_member_i64(out, "rowsSynced", job->stats.records_committed);
}

static enum http_next absent(struct call *call)
{
    return call_absent(call, "job", call->arguments[0]);
}

static enum http_next answer(struct call *call, int64_t id)
{
    struct control_job job;
    struct error err;
    if (control_job_get(call->control, id, call->arena, &job, &err) < 0)
        return err.code == ERROR_NOT_FOUND ? absent(call) : call_error(call, &err);
    call_begin(call);
    write_job(call, &job);
    return call_end(call);
}

static bool path_id(const struct call *call, int64_t *ret_id)
{
    return string_to_i64(call->arguments[0], ret_id);
}

enum http_next public_job_get(struct call *call)
{
    int64_t id;
    return path_id(call, &id) ? answer(call, id) : absent(call);
}

static enum http_next answer_kept(struct call *call)
{
    return answer(call, *(const int64_t *)call->state);
}

enum http_next public_job_cancel(struct call *call)
{
    int64_t id;
    return path_id(call, &id) ? job_cancel_and(call, id, answer_kept) : absent(call);
}

enum http_next public_job_create(struct call *call)
{
    int64_t *id = arena_zalloc(call->arena, sizeof *id);
    struct error err;
    const struct control_job_new job = {.connection = call_uuid(call, "connectionId"),
                                        .type = control_job_type_of(call_text(call, "jobType")),
                                        .now_ms = call->now_ms};
    call->state = id;
    if (job_begin(call, &job, id, &err) < 0)
        return err.code == ERROR_NOT_FOUND ? call_absent(call, "connection", job.connection)
                                           : call_error_in(call, &err, "connectionId");
    return settle(call, *id, SETTLE_BEGUN, answer_kept);
}

/* --- lists -------------------------------------------------------------------------------------------- */

static bool take_time(struct call *call, const char *name, int64_t *ret_ms)
{
    const char *text = http_query(call->http, name, 0);
    if (!text || clock_parse_rfc3339(text, strlen(text), ret_ms))
        return true;
    call_invalid(call, name, "%s: a time like 2026-11-21T09:30:00Z is wanted", name);
    return false;
}

static bool take_words(struct call *call, struct control_job_filter *filter)
{
    const char *type = http_query(call->http, "jobType", 0), *status = http_query(call->http, "status", 0);
    const char *order = http_query(call->http, "orderBy", 0);
    if (type && control_job_type_of(type) == CONTROL_JOB_TYPE_COUNT) {
        call_invalid(call, "jobType", "jobType: sync, reset, refresh or clear is wanted");
        return false;
    }
    if (status && control_job_status_of(status) == CONTROL_JOB_STATUS_COUNT &&
        strcmp(status, "queued") != 0) {
        call_invalid(call, "status",
                     "status: pending, running, incomplete, failed, succeeded or cancelled is wanted");
        return false;
    }
    if (type)
        filter->types = 1U << control_job_type_of(type);
    if (status)
        filter->statuses =
            1U << (strcmp(status, "queued") == 0 ? CONTROL_JOB_PENDING : control_job_status_of(status));
    if (!order)
        return true;
    const char *bar = strchr(order, '|');
    size_t size = bar ? (size_t)(bar - order) : strlen(order);
    bool updated = size == 9 && strncmp(order, "updatedAt", size) == 0;
    if ((!updated && (size != 9 || strncmp(order, "createdAt", size) != 0)) ||
        (bar && strcmp(bar, "|ASC") != 0 && strcmp(bar, "|DESC") != 0)) {
        call_invalid(call, "orderBy",
                     "orderBy: createdAt|ASC, createdAt|DESC, updatedAt|ASC or updatedAt|DESC is wanted");
        return false;
    }
    filter->order = updated ? CONTROL_JOBS_UPDATED : CONTROL_JOBS_CREATED;
    filter->ascending = bar && strcmp(bar, "|ASC") == 0;
    return true;
}

static bool take_filter(struct call *call, struct control_job_filter *filter)
{
    const char *const *connection;
    size_t count;
    if (!paging_read(call, &filter->page) ||
        !paging_ids(call, "workspaceIds", &filter->workspaces, &filter->workspace_count) ||
        !paging_ids(call, "connectionId", &connection, &count))
        return false;
    filter->connection = count ? connection[0] : NULL;
    return take_words(call, filter) && take_time(call, "createdAtStart", &filter->created_from_ms) &&
           take_time(call, "createdAtEnd", &filter->created_to_ms) &&
           take_time(call, "updatedAtStart", &filter->updated_from_ms) &&
           take_time(call, "updatedAtEnd", &filter->updated_to_ms);
}

enum http_next public_job_list(struct call *call)
{
    struct control_job_filter filter = {0};
    struct control_job *jobs;
    struct error err;
    size_t count;
    uint64_t total = 0;
    if (!take_filter(call, &filter))
        return HTTP_ANSWER;
    if (control_jobs(call->control, &filter, call->arena, &jobs, &count, &total, &err) < 0)
        return call_error(call, &err);
    call_begin(call);
    json_put_key(&call->out, "data");
    json_begin_array(&call->out);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&call->out);
        write_job(call, &jobs[i]);
        json_end_object(&call->out);
    }
    json_end_array(&call->out);
    paging_write(call, &filter.page, total);
    return call_end(call);
}
