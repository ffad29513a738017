/* What the daemon and its planning processes say to each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/plan_message.h"

static struct json parse(struct arena *arena, struct slice text)
{
    struct json doc;
    struct error err;
    if (json_parse_copy(arena, text.data, text.size, &doc, &err) < 0)
        fail_msg("%.*s: %s", SLICE_ARGS(text), err.message);
    return doc;
}

static void test_request(void **state)
{
    static const char *const tasks[] = {"acmeCo/a \"b\"", "c"};
    const struct plan_request request = {.data_dir = "/d\xc3\xa4ta",
                                         .commit_ms = 7,
                                         .stall_ms = UINT64_MAX,
                                         .images = true,
                                         .tasks = tasks,
                                         .task_count = 2,
                                         .snapshot = SLICE_LITERAL("{\"files\":[1.50]}")};
    struct plan_request back;
    struct buffer text;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    buffer_init(&text, BUFFER_UNLIMITED);
    plan_request_write(&text, &request);
    assert_int_equal(plan_request_read((struct slice){text.data, text.size}, &arena, &back, &err), 0);
    assert_string_equal(back.data_dir, request.data_dir);
    assert_int_equal(back.commit_ms, 7);
    assert_true(back.stall_ms == UINT64_MAX && back.images);
    assert_int_equal(back.task_count, 2);
    assert_string_equal(back.tasks[0], tasks[0]);
    assert_string_equal(back.tasks[1], tasks[1]);
    assert_true(slice_is(back.snapshot, "{\"files\":[1.50]}"));
    buffer_done(&text);
    arena_done(&arena);
}

static struct plan_answer round_trip(struct arena *arena, const struct plan_answer *answer)
{
    struct plan_answer back;
    struct buffer text;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    plan_answer_write(&text, answer);
    assert_int_equal(text.data[text.size - 1], '\n');
    assert_null(memchr(text.data, '\n', text.size - 1));
    struct json *line = arena_alloc(arena, sizeof *line);
    *line = parse(arena, (struct slice){text.data, text.size - 1});
    if (plan_answer_read(line, arena, &back, &err) < 0)
        fail_msg("%s: %s", buffer_cstr(&text), err.message);
    assert_int_equal(back.type, answer->type);
    buffer_done(&text);
    return back;
}

static void test_planned(void **state)
{
    static const char *const bindings[] = {"one", "two"};
    static const char *const crons[] = {NULL,
                                        "0 3 * * *",
                                        "30 15 10 ? * MON-FRI 2026-2030",
                                        "@hourly",
                                        "0 0 12 L-3 * ?",
                                        "0 0 12 15W * ?",
                                        "0 0 12 ? * 6L,MON#2"};
    for (size_t i = 0; i < sizeof crons / sizeof *crons; i++) {
        struct arena arena;
        struct error err;
        struct plan_answer answer = {.type = PLAN_PLANNED,
                                     .task = "acmeCo/x",
                                     .definition = {.name = "acmeCo/x",
                                                    .kind = (enum task_kind)(i % TASK_KIND_MAX),
                                                    .bindings = bindings,
                                                    .binding_count = i % 3,
                                                    .schedule.interval_ms = 1000 * i,
                                                    .spec = SLICE_LITERAL("{\"version\":1,\"n\":1e400}")}};
        if (crons[i]) {
            answer.definition.schedule.has_cron = true;
            assert_int_equal(cron_parse(crons[i], &answer.definition.schedule.cron, &err), 0);
        }
        arena_init(&arena);
        const struct plan_answer back = round_trip(&arena, &answer);
        assert_string_equal(back.definition.name, "acmeCo/x");
        assert_int_equal(back.definition.kind, answer.definition.kind);
        assert_int_equal(back.definition.binding_count, answer.definition.binding_count);
        for (size_t j = 0; j < i % 3; j++)
            assert_string_equal(back.definition.bindings[j], bindings[j]);
        assert_true(slice_equal(back.definition.spec, answer.definition.spec));
        assert_true(back.definition.schedule.interval_ms == answer.definition.schedule.interval_ms);
        assert_true(back.definition.schedule.has_cron == (crons[i] != NULL));
        for (int64_t after = 1767225600000; crons[i] && after < 1767225600000 + 4 * 86400000LL;
             after += 5000000)
            assert_true(cron_next(&back.definition.schedule.cron, after) ==
                        cron_next(&answer.definition.schedule.cron, after));
        arena_done(&arena);
    }
}

static void test_other_answers(void **state)
{
    struct arena arena;
    struct plan_answer answer = {.type = PLAN_FAILED, .task = "t"};
    arena_init(&arena);
    error_set(&answer.error, ERROR_NOT_FOUND, "flow.yaml:1:2: no \"such\" image");
    answer.error.retriable = true;
    struct plan_answer back = round_trip(&arena, &answer);
    assert_string_equal(back.error.message, answer.error.message);
    assert_int_equal(back.error.code, ERROR_NOT_FOUND);
    assert_true(back.error.retriable);
    back = round_trip(&arena, &(struct plan_answer){.type = PLAN_IMAGE, .task = "t", .text = "a/b:1 c/d"});
    assert_string_equal(back.text, "a/b:1 c/d");
    back = round_trip(&arena, &(struct plan_answer){.type = PLAN_NOTE, .text = "pulling\na lot"});
    assert_string_equal(back.text, "pulling\na lot");
    round_trip(&arena, &(struct plan_answer){.type = PLAN_ALIVE});
    arena_done(&arena);
}

static void test_what_is_none(void **state)
{
    static const char *const lines[] = {
        "{}",
        "[]",
        "{\"failed\":{\"task\":\"t\"}}",
        "{\"failed\":{\"message\":\"m\",\"code\":\"io\"}}",
        "{\"planned\":{\"task\":\"t\",\"kind\":\"capture\",\"bindings\":[],\"intervalMs\":1}}",
        "{\"planned\":{\"task\":\"t\",\"kind\":\"walk\",\"bindings\":[],\"intervalMs\":1,\"spec\":{}}}",
        "{\"planned\":{\"task\":\"t\",\"kind\":\"capture\",\"bindings\":[5],\"intervalMs\":1,\"spec\":{}}}",
        ("{\"planned\":{\"task\":\"t\",\"kind\":\"capture\",\"bindings\":[],\"intervalMs\":1,"
         "\"cron\":{},\"spec\":{}}}"),
        "{\"image\":{\"task\":\"t\"}}",
        "{\"note\":{}}",
    };
    static const char *const requests[] = {
        "",
        "{}",
        "{\"version\":2,\"dataDir\":\"d\",\"commitMs\":0,\"stallMs\":0,\"tasks\":[],\"snapshot\":{}}",
        "{\"version\":1,\"dataDir\":\"d\",\"commitMs\":0,\"stallMs\":0,\"tasks\":[1],\"snapshot\":{}}",
        "{\"version\":1,\"dataDir\":\"d\",\"commitMs\":0,\"stallMs\":0,\"tasks\":[],\"snapshot\":[]}",
    };
    struct arena arena;
    struct error err;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct plan_answer answer;
        struct json line = parse(&arena, slice_of(lines[i]));
        assert_int_equal(plan_answer_read(&line, &arena, &answer, &err), -1);
        assert_int_equal(err.code, ERROR_PROTOCOL);
    }
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct plan_request request;
        assert_int_equal(plan_request_read(slice_of(requests[i]), &arena, &request, &err), -1);
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_planned),
        cmocka_unit_test(test_other_answers),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
