/* One attempt of a job: it begins in the store, its specification is built, its images are looked for, its
 * source is asked for changes, its task process runs, and its end is in the store before anything else is. */
#include "supervisor/jobs_state.h"

#include "base/clock.h"
#include "base/fault.h"
#include "control/workspaces.h"
#include "supervisor/job_files.h"
#include "supervisor/webhook.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STORE_RETRY_MS = 1000,
    CANCEL_MS = 10 * 1000, /* from being cancelled to SIGKILL */
    STOP_MS_DEFAULT = 30 * 1000,
};

/* --- what is known of a failure ------------------------------------------------------------------ */

static void forget_failure(struct job_run *run)
{
    char **const texts[] = {&run->failure.origin,   &run->failure.type,  &run->failure.message,
                            &run->failure.internal, &run->failure.stack, &run->failure.stream,
                            &run->failure.namespace};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}

static char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void take_failure(struct job_run *run, const struct task_failure *failure)
{
    const char *origin = failure->origin ? failure->origin : "platform";
    forget_failure(run);
    run->failure = (struct job_failure){
        .origin = mem_strdup(strcmp(origin, "platform") == 0 ? "airbyte_platform" : origin),
        .type = mem_strdup(failure->type ? failure->type : "system_error"),
        .message = copy(failure->message),
        .internal = copy(failure->internal),
        .stack = copy(failure->stack),
        .stream = copy(failure->stream),
        .namespace = copy(failure->namespace)};
}

/* The error that the attempt ended with. What the connector said itself, if it did, is the message, and the
 * error what is behind it. */
void job_run_blame(struct job_run *run, const char *origin, const struct error *error)
{
    if (!run->failure.origin) {
        run->failure.origin = mem_strdup(origin);
        run->failure.type = mem_strdup(
            error->code == ERROR_INVALID || error->code == ERROR_NOT_FOUND ? "config_error" : "system_error");
    }
    if (!run->failure.message)
        run->failure.message = mem_strdup(error->message);
    else if (!run->failure.internal)
        run->failure.internal = mem_strdup(error->message);
}

/* --- its log ------------------------------------------------------------------------------------- */

static void open_log(struct job_run *run)
{
    const struct jobs_options *options = &run->jobs->options;
    if (run->logging)
        return;
    task_log_init_in(&run->log, job_files_attempt(options->data_dir, run->id, run->attempt),
                     options->log_bytes ? options->log_bytes : JOBS_LOG_BYTES_DEFAULT);
    run->logging = true;
}

static void close_log(struct job_run *run)
{
    if (run->logging)
        task_log_done(&run->log);
    run->logging = false;
}

void job_run_log(struct job_run *run, enum log_level level, const char *origin, const char *message)
{
    open_log(run);
    task_log_begin(&run->log, jobs_now_ms(), level, "log");
    json_member_string(&run->log.writer, "origin", origin);
    task_log_message(&run->log, message);
    task_log_end(&run->log);
}

/* --- steps in the store -------------------------------------------------------------------------- */

static void on_store_due(uv_timer_t *timer);

static void try_again(struct job_run *run, const struct error *error)
{
    jobs_store_failed(run->jobs, error);
    uv_timer_start(&run->timer, on_store_due, STORE_RETRY_MS, 0);
}

/* A failure for the store, if there is one to tell. */
static size_t failures_of(const struct job_run *run, struct control_failure *failure)
{
    const struct job_failure *known = &run->failure;
    if (run->event == JOB_ATTEMPT_SUCCEEDS || (run->event != JOB_CANCELLED && !known->origin))
        return 0;
    if (run->event == JOB_CANCELLED) {
        *failure = (struct control_failure){.origin = "airbyte_platform",
                                            .type = "manual_cancellation",
                                            .message = "it was cancelled",
                                            .at_ms = jobs_now_ms()};
        return 1;
    }
    *failure = (struct control_failure){.origin = known->origin,
                                        .type = known->type,
                                        .message = known->message ? known->message : "it failed",
                                        .internal = known->internal,
                                        .stack = known->stack,
                                        .retriable = run->retriable,
                                        .stream = {known->stream, known->namespace},
                                        .at_ms = jobs_now_ms()};
    return 1;
}

