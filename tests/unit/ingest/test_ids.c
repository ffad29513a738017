/* Idempotency keys: what is known, what is forgotten, and in which order. */
#include "ingest/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool add(struct ingest_ids *ids, const char *scope, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    return ingest_ids_add(ids, slice_of(scope), slice_of(text));
}

static void test_known_once(void **state)
{
    (void)state;
    struct ingest_ids *ids = ingest_ids_new(10);
    assert_true(add(ids, "a", 1));
    assert_false(add(ids, "a", 1));
    assert_true(add(ids, "b", 1)); /* of another binding */
    /* Where the scope ends and the id begins makes a difference. */
    assert_true(ingest_ids_add(ids, slice_of("x"), slice_of("yz")));
    assert_true(ingest_ids_add(ids, slice_of("xy"), slice_of("z")));
    assert_int_equal(ingest_ids_count(ids), 4);
    ingest_ids_free(ids);
    ingest_ids_free(NULL);
}

/* Beside a list that does the same slowly. */
static void test_window(void **state)
{
    static const size_t windows[] = {1, 2, 3, 255, 256, 257, 1000};
    (void)state;
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        size_t window = windows[w], kept = 0;
        unsigned list[1000], random = 1;
        struct ingest_ids *ids = ingest_ids_new(window);
        for (unsigned i = 0; i < 6 * window + 100; i++) {
            random = random * 1103515245 + 12345;
            unsigned number = (random >> 16) % (unsigned)(2 * window + 2);
            bool known = false;
            for (size_t j = 0; j < kept; j++)
                known |= list[j] == number;
            assert_int_equal(add(ids, "scope", number), !known);
            if (known)
                continue;
            if (kept == window)
                memmove(list, list + 1, --kept * sizeof *list);
            list[kept++] = number;
            assert_int_equal(ingest_ids_count(ids), kept);
        }
        ingest_ids_free(ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_once), cmocka_unit_test(test_window)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
