/* Log lines: one line a record, to a descriptor, as text or as JSON. Only processes' outer layers log
 * (the command, the task, the supervisor); libraries return errors. */
#ifndef FIRTH_BASE_LOG_H
#define FIRTH_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_MAX };

struct log {
    int fd; /* not owned */
    enum log_level level;
    bool json;        /* {"ts":…,"level":…,"message":…} instead of text */
    bool color;       /* text only */
    const char *name; /* prefix ("capture acmeCo/x"), may be NULL */
};

void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *log_level_name(enum log_level level);
/* "warn", "WARN", "warning", "fatal" (as error): -1 for anything else. */
int log_level_parse(const char *text);

#define log_debug(log, ...) log_write((log), LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...) log_write((log), LOG_INFO, __VA_ARGS__)
#define log_warn(log, ...) log_write((log), LOG_WARN, __VA_ARGS__)
#define log_error(log, ...) log_write((log), LOG_ERROR, __VA_ARGS__)

#endif
