/* The daemon's log of one task: lines into numbered files, bounded in size and count. It never fails whoever
 * writes to it: lines that cannot be written (a full disk) are counted, and told of when it goes again. */
#ifndef FIRTH_SUPERVISOR_TASK_LOG_H
#define FIRTH_SUPERVISOR_TASK_LOG_H

#include "base/log.h"
#include "base/text.h"
#include "json/writer.h"

enum {
    TASK_LOG_FILES = 4,                /* at most; the oldest goes first */
    TASK_LOG_BYTES_DEFAULT = 10 << 20, /* of a task, all its files */
    TASK_LOG_RECORD_MAX = 64 << 10,    /* bytes of a line; a longer message is cut */
};

struct task_log {
    char *folder;
    uint64_t file_max; /* bytes of one file */
    int fd;            /* -1: closed */
    uint64_t number;
    uint64_t size;
    bool by_offset;     /* a file's number is the offset of its first byte in the whole log */
    bool torn;          /* the file does not end with a newline */
    uint64_t lost;      /* lines since the last that was written */
    int lost_errno;     /* why the first of them */
    struct buffer line; /* the record that is being written */
    struct json_writer writer;
};

/* `bytes_max`: of all files together. Nothing is opened before the first line. */
void task_log_init(struct task_log *log, const char *data_dir, const char *task, uint64_t bytes_max);
/* The same in a folder (heap, taken over) whose files are numbered by their offset in the whole log. */
void task_log_init_in(struct task_log *log, char *folder, uint64_t bytes_max);
void task_log_done(struct task_log *log);
/* Give the descriptor back until the next line. */
void task_log_close(struct task_log *log);
/* The task is gone: so are its files. Errors are ignored: they are in nobody's way. */
void task_log_remove(struct task_log *log);

/* A record: task_log_begin, members by `log->writer`, task_log_end. `event`: "log", "started", "ended",
 * "waiting". */
void task_log_begin(struct task_log *log, int64_t wall_ms, enum log_level level, const char *event);
void task_log_message(struct task_log *log, const char *message);
void task_log_end(struct task_log *log);

#endif
