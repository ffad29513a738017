/* What the checkpoint keeps of a Flow connector: taken in, written, loaded again; and what is too much. */
#include "task_test.h"

#include "task/checkpoint.h"

static void take(struct task_checkpoint *checkpoint, const struct task_flow_item *item)
{
    struct error err;
    if (task_flow_saved_take(&checkpoint->flow, item, &err) < 0)
        fail_msg("%s", err.message);
}

static void write_and_load(const struct task_checkpoint *from, struct task_checkpoint *into)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    task_checkpoint_write(from, &text);
    task_checkpoint_init(into);
    if (task_checkpoint_load(into, (struct slice){text.data, text.size}, &err) < 0)
        fail_msg("%s: %s", err.message, buffer_cstr(&text));
    buffer_done(&text);
}

static void expect_state(const struct task_checkpoint *checkpoint, const char *text)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    flow_state_write(checkpoint->flow.state, &out);
    assert_string_equal(buffer_cstr(&out), text);
    buffer_done(&out);
}

static void test_written_and_loaded(void **state)
{
    (void)state;
    struct task_checkpoint checkpoint, back;
    task_checkpoint_init(&checkpoint);
    struct task_saved_stream *stream = task_checkpoint_stream(
        &checkpoint, (struct airbyte_stream_name){.name = SLICE_LITERAL("public/users")});
    const struct flow_connector_state first = {SLICE_LITERAL("{\"a\":{\"b\":1,\"c\":2}}"), true};
    const struct flow_connector_state second = {SLICE_LITERAL("{\"a\":{\"b\":null},\"d\":\"\\u00e9\"}"),
                                                true};
    const struct task_sourced_schema schemas[] = {
        {SLICE_LITERAL("public/users"), SLICE_LITERAL("{\"type\":\"object\"}")},
        {SLICE_LITERAL("public/\"x\""), SLICE_LITERAL("{}")},
        {SLICE_LITERAL("public/users"), SLICE_LITERAL("{\"type\":[\"object\"]}")},
    };
    take(&checkpoint, &(struct task_flow_item){.version = "v1", .paths = "[[\"public\",\"users\"]]"});
    take(&checkpoint, &(struct task_flow_item){.state = &first, .backfill_begun = stream, .wall_ms = 5});
    take(&checkpoint, &(struct task_flow_item){.state = &second, .schemas = schemas, .schema_count = 3});
    write_and_load(&checkpoint, &back);
    expect_state(&back, "{\"a\":{\"c\":2},\"d\":\"\\u00e9\"}");
    assert_string_equal(back.flow.version, "v1");
    assert_string_equal(back.flow.paths, "[[\"public\",\"users\"]]");
    assert_string_equal(map_get(&back.flow.schemas, SLICE_LITERAL("public/users")),
                        "{\"type\":[\"object\"]}");
    assert_string_equal(map_get(&back.flow.schemas, SLICE_LITERAL("public/\"x\"")), "{}");
    assert_int_equal(back.streams[0]->backfill_begun_ms, 5);
    assert_int_equal(back.streams[0]->backfill_completed_ms, 0);
    stream = back.streams[0];
    take(&back, &(struct task_flow_item){.backfill_completed = stream, .wall_ms = 9});
    assert_int_equal(stream->backfill_completed_ms, 9);
    take(&back, &(struct task_flow_item){.backfill_begun = stream, .wall_ms = 12}); /* another one */
    assert_int_equal(stream->backfill_begun_ms, 12);
    assert_int_equal(stream->backfill_completed_ms, 0);
    task_checkpoint_done(&checkpoint);
    task_checkpoint_done(&back);
}

/* A task that never met such a connector has nothing of it in its checkpoint, as before there were any. */
static void test_nothing(void **state)
{
    (void)state;
    struct task_checkpoint checkpoint, back;
    struct buffer text;
    task_checkpoint_init(&checkpoint);
    buffer_init(&text, BUFFER_UNLIMITED);
    task_checkpoint_write(&checkpoint, &text);
    assert_null(strstr(buffer_cstr(&text), "flow"));
    write_and_load(&checkpoint, &back);
    expect_state(&back, "{}");
    buffer_done(&text);
    task_checkpoint_done(&checkpoint);
    task_checkpoint_done(&back);
}

static void test_too_many_schemas(void **state)
{
    (void)state;
    struct task_checkpoint checkpoint;
    task_checkpoint_init(&checkpoint);
    char *large = mem_alloc(TASK_SOURCED_SCHEMAS_MAX);
    memset(large, ' ', TASK_SOURCED_SCHEMAS_MAX);
    large[0] = '{';
    large[TASK_SOURCED_SCHEMAS_MAX - 1] = '}';
    struct task_sourced_schema schemas[] = {
        {SLICE_LITERAL("a"), SLICE_LITERAL("{}")},
        {SLICE_LITERAL("b"), {large, TASK_SOURCED_SCHEMAS_MAX}},
        {SLICE_LITERAL("c"), SLICE_LITERAL("{}")},
    };
    const struct task_flow_item item = {.schemas = schemas, .schema_count = 3};
    take(&checkpoint, &item);
    assert_non_null(map_get(&checkpoint.flow.schemas, SLICE_LITERAL("a")));
    assert_null(map_get(&checkpoint.flow.schemas, SLICE_LITERAL("b")));
    assert_non_null(map_get(&checkpoint.flow.schemas, SLICE_LITERAL("c")));
    assert_true(checkpoint.flow.schemas_dropped);
    assert_int_equal(checkpoint.flow.schema_bytes, 4);
    /* Replacing gives room back. */
    schemas[1].name = SLICE_LITERAL("a");
    schemas[2].name = SLICE_LITERAL("b");
    take(&checkpoint, &item);
    assert_null(map_get(&checkpoint.flow.schemas, SLICE_LITERAL("a")));
    assert_int_equal(checkpoint.flow.schema_bytes, 4);
    free(large);
    task_checkpoint_done(&checkpoint);
}

static void test_corrupt(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "{}",
        "{\"version\":1,\"paths\":[],\"state\":{},\"schemas\":{}}",
        "{\"version\":\"\",\"paths\":{},\"state\":{},\"schemas\":{}}",
        "{\"version\":\"\",\"paths\":[],\"state\":[],\"schemas\":{}}",
        "{\"version\":\"\",\"paths\":[],\"state\":{}}",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct task_checkpoint checkpoint;
        struct error err;
        auto_free char *text = mem_printf(
            "{\"version\":1,\"session\":1,\"complete\":true,\"airbyte\":[],\"flow\":%s,\"streams\":[]}",
            parts[i]);
        task_checkpoint_init(&checkpoint);
        assert_int_equal(task_checkpoint_load(&checkpoint, slice_of(text), &err), -1);
        assert_int_equal(err.code, ERROR_CORRUPT);
        task_checkpoint_done(&checkpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_and_loaded),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_too_many_schemas),
        cmocka_unit_test(test_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
