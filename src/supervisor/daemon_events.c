/* What sessions tell, into facts, live figures and the tasks' logs. */
#include "supervisor/daemon_state.h"

#include <math.h>
#include <stdlib.h>

enum {
    FACTS_RETRY_MS = 1000,
    PLAN_RETRY_MS = 30 * 1000, /* what could not be planned, and may be later: an image that cannot be had */
};

static const double RATE_SECONDS = 10; /* a rate follows its measurements with this time constant */

static int64_t now_ms(void)
{
    return clock_wall_ms(&clock_system);
}

/* --- facts --------------------------------------------------------------------------------------- */

static void on_facts_due(uv_timer_t *timer)
{
    (void)daemon_save_facts(timer->data);
}

void daemon_task_dirty(struct daemon_task *task)
{
    struct daemon *daemon = task->daemon;
    task->dirty = true;
    if (!daemon->closing && !uv_is_active((uv_handle_t *)&daemon->facts_due))
        uv_timer_start(&daemon->facts_due, on_facts_due, 0, 0);
}

/* All that changed within a turn of the loop, in one transaction. If it fails, again after a second, and the
 * tasks go on meanwhile. */
bool daemon_save_facts(struct daemon *daemon)
{
    struct control_task_facts *items = mem_alloc((daemon->tasks.count + 1) * sizeof *items);
    const struct map_entry *entry;
    struct error err;
    size_t count = 0;
    for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));) {
        const struct daemon_task *task = entry->value;
        if (task->dirty && !task->gone)
            items[count++] = (struct control_task_facts){task->name, task->facts};
    }
    bool saved = count == 0 || control_put_facts(daemon->options->control, items, count, &err) == 0;
    free(items);
    if (saved) {
        for (size_t at = 0; (entry = map_next(&daemon->tasks, &at));)
            ((struct daemon_task *)entry->value)->dirty = false;
        daemon->facts_failed = false;
        return true;
    }
    if (!daemon->facts_failed && err.code != ERROR_BUSY)
        log_warn(daemon->options->log, "what the tasks do cannot be noted, which is tried on: %s",
                 err.message);
    daemon->facts_failed = err.code != ERROR_BUSY;
    if (!daemon->closing)
        uv_timer_start(&daemon->facts_due, on_facts_due, FACTS_RETRY_MS, 0);
    return false;
}

static void set_error(struct daemon_task *task, const struct error *error)
{
    struct error shown;
    free((char *)task->facts.code);
    free((char *)task->facts.error);
    task->facts.code = task->facts.error = NULL;
    if (error) {
        shown = *error;
        error_make_printable(&shown);
        task->facts.code = mem_strdup(error_code_name(shown.code));
        task->facts.error = mem_strdup(shown.message);
    }
    task->facts.error_ms = error ? now_ms() : 0;
}

static void on_reload_due(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    struct daemon_changes changes;
    struct error err;
    if (daemon_reload(daemon, false, &changes, &err) < 0)
        log_error(daemon->options->log, "what is deployed cannot be read: %s", err.message);
}

static void reload_in(struct daemon *daemon, uint64_t delay_ms)
{
    if (!daemon->closing && (!uv_is_active((uv_handle_t *)&daemon->reload_due) ||
                             uv_timer_get_due_in(&daemon->reload_due) > delay_ms))
        uv_timer_start(&daemon->reload_due, on_reload_due, delay_ms, 0);
}

void daemon_task_failed(struct daemon_task *task, const struct error *error)
{
    task->state = error->retriable ? DAEMON_TASK_BACKING_OFF : DAEMON_TASK_FAILED;
    daemon_news(task);
    task->facts.generation = task->generation;
    task->facts.session = CONTROL_SESSION_FAILED;
    task->facts.retriable = error->retriable;
    task->facts.due_ms = error->retriable ? now_ms() + PLAN_RETRY_MS : 0;
    if (error->retriable)
        reload_in(task->daemon, PLAN_RETRY_MS);
    set_error(task, error);
    daemon_task_dirty(task);
    log_error(task->daemon->options->log, "%s cannot be run: %s", task->name, error->message);
    task_log_begin(&task->log, now_ms(), LOG_ERROR, "ended");
    json_member_string(&task->log.writer, "outcome", "failed");
    json_member_string(&task->log.writer, "code", error_code_name(error->code));
    json_member_bool(&task->log.writer, "retriable", error->retriable);
    task_log_message(&task->log, error->message);
    task_log_end(&task->log);
    task_log_close(&task->log);
}

/* --- sessions ------------------------------------------------------------------------------------ */

