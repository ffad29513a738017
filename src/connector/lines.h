/* Lines of a pipe as slices of one buffer, without copying. Bounded: the buffer is 256 kB and grows only for
 * a longer line, up to the line's limit; it shrinks again behind it. */
#ifndef FIRTH_CONNECTOR_LINES_H
#define FIRTH_CONNECTOR_LINES_H

#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

struct connector_lines {
    char *data;
    size_t capacity;
    size_t start;   /* of the first line not taken */
    size_t scanned; /* [start, scanned) has no newline */
    size_t end;
    size_t line_max;
    uint64_t taken; /* lines */
    bool ended;     /* no more bytes will come */
};

enum { CONNECTOR_LINES_CAPACITY = 256 << 10 };

void connector_lines_init(struct connector_lines *lines, size_t line_max);
void connector_lines_done(struct connector_lines *lines);

/* Read once from fd. > 0: so many bytes; 0: the end (and `ended` is set); -1 with errno as read() gives it
 * (EAGAIN, …); -2: a line is longer than line_max. Every whole line must have been taken; earlier slices
 * become invalid. */
ssize_t connector_lines_fill(struct connector_lines *lines, int fd);
/* 1 and the next line without its newline; 0 if there is no whole line. At the end, the last line counts
 * without newline too. Valid until the next fill. */
int connector_lines_next(struct connector_lines *lines, struct slice *ret_line);
/* Would connector_lines_next give one? */
bool connector_lines_ready(const struct connector_lines *lines);

#endif
