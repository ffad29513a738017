/* When a transaction is due. */
#include "task_test.h"

#include "task/policy.h"

static const struct task_commit_policy policy = {.bytes = 1000, .time_ms = 500, .idle_ms = 50};

static void test_due(void **state)
{
    static const struct {
        const char *what;
        struct task_pending pending;
        uint64_t now;
        bool due;
        int wait;
    } cases[] = {
        {"nothing waits", {.any = false, .bytes = 5000}, 10000, false, -1},
        {"a checkpoint alone, the source busy", {true, 0, 100, 100}, 120, false, 30},
        {"a checkpoint alone, the source silent", {true, 0, 100, 100}, 150, true, 0},
        {"enough bytes", {true, 1000, 100, 100}, 100, true, 0},
        {"one byte too few", {true, 999, 100, 100}, 100, false, 50},
        {"busy all the time: by time", {true, 1, 100, 599}, 600, true, 0},
        {"busy, a moment before", {true, 1, 100, 590}, 598, false, 2},
        {"silence begins late", {true, 1, 100, 560}, 580, false, 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool due = task_commit_due(&policy, &cases[i].pending, cases[i].now);
        int wait = task_commit_wait_ms(&policy, &cases[i].pending, cases[i].now);
        if (due != cases[i].due || wait != cases[i].wait)
            fail_msg("%s: due %d, wait %d", cases[i].what, due, wait);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_due)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
