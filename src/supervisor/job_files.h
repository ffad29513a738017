/* Where what belongs to a job lies: `<data>/jobs/<job>/<attempt>/`. Private to this folder. */
#ifndef FIRTH_SUPERVISOR_JOB_FILES_H
#define FIRTH_SUPERVISOR_JOB_FILES_H

#include <stdint.h>

/* Heap. */
char *job_files_folder(const char *data_dir, int64_t job);
char *job_files_attempt(const char *data_dir, int64_t job, uint32_t attempt);
void job_files_remove(const char *data_dir, int64_t job);

#endif