static void tell_webhooks(struct job_run *run)
{
    bool over = run->status == CONTROL_JOB_SUCCEEDED || run->status == CONTROL_JOB_FAILED;
    if (over)
        webhooks_tell_job(run->jobs->webhooks, run->jobs->options.control, run->id);
}

static void count_end(struct job_run *run)
{
    struct jobs *jobs = run->jobs;
    pthread_mutex_lock(&jobs->lock);
    jobs->figures.succeeded += run->status == CONTROL_JOB_SUCCEEDED;
    jobs->figures.failed += run->status == CONTROL_JOB_FAILED;
    jobs->figures.cancelled += run->status == CONTROL_JOB_CANCELLED;
    pthread_mutex_unlock(&jobs->lock);
}

static void free_spec(struct job_run *run)
{
    if (run->spec) {
        job_spec_done(run->spec);
        free(run->spec);
    }
    run->spec = NULL;
    if (run->programs) {
        job_spec_done(run->programs);
        free(run->programs);
    }
    run->programs = NULL;
    free(run->stats);
    free(run->told);
    run->stats = NULL;
    run->told = NULL;
    run->stat_count = 0;
}

/* The store has the end: the job goes on to what follows. */
static void settle(struct job_run *run, const struct job_next *next)
{
    struct jobs *jobs = run->jobs;
    jobs->failed_store = false;
    run->status = next->status;
    job_news_status(run);
    if (run->phase >= JOB_BEGINNING)
        jobs->running--;
    if (next->attempt_ends && run->begun_ms)
        jobs_count_duration(jobs, jobs_now_ms() - run->begun_ms);
    run->begun_ms = 0;
    close_log(run);
    forget_failure(run);
    free_spec(run);
    fault_point("job-ended");
    if (control_job_over(run->status)) {
        count_end(run);
        tell_webhooks(run);
        jobs_watch_schedules(jobs, 0);
        jobs_note_over(jobs);
        jobs_remove(run);
    } else {
        run->phase = JOB_QUEUED;
        if (next->delay_ms)
            job_run_wait(run, next->delay_ms);
        if (run->cancelling)
            job_run_cancel(run);
    }
    if (!jobs->stopping)
        jobs_fill_room(jobs);
    jobs_close_if_quiet(jobs);
}

static void end(struct job_run *run)
{
    struct jobs *jobs = run->jobs;
    struct control_failure failure;
    struct job_history history = run->history;
    struct job_next next;
    struct error err;
    bool partial = job_stats_partial(run) || run->event == JOB_INTERRUPTED;
    if (run->event == JOB_ATTEMPT_FAILS || run->event == JOB_INTERRUPTED)
        job_history_add(&history, partial);
    if (!job_state_next(run->status, run->event, run->retriable, &history, &jobs->policy, &next)) {
        assert(!"a job's step that its state does not have");
        return;
    }
    if (!job_stats_flush(run)) {
        uv_timer_start(&run->timer, on_store_due, STORE_RETRY_MS, 0);
        return;
    }
    struct control_job_step step = {
        .job = run->id,
        .status = next.status,
        .now_ms = jobs_now_ms(),
        .retry_ms = next.status == CONTROL_JOB_INCOMPLETE ? jobs_now_ms() + (int64_t)next.delay_ms : 0,
        .attempt_ends = next.attempt_ends,
        .outcome = next.outcome,
        .partial = partial && run->event != JOB_ATTEMPT_SUCCEEDS,
        .failures = &failure};
    step.failure_count = next.attempt_ends ? failures_of(run, &failure) : 0;
    if (control_job_step(jobs->options.control, &step, &err) < 0) {
        try_again(run, &err);
        return;
    }
    run->history = history;
    settle(run, &next);
}

