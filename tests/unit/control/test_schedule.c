/* When connections are due: intervals, cron in time zones, missed times, clocks that jump. */
#include "control/schedule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MINUTE ((int64_t)60 * 1000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Milliseconds of 2025-03-29T00:00:00Z and so on. */
#define MARCH_29 (1743206400LL * 1000)
#define OCTOBER_25 (1761350400LL * 1000)

static struct control_connection cron(const char *expression, const char *zone)
{
    return (struct control_connection){
        .schedule = CONTROL_CRON, .cron = expression, .time_zone = zone, .status = CONTROL_ACTIVE};
}

static void test_cron_across_daylight_saving(void **state)
{
    static const struct {
        const char *expression, *zone;
        int64_t after, next[3];
    } cases[] = {
        /* Spring in Berlin: 02:00 to 03:00 of the 30th is not there. Noon stays noon. */
        {"0 0 12 * * ?",
         "Europe/Berlin",
         MARCH_29,
         {MARCH_29 + 11 * HOUR, MARCH_29 + DAY + 10 * HOUR, MARCH_29 + 2 * DAY + 10 * HOUR}},
        /* Each hour goes on without a gap in real time. */
        {"0 0 * * * ?",
         "Europe/Berlin",
         MARCH_29 + DAY,
         {MARCH_29 + DAY + 1 * HOUR, MARCH_29 + DAY + 2 * HOUR, MARCH_29 + DAY + 3 * HOUR}},
        /* Autumn: 02:00 to 03:00 of the 26th is there twice, and the first counts. */
        {"0 30 2 * * ?",
         "Europe/Berlin",
         OCTOBER_25 + HOUR,
         {OCTOBER_25 + DAY + 30 * MINUTE, OCTOBER_25 + 2 * DAY + 90 * MINUTE,
          OCTOBER_25 + 3 * DAY + 90 * MINUTE}},
        {"0 0 12 * * ?",
         "Europe/Berlin",
         OCTOBER_25 + 11 * HOUR,
         {OCTOBER_25 + DAY + 11 * HOUR, OCTOBER_25 + 2 * DAY + 11 * HOUR, OCTOBER_25 + 3 * DAY + 11 * HOUR}},
        {"0 0 12 * * ?",
         NULL,
         MARCH_29,
         {MARCH_29 + 12 * HOUR, MARCH_29 + DAY + 12 * HOUR, MARCH_29 + 2 * DAY + 12 * HOUR}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct control_connection connection = cron(cases[i].expression, cases[i].zone);
        int64_t at = cases[i].after;
        for (size_t k = 0; k < 3; k++) {
            at = control_schedule_next(&connection, at);
            if (at != cases[i].next[k])
                fail_msg("%s in %s, time %zu: %lld and not %lld", cases[i].expression,
                         cases[i].zone ? cases[i].zone : "UTC", k, (long long)at,
                         (long long)cases[i].next[k]);
        }
    }
}

/* A time of the day that a spring night lacks is not left out for the day. */
static void test_the_hour_that_is_not_there(void **state)
{
    struct control_connection connection = cron("0 30 2 * * ?", "Europe/Berlin");
    int64_t next = control_schedule_next(&connection, MARCH_29 + 2 * HOUR);
    assert_true(next >= MARCH_29 + DAY && next <= MARCH_29 + DAY + 2 * HOUR);
    assert_int_equal(control_schedule_next(&connection, next), MARCH_29 + 2 * DAY + 30 * MINUTE);
}

static void test_due(void **state)
{
    static const struct {
        enum control_schedule schedule;
        int64_t created, updated, job, now, due;
    } cases[] = {
        /* By hand: never. */
        {CONTROL_MANUAL, 0, 0, 0, DAY, -1},
        /* Every hour: at once if it never ran; then from the last job on, whoever made it. */
        {CONTROL_BASIC, 5 * HOUR, 5 * HOUR, 0, 6 * HOUR, 5 * HOUR},
        {CONTROL_BASIC, 5 * HOUR, 5 * HOUR, 6 * HOUR, 6 * HOUR + 1, 7 * HOUR},
        /* Ten were missed: it is due, once; after that one the next is an hour away. */
        {CONTROL_BASIC, 0, 0, 6 * HOUR, 16 * HOUR, 7 * HOUR},
        {CONTROL_BASIC, 0, 0, 16 * HOUR, 16 * HOUR, 17 * HOUR},
        /* The clock was set back by a day: not a day's silence. */
        {CONTROL_BASIC, 0, 0, 40 * HOUR, 16 * HOUR, 17 * HOUR},
        {CONTROL_BASIC, 40 * HOUR, 40 * HOUR, 0, 16 * HOUR, 16 * HOUR},
        /* It leapt forward: one sync. */
        {CONTROL_BASIC, 0, 0, 16 * HOUR, 400 * DAY, 17 * HOUR},
        /* Each noon: not for what was before the schedule was; missed ones are one. */
        {CONTROL_CRON, 13 * HOUR, 13 * HOUR, 0, 14 * HOUR, DAY + 12 * HOUR},
        {CONTROL_CRON, 0, 13 * HOUR, 2 * HOUR, 14 * HOUR, DAY + 12 * HOUR},
        {CONTROL_CRON, 0, 0, 13 * HOUR, 9 * DAY, DAY + 12 * HOUR},
        {CONTROL_CRON, 0, 0, 9 * DAY, 9 * DAY, 9 * DAY + 12 * HOUR},
        {CONTROL_CRON, 0, 0, 20 * DAY, 9 * DAY, 9 * DAY + 12 * HOUR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct control_connection connection = cron("0 0 12 * * ?", NULL);
        connection.schedule = cases[i].schedule;
        connection.every = 1;
        connection.unit = CONTROL_HOURS;
        connection.created_ms = cases[i].created;
        connection.updated_ms = cases[i].updated;
        connection.job_created_ms = cases[i].job;
        int64_t due = control_schedule_due(&connection, cases[i].now);
        if (due != cases[i].due)
            fail_msg("case %zu: %lld and not %lld", i, (long long)due, (long long)cases[i].due);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cron_across_daylight_saving),
        cmocka_unit_test(test_the_hour_that_is_not_there),
        cmocka_unit_test(test_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
