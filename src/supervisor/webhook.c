#include "supervisor/webhook.h"

#include "base/clock.h"
#include "control/actors.h"
#include "control/connections.h"
#include "control/jobs.h"
#include "control/workspaces.h"
#include "json/writer.h"

#include <stdlib.h>

struct webhooks {
    uv_loop_t *loop;
    const struct log *log;
    struct curl_api curl;
    size_t under_way;
    atomic_bool closing; /* read by the threads that deliver */
};

/* One POST to one URL, and its tries. */
struct delivery {
    struct webhooks *webhooks;
    uv_work_t work;
    uv_timer_t timer;
    char *url, *body, *connection; /* the connection's name */
    unsigned tries;
    bool delivered;
    char why[256]; /* it was not */
};

struct webhooks *webhooks_new(uv_loop_t *loop, const struct log *log, struct error *err)
{
    struct webhooks *webhooks = mem_zalloc(sizeof *webhooks);
    if (curl_api_load(&webhooks->curl, err) < 0) {
        free(webhooks);
        return NULL;
    }
    webhooks->loop = loop;
    webhooks->log = log;
    return webhooks;
}

static void free_if_over(struct webhooks *webhooks)
{
    if (webhooks->under_way == 0 && atomic_load(&webhooks->closing))
        free(webhooks);
}

void webhooks_close(struct webhooks *webhooks)
{
    if (!webhooks)
        return;
    atomic_store(&webhooks->closing, true);
    free_if_over(webhooks);
}

/* --- one delivery, in a thread of the loop's pool ------------------------------------------------ */

static void on_work(uv_work_t *work)
{
    struct delivery *delivery = work->data;
    struct webhooks *webhooks = delivery->webhooks;
    delivery->delivered = webhook_post(&webhooks->curl, delivery->url, delivery->body, &webhooks->closing,
                                       delivery->why, sizeof delivery->why);
}

static void on_closed(uv_handle_t *handle)
{
    struct delivery *delivery = handle->data;
    struct webhooks *webhooks = delivery->webhooks;
    free(delivery->url);
    free(delivery->body);
    free(delivery->connection);
    free(delivery);
    webhooks->under_way--;
    free_if_over(webhooks);
}

static void on_worked(uv_work_t *work, int status);

static void on_retry_due(uv_timer_t *timer)
{
    struct delivery *delivery = timer->data;
    if (atomic_load(&delivery->webhooks->closing) ||
        uv_queue_work(delivery->webhooks->loop, &delivery->work, on_work, on_worked) < 0)
        uv_close((uv_handle_t *)timer, on_closed);
}

static void on_worked(uv_work_t *work, int status)
{
    struct delivery *delivery = work->data;
    struct webhooks *webhooks = delivery->webhooks;
    bool again = status == 0 && !delivery->delivered && !atomic_load(&webhooks->closing) &&
                 ++delivery->tries < WEBHOOK_TRIES;
    if (again) {
        uv_timer_start(&delivery->timer, on_retry_due, (uint64_t)WEBHOOK_RETRY_MS << (delivery->tries - 1),
                       0);
        return;
    }
    if (!delivery->delivered && !atomic_load(&webhooks->closing))
        log_warn(webhooks->log, "the webhook at %.*s was not told of the connection '%s', after %u tries: %s",
                 SLICE_ARGS(webhook_host(delivery->url)), delivery->connection, delivery->tries,
                 delivery->why);
    uv_close((uv_handle_t *)&delivery->timer, on_closed);
}

static void deliver(struct webhooks *webhooks, const char *url, const char *connection, struct slice body)
{
    if (webhooks->under_way == WEBHOOK_WAITING_MAX) {
        log_warn(webhooks->log, "the webhook at %.*s was not told of the connection '%s': %d others wait",
                 SLICE_ARGS(webhook_host(url)), connection, WEBHOOK_WAITING_MAX);
        return;
    }
    struct delivery *delivery = mem_zalloc(sizeof *delivery);
    delivery->webhooks = webhooks;
    delivery->url = mem_strdup(url);
    delivery->connection = mem_strdup(connection);
    delivery->body = mem_strndup(body.data, body.size);
    delivery->work.data = delivery->timer.data = delivery;
    webhooks->under_way++;
    uv_timer_init(webhooks->loop, &delivery->timer);
    /* A timer of a delivery that is under way does not keep the loop from ending. */
    if (uv_queue_work(webhooks->loop, &delivery->work, on_work, on_worked) < 0)
        uv_close((uv_handle_t *)&delivery->timer, on_closed);
}

/* --- what is told -------------------------------------------------------------------------------- */

struct told {
    struct arena arena;
    struct control_workspace workspace;
    struct control_connection connection;
    struct control_actor source, destination;
};

static int read_all(struct control *control, const char *connection, struct told *told, struct error *err)
{
    struct arena *arena = &told->arena;
    return control_connection_get(control, connection, true, arena, &told->connection, err) < 0 ||
                   control_workspace_get(control, told->connection.workspace, true, arena, &told->workspace,
                                         err) < 0 ||
                   control_actor_get(control, CONTROL_SOURCE, told->connection.source, true, arena,
                                     &told->source, err) < 0 ||
                   control_actor_get(control, CONTROL_DESTINATION, told->connection.destination, true, arena,
                                     &told->destination, err) < 0
               ? -1
               : 0;
}