static void log_end(struct job_run *run)
{
    static const char *const words[JOB_EVENT_COUNT] = {[JOB_ATTEMPT_SUCCEEDS] = "succeeded",
                                                       [JOB_ATTEMPT_FAILS] = "failed",
                                                       [JOB_INTERRUPTED] = "was interrupted",
                                                       [JOB_CANCELLED] = "was cancelled"};
    const char *why = run->event == JOB_CANCELLED ? NULL : run->failure.message;
    open_log(run);
    task_log_begin(&run->log, jobs_now_ms(), run->event == JOB_ATTEMPT_SUCCEEDS ? LOG_INFO : LOG_ERROR,
                   "ended");
    json_member_i64(&run->log.writer, "job", run->id);
    json_member_u64(&run->log.writer, "attempt", run->attempt);
    auto_free char *message =
        mem_printf("attempt %u of job %lld %s%s%s", run->attempt + 1, (long long)run->id, words[run->event],
                   why ? ": " : "", why ? why : "");
    task_log_message(&run->log, message);
    task_log_end(&run->log);
}

/* A task goes on trying a connection that cannot be made, whatever the reason; a job tells people, who have
 * to change what is configured. */
static bool is_config(const struct job_run *run)
{
    return run->failure.type && strcmp(run->failure.type, "config_error") == 0;
}

void job_run_over(struct job_run *run, enum job_event event, bool retriable)
{
    uv_timer_stop(&run->timer);
    run->event = event;
    run->retriable = retriable && !(event == JOB_ATTEMPT_FAILS && is_config(run));
    if (run->phase >= JOB_BEGINNING)
        run->phase = JOB_ENDING;
    if (run->status == CONTROL_JOB_RUNNING)
        log_end(run);
    fault_point("job-ending");
    end(run);
}

static void on_store_due(uv_timer_t *timer)
{
    struct job_run *run = timer->data;
    if (run->phase == JOB_BEGINNING)
        job_run_begin(run);
    else
        end(run);
}

/* --- the beginning ------------------------------------------------------------------------------- */

static void on_retry_due(uv_timer_t *timer)
{
    struct job_run *run = timer->data;
    run->phase = JOB_QUEUED;
    jobs_fill_room(run->jobs);
}

void job_run_wait(struct job_run *run, uint64_t delay_ms)
{
    run->phase = JOB_WAITING;
    uv_timer_start(&run->timer, on_retry_due, delay_ms, 0);
}

static void fail(struct job_run *run, const struct error *error)
{
    job_run_blame(run, "airbyte_platform", error);
    job_run_over(run, JOB_ATTEMPT_FAILS, error->retriable);
}

/* Programs that were found already are not looked for again. */
static void keep_programs(struct job_spec *from, struct job_spec *to, struct job_run *run)
{
    to->spec.source.program = from->spec.source.program;
    to->spec.destination.program = from->spec.destination.program;
    to->image = false;
    run->programs = from;
}

int job_run_build(struct job_run *run, struct error *err)
{
    const struct jobs_options *options = &run->jobs->options;
    struct control_job job;
    struct arena arena;
    struct job_spec *before = run->spec;
    struct job_spec_options how = {.built_ins = options->built_ins,
                                   .data_dir = options->data_dir,
                                   .commit_ms = options->commit_ms,
                                   .stall_ms = options->stall_ms};
    arena_init(&arena);
    int result = control_job_get(options->control, run->id, &arena, &job, err);
    if (result == 0) {
        run->spec = mem_zalloc(sizeof *run->spec);
        result = job_spec_build(run->spec, options->control, &job, &how, err);
        if (before)
            keep_programs(before, run->spec, run);
    }
    arena_done(&arena);
    return result;
}

/* The store has the beginning. */
static void go(struct job_run *run)
{
    struct error err;
    fault_point("job-begun");
    open_log(run);
    task_log_begin(&run->log, jobs_now_ms(), LOG_INFO, "started");
    json_member_i64(&run->log.writer, "job", run->id);
    json_member_u64(&run->log.writer, "attempt", run->attempt);
    auto_free char *message = mem_printf("attempt %u of job %lld (%s) began", run->attempt + 1,
                                         (long long)run->id, control_job_type_name(run->type));
    task_log_message(&run->log, message);
    task_log_end(&run->log);
    if (job_run_build(run, &err) < 0)
        fail(run, &err);
    else if (run->spec->image)
        job_plan_start(run);
    else
        job_run_start(run);
}

