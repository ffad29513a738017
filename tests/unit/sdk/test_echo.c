/* echo: states go back in order, never before a commit, never those of a stream that is not done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "echo.h"

static bool add(struct sdk_echo *echo, const char *line, long stream)
{
    buffer_str(sdk_echo_line(echo), line);
    return sdk_echo_added(echo, strlen(line), stream);
}

static void expect(struct buffer *out, const char *wanted)
{
    assert_string_equal(buffer_cstr(out), wanted);
    buffer_clear(out);
}

static void test_order(void **state)
{
    (void)state;
    struct sdk_echo echo;
    struct buffer out;
    sdk_echo_init(&echo, 2, 1000);
    buffer_init(&out, 1000);
    assert_false(sdk_echo_waits_for_commit(&echo));
    add(&echo, "a", 0);
    add(&echo, "b", 1);
    add(&echo, "c", SDK_ECHO_ALL_STREAMS);
    assert_true(sdk_echo_waits_for_commit(&echo));
    sdk_echo_release(&echo, &out);
    expect(&out, "abc");
    assert_int_equal(sdk_echo_waiting(&echo), 0);
    add(&echo, "d", SDK_ECHO_NO_STREAM);
    sdk_echo_release(&echo, &out);
    expect(&out, "d");
    sdk_echo_release(&echo, &out);
    expect(&out, "");
    buffer_done(&out);
    sdk_echo_done(&echo);
}

static void test_held(void **state)
{
    (void)state;
    struct sdk_echo echo;
    struct buffer out;
    sdk_echo_init(&echo, 3, 1000);
    buffer_init(&out, 1000);
    sdk_echo_hold(&echo, 1);
    add(&echo, "a", 0);
    add(&echo, "B", 1);
    add(&echo, "c", 0);
    add(&echo, "G", SDK_ECHO_ALL_STREAMS);
    sdk_echo_release(&echo, &out);
    expect(&out, "a"); /* what is behind a held state waits too: order is kept */
    assert_false(sdk_echo_waits_for_commit(&echo));

    bool keep_back[3] = {false, true, false};
    sdk_echo_release_all(&echo, keep_back, &out);
    expect(&out, "c"); /* the incomplete stream's state is not confirmed, nor one of all streams */
    add(&echo, "B", 1);
    add(&echo, "G", SDK_ECHO_ALL_STREAMS);
    keep_back[1] = false;
    sdk_echo_release_all(&echo, keep_back, &out);
    expect(&out, "BG");
    buffer_done(&out);
    sdk_echo_done(&echo);
}

static void test_limit(void **state)
{
    (void)state;
    struct sdk_echo echo;
    struct buffer out;
    sdk_echo_init(&echo, 1, 100);
    buffer_init(&out, 1000);
    /* What was taken makes room again: any number passes through a small buffer. */
    for (int i = 0; i < 1000; i++) {
        assert_true(add(&echo, "0123456789012345678901234567890123456789", 0));
        sdk_echo_release(&echo, &out);
        expect(&out, "0123456789012345678901234567890123456789");
    }
    sdk_echo_hold(&echo, 0);
    assert_true(add(&echo, "01234567890123456789012345678901234567890123456789", 0));
    assert_true(add(&echo, "0123456789012345678901234567890123456789", 0));
    assert_false(add(&echo, "01234567890", 0));
    buffer_done(&out);
    sdk_echo_done(&echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
