/* What comes after a session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/schedule.h"

#include <stdio.h>

enum { MINUTE = 60 * 1000 };

static void test_after(void **state)
{
    static const struct {
        const char *what;
        uint64_t interval_ms;
        struct schedule_session session;
        enum schedule_kind kind;
        bool once;
        uint64_t least, most;
    } cases[] = {
        {"once is once", MINUTE, {TASK_COMPLETED}, SCHEDULE_DONE, true, 0, 0},
        {"once, failed", MINUTE, {TASK_FAILED, true, 1}, SCHEDULE_DONE, true, 0, 0},
        {"by hand", 0, {TASK_COMPLETED}, SCHEDULE_DONE, false, 0, 0},
        {"from the session's start",
         MINUTE,
         {TASK_COMPLETED, .elapsed_ms = 20000},
         SCHEDULE_WAIT,
         false,
         40000,
         40000},
        {"at once if it took longer",
         MINUTE,
         {TASK_COMPLETED, .elapsed_ms = MINUTE + 1},
         SCHEDULE_WAIT,
         false,
         0,
         0},
        {"stopped from outside",
         MINUTE,
         {TASK_STOPPED, .elapsed_ms = 1},
         SCHEDULE_WAIT,
         false,
         MINUTE - 1,
         MINUTE - 1},
        {"only a person can help", MINUTE, {TASK_FAILED, false, 1}, SCHEDULE_DONE, false, 0, 0},
        {"first retry", MINUTE, {TASK_FAILED, true, 1}, SCHEDULE_RETRY, false, 750, 1250},
        {"second retry", MINUTE, {TASK_FAILED, true, 2}, SCHEDULE_RETRY, false, 1500, 2500},
        {"fifth retry", 0, {TASK_FAILED, true, 5}, SCHEDULE_RETRY, false, 12000, 20000},
        {"a bounded delay", 0, {TASK_FAILED, true, 30}, SCHEDULE_RETRY, false, 225000, 375000},
        {"after very many", 0, {TASK_FAILED, true, UINT32_MAX}, SCHEDULE_RETRY, false, 225000, 375000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct supervisor_schedule schedule = {.interval_ms = cases[i].interval_ms};
        for (uint64_t seed = 1; seed <= 50; seed++) {
            struct random_state random;
            random_seed(&random, seed);
            struct schedule_next next =
                schedule_after(&schedule, cases[i].once, 1000, &cases[i].session, &random);
            if (next.kind != cases[i].kind || next.delay_ms < cases[i].least || next.delay_ms > cases[i].most)
                fail_msg("%s: kind %d, %llu ms", cases[i].what, next.kind, (unsigned long long)next.delay_ms);
        }
    }
}

/* What failed together does not return together. */
static void test_jitter(void **state)
{
    struct random_state random;
    struct supervisor_schedule schedule = {0};
    struct schedule_session session = {.outcome = TASK_FAILED, .retriable = true, .failures = 4};
    uint64_t least = UINT64_MAX, most = 0;
    random_seed(&random, 42);
    for (int i = 0; i < 1000; i++) {
        uint64_t delay = schedule_after(&schedule, false, 1000, &session, &random).delay_ms;
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_true(least < 6200 && most > 9800);
}

static void test_first(void **state)
{
    struct supervisor_schedule interval = {.interval_ms = MINUTE};
    assert_int_equal(schedule_first(&interval, false, 0).kind, SCHEDULE_WAIT);
    assert_int_equal(schedule_first(&interval, false, 0).delay_ms, 0);
}

static void test_cron(void **state)
{
    struct supervisor_schedule schedule = {.has_cron = true};
    struct error err;
    struct random_state random;
    random_seed(&random, 1);
    assert_int_equal(cron_parse("30 * * * *", &schedule.cron, &err), 0);
    int64_t now = 1795262400000; /* a full hour */
    assert_int_equal(schedule_first(&schedule, false, now).delay_ms, 30 * MINUTE);
    assert_int_equal(schedule_first(&schedule, true, now).delay_ms, 0);
    struct schedule_session session = {.outcome = TASK_COMPLETED, .wall_ms = now + 30 * MINUTE};
    struct schedule_next next = schedule_after(&schedule, false, 1000, &session, &random);
    assert_int_equal(next.kind, SCHEDULE_WAIT);
    assert_int_equal(next.delay_ms, 60 * MINUTE);
    assert_int_equal(cron_parse("0 0 31 2 *", &schedule.cron, &err), 0); /* never */
    assert_int_equal(schedule_first(&schedule, false, now).kind, SCHEDULE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_after),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_cron),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
