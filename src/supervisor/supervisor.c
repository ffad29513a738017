#include "supervisor/supervisor.h"

#include "supervisor/child.h"
#include "supervisor/schedule.h"

#include <assert.h>
#include <signal.h>

enum { SECOND_STOP_MS = 2000 /* from the second signal to SIGKILL */ };

enum slot_state {
    SLOT_WAITING, /* for its timer */
    SLOT_READY,   /* for room among the children */
    SLOT_RUNNING,
    SLOT_DONE,
};

struct slot {
    struct supervisor *supervisor;
    struct supervisor_task task;
    struct supervisor_schedule schedule;
    struct slice spec; /* owned */
    enum slot_state state;
    struct child *child;
    uv_timer_t timer;
    uint32_t failures; /* in a row */
    uint64_t began_ms;
    bool ran;
    enum task_outcome outcome; /* of its last session */
};

enum { SIGNALS = 3 };

struct supervisor {
    struct supervisor_options options;
    struct slot **slots;
    size_t count, capacity, running, done;
    struct arena arena;
    struct random_state random;
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    uv_timer_t deadline;
    int signals_seen;
    bool closing;
};

/* --- tasks --------------------------------------------------------------------------------------- */

struct supervisor *supervisor_new(const struct supervisor_options *options)
{
    struct supervisor *supervisor = mem_zalloc(sizeof *supervisor);
    arena_init(&supervisor->arena);
    supervisor->options = *options;
    supervisor->options.program = arena_strdup(&supervisor->arena, options->program);
    if (options->children_max == 0)
        supervisor->options.children_max = SUPERVISOR_CHILDREN_DEFAULT;
    if (options->stop_ms == 0)
        supervisor->options.stop_ms = SUPERVISOR_STOP_MS_DEFAULT;
    if (options->retry_ms == 0)
        supervisor->options.retry_ms = SUPERVISOR_RETRY_MS_DEFAULT;
    uint64_t seed = options->seed;
    if (seed == 0)
        random_bytes(&seed, sizeof seed);
    random_seed(&supervisor->random, seed);
    return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        explicit_bzero((char *)slot->spec.data, slot->spec.size);
        free((char *)slot->spec.data);
        free(slot);
    }
    free(supervisor->slots);
    arena_done(&supervisor->arena);
    free(supervisor);
}

int supervisor_add(struct supervisor *supervisor, const char *name, enum task_kind kind,
                   const char *const *bindings, size_t binding_count, struct supervisor_schedule schedule,
                   struct slice spec, struct error *err)
{
    if (supervisor->count == SUPERVISOR_TASKS_MAX)
        return error_set(err, ERROR_LIMIT, "there are more than %d tasks", SUPERVISOR_TASKS_MAX);
    const char **names = arena_alloc(&supervisor->arena, (binding_count + 1) * sizeof *names);
    for (size_t i = 0; i < binding_count; i++)
        names[i] = arena_strdup(&supervisor->arena, bindings[i]);
    struct slot *slot = mem_zalloc(sizeof *slot);
    *slot = (struct slot){.supervisor = supervisor,
                          .task = {.name = arena_strdup(&supervisor->arena, name),
                                   .kind = kind,
                                   .index = supervisor->count,
                                   .bindings = names,
                                   .binding_count = binding_count},
                          .schedule = schedule,
                          .spec = {mem_dup(spec.data, spec.size), spec.size}};
    supervisor->slots =
        mem_grow(supervisor->slots, &supervisor->capacity, supervisor->count + 1, sizeof(struct slot *));
    supervisor->slots[supervisor->count++] = slot;
    return 0;
}

size_t supervisor_task_count(const struct supervisor *supervisor)
{
    return supervisor->count;
}

const struct supervisor_task *supervisor_task(const struct supervisor *supervisor, size_t index)
{
    assert(index < supervisor->count);
    return &supervisor->slots[index]->task;
}

/* --- what listeners are told --------------------------------------------------------------------- */

