/* The display's model and its drawing, with a made clock: rates, estimates, and frames that fit any width. */
#include "cli/columns.h"
#include "cli/progress_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND 1000000000ull

static const char *const names[] = {"acmeCo/users", "acmeCo/products"};
static const struct supervisor_task faker = {"acmeCo/faker", TASK_CAPTURE, 0, names, 2};

static struct task_binding_progress bindings[2];

/* `ms` into the session `users` users have come. */
static void report(struct progress_model *model, uint64_t ms, uint64_t users, double estimate)
{
    bindings[0] = (struct task_binding_progress){.name = names[0],
                                                 .documents = users,
                                                 .bytes = users * 300,
                                                 .committed_documents = users,
                                                 .committed_bytes = users * 300,
                                                 .row_estimate = estimate,
                                                 .byte_estimate = -1,
                                                 .lag_ms = 42};
    bindings[1] = (struct task_binding_progress){.name = names[1],
                                                 .documents = 100,
                                                 .bytes = 18000,
                                                 .row_estimate = estimate > 0 ? 100 : -1,
                                                 .byte_estimate = -1,
                                                 .lag_ms = -1,
                                                 .complete = true};
    const struct task_progress progress = {.elapsed_ms = ms, .bindings = bindings, .binding_count = 2};
    progress_model_progress(model, &faker, &progress, ms * 1000000);
}

static int set_up(void **state)
{
    struct progress_model *model = mem_alloc(sizeof *model);
    progress_model_init(model);
    progress_model_add(model, &faker);
    *state = model;
    return 0;
}

static int tear_down(void **state)
{
    progress_model_done(*state);
    free(*state);
    return 0;
}

static void test_rate_follows(void **state)
{
    struct progress_model *model = *state;
    const struct progress_task *task = model->tasks;
    progress_model_started(model, &faker, 0);
    for (uint64_t i = 1; i <= 40; i++)
        report(model, i * 250, i * 1000, -1);
    assert_float_equal(progress_rate(task, &task->bindings[0], 10 * SECOND), 4000, 1);
    /* Twice as fast: after three seconds most of the change is seen, after ten all. */
    for (uint64_t i = 1; i <= 12; i++)
        report(model, 10000 + i * 250, 40000 + i * 2000, -1);
    double rate = progress_rate(task, &task->bindings[0], 13 * SECOND);
    assert_true(rate > 6000 && rate < 8000);
    /* Silence: unchanged for a moment, then it sinks to nothing. */
    assert_float_equal(progress_rate(task, &task->bindings[0], 14 * SECOND), rate, 0.001);
    assert_true(progress_rate(task, &task->bindings[0], 18 * SECOND) < rate / 2);
    assert_true(progress_rate(task, &task->bindings[0], 60 * SECOND) < 1);
}

static void test_estimates(void **state)
{
    struct progress_model *model = *state;
    const struct progress_task *task = model->tasks;
    progress_model_started(model, &faker, 0);
    assert_true(progress_fraction(&task->bindings[0]) < 0);
    report(model, 1000, 1000, 10000);
    assert_float_equal(progress_fraction(&task->bindings[0]), 0.1, 1e-9);
    assert_float_equal(progress_seconds_left(task, &task->bindings[0], SECOND), 9, 1e-6);
    /* More than was estimated is not more than all. */
    report(model, 2000, 20000, 10000);
    assert_float_equal(progress_fraction(&task->bindings[0]), 1, 1e-9);
    assert_true(progress_seconds_left(task, &task->bindings[0], SECOND) < 0);
    assert_float_equal(progress_fraction(&task->bindings[1]), 1, 1e-9);
}

static void test_sessions_add_up(void **state)
{
    struct progress_model *model = *state;
    const struct progress_task *task = model->tasks;
    struct error err;
    error_set(&err, ERROR_CONNECTOR, "source-faker exited with status 1");
    progress_model_started(model, &faker, 0);
    report(model, 1000, 500, -1);
    progress_model_ended(model, &faker, TASK_FAILED, &err, 1000);
    assert_int_equal(task->state, PROGRESS_FAILED);
    assert_string_equal(task->error, err.message);
    progress_model_waiting(model, &faker, SUPERVISOR_WAIT_BACKOFF, 2000, SECOND);
    assert_int_equal(task->state, PROGRESS_WAITING);
    progress_model_started(model, &faker, 3 * SECOND);
    assert_null(task->error);
    assert_int_equal(task->bindings[0].documents, 0);
    assert_int_equal(task->bindings[0].earlier_documents, 500);
    report(model, 500, 70, -1);
    progress_model_ended(model, &faker, TASK_COMPLETED, NULL, 500);
    assert_int_equal(task->bindings[0].earlier_documents + task->bindings[0].committed_documents, 570);
    assert_int_equal(task->earlier_ms, 1500);
    assert_int_equal(task->sessions, 2);
    assert_int_equal(task->failures, 1);
}