void job_run_begin(struct job_run *run)
{
    struct jobs *jobs = run->jobs;
    struct error err;
    const struct control_job_step step = {
        .job = run->id, .status = CONTROL_JOB_RUNNING, .now_ms = jobs_now_ms(), .attempt_begins = true};
    if (run->phase != JOB_BEGINNING)
        jobs->running++;
    run->phase = JOB_BEGINNING;
    if (control_job_step(jobs->options.control, &step, &err) < 0) {
        try_again(run, &err);
        return;
    }
    jobs->failed_store = false;
    run->attempt = run->status == CONTROL_JOB_INCOMPLETE ? run->attempt + 1 : run->attempt;
    run->status = CONTROL_JOB_RUNNING;
    job_news_status(run);
    run->kill_told = false;
    run->discovered = false;
    run->refused = false;
    run->begun_ms = jobs_now_ms();
    pthread_mutex_lock(&jobs->lock);
    jobs->figures.begun++;
    pthread_mutex_unlock(&jobs->lock);
    go(run);
}

/* --- the process --------------------------------------------------------------------------------- */

static void keep_catalog(struct job_run *run, struct slice catalog)
{
    free(run->catalog);
    run->catalog = mem_strndup(catalog.data, catalog.size);
    run->catalog_size = catalog.size;
}

static void on_event(void *context, const struct task_event *event)
{
    struct job_run *run = context;
    char message[512];
    switch (event->type) {
    case TASK_EVENT_STARTED:
        snprintf(message, sizeof message, "%.200s to %.200s%s", event->started.source, event->started.sink,
                 event->started.resumed ? ", from its checkpoint on" : "");
        job_run_log(run, LOG_INFO, "task", message);
        break;
    case TASK_EVENT_PROGRESS:
        job_stats_take(run, &event->progress);
        break;
    case TASK_EVENT_LOG:
        job_run_log(run, event->log.level, event->log.origin, event->log.message);
        break;
    case TASK_EVENT_FAILURE:
        take_failure(run, &event->failure);
        break;
    case TASK_EVENT_CONFIG:
        job_config_take(run, event->config.destination ? CONTROL_DESTINATION : CONTROL_SOURCE,
                        event->config.config);
        break;
    case TASK_EVENT_CATALOG:
        keep_catalog(run, event->catalog);
        break;
    case TASK_EVENT_ENDED:
        break;
    }
}

static void on_ended(void *context, enum task_outcome outcome, const struct error *error)
{
    struct job_run *run = context;
    struct error stopped;
    bool discovering = run->phase == JOB_DISCOVERING;
    run->child = NULL;
    uv_timer_stop(&run->timer);
    if (outcome == TASK_COMPLETED && !discovering && !run->refused) {
        job_run_over(run, JOB_ATTEMPT_SUCCEEDS, false);
    } else if (run->cancelling) {
        job_run_over(run, JOB_CANCELLED, false);
    } else if (run->refused) {
        job_run_over(run, JOB_ATTEMPT_FAILS, false);
    } else if (run->jobs->stopping) {
        error_set(&stopped, ERROR_CANCELLED, "the daemon was stopped while this attempt ran");
        job_run_blame(run, "airbyte_platform", &stopped);
        job_run_over(run, JOB_INTERRUPTED, true);
    } else if (outcome == TASK_FAILED) {
        job_run_blame(run, "airbyte_platform", error);
        job_run_over(run, JOB_ATTEMPT_FAILS, error->retriable);
    } else if (outcome == TASK_STOPPED) {
        error_set(&stopped, ERROR_CANCELLED, "somebody else stopped the process");
        job_run_blame(run, "airbyte_platform", &stopped);
        job_run_over(run, JOB_ATTEMPT_FAILS, true);
    } else if (job_discover_take(run) == 0) {
        job_run_start(run);
    }
}

