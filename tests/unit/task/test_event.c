/* Events: written and read back. */
#include "task_test.h"

#include "task/event.h"

/* Write, check that it is one line, read. */
static struct task_event round_trip(struct arena *arena, const struct task_event *event, const char *task)
{
    struct buffer line;
    struct error err;
    struct task_event back;
    buffer_init(&line, TASK_EVENT_LINE_MAX);
    task_event_write(&line, task, event);
    assert_ptr_equal(memchr(line.data, '\n', line.size), line.data + line.size - 1);
    struct json doc = must_parse(arena, arena_strndup(arena, line.data, line.size));
    if (task_event_read(&doc, arena, &back, &err) != 1)
        fail_msg("%.*s", (int)line.size, line.data);
    assert_int_equal(back.type, event->type);
    buffer_done(&line);
    return back;
}

static void test_progress(void **state)
{
    struct arena arena;
    arena_init(&arena);
    const struct task_binding_progress bindings[] = {
        {.name = "acmeCo/\"users\"",
         .stream = "users",
         .documents = UINT64_MAX,
         .bytes = 2,
         .committed_documents = 3,
         .committed_bytes = 4,
         .invalid = 5,
         .rejected = 6,
         .row_estimate = 1e6,
         .byte_estimate = -1,
         .lag_ms = 12,
         .complete = true},
        {.name = "b", .stream = "", .row_estimate = -1, .byte_estimate = 7, .lag_ms = -1},
    };
    struct task_event event = {.type = TASK_EVENT_PROGRESS};
    event.progress = (struct task_progress){.elapsed_ms = 1,
                                            .commits = 2,
                                            .cpu_ms = 3,
                                            .memory_peak = 4,
                                            .bindings = bindings,
                                            .binding_count = 2};
    struct task_progress back = round_trip(&arena, &event, NULL).progress;
    assert_int_equal(back.elapsed_ms, 1);
    assert_int_equal(back.commits, 2);
    assert_int_equal(back.cpu_ms, 3);
    assert_int_equal(back.memory_peak, 4);
    assert_int_equal(back.binding_count, 2);
    assert_string_equal(back.bindings[0].name, "acmeCo/\"users\"");
    assert_true(back.bindings[0].documents == UINT64_MAX);
    assert_int_equal(back.bindings[0].committed_documents, 3);
    assert_int_equal(back.bindings[0].committed_bytes, 4);
    assert_int_equal(back.bindings[0].invalid, 5);
    assert_int_equal(back.bindings[0].rejected, 6);
    assert_true(back.bindings[0].row_estimate == 1e6 && back.bindings[0].byte_estimate < 0);
    assert_int_equal(back.bindings[0].lag_ms, 12);
    assert_true(back.bindings[0].complete);
    assert_true(back.bindings[1].row_estimate < 0 && back.bindings[1].byte_estimate == 7);
    assert_true(back.bindings[1].lag_ms < 0 && !back.bindings[1].complete);
    arena_done(&arena);
}

static void test_others(void **state)
{
    struct arena arena;
    arena_init(&arena);
    struct task_event started = {.type = TASK_EVENT_STARTED,
                                 .started = {.source = "s", .sink = "collections", .resumed = true}};
    struct task_event back = round_trip(&arena, &started, "acmeCo/x");
    assert_string_equal(back.started.source, "s");
    assert_true(back.started.resumed);

    struct task_event log = {.type = TASK_EVENT_LOG,
                             .log = {.level = LOG_WARN, .origin = "source-x", .message = "a\nb\xff"}};
    back = round_trip(&arena, &log, NULL);
    assert_int_equal(back.log.level, LOG_WARN);
    assert_string_equal(back.log.message, "a\nb\xef\xbf\xbd");

    struct task_event config = {.type = TASK_EVENT_CONFIG,
                                .config = {.destination = true, .config = SLICE_LITERAL("{\"a\":1.50}")}};
    back = round_trip(&arena, &config, NULL);
    assert_true(back.config.destination && slice_is(back.config.config, "{\"a\":1.50}"));

    struct task_event ended = {.type = TASK_EVENT_ENDED, .ended = {.outcome = TASK_STOPPED}};
    assert_int_equal(round_trip(&arena, &ended, NULL).ended.outcome, TASK_STOPPED);
    for (int code = ERROR_INVALID; code < ERROR_CODE_MAX; code++) {
        ended.ended.outcome = TASK_FAILED;
        error_set(&ended.ended.error, (enum error_code)code, "why %d", code);
        ended.ended.error.retriable = code % 2;
        back = round_trip(&arena, &ended, NULL);
        assert_int_equal(back.ended.outcome, TASK_FAILED);
        assert_int_equal(back.ended.error.code, code);
        assert_int_equal(back.ended.error.retriable, code % 2);
        assert_string_equal(back.ended.error.message, ended.ended.error.message);
    }
    arena_done(&arena);
}

static void test_unknown(void **state)
{
    static const struct {
        const char *line;
        int result;
    } cases[] = {
        {"{\"event\":\"dreamt\"}", 0},
        {"{\"event\":7}", -1},
        {"{}", -1},
        {"[]", -1},
        {"{\"event\":\"ended\",\"outcome\":\"flew\"}", -1},
        {"{\"event\":\"ended\"}", -1},
        {"{\"event\":\"config\",\"config\":7}", -1},
        {"{\"event\":\"progress\"}", 1},
        {"{\"event\":\"progress\",\"bindings\":[{}]}", 1},
        {"{\"event\":\"log\"}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena);
        struct json doc = must_parse(&arena, cases[i].line);
        struct task_event event;
        struct error err;
        int result = task_event_read(&doc, &arena, &event, &err);
        if (result != cases[i].result)
            fail_msg("%s: %d", cases[i].line, result);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
