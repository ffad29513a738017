/* The order of a materialization's messages. */
#include "task_test.h"

#include "task/materialize_protocol.h"

enum {
    SEND = 100, /* + request */
    LEAVE = 300,
    END = -1,
};

static const struct {
    const char *name;
    int steps[16]; /* requests that are sent, responses that come; the last one is refused if `why` is there
                    */
    const char *why;
} cases[] = {
    {"a transaction",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, SEND + FLOW_MATERIALIZE_LOAD,
      FLOW_MATERIALIZE_ACKNOWLEDGED, FLOW_MATERIALIZE_LOADED, SEND + FLOW_MATERIALIZE_FLUSH,
      FLOW_MATERIALIZE_LOADED, FLOW_MATERIALIZE_FLUSHED, SEND + FLOW_MATERIALIZE_STORE,
      SEND + FLOW_MATERIALIZE_START_COMMIT, FLOW_MATERIALIZE_STARTED_COMMIT,
      SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED, END},
     NULL},
    {"acknowledged after flush was sent",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, SEND + FLOW_MATERIALIZE_FLUSH,
      FLOW_MATERIALIZE_ACKNOWLEDGED, FLOW_MATERIALIZE_FLUSHED, END},
     NULL},
    {"nothing to do",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED, LEAVE,
      END},
     NULL},
    {"opened twice",
     {FLOW_MATERIALIZE_OPENED, FLOW_MATERIALIZE_OPENED, END},
     "before anything was acknowledged"},
    {"not opened", {FLOW_MATERIALIZE_ACKNOWLEDGED, END}, "the answer to 'open' was due"},
    {"acknowledged twice",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED,
      FLOW_MATERIALIZE_ACKNOWLEDGED, END},
     "'acknowledged' while keys are loaded, where only 'loaded' may come"},
    {"loaded too early",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_LOADED, END},
     "'loaded' before 'acknowledged'"},
    {"flushed too early",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, SEND + FLOW_MATERIALIZE_FLUSH,
      FLOW_MATERIALIZE_FLUSHED, END},
     "'flushed' before 'acknowledged'"},
    {"flushed unasked",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED,
      FLOW_MATERIALIZE_FLUSHED, END},
     "'flushed' while keys are loaded"},
    {"loaded among the stores",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED,
      SEND + FLOW_MATERIALIZE_FLUSH, FLOW_MATERIALIZE_FLUSHED, FLOW_MATERIALIZE_LOADED, END},
     "'loaded' while documents are stored, where nothing was due"},
    {"started before it was asked",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED,
      SEND + FLOW_MATERIALIZE_FLUSH, FLOW_MATERIALIZE_FLUSHED, FLOW_MATERIALIZE_STARTED_COMMIT, END},
     "'startedCommit' while documents are stored"},
    {"a unary answer", {FLOW_MATERIALIZE_SPEC_RESPONSE, END}, "'spec' before it had answered 'open'"},
    {"after its end",
     {FLOW_MATERIALIZE_OPENED, SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, FLOW_MATERIALIZE_ACKNOWLEDGED, LEAVE,
      FLOW_MATERIALIZE_ACKNOWLEDGED, END},
     "after its input was closed"},
};

static void run_case(size_t index)
{
    struct materialize_protocol protocol = {0};
    struct error err = {0};
    const int *step = cases[index].steps;
    for (; *step != END; step++) {
        bool last = step[1] == END && cases[index].why;
        if (*step == LEAVE) {
            assert_true(materialize_may_leave(&protocol));
            materialize_left(&protocol);
        } else if (*step >= SEND) {
            materialize_sent(&protocol, (enum flow_materialize_request_type)(*step - SEND));
        } else {
            int result = materialize_received(&protocol, (enum flow_materialize_response_type) * step, &err);
            if (result != (last ? -1 : 0))
                fail_msg("%s: %s", cases[index].name, err.message);
        }
    }
    if (!cases[index].why)
        return;
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_true(err.retriable);
    if (!strstr(err.message, cases[index].why))
        fail_msg("%s: %s", cases[index].name, err.message);
}

static void test_orders(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(i);
}

static void test_leaving(void **state)
{
    struct materialize_protocol protocol = {0};
    struct error err;
    assert_int_equal(materialize_received(&protocol, FLOW_MATERIALIZE_OPENED, &err), 0);
    assert_false(materialize_may_leave(&protocol));
    materialize_sent(&protocol, FLOW_MATERIALIZE_ACKNOWLEDGE);
    assert_false(materialize_may_leave(&protocol));
    assert_int_equal(materialize_received(&protocol, FLOW_MATERIALIZE_ACKNOWLEDGED, &err), 0);
    assert_true(materialize_may_leave(&protocol));
    materialize_sent(&protocol, FLOW_MATERIALIZE_FLUSH);
    assert_false(materialize_may_leave(&protocol));
}

/* What it owes, at each step of a session: between those it waits for us, and may be silent. */
static void test_what_is_due(void **state)
{
    static const struct {
        int step; /* after this, END: at the beginning */
        const char *due, *place;
    } steps[] = {
        {END, "the answer to 'open'", "before it had answered 'open'"},
        {FLOW_MATERIALIZE_OPENED, NULL, "before anything was acknowledged"},
        {SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, "the answer to 'acknowledge'", "while keys are loaded"},
        {FLOW_MATERIALIZE_ACKNOWLEDGED, NULL, "while keys are loaded"},
        {SEND + FLOW_MATERIALIZE_FLUSH, "the answer to 'flush'", "while it flushes"},
        {FLOW_MATERIALIZE_FLUSHED, NULL, "while documents are stored"},
        {SEND + FLOW_MATERIALIZE_START_COMMIT, "the answer to 'startCommit'", "while it commits"},
        {FLOW_MATERIALIZE_STARTED_COMMIT, NULL, "after it had committed"},
        {SEND + FLOW_MATERIALIZE_ACKNOWLEDGE, "the answer to 'acknowledge'", "while keys are loaded"},
        {SEND + FLOW_MATERIALIZE_FLUSH, "the answer to 'acknowledge'", "while it flushes"},
    };
    struct materialize_protocol protocol = {0};
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].step >= SEND)
            materialize_sent(&protocol, (enum flow_materialize_request_type)(steps[i].step - SEND));
        else if (steps[i].step != END)
            assert_int_equal(
                materialize_received(&protocol, (enum flow_materialize_response_type)steps[i].step, &err), 0);
        const char *due = materialize_due(&protocol);
        assert_string_equal(due ? due : "nothing", steps[i].due ? steps[i].due : "nothing");
        assert_string_equal(materialize_place(&protocol), steps[i].place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_orders), cmocka_unit_test(test_leaving),
                                       cmocka_unit_test(test_what_is_due)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