static void on_started(void *context, const struct supervisor_task *supervised, uint32_t attempt)
{
    struct daemon_task *task = supervised->owner;
    (void)context;
    task->state = DAEMON_TASK_RUNNING;
    task->live = (struct daemon_live){.lag_ms = -1};
    daemon_news(task);
    task->facts.generation = task->generation;
    task->facts.session = CONTROL_SESSION_RUNNING;
    task->facts.started_ms = now_ms();
    task->facts.due_ms = 0;
    task->facts.failures = attempt;
    task->facts.sessions++;
    task->daemon->sessions.begun++;
    task->facts.documents = task->facts.bytes = 0;
    daemon_task_dirty(task);
    task_log_begin(&task->log, task->facts.started_ms, LOG_INFO, "started");
    json_member_u64(&task->log.writer, "session", task->facts.sessions);
    json_member_u64(&task->log.writer, "attempt", attempt);
    auto_free char *message = mem_printf("session %llu began%s", (unsigned long long)task->facts.sessions,
                                         attempt ? ", a new try" : "");
    task_log_message(&task->log, message);
    task_log_end(&task->log);
}

static void follow_rate(double *rate, uint64_t before, uint64_t after, double seconds)
{
    if (seconds <= 0)
        return;
    double measured = after > before ? (double)(after - before) / seconds : 0;
    *rate += (1 - exp(-seconds / RATE_SECONDS)) * (measured - *rate);
}

static void on_progress(void *context, const struct supervisor_task *supervised,
                        const struct task_progress *progress)
{
    struct daemon_task *task = supervised->owner;
    struct daemon_live *live = &task->live, sum = {.lag_ms = -1};
    (void)context;
    for (size_t i = 0; i < progress->binding_count; i++) {
        const struct task_binding_progress *binding = &progress->bindings[i];
        sum.documents += binding->committed_documents;
        sum.bytes += binding->committed_bytes;
        sum.taken += binding->documents;
        sum.taken_bytes += binding->bytes;
        if (binding->lag_ms > sum.lag_ms)
            sum.lag_ms = binding->lag_ms;
    }
    uint64_t now = uv_now(task->daemon->loop);
    double seconds =
        live->measured_ms ? (double)(now - live->measured_ms) / 1000 : (double)progress->elapsed_ms / 1000;
    sum.document_rate = live->document_rate;
    sum.byte_rate = live->byte_rate;
    follow_rate(&sum.document_rate, live->documents, sum.documents, seconds);
    follow_rate(&sum.byte_rate, live->bytes, sum.bytes, seconds);
    sum.measured_ms = now ? now : 1;
    task->daemon->sessions.documents += sum.documents > live->documents ? sum.documents - live->documents : 0;
    task->daemon->sessions.bytes += sum.bytes > live->bytes ? sum.bytes - live->bytes : 0;
    *live = sum;
    daemon_news(task);
    /* What was wrong is mended; the count is the backoff's, which a commit does not reset. */
    if (progress->commits > 0 && task->facts.error) {
        set_error(task, NULL);
        daemon_task_dirty(task);
    }
    task->facts.documents = sum.documents;
    task->facts.bytes = sum.bytes;
}

static void on_log(void *context, const struct supervisor_task *supervised, enum log_level level,
                   const char *origin, const char *message)
{
    struct daemon_task *task = supervised->owner;
    const struct daemon *daemon = context;
    /* What a connector says below that is there because the catalog asks for it (logLevel). */
    bool asked_for = level < LOG_INFO && strcmp(origin, "task") != 0;
    if (level < daemon->options->log->level && !asked_for)
        return;
    task_log_begin(&task->log, now_ms(), level, "log");
    json_member_string(&task->log.writer, "origin", origin);
    task_log_message(&task->log, message);
    task_log_end(&task->log);
}

static void log_end(struct daemon_task *task, enum task_outcome outcome, const struct error *error,
                    uint64_t elapsed_ms)
{
    char count[32], amount[32];
    task_log_begin(&task->log, task->facts.ended_ms, error ? LOG_ERROR : LOG_INFO, "ended");
    json_member_u64(&task->log.writer, "session", task->facts.sessions);
    json_member_string(&task->log.writer, "outcome", task_outcome_name(outcome));
    json_member_u64(&task->log.writer, "elapsedMs", elapsed_ms);
    json_member_u64(&task->log.writer, "documents", task->facts.documents);
    json_member_u64(&task->log.writer, "bytes", task->facts.bytes);
    if (error) {
        json_member_string(&task->log.writer, "code", error_code_name(error->code));
        json_member_bool(&task->log.writer, "retriable", error->retriable);
        task_log_message(&task->log, error->message);
    } else {
        string_human_count(task->facts.documents, count, sizeof count);
        string_human_bytes((double)task->facts.bytes, amount, sizeof amount);
        auto_free char *message = mem_printf(
            "session %llu %s: %s documents, %s in %.1f s", (unsigned long long)task->facts.sessions,
            task_outcome_name(outcome), count, amount, (double)elapsed_ms / 1000);
        task_log_message(&task->log, message);
    }
    task_log_end(&task->log);
}

/* A document is more than what was known of its collection's schema when the task was planned. */
static bool is_outdated(const struct daemon_task *task, const struct error *error)
{
    return task->inferred && error && error->code == ERROR_INVALID && error->retriable;
}