static void write_named(struct json_writer *writer, const char *member, const char *id, const char *name)
{
    json_put_key(writer, member);
    json_begin_object(writer);
    json_member_string(writer, "id", id);
    json_member_string(writer, "name", name);
    json_end_object(writer);
}

static void write_begin(struct json_writer *writer, const struct told *told, const char *text)
{
    json_begin_object(writer);
    json_member_string(writer, "text", text);
    json_put_key(writer, "data");
    json_begin_object(writer);
    write_named(writer, "workspace", told->workspace.id, told->workspace.name);
    write_named(writer, "connection", told->connection.id, told->connection.name);
    write_named(writer, "source", told->source.id, told->source.name);
    write_named(writer, "destination", told->destination.id, told->destination.name);
}

static void write_time(struct json_writer *writer, const char *member, int64_t ms)
{
    char text[32];
    clock_format_rfc3339(ms, text, sizeof text);
    json_member_string(writer, member, text);
}

/* The last attempt's first failure; NULL: it has none. */
static const struct control_failure *failure_of(struct control *control, int64_t job, struct arena *arena)
{
    struct control_attempt *attempts;
    struct error unused;
    size_t count = 0;
    if (control_job_attempts(control, job, arena, &attempts, &count, &unused) < 0 || count == 0)
        return NULL;
    return attempts[count - 1].failure_count ? &attempts[count - 1].failures[0] : NULL;
}

static void write_job(struct json_writer *writer, const struct told *told, const struct control_job *job,
                      const struct control_failure *failure)
{
    bool success = job->status == CONTROL_JOB_SUCCEEDED;
    auto_free char *text = mem_printf("The connection '%s' (%s to %s): job %lld %s%s%s",
                                      told->connection.name, told->source.name, told->destination.name,
                                      (long long)job->id, control_job_status_name(job->status),
                                      failure ? ": " : "", failure ? failure->message : "");
    write_begin(writer, told, text);
    json_member_i64(writer, "jobId", job->id);
    json_member_string(writer, "jobType", control_job_type_name(job->type));
    json_member_bool(writer, "success", success);
    write_time(writer, "startedAt", job->started_ms);
    write_time(writer, "finishedAt", job->ended_ms);
    json_member_i64(writer, "durationInSeconds", (job->ended_ms - job->started_ms) / 1000);
    json_member_i64(writer, "recordsEmitted", job->stats.records_emitted);
    json_member_i64(writer, "recordsCommitted", job->stats.records_committed);
    json_member_i64(writer, "bytesEmitted", job->stats.bytes_emitted);
    json_member_i64(writer, "bytesCommitted", job->stats.bytes_committed);
    if (failure) {
        json_member_string(writer, "errorMessage", failure->message);
        json_member_string(writer, "errorType", failure->type);
        json_member_string(writer, "errorOrigin", failure->origin);
    }
    json_end_object(writer);
    json_end_object(writer);
}

static void deliver_all(struct webhooks *webhooks, const struct told *told, enum webhook_event event,
                        struct slice body, struct arena *arena)
{
    const char *const *urls;
    const char *part;
    struct error err;
    if (webhook_urls_check(told->workspace.notifications, arena, &part, &err) < 0)
        log_warn(webhooks->log, "the notifications of the workspace '%s' cannot all be sent: %s: %s",
                 told->workspace.name, part, err.message);
    size_t count = webhook_urls(told->workspace.notifications, event, arena, &urls);
    for (size_t i = 0; i < count; i++)
        deliver(webhooks, urls[i], told->connection.name, body);
}

void webhooks_tell_job(struct webhooks *webhooks, struct control *control, int64_t id)
{
    struct told told = {0};
    struct control_job job;
    struct buffer body;
    struct json_writer writer;
    struct error err;
    arena_init(&told.arena);
    buffer_init(&body, BUFFER_UNLIMITED);
    if (control_job_get(control, id, &told.arena, &job, &err) < 0 ||
        read_all(control, job.connection, &told, &err) < 0) {
        log_warn(webhooks->log, "the end of job %lld cannot be told: %s", (long long)id, err.message);
    } else if (told.workspace.notifications.size) {
        bool success = job.status == CONTROL_JOB_SUCCEEDED;
        json_writer_init(&writer, &body);
        write_job(&writer, &told, &job, success ? NULL : failure_of(control, id, &told.arena));
        deliver_all(webhooks, &told, success ? WEBHOOK_SUCCESS : WEBHOOK_FAILURE,
                    (struct slice){body.data, body.size}, &told.arena);
    }
    buffer_done(&body);
    arena_done(&told.arena);
}

void webhooks_tell_change(struct webhooks *webhooks, struct control *control, const char *connection,
                          const char *change)
{
    struct told told = {0};
    struct buffer body;
    struct json_writer writer;
    struct error err;
    arena_init(&told.arena);
    buffer_init(&body, BUFFER_UNLIMITED);
    if (read_all(control, connection, &told, &err) == 0 && told.workspace.notifications.size) {
        auto_free char *text = mem_printf("The source of the connection '%s' has changed its schema: %s",
                                          told.connection.name, change);
        json_writer_init(&writer, &body);
        write_begin(&writer, &told, text);
        json_member_string(&writer, "change", change);
        json_end_object(&writer);
        json_end_object(&writer);
        deliver_all(webhooks, &told, WEBHOOK_CHANGE, (struct slice){body.data, body.size}, &told.arena);
    }
    buffer_done(&body);
    arena_done(&told.arena);
}
