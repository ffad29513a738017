/* The log of a job's attempt: `<data>/jobs/<job>/<attempt>/<first>.jsonl`, lines of JSON as task_log.h has
 * them
 * ({ts, level, event, origin, message, …}). A file's name is the offset of its first byte in the whole log:
 * an offset stays what it is when old files go. An attempt keeps so many bytes in four files, of which the
 * oldest goes when a new one is begun. Secrets are masked by the task. */
#ifndef FIRTH_SUPERVISOR_JOB_LOG_H
#define FIRTH_SUPERVISOR_JOB_LOG_H

#include "base/buffer.h"
#include "base/error.h"

/* Its folder, heap: log_places.h reads it. */
char *job_log_folder(const char *data_dir, int64_t job, uint32_t attempt);
/* The last `max` bytes of it in whole lines, for people: "2026-11-21 18:58:10 source-faker INFO message\n".
 */
int job_log_tail(const char *data_dir, int64_t job, uint32_t attempt, size_t max, struct buffer *out,
                 struct error *err);

#endif
