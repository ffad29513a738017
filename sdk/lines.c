#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, KEPT_MAX = 16 << 20 };

void sdk_lines_init(struct sdk_lines *lines, int fd, size_t max)
{
    *lines = (struct sdk_lines){.fd = fd};
    buffer_init(&lines->bytes, max + CHUNK);
}

void sdk_lines_done(struct sdk_lines *lines)
{
    buffer_done(&lines->bytes);
}

bool sdk_lines_has_more(const struct sdk_lines *lines)
{
    return lines->bytes.size > lines->scanned &&
           memchr(lines->bytes.data + lines->scanned, '\n', lines->bytes.size - lines->scanned);
}

static int give(struct sdk_lines *lines, size_t end, size_t next, struct slice *ret_line)
{
    *ret_line = (struct slice){lines->bytes.data + lines->start, end - lines->start};
    lines->start = lines->scanned = next;
    lines->number++;
    return SDK_LINES_LINE;
}

/* 1: a line; 0: none is whole. */
static int cut(struct sdk_lines *lines, struct slice *ret_line)
{
    const char *data = lines->bytes.data;
    const char *newline = lines->bytes.size > lines->scanned
                              ? memchr(data + lines->scanned, '\n', lines->bytes.size - lines->scanned)
                              : NULL;
    if (!newline) {
        lines->scanned = lines->bytes.size;
        return 0;
    }
    return give(lines, (size_t)(newline - data), (size_t)(newline - data) + 1, ret_line);
}

static int make_room(struct sdk_lines *lines, struct error *err)
{
    if (lines->start) {
        buffer_consume(&lines->bytes, lines->start);
        lines->scanned -= lines->start;
        lines->start = 0;
    }
    if (!lines->bytes.size && lines->bytes.capacity > KEPT_MAX)
        buffer_done(&lines->bytes); /* one huge line must not leave its buffer behind */
    if (lines->bytes.size > lines->bytes.max - CHUNK || !buffer_reserve(&lines->bytes, CHUNK))
        return error_set(err, ERROR_LIMIT, "line %llu of the input is longer than the limit of %zu bytes",
                         (unsigned long long)lines->number + 1, lines->bytes.max - CHUNK);
    return 0;
}

static int fill(struct sdk_lines *lines, int timeout_ms, struct error *err)
{
    struct pollfd ready = {.fd = lines->fd, .events = POLLIN};
    int got = poll(&ready, 1, timeout_ms);
    if (got == 0 || (got < 0 && errno == EINTR))
        return 0;
    if (got < 0)
        return error_errno(err, errno, "cannot wait for the input");
    if (make_room(lines, err) < 0)
        return -1;
    ssize_t count = read(lines->fd, lines->bytes.data + lines->bytes.size, CHUNK);
    if (count < 0 && errno != EINTR && errno != EAGAIN)
        return error_errno(err, errno, "cannot read the input");
    lines->bytes.size += count > 0 ? (size_t)count : 0;
    lines->ended = count == 0;
    return count > 0;
}

int sdk_lines_next(struct sdk_lines *lines, int timeout_ms, struct slice *ret_line, struct error *err)
{
    for (;;) {
        if (cut(lines, ret_line))
            return SDK_LINES_LINE;
        if (lines->ended && lines->bytes.size > lines->start)
            return give(lines, lines->bytes.size, lines->bytes.size, ret_line);
        if (lines->ended)
            return SDK_LINES_END;
        int filled = fill(lines, timeout_ms, err);
        if (filled < 0)
            return -1;
        if (filled == 0 && !lines->ended)
            return SDK_LINES_NONE;
    }
}
