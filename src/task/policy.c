#include "task/policy.h"

static uint64_t due_at(const struct task_commit_policy *policy, const struct task_pending *pending)
{
    uint64_t by_time = pending->since_ms + policy->time_ms, by_idle = pending->active_ms + policy->idle_ms;
    return by_time < by_idle ? by_time : by_idle;
}

bool task_commit_due(const struct task_commit_policy *policy, const struct task_pending *pending,
                     uint64_t now_ms)
{
    return pending->any && (pending->bytes >= policy->bytes || now_ms >= due_at(policy, pending));
}

int task_commit_wait_ms(const struct task_commit_policy *policy, const struct task_pending *pending,
                        uint64_t now_ms)
{
    if (!pending->any)
        return -1;
    if (task_commit_due(policy, pending, now_ms))
        return 0;
    uint64_t wait = due_at(policy, pending) - now_ms;
    return wait > INT32_MAX ? INT32_MAX : (int)wait;
}
