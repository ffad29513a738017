#include "cli/progress.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/columns.h"
#include "cli/damage.h"
#include "cli/progress_draw.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    DRAW_EVERY_MS = 100,
    PLAIN_EVERY_S = 10,
    PENDING_MAX =
        1 << 20, /* bytes of log lines that wait for a slow terminal; more are counted and dropped */
};

struct progress {
    const struct cli *cli;
    bool once, live;
    const struct clock *clock;
    uint64_t *plain_ns; /* per task: when its last plain line was written */

    pthread_mutex_t mutex; /* guards the model, pending and quit */
    pthread_cond_t wake;
    pthread_t thread;
    bool drawing, quit;
    struct progress_model model;
    struct buffer pending; /* log lines, not yet on the terminal */
    size_t dropped;

    /* The drawing thread's own. */
    struct progress_frame shown, next;
    struct buffer out;
    bool unicode;
};

static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

struct progress *progress_new(const struct cli *cli, bool once)
{
    struct progress *progress = mem_zalloc(sizeof *progress);
    pthread_condattr_t monotonic;
    progress->cli = cli;
    progress->once = once;
    progress->live = cli->terminal && !cli->json;
    progress->clock = &clock_system;
    progress->unicode = speaks_utf8();
    pthread_mutex_init(&progress->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&progress->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    progress_model_init(&progress->model);
    buffer_init(&progress->pending, PENDING_MAX);
    buffer_init(&progress->out, BUFFER_UNLIMITED); /* pending and a frame, both bounded */
    progress_frame_init(&progress->shown);
    progress_frame_init(&progress->next);
    return progress;
}

/* --- the drawing thread ---------------------------------------------------------------------------- */

static struct progress_view terminal_view(const struct progress *progress)
{
    struct winsize size = {0};
    struct progress_view view = {80, 24, .color = true, .unicode = progress->unicode};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        view.columns = size.ws_col;
        view.rows = size.ws_row;
    }
    return view;
}

/* Compose one write: up over the old frame, log lines, the new frame, each line erased to its end. Nothing is
 * cleared before it is overwritten, so nothing flickers. */
static void compose(struct progress *progress, const struct progress_view *view)
{
    struct buffer *out = &progress->out;
    size_t up = progress_frame_rows(&progress->shown, view->columns), from = 0;
    buffer_str(out, "\r");
    if (up > 0)
        buffer_printf(out, "\033[%zuA", up);
    const char *log = buffer_cstr(&progress->pending), *end = log + progress->pending.size;
    while (log < end) {
        const char *newline = memchr(log, '\n', (size_t)(end - log));
        buffer_append(out, log, (size_t)(newline - log));
        buffer_str(out, "\033[K\n");
        log = newline + 1;
    }
    if (progress->dropped)
        buffer_printf(out, "(%zu log lines more than this terminal took)\033[K\n", progress->dropped);
    for (size_t i = 0; i < progress->next.lines; i++) {
        buffer_append(out, progress->next.text.data + from, progress->next.ends[i] - 1 - from);
        buffer_str(out, "\033[K\n");
        from = progress->next.ends[i];
    }
    buffer_str(out, "\033[J");
}

/* With the mutex held; lets go of it for the write. */
static void draw(struct progress *progress)
{
    struct error ignored;
    struct progress_view view = terminal_view(progress);
    progress_draw(&progress->model, &view, clock_monotonic_ns(progress->clock), &progress->next);
    compose(progress, &view);
    buffer_clear(&progress->pending);
    progress->dropped = 0;
    pthread_mutex_unlock(&progress->mutex);
    /* A terminal that is gone leaves nobody to show anything to. */
    (void)file_write_all(STDERR_FILENO, progress->out.data, progress->out.size, "the terminal", &ignored);
    buffer_clear(&progress->out);
    struct progress_frame drawn = progress->next;
    progress->next = progress->shown;
    progress->shown = drawn;
    pthread_mutex_lock(&progress->mutex);
}

static void *draw_loop(void *context)
{
    struct progress *progress = context;
    pthread_mutex_lock(&progress->mutex);
    while (!progress->quit) {
        draw(progress);
        uint64_t due = clock_monotonic_ns(&clock_system) + (uint64_t)DRAW_EVERY_MS * 1000000;
        struct timespec until = {(time_t)(due / 1000000000), (long)(due % 1000000000)};
        while (!progress->quit && pthread_cond_timedwait(&progress->wake, &progress->mutex, &until) == 0)
            continue;
    }
    draw(progress);
    pthread_mutex_unlock(&progress->mutex);
    return NULL;
}

