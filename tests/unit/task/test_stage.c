/* Staging: what goes in comes out, in order, in bounded memory. */
#include "task_test.h"

#include "task/stage.h"

struct taken {
    uint32_t count, fail_at;
    struct buffer text;
};

static int take(void *context, uint32_t tag, struct slice document, struct error *err)
{
    struct taken *taken = context;
    if (taken->fail_at && taken->count + 1 == taken->fail_at)
        return error_set(err, ERROR_IO, "no room");
    taken->count++;
    buffer_printf(&taken->text, "%u:%.*s;", tag, SLICE_ARGS(document));
    return 0;
}

static void test_order(void **state)
{
    struct stage_pool pool;
    struct stage one = {0}, two = {0};
    struct taken taken = {0};
    struct error err;
    stage_pool_init(&pool);
    buffer_init(&taken.text, 1 << 20);
    stage_put(&pool, &one, 1, slice_of("a"));
    stage_put(&pool, &two, 7, slice_of("x"));
    stage_put(&pool, &one, 2, slice_of(""));
    stage_put(&pool, &one, 1, slice_of("ccc"));
    assert_int_equal(one.documents, 3);
    assert_int_equal(one.bytes, 4);
    assert_int_equal(stage_drain(&pool, &one, take, &taken, &err), 0);
    assert_string_equal(buffer_cstr(&taken.text), "1:a;2:;1:ccc;");
    assert_int_equal(one.documents, 0);
    stage_drop(&pool, &two);
    assert_int_equal(pool.used, 0);
    assert_int_equal(taken.count, 3);
    buffer_done(&taken.text);
    stage_pool_done(&pool);
}

static int count_bytes(void *context, uint32_t tag, struct slice document, struct error *err)
{
    uint64_t *next = context;
    uint64_t value;
    assert_true(document.size >= sizeof value);
    memcpy(&value, document.data, sizeof value);
    assert_int_equal(value, *next);
    assert_int_equal(document.size, sizeof value + value % 5000);
    (*next)++;
    return 0;
}

/* Many chunks, again and again: the pool does not grow, and gives its memory back. */
static void test_many(void **state)
{
    struct stage_pool pool;
    struct stage stage = {0};
    struct error err;
    char document[8192] = {0};
    size_t held = 0;
    stage_pool_init(&pool);
    for (int round = 0; round < 3; round++) {
        uint64_t next = 0;
        for (uint64_t i = 0; i < 2000; i++) {
            memcpy(document, &i, sizeof i);
            stage_put(&pool, &stage, 0, (struct slice){document, sizeof i + i % 5000});
        }
        assert_true(pool.used >= stage.bytes);
        if (round > 0)
            assert_true(pool.held <= held);
        held = pool.held;
        assert_int_equal(stage_drain(&pool, &stage, count_bytes, &next, &err), 0);
        assert_int_equal(next, 2000);
        assert_int_equal(pool.used, 0);
        assert_true(pool.held <= 5 << 20);
    }
    stage_pool_done(&pool);
}

static void test_large_and_failing(void **state)
{
    struct stage_pool pool;
    struct stage stage = {0};
    struct taken taken = {.fail_at = 2};
    struct error err;
    auto_free char *large = mem_zalloc(3 << 20);
    stage_pool_init(&pool);
    buffer_init(&taken.text, BUFFER_UNLIMITED);
    stage_put(&pool, &stage, 0, (struct slice){large, 3 << 20});
    assert_true(pool.used >= 3 << 20);
    stage_put(&pool, &stage, 0, slice_of("b"));
    stage_put(&pool, &stage, 0, slice_of("c"));
    assert_int_equal(stage_drain(&pool, &stage, take, &taken, &err), -1);
    assert_string_equal(err.message, "no room");
    assert_int_equal(taken.count, 1);
    assert_int_equal(pool.used, 0);
    assert_int_equal(stage.documents, 0);
    assert_true(pool.held < 1 << 20); /* the large chunk is not kept */
    buffer_done(&taken.text);
    stage_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_large_and_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
