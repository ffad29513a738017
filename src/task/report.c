#include "task/report.h"

#include "base/file.h"

#include <stdarg.h>
#include <sys/resource.h>

enum { PROGRESS_EVERY_MS = 1000 / TASK_PROGRESS_PER_SECOND };

void task_report_init(struct task_report *report, int fd, const struct clock *clock)
{
    *report = (struct task_report){.fd = fd, .clock = clock, .began_ns = clock_monotonic_ns(clock)};
    buffer_init(&report->line, TASK_CATALOG_LINE_MAX);
}

void task_report_done(struct task_report *report)
{
    buffer_done(&report->line);
}

uint64_t task_report_now_ms(const struct task_report *report)
{
    return (clock_monotonic_ns(report->clock) - report->began_ns) / 1000000;
}

static void send(struct task_report *report, const struct task_event *event)
{
    struct error err;
    buffer_clear(&report->line);
    task_event_write(&report->line, report->task, event);
    /* An event past the limit of a line (a progress of some ten thousand streams) is not worth a session. */
    bool too_long = event->type != TASK_EVENT_CATALOG && report->line.size > TASK_EVENT_LINE_MAX;
    if (too_long || report->line.overflowed || report->broken)
        return;
    if (report->lock)
        pthread_mutex_lock(report->lock);
    if (file_write_all(report->fd, report->line.data, report->line.size, "the event pipe", &err) < 0)
        report->broken = true;
    if (report->lock)
        pthread_mutex_unlock(report->lock);
}

void task_report_started(struct task_report *report, const char *source, const char *sink, bool resumed)
{
    send(report, &(struct task_event){.type = TASK_EVENT_STARTED,
                                      .started = {.source = source, .sink = sink, .resumed = resumed}});
}

static void send_log(struct task_report *report, enum log_level level, const char *origin,
                     const char *message)
{
    send(report, &(struct task_event){.type = TASK_EVENT_LOG,
                                      .log = {.level = level, .origin = origin, .message = message}});
}

static void tell_dropped(struct task_report *report)
{
    if (report->dropped == 0)
        return;
    char message[128];
    snprintf(message, sizeof message, "%llu more log lines within a second were left out",
             (unsigned long long)report->dropped);
    report->dropped = 0;
    send_log(report, LOG_WARN, "task", message);
}

void task_report_log(struct task_report *report, enum log_level level, const char *origin, struct slice line)
{
    if (level < report->level)
        return;
    uint64_t window = task_report_now_ms(report) / 1000 + 1;
    if (window != report->window_ms) {
        tell_dropped(report);
        report->window_ms = window;
        report->lines_left = TASK_LOG_LINES_PER_SECOND;
    }
    if (report->lines_left == 0) {
        report->dropped++;
        return;
    }
    report->lines_left--;
    struct buffer masked;
    buffer_init(&masked, (size_t)4 * TASK_LOG_LINE_MAX);
    size_t size = utf8_cut(line.data, line.size, TASK_LOG_LINE_MAX);
    if (report->secrets)
        connector_secrets_mask(report->secrets, (struct slice){line.data, size}, size < line.size, &masked);
    else
        buffer_append(&masked, line.data, size);
    send_log(report, level, origin, buffer_cstr(&masked));
    buffer_done(&masked);
}

void task_report_logf(struct task_report *report, enum log_level level, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    task_report_log(report, level, "task", slice_of(message));
}

int task_report_wait_ms(const struct task_report *report)
{
    uint64_t now = task_report_now_ms(report), due = report->progress_ms + PROGRESS_EVERY_MS;
    return now >= due ? 0 : (int)(due - now);
}

void task_report_progress(struct task_report *report, const struct task_binding_progress *bindings,
                          size_t binding_count)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    report->progress_ms = task_report_now_ms(report);
    struct task_event event = {.type = TASK_EVENT_PROGRESS};
    event.progress = (struct task_progress){
        .elapsed_ms = report->progress_ms,
        .commits = report->commits,
        .states = report->states,
        .cpu_ms = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                  (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000,
        .memory_peak = (uint64_t)used.ru_maxrss * 1024,
        .bindings = bindings,
        .binding_count = binding_count,
    };
    send(report, &event);
}

void task_report_failure(struct task_report *report, const struct task_failure *failure)
{
    if (report->failure_told)
        return;
    report->failure_told = true;
    send(report, &(struct task_event){.type = TASK_EVENT_FAILURE, .failure = *failure});
}

void task_report_config(struct task_report *report, bool destination, struct slice config)
{
    if (!report->configs)
        return;
    /* One line, whatever the connector wrote. */
    struct task_event event = {.type = TASK_EVENT_CONFIG,
                               .config = {.destination = destination, .config = config}};
    send(report, &event);
    explicit_bzero(report->line.data, report->line.size);
}

void task_report_catalog(struct task_report *report, struct slice catalog)
{
    send(report, &(struct task_event){.type = TASK_EVENT_CATALOG, .catalog = catalog});
}

void task_report_torn(struct task_report *report, const struct error *what)
{
    task_report_logf(report, LOG_WARN, "%s; it was the last line, which does not count", what->message);
}

void task_report_ended(struct task_report *report, enum task_outcome outcome, const struct error *error)
{
    tell_dropped(report);
    struct task_event event = {.type = TASK_EVENT_ENDED, .ended = {.outcome = outcome}};
    if (outcome == TASK_FAILED)
        event.ended.error = *error;
    send(report, &event);
}
