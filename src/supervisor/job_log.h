/* The log of a job's attempt: `<data>/jobs/<job>/<attempt>/<first>.jsonl`, lines of JSON as task_log.h has
 * them
 * ({ts, level, event, origin, message, …}). A file's name is the offset of its first byte in the whole log:
 * an offset stays what it is when old files go. An attempt keeps so many bytes in four files, of which the
 * oldest goes when a new one is begun. Secrets are masked by the task. */
#ifndef FIRTH_SUPERVISOR_JOB_LOG_H
#define FIRTH_SUPERVISOR_JOB_LOG_H

#include "base/buffer.h"
#include "base/error.h"

/* From any thread. Append whole lines from `offset` on, up to `max` bytes (at least one line, if there is
 * one). *ret_next: where to go on; beyond `offset` without lines where those have gone already. No error for
 * an attempt that has said nothing: nothing is appended. */
int job_log_read(const char *data_dir, int64_t job, uint32_t attempt, uint64_t offset, size_t max,
                 struct buffer *out, uint64_t *ret_next, struct error *err);
/* The last `max` bytes of it in whole lines, for people: "2026-11-21 18:58:10 source-faker INFO message\n".
 */
int job_log_tail(const char *data_dir, int64_t job, uint32_t attempt, size_t max, struct buffer *out,
                 struct error *err);

#endif
