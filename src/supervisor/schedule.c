#include "supervisor/schedule.h"

static struct schedule_next at_cron(const struct cron *cron, int64_t wall_ms)
{
    int64_t next = cron_next(cron, wall_ms);
    if (next < 0)
        return (struct schedule_next){.kind = SCHEDULE_DONE};
    return (struct schedule_next){.kind = SCHEDULE_WAIT, .delay_ms = (uint64_t)(next - wall_ms)};
}

struct schedule_next schedule_first(const struct supervisor_schedule *schedule, bool once, int64_t wall_ms)
{
    if (schedule->has_cron && !once)
        return at_cron(&schedule->cron, wall_ms);
    return (struct schedule_next){.kind = SCHEDULE_WAIT};
}

/* However many times have passed meanwhile, they are one session. A clock that went back must not make a task
 * wait for longer than it would from now on. */
struct schedule_next schedule_resume(const struct supervisor_schedule *schedule,
                                     const struct supervisor_past *past, int64_t wall_ms)
{
    struct schedule_next next = {.kind = past->failures ? SCHEDULE_RETRY : SCHEDULE_WAIT};
    if (past->never)
        return (struct schedule_next){.kind = SCHEDULE_DONE};
    if (past->due_ms <= wall_ms)
        return next;
    uint64_t longest = SUPERVISOR_RETRY_MAX_MS + SUPERVISOR_RETRY_MAX_MS / 4;
    if (!past->failures && schedule->has_cron) {
        struct schedule_next regular = at_cron(&schedule->cron, wall_ms);
        longest = regular.kind == SCHEDULE_WAIT ? regular.delay_ms : 0;
    } else if (!past->failures) {
        longest = schedule->interval_ms;
    }
    next.delay_ms = (uint64_t)(past->due_ms - wall_ms);
    if (next.delay_ms > longest)
        next.delay_ms = longest;
    return next;
}

/* retry_ms, doubled with each failure, up to the maximum; then anything from 3/4 to 5/4 of it. */
static uint64_t backoff(uint64_t retry_ms, uint32_t failures, struct random_state *random)
{
    uint64_t delay = retry_ms < SUPERVISOR_RETRY_MAX_MS ? retry_ms : SUPERVISOR_RETRY_MAX_MS;
    for (uint32_t i = 1; i < failures && delay < SUPERVISOR_RETRY_MAX_MS; i++)
        delay *= 2;
    if (delay > SUPERVISOR_RETRY_MAX_MS)
        delay = SUPERVISOR_RETRY_MAX_MS;
    return delay - delay / 4 + random_below(random, delay / 2 + 1);
}

struct schedule_next schedule_after(const struct supervisor_schedule *schedule, bool once, uint64_t retry_ms,
                                    const struct schedule_session *session, struct random_state *random)
{
    if (once)
        return (struct schedule_next){.kind = SCHEDULE_DONE};
    if (session->outcome == TASK_FAILED) {
        if (!session->retriable)
            return (struct schedule_next){.kind = SCHEDULE_DONE};
        return (struct schedule_next){.kind = SCHEDULE_RETRY,
                                      .delay_ms = backoff(retry_ms, session->failures, random)};
    }
    if (schedule->has_cron)
        return at_cron(&schedule->cron, session->wall_ms);
    if (schedule->interval_ms == 0)
        return (struct schedule_next){.kind = SCHEDULE_DONE};
    uint64_t elapsed = session->elapsed_ms;
    return (struct schedule_next){.kind = SCHEDULE_WAIT,
                                  .delay_ms =
                                      elapsed < schedule->interval_ms ? schedule->interval_ms - elapsed : 0};
}
