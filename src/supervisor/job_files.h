/* Where what belongs to a job lies: `<data>/jobs/<job>/<attempt>/`. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_JOB_FILES_H
#define FIRTH_SUPERVISOR_JOB_FILES_H

#include "supervisor/task_log.h"

enum { JOB_LOG_LINE_MAX = 4 * TASK_LOG_RECORD_MAX /* bytes of a line of a log, escapes and all */ };

/* Heap. */
char *job_files_folder(const char *data_dir, int64_t job);
char *job_files_attempt(const char *data_dir, int64_t job, uint32_t attempt);
void job_files_remove(const char *data_dir, int64_t job);

#endif
