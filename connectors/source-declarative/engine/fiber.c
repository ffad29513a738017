#include "scheduler.h"

#include "base/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { FIBERS_TURN_MS = 1000 }; /* the longest wait without a look at is_stopping */

/* --- lists ------------------------------------------------------------------------------------------- */

static void signal_push(struct fiber_signal *signal, struct fiber *fiber)
{
    fiber->next = NULL;
    if (signal->last)
        signal->last->next = fiber;
    else
        signal->first = fiber;
    signal->last = fiber;
}

static struct fiber *signal_pop(struct fiber_signal *signal)
{
    struct fiber *fiber = signal->first;
    if (!fiber)
        return NULL;
    signal->first = fiber->next;
    if (!signal->first)
        signal->last = NULL;
    fiber->next = NULL;
    return fiber;
}

static void signal_remove(struct fiber_signal *signal, struct fiber *fiber)
{
    struct fiber *before = NULL;
    for (struct fiber *at = signal->first; at != fiber; at = at->next)
        before = at;
    if (before)
        before->next = fiber->next;
    else
        signal->first = fiber->next;
    if (signal->last == fiber)
        signal->last = before;
    fiber->next = NULL;
}

static void sleepers_push(struct fibers *fibers, struct fiber *fiber)
{
    struct fiber **at = &fibers->sleepers;
    while (*at && (*at)->wake_ns <= fiber->wake_ns)
        at = &(*at)->next;
    fiber->next = *at;
    *at = fiber;
}

static void sleepers_remove(struct fibers *fibers, struct fiber *fiber)
{
    struct fiber **at = &fibers->sleepers;
    while (*at != fiber)
        at = &(*at)->next;
    *at = fiber->next;
    fiber->next = NULL;
}

void fiber_ready(struct fiber *fiber)
{
    fiber->waits_for = NULL;
    fiber->asleep = false;
    signal_push(&fiber->fibers->ready, fiber);
}

/* --- stacks ------------------------------------------------------------------------------------------ */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *stack_new(struct fibers *fibers)
{
    char *stack = fibers->spare;
    fibers->spare = NULL;
    if (stack)
        return stack;
    size_t page = page_size();
    stack = mem_alloc_aligned(page, FIBER_STACK + page);
    /* It grows downwards: what runs over it meets the guard instead of somebody else's memory. */
    int done = mprotect(stack, page, PROT_NONE);
    assert(done == 0);
    (void)done;
    return stack;
}

static void stack_free(char *stack)
{
    if (!stack)
        return;
    mprotect(stack, page_size(), PROT_READ | PROT_WRITE);
    free(stack);
}

static void switch_to_fiber(struct fibers *fibers, struct fiber *fiber)
{
    fibers->current = fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fibers->asan_stack, fiber->stack + page_size(), FIBER_STACK);
#endif
    swapcontext(&fibers->machine, &fiber->machine);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fibers->asan_stack, NULL, NULL);
#endif
    fibers->current = NULL;
}

static void switch_to_scheduler(struct fibers *fibers, struct fiber *fiber)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fiber->ended ? NULL : &fiber->asan_stack, fibers->asan_bottom,
                                   fibers->asan_size);
#endif
    swapcontext(&fiber->machine, &fibers->machine);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber->asan_stack, &fibers->asan_bottom, &fibers->asan_size);
#endif
}

/* makecontext passes integers: the pointer comes in two halves. */
static void fiber_main(unsigned high, unsigned low)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    struct fiber *fiber = (struct fiber *)((uintptr_t)high << 32 | low);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(NULL, &fiber->fibers->asan_bottom, &fiber->fibers->asan_size);
#endif
    fiber->result = fiber->body(fiber->context, &fiber->err);
    fiber->ended = true;
    switch_to_scheduler(fiber->fibers, fiber);
    assert(!"a fiber that has ended runs");
}

/* --- the life of a fiber ------------------------------------------------------------------------------ */

struct fiber *fiber_start(struct fibers *fibers, fiber_body *body, void *context)
{
    assert(fibers->count < FIBERS_MAX);
    struct fiber *fiber = mem_zalloc(sizeof *fiber);
    fiber->fibers = fibers;
    fiber->body = body;
    fiber->context = context;
    fiber->stack = stack_new(fibers);
    getcontext(&fiber->machine);
    fiber->machine.uc_stack.ss_sp = fiber->stack + page_size();
    fiber->machine.uc_stack.ss_size = FIBER_STACK;
    fiber->machine.uc_link = NULL;
    uintptr_t self = (uintptr_t)fiber;
    makecontext(&fiber->machine, (void (*)(void))fiber_main, 2, (unsigned)(self >> 32), (unsigned)self);
    fiber->all_next = fibers->all;
    if (fibers->all)
        fibers->all->all_before = fiber;
    fibers->all = fiber;
    fibers->count++;
    fiber_ready(fiber);
    return fiber;
}

