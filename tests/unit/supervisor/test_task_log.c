/* A task's log: bounded, whole lines, read while it is written. */
#include "base/file.h"
#include "supervisor/log_files.h"
#include "supervisor/log_reader.h"
#include "supervisor/task_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    char *folder = mem_strdup("/tmp/firth-test-log-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct error err;
    int result = file_remove_tree(*state, &err);
    free(*state);
    return result;
}

static void put(struct task_log *log, const char *message)
{
    task_log_begin(log, 1795262400000, LOG_INFO, "log");
    task_log_message(log, message);
    task_log_end(log);
}

static uint64_t bytes_of(const char *folder)
{
    uint64_t *numbers, sum = 0;
    size_t count;
    struct error err;
    assert_int_equal(log_files_list(folder, &numbers, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        auto_free char *path = log_files_path(folder, numbers[i]);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        sum += (uint64_t)info.st_size;
    }
    assert_true(count <= TASK_LOG_FILES);
    free(numbers);
    return sum;
}

/* The next line's message; NULL if there is none. */
static const char *next(struct log_reader *reader, struct arena *arena)
{
    struct slice line;
    struct json doc;
    struct error err;
    int got = log_reader_next(reader, &line, &err);
    assert_true(got >= 0);
    if (got == 0)
        return NULL;
    assert_int_equal(json_parse_copy(arena, line.data, line.size, &doc, &err), 0);
    return json_cstring(&doc, json_get(&doc, 0, "message"), arena);
}

static void test_bounded_and_read_meanwhile(void **state)
{
    enum { LINES = 2000, BYTES = 64 << 10 };
    struct task_log log;
    struct arena arena;
    char message[64];
    int read = 0;
    arena_init(&arena);
    task_log_init(&log, *state, "acmeCo/a", BYTES);
    mem_auto(log_reader_free) struct log_reader *reader = log_reader_new(*state, "acmeCo/a", 0);
    for (int i = 0; i < LINES; i++) {
        snprintf(message, sizeof message, "line %d", i);
        put(&log, message);
        if (i % 7 == 0)
            assert_true(bytes_of(log.folder) <= BYTES);
        /* One who reads along, and not slower, misses nothing, over all changes of files. */
        for (const char *got; i % 11 == 0 && (got = next(reader, &arena)); read++) {
            snprintf(message, sizeof message, "line %d", read);
            assert_string_equal(got, message);
        }
    }
    while (next(reader, &arena))
        read++;
    assert_int_equal(read, LINES);
    assert_true(log.number > TASK_LOG_FILES);
    task_log_remove(&log);
    assert_false(file_exists(log.folder));
    task_log_done(&log);
    arena_done(&arena);
}

static void test_goes_on_behind_a_torn_line(void **state)
{
    struct task_log log;
    struct arena arena;
    arena_init(&arena);
    task_log_init(&log, *state, "a", 1 << 20);
    put(&log, "one");
    assert_int_equal(write(log.fd, "{\"ts\":\"20", 9), 9);
    task_log_done(&log);
    task_log_init(&log, *state, "a", 1 << 20);
    put(&log, "two");
    mem_auto(log_reader_free) struct log_reader *reader = log_reader_new(*state, "a", 0);
    struct slice line;
    struct error err;
    assert_string_equal(next(reader, &arena), "one");
    assert_int_equal(log_reader_next(reader, &line, &err), 1);
    assert_true(slice_is(line, "{\"ts\":\"20")); /* whoever parses it passes it over */
    assert_string_equal(next(reader, &arena), "two");
    assert_null(next(reader, &arena));
    task_log_done(&log);
    arena_done(&arena);
}

static void test_lost_lines_are_told(void **state)
{
    struct task_log log;
    struct arena arena;
    arena_init(&arena);
    task_log_init(&log, *state, "a", 1 << 20);
    struct error err;
    assert_int_equal(file_make_folders(log.folder, 0700, &err), 0);
    auto_free char *path = log_files_path(log.folder, 1);
    assert_int_equal(symlink("/dev/full", path), 0);
    put(&log, "one");
    put(&log, "two");
    assert_int_equal(log.lost, 2);
    task_log_close(&log);
    assert_int_equal(unlink(path), 0);
    put(&log, "three");
    mem_auto(log_reader_free) struct log_reader *reader = log_reader_new(*state, "a", 0);
    assert_string_equal(next(reader, &arena), "2 lines could not be written: No space left on device");
    assert_string_equal(next(reader, &arena), "three");
    task_log_done(&log);
    arena_done(&arena);
}

/* Whatever the message, the line is one line of JSON, and not longer than a reader takes. */
static void test_hostile_messages(void **state)
{
    struct task_log log;
    struct arena arena;
    arena_init(&arena);
    task_log_init(&log, *state, "a", 1 << 20);
    size_t size = 1 << 20;
    auto_free char *controls = mem_alloc(size + 1);
    memset(controls, 1, size);
    controls[size] = 0;
    put(&log, "line\nbreak \"quoted\" \\ \xff\xfe");
    put(&log, controls);
    put(&log, "");
    mem_auto(log_reader_free) struct log_reader *reader = log_reader_new(*state, "a", 0);
    const char *first = next(reader, &arena);
    assert_true(string_starts_with(first, "line\nbreak \"quoted\" \\ "));
    assert_int_equal(strspn(next(reader, &arena), "\1"), 16 << 10);
    assert_string_equal(next(reader, &arena), "");
    task_log_done(&log);
    arena_done(&arena);
}

static void test_folders(void **state)
{
    char name[600];
    (void)state;
    memset(name, 'x', sizeof name);
    name[512] = 0;
    auto_free char *one = log_files_folder("/d", name);
    name[511] = 'y';
    auto_free char *two = log_files_folder("/d", name);
    auto_free char *plain = log_files_folder("/d", "acmeCo/a.b");
    auto_free char *tricky = log_files_folder("/d", "../~%2F");
    assert_string_not_equal(one, two);
    assert_true(strlen(strrchr(one, '/')) < 255);
    assert_string_equal(plain, "/d/logs/acmeCo%2Fa.b");
    assert_string_equal(tricky, "/d/logs/%2E.%2F%7E%252F");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bounded_and_read_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_goes_on_behind_a_torn_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_lines_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_messages, setup, teardown),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
