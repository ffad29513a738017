/* The end of a job's log, for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "supervisor/job_files.h"
#include "supervisor/job_log.h"
#include "supervisor/log_files.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
