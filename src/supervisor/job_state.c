#include "supervisor/job_state.h"

enum { BACKOFF_BASE = 3 };

void job_history_add(struct job_history *history, bool partial)
{
    history->failures_in_row = partial ? 0 : history->failures_in_row + 1;
    history->failures += !partial;
    history->partial += partial;
}

static uint64_t backoff_ms(uint32_t failures_in_row, const struct job_policy *policy)
{
    uint64_t delay = policy->backoff_ms;
    for (uint32_t i = 1; i < failures_in_row && delay < policy->backoff_max_ms; i++)
        delay *= BACKOFF_BASE;
    return delay < policy->backoff_max_ms ? delay : policy->backoff_max_ms;
}

static bool may_go_on(const struct job_history *history, const struct job_policy *policy)
{
    return history->failures_in_row < policy->failures_in_row_max &&
           history->failures < policy->failures_max && history->partial < policy->partial_max;
}

static struct job_next after_failure(bool retriable, const struct job_history *history,
                                     const struct job_policy *policy)
{
    bool again = retriable && may_go_on(history, policy);
    return (struct job_next){.status = again ? CONTROL_JOB_INCOMPLETE : CONTROL_JOB_FAILED,
                             .attempt_ends = true,
                             .outcome = CONTROL_ATTEMPT_FAILED,
                             .delay_ms = again ? backoff_ms(history->failures_in_row, policy) : 0};
}

bool job_state_next(enum control_job_status status, enum job_event event, bool retriable,
                    const struct job_history *history, const struct job_policy *policy,
                    struct job_next *ret_next)
{
    bool running = status == CONTROL_JOB_RUNNING;
    if (control_job_over(status))
        return false;
    switch (event) {
    case JOB_ATTEMPT_BEGINS:
        *ret_next = (struct job_next){.status = CONTROL_JOB_RUNNING, .attempt_begins = true};
        return !running;
    case JOB_ATTEMPT_SUCCEEDS:
        *ret_next = (struct job_next){
            .status = CONTROL_JOB_SUCCEEDED, .attempt_ends = true, .outcome = CONTROL_ATTEMPT_SUCCEEDED};
        return running;
    case JOB_ATTEMPT_FAILS:
        *ret_next = after_failure(retriable, history, policy);
        return running;
    case JOB_INTERRUPTED:
        *ret_next = after_failure(true, history, policy);
        ret_next->delay_ms = 0;
        return running;
    case JOB_CANCELLED:
        /* The first attempt is there from the beginning: with the job it ends. */
        *ret_next = (struct job_next){.status = CONTROL_JOB_CANCELLED,
                                      .attempt_ends = status != CONTROL_JOB_INCOMPLETE,
                                      .outcome = CONTROL_ATTEMPT_FAILED};
        return true;
    case JOB_EVENT_COUNT:
        break;
    }
    return false;
}
