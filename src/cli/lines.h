/* Documents as commands read them: one a line, from a file or standard input. */
#ifndef FIRTH_CLI_LINES_H
#define FIRTH_CLI_LINES_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum { LINES_LINE_MAX = 64 << 20 /* bytes of a line: what JSON_LIMITS_DEFAULT takes */ };

struct lines {
    int fd;
    const char *name; /* for messages */
    struct buffer in;
    size_t taken;             /* of `in` */
    size_t searched;          /* behind it: no line ends there */
    bool at_end, is_skipping; /* inside of a line that was too long */
    uint64_t number;          /* of the line given last, from 1; blank ones count */
};

enum lines_got { LINES_END, LINES_LINE, LINES_TOO_LONG };

/* NULL or "-": standard input. */
int lines_open(struct lines *lines, const char *path, struct error *err);
void lines_close(struct lines *lines);
/* The next line that is not blank, without its end; valid until the next call. LINES_TOO_LONG: there is one,
 * but it is past LINES_LINE_MAX and is skipped. -1 with *err, else enum lines_got. */
int lines_next(struct lines *lines, struct slice *ret_line, struct error *err);
/* Is a whole line there already, so that the next call does not wait? */
bool lines_ready(const struct lines *lines);

#endif