static void start_child(struct job_run *run)
{
    const struct child_callbacks callbacks = {.context = run, .event = on_event, .ended = on_ended};
    struct buffer text;
    struct error err;
    buffer_init(&text, TASK_SPEC_MAX);
    task_spec_write(&text, &run->spec->spec);
    if (text.overflowed) {
        error_set(&err, ERROR_LIMIT, "the specification is larger than the limit of %d bytes", TASK_SPEC_MAX);
    } else {
        run->child = child_start(run->jobs->loop, run->jobs->options.program,
                                 (struct slice){text.data, text.size}, &callbacks, &err);
    }
    if (text.data)
        explicit_bzero(text.data, text.capacity);
    buffer_done(&text);
    if (!run->child)
        fail(run, &err);
}

void job_run_start(struct job_run *run)
{
    bool asks = !run->discovered && job_discover_due(run);
    run->discovered = true;
    run->phase = asks ? JOB_DISCOVERING : JOB_MOVING;
    run->spec->spec.discover = asks;
    if (!asks)
        job_stats_begin(run);
    fault_point("job-starting");
    start_child(run);
    if (run->child && run->cancelling)
        job_run_cancel(run);
}

/* --- ending it ----------------------------------------------------------------------------------- */

static void on_kill_due(uv_timer_t *timer)
{
    const struct job_run *run = timer->data;
    if (run->child)
        child_kill(run->child);
}

static void stop_child(struct job_run *run, uint64_t kill_ms)
{
    child_stop(run->child);
    if (!run->kill_told)
        uv_timer_start(&run->timer, on_kill_due, kill_ms, 0);
    run->kill_told = true;
}

void job_run_cancel(struct job_run *run)
{
    run->cancelling = true;
    switch (run->phase) {
    case JOB_QUEUED:
    case JOB_WAITING:
        job_run_over(run, JOB_CANCELLED, false);
        break;
    case JOB_PLANNING:
        plan_child_drop(run->plan);
        run->plan = NULL;
        job_run_over(run, JOB_CANCELLED, false);
        break;
    case JOB_DISCOVERING:
    case JOB_MOVING:
        if (run->child && !run->kill_told)
            stop_child(run, CANCEL_MS);
        break;
    case JOB_BEGINNING: /* seen when its process starts */
    case JOB_ENDING:
        break;
    }
}

void job_run_stop(struct job_run *run)
{
    const struct jobs_options *options = &run->jobs->options;
    struct error why;
    switch (run->phase) {
    case JOB_PLANNING:
        plan_child_drop(run->plan);
        run->plan = NULL;
        error_set(&why, ERROR_CANCELLED, "the daemon was stopped while this attempt was prepared");
        job_run_blame(run, "airbyte_platform", &why);
        job_run_over(run, run->cancelling ? JOB_CANCELLED : JOB_INTERRUPTED, true);
        break;
    case JOB_DISCOVERING:
    case JOB_MOVING:
        if (run->child)
            stop_child(run, options->stop_ms ? options->stop_ms : STOP_MS_DEFAULT);
        break;
    case JOB_WAITING:
        uv_timer_stop(&run->timer);
        break;
    case JOB_BEGINNING: /* the store could not be told: nothing has begun */
        if (run->status != CONTROL_JOB_RUNNING) {
            uv_timer_stop(&run->timer);
            run->phase = JOB_QUEUED;
            run->jobs->running--;
        }
        break;
    case JOB_QUEUED:
    case JOB_ENDING:
        break;
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct job_run *run = handle->data;
    struct jobs *jobs = run->jobs;
    free(run->connection);
    free(run);
    jobs_handle_closed(jobs);
}

void job_run_free(struct job_run *run)
{
    close_log(run);
    forget_failure(run);
    free_spec(run);
    free(run->catalog);
    run->catalog = NULL;
    uv_close((uv_handle_t *)&run->timer, on_timer_closed);
}
