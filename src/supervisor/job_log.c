#include "supervisor/job_log.h"

#include "base/file.h"
#include "supervisor/job_files.h"
#include "supervisor/log_places.h"

#include <inttypes.h>

char *job_files_folder(const char *data_dir, int64_t job)
{
    return mem_printf("%s/jobs/%" PRId64, data_dir, job);
}

char *job_files_attempt(const char *data_dir, int64_t job, uint32_t attempt)
{
    return mem_printf("%s/jobs/%" PRId64 "/%" PRIu32, data_dir, job, attempt);
}

void job_files_remove(const char *data_dir, int64_t job)
{
    struct error ignored; /* what is left is in nobody's way */
    auto_free char *folder = job_files_folder(data_dir, job);
    (void)file_remove_tree(folder, &ignored);
}

char *job_log_folder(const char *data_dir, int64_t job, uint32_t attempt)
{
    return job_files_attempt(data_dir, job, attempt);
}

int job_log_tail(const char *data_dir, int64_t job, uint32_t attempt, size_t max, struct buffer *out,
                 struct error *err)
{
    auto_free char *folder = job_files_attempt(data_dir, job, attempt);
    return log_places_tail(folder, LOG_PLACES_BY_OFFSET, max, out, NULL, err);
}
