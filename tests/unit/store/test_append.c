/* Appending in whole pages: whatever the sizes, and wherever it is resumed, the file holds what was appended,
 * then zeros. */
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
        assert_int_equal(append_write(&append, disk, file, parts, 2, end), 0);
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
    assert_true(content.size >= expected.size &&
                content.size < expected.size + APPEND_PAGE + APPEND_AHEAD_MAX);
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

enum { ROOM = 40 * APPEND_PAGE, LITTLE = 700 };

/* A file system with room for so much in a file. */
static int write_within_room(void *context, int file, const struct iovec *parts, int count, uint64_t offset)
{
    for (int i = 0; i < count; i++) {
        if ((offset += parts[i].iov_len) > ROOM)
            return -ENOSPC;
    }
    for (int i = 0; i < count; i++)
        offset -= parts[i].iov_len;
    return disk_system.write(context, file, parts, count, offset);
}

/* Of many small appends few make the file longer, it is never much more than twice what it holds, and the
 * last bytes of a full disk are had. */
static void test_written_ahead(void **state)
{
    (void)state;
    char path[] = "/tmp/firth-append-XXXXXX";
    auto_close int made = mkstemp(path);
    struct disk disk = disk_system;
    disk.write = write_within_room;
    int file = disk.open(disk.context, path, DISK_WRITE), result;
    struct append append = {0};
    char bytes[LITTLE], found[LITTLE];
    uint64_t end = 0, size = 0, now;
    unsigned longer = 0;
    struct iovec part = {bytes, LITTLE};
    append_begin(&append);
    for (;; end += LITTLE) {
        memset(bytes, (int)(end / LITTLE) | 1, sizeof bytes);
        if ((result = append_write(&append, &disk, file, &part, 1, end)) < 0)
            break;
        assert_int_equal(disk.size(disk.context, file, &now), 0);
        longer += now > size;
        size = now;
        assert_true(size >= end + LITTLE && size <= 2 * (end + LITTLE) + APPEND_PAGE);
    }
    assert_int_equal(result, -ENOSPC);
    assert_true(end + LITTLE > ROOM);
    assert_true(longer < end / LITTLE / 5);
    disk.close(disk.context, file);
    for (uint64_t at = 0; at < end; at += LITTLE) {
        memset(bytes, (int)(at / LITTLE) | 1, sizeof bytes);
        assert_int_equal(disk.read(disk.context, made, found, LITTLE, at), LITTLE);
        assert_memory_equal(found, bytes, LITTLE);
    }
    append_shrink(&append);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_sizes),
                                       cmocka_unit_test(test_written_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
