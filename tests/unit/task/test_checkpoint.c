/* Checkpoints: written and read back; what is no checkpoint of ours is refused. */
#include "task_test.h"

#include "task/checkpoint.h"

static void apply(struct task_checkpoint *checkpoint, const char *text)
{
    struct arena arena;
    struct error err;
    arena_init(&arena);
    struct json line;
    struct airbyte_message message;
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    assert_int_equal(json_parse(parser, text, strlen(text), &line, &err), 0);
    assert_int_equal(airbyte_decode(&line, &arena, &message, &err), 0);
    assert_int_equal(airbyte_states_apply(checkpoint->states, &line, &message, &err), 0);
    json_parser_free(parser);
    arena_done(&arena);
}

/* A source's state may have a duplicate key: it is kept as it came. */
static void test_round_trip(void **state)
{
    struct task_checkpoint checkpoint, back;
    struct buffer text, again;
    struct error err;
    const struct airbyte_stream_name users = {slice_of("users"), slice_of("public")},
                                     plain = {slice_of("users"), {0}};
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_init(&again, BUFFER_UNLIMITED);
    task_checkpoint_init(&checkpoint);
    checkpoint.session = 7;
    struct task_saved_stream *saved = task_checkpoint_stream(&checkpoint, users);
    assert_ptr_equal(saved, task_checkpoint_stream(&checkpoint, users));
    assert_ptr_not_equal(saved, task_checkpoint_stream(&checkpoint, plain));
    *saved = (struct task_saved_stream){saved->name, saved->namespace, "acmeCo/users", 3, 4, UINT64_MAX, 6, 7,
                                        true};
    saved->replacing = true;
    apply(&checkpoint,
          "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":"
          "{\"name\":\"users\",\"namespace\":\"public\"},\"stream_state\":{\"n\":1.10,\"n\":2}}}}");
    checkpoint.configs[TASK_DESTINATION] = (struct task_saved_config){UINT64_MAX, "c2VhbGVk"};
    task_checkpoint_write(&checkpoint, &text);

    task_checkpoint_init(&back);
    if (task_checkpoint_load(&back, (struct slice){text.data, text.size}, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(back.existed);
    assert_false(back.complete);
    assert_int_equal(back.session, 7);
    assert_int_equal(back.stream_count, 2);
    const struct task_saved_stream *loaded = task_checkpoint_stream(&back, users);
    assert_string_equal(loaded->name, "users");
    assert_string_equal(loaded->namespace, "public");
    assert_string_equal(loaded->target, "acmeCo/users");
    assert_int_equal(loaded->backfill, 3);
    assert_int_equal(loaded->generation, 4);
    assert_true(loaded->documents == UINT64_MAX);
    assert_int_equal(loaded->invalid, 7);
    assert_true(loaded->replacing);
    assert_false(task_checkpoint_stream(&back, plain)->replacing);
    assert_false(loaded->in_use);
    assert_null(back.configs[TASK_SOURCE].sealed);
    assert_string_equal(back.configs[TASK_DESTINATION].sealed, "c2VhbGVk");
    assert_true(back.configs[TASK_DESTINATION].identity == UINT64_MAX);
    task_checkpoint_write(&back, &again);
    assert_int_equal(again.size, text.size);
    assert_memory_equal(again.data, text.data, text.size);
    buffer_done(&text);
    buffer_done(&again);
    task_checkpoint_done(&checkpoint);
    task_checkpoint_done(&back);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
    } cases[] = {
        {"{", ERROR_CORRUPT},
        {"[]", ERROR_CORRUPT},
        {"{\"version\":2}", ERROR_UNSUPPORTED},
        {"{\"version\":1}", ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[]}", ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[7],\"streams\":[]}", ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[],\"streams\":[{}]}", ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[],\"streams\":[{\"name\":\"a\",\"target\":\"b\"}]}",
         ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[],\"streams\":[],\"sourceConfig\":{\"of\":1}}",
         ERROR_CORRUPT},
        {"{\"version\":1,\"session\":1,\"airbyte\":[],\"streams\":[]}", ERROR_NONE},
        {"", ERROR_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct task_checkpoint checkpoint;
        struct error err = {.code = ERROR_NONE};
        task_checkpoint_init(&checkpoint);
        int result = task_checkpoint_load(&checkpoint, slice_of(cases[i].text), &err);
        if (err.code != cases[i].code || (result < 0) != (cases[i].code != ERROR_NONE))
            fail_msg("%s: %d", cases[i].text, err.code);
        assert_int_equal(checkpoint.existed, result == 0 && *cases[i].text);
        task_checkpoint_done(&checkpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
