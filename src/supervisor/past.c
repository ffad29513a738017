#include "supervisor/past.h"

struct supervisor_past past_of(const struct control_facts *facts, uint64_t generation,
                               const struct supervisor_schedule *schedule)
{
    struct supervisor_past past = {.known = facts->session != CONTROL_SESSION_NONE &&
                                            facts->generation == generation};
    if (!past.known)
        return past;
    switch (facts->session) {
    case CONTROL_SESSION_COMPLETED:
        if (schedule->has_cron)
            past.due_ms = cron_next(&schedule->cron, facts->ended_ms);
        else if (schedule->interval_ms)
            past.due_ms = facts->started_ms + (int64_t)schedule->interval_ms;
        past.never = past.due_ms <= 0;
        break;
    case CONTROL_SESSION_FAILED:
        /* What only a person can mend is tried once more: starting the daemon again is a person's way of
         * saying that it is mended. */
        past.failures = facts->retriable ? facts->failures : 0;
        past.due_ms = facts->retriable ? facts->due_ms : 0;
        break;
    case CONTROL_SESSION_RUNNING: /* the daemon died */
    case CONTROL_SESSION_STOPPED: /* the daemon was stopped: the session goes on */
    case CONTROL_SESSION_NONE:
    case CONTROL_SESSION_COUNT:
        break;
    }
    return past;
}
