/* Where a supervisor takes up a task that an earlier one left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/past.h"
#include "supervisor/schedule.h"

enum { MINUTE = 60 * 1000 };

static const int64_t now = 1795262400000; /* a full hour */

enum { NEVER = -1 };

static void test_resume(void **state)
{
    static const struct {
        const char *what;
        struct control_facts facts;
        uint64_t interval_ms;
        const char *cron;
        int64_t delay_ms; /* NEVER: no session */
        enum schedule_kind kind;
    } cases[] = {
        {"never ran", {0}, 5 * MINUTE, NULL, 0, SCHEDULE_WAIT},
        {"ran, and is not due yet",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .started_ms = -MINUTE, .ended_ms = -MINUTE},
         5 * MINUTE,
         NULL,
         4 * MINUTE,
         SCHEDULE_WAIT},
        {"is overdue: once, at once",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .started_ms = -60 * MINUTE},
         5 * MINUTE,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"changed since",
         {.generation = 2, .session = CONTROL_SESSION_COMPLETED, .started_ms = -MINUTE},
         5 * MINUTE,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"the clock went back: no longer than from now",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .started_ms = 600 * MINUTE},
         5 * MINUTE,
         NULL,
         5 * MINUTE,
         SCHEDULE_WAIT},
        {"was killed in its session",
         {.generation = 1, .session = CONTROL_SESSION_RUNNING, .started_ms = -1},
         5 * MINUTE,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"was stopped",
         {.generation = 1, .session = CONTROL_SESSION_STOPPED},
         5 * MINUTE,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"waits to be tried again",
         {.generation = 1,
          .session = CONTROL_SESSION_FAILED,
          .retriable = true,
          .failures = 3,
          .due_ms = 2000},
         MINUTE,
         NULL,
         2000,
         SCHEDULE_RETRY},
        {"the clock went back before a retry",
         {.generation = 1,
          .session = CONTROL_SESSION_FAILED,
          .retriable = true,
          .failures = 1,
          .due_ms = 24 * 60 * MINUTE},
         MINUTE,
         NULL,
         6 * MINUTE + MINUTE / 4,
         SCHEDULE_RETRY},
        {"failed for good: once more",
         {.generation = 1, .session = CONTROL_SESSION_FAILED, .failures = 1},
         MINUTE,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"by hand, done",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .started_ms = -MINUTE},
         0,
         NULL,
         NEVER,
         SCHEDULE_DONE},
        {"by hand, cut short",
         {.generation = 1, .session = CONTROL_SESSION_RUNNING},
         0,
         NULL,
         0,
         SCHEDULE_WAIT},
        {"cron, not due",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .ended_ms = -MINUTE},
         0,
         "30 * * * *",
         30 * MINUTE,
         SCHEDULE_WAIT},
        {"cron, missed many times",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .ended_ms = -48 * 60 * MINUTE},
         0,
         "30 * * * *",
         0,
         SCHEDULE_WAIT},
        {"cron, never ran", {0}, 0, "30 * * * *", 30 * MINUTE, SCHEDULE_WAIT},
        {"cron that never comes again",
         {.generation = 1, .session = CONTROL_SESSION_COMPLETED, .ended_ms = -1},
         0,
         "0 0 31 2 *",
         NEVER,
         SCHEDULE_DONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct supervisor_schedule schedule = {.interval_ms = cases[i].interval_ms,
                                               .has_cron = cases[i].cron};
        struct control_facts facts = cases[i].facts;
        struct error err;
        if (cases[i].cron)
            assert_int_equal(cron_parse(cases[i].cron, &schedule.cron, &err), 0);
        facts.started_ms += now;
        facts.ended_ms += now;
        facts.due_ms += now;
        struct supervisor_past past = past_of(&facts, 1, &schedule);
        struct schedule_next next =
            past.known ? schedule_resume(&schedule, &past, now) : schedule_first(&schedule, false, now);
        if (next.kind != cases[i].kind ||
            (cases[i].delay_ms != NEVER && (int64_t)next.delay_ms != cases[i].delay_ms))
            fail_msg("%s: kind %d, %llu ms", cases[i].what, next.kind, (unsigned long long)next.delay_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resume)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