static void fiber_free(struct fiber *fiber)
{
    assert(fiber->ended && !fiber->joined.first);
    free(fiber);
}

/* It will not run again: its stack goes at once, the rest when its end has been told. */
static void fiber_retire(struct fibers *fibers, struct fiber *fiber)
{
    if (fiber->all_before)
        fiber->all_before->all_next = fiber->all_next;
    else
        fibers->all = fiber->all_next;
    if (fiber->all_next)
        fiber->all_next->all_before = fiber->all_before;
    fibers->count--;
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(fiber->stack + page_size(), FIBER_STACK);
#endif
    if (fibers->spare)
        stack_free(fiber->stack);
    else
        fibers->spare = fiber->stack;
    fiber->stack = NULL;
    fiber_wake_all(&fiber->joined);
    if (fiber->detached)
        fiber_free(fiber);
}

void fiber_detach(struct fiber *fiber)
{
    fiber->detached = true;
    if (fiber->ended)
        fiber_free(fiber);
}

/* --- waiting ------------------------------------------------------------------------------------------ */

static int cancelled(const struct fibers *fibers, struct error *err)
{
    if (!fibers->cancelled)
        return 0;
    return error_set(err, ERROR_CANCELLED, "stopped");
}

int fiber_yield(struct fibers *fibers, struct error *err)
{
    assert(fibers->current);
    if (cancelled(fibers, err) < 0)
        return -1;
    fiber_ready(fibers->current);
    switch_to_scheduler(fibers, fibers->current);
    return cancelled(fibers, err);
}

int fiber_sleep(struct fibers *fibers, uint64_t ms, struct error *err)
{
    struct fiber *fiber = fibers->current;
    assert(fiber);
    if (cancelled(fibers, err) < 0)
        return -1;
    if (fault_planted("short-waits")) /* for tests of servers that ask to wait: the waits alone are others */
        ms /= 100;
    uint64_t now = clock_monotonic_ns(fibers->settings.clock), most = (UINT64_MAX - now) / 1000000;
    fiber->wake_ns = now + (ms < most ? ms : most) * 1000000;
    fiber->asleep = true;
    sleepers_push(fibers, fiber);
    switch_to_scheduler(fibers, fiber);
    return cancelled(fibers, err);
}

int fiber_wait(struct fibers *fibers, struct fiber_signal *signal, struct error *err)
{
    struct fiber *fiber = fibers->current;
    assert(fiber);
    if (cancelled(fibers, err) < 0)
        return -1;
    fiber->waits_for = signal;
    signal_push(signal, fiber);
    switch_to_scheduler(fibers, fiber);
    return cancelled(fibers, err);
}

void fiber_wait_stubbornly(struct fibers *fibers, struct fiber_signal *signal)
{
    struct fiber *fiber = fibers->current;
    assert(fiber);
    fiber->stubborn = true;
    fiber->waits_for = signal;
    signal_push(signal, fiber);
    switch_to_scheduler(fibers, fiber);
    fiber->stubborn = false;
}

void fiber_wake_one(struct fiber_signal *signal)
{
    struct fiber *fiber = signal_pop(signal);
    if (fiber)
        fiber_ready(fiber);
}

void fiber_wake_all(struct fiber_signal *signal)
{
    while (signal->first)
        fiber_wake_one(signal);
}

int fiber_join(struct fibers *fibers, struct fiber *fiber, struct error *err)
{
    assert(fiber != fibers->current && !fiber->detached);
    while (!fiber->ended)
        fiber_wait_stubbornly(fibers, &fiber->joined);
    int result = fiber->result;
    if (result < 0)
        *err = fiber->err;
    fiber_free(fiber);
    return result;
}

int fiber_gate_enter(struct fibers *fibers, struct fiber_gate *gate, struct error *err)
{
    if (gate->inside < gate->max && !gate->waiting.first) {
        gate->inside++;
        return 0;
    }
    /* Whoever leaves hands the place over, so that nobody who comes meanwhile takes it. */
    if (fiber_wait(fibers, &gate->waiting, err) == 0)
        return 0;
    return -1;
}

