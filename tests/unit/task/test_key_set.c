/* Keys of several bindings in one set: regular ones, as tables have them, are kept apart. */
#include "task_test.h"

#include "task/key_set.h"

enum { BINDINGS = 6, NUMBERS = 1 << 14 };

/* Of FoundationDB's tuples, as keys are packed; in two parts where asked, so that other lengths come, too. */
static struct slice packed_number(unsigned number, bool twice, char bytes[12])
{
    size_t size = 0;
    for (int part = 0; part <= twice; part++) {
        bytes[size++] = (char)(number > 0xff ? 0x16 : 0x15);
        if (number > 0xff)
            bytes[size++] = (char)(number >> 8);
        bytes[size++] = (char)number;
    }
    return (struct slice){bytes, size};
}

static void test_apart(void **state)
{
    (void)state;
    struct key_set set = {0};
    char bytes[12];
    for (uint32_t binding = 0; binding < BINDINGS; binding += 2)
        for (unsigned number = 0; number < NUMBERS; number++)
            for (int twice = 0; twice < 2; twice++)
                assert_true(key_set_add(&set, binding, packed_number(number, twice, bytes)));
    for (uint32_t binding = 0; binding < BINDINGS; binding++)
        for (unsigned number = 0; number < NUMBERS + 1000; number++)
            assert_int_equal(key_set_has(&set, binding, packed_number(number, number % 2, bytes)),
                             binding % 2 == 0 && number < NUMBERS);
    assert_false(key_set_add(&set, 0, packed_number(7, false, bytes)));
    key_set_clear(&set);
    assert_false(key_set_has(&set, 0, packed_number(7, false, bytes)));
    assert_true(key_set_add(&set, 0, packed_number(7, false, bytes)));
    key_set_done(&set);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
