#include "server/metrics.h"

#include "base/file.h"
#include "control/jobs.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "supervisor/daemon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* Microseconds; the last latency is of all. */
static const uint64_t bounds[SERVER_LATENCIES - 1] = {1000, 5000, 20000, 100000, 500000, 2000000, 10000000};

void metrics_count(struct server_counters *counters, unsigned status, uint64_t microseconds)
{
    size_t at = 0;
    while (at < SERVER_LATENCIES - 1 && microseconds > bounds[at])
        at++;
    atomic_fetch_add(&counters->latencies[at], 1);
    atomic_fetch_add(&counters->microseconds, microseconds);
    atomic_fetch_add(&counters->answers[status / 100 < 6 ? status / 100 : 0], 1);
}

static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP firth_%s %s\n# TYPE firth_%s %s\n", name, help, name, type);
}

static void value(struct buffer *out, const char *name, const char *type, const char *help, uint64_t number)
{
    head(out, name, type, help);
    buffer_printf(out, "firth_%s %" PRIu64 "\n", name, number);
}

static void write_http(struct server *server, struct buffer *out)
{
    uint64_t sum = 0;
    head(out, "http_requests_total", "counter", "HTTP requests answered, by the class of their status.");
    for (size_t i = 1; i < 6; i++)
        buffer_printf(out, "firth_http_requests_total{class=\"%zuxx\"} %" PRIu64 "\n", i,
                      (uint64_t)atomic_load(&server->counters.answers[i]));
    head(out, "http_request_duration_seconds", "histogram",
         "From a request's head to the end of its answer.");
    for (size_t i = 0; i < SERVER_LATENCIES; i++) {
        sum += atomic_load(&server->counters.latencies[i]);
        if (i < SERVER_LATENCIES - 1)
            buffer_printf(out, "firth_http_request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                          (double)bounds[i] / 1e6, sum);
    }
    buffer_printf(
        out,
        "firth_http_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64
        "\nfirth_http_request_duration_seconds_sum %g\nfirth_http_request_duration_seconds_count %" PRIu64
        "\n",
        sum, (double)atomic_load(&server->counters.microseconds) / 1e6, sum);
    value(out, "http_connections", "gauge", "HTTP connections that are open.",
          http_connections(server->http));
    value(out, "questions", "gauge", "Connectors that are being asked, and Firth's own commands that run.",
          asks_under_way(server->asks));
}

static void write_durations(struct buffer *out, const struct jobs_figures *figures)
{
    uint64_t sum = 0;
    head(out, "attempt_duration_seconds", "histogram",
         "How long the attempts took that ended since the daemon began.");
    for (size_t i = 0; i < JOBS_DURATIONS - 1; i++) {
        sum += figures->durations[i];
        buffer_printf(out, "firth_attempt_duration_seconds_bucket{le=\"%" PRIu32 "\"} %" PRIu64 "\n",
                      jobs_duration_bounds[i], sum);
    }
    sum += figures->durations[JOBS_DURATIONS - 1];
    buffer_printf(out,
                  "firth_attempt_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64
                  "\nfirth_attempt_duration_seconds_sum %g\nfirth_attempt_duration_seconds_count %" PRIu64
                  "\n",
                  sum, (double)figures->duration_ms / 1e3, sum);
}

static int write_jobs(struct call *call, struct buffer *out, struct error *err)
{
    uint64_t counts[CONTROL_JOB_STATUS_COUNT];
    struct jobs_figures figures = {0};
    if (control_job_counts(call->control, counts, err) < 0)
        return -1;
    head(out, "jobs", "gauge", "Jobs that are kept, by their status.");
    for (enum control_job_status status = 0; status < CONTROL_JOB_STATUS_COUNT; status++)
        buffer_printf(out, "firth_jobs{status=\"%s\"} %" PRIu64 "\n", control_job_status_name(status),
                      counts[status]);
    if (call->server->jobs)
        jobs_figures(call->server->jobs, &figures);
    value(out, "jobs_running", "gauge", "Attempts of jobs that run.", figures.running);
    value(out, "jobs_waiting", "gauge", "Jobs that wait for room or for their next attempt.",
          figures.waiting);
    value(out, "jobs_running_max", "gauge", "Attempts that may run at the same time.", figures.running_max);
    value(out, "attempts_total", "counter", "Attempts begun since the daemon began.", figures.begun);
    write_durations(out, &figures);
    head(out, "jobs_ended_total", "counter", "Jobs that ended since the daemon began, by how.");
    buffer_printf(out,
                  "firth_jobs_ended_total{status=\"succeeded\"} %" PRIu64
                  "\nfirth_jobs_ended_total{status=\"failed\"} %" PRIu64
                  "\nfirth_jobs_ended_total{status=\"cancelled\"} %" PRIu64 "\n",
                  figures.succeeded, figures.failed, figures.cancelled);
    value(out, "records_committed_total", "counter", "Records that jobs committed since the daemon began.",
          figures.records);
    value(out, "bytes_committed_total", "counter", "Bytes of these records.", figures.bytes);
    value(out, "records_emitted_total", "counter", "Records that jobs read since the daemon began.",
          figures.records_emitted);
    value(out, "bytes_emitted_total", "counter", "Bytes of these records.", figures.bytes_emitted);
    value(out, "records_rejected_total", "counter", "Records among these that destinations did not write.",
          figures.records_rejected);
    return 0;
}

static void write_tasks(const struct daemon_figures *figures, struct buffer *out)
{
    head(out, "tasks", "gauge", "Deployed tasks, by their state.");
    for (enum daemon_task_state state = 0; state < DAEMON_TASK_STATE_COUNT; state++)
        buffer_printf(out, "firth_tasks{state=\"%s\"} %" PRIu64 "\n", daemon_state_name(state),
                      figures->tasks[state]);
    value(out, "task_sessions_total", "counter",
          "Sessions of deployed tasks begun since the daemon began: at their times, and again.",
          figures->sessions_begun);
    value(out, "task_sessions_failed_total", "counter", "Sessions among these that failed.",
          figures->sessions_failed);
    value(out, "task_documents_committed_total", "counter",
          "Documents that deployed tasks committed since the daemon began.", figures->documents);
    value(out, "task_bytes_committed_total", "counter", "Bytes of these documents.", figures->bytes);
    if (figures->lag_ms < 0)
        return;
    head(out, "task_lag_seconds", "gauge",
         "From a document's emission by its source to its commit: the largest of the tasks that run.");
    buffer_printf(out, "firth_task_lag_seconds %g\n", (double)figures->lag_ms / 1e3);
}

static void write_pushed(const struct push_figures *figures, struct buffer *out)
{
    head(out, "pushes_total", "counter",
         "What was pushed since the daemon began (requests, messages, batches), by what became of it.");
    for (enum push_figure figure = 0; figure < PUSH_RESULTS; figure++)
        buffer_printf(out, "firth_pushes_total{result=\"%s\"} %" PRIu64 "\n", push_figure_name(figure),
                      figures->values[figure]);
    value(out, "pushes_waiting", "gauge", "Pushes that are taken and not durable yet.",
          figures->values[PUSH_WAITING]);
    value(out, "pushed_bytes_waiting", "gauge", "Bytes of these pushes.",
          figures->values[PUSH_WAITING_BYTES]);
    head(out, "push_connections", "gauge", "Connections to push captures that are open, by protocol.");
    for (enum push_figure figure = PUSH_HTTP; figure < PUSH_FIGURES; figure++)
        buffer_printf(out, "firth_push_connections{protocol=\"%s\"} %" PRIu64 "\n", push_figure_name(figure),
                      figures->values[figure]);
}

static uint64_t resident_bytes(void)
{
    struct buffer text;
    struct error err;
    unsigned long long pages = 0;
    buffer_init(&text, 4096);
    if (file_read("/proc/self/statm", 4096, &text, &err) == 0) {
        const char *at = strchr(buffer_cstr(&text), ' ');
        if (at)
            pages = strtoull(at, NULL, 10);
    }
    buffer_done(&text);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The deployed tasks are the loop's. */
struct counting {
    struct loop_item item;
    struct call *call;
    struct daemon_figures figures;
    bool counted;
};

static void on_item(struct loop_item *item, bool closing)
{
    struct counting *counting = (struct counting *)item; /* its first member */
    const struct daemon *daemon = counting->call->server->options.daemon;
    if (!closing && daemon) {
        daemon_figures(daemon, &counting->figures);
        counting->counted = true;
    }
    http_request_resume(counting->call->http);
}

static enum http_next answer(struct call *call)
{
    const struct counting *counting = call->state;
    struct buffer *out = &call->http->answer;
    struct error err;
    head(out, "build_info", "gauge", "Always 1; its label is the version.");
    buffer_printf(out, "firth_build_info{version=\"%s\"} 1\n", FIRTH_VERSION);
    head(out, "start_time_seconds", "gauge", "When the daemon began, in seconds since 1970.");
    buffer_printf(out, "firth_start_time_seconds %.3f\n", (double)call->server->started_ms / 1000);
    value(out, "resident_memory_bytes", "gauge", "The daemon's memory.", resident_bytes());
    write_http(call->server, out);
    if (write_jobs(call, out, &err) < 0)
        return call_error(call, &err);
    if (counting->counted) {
        write_tasks(&counting->figures, out);
        write_pushed(&counting->figures.pushed, out);
    }
    call->http->status = 200;
    call->http->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return HTTP_ANSWER;
}

enum http_next metrics_get(struct call *call)
{
    struct counting *counting = arena_zalloc(call->arena, sizeof *counting);
    counting->item.act = on_item;
    counting->call = call;
    call->state = counting;
    enum http_next next = call_hold(call, answer);
    loop_inbox_put(&call->server->inbox, &counting->item);
    return next;
}
