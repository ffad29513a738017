/* Private to this folder: the scheduler's inside, which fiber.c (stacks, queues) and fiber_http.c (transfers)
 * share. */
#ifndef FIRTH_DECLARATIVE_ENGINE_SCHEDULER_H
#define FIRTH_DECLARATIVE_ENGINE_SCHEDULER_H

#include "fiber.h"

#include <ucontext.h>

struct fiber {
    struct fibers *fibers;
    struct fiber *next; /* in the one list that it is in: ready, asleep, a signal's */
    struct fiber *all_next, *all_before;
    struct fiber_signal *waits_for; /* NULL: runs, is ready or sleeps */
    bool asleep;
    bool stubborn; /* the wait is one that cancelling does not end */
    bool ended, detached;
    uint64_t wake_ns;
    fiber_body *body;
    void *context;
    int result;
    struct error err;
    struct fiber_signal joined;
    char *stack;
    ucontext_t machine;
    void *asan_stack;
};

struct fibers {
    struct fibers_settings settings;
    struct fiber *all;
    struct fiber *current;
    struct fiber_signal ready;
    struct fiber *sleepers; /* ascending by wake_ns */
    size_t count;
    bool cancelled;
    char *spare; /* a stack for the next one */
    ucontext_t machine;
    const void *asan_bottom;
    size_t asan_size;
    void *asan_stack;
};

/* Into the queue of those that can run. */
void fiber_ready(struct fiber *fiber);
/* As fiber_wait, but cancelling does not end it. */
void fiber_wait_stubbornly(struct fibers *fibers, struct fiber_signal *signal);
/* Hand the transfers that have ended to who waits for them; wait for one up to timeout_ms. False: there are
 * none. */
bool fibers_poll(struct fibers *fibers, int timeout_ms);

#endif
