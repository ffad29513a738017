/* A task's place in the supervisor: what it is, and where in its sessions it stands. Private to this folder.
 */
#ifndef FIRTH_SUPERVISOR_SLOT_H
#define FIRTH_SUPERVISOR_SLOT_H

#include "supervisor/child.h"
#include "supervisor/listener.h"
#include "supervisor/supervisor.h"

enum slot_state {
    SLOT_WAITING, /* for its timer */
    SLOT_READY,   /* for room among the children */
    SLOT_RUNNING,
    SLOT_DONE,
};

/* What may be exchanged between two sessions. Owned. */
struct slot_work {
    enum task_kind kind;
    bool push;
    const char **bindings;
    size_t binding_count;
    struct supervisor_schedule schedule;
    struct slice spec;
};

struct slot {
    struct supervisor *supervisor;
    struct supervisor_task task;
    struct slot_work work, next; /* `next` counts if `replaced` */
    struct supervisor_past past;
    enum slot_state state;
    bool opened;            /* its timer is on the loop */
    bool replaced, removed; /* takes effect when its child is gone */
    struct child *child;
    bool has_room;    /* its child is one of the supervisor's `running` */
    uv_timer_t timer; /* until it is due; while it runs: until a child that should stop is killed */
    uint64_t ready_number;
    uint32_t failures; /* in a row */
    uint64_t began_ms;
    bool ran;
    enum task_outcome outcome; /* of its last session */
};

enum { SUPERVISOR_SIGNALS = 3 };

struct supervisor {
    struct supervisor_options options;
    struct slot **slots;
    size_t count, capacity, running, done;
    struct arena arena;
    struct random_state random;
    uv_loop_t loop;
    uv_signal_t signals[SUPERVISOR_SIGNALS];
    uv_timer_t deadline;
    uint64_t ready_count;
    int signals_seen;
    struct listener *listener; /* NULL: no push capture has run yet */
    bool looping, closing;
};

void slot_work_done(struct slot_work *work);
/* On the loop, waiting for its first session. */
void slot_open(struct slot *slot);
/* To be called for one that runs nothing: as its definition says from now on. */
void slot_start_over(struct slot *slot);
/* Ask its child to stop; it is killed after the supervisor's stop_ms. */
void slot_stop(struct slot *slot);
/* Whatever it waits for, it does not any more. */
void slot_give_up(struct slot *slot);
/* Start what is ready, the one that has waited longest first, while there is room. */
void slots_fill_room(struct supervisor *supervisor);

/* supervisor.c: end the loop if nothing is left to do; forget a slot without a child. */
void supervisor_close_if_done(struct supervisor *supervisor);
void supervisor_drop(struct slot *slot);

#endif
