/* Where the daemon's log of a task lies: `<data>/logs/<task>/<number>.jsonl`, the highest number newest. A
 * file is only ever appended to, so that whoever reads can go from one to the next without anything being
 * renamed under it. docs/serve.md describes the lines. */
#ifndef FIRTH_SUPERVISOR_LOG_FILES_H
#define FIRTH_SUPERVISOR_LOG_FILES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* The task's folder, heap. Two names never have the same. */
char *log_files_folder(const char *data_dir, const char *task);
/* A file of it, heap. */
char *log_files_path(const char *folder, uint64_t number);
/* The numbers of the files that are there, ascending, heap; a folder that is not there has none. */
int log_files_list(const char *folder, uint64_t **ret_numbers, size_t *ret_count, struct error *err);

#endif
