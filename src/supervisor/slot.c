/* One task's life: waiting, ready, running, over, and again. */
#include "supervisor/slot.h"

#include "supervisor/schedule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void slot_work_done(struct slot_work *work)
{
    for (size_t i = 0; i < work->binding_count; i++)
        free((char *)work->bindings[i]);
    free(work->bindings);
    if (work->spec.data)
        explicit_bzero((char *)work->spec.data, work->spec.size);
    free((char *)work->spec.data);
    *work = (struct slot_work){0};
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
    case TASK_EVENT_FAILURE: /* what it adds to the error is the jobs' */
    case TASK_EVENT_CONFIG:
    case TASK_EVENT_CATALOG:
    case TASK_EVENT_ENDED:
        break;
    }
}

/* --- waiting ------------------------------------------------------------------------------------- */

static void set_done(struct slot *slot)
{
    uv_timer_stop(&slot->timer);
    slot->state = SLOT_DONE;
    slot->supervisor->done++;
    supervisor_close_if_done(slot->supervisor);
}

static void set_ready(struct slot *slot)
{
    slot->state = SLOT_READY;
    slot->ready_number = slot->supervisor->ready_count++;
}

static void on_due(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    set_ready(slot);
    slots_fill_room(slot->supervisor);
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

void slot_open(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    uv_timer_init(&supervisor->loop, &slot->timer);
    slot->timer.data = slot;
    slot->opened = true;
    slot->failures = slot->past.known ? slot->past.failures : 0;
    int64_t now = clock_wall_ms(&clock_system);
    struct schedule_next next = slot->past.known
                                    ? schedule_resume(&slot->work.schedule, &slot->past, now)
                                    : schedule_first(&slot->work.schedule, supervisor->options.once, now);
    wait_for(slot, &next);
}

void slot_start_over(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    assert(!slot->child);
    if (slot->replaced) {
        slot_work_done(&slot->work);
        slot->work = slot->next;
        slot->next = (struct slot_work){0};
        slot->replaced = false;
        slot->task.kind = slot->work.kind;
        slot->task.bindings = slot->work.bindings;
        slot->task.binding_count = slot->work.binding_count;
    }
    slot->failures = 0;
    if (slot->state == SLOT_DONE)
        supervisor->done--;
    struct schedule_next next =
        schedule_first(&slot->work.schedule, supervisor->options.once, clock_wall_ms(&clock_system));
    wait_for(slot, &next);
}

void slot_give_up(struct slot *slot)
{
    if (slot->state == SLOT_WAITING || slot->state == SLOT_READY)
        set_done(slot);
}

/* --- sessions ------------------------------------------------------------------------------------ */

/* `deaths`: of the process it was in (child.h); 0: it ended by itself. */
static void session_over(struct slot *slot, enum task_outcome outcome, const struct error *error,
                         uint32_t deaths)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t elapsed = uv_now(&supervisor->loop) - slot->began_ms;
    uv_timer_stop(&slot->timer);
    slot->outcome = outcome;
    slot->ran = true;
    if (outcome != TASK_FAILED || elapsed > SUPERVISOR_RETRY_MAX_MS)
        slot->failures = 0; /* a session that long was no failed start */
    if (outcome == TASK_FAILED && !deaths)
        slot->failures++;
    slot->state = SLOT_WAITING;
    tell_ended(slot, error, elapsed);
    if (slot->removed) {
        supervisor_drop(slot);
        return;
    }
    if (slot->replaced && !supervisor->signals_seen) {
        slot_start_over(slot);
        return;
    }
    struct schedule_session session = {.outcome = outcome,
                                       .retriable = error && error->retriable,
                                       .failures = deaths ? deaths : slot->failures,
                                       .elapsed_ms = elapsed,
                                       .wall_ms = clock_wall_ms(&clock_system)};
    struct schedule_next next = schedule_after(&slot->work.schedule, supervisor->options.once,
                                               supervisor->options.retry_ms, &session, &supervisor->random);
    wait_for(slot, &next);
}

