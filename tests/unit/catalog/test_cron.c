/* Cron expressions: the next match from a moment, written as dates, and what is refused. */
#include "base/clock.h"
#include "catalog/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Milliseconds of "YYYY-MM-DD hh:mm:ss" by the C library, which cron.c does not use. */
static int64_t moment(const char *text)
{
    struct tm tm = {0};
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                            &tm.tm_min, &tm.tm_sec),
                     6);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (int64_t)timegm(&tm) * 1000;
}

static void test_next(void **state)
{
    static const struct {
        const char *cron, *after, *next; /* next NULL: never */
    } cases[] = {
        {"* * * * *", "2026-11-21 12:00:00", "2026-11-21 12:01:00"},
        {"* * * * *", "2026-11-21 11:59:59", "2026-11-21 12:00:00"},
        {"0 * * * *", "2026-11-21 12:00:00", "2026-11-21 13:00:00"},
        {"*/15 * * * *", "2026-11-21 12:31:00", "2026-11-21 12:45:00"},
        {"5/20 * * * *", "2026-11-21 12:31:00", "2026-11-21 12:45:00"},
        {"10-30/10 * * * *", "2026-11-21 12:30:00", "2026-11-21 13:10:00"},
        {"0,30 9-17 * * 1-5", "2026-11-20 17:30:00", "2026-11-23 09:00:00"},
        {"0 9 * * MON", "2026-11-21 12:00:00", "2026-11-23 09:00:00"},
        {"0 9 * * mon-wed", "2026-11-24 09:00:00", "2026-11-25 09:00:00"},
        {"0 0 * * 0", "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
        {"0 0 * * 7", "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
        {"0 0 1 JAN *", "2026-11-21 12:00:00", "2027-01-01 00:00:00"},
        {"0 0 31 * *", "2026-11-21 12:00:00", "2026-12-31 00:00:00"},
        {"0 0 29 2 *", "2026-11-21 12:00:00", "2028-02-29 00:00:00"},
        {"0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00"}, /* 2100 is no leap year */
        {"0 0 31 2 *", "2026-11-21 12:00:00", NULL},
        /* A day of the month or a day of the week, if both are given. */
        {"0 0 13 * 5", "2026-11-21 12:00:00", "2026-11-27 00:00:00"},
        {"0 0 22 * 5", "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
        {"@hourly", "2026-11-21 12:00:00", "2026-11-21 13:00:00"},
        {"@daily", "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
        {"@weekly", "2026-11-21 12:00:00", "2026-11-22 00:00:00"},
        {"@monthly", "2026-11-21 12:00:00", "2026-12-01 00:00:00"},
        {"@yearly", "2026-12-31 23:59:59", "2027-01-01 00:00:00"},
        /* Quartz: seconds first, Sunday is 1, ? for either day. */
        {"*/10 * * * * ?", "2026-11-21 12:00:55", "2026-11-21 12:01:00"},
        {"30 0 12 * * ?", "2026-11-21 12:00:30", "2026-11-22 12:00:30"},
        {"0 0 12 ? * 1", "2026-11-21 12:00:00", "2026-11-22 12:00:00"},
        {"0 0 12 ? * 7", "2026-11-21 12:00:00", "2026-11-28 12:00:00"},
        {"0 0 12 ? * MON-FRI", "2026-11-20 12:00:00", "2026-11-23 12:00:00"},
        {"0 0 12 1 * ? 2030", "2026-11-21 12:00:00", "2030-01-01 12:00:00"},
        {"0 0 12 1 * ? 2020-2025", "2026-11-21 12:00:00", NULL},
        /* Quartz: L, W, #. 2026-11-21 is a Saturday. */
        {"0 0 12 L * ?", "2026-11-21 12:00:00", "2026-11-30 12:00:00"},
        {"0 0 12 L 2 ?", "2026-11-21 12:00:00", "2027-02-28 12:00:00"},
        {"0 0 12 l-3 * ?", "2026-11-21 12:00:00", "2026-11-27 12:00:00"},
        {"0 0 12 LW * ?", "2027-01-21 12:00:00", "2027-01-29 12:00:00"}, /* the 31st is a Sunday */
        {"0 0 12 21W * ?", "2026-11-19 12:00:00", "2026-11-20 12:00:00"},
        {"0 0 12 22W * ?", "2026-11-19 12:00:00", "2026-11-23 12:00:00"},
        {"0 0 12 1W 8 ?", "2026-07-19 12:00:00", "2026-08-03 12:00:00"},  /* not in July */
        {"0 0 12 31W 1 ?", "2026-11-19 12:00:00", "2027-01-29 12:00:00"}, /* not in February */
        {"0 0 12 31W 2 ?", "2026-11-19 12:00:00", NULL},
        {"0 0 12 ? * 6#3", "2026-11-21 12:00:00", "2026-12-18 12:00:00"},
        {"0 0 12 ? * MON#5", "2026-12-01 12:00:00", "2027-03-29 12:00:00"},
        {"0 0 12 ? * MON#1,FRI#1", "2026-11-21 12:00:00", "2026-12-04 12:00:00"},
        {"0 0 12 ? * 6L", "2026-11-21 12:00:00", "2026-11-27 12:00:00"},
        {"0 0 12 ? * SUNL", "2026-11-21 12:00:00", "2026-11-29 12:00:00"},
        {"0 0 12 ? * L", "2026-11-21 12:00:00", "2026-11-28 12:00:00"},
        /* Quartz: ranges that go past the end, and steps and lists of years. 2026-11-21 is a Saturday. */
        {"0 0 22-2 * * ?", "2026-11-21 23:00:00", "2026-11-22 00:00:00"},
        {"0 0 22-2 * * ?", "2026-11-21 02:00:00", "2026-11-21 22:00:00"},
        {"0 0 22-2/2 * * ?", "2026-11-21 22:00:00", "2026-11-22 00:00:00"},
        {"0 0 21-2/2 * * ?", "2026-11-21 23:00:00", "2026-11-22 01:00:00"},
        {"0 50-10/10 12 * * ?", "2026-11-21 12:10:00", "2026-11-21 12:50:00"},
        {"58-1 0 12 * * ?", "2026-11-21 12:00:01", "2026-11-21 12:00:58"},
        {"0 0 12 30-2 * ?", "2026-11-21 12:00:00", "2026-11-30 12:00:00"},
        {"0 0 12 30-2 * ?", "2026-11-30 12:00:00", "2026-12-01 12:00:00"},
        {"0 0 12 1 NOV-FEB ?", "2027-02-21 12:00:00", "2027-11-01 12:00:00"},
        {"0 0 12 1 11-2 ?", "2026-12-21 12:00:00", "2027-01-01 12:00:00"},
        {"0 0 12 ? * FRI-MON", "2026-11-21 12:00:00", "2026-11-22 12:00:00"},
        {"0 0 12 ? * FRI-MON", "2026-11-23 12:00:00", "2026-11-27 12:00:00"},
        {"0 0 12 ? * 6-2", "2026-11-23 12:00:00", "2026-11-27 12:00:00"},
        {"0 0 12 ? * MON-SUN", "2026-11-21 12:00:00", "2026-11-22 12:00:00"},
        {"0 0 12 ? * MON,4", "2026-11-23 12:00:00", "2026-11-25 12:00:00"}, /* a name and a number */
        {"0 0 12 ? * 2/2", "2026-11-21 12:00:00", "2026-11-23 12:00:00"},
        {"0 0 12 1 1 ? 2026/2", "2026-11-21 12:00:00", "2028-01-01 12:00:00"},
        {"0 0 12 1 1 ? */3", "2026-11-21 12:00:00", "2027-01-01 12:00:00"},
        {"0 0 12 1 1 ? 2026-2040/7", "2034-11-21 12:00:00", "2040-01-01 12:00:00"},
        {"0 0 12 1 1 ? 2026,2199", "2026-11-21 12:00:00", "2199-01-01 12:00:00"},
        {"  0   9 * *\t* ", "2026-11-21 12:00:00", "2026-11-22 09:00:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron;
        struct error err = {0};
        if (cron_parse(cases[i].cron, &cron, &err) < 0)
            fail_msg("%s: %s", cases[i].cron, err.message);
        int64_t next = cron_next(&cron, moment(cases[i].after));
        int64_t expected = cases[i].next ? moment(cases[i].next) : -1;
        char text[32] = "never";
        if (next >= 0)
            clock_format_rfc3339(next, text, sizeof text);
        if (next != expected)
            fail_msg("%s after %s: %s", cases[i].cron, cases[i].after, text);
    }
}

/* Berlin puts its clocks forward on 2027-03-28 at 02:00 and back on 2026-10-25 at 03:00; New York's rule,
 * beyond any table, is the second Sunday in March. */
static void test_time_zones(void **state)
{
    static const struct {
        const char *cron, *zone, *after, *next; /* in UTC */
    } cases[] = {
        {"0 0 12 * * ?", "UTC", "2026-11-21 12:00:00", "2026-11-22 12:00:00"},
        {"0 0 12 * * ?", "Europe/Berlin", "2026-11-21 12:00:00", "2026-11-22 11:00:00"},
        {"0 0 12 * * ?", "Europe/Berlin", "2026-07-01 12:00:00", "2026-07-02 10:00:00"},
        {"0 0 12 * * ?", "Europe/Berlin", "2027-03-27 12:00:00", "2027-03-28 10:00:00"},
        {"0 30 2 * * ?", "Europe/Berlin", "2027-03-27 12:00:00",
         "2027-03-28 01:30:00"}, /* there is no 02:30 */
        {"0 30 2 * * ?", "Europe/Berlin", "2026-10-24 12:00:00",
         "2026-10-25 00:30:00"}, /* twice: the first */
        {"0 30 2 * * ?", "Europe/Berlin", "2026-10-25 00:30:00", "2026-10-26 01:30:00"},
        {"0 0 0 * * ?", "Asia/Kathmandu", "2026-11-21 12:00:00", "2026-11-21 18:15:00"},
        {"0 0 12 13 3 ? 2050", "America/New_York", "2026-11-21 12:00:00", "2050-03-13 16:00:00"},
        {"0 0 12 12 3 ? 2050", "America/New_York", "2026-11-21 12:00:00", "2050-03-12 17:00:00"},
        {"0 0 12 1 1 ? 2050", "Australia/Sydney", "2026-11-21 12:00:00", "2050-01-01 01:00:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron;
        struct error err = {0};
        mem_auto(zone_free) struct zone *zone = zone_load(cases[i].zone, &err);
        if (!zone || cron_parse(cases[i].cron, &cron, &err) < 0)
            fail_msg("%s, %s: %s", cases[i].zone, cases[i].cron, err.message);
        int64_t next = cron_next_in(&cron, zone, moment(cases[i].after));
        char text[32] = "never";
        if (next >= 0)
            clock_format_rfc3339(next, text, sizeof text);
        if (next != moment(cases[i].next))
            fail_msg("%s in %s after %s: %s", cases[i].cron, cases[i].zone, cases[i].after, text);
    }
}

/* Every offset of some zones over 80 years, as the C library has it. */
static void test_offsets(void **state)
{
    static const char *const zones[] = {"Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe",
                                        "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kolkata",
                                        "Europe/Dublin",     "Antarctica/Troll"};
    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        struct error err;
        mem_auto(zone_free) struct zone *zone = zone_load(zones[i], &err);
        if (!zone)
            fail_msg("%s", err.message);
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        for (int64_t at = 0; at < 80LL * 365 * 86400; at += 31 * 3600 + 7) {
            time_t seconds = (time_t)at;
            struct tm tm;
            localtime_r(&seconds, &tm);
            if (zone_offset(zone, at) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)at, zone_offset(zone, at),
                         tm.tm_gmtoff);
            int64_t local = at + tm.tm_gmtoff;
            int64_t back = zone_to_utc(zone, local);
            if (back != at && back + zone_offset(zone, back) != local)
                fail_msg("%s: %lld is %lld", zones[i], (long long)local, (long long)back);
        }
    }
    unsetenv("TZ");
    tzset();
    static const char *const wrong[] = {"",       "Europe/Nowhere", "../zoneinfo/UTC", "/etc/passwd",
                                        "Europe", "zone.tab",       "posixrules/.."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err;
        struct zone *zone = zone_load(wrong[i], &err);
        if (zone)
            fail_msg("'%s' is a zone", wrong[i]);
        assert_true(err.code == ERROR_INVALID || err.code == ERROR_CORRUPT);
    }
}

/* Every match found one by one is every minute that the fields name, and no other. */
static void test_no_match_is_skipped(void **state)
{
    (void)state;
    struct cron cron;
    struct error err;
    assert_int_equal(cron_parse("*/7 3,15 1-10/3 * *", &cron, &err), 0);
    int64_t at = moment("2027-12-25 00:00:00"), end = moment("2028-03-05 00:00:00"),
            found = cron_next(&cron, at);
    for (int64_t minute = at + 60000; minute < end; minute += 60000) {
        time_t seconds = (time_t)(minute / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        bool matches = tm.tm_min % 7 == 0 && (tm.tm_hour == 3 || tm.tm_hour == 15) && tm.tm_mday <= 10 &&
                       (tm.tm_mday - 1) % 3 == 0;
        assert_int_equal(matches, minute == found);
        if (matches)
            found = cron_next(&cron, found);
    }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "* * * *",
        "* * * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * 0 *",
        "* * * * 8",
        "a * * * *",
        "1, * * * *",
        "1- * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/60 * * * *",
        "5/90 * * * *",
        "0 */24 * * *",
        "0 0 */31 * *",
        "*/ * * * *",
        "1-2-3 * * * *",
        "-1 * * * *",
        "* * * FOO *",
        "@fortnightly",
        "0 0 12 ? * 0",
        "0 12 L * *", /* Quartz's, without seconds */
        "0 12 * * 6#3",
        "0 0 12 L-31 * ?",
        "0 0 12 32W * ?",
        "0 0 12 W * ?",
        "0 0 12 L,1 * ?",
        "0 0 12 ? * 6#6",
        "0 0 12 ? * 6#0",
        "0 0 12 ? * 8L",
        "0 0 12 ? * #3",
        "0 0 12 ? * 6#3,MON",
        "0 0 12 * * ? 1969",
        "0 0 12 * * ? 2030-2029",
        "0 0 12 * * ? 2026/0",
        "0 0 12 * * ? 2026/230",
        "0 0 12 * * ? 2200",
        "0 0 12 ? * 8",
        "0 0 12 ? * 1-0",
        "0 22-2 * * *", /* crontab knows no such */
        "0 0 * * FRI-MON",
        "0 0 1 NOV-FEB *",
        "99999999999 * * * *",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron;
        struct error err = {0};
        if (cron_parse(cases[i], &cron, &err) == 0)
            fail_msg("'%s' was accepted", cases[i]);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    struct cron cron;
    struct error err;
    assert_int_equal(cron_parse("0 0 12 ? * 0", &cron, &err), -1);
    assert_non_null(strstr(err.message, "it may be 1 to 7, a name"));
    char longest[400];
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(cron_parse(longest, &cron, &err), -1);
}

/* What Quartz calls a crontab's times: the same times, and the words that people are told. */
static void test_crontab_in_quartz(void **state)
{
    static const struct {
        const char *crontab, *quartz; /* NULL: there is none */
    } cases[] = {
        {"0 6 * * *", "0 0 6 * * ?"},
        {" */15\t9-17 * * 1-5 ", "0 */15 9-17 ? * MON-FRI"},
        {"0 6 * * 5-7", "0 0 6 ? * SUN,FRI,SAT"},
        {"0 6 * * 0,3", "0 0 6 ? * SUN,WED"},
        {"30 4 1,15 JAN-MAR *", "0 30 4 1,15 JAN-MAR ?"},
        {"@daily", "0 0 0 * * ?"},
        {"@weekly", "0 0 0 ? * SUN"},
        {"@hourly", "0 0 * * * ?"},
        {"@yearly", "0 0 0 1 1 ?"},
        {"0 6 1 * 1", NULL},
        {"@fortnightly", NULL},
        {"0 25 * * *", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out;
        buffer_init(&out, BUFFER_UNLIMITED);
        assert_true(cron_is_crontab(cases[i].crontab));
        assert_int_equal(cron_to_quartz(cases[i].crontab, &out), cases[i].quartz != NULL);
        assert_string_equal(buffer_cstr(&out), cases[i].quartz ? cases[i].quartz : "");
        if (cases[i].quartz) {
            struct cron before, after;
            struct error err;
            assert_false(cron_is_crontab(cases[i].quartz));
            assert_int_equal(cron_parse(cases[i].crontab, &before, &err), 0);
            assert_int_equal(cron_parse(cases[i].quartz, &after, &err), 0);
            for (int64_t at = moment("2026-11-21 12:00:00"), n = 0; n < 20; n++) {
                int64_t next = cron_next(&before, at);
                assert_int_equal(cron_next(&after, at), next);
                at = next;
            }
        }
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),    cmocka_unit_test(test_time_zones),
        cmocka_unit_test(test_offsets), cmocka_unit_test(test_no_match_is_skipped),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_crontab_in_quartz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
