#include "connectors/source-declarative/request/budget.h"

#include "lab.h"

#define BUDGET(policies) "\"api_budget\": {\"type\": \"HTTPAPIBudget\", \"policies\": [" policies "]},"
#define FIXED(limit, matchers)                                                                \
    "{\"type\": \"FixedWindowCallRatePolicy\", \"period\": \"PT10S\", \"call_limit\": " limit \
    ", \"matchers\": [" matchers "]}"
#define MOVING(rates) "{\"type\": \"MovingWindowCallRatePolicy\", \"rates\": [" rates "], \"matchers\": []}"

#define NEVER UINT64_MAX
struct step {
    uint64_t at_ms;
    const char *url;
    uint64_t wait_ms;
};

static void check(const char *more, const struct step *steps)
{
    struct lab lab;
    struct error err;
    struct api_budget *budget;
    lab_open(&lab, "\"requester\": {\"type\": \"HttpRequester\", \"url\": \"http://h/x\"}", more, "{}");
    if (api_budget_compile(lab.engine, component_get(manifest_root(lab.manifest), "api_budget"), &budget,
                           &err) != 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; steps[i].url; i++) {
        struct matched_call call = {"GET", steps[i].url, NULL, 0};
        uint64_t wait = NEVER;
        if (api_budget_take(budget, &call, 1000 + steps[i].at_ms, &wait, &err) != 0)
            assert_non_null(strstr(err.message, "the API budget never has a call of weight"));
        assert_int_equal(wait, steps[i].wait_ms);
    }
    lab_close(&lab);
}

static void test_fixed(void **state)
{
    (void)state;
    check(BUDGET(FIXED("2", "")), (const struct step[]){{0, "http://h/a", 0},
                                                        {100, "http://h/b", 0},
                                                        {200, "http://h/a", 9800},
                                                        {9999, "http://h/a", 10},
                                                        {10000, "http://h/a", 0},
                                                        {30500, "http://h/a", 0},
                                                        {0}});
    /* a month that begins on 14 November */
    check(
        BUDGET(
            "{\"type\": \"FixedWindowCallRatePolicy\", \"period\": \"P1M\", \"call_limit\": 1, \"matchers\": "
            "[]}"),
        (const struct step[]){{0, "http://h/a", 0}, {1000, "http://h/a", 30ULL * 86400000 - 1000}, {0}});
    /* weights, and what matches nothing */
    check(BUDGET(FIXED("3", "{\"method\": \"GET\", \"url_path_pattern\": \"^/heavy\", \"weight\": 2}")),
          (const struct step[]){{0, "http://h/heavy", 0},
                                {0, "http://h/heavy?x=1", 10000},
                                {0, "http://h/light", 0},
                                {0, "http://h/light", 0},
                                {0}});
    check(BUDGET(FIXED("1", "{\"url_path_pattern\": \"^/heavy\", \"weight\": 2}") "," FIXED("0", "")),
          (const struct step[]){{0, "http://h/heavy", NEVER}, {0, "http://h/light", NEVER}, {0}});
    check(BUDGET(FIXED("1", "{\"url_base\": \"http://a\", \"params\": {\"q\": 1}}") "," FIXED("2", "")),
          (const struct step[]){{0, "http://a/?q=1", 0},
                                {0, "http://a/?q=1", 10000},
                                {0, "http://a/?q=2", 0},
                                {0, "http://b/?q=1", 0},
                                {0, "http://b/", 10000},
                                {0}});
    /* the last slashes of base and path do not count */
    check(BUDGET(FIXED("1", "{\"url_base\": \"http://a//\", \"url_path_pattern\": \"^/x$\"}") "," FIXED(
              "1", "{\"url_base\": \"http://a\", \"url_path_pattern\": \"^$\"}")),
          (const struct step[]){{0, "http://a/x", 0},
                                {0, "http://a/x/", 10000},
                                {0, "http://a/x//?q=/", 10000},
                                {0, "http://a/x/y", 0},
                                {0, "http://a/", 0},
                                {0, "http://a", 10000},
                                {0}});
}

static void test_moving(void **state)
{
    (void)state;
    check(BUDGET(MOVING("{\"limit\": 2, \"interval\": \"PT1S\"}, {\"limit\": 3, \"interval\": \"PT10S\"}")),
          (const struct step[]){{0, "http://h/", 0},
                                {400, "http://h/", 0},
                                {500, "http://h/", 500},
                                {1000, "http://h/", 0},
                                {1400, "http://h/", 8600},
                                {10000, "http://h/", 0},
                                {10001, "http://h/", 399},
                                {0}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fixed), cmocka_unit_test(test_moving)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
