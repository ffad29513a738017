#include "connector/lines.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

void connector_lines_init(struct connector_lines *lines, size_t line_max)
{
    *lines = (struct connector_lines){.line_max = line_max};
}

void connector_lines_done(struct connector_lines *lines)
{
    free(lines->data);
    *lines = (struct connector_lines){0};
}

static void resize(struct connector_lines *lines, size_t capacity)
{
    lines->data = mem_realloc(lines->data, capacity);
    lines->capacity = capacity;
}

/* Never more than one byte past the limit: enough to hold the newline, or to know that there is none. */
static size_t capacity_for(const struct connector_lines *lines, size_t wanted)
{
    return wanted < lines->line_max + 1 ? wanted : lines->line_max + 1;
}

/* Put the unfinished line at the front and make room behind it; false if it is too long already. */
static bool make_room(struct connector_lines *lines)
{
    size_t held = lines->end - lines->start, usual = capacity_for(lines, CONNECTOR_LINES_CAPACITY);
    if (lines->start && held)
        memmove(lines->data, lines->data + lines->start, held);
    lines->scanned -= lines->start;
    lines->start = 0;
    lines->end = held;
    if (held > lines->line_max)
        return false;
    if (held < usual / 2 && lines->capacity != usual)
        resize(lines, usual);
    else if (held == lines->capacity)
        resize(lines, capacity_for(lines, lines->capacity * 2));
    return true;
}

ssize_t connector_lines_fill(struct connector_lines *lines, int fd)
{
    assert(!lines->ended);
    if (!make_room(lines))
        return -2;
    ssize_t count;
    do
        count = read(fd, lines->data + lines->end, lines->capacity - lines->end);
    while (count < 0 && errno == EINTR);
    if (count > 0)
        lines->end += (size_t)count;
    else if (count == 0)
        lines->ended = true;
    return count;
}

/* The newline that ends the first line, or NULL; where the search got to is remembered. */
static const char *find_end(struct connector_lines *lines)
{
    if (lines->scanned == lines->end)
        return NULL;
    const char *newline = memchr(lines->data + lines->scanned, '\n', lines->end - lines->scanned);
    lines->scanned = newline ? (size_t)(newline - lines->data) : lines->end;
    return newline;
}

int connector_lines_next(struct connector_lines *lines, struct slice *ret_line)
{
    const char *newline = find_end(lines);
    if (!newline && !(lines->ended && lines->end > lines->start))
        return 0;
    const char *start = lines->data + lines->start;
    size_t size = newline ? (size_t)(newline - start) : lines->end - lines->start;
    *ret_line = (struct slice){start, size};
    lines->taken++;
    lines->start += newline ? size + 1 : size;
    lines->scanned = lines->start;
    return 1;
}

bool connector_lines_ready(const struct connector_lines *lines)
{
    size_t unknown = lines->end - lines->scanned;
    return (unknown && memchr(lines->data + lines->scanned, '\n', unknown)) ||
           (lines->ended && lines->end > lines->start);
}
