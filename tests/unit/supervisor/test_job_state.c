/* The state machine of a job: every status with every event, and how often it is tried. */
#include "supervisor/job_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct job_policy policy = {
    .failures_in_row_max = 3, .failures_max = 5, .partial_max = 4, .backoff_ms = 100, .backoff_max_ms = 1000};

static void test_table(void **state)
{
    enum {
        NO = -1,
        PEND = CONTROL_JOB_PENDING,
        RUN = CONTROL_JOB_RUNNING,
        INC = CONTROL_JOB_INCOMPLETE,
        FAIL = CONTROL_JOB_FAILED,
        GOOD = CONTROL_JOB_SUCCEEDED,
        GONE = CONTROL_JOB_CANCELLED
    };
    static const int table[CONTROL_JOB_STATUS_COUNT][JOB_EVENT_COUNT] = {
        /*        begins succeeds fails interrupted cancelled */
        [PEND] = {RUN, NO, NO, NO, GONE}, [RUN] = {NO, GOOD, INC, INC, GONE}, [INC] = {RUN, NO, NO, NO, GONE},
        [FAIL] = {NO, NO, NO, NO, NO},    [GOOD] = {NO, NO, NO, NO, NO},      [GONE] = {NO, NO, NO, NO, NO},
    };
    const struct job_history history = {.failures_in_row = 1, .failures = 1};
    (void)state;
    for (int status = 0; status < CONTROL_JOB_STATUS_COUNT; status++) {
        for (int event = 0; event < JOB_EVENT_COUNT; event++) {
            struct job_next next = {0};
            bool possible = job_state_next((enum control_job_status)status, (enum job_event)event, true,
                                           &history, &policy, &next);
            int expected = table[status][event];
            if (possible != (expected != NO) || (possible && (int)next.status != expected))
                fail_msg("%s, event %d: %s", control_job_status_name((enum control_job_status)status), event,
                         possible ? control_job_status_name(next.status) : "impossible");
            if (!possible)
                continue;
            assert_int_equal(next.attempt_begins, event == JOB_ATTEMPT_BEGINS);
            /* An attempt that runs, or the first one that waits, ends with whatever ends the job. */
            assert_int_equal(next.attempt_ends,
                             event != JOB_ATTEMPT_BEGINS && status != CONTROL_JOB_INCOMPLETE);
            if (next.attempt_ends)
                assert_int_equal(next.outcome == CONTROL_ATTEMPT_SUCCEEDED, event == JOB_ATTEMPT_SUCCEEDS);
        }
    }
}

static void test_what_a_person_has_to_mend_is_not_tried_again(void **state)
{
    const struct job_history history = {.failures_in_row = 1, .failures = 1};
    struct job_next next;
    (void)state;
    assert_true(job_state_next(CONTROL_JOB_RUNNING, JOB_ATTEMPT_FAILS, false, &history, &policy, &next));
    assert_int_equal(next.status, CONTROL_JOB_FAILED);
}

/* A job as a text of attempts: f failed, p failed with something committed. What it comes to, and the last
 * delay. */
static void test_tries(void **state)
{
    static const struct {
        const char *attempts;
        bool fails;
        uint64_t delay_ms;
    } cases[] = {
        {"f", false, 100},     {"ff", false, 300},   {"fff", true, 0},
        {"p", false, 100},     {"ppp", false, 100},  {"pppp", true, 0},
        {"ffpff", false, 300}, {"ffpffpf", true, 0}, /* five in all */
        {"ffpf", false, 100},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job_history history = {0};
        struct job_next next = {0};
        for (const char *at = cases[i].attempts; *at; at++) {
            assert_int_not_equal(next.status, CONTROL_JOB_FAILED);
            job_history_add(&history, *at == 'p');
            assert_true(
                job_state_next(CONTROL_JOB_RUNNING, JOB_ATTEMPT_FAILS, true, &history, &policy, &next));
        }
        if ((next.status == CONTROL_JOB_FAILED) != cases[i].fails || next.delay_ms != cases[i].delay_ms)
            fail_msg("%s: %s, %llu ms", cases[i].attempts, control_job_status_name(next.status),
                     (unsigned long long)next.delay_ms);
    }
}

static void test_backoff_has_an_end(void **state)
{
    const struct job_policy many = {.failures_in_row_max = 1000,
                                    .failures_max = 1000,
                                    .partial_max = 1000,
                                    .backoff_ms = 100,
                                    .backoff_max_ms = 1000};
    struct job_history history = {0};
    struct job_next next;
    (void)state;
    for (int i = 0; i < 500; i++) {
        job_history_add(&history, false);
        assert_true(job_state_next(CONTROL_JOB_RUNNING, JOB_ATTEMPT_FAILS, true, &history, &many, &next));
        assert_true(next.delay_ms <= 1000);
    }
    assert_int_equal(next.delay_ms, 1000);
    assert_true(job_state_next(CONTROL_JOB_RUNNING, JOB_INTERRUPTED, true, &history, &many, &next));
    assert_int_equal(next.delay_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_what_a_person_has_to_mend_is_not_tried_again),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_backoff_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