static void tell_started(const struct slot *slot)
{
    const struct supervisor_events *events = &slot->supervisor->options.events;
    if (events->started)
        events->started(events->context, &slot->task, slot->failures);
}

static void tell_waiting(const struct slot *slot, enum supervisor_wait why, uint64_t delay_ms)
{
    const struct supervisor_events *events = &slot->supervisor->options.events;
    if (events->waiting)
        events->waiting(events->context, &slot->task, why, delay_ms);
}

static void tell_ended(const struct slot *slot, const struct error *error, uint64_t elapsed_ms)
{
    const struct supervisor_events *events = &slot->supervisor->options.events;
    if (events->ended)
        events->ended(events->context, &slot->task, slot->outcome, error, elapsed_ms);
}

static void on_event(void *context, const struct task_event *event)
{
    const struct slot *slot = context;
    const struct supervisor_events *events = &slot->supervisor->options.events;
    switch (event->type) {
    case TASK_EVENT_PROGRESS:
        if (events->progress)
            events->progress(events->context, &slot->task, &event->progress);
        break;
    case TASK_EVENT_LOG:
        if (events->log)
            events->log(events->context, &slot->task, event->log.level, event->log.origin,
                        event->log.message);
        break;
    case TASK_EVENT_STARTED: {
        char message[512];
        snprintf(message, sizeof message, "%.200s to %.200s%s", event->started.source, event->started.sink,
                 event->started.resumed ? ", from its checkpoint on" : "");
        if (events->log)
            events->log(events->context, &slot->task, LOG_DEBUG, "task", message);
        break;
    }
    case TASK_EVENT_ENDED:
        break;
    }
}

/* --- sessions ------------------------------------------------------------------------------------ */

static void fill_room(struct supervisor *supervisor);
static void on_ended(void *context, enum task_outcome outcome, const struct error *error);

static void close_plain(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Nothing is left to do: the loop ends once its handles are closed. */
static void close_if_done(struct supervisor *supervisor)
{
    if (supervisor->done < supervisor->count || supervisor->closing)
        return;
    supervisor->closing = true;
    for (int i = 0; i < SIGNALS; i++)
        close_plain((uv_handle_t *)&supervisor->signals[i]);
    close_plain((uv_handle_t *)&supervisor->deadline);
    for (size_t i = 0; i < supervisor->count; i++)
        close_plain((uv_handle_t *)&supervisor->slots[i]->timer);
}

static void set_done(struct slot *slot)
{
    slot->state = SLOT_DONE;
    slot->supervisor->done++;
    close_if_done(slot->supervisor);
}

static void on_due(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    slot->state = SLOT_READY;
    fill_room(slot->supervisor);
    if (slot->state == SLOT_READY)
        tell_waiting(slot, SUPERVISOR_WAIT_SLOT, 0);
}

static void wait_for(struct slot *slot, const struct schedule_next *next)
{
    if (next->kind == SCHEDULE_DONE || slot->supervisor->signals_seen) {
        set_done(slot);
        return;
    }
    slot->state = SLOT_WAITING;
    uv_timer_start(&slot->timer, on_due, next->delay_ms, 0);
    if (next->delay_ms || next->kind == SCHEDULE_RETRY)
        tell_waiting(slot, next->kind == SCHEDULE_RETRY ? SUPERVISOR_WAIT_BACKOFF : SUPERVISOR_WAIT_INTERVAL,
                     next->delay_ms);
}

static void session_over(struct slot *slot, enum task_outcome outcome, const struct error *error)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t elapsed = uv_now(&supervisor->loop) - slot->began_ms;
    slot->outcome = outcome;
    slot->ran = true;
    if (outcome != TASK_FAILED || elapsed > SUPERVISOR_RETRY_MAX_MS)
        slot->failures = 0; /* a session that long was no failed start */
    if (outcome == TASK_FAILED)
        slot->failures++;
    tell_ended(slot, error, elapsed);
    struct schedule_session session = {.outcome = outcome,
                                       .retriable = error && error->retriable,
                                       .failures = slot->failures,
                                       .elapsed_ms = elapsed,
                                       .wall_ms = clock_wall_ms(&clock_system)};
    struct schedule_next next = schedule_after(&slot->schedule, supervisor->options.once,
                                               supervisor->options.retry_ms, &session, &supervisor->random);
    wait_for(slot, &next);
}