static void on_ended(void *context, const struct supervisor_task *supervised, enum task_outcome outcome,
                     const struct error *error, uint64_t elapsed_ms)
{
    static const enum control_session sessions[] = {[TASK_COMPLETED] = CONTROL_SESSION_COMPLETED,
                                                    [TASK_STOPPED] = CONTROL_SESSION_STOPPED,
                                                    [TASK_FAILED] = CONTROL_SESSION_FAILED};
    struct daemon_task *task = supervised->owner;
    const struct daemon *daemon = context;
    struct control_facts *facts = &task->facts;
    facts->session = sessions[outcome];
    facts->ended_ms = now_ms();
    facts->retriable = error && error->retriable;
    if (outcome != TASK_FAILED)
        facts->failures = 0;
    else
        facts->failures = elapsed_ms > SUPERVISOR_RETRY_MAX_MS ? 1 : facts->failures + 1;
    if (error || outcome == TASK_COMPLETED)
        set_error(task, error);
    task->daemon->sessions.failed += error != NULL;
    /* If there is another session, `waiting` or `started` says so at once. */
    task->state = error ? DAEMON_TASK_FAILED : DAEMON_TASK_DONE;
    daemon_news(task);
    daemon_task_dirty(task);
    log_end(task, outcome, error, elapsed_ms);
    task_log_close(&task->log);
    if (is_outdated(task, error)) { /* planned anew, it begins again at once */
        task->unplanned = true;
        reload_in(task->daemon, 0);
    } else if (error)
        log_warn(daemon->options->log, "%s failed%s: %s", task->name,
                 error->retriable ? ", it will be tried again" : "", error->message);
}

static void on_waiting(void *context, const struct supervisor_task *supervised, enum supervisor_wait why,
                       uint64_t delay_ms)
{
    static const struct {
        enum daemon_task_state state;
        const char *name;
    } kinds[] = {[SUPERVISOR_WAIT_INTERVAL] = {DAEMON_TASK_WAITING, "interval"},
                 [SUPERVISOR_WAIT_BACKOFF] = {DAEMON_TASK_BACKING_OFF, "backoff"},
                 [SUPERVISOR_WAIT_SLOT] = {DAEMON_TASK_QUEUED, "slot"}};
    struct daemon_task *task = supervised->owner;
    (void)context;
    task->state = kinds[why].state;
    daemon_news(task);
    task->facts.due_ms = now_ms() + (int64_t)delay_ms;
    daemon_task_dirty(task);
    if (why == SUPERVISOR_WAIT_INTERVAL)
        return; /* nothing out of the ordinary, and of some tasks every second */
    task_log_begin(&task->log, now_ms(), LOG_INFO, "waiting");
    json_member_string(&task->log.writer, "why", kinds[why].name);
    json_member_u64(&task->log.writer, "delayMs", delay_ms);
    auto_free char *message = why == SUPERVISOR_WAIT_SLOT
                                  ? mem_strdup("waiting until another task's session ends")
                                  : mem_printf("trying again in %.1f s", (double)delay_ms / 1000);
    task_log_message(&task->log, message);
    task_log_end(&task->log);
    task_log_close(&task->log);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void on_removed(void *context, const struct supervisor_task *supervised)
{
    struct daemon *daemon = context;
    struct daemon_task *task = supervised->owner;
    bool again = task->missed;
    task->supervised = NULL;
    task->leaving = task->missed = false;
    if (task->gone) {
        map_remove(&daemon->tasks, slice_of(task->name));
        daemon_task_free(task);
    } else if (!task->enabled) {
        task->state = DAEMON_TASK_DISABLED;
        daemon_news(task);
    }
    if (again)
        reload_in(daemon, 0);
}

static void on_listening(void *context, const char *url, unsigned lost)
{
    struct daemon *daemon = context;
    if (lost)
        log_warn(daemon->options->log, SUPERVISOR_LOST_PORT, url, lost);
    if (string_starts_with(url, "kafka://")) {
        log_info(daemon->options->log, "Kafka clients are served at %s", url + sizeof "kafka://" - 1);
        return;
    }
    free(daemon->ingest_url);
    daemon->ingest_url = mem_strdup(url);
    log_info(daemon->options->log, "push captures take documents at %s/ingest/CAPTURE/RESOURCE", url);
}

/* The counters are since the daemon began: of one process of the push captures after the other. */
static void on_pushed(void *context, const struct push_figures *figures)
{
    struct daemon *daemon = context;
    uint64_t *total = daemon->pushed.values, *last = daemon->pushed_last.values;
    for (enum push_figure figure = 0; figure < PUSH_FIGURES; figure++) {
        uint64_t now = figures->values[figure];
        if (figure >= PUSH_RESULTS)
            total[figure] = now;
        else
            total[figure] += now >= last[figure] ? now - last[figure] : now;
        last[figure] = now;
    }
}

struct supervisor_events daemon_events(struct daemon *daemon)
{
    return (struct supervisor_events){.context = daemon,
                                      .started = on_started,
                                      .progress = on_progress,
                                      .log = on_log,
                                      .ended = on_ended,
                                      .waiting = on_waiting,
                                      .listening = on_listening,
                                      .pushed = on_pushed,
                                      .removed = on_removed};
}
