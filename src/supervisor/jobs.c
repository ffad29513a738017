#include "supervisor/jobs.h"

#include "base/clock.h"
#include "control/connections.h"
#include "control/schedule.h"
#include "supervisor/job_files.h"
#include "supervisor/job_settings.h"
#include "supervisor/jobs_state.h"
#include "supervisor/leftovers.h"
#include "supervisor/webhook.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STATS_MS = 500,
    FORGET_MS =
        60 * 60 * 1000, /* how often old jobs are looked for, besides after as many more as go at a time */
    FORGET_ONCE = 200,  /* jobs that go at a time: the loop must not wait long */
};

int64_t jobs_now_ms(void)
{
    return clock_wall_ms(&clock_system);
}

void jobs_store_failed(struct jobs *jobs, const struct error *error)
{
    if (!jobs->failed_store)
        log_warn(jobs->options.log, "what the jobs do cannot be noted, which is tried on: %s",
                 error->message);
    jobs->failed_store = true;
}

/* --- the queue ----------------------------------------------------------------------------------- */

static size_t find(const struct jobs *jobs, int64_t id)
{
    size_t low = 0, high = jobs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (jobs->runs[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count_figures(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->figures.running = jobs->running;
    jobs->figures.waiting = (uint32_t)jobs->count - jobs->running;
    pthread_mutex_unlock(&jobs->lock);
}

static uint32_t running_max(const struct jobs *jobs)
{
    return jobs->options.running_max ? jobs->options.running_max : JOBS_RUNNING_DEFAULT;
}

void jobs_fill_room(struct jobs *jobs)
{
    uint32_t most = running_max(jobs);
    /* By index: what begins may end at once, and leave the list. */
    for (size_t i = 0; i < jobs->count && jobs->running < most && !jobs->stopping && !jobs->adopting;) {
        struct job_run *run = jobs->runs[i];
        if (run->phase == JOB_QUEUED && !run->cancelling)
            job_run_begin(run);
        i += i < jobs->count && jobs->runs[i] == run;
    }
    count_figures(jobs);
}

void jobs_remove(struct job_run *run)
{
    struct jobs *jobs = run->jobs;
    size_t at = find(jobs, run->id);
    assert(at < jobs->count && jobs->runs[at] == run);
    memmove(&jobs->runs[at], &jobs->runs[at + 1], (jobs->count - at - 1) * sizeof(struct job_run *));
    jobs->count--;
    jobs_tell_waiters(jobs, run->id);
    job_run_free(run);
    count_figures(jobs);
}

static struct job_run *add(struct jobs *jobs, const struct control_job *job)
{
    struct job_run *run = mem_zalloc(sizeof *run);
    size_t at = find(jobs, job->id);
    run->jobs = jobs;
    run->id = job->id;
    run->connection = mem_strdup(job->connection);
    run->type = job->type;
    run->status = job->status;
    run->created_ms = job->created_ms;
    run->phase = JOB_QUEUED;
    run->attempt = job->attempts ? job->attempts - 1 : 0;
    uv_timer_init(jobs->loop, &run->timer);
    run->timer.data = run;
    jobs->handles++;
    jobs->runs = mem_grow(jobs->runs, &jobs->capacity, jobs->count + 1, sizeof(struct job_run *));
    memmove(&jobs->runs[at + 1], &jobs->runs[at], (jobs->count - at) * sizeof(struct job_run *));
    jobs->runs[at] = run;
    jobs->count++;
    return run;
}

void jobs_read(struct jobs *jobs)
{
    struct control_job *open;
    struct arena arena;
    struct error err;
    size_t count = 0;
    arena_init(&arena);
    if (control_jobs_open(jobs->options.control, &arena, &open, &count, &err) < 0)
        jobs_store_failed(jobs, &err);
    for (size_t i = 0; i < count; i++) {
        size_t at = find(jobs, open[i].id);
        struct job_run *run = at < jobs->count && jobs->runs[at]->id == open[i].id ? jobs->runs[at] : NULL;
        if (!run) {
            run = add(jobs, &open[i]);
            job_news_status(run);
        }
        if (open[i].cancelling && !run->cancelling)
            job_run_cancel(run);
    }
    arena_done(&arena);
    jobs_fill_room(jobs);
}

/* --- after a restart ----------------------------------------------------------------------------- */

/* What an earlier daemon left: its attempts that ran are over, and counted. */
static int adopt(struct jobs *jobs, struct error *err)
{
    struct control_job *open;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena);
    int result = control_jobs_open(jobs->options.control, &arena, &open, &count, err);
    for (size_t i = 0; i < count && result == 0; i++) {
        struct control_attempt *attempts;
        size_t attempt_count = 0;
        struct job_run *run = add(jobs, &open[i]);
        result = control_job_attempts(jobs->options.control, run->id, &arena, &attempts, &attempt_count, err);
        for (size_t j = 0; j < attempt_count && result == 0; j++)
            if (attempts[j].status == CONTROL_ATTEMPT_FAILED)
                job_history_add(&run->history, attempts[j].partial);
    }
    for (size_t i = 0; i < count && result == 0; i++) {
        struct job_run *run = jobs->runs[find(jobs, open[i].id)];
        if (run->status == CONTROL_JOB_RUNNING) {
            struct error why;
            error_set(&why, ERROR_IO, "the daemon ended while this attempt ran");
            job_run_blame(run, "airbyte_platform", &why);
            jobs->running++; /* as if it had ended only now */
            run->phase = JOB_MOVING;
            job_run_over(run, open[i].cancelling ? JOB_CANCELLED : JOB_INTERRUPTED, true);
        } else if (open[i].cancelling) {
            job_run_cancel(run);
        } else if (run->status == CONTROL_JOB_INCOMPLETE && open[i].retry_ms > jobs_now_ms()) {
            job_run_wait(run, (uint64_t)(open[i].retry_ms - jobs_now_ms()));
        }
    }
    arena_done(&arena);
    return result;
}

/* Who deleted a connection may have died before its state was dropped. */
static void forget_states(struct jobs *jobs)
{
    const struct control_connection_filter all = {0};
    struct error err;
    if (leftovers_drop(jobs->options.control, jobs->options.data_dir, &all, &err) < 0)
        log_warn(jobs->options.log, "the state of a deleted connection stays: %s", err.message);
}

/* --- timers and other threads -------------------------------------------------------------------- */

static void on_wake(uv_async_t *async)
{
    struct jobs *jobs = async->data;
    if (jobs->closing)
        return;
    job_settings_read(jobs);
    jobs_read(jobs);
    if (!jobs->stopping)
        job_schedules_read(jobs);
}

static void on_stats_due(uv_timer_t *timer)
{
    struct jobs *jobs = timer->data;
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->runs[i]->dirty)
            job_stats_flush(jobs->runs[i]);
    if (jobs->running == 0)
        uv_timer_stop(&jobs->stats_due);
}

static void on_schedules_due(uv_timer_t *timer)
{
    struct jobs *jobs = timer->data;
    if (!jobs->stopping)
        job_schedules_read(jobs);
}

/* Jobs that are too old or too many go, with their logs. */
static void on_forget_due(uv_timer_t *timer)
{
    struct jobs *jobs = timer->data;
    struct arena arena;
    struct error err;
    int64_t *ids;
    size_t count = 0;
    arena_init(&arena);
    if (control_jobs_forget(jobs->options.control, jobs_now_ms() - jobs->keep_ms, jobs->keep, FORGET_ONCE,
                            &arena, &ids, &count, &err) < 0)
        jobs_store_failed(jobs, &err);
    for (size_t i = 0; i < count; i++)
        job_files_remove(jobs->options.data_dir, ids[i]);
    arena_done(&arena);
    uv_timer_start(timer, on_forget_due, count == FORGET_ONCE ? STATS_MS : FORGET_MS, 0);
}

void jobs_note_over(struct jobs *jobs)
{
    if (++jobs->over < FORGET_ONCE || jobs->closing)
        return;
    jobs->over = 0;
    uv_timer_start(&jobs->forget_due, on_forget_due, STATS_MS, 0);
}

void jobs_tell_waiters(struct jobs *jobs, int64_t job)
{
    struct jobs_waiter *told = NULL;
    pthread_mutex_lock(&jobs->lock);
    for (struct jobs_waiter **at = &jobs->waiters; *at;) {
        struct jobs_waiter *waiter = *at;
        if (job && waiter->job != job) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = told;
        told = waiter;
    }
    pthread_mutex_unlock(&jobs->lock);
    while (told) {
        struct jobs_waiter *waiter = told;
        told = waiter->next;
        waiter->done(waiter->context);
        free(waiter);
    }
}

void jobs_wake(struct jobs *jobs)
{
    uv_async_send(&jobs->wake);
}

int jobs_start(struct jobs *jobs, struct control *control, const struct control_job_new *job, int64_t *ret_id,
               struct error *err)
{
    if (control_job_create(control, job, ret_id, err) < 0)
        return -1;
    jobs_wake(jobs);
    return 0;
}

static void add_waiter(struct jobs *jobs, int64_t job, jobs_done *done, void *context)
{
    struct jobs_waiter *waiter = mem_alloc(sizeof *waiter);
    pthread_mutex_lock(&jobs->lock);
    *waiter = (struct jobs_waiter){jobs->waiters, job, done, context};
    jobs->waiters = waiter;
    pthread_mutex_unlock(&jobs->lock);
}

/* Take the waiter back; false if it has been told. */
static bool drop_waiter(struct jobs *jobs, jobs_done *done, const void *context)
{
    bool found = false;
    pthread_mutex_lock(&jobs->lock);
    for (struct jobs_waiter **at = &jobs->waiters; *at; at = &(*at)->next) {
        struct jobs_waiter *waiter = *at;
        if (waiter->done != done || waiter->context != context)
            continue;
        *at = waiter->next;
        free(waiter);
        found = true;
        break;
    }
    pthread_mutex_unlock(&jobs->lock);
    return found;
}

int jobs_cancel(struct jobs *jobs, struct control *control, int64_t job, jobs_done *done, void *context,
                struct error *err)
{
    /* Before the store knows: the end may come at once after that. */
    if (done)
        add_waiter(jobs, job, done, context);
    int over = control_job_cancelling(control, job, jobs_now_ms(), err);
    if (over == 0) {
        jobs_wake(jobs);
        return 1;
    }
    /* A job that ended just now has told its waiter: then it is as if it went on. */
    if (done && !drop_waiter(jobs, done, context))
        return 1;
    return over < 0 ? -1 : 0;
}

const uint32_t jobs_duration_bounds[JOBS_DURATIONS - 1] = {1, 5, 15, 60, 300, 900, 3600, 14400};

void jobs_count_duration(struct jobs *jobs, int64_t ms)
{
    size_t at = 0;
    uint64_t took_ms = ms > 0 ? (uint64_t)ms : 0; /* a clock may have been set back */
    while (at < JOBS_DURATIONS - 1 && took_ms > (uint64_t)jobs_duration_bounds[at] * 1000)
        at++;
    pthread_mutex_lock(&jobs->lock);
    jobs->figures.durations[at]++;
    jobs->figures.duration_ms += took_ms;
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_figures(struct jobs *jobs, struct jobs_figures *ret_figures)
{
    pthread_mutex_lock(&jobs->lock);
    *ret_figures = jobs->figures;
    ret_figures->running_max = running_max(jobs);
    pthread_mutex_unlock(&jobs->lock);
}

int64_t jobs_due(const struct control_connection *connection, int64_t after_ms)
{
    return connection->status == CONTROL_ACTIVE ? control_schedule_next(connection, after_ms) : -1;
}

/* --- its life ------------------------------------------------------------------------------------ */

static void init_timer(struct jobs *jobs, uv_timer_t *timer)
{
    uv_timer_init(jobs->loop, timer);
    timer->data = jobs;
    jobs->handles++;
}

struct jobs *jobs_open(uv_loop_t *loop, const struct jobs_options *options, struct error *err)
{
    struct jobs *jobs = mem_zalloc(sizeof *jobs);
    jobs->options = *options;
    jobs->loop = loop;
    pthread_mutex_init(&jobs->lock, NULL);
    map_init(&jobs->schedules);
    uv_async_init(loop, &jobs->wake, on_wake);
    jobs->wake.data = jobs;
    jobs->handles++;
    init_timer(jobs, &jobs->stats_due);
    init_timer(jobs, &jobs->schedules_due);
    init_timer(jobs, &jobs->forget_due);
    jobs->webhooks = webhooks_new(loop, options->log, err);
    job_settings_read(jobs);
    jobs->adopting = true;
    int adopted = jobs->webhooks ? adopt(jobs, err) : -1;
    jobs->adopting = false;
    if (adopted < 0) {
        jobs_close(jobs);
        return NULL;
    }
    forget_states(jobs);
    uv_timer_start(&jobs->forget_due, on_forget_due, STATS_MS, 0);
    jobs_fill_room(jobs);
    job_schedules_read(jobs);
    return jobs;
}

void jobs_watch_stats(struct jobs *jobs)
{
    if (!uv_is_active((uv_handle_t *)&jobs->stats_due) && !jobs->closing)
        uv_timer_start(&jobs->stats_due, on_stats_due, STATS_MS, STATS_MS);
}

void jobs_watch_schedules(struct jobs *jobs, uint64_t delay_ms)
{
    if (!jobs->closing)
        uv_timer_start(&jobs->schedules_due, on_schedules_due, delay_ms, 0);
}

void jobs_stop(struct jobs *jobs)
{
    jobs->stopping = true;
    for (size_t i = 0; i < jobs->count;) {
        struct job_run *run = jobs->runs[i];
        job_run_stop(run);
        i += i < jobs->count && jobs->runs[i] == run;
    }
}

static void free_all(struct jobs *jobs)
{
    assert(jobs->count == 0);
    job_schedules_done(jobs);
    map_done(&jobs->schedules);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs->runs);
    free(jobs);
}

void jobs_handle_closed(struct jobs *jobs)
{
    if (--jobs->handles == 0)
        free_all(jobs);
}

static void on_closed(uv_handle_t *handle)
{
    jobs_handle_closed(handle->data);
}

/* Once nothing of it runs. */
static void close_handles(struct jobs *jobs)
{
    jobs->freed = true;
    jobs_tell_waiters(jobs, 0);
    while (jobs->count) {
        struct job_run *run = jobs->runs[--jobs->count];
        job_run_free(run);
    }
    webhooks_close(jobs->webhooks);
    uv_close((uv_handle_t *)&jobs->wake, on_closed);
    uv_close((uv_handle_t *)&jobs->stats_due, on_closed);
    uv_close((uv_handle_t *)&jobs->schedules_due, on_closed);
    uv_close((uv_handle_t *)&jobs->forget_due, on_closed);
}

void jobs_close_if_quiet(struct jobs *jobs)
{
    if (jobs->closing && !jobs->freed && jobs->running == 0)
        close_handles(jobs);
}

void jobs_close(struct jobs *jobs)
{
    if (!jobs || jobs->closing)
        return;
    jobs->closing = true;
    uv_timer_stop(&jobs->schedules_due);
    uv_timer_stop(&jobs->forget_due);
    if (!jobs->stopping)
        jobs_stop(jobs);
    jobs_close_if_quiet(jobs);
}