static void child_over(struct slot *slot, enum task_outcome outcome, const struct error *error,
                       uint32_t deaths)
{
    struct supervisor *supervisor = slot->supervisor;
    slot->child = NULL;
    supervisor->running -= slot->has_room;
    slot->has_room = false;
    session_over(slot, outcome, error, deaths);
    slots_fill_room(supervisor);
}

static void on_ended(void *context, enum task_outcome outcome, const struct error *error)
{
    child_over(context, outcome, error, 0);
}

static void on_lost(void *context, const struct error *error, uint32_t deaths)
{
    child_over(context, TASK_FAILED, error, deaths);
}

/* A materialization that follows its collections never ends, and mostly waits: it takes no other's room; nor
 * does a push capture, whose process is there for all of them. */
static bool needs_room(const struct slot *slot)
{
    if (slot->work.push)
        return false;
    return slot->work.kind != TASK_MATERIALIZATION || slot->supervisor->options.once ||
           slot->work.schedule.interval_ms > 0;
}

/* What the specification was made of may have changed since. */
static void refresh(struct slot *slot)
{
    const struct supervisor_options *options = &slot->supervisor->options;
    struct buffer spec;
    if (!options->refresh)
        return;
    buffer_init(&spec, SUPERVISOR_SPEC_MAX);
    if (options->refresh(options->refresh_context, &slot->task, &spec) && !spec.overflowed && spec.size) {
        explicit_bzero((char *)slot->work.spec.data, slot->work.spec.size);
        free((char *)slot->work.spec.data);
        slot->work.spec = (struct slice){mem_dup(spec.data, spec.size), spec.size};
    }
    if (spec.data)
        explicit_bzero(spec.data, spec.capacity);
    buffer_done(&spec);
}

static struct child *start_push(struct slot *slot, const struct child_callbacks *callbacks, struct error *err)
{
    struct supervisor *supervisor = slot->supervisor;
    if (!supervisor->listener)
        supervisor->listener =
            listener_new(&supervisor->loop, supervisor->options.program, supervisor->options.data_dir,
                         &supervisor->options.ingest, &supervisor->options.events);
    return listener_start(supervisor->listener, slot->task.name, slot->work.spec, callbacks, err);
}

static void start(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    struct error err;
    slot->state = SLOT_RUNNING;
    slot->began_ms = uv_now(&supervisor->loop);
    refresh(slot);
    tell_started(slot);
    const struct child_callbacks callbacks = {
        .context = slot, .event = on_event, .ended = on_ended, .lost = on_lost};
    slot->child = slot->work.push ? start_push(slot, &callbacks, &err)
                                  : child_start(&supervisor->loop, supervisor->options.program,
                                                slot->work.spec, &callbacks, &err);
    slot->has_room = slot->child && needs_room(slot);
    supervisor->running += slot->has_room;
    if (!slot->child)
        session_over(slot, TASK_FAILED, &err, 0);
}

/* With `once` a materialization begins when what the other tasks bring is there. */
static bool waits_for_others(const struct supervisor *supervisor, const struct slot *slot)
{
    if (!supervisor->options.once || slot->work.kind != TASK_MATERIALIZATION)
        return false;
    for (size_t i = 0; i < supervisor->count; i++) {
        const struct slot *other = supervisor->slots[i];
        if (other->work.kind != TASK_MATERIALIZATION && other->state != SLOT_DONE)
            return true;
    }
    return false;
}

/* The one that has waited longest of those that may begin now. */
static struct slot *find_next(const struct supervisor *supervisor)
{
    bool full = supervisor->running >= supervisor->options.children_max;
    struct slot *first = NULL;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        if (slot->state != SLOT_READY || (full && needs_room(slot)) || waits_for_others(supervisor, slot))
            continue;
        if (!first || slot->ready_number < first->ready_number)
            first = slot;
    }
    return first;
}

void slots_fill_room(struct supervisor *supervisor)
{
    struct slot *next;
    while (!supervisor->signals_seen && (next = find_next(supervisor)))
        start(next);
}

/* --- stopping ------------------------------------------------------------------------------------ */

static void on_too_long(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    if (slot->child)
        child_kill(slot->child);
}

void slot_stop(struct slot *slot)
{
    child_stop(slot->child);
    uv_timer_start(&slot->timer, on_too_long, slot->supervisor->options.stop_ms, 0);
}
