/* base/hash: CRC-32C is the one of RFC 3720, at every size and cut, whichever way it is computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

/* Bit by bit, as the definition says. */
static uint32_t plain_crc32c(uint32_t crc, const unsigned char *bytes, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
    }
    return ~crc;
}

static void test_known_values(void **state)
{
    unsigned char bytes[32] = {0};
    assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(hash_crc32c(0, bytes, sizeof bytes), 0x8a9136aa); /* RFC 3720, B.4 */
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(hash_crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    assert_int_equal(hash_crc32c(0, "", 0), 0);
}

static void test_sizes_and_cuts(void **state)
{
    enum { SIZE = 20000 };
    struct random_state random;
    random_seed(&random, 7);
    auto_free unsigned char *bytes = mem_alloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)random_next(&random);
    static const size_t sizes[] = {1, 7, 8, 9, 1023, 1024, 3071, 3072, 3073, 3080, 6143, 6144, 9999, 19990};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t shift = 0; shift < 9; shift++) {
            uint32_t start = (uint32_t)random_next(&random);
            assert_int_equal(hash_crc32c(start, bytes + shift, sizes[i]),
                             plain_crc32c(start, bytes + shift, sizes[i]));
        }
        size_t cut = random_below(&random, sizes[i] + 1);
        uint32_t crc = hash_crc32c(hash_crc32c(0, bytes, cut), bytes + cut, sizes[i] - cut);
        assert_int_equal(crc, plain_crc32c(0, bytes, sizes[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_sizes_and_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
