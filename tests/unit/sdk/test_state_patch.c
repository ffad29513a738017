/* A state that goes through merge patches comes back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state_patch.h"

#include "protocol/flow_state.h"

static struct slice bytes_of(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->size};
}

/* From one kept form to the other by a patch, as a runtime applies it. */
static void check(const char *from, const char *to, const char *patch)
{
    struct buffer kept, wanted, said, got;
    struct json_writer writer;
    struct error err;
    struct json before, after;
    struct arena arena;
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    arena_init(&arena);
    buffer_init(&kept, BUFFER_UNLIMITED);
    buffer_init(&wanted, BUFFER_UNLIMITED);
    buffer_init(&said, BUFFER_UNLIMITED);
    buffer_init(&got, BUFFER_UNLIMITED);
    if (from)
        sdk_state_encode(parser, slice_of(from), &kept);
    sdk_state_encode(parser, slice_of(to), &wanted);
    json_writer_init(&writer, &said);
    sdk_state_put_patch(&writer, bytes_of(&kept), bytes_of(&wanted));
    if (patch)
        assert_string_equal(buffer_cstr(&said), patch);
    struct slice target = from ? bytes_of(&kept) : SLICE_LITERAL("null");
    assert_int_equal(flow_merge_patch(target, bytes_of(&said), &got, &err), 0);
    assert_int_equal(json_parse_copy(&arena, got.data, got.size, &after, &err), 0);
    struct slice state = sdk_state_decode(&after, 0);
    assert_true(state.size > 0);
    assert_int_equal(json_parse_copy(&arena, state.data, state.size, &after, &err), 0);
    assert_int_equal(json_parse_copy(&arena, to, strlen(to), &before, &err), 0);
    if (!json_equal(&before, 0, &after, 0))
        fail_msg("%s to %s by %s gave %s", from ? from : "nothing", to, buffer_cstr(&said),
                 buffer_cstr(&got));
    buffer_done(&kept);
    buffer_done(&wanted);
    buffer_done(&said);
    buffer_done(&got);
    arena_done(&arena);
    json_parser_free(parser);
}

static void test_patches(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *patch;
    } cases[] = {
        {NULL, "{\"a\":1}", "{\"a\":1}"},
        {"{\"a\":1}", "{\"a\":1}", "{}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", "{\"b\":3}"},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":3}", "{\"a\":null,\"c\":3}"},
        {"{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2}}", "{\"a\":{\"x\":null}}"},
        {"{\"a\":{\"x\":1}}", "{\"a\":[{\"x\":null}]}", "{\"a\":[{\"x\":null}]}"},
        {"{\"a\":[1]}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}"},
        {"{\"\\u0061\":1,\"z\":0}", "{\"z\":0,\"a\":2}", "{\"a\":2}"},
        {"{\"n\":1.0}", "{\"n\":1}", "{\"n\":1}"},
        {"{\"a\":1}", "{}", "{\"a\":null}"},
        /* What a patch cannot say. */
        {"{\"a\":1}", "{\"a\":null}", "[{\"a\":null}]"},
        {"{\"a\":null}", "{\"a\":{\"b\":null},\"c\":1}", NULL},
        {"{\"a\":null}", "{\"a\":1}", "{\"a\":1}"},
        {NULL, "7", "[7]"},
        {"7", "\"x\"", "[\"x\"]"},
        {"[7]", "[7,8]", "[[7,8]]"},
        {"{\"a\":1}", "[]", "[[]]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].from, cases[i].to, cases[i].patch);
}

/* Members in any order, some gone, some new: many of them take no time. */
static void test_many_members(void **state)
{
    (void)state;
    struct buffer from, to;
    buffer_init(&from, BUFFER_UNLIMITED);
    buffer_init(&to, BUFFER_UNLIMITED);
    for (int i = 0; i < 20000; i++) {
        buffer_printf(&from, "%c\"p%d\":{\"n\":%d}", i ? ',' : '{', i, i);
        if (i % 3)
            buffer_printf(&to, "%c\"p%d\":{\"n\":%d}", i > 1 ? ',' : '{', i, i + (i == 5000));
    }
    buffer_byte(&from, '}');
    buffer_byte(&to, '}');
    check(buffer_cstr(&from), buffer_cstr(&to), NULL);
    buffer_done(&from);
    buffer_done(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patches),
        cmocka_unit_test(test_many_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
