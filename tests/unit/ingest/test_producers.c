/* Producers' own numbers: what is next, what is known, what is missing, and what is forgotten. */
#include "ingest/producers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static enum ingest_order take(struct ingest_producers *producers, int64_t producer, int16_t epoch,
                              int32_t first, int32_t last, uint64_t *offset)
{
    const struct ingest_sequence batch = {.producer = producer, .epoch = epoch, .first = first, .last = last};
    return ingest_producers_take(producers, 0, &batch, offset);
}

static void test_order(void **state)
{
    static const struct {
        int16_t epoch;
        int32_t first, last;
        enum ingest_order order;
        uint64_t offset; /* that it is put at, or found at */
    } steps[] = {
        {0, 3, 5, INGEST_AHEAD, 0},
        {0, 0, 9, INGEST_IN_ORDER, 100},
        {0, 0, 9, INGEST_REPEATED, 100},
        {0, 0, 5, INGEST_REPEATED_LONG, 0},
        {0, 20, 29, INGEST_AHEAD, 0},
        {0, 5, 14, INGEST_AHEAD, 0},
        {0, 10, 19, INGEST_IN_ORDER, 200},
        {0, 20, 20, INGEST_IN_ORDER, 300},
        {0, 21, 21, INGEST_IN_ORDER, 301},
        {0, 22, 22, INGEST_IN_ORDER, 302},
        {0, 0, 9, INGEST_REPEATED, 100},
        {0, 23, 23, INGEST_IN_ORDER, 303},
        {0, 0, 9, INGEST_REPEATED_LONG, 0},
        {0, 10, 19, INGEST_REPEATED, 200},
        {2, 1, 1, INGEST_AHEAD, 0},
        {2, 0, 0, INGEST_IN_ORDER, 400},
        {0, 24, 24, INGEST_FENCED, 0},
        {1, 0, 0, INGEST_FENCED, 0},
        {2, 1, INT32_MAX - 1, INGEST_IN_ORDER, 401},
        {2, INT32_MAX, 3, INGEST_IN_ORDER, 500}, /* past the end of the numbers */
        {2, INT32_MAX, 3, INGEST_REPEATED, 500},
        {2, 4, 4, INGEST_IN_ORDER, 505},
        {2, 0, 3, INGEST_REPEATED_LONG, 0},
    };
    struct ingest_producers *producers = ingest_producers_new();
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        uint64_t offset = steps[i].order == INGEST_IN_ORDER ? steps[i].offset : 0;
        enum ingest_order order = take(producers, 7, steps[i].epoch, steps[i].first, steps[i].last, &offset);
        if (order != steps[i].order || offset != steps[i].offset)
            fail_msg("step %zu: order %d, offset %llu", i, order, (unsigned long long)offset);
    }
    ingest_producers_free(producers);
}

static void test_apart(void **state)
{
    struct ingest_producers *producers = ingest_producers_new();
    uint64_t offset = 0;
    (void)state;
    for (uint32_t scope = 0; scope < 2; scope++) {
        for (uint32_t partition = 0; partition < 2; partition++) {
            const struct ingest_sequence batch = {
                .producer = 7, .partition = partition, .first = 0, .last = 4};
            assert_int_equal(ingest_producers_take(producers, scope, &batch, &offset), INGEST_IN_ORDER);
            assert_int_equal(ingest_producers_take(producers, scope, &batch, &offset), INGEST_REPEATED);
        }
    }
    ingest_producers_free(producers);
}

/* Who was forgotten goes on with any number; before anybody was, a stranger begins at 0. */
static void test_forgotten(void **state)
{
    struct ingest_producers *producers = ingest_producers_new();
    uint64_t offset = 0;
    (void)state;
    for (int64_t each = 1; each <= INGEST_PRODUCERS_MAX; each++)
        assert_int_equal(take(producers, each, 0, 0, 0, &offset), INGEST_IN_ORDER);
    assert_int_equal(take(producers, 1, 0, 1, 1, &offset), INGEST_IN_ORDER); /* the newest again */
    assert_int_equal(take(producers, INT64_MAX, 0, 5, 5, &offset), INGEST_AHEAD);
    assert_int_equal(take(producers, INT64_MAX, 0, 0, 0, &offset), INGEST_IN_ORDER);
    assert_int_equal(take(producers, 2, 0, 5, 5, &offset), INGEST_IN_ORDER); /* it was the oldest */
    assert_int_equal(take(producers, 1, 0, 2, 2, &offset), INGEST_IN_ORDER);
    ingest_producers_free(producers);
}

static void test_restored(void **state)
{
    struct ingest_producers *producers = ingest_producers_new();
    const struct ingest_sequence last = {.producer = 7, .epoch = 3, .first = 10, .last = 19};
    uint64_t offset = 0;
    (void)state;
    ingest_producers_restore(producers, 0, &last, 4711);
    assert_int_equal(take(producers, 7, 3, 10, 19, &offset), INGEST_REPEATED);
    assert_int_equal(offset, 4711);
    assert_int_equal(take(producers, 7, 3, 20, 20, &offset), INGEST_IN_ORDER);
    ingest_producers_cut(producers);
    assert_int_equal(take(producers, 8, 0, 20, 20, &offset), INGEST_IN_ORDER);
    ingest_producers_free(producers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
