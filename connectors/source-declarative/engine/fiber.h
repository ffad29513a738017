/* Fibers: code that reads as if it blocked, many of them on one thread.
 *
 * A fiber has a stack of its own (FIBER_STACK, mapped, with a guard page, touched only as far as used). It
 * runs until it waits (for a request, for time, for another fiber) and goes on where it was; between two
 * waits nothing else runs, so what fibers share needs no lock. The functions marked "in a fiber" may be
 * called only there.
 *
 * Ending early: fibers_cancel makes every wait, now and later, fail with ERROR_CANCELLED, so that each fiber
 * unwinds through its own clean-up. */
#ifndef FIRTH_DECLARATIVE_ENGINE_FIBER_H
#define FIRTH_DECLARATIVE_ENGINE_FIBER_H

#include "base/clock.h"
#include "base/error.h"
#include "http/http.h"

enum {
    FIBER_STACK = 1 << 20, /* bytes; deep templates and deep JSON recurse */
    FIBERS_MAX = 1024,     /* at once: whoever starts them sees to it */
};

struct fibers; /* the scheduler */
struct fiber;

struct fibers_settings {
    struct http_client *client; /* NULL: no requests are made (unit tests) */
    const struct clock *clock;  /* NULL: the machine's */
    /* Looked at at least once a second; true: as fibers_cancel. May be NULL. */
    bool (*is_stopping)(void *context);
    /* Let time pass while nothing can run and no transfer is on. NULL: really. Tests move their clock. */
    void (*pass)(void *context, uint64_t ms);
    void *context;
};
struct fibers *fibers_new(const struct fibers_settings *settings);
void fibers_free(struct fibers *fibers); /* all have ended: fibers_cancel and fibers_run before */
MEM_DEFINE_CLEANUP(struct fibers *, fibers_free);

typedef int fiber_body(void *context, struct error *err);
/* Runs at the next turn. `context` lives until it has ended. It is freed by fiber_join or, when detached, by
 * itself. */
struct fiber *fiber_start(struct fibers *fibers, fiber_body *body, void *context);
void fiber_detach(struct fiber *fiber);

/* Run until `is_done` (NULL: until every fiber has ended), or until nothing can happen any more: all that are
 * left wait for a signal that none of them will give. Not in a fiber. */
typedef bool fibers_question(void *context);
void fibers_run(struct fibers *fibers, fibers_question *is_done, void *context);
/* One fiber, to its end: for check, discover and tests. Others that it started go on meanwhile, and may be
 * left. */
int fibers_call(struct fibers *fibers, fiber_body *body, void *context, struct error *err);
void fibers_cancel(struct fibers *fibers);
bool fibers_cancelled(const struct fibers *fibers);
size_t fibers_count(const struct fibers *fibers);

/* --- in a fiber ---------------------------------------------------------------------------------------- */

/* Let the others run. */
int fiber_yield(struct fibers *fibers, struct error *err);
int fiber_sleep(struct fibers *fibers, uint64_t ms, struct error *err);
/* Waits for its end, also when cancelled. -1 and *err if it failed. Frees it. */
int fiber_join(struct fibers *fibers, struct fiber *fiber, struct error *err);

/* The transfer has ended, well or not (http_transfer_error); -1 only when cancelled. */
int fiber_http(struct fibers *fibers, const struct http_request *request, struct http_transfer **ret_transfer,
               struct error *err);

/* A body that is read as it comes, for what may not be kept whole. fiber_http_open returns when a 2xx
 * answer's first bytes are there, or when the transfer has ended (any other status: its body is in the
 * response). */
struct fiber_body_reader;
int fiber_http_open(struct fibers *fibers, const struct http_request *request,
                    struct fiber_body_reader **ret_reader, struct error *err);
struct http_transfer *fiber_http_transfer(const struct fiber_body_reader *reader);
/* 0 at the end. */
int64_t fiber_http_read(struct fiber_body_reader *reader, char *bytes, size_t size, struct error *err);
void fiber_http_close(struct fiber_body_reader *reader);
MEM_DEFINE_CLEANUP(struct fiber_body_reader *, fiber_http_close);

/* Something that others wait for. Zeroed is ready; it may go away when nobody waits. */
struct fiber_signal {
    struct fiber *first, *last;
};
int fiber_wait(struct fibers *fibers, struct fiber_signal *signal, struct error *err);
void fiber_wake_one(struct fiber_signal *signal); /* also outside of a fiber */
void fiber_wake_all(struct fiber_signal *signal);

/* At most `max` at a time (1: a mutex): who comes later waits, in order. */
struct fiber_gate {
    struct fiber_signal waiting;
    unsigned inside, max;
};
int fiber_gate_enter(struct fibers *fibers, struct fiber_gate *gate, struct error *err);
void fiber_gate_leave(struct fiber_gate *gate);

#endif
