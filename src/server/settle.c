#include "server/settle.h"

#include "control/jobs.h"
#include "server/internal.h"

#include <stdlib.h>

struct waiter {
    struct loop_item item;
    struct waiter *next;
    struct settles *settles;
    struct call *call;
    int64_t job;
    enum settle_for what;
    uint64_t until_ms; /* the loop's time */
};

/* One timer, which runs while anybody waits. */
struct settles {
    uv_timer_t timer;
    uv_loop_t *loop;
    struct loop_inbox *inbox;
    struct control *control;
    struct waiter *waiters;
    bool closing, closed, released;
};

/* In the loop's thread, which alone begins jobs: what was to begin has. */
static bool has_room(const struct waiter *waiter)
{
    struct jobs_figures figures;
    if (!waiter->call->server->jobs)
        return false;
    jobs_figures(waiter->call->server->jobs, &figures);
    return figures.running < figures.running_max;
}

static bool is_settled(const struct settles *settles, const struct waiter *waiter)
{
    struct control_job job;
    struct arena arena;
    struct error err;
    bool settled = true;
    arena_init(&arena);
    if (control_job_get(settles->control, waiter->job, &arena, &job, &err) == 0)
        settled = waiter->what == SETTLE_BEGUN ? job.status != CONTROL_JOB_PENDING || !has_room(waiter)
                                               : control_job_over(job.status);
    arena_done(&arena);
    return settled;
}

static void on_timer(uv_timer_t *timer)
{
    struct settles *settles = timer->data;
    uint64_t now = uv_now(settles->loop);
    for (struct waiter **at = &settles->waiters; *at;) {
        struct waiter *waiter = *at;
        if (!settles->closing && now < waiter->until_ms && !is_settled(settles, waiter)) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        http_request_resume(waiter->call->http);
    }
    if (!settles->waiters)
        uv_timer_stop(timer);
}

static void on_item(struct loop_item *item, bool closing)
{
    struct waiter *waiter = (struct waiter *)item; /* its first member */
    struct settles *settles = waiter->settles;
    if (closing || is_settled(settles, waiter)) {
        http_request_resume(waiter->call->http);
        return;
    }
    waiter->until_ms =
        uv_now(settles->loop) + (waiter->what == SETTLE_BEGUN ? SETTLE_BEGUN_MS : SETTLE_OVER_MS);
    waiter->next = settles->waiters;
    settles->waiters = waiter;
    if (!uv_is_active((uv_handle_t *)&settles->timer)) /* whoever comes does not put off those who wait */
        uv_timer_start(&settles->timer, on_timer, SETTLE_STEP_MS, SETTLE_STEP_MS);
}

struct settles *settles_new(uv_loop_t *loop, struct loop_inbox *inbox, struct control *control)
{
    struct settles *settles = mem_zalloc(sizeof *settles);
    settles->loop = loop;
    settles->inbox = inbox;
    settles->control = control;
    uv_timer_init(loop, &settles->timer);
    settles->timer.data = settles;
    return settles;
}

static void free_if_over(struct settles *settles)
{
    if (settles->closed && settles->released)
        free(settles);
}

static void on_closed(uv_handle_t *handle)
{
    struct settles *settles = handle->data;
    settles->closed = true;
    free_if_over(settles);
}

void settles_close(struct settles *settles)
{
    settles->closing = true;
    on_timer(&settles->timer);
    uv_close((uv_handle_t *)&settles->timer, on_closed);
}

void settles_release(struct settles *settles)
{
    settles->released = true;
    free_if_over(settles);
}

enum http_next settle(struct call *call, int64_t job, enum settle_for what,
                      enum http_next (*then)(struct call *call))
{
    struct waiter *waiter = arena_zalloc(call->arena, sizeof *waiter);
    *waiter = (struct waiter){
        .item.act = on_item, .settles = call->server->settles, .call = call, .job = job, .what = what};
    enum http_next next = call_hold(call, then);
    loop_inbox_put(call->server->settles->inbox, &waiter->item);
    return next;
}
