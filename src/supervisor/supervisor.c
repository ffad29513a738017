#include "supervisor/supervisor.h"

#include "supervisor/slot.h"

#include <assert.h>
#include <signal.h>

enum { SECOND_STOP_MS = 2000 /* from the second signal to SIGKILL */ };

struct supervisor *supervisor_new(const struct supervisor_options *options)
{
    struct supervisor *supervisor = mem_zalloc(sizeof *supervisor);
    arena_init(&supervisor->arena);
    supervisor->options = *options;
    supervisor->options.program = arena_strdup(&supervisor->arena, options->program);
    if (options->data_dir)
        supervisor->options.data_dir = arena_strdup(&supervisor->arena, options->data_dir);
    listener_copy_options(&supervisor->options.ingest, &supervisor->arena);
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

static void free_slot(struct slot *slot)
{
    slot_work_done(&slot->work);
    slot_work_done(&slot->next);
    free((char *)slot->task.name);
    free(slot);
}

void supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    for (size_t i = 0; i < supervisor->count; i++)
        free_slot(supervisor->slots[i]);
    free(supervisor->slots);
    arena_done(&supervisor->arena);
    free(supervisor);
}

/* --- tasks --------------------------------------------------------------------------------------- */

static struct slot_work work_of(const struct supervisor_definition *definition)
{
    struct slot_work work = {
        .kind = definition->kind,
        .push = definition->push,
        .bindings = mem_zalloc((definition->binding_count + 1) * sizeof(char *)),
        .binding_count = definition->binding_count,
        .schedule = definition->schedule,
        .spec = {mem_dup(definition->spec.data, definition->spec.size), definition->spec.size}};
    for (size_t i = 0; i < work.binding_count; i++)
        work.bindings[i] = mem_strdup(definition->bindings[i]);
    return work;
}

int supervisor_add(struct supervisor *supervisor, const struct supervisor_definition *definition,
                   struct error *err)
{
    if (supervisor->count == SUPERVISOR_TASKS_MAX)
        return error_set(err, ERROR_LIMIT, "there are more than %d tasks", SUPERVISOR_TASKS_MAX);
    struct slot *slot = mem_zalloc(sizeof *slot);
    *slot = (struct slot){.supervisor = supervisor, .work = work_of(definition), .past = definition->past};
    slot->task = (struct supervisor_task){.name = mem_strdup(definition->name),
                                          .kind = definition->kind,
                                          .index = supervisor->count,
                                          .owner = definition->owner,
                                          .bindings = slot->work.bindings,
                                          .binding_count = slot->work.binding_count};
    supervisor->slots =
        mem_grow(supervisor->slots, &supervisor->capacity, supervisor->count + 1, sizeof(struct slot *));
    supervisor->slots[supervisor->count++] = slot;
    if (supervisor->looping)
        slot_open(slot);
    return 0;
}

static struct slot *slot_of(struct supervisor *supervisor, const struct supervisor_task *task)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (&supervisor->slots[i]->task == task)
            return supervisor->slots[i];
    }
    assert(!"the task is one of this supervisor's");
    return NULL;
}

void supervisor_replace(struct supervisor *supervisor, const struct supervisor_task *task,
                        const struct supervisor_definition *definition)
{
    struct slot *slot = slot_of(supervisor, task);
    if (slot->replaced)
        slot_work_done(&slot->next);
    slot->next = work_of(definition);
    bool asked = slot->replaced || slot->removed;
    slot->replaced = true;
    if (!slot->child)
        slot_start_over(slot);
    else if (!asked && !supervisor->signals_seen)
        slot_stop(slot);
}

void supervisor_remove(struct supervisor *supervisor, const struct supervisor_task *task)
{
    struct slot *slot = slot_of(supervisor, task);
    bool asked = slot->replaced || slot->removed;
    if (supervisor->closing)
        return; /* it ends with the supervisor */
    slot->removed = true;
    if (slot->work.push && supervisor->listener)
        listener_forget(supervisor->listener, slot->task.name);
    if (!slot->child)
        supervisor_drop(slot);
    else if (!asked && !supervisor->signals_seen)
        slot_stop(slot);
}

void supervisor_start_now(struct supervisor *supervisor, const struct supervisor_task *task)
{
    struct slot *slot = slot_of(supervisor, task);
    if (slot->child || slot->state == SLOT_READY || supervisor->signals_seen)
        return;
    struct supervisor_schedule own = slot->work.schedule;
    slot->work.schedule = (struct supervisor_schedule){0}; /* by which the first session is at once */
    slot_start_over(slot);
    slot->work.schedule = own;
}

