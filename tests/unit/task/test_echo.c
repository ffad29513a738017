/* Which forwarded STATE an echo answers. */
#include "task_test.h"

#include "task/echo.h"

enum { STREAMS = 2, ALL = TASK_ECHO_ALL, NOTHING = -2 };

static struct airbyte_state_id id(long number)
{
    return (struct airbyte_state_id){(uint64_t)number, 7};
}

struct step {
    long sent; /* an id, or 0 */
    long stream;
    long echoed;  /* an id, or 0 */
    long answers; /* the stream of the entry found, or NOTHING */
    size_t waiting;
};

static void play(const char *what, const struct step *steps, size_t count)
{
    struct task_echoes echoes;
    task_echoes_init(&echoes, STREAMS);
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        if (step->sent) {
            const struct task_sent sent[STREAMS] = {{(uint64_t)step->sent, 1},
                                                    {(uint64_t)step->sent + 100, 2}};
            task_echoes_add(&echoes, id(step->sent), step->stream, sent);
        } else {
            const struct task_echo_entry *found = task_echoes_match(&echoes, id(step->echoed));
            if (!found != (step->answers == NOTHING))
                fail_msg("%s, step %zu: %s", what, i, found ? "found" : "not found");
            if (found) {
                assert_int_equal(found->stream, step->answers);
                assert_int_equal(found->sent[0].documents, step->echoed);
                if (found->stream == ALL)
                    assert_int_equal(found->sent[1].documents, step->echoed + 100);
            }
        }
        if (task_echoes_waiting(&echoes) != step->waiting)
            fail_msg("%s, step %zu: %zu wait", what, i, task_echoes_waiting(&echoes));
    }
    task_echoes_done(&echoes);
}

#define PLAY(what, ...)                                  \
    do {                                                 \
        const struct step steps[] = {__VA_ARGS__};       \
        play(what, steps, sizeof steps / sizeof *steps); \
    } while (0)

static void test_echoes(void **state)
{
    PLAY("in order", {1, 0, 0, 0, 1}, {2, 1, 0, 0, 2}, {0, 0, 1, 0, 1}, {0, 0, 2, 1, 0});
    PLAY("what was never sent", {1, 0, 0, 0, 1}, {0, 0, 9, NOTHING, 1}, {0, 0, 1, 0, 0});
    PLAY("twice", {1, 0, 0, 0, 1}, {0, 0, 1, 0, 0}, {0, 0, 1, NOTHING, 0});
    PLAY("streams apart", {1, 0, 0, 0, 1}, {2, 1, 0, 0, 2}, {0, 0, 2, 1, 1}, {0, 0, 1, 0, 0});
    PLAY("the last of a stream stands for the earlier ones", {1, 0, 0, 0, 1}, {2, 1, 0, 0, 2},
         {3, 0, 0, 0, 3}, {0, 0, 3, 0, 1}, {0, 0, 1, NOTHING, 1}, {0, 0, 2, 1, 0});
    PLAY("a global one stands for all before it", {1, ALL, 0, 0, 1}, {2, ALL, 0, 0, 2}, {3, ALL, 0, 0, 3},
         {0, 0, 2, ALL, 1}, {0, 0, 3, ALL, 0});
    PLAY("the same state twice: the first is answered first", {1, 0, 0, 0, 1}, {1, 0, 0, 0, 2},
         {0, 0, 1, 0, 1}, {0, 0, 1, 0, 0});
}

/* A long sync: what was answered is let go. */
static void test_many(void **state)
{
    struct task_echoes echoes;
    task_echoes_init(&echoes, STREAMS);
    for (int i = 1; i <= 100000; i++) {
        const struct task_sent sent = {(uint64_t)i, 0};
        task_echoes_add(&echoes, id(i), i % 2, &sent);
        if (i > 10)
            assert_non_null(task_echoes_match(&echoes, id(i - 10)));
    }
    assert_int_equal(task_echoes_waiting(&echoes), 10);
    assert_true(echoes.capacity < 10000);
    task_echoes_done(&echoes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_echoes), cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