static void start(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    struct error err;
    slot->state = SLOT_RUNNING;
    slot->began_ms = uv_now(&supervisor->loop);
    tell_started(slot);
    const struct child_callbacks callbacks = {.context = slot, .event = on_event, .ended = on_ended};
    slot->child = child_start(&supervisor->loop, supervisor->options.program, slot->spec, &callbacks, &err);
    if (slot->child)
        supervisor->running++;
    else
        session_over(slot, TASK_FAILED, &err);
}

static void on_ended(void *context, enum task_outcome outcome, const struct error *error)
{
    struct slot *slot = context;
    slot->child = NULL;
    slot->supervisor->running--;
    session_over(slot, outcome, error);
    fill_room(slot->supervisor);
}

static void fill_room(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count && supervisor->running < supervisor->options.children_max; i++) {
        if (supervisor->slots[i]->state == SLOT_READY && !supervisor->signals_seen)
            start(supervisor->slots[i]);
    }
}

/* --- stopping ------------------------------------------------------------------------------------ */

static void on_deadline(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->slots[i]->child)
            child_kill(supervisor->slots[i]->child);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct supervisor *supervisor = handle->data;
    (void)number;
    if (++supervisor->signals_seen > 2)
        return;
    if (supervisor->options.events.stopping)
        supervisor->options.events.stopping(supervisor->options.events.context, supervisor->signals_seen);
    uv_timer_start(&supervisor->deadline, on_deadline,
                   supervisor->signals_seen == 1 ? supervisor->options.stop_ms : SECOND_STOP_MS, 0);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        if (slot->child) {
            child_stop(slot->child);
        } else if (slot->state == SLOT_WAITING || slot->state == SLOT_READY) {
            uv_timer_stop(&slot->timer);
            set_done(slot);
        }
    }
}

/* --- the loop ------------------------------------------------------------------------------------ */

static void open_handles(struct supervisor *supervisor)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&supervisor->loop, &supervisor->signals[i]);
        supervisor->signals[i].data = supervisor;
        /* Under nohup the terminal's end is nobody's business. */
        struct sigaction inherited;
        if (numbers[i] == SIGHUP && sigaction(SIGHUP, NULL, &inherited) == 0 &&
            inherited.sa_handler == SIG_IGN)
            continue;
        uv_signal_start(&supervisor->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&supervisor->loop, &supervisor->deadline);
    supervisor->deadline.data = supervisor;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        uv_timer_init(&supervisor->loop, &slot->timer);
        slot->timer.data = slot;
    }
}

int supervisor_run(struct supervisor *supervisor, struct supervisor_summary *ret_summary, struct error *err)
{
    int failed = uv_loop_init(&supervisor->loop);
    if (failed)
        return error_errno(err, -failed, "cannot start the event loop");
    open_handles(supervisor);
    int64_t now = clock_wall_ms(&clock_system);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        struct schedule_next next = schedule_first(&slot->schedule, supervisor->options.once, now);
        wait_for(slot, &next);
    }
    close_if_done(supervisor);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    failed = uv_loop_close(&supervisor->loop);
    assert(failed == 0);

    struct supervisor_summary summary = {.interrupted = supervisor->signals_seen > 0};
    for (size_t i = 0; i < supervisor->count; i++) {
        const struct slot *slot = supervisor->slots[i];
        summary.completed += slot->ran && slot->outcome == TASK_COMPLETED;
        summary.stopped += slot->ran && slot->outcome == TASK_STOPPED;
        summary.failed += slot->ran && slot->outcome == TASK_FAILED;
    }
    *ret_summary = summary;
    return 0;
}
