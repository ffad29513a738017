/* Stream names replaced in a message, there and back, every other byte kept. */
#include "task_test.h"

#include "task/rename.h"

static const struct {
    const char *name, *namespace, *target, *target_namespace;
} streams[] = {
    {"users", "", "raw_users", ""},
    {"orders", "public", "raw_orders", "lake"},
    {"q\"t", "", "raw_q\"t", "lake"},
    {"plain", "ns", "raw_plain", ""},
};
enum { STREAMS = 4 };

static void test_rename(void **state)
{
    /* NULL: comes back as it was. */
    static const struct {
        const char *from, *to, *back;
    } cases[] = {
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"data\":{\"stream\":\"users\"},\"emitted_"
         "at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"stream\":\"raw_users\",\"data\":{\"stream\":\"users\"},"
         "\"emitted_at\":1}}",
         NULL},
        {" {\"record\" : { \"namespace\" : \"public\" , \"data\" : { } , \"stream\" : \"orders\" , "
         "\"emitted_at\":1} ,\"type\":\"RECORD\"} ",
         " {\"record\" : { \"namespace\" : \"lake\" , \"data\" : { } , \"stream\" : \"raw_orders\" , "
         "\"emitted_at\":1} ,\"type\":\"RECORD\"} ",
         NULL},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"q\\u0022t\",\"data\":{},\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"namespace\":\"lake\",\"stream\":\"raw_q\\\"t\",\"data\":{},"
         "\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"stream\":\"q\\\"t\",\"data\":{},\"emitted_at\":1}}"},
        /* No namespace there: no member, wherever it stood. */
        {"{\"type\":\"RECORD\",\"record\":{ \"namespace\" : \"ns\" , \"stream\":\"plain\",\"data\":{},"
         "\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{ \"stream\":\"raw_plain\",\"data\":{},\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"namespace\":\"ns\", \"stream\":\"plain\",\"data\":{},"
         "\"emitted_at\":1}}"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"plain\" , \"namespace\":\"ns\" ,\"data\":{},"
         "\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"stream\":\"raw_plain\"  ,\"data\":{},\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"namespace\":\"ns\",\"stream\":\"plain\"  ,\"data\":{},"
         "\"emitted_at\":1}}"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
         "\"plain\",\"namespace\":\"ns\"},\"stream_state\":{}}}}",
         "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
         "\"raw_plain\"},\"stream_state\":{}}}}",
         "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{"
         "\"namespace\":\"ns\",\"name\":\"plain\"},\"stream_state\":{}}}}"},
        {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"namespace\":\"\",\"data\":{},\"emitted_"
         "at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"stream\":\"raw_users\",\"data\":{},\"emitted_at\":1}}",
         "{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"data\":{},\"emitted_at\":1}}"},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_state\":{\"name\":"
         "\"users\"},"
         "\"stream_descriptor\":{\"name\":\"orders\",\"namespace\":\"public\"}}}}",
         "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_state\":{\"name\":"
         "\"users\"},"
         "\"stream_descriptor\":{\"name\":\"raw_orders\",\"namespace\":\"lake\"}}}}",
         NULL},
        {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"a\":1.0},"
         "\"stream_states\":["
         "{\"stream_descriptor\":{\"name\":\"users\"},\"stream_state\":1},{\"stream_descriptor\":{\"name\":"
         "\"strange\"}},"
         "{\"stream_descriptor\":{\"namespace\":\"public\",\"name\":\"orders\"}}]}}}",
         "{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"a\":1.0},"
         "\"stream_states\":["
         "{\"stream_descriptor\":{\"name\":\"raw_users\"},\"stream_state\":1},{\"stream_descriptor\":{"
         "\"name\":\"strange\"}},"
         "{\"stream_descriptor\":{\"namespace\":\"lake\",\"name\":\"raw_orders\"}}]}}}",
         NULL},
        {"{\"type\":\"STATE\",\"state\":{\"data\":{\"name\":\"users\"}}}",
         "{\"type\":\"STATE\",\"state\":{\"data\":{\"name\":\"users\"}}}", NULL},
    };
    struct task_binding bindings[STREAMS] = {0};
    struct task task = {.bindings = bindings, .binding_count = STREAMS};
    for (size_t i = 0; i < STREAMS; i++) {
        bindings[i].source =
            (struct airbyte_stream_name){slice_of(streams[i].name), slice_of(streams[i].namespace)};
        bindings[i].target =
            (struct airbyte_stream_name){slice_of(streams[i].target), slice_of(streams[i].target_namespace)};
    }
    struct task_lookup there, back;
    task_lookup_init(&there, &task, TASK_LOOKUP_SOURCE);
    task_lookup_init(&back, &task, TASK_LOOKUP_TARGET);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct buffer out;
        struct error err;
        struct airbyte_message message;
        arena_init(&arena);
        buffer_init(&out, BUFFER_UNLIMITED);
        struct json line = must_parse(&arena, cases[i].from);
        if (airbyte_decode(&line, &arena, &message, &err) < 0)
            fail_msg("%s: %s", cases[i].from, err.message);
        task_rename(&out, &line, &message, &there);
        assert_string_equal(buffer_cstr(&out), cases[i].to);
        line = must_parse(&arena, cases[i].to);
        assert_int_equal(airbyte_decode(&line, &arena, &message, &err), 0);
        buffer_clear(&out);
        task_rename(&out, &line, &message, &back);
        assert_string_equal(buffer_cstr(&out), cases[i].back ? cases[i].back : cases[i].from);
        buffer_done(&out);
        arena_done(&arena);
    }
    task_lookup_done(&there);
    task_lookup_done(&back);
}

static void test_unknown_stream_is_named_with_the_nearest(void **state)
{
    struct task_binding bindings[2] = {{.source = {slice_of("users"), {0}}},
                                       {.source = {slice_of("orders"), {0}}}};
    struct task task = {.bindings = bindings, .binding_count = 2};
    struct task_lookup lookup;
    struct error err;
    task_lookup_init(&lookup, &task, TASK_LOOKUP_SOURCE);
    assert_null(task_lookup_find(&lookup, (struct airbyte_stream_name){slice_of("user"), {0}}));
    assert_null(task_lookup_find(&lookup, (struct airbyte_stream_name){slice_of("users"), slice_of("x")}));
    assert_ptr_equal(task_lookup_find(&lookup, (struct airbyte_stream_name){slice_of("orders"), {0}}),
                     &bindings[1]);
    task_lookup_unknown(&lookup, (struct airbyte_stream_name){slice_of("user"), slice_of("x")}, "source-x",
                        12, &err);
    assert_string_equal(err.message,
                        "source-x wrote to the stream 'user' of the namespace 'x', which nobody asked for "
                        "(line 12 of its output); the nearest that was is 'users' without a namespace");
    bindings[0].source.namespace = slice_of("y");
    task_lookup_unknown(&lookup, (struct airbyte_stream_name){slice_of("users"), {0}}, "source-x", 1, &err);
    assert_non_null(strstr(err.message, "the nearest that was is 'users' of the namespace 'y'"));
    task_lookup_done(&lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_unknown_stream_is_named_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
