#include "cli/run_events.h"

#include "cli/damage.h"
#include "json/writer.h"

#include <signal.h>

static void begin(struct json_writer *writer, struct buffer *line, const char *event,
                  const struct supervisor_task *task)
{
    buffer_init(line, TASK_EVENT_LINE_MAX);
    json_writer_init(writer, line);
    json_begin_object(writer);
    json_member_string(writer, "event", event);
    if (task)
        json_member_string(writer, "task", task->name);
}

static void print(struct run_events *events, struct buffer *line)
{
    if (!line->overflowed)
        output_write(events->output, line->data, line->size);
    output_flush(events->output);
    buffer_done(line);
    if (output_failed(events->output) && !events->stopped) {
        /* Nobody hears us any more: as a person would, by the supervisor's own way of stopping. */
        events->stopped = true;
        raise(SIGTERM);
    }
}

static void end(struct run_events *events, struct json_writer *writer, struct buffer *line)
{
    json_end_object(writer);
    buffer_byte(line, '\n');
    print(events, line);
}

static void on_started(void *context, const struct supervisor_task *task, uint32_t attempt)
{
    struct json_writer writer;
    struct buffer line;
    begin(&writer, &line, "started", task);
    json_member_string(&writer, "kind", task_kind_name(task->kind));
    json_member_u64(&writer, "attempt", attempt);
    end(context, &writer, &line);
}

static void print_event(struct run_events *events, const struct supervisor_task *task,
                        const struct task_event *event)
{
    struct buffer line;
    buffer_init(&line, TASK_EVENT_LINE_MAX);
    task_event_write(&line, task->name, event);
    print(events, &line);
}

static void on_progress(void *context, const struct supervisor_task *task,
                        const struct task_progress *progress)
{
    print_event(context, task, &(struct task_event){.type = TASK_EVENT_PROGRESS, .progress = *progress});
}

static void on_log(void *context, const struct supervisor_task *task, enum log_level level,
                   const char *origin, const char *message)
{
    struct run_events *events = context;
    if (level < events->level)
        return;
    print_event(events, task,
                &(struct task_event){.type = TASK_EVENT_LOG,
                                     .log = {.level = level, .origin = origin, .message = message}});
}

static void on_ended(void *context, const struct supervisor_task *task, enum task_outcome outcome,
                     const struct error *error, uint64_t elapsed_ms)
{
    struct json_writer writer;
    struct buffer line;
    struct error explained;
    error = damage_explain_ended(task, error, &explained);
    begin(&writer, &line, "ended", task);
    json_member_string(&writer, "outcome", task_outcome_name(outcome));
    json_member_u64(&writer, "elapsedMs", elapsed_ms);
    if (error) {
        json_put_key(&writer, "error");
        json_begin_object(&writer);
        json_member_string(&writer, "code", error_code_name(error->code));
        json_member_bool(&writer, "retriable", error->retriable);
        json_member_string(&writer, "message", error->message);
        json_end_object(&writer);
    }
    end(context, &writer, &line);
}

static void on_waiting(void *context, const struct supervisor_task *task, enum supervisor_wait why,
                       uint64_t delay_ms)
{
    static const char *const names[] = {"interval", "backoff", "slot"};
    struct json_writer writer;
    struct buffer line;
    begin(&writer, &line, "waiting", task);
    json_member_string(&writer, "why", names[why]);
    json_member_u64(&writer, "delayMs", delay_ms);
    end(context, &writer, &line);
}

static void on_stopping(void *context, int signals)
{
    struct json_writer writer;
    struct buffer line;
    begin(&writer, &line, "stopping", NULL);
    json_member_i64(&writer, "signals", signals);
    end(context, &writer, &line);
}

static void on_listening(void *context, const char *url, unsigned lost)
{
    struct json_writer writer;
    struct buffer line;
    begin(&writer, &line, "listening", NULL);
    json_member_string(&writer, "url", url);
    if (lost)
        json_member_u64(&writer, "lostPort", lost);
    end(context, &writer, &line);
}

struct supervisor_events run_events(struct run_events *events)
{
    return (struct supervisor_events){.context = events,
                                      .started = on_started,
                                      .progress = on_progress,
                                      .log = on_log,
                                      .ended = on_ended,
                                      .waiting = on_waiting,
                                      .stopping = on_stopping,
                                      .listening = on_listening};
}
