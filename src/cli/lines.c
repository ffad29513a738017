#include "cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 20 };

int lines_open(struct lines *lines, const char *path, struct error *err)
{
    bool is_stdin = !path || strcmp(path, "-") == 0;
    *lines = (struct lines){.fd = STDIN_FILENO, .name = is_stdin ? "standard input" : path};
    if (!is_stdin)
        lines->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0)
        return error_errno(err, errno, "cannot read %s", path);
    buffer_init(&lines->in, (size_t)LINES_LINE_MAX + 2 * READ_SIZE);
    return 0;
}

void lines_close(struct lines *lines)
{
    if (lines->fd != STDIN_FILENO)
        close(lines->fd);
    buffer_done(&lines->in);
}

static int read_more(struct lines *lines, struct error *err)
{
    buffer_consume(&lines->in, lines->taken);
    lines->taken = 0;
    ssize_t count;
    buffer_reserve(&lines->in, READ_SIZE);
    do
        count = read(lines->fd, lines->in.data + lines->in.size, READ_SIZE);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return error_errno(err, errno, "cannot read %s", lines->name);
    lines->in.size += (size_t)count;
    lines->at_end = count == 0;
    return 0;
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    }
    return true;
}

/* Take a line that is there: false if there is none yet. */
static bool take(struct lines *lines, struct slice *ret_line)
{
    const char *start = lines->in.data + lines->taken;
    size_t rest = lines->in.size - lines->taken;
    const char *newline = rest ? memchr(start + lines->searched, '\n', rest - lines->searched) : NULL;
    lines->searched = newline ? 0 : rest;
    if (!newline && (!lines->at_end || rest == 0))
        return false;
    lines->searched = 0;
    size_t size = newline ? (size_t)(newline - start) : rest;
    *ret_line = (struct slice){start, size};
    lines->taken += size + (newline != NULL);
    return true;
}

int lines_next(struct lines *lines, struct slice *ret_line, struct error *err)
{
    for (;;) {
        struct slice line;
        if (take(lines, &line)) {
            bool was_skipping = lines->is_skipping;
            lines->is_skipping = false;
            lines->number += !was_skipping;
            if (was_skipping || is_blank(line))
                continue;
            *ret_line = line;
            return line.size > LINES_LINE_MAX ? LINES_TOO_LONG : LINES_LINE;
        }
        if (lines->at_end)
            return LINES_END;
        bool is_long = lines->in.size - lines->taken > LINES_LINE_MAX, was_skipping = lines->is_skipping;
        if (is_long || was_skipping) {
            lines->is_skipping = true;
            lines->taken = lines->in.size;
            lines->searched = 0;
        }
        if (is_long && !was_skipping) {
            lines->number++;
            return LINES_TOO_LONG;
        }
        if (read_more(lines, err) < 0)
            return -1;
    }
}

bool lines_ready(const struct lines *lines)
{
    size_t rest = lines->in.size - lines->taken;
    return rest > 0 && memchr(lines->in.data + lines->taken, '\n', rest);
}