void fiber_gate_leave(struct fiber_gate *gate)
{
    assert(gate->inside > 0);
    if (gate->waiting.first)
        fiber_wake_one(&gate->waiting);
    else
        gate->inside--;
}

/* --- the scheduler ------------------------------------------------------------------------------------ */

struct fibers *fibers_new(const struct fibers_settings *settings)
{
    struct fibers *fibers = mem_zalloc(sizeof *fibers);
    fibers->settings = *settings;
    if (!fibers->settings.clock)
        fibers->settings.clock = &clock_system;
    return fibers;
}

void fibers_free(struct fibers *fibers)
{
    if (!fibers)
        return;
    assert(fibers->count == 0);
    stack_free(fibers->spare);
    free(fibers);
}

void fibers_cancel(struct fibers *fibers)
{
    if (fibers->cancelled)
        return;
    fibers->cancelled = true;
    for (struct fiber *fiber = fibers->all; fiber; fiber = fiber->all_next) {
        if (fiber->asleep)
            sleepers_remove(fibers, fiber);
        else if (fiber->waits_for && !fiber->stubborn)
            signal_remove(fiber->waits_for, fiber);
        else
            continue;
        fiber_ready(fiber);
    }
}

bool fibers_cancelled(const struct fibers *fibers)
{
    return fibers->cancelled;
}

size_t fibers_count(const struct fibers *fibers)
{
    return fibers->count;
}

/* Those whose time has come are ready. Returns milliseconds until the next one's, FIBERS_TURN_MS at most. */
static int wake_sleepers(struct fibers *fibers)
{
    uint64_t now = clock_monotonic_ns(fibers->settings.clock);
    while (fibers->sleepers && fibers->sleepers->wake_ns <= now) {
        struct fiber *fiber = fibers->sleepers;
        sleepers_remove(fibers, fiber);
        fiber_ready(fiber);
    }
    if (!fibers->sleepers)
        return FIBERS_TURN_MS;
    uint64_t ms = (fibers->sleepers->wake_ns - now + 999999) / 1000000;
    return ms < FIBERS_TURN_MS ? (int)ms : FIBERS_TURN_MS;
}

static void pass_time(struct fibers *fibers, int ms)
{
    if (fibers->settings.pass) {
        fibers->settings.pass(fibers->settings.context, (uint64_t)ms);
        return;
    }
    struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL); /* a signal ends it early: a reason to look at is_stopping */
}

/* Each of those that are ready now, once. */
static bool run_ready(struct fibers *fibers, fibers_question *is_done, void *context)
{
    struct fiber_signal batch = fibers->ready;
    fibers->ready = (struct fiber_signal){NULL, NULL};
    struct fiber *fiber;
    while ((fiber = signal_pop(&batch))) {
        switch_to_fiber(fibers, fiber);
        if (fiber->ended)
            fiber_retire(fibers, fiber);
        if (!is_done || !is_done(context))
            continue;
        /* Who did not have a turn goes before those who became ready meanwhile. */
        if (batch.first) {
            batch.last->next = fibers->ready.first;
            if (!fibers->ready.last)
                fibers->ready.last = batch.last;
            fibers->ready.first = batch.first;
        }
        return true;
    }
    return false;
}

void fibers_run(struct fibers *fibers, fibers_question *is_done, void *context)
{
    assert(!fibers->current);
    if (is_done && is_done(context))
        return;
    while (fibers->count > 0) {
        if (fibers->settings.is_stopping && fibers->settings.is_stopping(fibers->settings.context))
            fibers_cancel(fibers);
        int wait_ms = wake_sleepers(fibers);
        if (fibers->ready.first) {
            if (run_ready(fibers, is_done, context))
                return;
            fibers_poll(fibers, 0);
            continue;
        }
        if (fibers_poll(fibers, wait_ms))
            continue;
        if (!fibers->sleepers)
            return;
        pass_time(fibers, wait_ms);
    }
}

static bool has_ended(void *context)
{
    const struct fiber *fiber = context;
    return fiber->ended;
}

int fibers_call(struct fibers *fibers, fiber_body *body, void *context, struct error *err)
{
    struct fiber *fiber = fiber_start(fibers, body, context);
    fibers_run(fibers, has_ended, fiber);
    assert(fiber->ended);
    int result = fiber->result;
    if (result < 0)
        *err = fiber->err;
    fiber_free(fiber);
    return result;
}
