/* Appending in whole pages: whatever the sizes, around the page cache or not, and wherever it is resumed, the
 * file holds what was appended, then zeros. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/local/append.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROUNDS = 60, SIZE_MAX_OF_PART = 700 << 10 };

static void test_any_sizes(void **state)
{
    (void)state;
    char folder[] = "/tmp/firth-append-XXXXXX";
    assert_non_null(mkdtemp(folder));
    auto_free char *path = mem_printf("%s/file", folder);
    const struct disk *disk = &disk_system;
    int file = disk->open(disk->context, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    assert_true(file >= 0);
    struct append append = {0};
    append_begin(&append);
    struct buffer expected;
    buffer_init(&expected, 64 << 20);
    auto_free char *bytes = mem_alloc(SIZE_MAX_OF_PART);
    struct random_state random;
    random_seed(&random, 1);
    for (int round = 0; round < ROUNDS; round++) {
        static const size_t scales[] = {1, 2, 100, APPEND_PAGE, APPEND_PAGE + 1, SIZE_MAX_OF_PART};
        struct iovec parts[2];
        uint64_t end = expected.size;
        for (int i = 0; i < 2; i++) {
            size_t size = random_below(&random, 3) == 0
                              ? scales[random_below(&random, 5)]
                              : random_below(&random, scales[random_below(&random, 6)]);
            for (size_t at = 0; at < size; at++)
                bytes[at] = (char)(random_next(&random) | 1);
            buffer_append(&expected, bytes, size);
            parts[i].iov_len = size;
        }
        parts[0].iov_base = expected.data + end;
        parts[1].iov_base = expected.data + end + parts[0].iov_len;
        assert_int_equal(append_write(&append, disk, file, parts, 2, end, random_below(&random, 2)), 0);
        if (random_below(&random, 4) == 0) {
            disk->close(disk->context, file);
            file = disk->open(disk->context, path, DISK_WRITE);
            assert_int_equal(append_resume(&append, disk, file, expected.size), 0);
        }
    }
    disk->close(disk->context, file);
    struct error err;
    struct buffer content;
    buffer_init(&content, 64 << 20);
    assert_int_equal(file_read(path, 64 << 20, &content, &err), 0);
    assert_true(content.size >= expected.size && content.size < expected.size + APPEND_PAGE);
    assert_memory_equal(content.data, expected.data, expected.size);
    for (size_t at = expected.size; at < content.size; at++)
        assert_int_equal(content.data[at], 0);

    /* A file that is shorter than it should be is not gone on with. */
    file = disk->open(disk->context, path, DISK_WRITE);
    assert_int_equal(disk->truncate(disk->context, file, APPEND_PAGE + 10), 0);
    assert_int_equal(append_resume(&append, disk, file, APPEND_PAGE + 11), -ENODATA);
    disk->close(disk->context, file);
    append_shrink(&append);
    buffer_done(&content);
    buffer_done(&expected);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