static void start_drawing(struct progress *progress)
{
    sigset_t all, before;
    sigfillset(&all);
    /* Signals are the supervisor's, in its own thread. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    progress->drawing = pthread_create(&progress->thread, NULL, draw_loop, progress) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    progress->live = progress->drawing;
}

static void stop_drawing(struct progress *progress)
{
    if (!progress->drawing)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->quit = true;
    pthread_cond_signal(&progress->wake);
    pthread_mutex_unlock(&progress->mutex);
    pthread_join(progress->thread, NULL);
    progress->drawing = false;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    stop_drawing(progress);
    progress_model_done(&progress->model);
    progress_frame_done(&progress->shown);
    progress_frame_done(&progress->next);
    buffer_done(&progress->pending);
    buffer_done(&progress->out);
    pthread_cond_destroy(&progress->wake);
    pthread_mutex_destroy(&progress->mutex);
    free(progress->plain_ns);
    free(progress);
}

/* --- log lines ------------------------------------------------------------------------------------- */

/* A line above the live display, in the style of base/log. */
static void scroll_line(struct progress *progress, enum log_level level, const char *name,
                        const char *message)
{
    static const char *const colors[LOG_LEVEL_MAX] = {"\033[2m", "\033[2m", "", "\033[33m", "\033[31m"};
    char when[32];
    struct buffer line;
    clock_format_rfc3339(clock_wall_ms(progress->clock), when, sizeof when);
    buffer_init(&line, 64 * 1024);
    buffer_printf(&line, "%s%.8s %s%s%s%s", colors[level], when + 11,
                  level == LOG_INFO ? "" : log_level_name(level), level == LOG_INFO ? "" : ": ", name,
                  *name ? ": " : "");
    text_append_printable(&line, message, strlen(message));
    buffer_printf(&line, "%s\n", *colors[level] ? "\033[0m" : "");
    pthread_mutex_lock(&progress->mutex);
    if (!line.overflowed)
        buffer_append(&progress->pending, line.data, line.size);
    if (line.overflowed || progress->pending.overflowed) {
        progress->pending.overflowed = false;
        progress->dropped++;
    }
    pthread_mutex_unlock(&progress->mutex);
    buffer_done(&line);
}

static void plain_log_line(struct progress *progress, enum log_level level, const char *name,
                           const char *message)
{
    struct log log = progress->cli->log;
    struct buffer printable;
    buffer_init(&printable, 64 * 1024);
    text_append_printable(&printable, message, strlen(message));
    log.name = *name ? name : NULL;
    log_write(&log, level, "%s", buffer_cstr(&printable));
    buffer_done(&printable);
}

/* A message of several lines (an error with a connector's last log lines) as so many. */
static void log_line(struct progress *progress, enum log_level level, const char *name, const char *message)
{
    if (level < progress->cli->log.level)
        return;
    while (*message) {
        size_t size = strcspn(message, "\n");
        auto_free char *line = mem_strndup(message, size);
        (progress->live ? scroll_line : plain_log_line)(progress, level, name, line);
        message += message[size] ? size + 1 : size;
    }
}

void progress_log(struct progress *progress, enum log_level level, const char *format, ...)
{
    va_list arguments;
    char message[ERROR_MESSAGE_MAX];
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_line(progress, level, "", message);
}

static const char *task_label(const struct supervisor_task *task, char label[256])
{
    snprintf(label, 256, "%s %s", task_kind_name(task->kind), task->name);
    return label;
}

/* --- the supervisor's callbacks -------------------------------------------------------------------- */

static uint64_t now(const struct progress *progress)
{
    return clock_monotonic_ns(progress->clock);
}

static void on_started(void *context, const struct supervisor_task *task, uint32_t attempt)
{
    struct progress *progress = context;
    char label[256];
    pthread_mutex_lock(&progress->mutex);
    progress_model_started(&progress->model, task, now(progress));
    pthread_mutex_unlock(&progress->mutex);
    progress->plain_ns[task->index] = now(progress);
    if (!progress->live && attempt > 0)
        log_info(&progress->cli->log, "%s: starts again, attempt %u", task_label(task, label), attempt + 1);
    else if (!progress->live)
        log_info(&progress->cli->log, "%s: starts", task_label(task, label));
}

static void plain_line(struct progress *progress, const struct supervisor_task *task)
{
    struct buffer line;
    buffer_init(&line, 1 << 20);
    progress_plain(&progress->model.tasks[task->index], now(progress), &line);
    log_info(&progress->cli->log, "%s", buffer_cstr(&line));
    buffer_done(&line);
    progress->plain_ns[task->index] = now(progress);
}

static void on_progress(void *context, const struct supervisor_task *task, const struct task_progress *event)
{
    struct progress *progress = context;
    pthread_mutex_lock(&progress->mutex);
    progress_model_progress(&progress->model, task, event, now(progress));
    pthread_mutex_unlock(&progress->mutex);
    if (!progress->live && now(progress) - progress->plain_ns[task->index] >= PLAIN_EVERY_S * 1000000000ull)
        plain_line(progress, task);
}

static void on_log(void *context, const struct supervisor_task *task, enum log_level level,
                   const char *origin, const char *message)
{
    char label[512];
    /* The task's own words need no second name. */
    if (strcmp(origin, "task") == 0)
        snprintf(label, sizeof label, "%s", task->name);
    else
        snprintf(label, sizeof label, "%s: %s", task->name, origin);
    log_line(context, level, label, message);
}

static void on_ended(void *context, const struct supervisor_task *task, enum task_outcome outcome,
                     const struct error *error, uint64_t elapsed_ms)
{
    struct progress *progress = context;
    struct error explained;
    char label[256], time[32];
    error = damage_explain_ended(task, error, &explained);
    pthread_mutex_lock(&progress->mutex);
    progress_model_ended(&progress->model, task, outcome, error, elapsed_ms);
    pthread_mutex_unlock(&progress->mutex);
    task_label(task, label);
    text_duration(elapsed_ms, time, sizeof time);
    if (!progress->live)
        plain_line(progress, task);
    if (error && !progress->once)
        log_line(progress, LOG_ERROR, label, error->message);
    else if (!progress->live)
        log_info(&progress->cli->log, "%s: %s after %s", label, task_outcome_name(outcome), time);
}

static void on_waiting(void *context, const struct supervisor_task *task, enum supervisor_wait why,
                       uint64_t delay_ms)
{
    struct progress *progress = context;
    char label[256], time[32];
    pthread_mutex_lock(&progress->mutex);
    progress_model_waiting(&progress->model, task, why, delay_ms, now(progress));
    pthread_mutex_unlock(&progress->mutex);
    text_duration(delay_ms, time, sizeof time);
    if (!progress->live && why != SUPERVISOR_WAIT_SLOT)
        log_info(&progress->cli->log, "%s: starts again in %s", task_label(task, label), time);
}

static void on_stopping(void *context, int signals)
{
    struct progress *progress = context;
    pthread_mutex_lock(&progress->mutex);
    progress->model.signals = signals;
    pthread_mutex_unlock(&progress->mutex);
    if (!progress->live && signals == 1)
        log_info(&progress->cli->log,
                 "stopping: transactions are being finished; a second signal stops at once");
    else if (!progress->live)
        log_info(&progress->cli->log, "stopping at once");
}

static void on_listening(void *context, const char *url, unsigned lost)
{
    char message[256];
    if (lost) {
        snprintf(message, sizeof message, SUPERVISOR_LOST_PORT, url, lost);
        log_line(context, LOG_WARN, "push captures", message);
    }
    bool kafka = string_starts_with(url, "kafka://");
    snprintf(message, sizeof message,
             kafka ? "Kafka clients are served at %s" : "documents are taken at %s/ingest/CAPTURE/RESOURCE",
             url + (kafka ? sizeof "kafka://" - 1 : 0));
    log_line(context, LOG_INFO, "push captures", message);
}

struct supervisor_events progress_events(struct progress *progress)
{
    return (struct supervisor_events){
        .context = progress,
        .started = on_started,
        .progress = on_progress,
        .log = on_log,
        .ended = on_ended,
        .waiting = on_waiting,
        .stopping = on_stopping,
        .listening = on_listening,
    };
}

void progress_begin(struct progress *progress, const struct supervisor *supervisor)
{
    progress_model_tasks(&progress->model, supervisor);
    progress->plain_ns = mem_zalloc((progress->model.count + 1) * sizeof *progress->plain_ns);
    if (progress->live)
        start_drawing(progress);
}

/* --- the table at the end -------------------------------------------------------------------------- */

struct totals {
    uint64_t documents, bytes, invalid;
};

static struct totals binding_totals(const struct progress_binding *binding)
{
    return (struct totals){binding->earlier_documents + binding->committed_documents,
                           binding->earlier_bytes + binding->committed_bytes,
                           binding->earlier_invalid + binding->invalid};
}

static void summary_row(struct table *table, const char *name, struct totals totals, bool invalid,
                        uint64_t ms, const char *time, const char *result)
{
    char count[32], bytes[32], rate[32] = "";
    string_human_count(totals.documents, count, sizeof count);
    string_human_bytes((double)totals.bytes, bytes, sizeof bytes);
    if (ms > 0)
        string_human_count(totals.documents * 1000 / ms, rate, sizeof rate);
    table_cell(table, name);
    table_cell(table, count);
    table_cell(table, bytes);
    if (invalid) {
        string_human_count(totals.invalid, count, sizeof count);
        table_cell(table, count);
    }
    table_cell(table, time);
    table_cell(table, rate);
    table_cell(table, result);
}

static void summary_task(struct table *table, const struct progress_task *task, bool invalid)
{
    static const char *const results[] = {
        [PROGRESS_PENDING] = "not started", [PROGRESS_RUNNING] = "cut off", [PROGRESS_COMPLETED] = "done",
        [PROGRESS_STOPPED] = "stopped",     [PROGRESS_FAILED] = "failed",   [PROGRESS_WAITING] = "waits"};
    enum progress_state state = task->state == PROGRESS_WAITING ? task->last_outcome : task->state;
    struct totals all = {0};
    char time[32] = "";
    auto_free char *label = mem_printf("%s %s", task_kind_name(task->kind), task->name);
    for (size_t i = 0; i < task->binding_count; i++) {
        struct totals one = binding_totals(&task->bindings[i]);
        all =
            (struct totals){all.documents + one.documents, all.bytes + one.bytes, all.invalid + one.invalid};
    }
    if (task->sessions > 0)
        text_duration(task->earlier_ms, time, sizeof time);
    summary_row(table, label, all, invalid, task->earlier_ms, time, results[state]);
    for (size_t i = 0; i < task->binding_count; i++) {
        auto_free char *name = mem_printf("  %s", task->bindings[i].name);
        summary_row(table, name, binding_totals(&task->bindings[i]), invalid, 0, "", "");
    }
}

void progress_finish(struct progress *progress, struct output *output)
{
    const struct progress_model *model = &progress->model;
    bool invalid = false;
    struct error ignored;
    stop_drawing(progress);
    for (size_t t = 0; t < model->count; t++) {
        for (size_t b = 0; b < model->tasks[t].binding_count; b++)
            invalid |= binding_totals(&model->tasks[t].bindings[b]).invalid > 0;
    }
    const char *const headings[] = {"TASK", ">DOCUMENTS", ">BYTES", ">TIME", ">DOCUMENTS/S", "RESULT", NULL};
    const char *const more_headings[] = {"TASK",  ">DOCUMENTS",   ">BYTES", ">INVALID",
                                         ">TIME", ">DOCUMENTS/S", "RESULT", NULL};
    struct table table;
    table_init(&table, invalid ? more_headings : headings);
    for (size_t t = 0; t < model->count; t++)
        summary_task(&table, &model->tasks[t], invalid);
    table_finish(&table, progress->cli->terminal, output);
    output_flush(output);
    for (size_t t = 0; t < model->count; t++) {
        const struct progress_task *task = &model->tasks[t];
        if (!task->error)
            continue;
        struct buffer line;
        buffer_init(&line, BUFFER_UNLIMITED);
        buffer_printf(&line, "%sfirth: %s %s failed: ", progress->cli->color_error ? "\033[31m" : "",
                      task_kind_name(task->kind), task->name);
        text_append_printable_lines(&line, task->error, strlen(task->error));
        buffer_printf(&line, "%s\n", progress->cli->color_error ? "\033[0m" : "");
        (void)file_write_all(STDERR_FILENO, line.data, line.size, "standard error", &ignored);
        buffer_done(&line);
    }
}