static void on_dropped(uv_handle_t *handle)
{
    free_slot(handle->data);
}

void supervisor_drop(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    size_t at = 0;
    while (supervisor->slots[at] != slot)
        at++;
    memmove(supervisor->slots + at, supervisor->slots + at + 1,
            (supervisor->count - at - 1) * sizeof *supervisor->slots);
    supervisor->count--;
    if (slot->state == SLOT_DONE)
        supervisor->done--;
    if (supervisor->options.events.removed)
        supervisor->options.events.removed(supervisor->options.events.context, &slot->task);
    if (!slot->opened)
        free_slot(slot);
    else if (!uv_is_closing((uv_handle_t *)&slot->timer))
        uv_close((uv_handle_t *)&slot->timer, on_dropped);
    supervisor_close_if_done(supervisor);
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

/* --- stopping ------------------------------------------------------------------------------------ */

static void close_plain(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void supervisor_close_if_done(struct supervisor *supervisor)
{
    if (supervisor->done < supervisor->count || supervisor->closing || !supervisor->looping ||
        (supervisor->options.stay && !supervisor->signals_seen))
        return;
    supervisor->closing = true;
    for (int i = 0; i < SUPERVISOR_SIGNALS; i++)
        close_plain((uv_handle_t *)&supervisor->signals[i]);
    close_plain((uv_handle_t *)&supervisor->deadline);
    for (size_t i = 0; i < supervisor->count; i++)
        close_plain((uv_handle_t *)&supervisor->slots[i]->timer);
    listener_close(supervisor->listener);
    supervisor->listener = NULL;
    if (supervisor->options.events.closing)
        supervisor->options.events.closing(supervisor->options.events.context);
}

static void on_deadline(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->slots[i]->child)
            child_kill(supervisor->slots[i]->child);
    }
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (++supervisor->signals_seen > 2 || supervisor->closing)
        return;
    if (supervisor->options.events.stopping)
        supervisor->options.events.stopping(supervisor->options.events.context, supervisor->signals_seen);
    uv_timer_start(&supervisor->deadline, on_deadline,
                   supervisor->signals_seen == 1 ? supervisor->options.stop_ms : SECOND_STOP_MS, 0);
    listener_leave(supervisor->listener);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = supervisor->slots[i];
        /* One that was asked to stop already hears no second request from the first signal. */
        if (slot->child && (supervisor->signals_seen == 2 || !(slot->replaced || slot->removed)))
            child_stop(slot->child);
        else if (!slot->child)
            slot_give_up(slot);
    }
    supervisor_close_if_done(supervisor);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct supervisor *supervisor = handle->data;
    const struct supervisor_events *events = &supervisor->options.events;
    if (number != SIGHUP || !supervisor->options.stay)
        supervisor_stop(supervisor);
    else if (events->hangup && !supervisor->signals_seen)
        events->hangup(events->context);
}

/* --- the loop ------------------------------------------------------------------------------------ */

static void open_handles(struct supervisor *supervisor)
{
    static const int numbers[SUPERVISOR_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < SUPERVISOR_SIGNALS; i++) {
        uv_signal_init(&supervisor->loop, &supervisor->signals[i]);
        supervisor->signals[i].data = supervisor;
        /* Under nohup the terminal's end is nobody's business. */
        struct sigaction inherited;
        if (numbers[i] == SIGHUP && !supervisor->options.stay && sigaction(SIGHUP, NULL, &inherited) == 0 &&
            inherited.sa_handler == SIG_IGN)
            continue;
        uv_signal_start(&supervisor->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&supervisor->loop, &supervisor->deadline);
    supervisor->deadline.data = supervisor;
}

int supervisor_run(struct supervisor *supervisor, struct supervisor_summary *ret_summary, struct error *err)
{
    int failed = uv_loop_init(&supervisor->loop);
    if (failed)
        return error_errno(err, -failed, "cannot start the event loop");
    open_handles(supervisor);
    supervisor->looping = true;
    for (size_t i = 0; i < supervisor->count; i++)
        slot_open(supervisor->slots[i]);
    if (supervisor->options.events.ready)
        supervisor->options.events.ready(supervisor->options.events.context, &supervisor->loop);
    supervisor_close_if_done(supervisor);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    failed = uv_loop_close(&supervisor->loop);
    assert(failed == 0);
    supervisor->looping = false;

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
