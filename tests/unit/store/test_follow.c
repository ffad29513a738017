/* store: readers that stay open over commits, seals, compression, retention and truncation, in other
 * processes too. */
#include "store_helpers.h"

#include "store/local/disk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMITS = 60, EACH = 25 };

/* In a child: one commit for each byte that comes through the pipe. */
static pid_t start_writer(struct fixture *fixture, const struct store_journal_options *options,
                          int *ret_commands)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        close(pipes[0]);
        *ret_commands = pipes[1];
        return child;
    }
    close(pipes[1]);
    struct store *store = must_open(fixture->folder, false);
    struct store_writer *writer = must_write(store, "writer", NULL);
    uint32_t journal = must_journal(writer, "followed", options);
    char command;
    for (int number = 0; read(pipes[0], &command, 1) == 1;) {
        for (int i = 0; i < EACH; i++)
            must_append(writer, journal, "f", number++);
        must_commit(writer, "x");
    }
    store_writer_close(writer);
    store_close(store);
    _exit(0);
}

static void expect_clean_end(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Whatever has come up to now; the numbers go on without a gap. Returns the next number. */
static int read_on(struct store_reader *reader, int next)
{
    struct error err;
    struct store_document document;
    int result;
    while ((result = store_reader_next(reader, &document, &err)) == 1) {
        char expected[64];
        snprintf(expected, sizeof expected, "{\"text\":\"f\",\"n\":%d}", next);
        assert_int_equal(document.number, next);
        assert_true(slice_is(document.bytes, expected));
        assert_string_equal(document.writer, "writer");
        assert_true(document.committed_ms > 1600000000000);
        next++;
    }
    if (result < 0)
        fail_msg("%s", err.message);
    return next;
}

static void follow(struct fixture *fixture, const struct store_journal_options *options)
{
    /* So that there is something to open. */
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    must_journal(writer, "followed", options);
    must_commit(writer, "");
    store_writer_close(writer);

    struct store_reader *reader = must_read(fixture->store, "followed", 0);
    expect_read(reader, "f", 0, 0);
    assert_true(store_reader_fd(reader) >= 0);
    int commands;
    pid_t child = start_writer(fixture, options, &commands);
    for (int i = 0, next = 0; i < COMMITS; i++) {
        assert_int_equal(write(commands, "c", 1), 1);
        while (next < (i + 1) * EACH) {
            wait_for_commit(reader);
            next = read_on(reader, next);
        }
    }
    close(commands);
    expect_clean_end(child);
    assert_int_equal(read_on(reader, COMMITS * EACH), COMMITS * EACH);
    store_reader_close(reader);
}

static void test_follow(void **state)
{
    follow(*state, NULL);
}

static void test_follow_over_segments(void **state)
{
    struct store_journal_options options = {.segment_bytes = 4096};
    follow(*state, &options);
}

static void test_follow_over_compression(void **state)
{
    struct fixture *fixture = *state;
    struct store_journal_options options = {.segment_bytes = 4096, .compression = STORE_COMPRESSION_ZSTD};
    follow(fixture, &options);
    /* One that comes later finds the compressed ones. */
    struct store_reader *later = must_read(fixture->store, "followed", 100);
    expect_read(later, "f", 100, COMMITS * EACH);
    store_reader_close(later);
    struct error err;
    struct store_journal_info *infos;
    size_t count;
    assert_int_equal(store_list(fixture->store, NULL, &fixture->arena, &infos, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(infos[0].end, COMMITS * EACH);
    assert_true(infos[0].bytes < COMMITS * EACH * 12); /* a document alone has 22 bytes and 4 */
}

/* --- over logs ----------------------------------------------------------------------------------- */

enum { QUICK_COMMITS = 2000, QUICK_EACH = 3, SMALL_LOG = 40 << 10 };

static int no_sync(void *context, int file)
{
    return 0;
}
static int no_sync_folder(void *context, const char *path)
{
    return 0;
}

static _Noreturn void commit_quickly(const char *folder)
{
    struct error err;
    struct disk disk = disk_system;
    disk.sync = no_sync;
    disk.sync_folder = no_sync_folder;
    struct store_options options = {.disk = &disk, .log_bytes = SMALL_LOG};
    struct store *store = store_open(folder, &options, &err);
    if (!store)
        _exit(3);
    struct store_writer *writer = must_write(store, "writer", NULL);
    uint32_t journal = must_journal(writer, "followed", NULL);
    for (int number = 0; number < QUICK_COMMITS * QUICK_EACH;) {
        for (int i = 0; i < QUICK_EACH; i++)
            must_append(writer, journal, "f", number++);
        must_commit(writer, "x");
    }
    store_writer_close(writer);
    store_close(store);
    _exit(0);
}

/* The writer begins a new log with every third commit, in the file of the one before the last: readers that
 * it overtakes meanwhile take none of that for damage. */
static void test_follow_over_logs(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    must_journal(writer, "followed", NULL);
    must_commit(writer, "");
    store_writer_close(writer);
    struct store_reader *reader = must_read(fixture->store, "followed", 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        commit_quickly(fixture->folder);
    for (int next = 0; next < QUICK_COMMITS * QUICK_EACH;) {
        struct error err;
        struct slice checkpoint;
        next = read_on(reader, next);
        /* One that comes anew each time. */
        if (store_checkpoint_get(fixture->store, "writer", &fixture->arena, &checkpoint, &err) < 0)
            fail_msg("%s", err.message);
    }
    expect_clean_end(child);
    store_reader_close(reader);
}

static int count_segments(struct fixture *fixture, const char *collection)
{
    auto_free char *path = mem_printf("%s/collections/%s/writer", fixture->folder, collection);
    DIR *folder = opendir(path);
    int count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += string_ends_with(entry->d_name, ".seg");
    closedir(folder);
    return count;
}

/* A reader that was overtaken goes on with the first document kept. */
static void test_retention_by_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct store_journal_options options = {.segment_bytes = 4096, .retain_bytes = 20000};
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "kept", &options);
    struct error err;
    struct store_document document;
    struct store_reader *slow = NULL;
    enum { DOCUMENTS = 4000 };
    for (int i = 0; i < DOCUMENTS; i++) {
        must_append(writer, journal, "r", i);
        if (i % 50 != 49)
            continue;
        must_commit(writer, "x");
        if (!slow)
            slow = must_read(fixture->store, "kept", 0);
        if (i < 100)
            assert_int_equal(store_reader_next(slow, &document, &err), 1);
    }
    struct store_journal_info *infos;
    size_t count;
    assert_int_equal(store_list(fixture->store, "kept", &fixture->arena, &infos, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(infos[0].end, DOCUMENTS);
    assert_true(infos[0].bytes >= 20000 && infos[0].bytes < 20000 + 3 * 4096);
    assert_true(count_segments(fixture, "kept") < 9);
    /* What it has loaded it still gives; then it skips, and says what. */
    uint64_t before = 1, skipped = 0, told = 0;
    struct store_notice notice;
    int result;
    while ((result = store_reader_next(slow, &document, &err)) == 1) {
        if (document.number > before + 1) {
            assert_int_equal(store_reader_notice(slow, &notice), 1);
            assert_int_equal(notice.kind, STORE_NOTICE_GONE);
            assert_string_equal(notice.writer, "writer");
            assert_false(notice.initial);
            assert_int_equal(notice.first, before + 1);
            assert_int_equal(notice.end, document.number);
            told += notice.end - notice.first;
        }
        assert_int_equal(store_reader_notice(slow, &notice), 0);
        skipped += document.number - before - 1;
        before = document.number;
    }
    assert_int_equal(told, skipped);
    assert_int_equal(result, 0);
    assert_int_equal(before, DOCUMENTS - 1);
    assert_true(skipped > 0);
    store_reader_close(slow);
    struct store_reader *fresh = must_read(fixture->store, "kept", 7);
    expect_read(fresh, "r", (int)infos[0].first, DOCUMENTS);
    assert_int_equal(store_reader_notice(fresh, &notice), 1);
    assert_true(notice.kind == STORE_NOTICE_GONE && notice.initial && notice.first == 7);
    assert_int_equal(notice.end, infos[0].first);
    assert_int_equal(store_reader_notice(fresh, &notice), 0);
    store_reader_close(fresh);
    store_writer_close(writer);
}

static int64_t test_now_ms;
static int64_t test_wall_ms(void *context)
{
    return test_now_ms;
}
static uint64_t test_monotonic_ns(void *context)
{
    return (uint64_t)test_now_ms * 1000000;
}

static void test_retention_by_age(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct clock clock = {test_wall_ms, test_monotonic_ns, NULL};
    struct store *store = store_open(fixture->folder, &(struct store_options){.clock = &clock}, &err);
    assert_non_null(store);
    test_now_ms = 1700000000000;
    struct store_journal_options options = {.segment_bytes = 4096, .retain_ms = 60000};
    struct store_writer *writer = must_write(store, "writer", NULL);
    uint32_t journal = must_journal(writer, "aged", &options);
    for (int i = 0; i < 1000; i++) {
        must_append(writer, journal, "a", i);
        test_now_ms += 100;
        if (i % 10 == 9)
            must_commit(writer, "x");
    }
    struct store_journal_info *infos;
    size_t count;
    assert_int_equal(store_list(store, "aged", &fixture->arena, &infos, &count, &err), 0);
    /* 600 documents are young enough; a segment holds about 150 and goes as a whole. */
    assert_in_range(infos[0].first, 150, 400);
    store_writer_close(writer);
    /* Much later, one commit of a writer opened anew drops all that is sealed. */
    test_now_ms += 3600000;
    writer = must_write(store, "writer", NULL);
    journal = must_journal(writer, "aged", &options);
    must_append(writer, journal, "a", 1000);
    must_commit(writer, "y");
    assert_int_equal(count_segments(fixture, "aged"), 1);
    store_writer_close(writer);
    store_close(store);
}

/* Two writers of one collection; a third comes while the reader waits. */
static void test_several_writers(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct store_writer *writers[3] = {0};
    static const char *const tasks[] = {"b", "c", "a"};
    struct store_reader *reader = NULL, *only = NULL;
    for (int i = 0; i < 3; i++) {
        writers[i] = must_write(fixture->store, tasks[i], NULL);
        uint32_t journal = must_journal(writers[i], "shared", NULL);
        must_append(writers[i], journal, tasks[i], 0);
        must_append(writers[i], journal, tasks[i], 1);
        must_commit(writers[i], "x");
        if (i == 1) {
            reader = must_read(fixture->store, "shared", 0);
            assert_true(store_reader_fd(reader) >= 0);
            only = store_reader_open(fixture->store, "shared", "c", 0, &err);
            assert_non_null(only);
        }
        if (i == 2)
            wait_for_commit(reader);
    }
    expect_read(only, "c", 0, 2);
    /* In writer order, the one that came later included. */
    static const char *const expected[] = {"a", "a", "b", "b", "c", "c"};
    struct store_document document;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(store_reader_next(reader, &document, &err), 1);
        assert_string_equal(document.writer, expected[i]);
    }
    assert_int_equal(store_reader_next(reader, &document, &err), 0);
    assert_null(store_reader_open(fixture->store, "shared", "d", 0, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    for (int i = 0; i < 3; i++)
        store_writer_close(writers[i]);
    store_reader_close(reader);
    store_reader_close(only);
}

/* Permission denied below `denied`. */
static const char *denied;

static int denying_list(void *context, const char *path, void (*each)(void *argument, const char *name),
                        void *argument)
{
    return strstr(path, denied) ? -EACCES : disk_system.list(context, path, each, argument);
}
static int denying_open(void *context, const char *path, int flags)
{
    return strstr(path, denied) ? -EACCES : disk_system.open(context, path, flags);
}
static int denying_stat(void *context, const char *path, uint64_t *ret_size)
{
    return strstr(path, denied) ? -EACCES : disk_system.stat_size(context, path, ret_size);
}

struct refusal {
    const char *path;
    bool whole; /* nothing of the collection can be read */
};

/* What may not be read is told of its task, and keeps nobody from the others. */
static void test_unreadable(void **state)
{
    static const struct refusal refusals[] = {
        {"/tasks/bad", false},
        {"/tasks/bad/commits-", false},
        {"/collections/both/bad", false},
        {"/collections/both/bad/0", false},
        {"/collections/both", true},
    };
    struct fixture *fixture = *state;
    struct error err;
    static const char *const tasks[] = {"bad", "good"};
    for (int i = 0; i < 2; i++) {
        struct store_writer *writer = must_write(fixture->store, tasks[i], NULL);
        must_append(writer, must_journal(writer, "both", NULL), tasks[i], 0);
        must_append(writer, must_journal(writer, tasks[i], NULL), tasks[i], 0);
        must_commit(writer, "x");
        store_writer_close(writer);
    }
    struct disk disk = disk_system;
    disk.list = denying_list;
    disk.open = denying_open;
    disk.stat_size = denying_stat;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        denied = "no such path";
        struct store *store =
            store_open(fixture->folder, &(struct store_options){.disk = &disk, .read_only = true}, &err);
        assert_non_null(store);
        denied = refusals[i].path;
        struct store_journal_info *infos;
        size_t count;
        assert_int_equal(store_list(store, NULL, &fixture->arena, &infos, &count, &err), 0);
        assert_int_equal(count, 4); /* bad: bad; both: bad, good; good: good */
        assert_true(!infos[3].damage && infos[3].end == 1);
        assert_non_null(infos[1].damage);
        assert_int_equal(infos[2].damage != NULL, refusals[i].whole);
        assert_int_equal(infos[1].damage->code, ERROR_IO);
        struct store_reader *reader = store_reader_open(store, "both", NULL, 0, &err);
        assert_int_equal(reader == NULL, refusals[i].whole);
        struct store_document document;
        uint64_t number;
        if (reader) {
            assert_int_equal(store_reader_next(reader, &document, &err), -1);
            assert_int_equal(err.code, ERROR_IO);
            assert_string_equal(store_reader_left_out(reader, &number), "bad");
            assert_int_equal(number, 0);
            expect_read(reader, "good", 0, 1);
        }
        store_reader_close(reader);
        store_close(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_follow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_follow_over_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_follow_over_compression, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_follow_over_logs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention_by_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retention_by_age, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_writers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
