/* The queue of a push capture: what is taken, what is not, and that everybody is told once. */
#include "ingest/reader.h"

#include "task/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct push {
    struct ingest_push push; /* first */
    unsigned told;
    enum ingest_result result;
};

static void on_done(struct ingest_push *base, enum ingest_result result)
{
    struct push *push = (struct push *)base;
    push->told++;
    push->result = result;
}

static struct push *put(struct task_reader *reader, struct push *push, size_t bytes)
{
    *push = (struct push){.push = {.bytes = bytes, .done = on_done}};
    ingest_reader_push((struct ingest_reader *)reader, &push->push);
    return push;
}

static void test_bytes(void **state)
{
    struct task task = {0};
    struct push pushes[4];
    struct ingest_captures *captures = ingest_captures_new();
    struct task_reader *reader = ingest_reader_new(&task, captures);
    (void)state;
    /* One is taken however large, the next only if there is room. */
    assert_int_equal(put(reader, &pushes[0], INGEST_QUEUE_BYTES)->told, 0);
    put(reader, &pushes[1], 1);
    assert_true(pushes[1].told == 1 && pushes[1].result == INGEST_FULL);
    reader->class->stop(reader);
    put(reader, &pushes[2], 1);
    assert_true(pushes[2].told == 1 && pushes[2].result == INGEST_STOPPED);
    assert_int_equal(pushes[0].told, 0);
    reader->class->close(reader);
    assert_true(pushes[0].told == 1 && pushes[0].result == INGEST_STOPPED);
    ingest_captures_free(captures);
}

static void test_number(void **state)
{
    struct task task = {0};
    struct push *pushes = calloc(INGEST_QUEUE_PUSHES + 1, sizeof *pushes);
    struct ingest_captures *captures = ingest_captures_new();
    struct task_reader *reader = ingest_reader_new(&task, captures);
    (void)state;
    for (size_t i = 0; i <= INGEST_QUEUE_PUSHES; i++)
        put(reader, &pushes[i], 10);
    assert_true(pushes[INGEST_QUEUE_PUSHES].told == 1 && pushes[INGEST_QUEUE_PUSHES].result == INGEST_FULL);
    reader->class->close(reader);
    for (size_t i = 0; i < INGEST_QUEUE_PUSHES; i++)
        assert_true(pushes[i].told == 1 && pushes[i].result == INGEST_STOPPED);
    ingest_captures_free(captures);
    free(pushes);
}

/* Paths are away before their capture is there, and none before any is known. */
static void test_paths(void **state)
{
    static const char *const paths[] = {"/ingest/a", "/ingest/a/x", "/own", NULL};
    static const char *const others[] = {"/own", "/ingest/b", NULL};
    struct ingest_captures *captures = ingest_captures_new();
    struct ingest_capture *capture;
    size_t binding;
    (void)state;
    assert_int_equal(ingest_find(captures, "/ingest/a", &capture, &binding), INGEST_AWAY);
    ingest_captures_reserve(captures, "a", paths, (const char *const[]){"acmeCo/a", NULL});
    ingest_captures_reserve(captures, "b", others, (const char *const[]){"acmeCo/a", NULL});
    for (size_t i = 0; paths[i]; i++)
        assert_int_equal(ingest_find(captures, paths[i], &capture, &binding), INGEST_AWAY);
    assert_int_equal(ingest_find(captures, "/ingest/ab", &capture, &binding), INGEST_AWAY);
    ingest_captures_settle(captures);
    assert_int_equal(ingest_find(captures, "/ingest/ab", &capture, &binding), INGEST_NONE);
    assert_int_equal(ingest_find(captures, "/ingest/b", &capture, &binding), INGEST_AWAY);
    ingest_captures_forget(captures, "b");
    assert_int_equal(ingest_find(captures, "/ingest/b", &capture, &binding), INGEST_NONE);
    assert_int_equal(ingest_find(captures, "/own", &capture, &binding), INGEST_AWAY);
    ingest_captures_free(captures);
}

static void test_rate(void **state)
{
    _Atomic uint64_t counter = 0;
    struct ingest_binding binding = {.rate = &counter, .options = {.per_second = 2}};
    (void)state;
    for (uint64_t second = 5; second < 8; second++) {
        assert_true(ingest_rate_allows(&binding, second));
        assert_true(ingest_rate_allows(&binding, second));
        assert_false(ingest_rate_allows(&binding, second));
        assert_false(ingest_rate_allows(&binding, second));
    }
    binding.options.per_second = 0;
    assert_true(ingest_rate_allows(&binding, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_number),
                                       cmocka_unit_test(test_paths), cmocka_unit_test(test_rate)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
