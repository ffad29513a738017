/* The end of a job's log, for people; and a log of counted files, read in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "supervisor/job_files.h"
#include "supervisor/job_log.h"
#include "supervisor/log_files.h"
#include "supervisor/log_places.h"

#include <stdlib.h>
#include <sys/stat.h>

static void test_lines(void **state)
{
    static const char lines[] =
        "{\"ts\":\"2026-11-21T20:00:00.000Z\",\"level\":\"error\",\"origin\":\"source\","
        "\"message\":\"Traceback:\\n  line 7\\u001b[31m\\n\"}\n";
    char folder[] = "/tmp/firth-test-job-log-XXXXXX";
    struct buffer out;
    struct error err;
    assert_non_null(mkdtemp(folder));
    auto_free char *jobs = mem_printf("%s/jobs", folder);
    auto_free char *job = job_files_folder(folder, 7), *attempt = job_files_attempt(folder, 7, 0);
    auto_free char *path = log_files_path(attempt, 0);
    assert_int_equal(mkdir(jobs, 0700) + mkdir(job, 0700) + mkdir(attempt, 0700), 0);
    assert_int_equal(file_replace(path, lines, sizeof lines - 1, 0600, &err), 0);
    buffer_init(&out, BUFFER_UNLIMITED);
    assert_int_equal(job_log_tail(folder, 7, 0, 4096, &out, &err), 0);
    assert_string_equal(buffer_cstr(&out),
                        "2026-11-21 20:00:00 source ERROR Traceback:\n    line 7\\u001b[31m\n");
    buffer_done(&out);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

static void put(const char *folder, uint64_t number, const char *text)
{
    struct error err;
    auto_free char *path = log_files_path(folder, number);
    assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static uint64_t expect_read(const char *folder, uint64_t from, const char *expected)
{
    struct buffer out;
    struct error err;
    uint64_t next = 0;
    buffer_init(&out, BUFFER_UNLIMITED);
    assert_int_equal(log_places_read(folder, LOG_PLACES_NUMBERED, from, 4096, &out, &next, &err), 0);
    assert_string_equal(buffer_cstr(&out), expected);
    buffer_done(&out);
    return next;
}

/* What is added is read once, over the end of a file and half a line that a crash left in it. */
static void test_places(void **state)
{
    char folder[] = "/tmp/firth-test-job-log-XXXXXX";
    struct error err;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(expect_read(folder, 0, ""), 0);
    put(folder, 3, "a\nb\n");
    put(folder, 4, "c\nhalf");
    uint64_t next = expect_read(folder, 0, "a\nb\nc\n");
    assert_int_equal(next, ((uint64_t)4 << 32) + 2);
    assert_int_equal(expect_read(folder, next, ""), next);
    assert_int_equal(expect_read(folder, ((uint64_t)3 << 32) + 2, "b\nc\n"), next);
    put(folder, 4, "c\nhalf\n");
    put(folder, 5, "e\n");
    assert_int_equal(expect_read(folder, next, "half\ne\n"), ((uint64_t)5 << 32) + 2);
    assert_int_equal(file_remove_tree(folder, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
