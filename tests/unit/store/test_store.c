/* store: what is committed is read back, whole, in order, by anyone; what is not is never seen. */
#include "base/hash.h"
#include "store/local/disk.h"
#include "store/local/layout.h"
#include "store_helpers.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void test_commit_and_read(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct store_writer *writer = must_write(fixture->store, "acme/task", "");
    uint32_t users = must_journal(writer, "acme/users", NULL),
             orders = must_journal(writer, "acme/orders", NULL);
    must_append(writer, users, "a", 0);
    must_append(writer, users, "a", 1);
    must_append(writer, orders, "b", 0);
    assert_true(store_writer_pending(writer) > 40);
    mem_auto(store_reader_close) struct store_reader *reader = must_read(fixture->store, "acme/users", 0);
    expect_read(reader, "a", 0, 0);
    must_commit(writer, "one");
    assert_int_equal(store_writer_pending(writer), 0);
    expect_read(reader, "a", 0, 2);
    must_append(writer, users, "a", 2);
    expect_read(reader, "a", 2, 2);
    must_commit(writer, "two");
    expect_read(reader, "a", 2, 3);
    must_append(writer, users, "lost", 3);
    store_writer_close(writer);

    struct slice checkpoint;
    assert_int_equal(store_checkpoint_get(fixture->store, "acme/task", &fixture->arena, &checkpoint, &err),
                     0);
    assert_true(slice_is(checkpoint, "two"));
    writer = must_write(fixture->store, "acme/task", "two");
    users = must_journal(writer, "acme/users", NULL);
    must_append(writer, users, "a", 3);
    must_commit(writer, "three");
    expect_read(reader, "a", 3, 4);
    store_writer_close(writer);
    mem_auto(store_reader_close) struct store_reader *later = must_read(fixture->store, "acme/users", 2);
    expect_read(later, "a", 2, 4);
    assert_null(store_reader_open(fixture->store, "acme/none", NULL, 0, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

/* Many segments, documents smaller and larger than a block, transactions larger than what is gathered. */
static void test_segments(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "t", NULL);
    struct store_journal_options options = {.segment_bytes = 10000};
    uint32_t journal = must_journal(writer, "c", &options);
    for (int i = 0; i < 5000; i++) {
        must_append(writer, journal, "segment", i);
        if (i % 7 == 0)
            must_commit(writer, "x");
    }
    must_commit(writer, "x");
    mem_auto(store_reader_close) struct store_reader *reader = must_read(fixture->store, "c", 0);
    expect_read(reader, "segment", 0, 5000);
    mem_auto(store_reader_close) struct store_reader *middle = must_read(fixture->store, "c", 3333);
    expect_read(middle, "segment", 3333, 5000);
    store_writer_close(writer);
}

/* Small transactions, which the log carries, and large ones, in runs and in turns; what a writer that comes
 * later finds in the log is put to where it is already. */
static void test_small_and_large(void **state)
{
    static const struct {
        int commits, documents[2]; /* in turns */
    } runs[] = {{8, {3, 3}}, {3, {900, 900}}, {18, {3, 20}}, {6, {3, 900}}, {18, {20, 3}}, {4, {50, 900}}};
    static const char text[] = "a document of two hundred bytes, so that nine hundred of them are more than "
                               "a record carries, and that three "
                               "or twenty are less: which is all that this is about";
    struct fixture *fixture = *state;
    struct store_journal_options options = {.segment_bytes = 3 << 20};
    int number = 0;
    for (int life = 0; life < 2; life++) {
        struct store_writer *writer = must_write(fixture->store, "t", NULL);
        uint32_t journal = must_journal(writer, "c", &options);
        for (size_t run = 0; run < sizeof runs / sizeof *runs; run++) {
            for (int commit = 0; commit < runs[run].commits; commit++) {
                for (int i = 0; i < runs[run].documents[commit % 2]; i++)
                    must_append(writer, journal, text, number++);
                must_commit(writer, "x");
            }
        }
        struct store_reader *beside = must_read(fixture->store, "c", 0);
        expect_read(beside, text, 0, number);
        store_reader_close(beside);
        store_writer_close(writer);
    }
    mem_auto(store_reader_close) struct store_reader *reader = must_read(fixture->store, "c", 0);
    expect_read(reader, text, 0, number);
}

static void test_large_documents(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    static const size_t sizes[] = {
        0,       1, BLOCK_TARGET - 61, BLOCK_TARGET - 60, BLOCK_TARGET - 59, BLOCK_TARGET,
        5 << 20, 3, STORE_DOCUMENT_MAX};
    size_t count = sizeof sizes / sizeof *sizes;
    char *bytes = mem_alloc(STORE_DOCUMENT_MAX + 1);
    for (size_t i = 0; i < STORE_DOCUMENT_MAX; i++)
        bytes[i] = (char)(i * 7 + i / 4096);
    struct store_writer *writer = must_write(fixture->store, "t", NULL);
    uint32_t journal = must_journal(writer, "c", NULL);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_append(writer, journal, (struct slice){bytes, sizes[i]}, &err), 0);
    assert_int_equal(store_append(writer, journal, (struct slice){bytes, STORE_DOCUMENT_MAX + 1}, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    must_commit(writer, "");
    store_writer_close(writer);
    mem_auto(store_reader_close) struct store_reader *reader = must_read(fixture->store, "c", 0);
    struct store_document document;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(store_reader_next(reader, &document, &err), 1);
        assert_true(slice_equal(document.bytes, (struct slice){bytes, sizes[i]}));
    }
    assert_int_equal(store_reader_next(reader, &document, &err), 0);
    free(bytes);
}

static void test_truncate(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct store_writer *writer = must_write(fixture->store, "t", NULL);
    uint32_t journal = must_journal(writer, "c", NULL);
    for (int i = 0; i < 10; i++)
        must_append(writer, journal, "d", i);
    must_commit(writer, "1");
    must_append(writer, journal, "d", 10);
    assert_int_equal(store_truncate(writer, journal, &err), 0);
    mem_auto(store_reader_close) struct store_reader *before = must_read(fixture->store, "c", 0);
    expect_read(before, "d", 0, 10);
    must_append(writer, journal, "d", 11);
    must_commit(writer, "2");
    expect_read(before, "d", 11, 12);
    mem_auto(store_reader_close) struct store_reader *after = must_read(fixture->store, "c", 0);
    expect_read(after, "d", 11, 12);
    store_writer_close(writer);
    writer = must_write(fixture->store, "t", "2");
    journal = must_journal(writer, "c", NULL);
    must_append(writer, journal, "d", 12);
    must_commit(writer, "3");
    expect_read(after, "d", 12, 13);
    store_writer_close(writer);
}

static void test_locks(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct slice checkpoint;
    struct store_writer *writer = must_write(fixture->store, "acme/task", NULL);
    assert_null(store_writer_open(fixture->store, "acme/task", &checkpoint, &err));
    assert_int_equal(err.code, ERROR_BUSY);
    char pid[32];
    snprintf(pid, sizeof pid, "process %d ", (int)getpid());
    assert_non_null(strstr(err.message, pid));
    assert_non_null(strstr(err.message, "acme/task"));
    assert_int_equal(store_checkpoint_set(fixture->store, "acme/task", slice_of("x"), &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    store_writer_close(writer);
    assert_int_equal(store_checkpoint_set(fixture->store, "acme/task", slice_of("x"), &err), 0);
    store_writer_close(must_write(fixture->store, "acme/task", "x"));

    struct store_lock *lock = store_lock_acquire(fixture->store, "firth run catalog.yaml", &err);
    assert_non_null(lock);
    assert_null(store_lock_acquire(fixture->store, "firth run other.yaml", &err));
    assert_int_equal(err.code, ERROR_BUSY);
    assert_non_null(strstr(err.message, "firth run catalog.yaml"));
    store_lock_release(lock);
    lock = store_lock_acquire(fixture->store, "firth run other.yaml", &err);
    assert_non_null(lock);
    store_lock_release(lock);
}

static uint64_t identity_of(struct fixture *fixture, const char *collection, bool identified)
{
    struct store_journal_info *infos;
    struct store_document document;
    struct error err;
    size_t count;
    assert_int_equal(store_list(fixture->store, collection, &fixture->arena, &infos, &count, &err), 0);
    assert_int_equal(count, 1);
    struct store_reader *reader = must_read(fixture->store, collection, 0);
    assert_int_equal(store_reader_next(reader, &document, &err), 1);
    assert_true(document.identity == infos[0].identity);
    assert_true(document.identified == infos[0].identified && infos[0].identified == identified);
    store_reader_close(reader);
    return infos[0].identity;
}

static void write_once(struct fixture *fixture, const char *checkpoint)
{
    struct store_writer *writer = must_write(fixture->store, "in", NULL);
    must_append(writer, must_journal(writer, "users", NULL), "d", 0);
    must_commit(writer, checkpoint);
    store_writer_close(writer);
}

/* A log as it was before there were identities. */
static void forget_identity(void *argument, const char *name)
{
    const struct fixture *fixture = argument;
    char page[LAYOUT_PAGE], task[STORE_NAME_MAX];
    struct log_header header;
    if (strncmp(name, "commits-", 8) != 0)
        return;
    auto_free char *path = mem_printf("%s/tasks/in/%s", fixture->folder, name);
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, page, sizeof page, 0), sizeof page);
    assert_null(layout_log_get(page, &header));
    memcpy(task, header.task.data, header.task.size);
    header.task.data = task;
    header.identity = 0;
    header.flags = 0;
    layout_log_put(&header, page);
    assert_int_equal(pwrite(file, page, sizeof page, 0), sizeof page);
    close(file);
}

/* Every opening rolls the log, and so does a checkpoint that does not fit. */
static void test_identity(void **state)
{
    enum { LARGE = 2 << 20 };
    struct fixture *fixture = *state;
    struct error err;
    write_once(fixture, "1");
    uint64_t first = identity_of(fixture, "users", true);
    assert_true(first != 0);
    auto_free char *large = mem_alloc(LARGE + 1);
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    write_once(fixture, large);
    assert_true(identity_of(fixture, "users", true) == first);

    assert_int_equal(store_drop_task(fixture->store, "in", &err), 0);
    write_once(fixture, "1");
    uint64_t second = identity_of(fixture, "users", true);
    assert_true(second != 0 && second != first);

    auto_free char *folder = mem_printf("%s/tasks/in", fixture->folder);
    assert_int_equal(disk_system.list(disk_system.context, folder, forget_identity, fixture), 0);
    assert_true(identity_of(fixture, "users", false) == 0);
    write_once(fixture, "2");
    uint64_t third = identity_of(fixture, "users", false);
    assert_true(third != 0);
    write_once(fixture, "3");
    assert_true(identity_of(fixture, "users", false) == third);

    assert_int_equal(store_drop_task(fixture->store, "in", &err), 0);
    write_once(fixture, "4");
    assert_true(identity_of(fixture, "users", true) != third);
}

/* The next version of a header, and its CRC again. */
static void make_newer(const char *pattern, bool log)
{
    glob_t found;
    char header[LAYOUT_PAGE];
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int file = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);
        assert_true(file >= 0);
        assert_true(pread(file, header, sizeof header, 0) > LOG_FIXED);
        size_t size = log ? LOG_FIXED + (size_t)get_u16(header + 40) : get_u32(header + 16);
        put_u32(header + 8, get_u32(header + 8) + 1);
        put_u32(header + 12, 0);
        put_u32(header + 12, hash_crc32c(0, header, size));
        assert_int_equal(pwrite(file, header, size, 0), size);
        close(file);
    }
    globfree(&found);
}

/* What a newer program has written is not called damaged: nobody is to drop it. */
static void test_newer(void **state)
{
    enum { LARGE = 2 << 20 };
    struct fixture *fixture = *state;
    struct error err;
    struct store_document document;
    auto_free char *large = mem_zalloc(LARGE + 1);
    memset(large, 'x', LARGE);
    write_once(fixture, large); /* so large that it lies in the segment */
    auto_free char *segments = mem_printf("%s/collections/users/*/*.seg", fixture->folder),
                   *logs = mem_printf("%s/tasks/in/commits-*", fixture->folder);
    make_newer(segments, false);
    mem_auto(store_reader_close) struct store_reader *reader = must_read(fixture->store, "users", 0);
    assert_int_equal(store_reader_next(reader, &document, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "use a newer firth"));
    make_newer(logs, true);
    assert_null(store_writer_open(fixture->store, "in", NULL, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "use a newer firth"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_small_and_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_documents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truncate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