static void draw(const struct progress_model *model, size_t columns, size_t rows, bool color,
                 struct progress_frame *frame)
{
    const struct progress_view view = {columns, rows, color, true};
    progress_draw(model, &view, 12 * SECOND, frame);
    buffer_byte(&frame->text, 0);
}

static void test_frame(void **state)
{
    struct progress_model *model = *state;
    struct progress_frame frame;
    progress_frame_init(&frame);
    progress_model_started(model, &faker, 0);
    for (uint64_t i = 1; i <= 12; i++)
        report(model, i * 1000, i * 50000, 1000000);
    draw(model, 100, 24, false, &frame);
    assert_string_equal(frame.text.data,
                        "⠋ capture acmeCo/faker  runs for 12 s\n"
                        "  acmeCo/users     ━━━━━━━━━━━━━━━━━━              600,000   180 MB  50,000/s  lag "
                        "42 ms   8 s left\n"
                        "  acmeCo/products  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━      100  18.0 kB      done\n");
    /* Everything has room in 80 columns. */
    draw(model, 80, 24, false, &frame);
    static const char *const all[] = {"━", "600,000", "180 MB", "50,000/s", "lag 42 ms", "8 s left"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_non_null(strstr(frame.text.data, all[i]));
    draw(model, 50, 24, false, &frame);
    assert_null(strstr(frame.text.data, "━"));
    assert_non_null(strstr(frame.text.data, "600,000"));
    progress_frame_done(&frame);
}

/* Whatever the size, lines stay inside it, in columns and in rows, and text stays valid. */
static void test_frames_fit_any_terminal(void **state)
{
    struct progress_model *model = *state;
    struct progress_frame frame;
    struct error err;
    error_set(&err, ERROR_CONNECTOR,
              "a message that is rather long for a narrow terminal\nwith a second line — ü");
    progress_frame_init(&frame);
    progress_model_started(model, &faker, 0);
    report(model, 1000, 123456789012ull, 1e12);
    for (int failed = 0; failed < 2; failed++) {
        for (size_t columns = 1; columns < 200; columns++) {
            for (size_t rows = 1; rows < 12; rows += 3) {
                draw(model, columns, rows, columns % 2, &frame);
                size_t width = columns < 16 ? 16 : columns;
                assert_in_range(frame.lines, 1, rows > 4 ? rows - 1 : 3);
                for (size_t i = 0; i < frame.lines; i++)
                    assert_in_range(frame.columns[i], 0, width - 1);
                assert_true(utf8_valid(frame.text.data, frame.text.size));
            }
        }
        progress_model_ended(model, &faker, TASK_FAILED, &err, 1000);
    }
    progress_frame_done(&frame);
}

static void test_many_tasks(void **state)
{
    struct progress_model *model = *state;
    struct progress_frame frame;
    char name[32];
    for (size_t i = 1; i < 1000; i++) {
        snprintf(name, sizeof name, "acmeCo/task-%zu", i);
        progress_model_add(model, &(struct supervisor_task){name, TASK_CONNECTION, i, names, 1});
    }
    progress_model_started(model,
                           &(struct supervisor_task){"acmeCo/task-999", TASK_CONNECTION, 999, names, 1}, 0);
    progress_frame_init(&frame);
    draw(model, 80, 24, false, &frame);
    assert_in_range(frame.lines, 10, 23);
    /* What runs is shown although it is the last of them. */
    assert_non_null(strstr(frame.text.data, "acmeCo/task-999"));
    assert_non_null(strstr(frame.text.data, "more tasks"));
    progress_frame_done(&frame);
}

static void test_rows_after_resize(void **state)
{
    struct progress_frame frame = {.lines = 3, .columns = {79, 0, 40}};
    assert_int_equal(progress_frame_rows(&frame, 80), 3);
    assert_int_equal(progress_frame_rows(&frame, 40), 4);
    assert_int_equal(progress_frame_rows(&frame, 39), 6);
}

static void test_plain_line(void **state)
{
    struct progress_model *model = *state;
    struct buffer line;
    progress_model_started(model, &faker, 0);
    report(model, 1000, 1500, 3000);
    buffer_init(&line, 4096);
    progress_plain(model->tasks, SECOND, &line);
    assert_string_equal(buffer_cstr(&line),
                        "capture acmeCo/faker: acmeCo/users 1,500 documents, 450 kB, 1,500/s, 50%, "
                        "lag 42 ms; acmeCo/products 100 documents, 18.0 kB, done");
    buffer_done(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rate_follows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_estimates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frames_fit_any_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_tasks, set_up, tear_down),
        cmocka_unit_test(test_rows_after_resize),
        cmocka_unit_test_setup_teardown(test_plain_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
