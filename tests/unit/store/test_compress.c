/* store: large blocks are compressed as they are written and never rewritten; what small transactions left is
 * compressed when its segment is sealed. Whichever it was, every document comes back. */
#include "store_helpers.h"

#include "base/clock.h"

#include <sys/stat.h>

enum { SEGMENT = 128 << 10, MANY = 40000 };

static struct store_journal_options options = {.segment_bytes = SEGMENT,
                                               .compression = STORE_COMPRESSION_ZSTD};

static struct stat stat_segment(struct fixture *fixture, int base)
{
    auto_free char *path = mem_printf("%s/collections/c/writer/%016x.seg", fixture->folder, (unsigned)base);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    return found;
}

static uint64_t bytes_kept(struct fixture *fixture)
{
    struct error err;
    struct store_journal_info *infos;
    size_t count;
    assert_int_equal(store_list(fixture->store, NULL, &fixture->arena, &infos, &count, &err), 0);
    assert_int_equal(count, 1);
    return infos[0].bytes;
}

static void expect_all(struct fixture *fixture, const char *text, int count)
{
    struct store_reader *reader = must_read(fixture->store, "c", 0);
    expect_read(reader, text, 0, count);
    store_reader_close(reader);
}

static void append_range(struct store_writer *writer, uint32_t journal, int from, int to)
{
    for (int i = from; i < to; i++)
        must_append(writer, journal, "a text that comes again and again", i);
}

static void test_large_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "c", &options);
    append_range(writer, journal, 0, MANY);
    must_commit(writer, "1");
    /* Small at once, the newest segment too, before anything could have been rewritten. */
    uint64_t first = bytes_kept(fixture);
    assert_true(first < MANY * 58 / 4);
    struct stat before = stat_segment(fixture, 0);
    append_range(writer, journal, MANY, 2 * MANY);
    must_commit(writer, "2");
    store_writer_close(writer);
    struct stat after = stat_segment(fixture, 0);
    assert_int_equal(before.st_ino, after.st_ino);
    /* What comes later leaves it alone as well, and goes on where it ended. */
    writer = must_write(fixture->store, "writer", "2");
    journal = must_journal(writer, "c", &options);
    append_range(writer, journal, 2 * MANY, 3 * MANY);
    must_commit(writer, "3");
    store_writer_close(writer);
    after = stat_segment(fixture, 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(bytes_kept(fixture) < 4 * first);
    expect_all(fixture, "a text that comes again and again", 3 * MANY);
}

/* Half of the segment large, half small: rewritten, with the active segment's share known after a restart. */
static void test_mixed_transactions(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "c", &options);
    int next = 10000;
    append_range(writer, journal, 0, next);
    must_commit(writer, "1");
    for (int commit = 0; commit < 400; commit++) {
        if (commit == 100) {
            store_writer_close(writer);
            writer = must_write(fixture->store, "writer", "1");
            journal = must_journal(writer, "c", &options);
        }
        append_range(writer, journal, next, next + 10);
        next += 10;
        must_commit(writer, "1");
    }
    struct stat before = stat_segment(fixture, 0);
    assert_true(before.st_size < SEGMENT / 2);
    store_writer_close(writer);
    expect_all(fixture, "a text that comes again and again", next);
}

static uint64_t mark_of(struct fixture *fixture, uint64_t number)
{
    uint64_t mark = 0;
    struct error err;
    assert_int_equal(store_mark(fixture->store, "c", "writer", number, &mark, &err), 1);
    assert_true(mark != 0);
    return mark;
}

/* A mark says which commit a document is of, and compression changes none. */
static void test_marks(void **state)
{
    enum { COMMITS = 60, EACH = 100 };
    struct fixture *fixture = *state;
    uint64_t before[COMMITS], mark;
    struct error err;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "c", &options);
    for (int commit = 0; commit < COMMITS; commit++) {
        append_range(writer, journal, commit * EACH, (commit + 1) * EACH);
        must_commit(writer, "1");
        before[commit] = mark_of(fixture, (uint64_t)commit * EACH);
        assert_true(commit == 0 || before[commit] != before[commit - 1]);
    }
    store_writer_close(writer);
    struct store_reader *reader = must_read(fixture->store, "c", 0);
    struct store_document document;
    for (uint64_t number = 0; number < COMMITS * EACH; number++) {
        assert_int_equal(store_reader_next(reader, &document, &err), 1);
        assert_true(document.mark == before[number / EACH]);
        assert_true(number % 37 || mark_of(fixture, number) == document.mark);
    }
    store_reader_close(reader);
    assert_true(stat_segment(fixture, 0).st_size < SEGMENT / 2); /* it was compressed meanwhile */
    assert_int_equal(store_mark(fixture->store, "c", "writer", COMMITS * EACH, &mark, &err), 0);
    writer = must_write(fixture->store, "writer", "1");
    journal = must_journal(writer, "c", &options);
    assert_int_equal(store_truncate(writer, journal, &err), 0);
    must_append(writer, journal, "d", 0);
    must_commit(writer, "2");
    store_writer_close(writer);
    assert_int_equal(store_mark(fixture->store, "c", "writer", COMMITS * EACH - 1, &mark, &err), 0);
    assert_true(mark_of(fixture, COMMITS * EACH) != before[COMMITS - 1]);
}

/* What does not shrink is kept as it is, and not tried again. */
static void test_noise(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "c", &options);
    struct random_state random;
    random_seed(&random, 7);
    char noise[1000];
    struct error err;
    enum { COUNT = 700 };
    struct buffer all;
    buffer_init(&all, COUNT * sizeof noise);
    for (int i = 0; i < COUNT; i++) {
        for (size_t at = 0; at < sizeof noise; at++)
            noise[at] = (char)random_next(&random);
        buffer_append(&all, noise, sizeof noise);
        assert_int_equal(store_append(writer, journal, (struct slice){noise, sizeof noise}, &err), 0);
    }
    must_commit(writer, "1");
    struct stat before = stat_segment(fixture, 0);
    must_append(writer, journal, "r", 0);
    must_commit(writer, "2");
    store_writer_close(writer);
    struct stat after = stat_segment(fixture, 0);
    assert_int_equal(before.st_ino, after.st_ino);
    struct store_reader *reader = must_read(fixture->store, "c", 0);
    struct store_document document;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(store_reader_next(reader, &document, &err), 1);
        assert_int_equal(document.bytes.size, sizeof noise);
        assert_memory_equal(document.bytes.data, all.data + (size_t)i * sizeof noise, sizeof noise);
    }
    store_reader_close(reader);
    buffer_done(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_large_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mixed_transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_marks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
